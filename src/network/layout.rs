//! Where the equipment of a network stands in its picture: in layers, from what reaches the world down to what hangs on it.
//!
//! Layers are found by breadth from the tops. In a small network each layer is a row, ordered by the middle of its neighbours
//! above and below (the barycentre method of Sugiyama, Tagawa and Toda, 1981). In a large one lines between rows would hide
//! each other: there everything stands, indented, under what it hangs on. No two boxes share a place.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::topology_store::{Edge, Node};

/// The most devices that are drawn in layers; more stand under what they hang on.
const LAYERED: usize = 24;
/// How far what hangs on something is indented, and how many times at most.
const INDENT: i32 = 40;
const DEEPEST: i32 = 8;
/// The most boxes in a row.
const ACROSS: usize = 6;
/// How often the order of all layers is made anew.
const SWEEPS: usize = 8;
/// A box, and the room between boxes, in pixels.
pub const BOX: (i32, i32) = (168, 56);
const GAP: (i32, i32) = (24, 28);
/// The room between layers, in which lines run.
const LAYER_GAP: i32 = 72;
const MARGIN: i32 = 16;

/// Where a box stands: its left upper corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the left, in pixels.
    pub x: i32,
    /// From the top, in pixels.
    pub y: i32,
    /// How far from the top of its part of the network.
    pub layer: usize,
}

/// The places of all equipment, in its order, and how large the picture is.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// A place for each.
    pub places: Vec<Place>,
    /// Under which other one each stands, where it stands under what it hangs on.
    pub under: Vec<Option<usize>>,
    /// Width and height, in pixels.
    pub size: (i32, i32),
}

/// Finds the places.
#[must_use]
pub fn layout(nodes: &[Node], edges: &[Edge]) -> Layout {
    let index: HashMap<i64, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for edge in edges {
        if let (Some(&a), Some(&b)) = (index.get(&edge.a_id), index.get(&edge.b_id))
            && a != b
        {
            near[a].push(b);
            near[b].push(a);
        }
    }
    let mut places = vec![Place { x: 0, y: 0, layer: 0 }; nodes.len()];
    let mut under = vec![None; nodes.len()];
    let mut top = MARGIN;
    let width = MARGIN * 2 + across(ACROSS);
    let mut parts = parts(&near);
    // What nothing is joined to stands together at the end.
    let alone: Vec<usize> = parts.iter().filter(|part| part.len() == 1).flatten().copied().collect();
    parts.retain(|part| part.len() > 1);
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    for part in parts {
        let layers = layers(&part, nodes, &near, &index);
        if part.len() > LAYERED {
            let up = |node: usize| nodes[node].uplink_id.and_then(|id| index.get(&id).copied());
            let below = hang(&layers, &near, up, &mut under);
            for &top_of_part in &layers[0] {
                top = stand(top_of_part, 0, &below, (MARGIN, top), width, &mut places);
            }
            top += LAYER_GAP - GAP.1;
            continue;
        }
        let layers = ordered(layers, &near);
        for (depth, layer) in layers.iter().enumerate() {
            top = set(layer, depth, top, width, &mut places) + LAYER_GAP - GAP.1;
        }
    }
    if !alone.is_empty() {
        top = set(&alone, 0, top, width, &mut places) + LAYER_GAP - GAP.1;
    }
    // Nothing is wider than its longest row.
    let left = places.iter().map(|place| place.x).min().unwrap_or_default() - MARGIN;
    places.iter_mut().for_each(|place| place.x -= left);
    let width = places.iter().map(|place| place.x + BOX.0).max().unwrap_or_default() + MARGIN;
    Layout { places, under, size: (width, (top - LAYER_GAP).max(0) + MARGIN) }
}

/// How wide so many boxes are.
fn across(count: usize) -> i32 {
    let count = i32::try_from(count).unwrap_or(i32::MAX / 256);
    count * (BOX.0 + GAP.0) - GAP.0
}

/// Sets a layer in rows from `top` on; where the next row would begin.
fn set(layer: &[usize], depth: usize, mut top: i32, width: i32, places: &mut [Place]) -> i32 {
    // Rows of about the same length look better than one full and one nearly empty.
    let rows = layer.len().div_ceil(ACROSS).max(1);
    for row in layer.chunks(layer.len().div_ceil(rows).max(1)) {
        let left = (width - across(row.len())) / 2;
        for (&node, at) in row.iter().zip(0_i32..) {
            places[node] = Place { x: left + at * (BOX.0 + GAP.0), y: top, layer: depth };
        }
        top += BOX.1 + GAP.1;
    }
    top
}

