//! Every page at both widths in both themes: nothing sticks out, nothing is without a name, and the
//! console stays clean.

use serde_json::{Value, json};

use crate::driver::{Browser, window};
use crate::flows::sign_in;
use crate::support::{Api, App, Engine};

/// What a script in the page finds wrong with it.
const FAULTS: &str = r#"
    const faults = [];
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 1) faults.push(`sticks out by ${wide} px`);
    for (const e of document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")) {
        const label = e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim() || e.title || e.value;
        if (!label) faults.push(`no name: ${e.outerHTML.slice(0, 120)}`);
    }
    for (const e of document.querySelectorAll("img:not([alt])")) faults.push(`no alt: ${e.outerHTML.slice(0, 80)}`);
    if (document.querySelectorAll("h1").length !== 1) faults.push("not exactly one h1");
    if (!document.documentElement.lang) faults.push("no language");
    if (!document.title) faults.push("no title");
    if (document.querySelector("[style], style")) faults.push("inline styles");
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
    if (twice.length) faults.push(`ids twice: ${twice.join(", ")}`);
    return faults;
"#;

/// The contrast of running text against what lies behind it, where both are plain colours. A canvas
/// turns every way of writing a colour into four numbers.
const CONTRAST: &str = r#"
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const known = new Map();
    const parse = (text) => {
        if (!known.has(text)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = text;
            canvas.fillRect(0, 0, 1, 1);
            known.set(text, [...canvas.getImageData(0, 0, 1, 1).data]);
        }
        return known.get(text);
    };
    const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
    const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const style = getComputedStyle(e), colour = parse(style.backgroundColor);
            if (style.backgroundImage !== "none" || (colour[3] > 0 && colour[3] < 255)) return null;
            if (colour[3] === 255) return colour;
        }
        return null;
    };
    const weak = [];
    for (const e of document.querySelectorAll("p, td, th, a, button, label, h1, h2, h3, dt, dd, small, li, span")) {
        const words = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join("");
        // A lone dash says that there is nothing to read.
        if (!words || words === "–" || e.offsetParent === null || e.closest(":disabled, .visually-hidden")) continue;
        const text = parse(getComputedStyle(e).color), back = behind(e);
        if (!back || text[3] < 255 || getComputedStyle(e).opacity !== "1") continue;
        const [high, low] = [luminance(text), luminance(back)].sort((a, b) => b - a);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${e.className || e.tagName}: ${words.slice(0, 40)}`);
    }
    return [...new Set(weak)].slice(0, 10);
"#;

async fn look(browser: &Browser, pages: &[String], wrong: &mut Vec<String>, what: &str) {
    for page in pages {
        browser.go(page).await;
        for code in [FAULTS, CONTRAST] {
            if let Value::Array(faults) = browser.script(code).await {
                wrong.extend(faults.iter().map(|fault| format!("{page} ({what}): {fault}")));
            }
        }
    }
}

/// A program with made-up data, an administrator called ada, who asks, and every page that is looked at.
pub async fn world() -> (App, Api, Vec<String>) {
    let app = App::builder(&Engine::Sqlite).fresh().argument("--demo").start().await;
    let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
    app.cli().run_with_input(&add, crate::support::PASSWORD).success();
    let token = app.cli().run(&["token", "create", "--user", "ada"]).success().stdout.trim().to_owned();
    let api = app.with_token(&token);
    let company = api.get("/api/companies").await.ok()[0]["account_number"].as_str().expect("an account number").to_owned();
    let contact = api.get("/api/contacts").await.ok()[0]["id"].clone();
    let asset = api.get("/api/assets").await.ok()[0]["id"].clone();
    let devices = api.get("/api/network_equipment").await.ok();
    let (device, wired) = (devices[0]["id"].clone(), devices[0]["company_id"].as_str().expect("a company").to_owned());
    let note =
        json!({"entity": "contact", "entity_id": contact, "body": "**Call** first\n\n- one\n\n| a | b |\n|---|---|\n| 1 | 2 |"});
    api.post("/api/notes", &note).await.status(201);
    let pages: Vec<String> = vec![
        "/".into(),
        "/companies/".into(),
        format!("/companies/{company}"),
        format!("/companies/{company}/edit"),
        "/companies/new".into(),
        "/contacts/".into(),
        format!("/contacts/{contact}"),
        format!("/contacts/{contact}/edit"),
        "/contacts/new".into(),
        "/assets/".into(),
        format!("/assets/{asset}"),
        format!("/assets/{asset}/edit"),
        "/assets/new".into(),
        "/network/equipment/".into(),
        format!("/network/equipment/{device}"),
        format!("/network/equipment/{device}/edit"),
        "/network/subnets/".into(),
        format!("/network/connections/new?company={company}"),
        format!("/companies/{wired}/topology"),
        "/notes/".into(),
        "/notes/1".into(),
        "/notes/new?entity=company&entity_id=1".into(),
        "/import?kind=assets".into(),
        "/search?q=a".into(),
        "/settings".into(),
        "/admin/".into(),
        "/admin/review".into(),
        "/admin/outbox".into(),
        "/admin/audit".into(),
        "/admin/clear-data".into(),
        "/admin/compliance".into(),
        "/admin/disclosures".into(),
        "/admin/backups".into(),
        "/admin/notices".into(),
        "/admin/keys".into(),
        "/admin/users".into(),
        "/admin/users/new".into(),
        "/admin/fields/".into(),
        "/admin/credentials/freshservice".into(),
        "/admin/schedules/freshservice".into(),
        "/billing-plans/".into(),
        "/billing/trueup".into(),
        "/tickets/".into(),
        "/alerts/".into(),
        format!("/assets/{asset}/label"),
        format!("/contacts/{contact}/move"),
    ];
    (app, api, pages)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_at_both_widths_in_both_themes() {
    let (app, api, pages) = world().await;
    for (width, theme) in [(1280, "light"), (1280, "dark"), (500, "light"), (500, "dark")] {
        api.put("/api/my/settings", &json!({"theme_preference": theme})).await.status(200);
        let pages = pages.clone();
        window(&format!("looks-{width}-{theme}"), app.base(), width, theme == "dark", |browser| async move {
            let mut wrong = Vec::new();
            look(&browser, &["/login".to_owned()], &mut wrong, theme).await;
            sign_in(&browser, "ada").await;
            look(&browser, &pages, &mut wrong, &format!("{width} px, {theme}")).await;
            assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_exist_says_so() {
    let app = App::start_on(&Engine::Sqlite).await;
    window("not-found", app.base(), 1280, false, |browser| async move {
        sign_in(&browser, "tess").await;
        browser.go("/companies/404404").await;
        browser.shows("ot found").await;
        browser.find("a[href='/']").await;
        browser.forget_console().await;
    })
    .await;
}
