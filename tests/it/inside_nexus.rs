//! Our pages read well where no class of ours has a style: inside Nexus, which brings its own sheet.

use serde_json::Value;

use crate::core::Core;
use crate::datto;
use crate::freshservice::{Plan, department};
use crate::support::{Api, App, Engine, Fleet, both};

/// Elements that stand in a line of text.
const INLINE: [&str; 16] =
    ["a", "b", "button", "code", "del", "em", "i", "ins", "kbd", "label", "mark", "small", "span", "strong", "time", "u"];

/// What a page says as one text: the edge of an inline element is `\u{1}`, of any other a line break; pictures
/// and controls are a comma.
fn as_text(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let (mut text, mut rest) = (String::new(), body);
    while let Some((before, tag_on)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag_on.split_once('>').unwrap_or((tag_on, ""));
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
        rest = match name {
            "svg" | "select" | "textarea" | "script" => {
                text.push(',');
                after.split_once(&format!("</{name}>")).map_or("", |(_, on)| on)
            }
            "input" | "progress" => {
                text.push(',');
                after
            }
            _ => {
                text.push(if INLINE.contains(&name) { '\u{1}' } else { '\n' });
                after
            }
        };
    }
    text + rest
}

/// Where two words of different elements touch.
fn run_together(html: &str) -> Vec<String> {
    let text: Vec<char> = as_text(html).chars().collect();
    let mut found = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(at, c)| **c == '\u{1}' && (*at == 0 || text[at - 1] != '\u{1}')) {
        let next = at + text[at..].iter().take_while(|c| **c == '\u{1}').count();
        let touches = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        if touches(at.checked_sub(1).and_then(|at| text.get(at))) && touches(text.get(next)) {
            let around = &text[at.saturating_sub(20)..(next + 20).min(text.len())];
            found.push(around.iter().map(|c| if *c == '\u{1}' { '|' } else { *c }).collect());
        }
    }
    found
}

/// What would be wrong with a page under a style sheet that knows none of our own classes.
fn faults(html: &str) -> Vec<String> {
    let mut faults = run_together(html);
    for (at, _) in html.match_indices("<svg") {
        let tag = html[at..].split('>').next().unwrap_or_default();
        if !(tag.contains(" width=\"") && tag.contains(" height=\"")) {
            faults.push(format!("as large as the page: {tag}"));
        }
    }
    // In a button, Nexus's sheet takes the blanks between an icon and the words.
    for (at, _) in html.match_indices("class=\"btn") {
        let ends = ["</a>", "</button>", "</summary>"].map(|end| html[at..].find(end).unwrap_or(html.len() - at));
        let button = &html[at..at + ends.into_iter().min().unwrap_or_default()];
        let mut around = button.split("</svg>").skip(1).map(str::trim_start);
        if around.any(|after| !after.is_empty() && !after.starts_with('<')) {
            faults.push(format!("an icon that touches its words: {button}"));
        }
    }
    for (at, _) in html.match_indices("<table") {
        if !html[..at].rsplit('<').next().is_some_and(|before| before.contains("table-wrapper")) {
            faults.push(format!("a table that cannot scroll in its card: {}", &html[at..html.len().min(at + 80)]));
        }
    }
    faults
}

async fn look(api: &Api, pages: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in pages {
        let html = api.get_with(path, "accept", "text/html").await.status(200).text();
        wrong.extend(faults(&html).into_iter().map(|fault| format!("{path}: {fault}")));
    }
    wrong
}