/// What hangs on each: its uplink where that stands higher, else any neighbour that does. Notes it for each, too.
fn hang(
    layers: &[Vec<usize>],
    near: &[Vec<usize>],
    up: impl Fn(usize) -> Option<usize>,
    under: &mut [Option<usize>],
) -> HashMap<usize, Vec<usize>> {
    let depth_of = |depth: usize, layer: &Vec<usize>| layer.iter().map(move |node| (*node, depth)).collect::<Vec<_>>();
    let depths: HashMap<usize, usize> = layers.iter().enumerate().flat_map(|(depth, layer)| depth_of(depth, layer)).collect();
    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    for &node in layers.iter().skip(1).flatten() {
        let is_higher = |other: &usize| depths.get(other) < depths.get(&node);
        let on =
            up(node).filter(is_higher).or_else(|| near[node].iter().copied().filter(is_higher).max_by_key(|other| depths[other]));
        under[node] = on;
        if let Some(on) = on {
            below.entry(on).or_default().push(node);
        }
    }
    below
}

/// Sets one, then in rows what hangs on it and carries nothing, then the others, each with its own; where the next one begins.
fn stand(
    node: usize,
    depth: usize,
    below: &HashMap<usize, Vec<usize>>,
    (x, mut y): (i32, i32),
    width: i32,
    places: &mut [Place],
) -> i32 {
    places[node] = Place { x, y, layer: depth };
    y += BOX.1 + GAP.1;
    let Some(all) = below.get(&node) else { return y };
    let left = if i32::try_from(depth).is_ok_and(|depth| depth < DEEPEST) { x + INDENT } else { x };
    let (inner, leaves): (Vec<usize>, Vec<usize>) = all.iter().partition(|child| below.contains_key(child));
    let columns = usize::try_from((width - MARGIN - left + GAP.0) / (BOX.0 + GAP.0)).unwrap_or(1).max(1);
    for row in leaves.chunks(columns) {
        for (&leaf, at) in row.iter().zip(0_i32..) {
            places[leaf] = Place { x: left + at * (BOX.0 + GAP.0), y, layer: depth + 1 };
        }
        y += BOX.1 + GAP.1;
    }
    inner.into_iter().fold(y, |y, child| stand(child, depth + 1, below, (left, y), width, places))
}

/// The parts of the network that nothing joins, each in the order of its equipment.
fn parts(near: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; near.len()];
    let mut parts = Vec::new();
    for start in 0..near.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut part = vec![start];
        let mut at = 0;
        while let Some(&node) = part.get(at) {
            at += 1;
            for &next in &near[node] {
                if !std::mem::replace(&mut seen[next], true) {
                    part.push(next);
                }
            }
        }
        part.sort_unstable();
        parts.push(part);
    }
    parts
}

/// How near the world equipment of a kind is, when nobody says what its uplink is.
fn height(kind: &str) -> usize {
    ["router", "firewall", "switch", "ap"].iter().position(|known| *known == kind).unwrap_or(4)
}

/// The layers of one part: its tops, what is joined to them, and so on.
fn layers(part: &[usize], nodes: &[Node], near: &[Vec<usize>], index: &HashMap<i64, usize>) -> Vec<Vec<usize>> {
    let up = |node: usize| nodes[node].uplink_id.and_then(|id| index.get(&id).copied());
    let reached: HashSet<usize> = part.iter().filter_map(|node| up(*node)).collect();
    let is_top = |node: &usize| up(*node).is_none() && reached.contains(node);
    let mut tops: Vec<usize> = part.iter().copied().filter(is_top).collect();
    if tops.is_empty() {
        let highest = |node: &&usize| (height(&nodes[**node].kind), usize::MAX - near[**node].len(), **node);
        tops.extend(part.iter().min_by_key(highest));
    }
    let mut depths: BTreeMap<usize, usize> = tops.iter().map(|node| (*node, 0)).collect();
    let mut waiting: VecDeque<usize> = tops.into();
    while let Some(node) = waiting.pop_front() {
        let below = depths[&node] + 1;
        for &next in &near[node] {
            depths.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                below
            });
        }
    }
    // What has an uplink stands below it, however else it is joined.
    for _ in 0..part.len() {
        let below = |node: &usize| Some((*node, depths.get(&up(*node)?)? + 1));
        let lower: Vec<(usize, usize)> = part.iter().filter_map(below).filter(|(node, depth)| depths[node] < *depth).collect();
        if lower.is_empty() {
            break;
        }
        depths.extend(lower);
    }
    let mut layers = vec![Vec::new(); depths.values().max().map_or(0, |deepest| deepest + 1)];
    depths.into_iter().for_each(|(node, depth)| layers[depth].push(node));
    layers
}

