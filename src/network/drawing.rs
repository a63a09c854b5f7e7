//! A network's picture: as SVG, and in the words of Graphviz, Mermaid and draw.io.

use std::{collections::HashMap, fmt::Write as _};

use super::{
    layout::{BOX, Layout},
    topology_store::{Edge, Node},
};
use askama::filters::{Escaper as _, Html};

/// How much of a name a box has room for.
const NAME: usize = 20;
/// How much of a port's name the room beside a line is for.
const PORT: usize = 9;
/// Where lines to what hangs below leave a box, how far over the box below they run, and where they enter it.
const TRUNK: i32 = 20;
const DROP: i32 = 14;
const ENTRY: i32 = 24;
/// The most lines at one side of a box that say their ports.
const LABELLED: usize = 3;

/// What a kind is called in a box.
fn kind(word: &str) -> &str {
    match word {
        "router" => "Router",
        "switch" => "Switch",
        "firewall" => "Firewall",
        "ap" => "Access point",
        _ => "Other",
    }
}

/// A text as XML and HTML have it, between tags and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _infallible = Html.write_escaped_str(&mut out, text);
    out
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// `1 Gbit/s`
fn speed(mbps: i64) -> String {
    if mbps >= 1_000 && mbps % 100 == 0 {
        let whole = mbps / 1_000;
        let tenth = mbps % 1_000 / 100;
        if tenth == 0 { format!("{whole} Gbit/s") } else { format!("{whole}.{tenth} Gbit/s") }
    } else {
        format!("{mbps} Mbit/s")
    }
}

