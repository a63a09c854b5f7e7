//! Nexus puts our pages beside its side panel under a sheet that knows none of our classes: nothing may
//! stick out of the window there, and nothing vanish or fill the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::core::Core;
use crate::driver::window;
use crate::http_server::{Answer, Answers, Request, Response, Server};
use crate::support::{App, Engine};

/// The rules of such a sheet that decide how wide things are: a panel beside a flexible column that is as
/// wide as its content wants, grids of cards, tables that scroll in a wrapper.
const SHEET: &str = "
    * { margin: 0; padding: 0; box-sizing: border-box; }
    body { font-family: sans-serif; line-height: 1.6; }
    .panel { position: fixed; width: 200px; }
    .layout { display: flex; min-height: 100vh; }
    .column { flex: 1; margin-left: 200px; padding: 32px; }
    main { width: 100%; max-width: 1400px; padding: 16px; }
    main.main--full { max-width: none; padding: 0; }
    .card { padding: 24px; margin-bottom: 24px; overflow: hidden; }
    .page-header { display: flex; flex-wrap: wrap; justify-content: space-between; }
    .dashboard-grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 24px; }
    .info-grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 24px; }
    .u-grid-auto-fill { grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); }
    .info-item { display: flex; flex-direction: column; }
    .info-item__value { font-size: 14px; font-weight: 500; }
    .table-wrapper { overflow-x: auto; border: 1px solid; }
    .data-table { width: 100%; border-collapse: collapse; }
    .data-table th, .data-table td { padding: 16px 20px; text-align: left; }
    .search-form__controls { display: flex; flex-wrap: wrap; gap: 12px; }
    .search-form__input { flex: 1; min-width: 250px; }
    .input-group { position: relative; display: flex; gap: 8px; }
    .dropdown { position: absolute; top: 100%; left: 0; right: 0; z-index: 100; max-height: 320px; overflow-y: auto; display: none; }
    .dropdown--visible { display: block; }
    .u-grid { display: grid; }
    .form-group__input, .form-group__select { max-width: 100%; padding: 8px; }
    .btn { display: inline-flex; padding: 10px 20px; }
    @media (max-width: 768px) { .panel { width: 64px; } .column { margin-left: 64px; padding: 16px; } }
";

/// Measures the page in the frame.
const FAULTS: &str = r#"
    const page = document.querySelector("iframe").contentDocument, root = page.scrollingElement, faults = [];
    if (root.scrollWidth > root.clientWidth) faults.push(`${root.scrollWidth} px wide in a window of ${root.clientWidth}`);
    // Icons; the picture of a network is one.
    for (const e of page.querySelectorAll("svg:not(.topology)")) {
        const box = e.getBoundingClientRect();
        if (box.height > 32) faults.push(`a picture ${Math.round(box.width)} by ${Math.round(box.height)}`);
    }
    for (const e of page.querySelectorAll("[class*=preview], [class*=swatch]")) {
        if (!e.textContent.trim() && !e.querySelector("svg")) faults.push(`an empty ${e.className}`);
    }
    const inline = (e) => getComputedStyle(e).display.startsWith("inline");
    for (const e of page.querySelectorAll("main *")) {
        const next = e.nextSibling;
        if (next?.nodeType !== 1 || !inline(e) || !inline(next) || !/\w$/.test(e.textContent) || !/^\w/.test(next.textContent)) continue;
        const [a, b] = [e.getBoundingClientRect(), next.getBoundingClientRect()];
        if (a.width && b.width && b.left - a.right < 2 && Math.abs(a.top - b.top) < 6) faults.push(`${e.textContent}|${next.textContent}`);
    }
    for (const e of page.querySelectorAll(".info-item__value")) {
        if (e.scrollWidth > e.clientWidth + 1) faults.push(`${e.textContent.trim().slice(0, 40)} runs into what stands beside it`);
    }
    for (const menu of page.querySelectorAll("form[role=search] details.menu")) {
        const list = page.getElementById("list"), before = list.getBoundingClientRect().top;
        menu.open = true;
        const words = menu.querySelector("summary").textContent, box = menu.querySelector(".menu__panel").getBoundingClientRect();
        if (Math.abs(list.getBoundingClientRect().top - before) > 1) faults.push(`${words} pushes the list away`);
        if (box.height < 20 || box.left < 0 || box.right > root.clientWidth + 1) faults.push(`${words} opens out of the window`);
        menu.open = false;
    }
    return faults.slice(0, 5);
