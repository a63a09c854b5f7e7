//! How many bytes the pages take that people open all day: what a record has much of comes when it is asked for.

use crate::support::{Api, App, Engine, both};

/// The most that a page may take.
const MOST: usize = 60 * 1024;
/// What the list of assets takes instead, whose fifty rows have the most columns.
const ASSETS: usize = 70 * 1024;

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

/// The tabs of a record's page, by the addresses to which they lead.
fn tabs(html: &str) -> Vec<String> {
    let bar = html.split("data-tabs>").nth(1).and_then(|rest| rest.split("</nav>").next()).unwrap_or_default();
    let links = bar.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.map(|href| href.replace("&#38;", "&")).collect()
}

/// Where the demo data has most on one record of each kind.
async fn fullest(api: &Api) -> Vec<String> {
    let all = api.get("/api/companies/bulk?include_tickets=true").await.ok();
    let size = |one: &serde_json::Value| {
        ["assets", "contacts", "tickets"].iter().filter_map(|what| one[*what].as_array()).map(Vec::len).sum::<usize>()
    };
    let company = all.as_array().into_iter().flatten().max_by_key(|one| size(one)).expect("a company")["company"].clone();
    let number = company["account_number"].as_str().expect("a number").to_owned();
    let mut paths = vec![format!("/companies/{number}")];
    for (list, room) in
        [("contacts", "contacts"), ("assets", "assets"), ("network_equipment", "network/equipment"), ("licenses", "licenses")]
    {
        let some = api.get(&format!("/api/{list}?limit=8")).await.ok();
        paths.extend(some.as_array().into_iter().flatten().map(|one| format!("/{room}/{}", one["id"])));
    }
    let tickets = api.get("/api/tickets?limit=8").await.ok();
    paths.extend(tickets["tickets"].as_array().into_iter().flatten().map(|one| format!("/tickets/{}", one["id"])));
    paths
}

both! {
    async fn no_page_takes_more_than_sixty_kilobytes(engine: Engine) {
        let app = App::builder(&engine).argument("--demo").start().await;
        for api in [app.admin(), app.technician(), app.billing()] {
            let mut paths: Vec<String> =
                ["/", "/companies/", "/contacts/", "/assets/", "/tickets/", "/alerts/", "/network/equipment/", "/licenses/", "/search?q=a"]
                    .map(str::to_owned)
                    .into();
            paths.extend(fullest(&app.admin()).await);
            for path in paths {
                let html = page(&api, &path).await;
                let most = if path == "/assets/" { ASSETS } else { MOST };
                assert!(html.len() <= most, "{path} takes {} bytes", html.len());
                // What was left out is a page away, and no heavier.
                for tab in tabs(&html).iter().filter(|href| !href.starts_with('#')) {
                    let address = tab.split('#').next().unwrap_or_default();
                    let html = page(&api, address).await;
                    assert!(html.len() <= MOST, "{tab} takes {} bytes", html.len());
                }
            }
        }
    }

    async fn a_tab_that_was_left_out_comes_when_it_is_asked_for(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        for n in 1..=30 {
            app.asset(&format!("LT-A{n:05}"), "100001").await;
            app.contact(&format!("Ava {n} Patel"), &format!("ava{n}@example.com"), &["100001"]).await;
        }
        for n in 1..=60 {
            let change = serde_json::json!({"description": format!("{n} ").repeat(400)});
            app.admin().put("/api/companies/100001", &change).await.status(200);
        }
        let tess = app.technician();
        let html = page(&tess, "/companies/100001").await;
        let history = tabs(&html).into_iter().find(|href| href.ends_with("#history")).expect("a tab");
        assert_eq!(history, "/companies/100001?tab=history#history");
        assert!(!html.contains("timeline__item") && html.contains(">Show history</a>"), "{html}");
        let html = page(&tess, "/companies/100001?tab=history").await;
        assert!(html.contains("timeline__item"), "{html}");
        // It is one of the page's own tabs there.
        assert!(tabs(&html).contains(&"#history".to_owned()), "{:?}", tabs(&html));
    }
}