/// What there is to say of a line: its ports, what it is made of, how fast it is.
fn told(edge: &Edge) -> String {
    let ports = match (&edge.a_port, &edge.b_port) {
        (None, None) => None,
        (a, b) => Some(format!("{} – {}", a.as_deref().unwrap_or("?"), b.as_deref().unwrap_or("?"))),
    };
    [ports, edge.kind.clone(), edge.speed_mbps.map(speed)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// One end of a line.
#[derive(Clone, Copy)]
struct End {
    x: i32,
    y: i32,
    is_labelled: bool,
    /// Whether it is at the lower side of its box.
    is_low: bool,
}

/// A side of a box: whose, and whether it is the lower one.
type Side = (usize, bool);

/// Where the lines end: spread over the upper or lower side of each box.
fn ends(nodes: &[Node], edges: &[Edge], layout: &Layout) -> Vec<Option<(End, End)>> {
    let index: HashMap<i64, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let both = |edge: &Edge| Some((*index.get(&edge.a_id)?, *index.get(&edge.b_id)?));
    // A line between two of one row leaves both below.
    let is_low = |from: usize, to: usize| layout.places[from].y <= layout.places[to].y;
    let mut sides: HashMap<Side, Vec<(i32, usize, bool)>> = HashMap::new();
    for (at, edge) in edges.iter().enumerate() {
        let Some((a, b)) = both(edge) else { continue };
        sides.entry((a, is_low(a, b))).or_default().push((layout.places[b].x, at, true));
        sides.entry((b, is_low(b, a))).or_default().push((layout.places[a].x, at, false));
    }
    let mut found: Vec<(Option<End>, Option<End>)> = vec![(None, None); edges.len()];
    for ((node, is_low), mut lines) in sides {
        lines.sort_unstable();
        let place = layout.places[node];
        let count = i32::try_from(lines.len()).unwrap_or(i32::MAX);
        for ((_, edge, is_a), at) in lines.iter().zip(1..) {
            let x = place.x + BOX.0 * at / (count + 1);
            let end = End { x, y: if is_low { place.y + BOX.1 } else { place.y }, is_labelled: lines.len() <= LABELLED, is_low };
            if *is_a { found[*edge].0 = Some(end) } else { found[*edge].1 = Some(end) }
        }
    }
    found.into_iter().map(|(a, b)| a.zip(b)).collect()
}

/// A line from something down to what hangs on it: along its left side, then over the box below.
fn hanging(
    out: &mut String,
    layout: &Layout,
    (on, below): (usize, usize),
    edge: &Edge,
    ports: (&Option<String>, &Option<String>),
) {
    let (from, to) = (layout.places[on], layout.places[below]);
    let ports: Vec<&str> = [ports.0, ports.1].into_iter().flatten().map(String::as_str).collect();
    let _infallible = write!(
        out,
        "<path class=\"topology__line\" d=\"M{} {}V{}H{}V{}\" fill=\"none\" stroke=\"#8a919c\" stroke-width=\"1.5\"><title>{}</title></path>\
         <text class=\"topology__port\" x=\"{}\" y=\"{}\" font-size=\"9\" fill=\"#5a626e\">{}</text>",
        from.x + TRUNK,
        from.y + BOX.1,
        to.y - DROP,
        to.x + ENTRY,
        to.y,
        escaped(&told(edge)),
        to.x + ENTRY + 4,
        to.y - 3,
        escaped(&cut(&ports.join(" – "), NAME)),
    );
}

/// The picture. Boxes lead to `{base}{id}`; colours can be set by classes, and are there without.
#[must_use]
pub fn svg(nodes: &[Node], edges: &[Edge], layout: &Layout, base: &str) -> String {
    let (width, height) = layout.size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"topology\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"group\" aria-label=\"Network of {} devices\">",
        nodes.len()
    );
    let index: HashMap<i64, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    for (edge, ends) in edges.iter().zip(ends(nodes, edges, layout)) {
        let Some((a, b)) = ends else { continue };
        if let (Some(&one), Some(&other)) = (index.get(&edge.a_id), index.get(&edge.b_id)) {
            if layout.under[other] == Some(one) {
                hanging(&mut out, layout, (one, other), edge, (&edge.a_port, &edge.b_port));
                continue;
            }
            if layout.under[one] == Some(other) {
                hanging(&mut out, layout, (other, one), edge, (&edge.b_port, &edge.a_port));
                continue;
            }
        }
        let bend = ((a.y - b.y).abs() / 2).clamp(16, 48);
        let toward = |end: End| if end.is_low { end.y + bend } else { end.y - bend };
        let dashes = if edge.kind.as_deref() == Some("wireless") { " stroke-dasharray=\"4 4\"" } else { "" };
        let _infallible = write!(
            out,
            "<path class=\"topology__line\" d=\"M{} {}C{} {} {} {} {} {}\" fill=\"none\" stroke=\"#8a919c\" stroke-width=\"1.5\"{dashes}><title>{}</title></path>",
            a.x,
            a.y,
            a.x,
            toward(a),
            b.x,
            toward(b),
            b.x,
            b.y,
            escaped(&told(edge))
        );
        for (end, other, port) in [(a, b, &edge.a_port), (b, a, &edge.b_port)] {
            let Some(port) = port.as_ref().filter(|_| end.is_labelled) else { continue };
            let y = if end.is_low { end.y + 13 } else { end.y - 5 };
            // On the side to which the line does not bend.
            let (x, anchor) = if other.x > end.x { (end.x - 4, "end") } else { (end.x + 4, "start") };
            let _infallible = write!(
                out,
                "<text class=\"topology__port\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"10\" fill=\"#5a626e\">{}</text>",
                escaped(&cut(port, PORT))
            );
        }
    }
    for (node, place) in nodes.iter().zip(&layout.places) {
        let (state, colour) = match node.online {
            Some(true) => ("online", "#2f9e5a"),
            Some(false) => ("offline", "#c9362c"),
            None => ("not watched", "#b8bec7"),
        };
        let under: Vec<&str> = [Some(kind(&node.kind)), node.ip_address.as_deref()].into_iter().flatten().collect();
        let _infallible = write!(
            out,
            "<a href=\"{}{}\"><title>{}, {state}{}</title><rect class=\"topology__box\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"8\" \
             fill=\"#ffffff\" stroke=\"#bcc2cb\"/><circle class=\"topology__state topology__state--{}\" cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{colour}\"/>\
             <text class=\"topology__name\" x=\"{}\" y=\"{}\" font-weight=\"600\" fill=\"#15181d\">{}</text>\
             <text class=\"topology__about\" x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#5a626e\">{}</text></a>",
            escaped(base),
            node.id,
            escaped(&node.name),
            node.model.as_ref().map(|model| format!(", {}", escaped(model))).unwrap_or_default(),
            BOX.0,
            BOX.1,
            state.replace(' ', "-"),
            place.x + 14,
            place.y + 20,
            place.x + 24,
            place.y + 24,
            escaped(&cut(&node.name, NAME)),
            place.x + 12,
            place.y + 43,
            escaped(&cut(&under.join(" · "), 26)),
            x = place.x,
            y = place.y,
        );
    }
    out.push_str("</svg>");
    out
}

/// A text between the quotes of DOT, which knows no other escape than this one.
fn quoted(text: &str) -> String {
    format!("\"{}\"", dot_text(text))
}

fn dot_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}