/// Pages about the first of everything, as neighbours' people see them.
async fn of_records(api: &Api) -> Vec<String> {
    let first = |list: Value, key: &str| list[0][key].as_str().map_or_else(|| list[0][key].to_string(), str::to_owned);
    let company = first(api.get("/api/companies").await.ok(), "account_number");
    let contact = first(api.get("/api/contacts?limit=1").await.ok(), "id");
    let asset = first(api.get("/api/assets?limit=1").await.ok(), "id");
    let ticket = first(api.get("/api/tickets?limit=1").await.ok()["tickets"].clone(), "id");
    let (companies, contacts) = (format!("/companies/{company}"), format!("/contacts/{contact}"));
    let (assets, tickets) = (format!("/assets/{asset}"), format!("/tickets/{ticket}"));
    let edits = [&companies, &contacts, &assets].map(|path| format!("{path}/edit"));
    let lists =
        ["/", "/companies/", "/contacts/", "/assets/", "/tickets/", "/alerts/", "/companies/new", "/search?q=a", "/settings"];
    let admins = ["/admin/", "/admin/review", "/admin/outbox", "/admin/credentials/freshservice", "/admin/schedules/tickets"];
    let all = lists.iter().chain(&admins).map(|path| (*path).to_owned());
    all.chain([companies, contacts, assets, tickets])
        .chain(edits)
        .chain(
            [
                "/network/equipment/",
                "/network/equipment/1",
                "/network/equipment/1/edit",
                "/network/subnets/",
                "/network/connections/",
                "/notes/",
                "/notes/new?entity=company&entity_id=1",
                "/import?kind=assets",
            ]
            .map(str::to_owned),
        )
        .chain(["/companies/?status=active&kind=client".to_owned()])
        .collect()
}

#[test]
fn what_runs_together_is_seen() {
    assert_eq!(run_together("<body><b>Sync</b><small>Not set up</small>"), ["|Sync||Not set up|"]);
    assert_eq!(run_together("<p>Database<small>file</small></p>"), ["\nDatabase|file|\n"]);
    for fine in
        ["<b>Sync</b> <small>x</small>", "<b>Sync</b>: <i>x</i>", "<b>a</b>, b", "<td>a</td><td>b</td>", "<b>a</b><br><b>b</b>"]
    {
        assert_eq!(run_together(fine), Vec::<String>::new(), "{fine}");
    }
}

both! {
    async fn words_stay_apart_and_tables_in_their_cards(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).fresh().core(&core).argument("--demo").start().await;
        let api = app.with_token(&core.user("ada", "ada@example.com", "admin"));
        let pages = of_records(&api).await;
        let wrong = look(&api, &pages).await;
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
        let html = api.get_with("/companies/", "accept", "text/html").await.text();
        let grid = html.find("<div class=\"dashboard-grid\"><div>").expect("a grid lets the page be narrower than its tables");
        assert!(html.find("<main").is_some_and(|main| main < grid) && html.find("<table").is_some_and(|table| grid < table));
        let settings = api.get_with("/settings", "accept", "text/html").await.text();
        assert!(settings.contains("Purple") && !settings.contains("color-preview"), "a preview that only our own sheet fills");
        assert_eq!(settings.matches("r=\"8\" fill=\"#").count(), 9, "each colour shows itself");
        for panel in html.split("<details class=\"menu").skip(1) {
            let (_, panel) = panel.split_once("<div class=\"menu__panel").expect("it opens something");
            assert!(panel.split('>').next().is_some_and(|classes| classes.contains("dropdown dropdown--visible")), "it opens over the page");
        }
    }

    async fn words_stay_apart_where_syncs_are_watched(engine: Engine) {
        let mut psa = Plan::sized(4, 20).build();
        psa.departments.push(department(21_000_999_001, "Without a Number", None));
        let mut rmm = datto::State::default();
        let site = rmm.add_site(1, "Nobody Knows This Site", None);
        rmm.add_device(1, &site, "PC-1");
        let fleet = Fleet::start(&engine, psa, rmm).await;
        fleet.sync(&["freshservice", "--dry-run"]).await;
        fleet.sync(&["freshservice"]).await.code(0);
        fleet.sync(&["datto"]).await;
        fleet.app.cli().run_beside(&["accounts", "assign"]).await.code(0);
        let ada = fleet.app.admin();
        let center = ada.get_with("/admin/", "accept", "text/html").await.status(200).text();
        let jobs = center.match_indices("/admin/jobs/").map(|(at, _)| center[at..].split('"').next().unwrap().to_owned());
        let mut pages: Vec<String> = jobs.collect();
        assert!(pages.len() >= 3, "{center}");
        pages.extend(["/admin/", "/admin/review", "/admin/outbox", "/admin/plans/1", "/admin/users", "/settings"].map(str::to_owned));
        let wrong = look(&ada, &pages).await;
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
        for (path, what) in [("/admin/review", "Nobody Knows This Site"), ("/admin/outbox", "Without a Number"), ("/admin/", "/admin/jobs/")] {
            assert!(ada.get_with(path, "accept", "text/html").await.text().contains(what), "{path} shows nothing to look at");
        }
    }
}