"#;

/// A Nexus that serves the pages it was given, dressed, and a frame of any width around them.
struct Nexus(BTreeMap<String, String>);

impl Answers for Nexus {
    fn answer(&self, request: &Request) -> Answer {
        let html = |text: String| Answer::Whole(Response::new(200, "text/html; charset=utf-8", text));
        if let (Some(page), Some(width)) = (request.param("page"), request.param("width")) {
            return html(format!(
                "<!DOCTYPE html><title>frame</title><iframe src=\"/page?at={page}\" width=\"{width}\" height=\"900\"></iframe>"
            ));
        }
        html(request.param("at").and_then(|at| self.0.get(at)).cloned().unwrap_or_default())
    }
}

/// As Nexus does it: the sheet into the head, the body into a column beside the panel.
fn dressed(page: &str) -> String {
    let (head, body) = page.split_once("<body>").expect("a body");
    let head = head.split("<script").next().unwrap_or_default();
    let body = body.replace("</body>", "</div></div></body>");
    format!(
        "{head}<style>{SHEET}</style></head><body><div class=\"layout\"><nav class=\"panel\">Codex</nav><div class=\"column\">{body}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_beside_the_panel_of_nexus() {
    let core = Core::start().await;
    let app = App::builder(&Engine::Sqlite).fresh().core(&core).argument("--demo").start().await;
    let api = app.with_token(&core.user("ada", "ada@example.com", "admin"));
    let first = |list: Value, key: &str| list[0][key].as_str().map_or_else(|| list[0][key].to_string(), str::to_owned);
    let company = first(api.get("/api/companies").await.ok(), "account_number");
    let contact = first(api.get("/api/contacts?limit=1").await.ok(), "id");
    let asset = first(api.get("/api/assets?limit=1").await.ok(), "id");
    let ticket = first(api.get("/api/tickets?limit=1").await.ok()["tickets"].clone(), "id");
    let mut paths: Vec<String> =
        ["/", "/companies/", "/contacts/", "/assets/", "/tickets/", "/alerts/", "/search?q=a", "/settings", "/admin/"]
            .iter()
            .chain(&["/companies/new", "/admin/review", "/admin/outbox", "/admin/credentials/freshservice"])
            .map(|path| (*path).to_owned())
            .collect();
    for path in [format!("/companies/{company}"), format!("/contacts/{contact}"), format!("/assets/{asset}")] {
        paths.push(format!("{path}/edit"));
        paths.push(path);
    }
    paths.push(format!("/tickets/{ticket}"));
    let devices = api.get("/api/network_equipment?limit=1").await.ok();
    paths.push(format!("/network/equipment/{}", devices[0]["id"]));
    paths.push(format!("/companies/{}/topology", devices[0]["company_id"].as_str().expect("a company")));
    paths.extend(["/network/equipment/", "/network/subnets/", "/import?kind=assets"].map(str::to_owned));
    let mut pages = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        pages.insert(number.to_string(), dressed(&api.get_with(path, "accept", "text/html").await.status(200).text()));
    }
    let nexus = Server::start(0, Arc::new(Nexus(pages))).await.expect("a port for Nexus");
    window("inside-nexus", &format!("http://127.0.0.1:{}", nexus.port()), 1500, false, |browser| async move {
        let mut wrong = Vec::new();
        for (number, path) in paths.iter().enumerate() {
            for width in [1440, 390] {
                browser.go(&format!("/frame?page={number}&width={width}")).await;
                if let Value::Array(faults) = browser.script(FAULTS).await {
                    wrong.extend(faults.iter().map(|fault| format!("{path} at {width} px: {fault}")));
                }
            }
        }
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    })
    .await;
}