/// For Graphviz: <https://graphviz.org/doc/info/lang.html>.
#[must_use]
pub fn dot(nodes: &[Node], edges: &[Edge]) -> String {
    let mut out = "graph network {\n  node [shape=box, style=rounded];\n".to_owned();
    for node in nodes {
        let label = [Some(node.name.as_str()), Some(kind(&node.kind)), node.ip_address.as_deref()];
        let label: Vec<String> = label.into_iter().flatten().map(dot_text).collect();
        let _infallible = writeln!(out, "  n{} [label=\"{}\"];", node.id, label.join("\\n"));
    }
    for edge in edges {
        let mut said = vec![format!("label={}", quoted(&told(edge)))];
        said.extend(edge.a_port.as_deref().map(|port| format!("taillabel={}", quoted(port))));
        said.extend(edge.b_port.as_deref().map(|port| format!("headlabel={}", quoted(port))));
        if edge.a_port.is_some() || edge.b_port.is_some() {
            said[0] = format!("label={}", quoted(&told(&Edge { a_port: None, b_port: None, ..edge.clone() })));
        }
        let _infallible = writeln!(out, "  n{} -- n{} [{}];", edge.a_id, edge.b_id, said.join(", "));
    }
    out + "}\n"
}

/// For Mermaid: <https://mermaid.js.org/syntax/flowchart.html>; what would end a text stands as its code.
#[must_use]
pub fn mermaid(nodes: &[Node], edges: &[Edge]) -> String {
    let plain = |text: &str| {
        let coded = |letter: char| match letter {
            '"' | '#' | ';' | '<' | '>' | '&' | '`' => format!("#{};", u32::from(letter)),
            '\n' | '\r' => " ".to_owned(),
            letter => letter.to_string(),
        };
        text.chars().map(coded).collect::<String>()
    };
    let mut out = "flowchart TB\n".to_owned();
    for node in nodes {
        let label = [Some(node.name.as_str()), Some(kind(&node.kind)), node.ip_address.as_deref()];
        let label: Vec<String> = label.into_iter().flatten().map(plain).collect();
        let _infallible = writeln!(out, "  n{}[\"{}\"]", node.id, label.join("<br/>"));
    }
    for edge in edges {
        let said = told(edge);
        let between = if said.is_empty() { "---".to_owned() } else { format!("---|\"{}\"|", plain(&said)) };
        let _infallible = writeln!(out, "  n{} {between} n{}", edge.a_id, edge.b_id);
    }
    out
}

/// For draw.io (diagrams.net): an uncompressed `mxfile`.
#[must_use]
pub fn drawio(nodes: &[Node], edges: &[Edge], layout: &Layout) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<mxfile><diagram name=\"Network\"><mxGraphModel><root>\
                   <mxCell id=\"0\"/><mxCell id=\"1\" parent=\"0\"/>\n"
        .to_owned();
    for (node, place) in nodes.iter().zip(&layout.places) {
        let label = [Some(node.name.as_str()), Some(kind(&node.kind)), node.ip_address.as_deref()];
        let label = label.into_iter().flatten().collect::<Vec<_>>().join("\n");
        let _infallible = writeln!(
            out,
            "<mxCell id=\"n{}\" value=\"{}\" style=\"rounded=1;whiteSpace=wrap\" vertex=\"1\" parent=\"1\">\
             <mxGeometry x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" as=\"geometry\"/></mxCell>",
            node.id,
            escaped(&label).replace('\n', "&#10;"),
            place.x,
            place.y,
            BOX.0,
            BOX.1
        );
    }
    for (edge, number) in edges.iter().zip(1..) {
        let _infallible = writeln!(
            out,
            "<mxCell id=\"e{number}\" value=\"{}\" style=\"endArrow=none\" edge=\"1\" parent=\"1\" source=\"n{}\" target=\"n{}\">\
             <mxGeometry relative=\"1\" as=\"geometry\"/></mxCell>",
            escaped(&told(edge)),
            edge.a_id,
            edge.b_id
        );
    }
    out + "</root></mxGraphModel></diagram></mxfile>\n"
}
