//! A company's network as one picture: as data, as a page, and as files for other programs.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    drawing,
    layout::{self, Layout},
    topology_store::{self, Edge, Node},
};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    agents::PageContext,
    auth::Reader,
    companies::{Company, store as companies},
    db::Conn,
    error::{Error, Result},
    history,
    ui::{Crumb, Page, Section, filters},
    web::{Path, ReadRequest, Routes, Web, encode_segment},
};

/// The forms in which the picture is given to other programs, with what they are called.
const FORMS: [(&str, &str); 5] =
    [("svg", "SVG"), ("dot", "Graphviz"), ("mermaid", "Mermaid"), ("drawio", "draw.io"), ("csv", "CSV")];

/// The picture's addresses.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/companies/{acct}/topology", show)
        .tells("Tell how the network of a company is joined", topology_answer)
        .asks(&[("format", "json|svg|dot|mermaid|drawio|csv", "The format; json without it.")])
        .get("/companies/{acct}/topology", page)
}

/// Everything that the picture shows.
struct Topology {
    company: Company,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

fn read(c: &mut Conn, key: &str) -> Result<Topology> {
    let id = companies::id_of(c, key)?;
    let company = history::get(c, id)?;
    let (nodes, edges) = topology_store::read(c, id)?;
    Ok(Topology { company, nodes, edges })
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PlacedNode)]
struct Placed<'a> {
    #[serde(flatten)]
    node: &'a Node,
    layer: usize,
    x: i32,
    y: i32,
}

/// `GET /api/companies/{acct}/topology[?format=svg|dot|mermaid|drawio|csv]`: the equipment with its places in the picture,
/// and what joins it; or a file for another program.
async fn show(State(web): State<Web>, caller: Reader, Path(key): Path<String>, request: ReadRequest) -> Result<Response> {
    let format = request.query.text("format")?.unwrap_or("json").to_owned();
    let Topology { company, nodes, edges } = web.db.read(&caller.scope(), move |c| read(c, &key)).await?;
    let layout = layout::layout(&nodes, &edges);
    let (kind, text) = match format.as_str() {
        "json" => return request.value(&as_json(&company, &nodes, &edges, &layout)),
        "csv" => return request.value(&rows(&nodes, &edges)),
        "svg" => {
            ("image/svg+xml", drawing::svg(&nodes, &edges, &layout, &format!("{}/network/equipment/", away(&web, &request))))
        }
        "dot" => ("text/vnd.graphviz", drawing::dot(&nodes, &edges)),
        "mermaid" => ("text/plain; charset=utf-8", drawing::mermaid(&nodes, &edges)),
        "drawio" => ("application/xml", drawing::drawio(&nodes, &edges, &layout)),
        _ => return Err(Error::field("format", "must be json, svg, dot, mermaid, drawio or csv")),
    };
    let ending = if format == "mermaid" { "mmd" } else { &format };
    let name: String = company.account_number.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let saved = HeaderValue::from_str(&format!("attachment; filename=\"network-{name}.{ending}\"")).map_err(Error::internal)?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, saved)];
    Ok((headers, text).into_response())
}

/// What it answers as JSON.
fn topology_answer(schemas: &mut Schemas) -> Value {
    json::object(&[
        ("company_id", json::text()),
        ("company_name", json::text()),
        ("width", json::int()),
        ("height", json::int()),
        ("nodes", json::list::<Placed<'static>>(schemas)),
        ("edges", json::list::<Edge>(schemas)),
    ])
}

/// What links in a file begin with: it is opened elsewhere.
fn away(web: &Web, request: &ReadRequest) -> String {
    web.config.server.public_url.as_deref().map_or_else(|| request.prefix.to_string(), |url| url.trim_end_matches('/').to_owned())
}

fn as_json(company: &Company, nodes: &[Node], edges: &[Edge], layout: &Layout) -> serde_json::Value {
    let placed = |(node, place): (_, &layout::Place)| Placed { node, layer: place.layer, x: place.x, y: place.y };
    json!({
        "company_id": company.account_number,
        "company_name": company.name,
        "width": layout.size.0,
        "height": layout.size.1,
        "nodes": nodes.iter().zip(&layout.places).map(placed).collect::<Vec<_>>(),
        "edges": edges,
    })
}

/// A row for each line, and one for each device that nothing is joined to.
fn rows(nodes: &[Node], edges: &[Edge]) -> Vec<serde_json::Value> {
    let row = |a: Option<&Node>, b: Option<&Node>, edge: &Edge| {
        json!({
            "a": a.map(|node| &node.name), "a_type": a.map(|node| &node.kind), "a_ip_address": a.and_then(|node| node.ip_address.as_ref()),
            "a_port": edge.a_port,
            "b": b.map(|node| &node.name), "b_type": b.map(|node| &node.kind), "b_ip_address": b.and_then(|node| node.ip_address.as_ref()),
            "b_port": edge.b_port, "type": edge.kind, "speed_mbps": edge.speed_mbps,
        })
    };
    let known = |id: i64| nodes.iter().find(|node| node.id == id);
    let alone = |node: &&Node| !edges.iter().any(|edge| edge.a_id == node.id || edge.b_id == node.id);
    let joined = edges.iter().map(|edge| row(known(edge.a_id), known(edge.b_id), edge));
    joined.chain(nodes.iter().filter(alone).map(|node| row(Some(node), None, &Edge::default()))).collect()
}

#[derive(Template)]
#[template(path = "network/topology.html")]
struct TopologyPage {
    page: Page,
    crumbs: Vec<Crumb>,
    lead: String,
    picture: String,
    is_empty: bool,
    forms: Vec<(String, &'static str)>,
    add: Option<String>,
}

/// `GET /companies/{acct}/topology`
async fn page(State(web): State<Web>, context: PageContext, Path(key): Path<String>) -> Result<Response> {
    let Topology { company, nodes, edges } = web.db.read(&context.scope(), move |c| read(c, &key)).await?;
    let layout = layout::layout(&nodes, &edges);
    let page = context.titled(Section::Network, format!("Network of {}", company.name));
    let number = encode_segment(&company.account_number);
    let crumb = |href: String, text: &str| Crumb { href, text: text.to_owned() };
    let form = |(form, name)| (page.url(&format!("/api/companies/{number}/topology?format={form}")), name);
    let built = TopologyPage {
        crumbs: vec![
            crumb(page.url("/companies/"), "Companies"),
            crumb(page.url(&format!("/companies/{number}")), &company.name),
        ],
        lead: format!("{} devices, {} connections", nodes.len(), edges.len()),
        picture: drawing::svg(&nodes, &edges, &layout, &page.url("/network/equipment/")),
        is_empty: nodes.is_empty(),
        forms: FORMS.into_iter().map(form).collect(),
        add: page.may_write().then(|| page.url(&format!("/network/equipment/new?company={number}"))),
        page,
    };
    context.show(&built)
}