/// The same layers, each ordered by the middle of what its members are joined to in the layer beside it.
fn ordered(mut layers: Vec<Vec<usize>>, near: &[Vec<usize>]) -> Vec<Vec<usize>> {
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for step in 1..layers.len() {
            let (at, beside) = if down { (step, step - 1) } else { (layers.len() - 1 - step, layers.len() - step) };
            let order: HashMap<usize, usize> = layers[beside].iter().enumerate().map(|(place, node)| (*node, place)).collect();
            let middle = |(place, node): (usize, &usize)| {
                let around: Vec<usize> = near[*node].iter().filter_map(|other| order.get(other).copied()).collect();
                // In thousandths, so that places can be compared; who is joined to nobody there stays.
                if around.is_empty() { place * 1_000 } else { around.iter().sum::<usize>() * 1_000 / around.len() }
            };
            let mut keyed: Vec<(usize, usize)> =
                layers[at].iter().enumerate().map(|(place, node)| (middle((place, node)), *node)).collect();
            keyed.sort_by_key(|(middle, _)| *middle);
            layers[at] = keyed.into_iter().map(|(_, node)| node).collect();
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: i64, kind: &str, uplink_id: Option<i64>) -> Node {
        Node { id, kind: kind.to_owned(), uplink_id, ..Node::default() }
    }

    fn joined(a_id: i64, b_id: i64) -> Edge {
        Edge { a_id, b_id, ..Edge::default() }
    }

    #[test]
    fn what_hangs_on_something_stands_below_it() {
        let nodes = [node(1, "switch", Some(2)), node(2, "firewall", None), node(3, "ap", Some(1)), node(4, "other", None)];
        let found = layout(&nodes, &[joined(2, 1), joined(1, 3)]);
        let layers: Vec<usize> = found.places.iter().map(|place| place.layer).collect();
        assert_eq!(layers, [1, 0, 2, 0]);
        assert!(found.places[1].y < found.places[0].y && found.places[0].y < found.places[2].y);
        assert!(found.places[3].y > found.places[2].y, "what nothing is joined to stands at the end");
    }

    #[test]
    fn without_uplinks_the_router_is_at_the_top() {
        let nodes = [node(1, "switch", None), node(2, "router", None)];
        assert_eq!(layout(&nodes, &[joined(1, 2)]).places.iter().map(|place| place.layer).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn no_two_boxes_share_a_place_and_all_are_in_the_picture() {
        for count in [0, 1, 5, 7, 500] {
            let nodes: Vec<Node> = (0..count).map(|id| node(id, "switch", (id > 0).then_some((id - 1) / 9))).collect();
            let edges: Vec<Edge> = (1..count).map(|id| joined((id - 1) / 9, id)).collect();
            let found = layout(&nodes, &edges);
            assert_eq!(found.places.len(), nodes.len());
            for (at, one) in found.places.iter().enumerate() {
                assert!(one.x >= 0 && one.y >= 0 && one.x + BOX.0 <= found.size.0 && one.y + BOX.1 <= found.size.1, "{one:?}");
                for other in &found.places[..at] {
                    let apart = (one.x - other.x).abs() >= BOX.0 || (one.y - other.y).abs() >= BOX.1;
                    assert!(apart, "{one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn in_a_large_network_everything_stands_under_what_it_hangs_on() {
        let nodes: Vec<Node> = (0..100).map(|id| node(id, "switch", (id > 0).then_some((id - 1) / 9))).collect();
        let edges: Vec<Edge> = (1..100).map(|id| joined((id - 1) / 9, id)).collect();
        let found = layout(&nodes, &edges);
        for (at, one) in found.places.iter().enumerate().skip(1) {
            let on = found.under[at].expect("it hangs on something");
            assert_eq!(on, (at - 1) / 9);
            assert!(found.places[on].y < one.y && found.places[on].x < one.x, "{one:?}");
        }
        // A chain as deep as there are devices is neither too wide nor too deep for the machine.
        let chain: Vec<Node> = (0..500).map(|id| node(id, "switch", (id > 0).then_some(id - 1))).collect();
        let found = layout(&chain, &(1..500).map(|id| joined(id - 1, id)).collect::<Vec<_>>());
        assert!(found.places.iter().all(|place| place.x + BOX.0 <= found.size.0));
    }

    #[test]
    fn lines_cross_as_little_as_the_order_can_help() {
        // Two switches, and under them four points in the order that would cross every line.
        let nodes = [
            node(1, "router", None),
            node(2, "switch", Some(1)),
            node(3, "switch", Some(1)),
            node(4, "ap", Some(3)),
            node(5, "ap", Some(2)),
        ];
        let edges = [joined(1, 2), joined(1, 3), joined(3, 4), joined(2, 5)];
        let found = layout(&nodes, &edges);
        assert_eq!(found.places[1].x < found.places[2].x, found.places[4].x < found.places[3].x);
    }
}
