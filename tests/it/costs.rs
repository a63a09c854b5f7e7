//! What answers cost the database, counted and not timed: statements, plans made again, tables read whole, bytes written. What
//! was won must not be lost unnoticed; who lowers a number here has made something faster.

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

/// Rows of the large tables: far more than any answer here shows.
const MANY: usize = 1_000;
/// Rows that may be stepped over: those of one large table, to count them, and of small ones (tags, sources, settings).
const FEW: u64 = 1_300;

/// An answer, and how many statements it may take.
type Bound = (&'static str, u64);

const LISTS: [Bound; 8] = [
    ("/api/companies?limit=50", 14),
    ("/api/contacts?limit=50", 14),
    ("/api/contacts?limit=50&sort=-email", 14),
    ("/api/contacts?limit=50&q=person%20012", 14),
    ("/api/assets?limit=50", 14),
    ("/api/assets?limit=50&q=pc-0012", 14),
    ("/api/companies/100001/assets?limit=50", 14),
    ("/api/search?q=pc-0012", 44),
];
const RECORDS: [Bound; 3] = [("/api/companies/100001", 10), ("/api/contacts/1", 10), ("/api/assets/1", 10)];
const PAGES: [Bound; 8] = [
    ("/companies/", 26),
    ("/companies/100001", 62),
    ("/contacts/", 26),
    ("/contacts/?q=person%20012", 26),
    ("/contacts/1", 50),
    ("/assets/", 26),
    ("/assets/1", 60),
    ("/search?q=pc-0012", 58),
];
/// Of the dashboard, which counts everything once.
const DASHBOARD: u64 = 80;
/// Of a list that the caller has already: who asks, and the versions.
const KNOWN: u64 = 5;
/// Of one changed field of a contact.
const UPDATE: u64 = 26;
/// Bytes of SQLite's log for it, when changes are made one after another.
const UPDATE_BYTES: u64 = 90_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    statements: u64,
    plans_again: u64,
    scanned: u64,
}

/// What this process has cost the database until now.
async fn total(app: &App) -> Cost {
    let text = app.anonymous().get("/metrics").await.status(200).text();
    let of = |what: &str| {
        let name = format!("codex_database_{what}_total ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    Cost { statements: of("statements"), plans_again: of("plans_again"), scanned: of("scanned_rows") }
}

/// What one of these cost; the least of several, because something may go on beside it.
async fn cost<F: Future<Output = ()>>(app: &App, mut ask: impl FnMut(usize) -> F) -> Cost {
    let mut least = None;
    for round in 0..10 {
        let before = total(app).await;
        let between = total(app).await;
        ask(round).await;
        let after = total(app).await;
        // The metrics themselves ask, too.
        let of = |part: fn(&Cost) -> u64| (part(&after) - part(&between)).saturating_sub(part(&between) - part(&before));
        let cost = Cost { statements: of(|c| c.statements), plans_again: of(|c| c.plans_again), scanned: of(|c| c.scanned) };
        // Plans are made at the first use, and kept from then on.
        if round > 0 {
            least = Some(least.map_or(cost, |least: Cost| least.min(cost)));
        }
    }
    least.unwrap()
}

/// A server that keeps nothing, so that every answer is made.
async fn world(engine: &Engine) -> App {
    filled(App::builder(engine).env("CODEX_LIMITS_CACHE_KIB", "0").start().await).await
}

async fn filled(app: App) -> App {
    for number in 1..=3 {
        app.company(&format!("10000{number}"), &format!("Works {number}")).await;
    }
    let account = |number: usize| format!("10000{}", number % 3 + 1);
    let people: Vec<Value> = (0..MANY)
        .map(|n| json!({"name": format!("Person {n:04}"), "email": format!("p{n}@works.example"), "company_account_numbers": [account(n)]}))
        .collect();
    let devices: Vec<Value> =
        (0..MANY).map(|n| json!({"hostname": format!("PC-{n:04}"), "company_account_number": account(n)})).collect();
    for (path, rows) in [("/api/contacts", people), ("/api/assets", devices)] {
        for some in rows.chunks(200) {
            app.admin().post(path, &json!(some)).await.status(201);
        }
    }
    app
}

/// How many contacts the list of companies counts of company 199999.
async fn contacts_listed(api: &Api) -> i64 {
    let page = api.get_with("/companies/?q=199999&col=contacts", "accept", "text/html").await.status(200).text();
    let cell =
        page.split("cell--number\"").nth(2).and_then(|rest| rest.split_once('>')?.1.split_once('<')).map(|(number, _)| number);
    cell.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("no count: {page}"))
}

async fn within(app: &App, bounds: &[Bound], api: &Api, accept: &'static str) {
    let mut beyond = Vec::new();
    for (path, most) in bounds {
        let cost = cost(app, |_| async {
            api.get_with(path, "accept", accept).await.status(200);
        })
        .await;
        eprintln!("{path}: {cost:?}");
        if cost.statements > *most || cost.plans_again > 0 || cost.scanned > FEW {
            beyond.push(format!("{path}: {cost:?}, at most {most} statements"));
        }
    }
    assert!(beyond.is_empty(), "{}", beyond.join("\n"));
}

both! {
    async fn an_answer_takes_few_statements_and_no_table_is_read_whole(engine: Engine) {
        let app = world(&engine).await;
        within(&app, &LISTS, &app.admin(), "application/json").await;
        within(&app, &RECORDS, &app.admin(), "application/json").await;
        within(&app, &PAGES, &app.admin(), "text/html").await;
        let admin = app.admin();
        let dashboard = cost(&app, |_| async {
            admin.get_with("/", "accept", "text/html").await.status(200);
        })
        .await;
        assert!(dashboard.statements <= DASHBOARD && dashboard.plans_again == 0, "{dashboard:?}");
    }

    async fn a_change_takes_few_statements_and_few_bytes(engine: Engine) {
        let app = world(&engine).await;
        let admin = app.admin();
        let titles = std::sync::atomic::AtomicUsize::new(0);
        let change = |_: usize| {
            let title = format!("Title {}", titles.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            let admin = admin.clone();
            async move {
                admin.put("/api/contacts/7", &json!({"job_title": title})).await.ok();
            }
        };
        let cost = cost(&app, change).await;
        eprintln!("a change: {cost:?}");
        assert!(cost.statements <= UPDATE && cost.plans_again == 0 && cost.scanned <= FEW, "{cost:?}");
        let Some(file) = app.database.file() else { return };
        let log = file.with_extension("db-wal");
        // An empty log first, so that it only grows while it is measured.
        app.database.number("PRAGMA wal_checkpoint(TRUNCATE)");
        change(0).await;
        let length = || std::fs::metadata(&log).unwrap().len();
        let before = length();
        for _ in 0..20 {
            change(0).await;
        }
        let bytes = (length() - before) / 20;
        eprintln!("a change: {bytes} bytes");
        assert!((1..=UPDATE_BYTES).contains(&bytes), "{bytes} bytes");
    }

    async fn who_has_a_list_as_it_is_costs_next_to_nothing(engine: Engine) {
        let app = world(&engine).await;
        let (api, mut beyond) = (app.admin(), Vec::new());
        for path in ["/api/assets", "/api/contacts?limit=50", "/api/companies/bulk", "/api/companies/100001/assets?format=csv"] {
            let tag = api.get(path).await.status(200).header("etag").to_owned();
            let cost = cost(&app, |_| async {
                api.get_with(path, "if-none-match", &tag).await.status(304);
            })
            .await;
            eprintln!("304 of {path}: {cost:?}");
            if cost.statements > KNOWN || cost.scanned > FEW {
                beyond.push(format!("{path}: {cost:?}"));
            }
        }
        assert!(beyond.is_empty(), "at most {KNOWN} statements: {}", beyond.join("\n"));
        // The tag is that of the data: a change ends it.
        let tag = api.get("/api/assets?limit=1").await.status(200).header("etag").to_owned();
        app.asset("PC-NEW", "100001").await;
        let anew = api.get_with("/api/assets?limit=1", "if-none-match", &tag).await.status(200);
        assert_eq!(anew.header("x-total-count"), (MANY + 1).to_string());
    }

    async fn what_does_not_change_is_not_counted_again(engine: Engine) {
        let app = filled(App::start_on(&engine).await).await;
        let (api, turn) = (app.admin(), std::sync::atomic::AtomicUsize::new(0));
        let after_a_change = |path: &'static str| {
            let (api, title) = (api.clone(), turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            async move {
                api.put("/api/contacts/7", &json!({"job_title": format!("Chief {title}")})).await.ok();
                api.get_with(path, "accept", "text/html").await.status(200)
            }
        };
        let change = cost(&app, |_| async {
            after_a_change("/agents").await;
        })
        .await;
        for path in ["/assets/", "/companies/", "/"] {
            let cost = cost(&app, |_| async {
                after_a_change(path).await;
            })
            .await;
            eprintln!("{path} after a change of a contact: {cost:?}, beside {change:?}");
            // Active contacts are counted again; assets are not, nor whose contacts there are.
            let contacts = if path == "/" { 6 * MANY } else { 0 };
            assert!(cost.scanned <= change.scanned + FEW + u64::try_from(contacts).unwrap(), "{path}: {cost:?}");
        }
        app.company("199999", "Counted").await;
        let mut people = Vec::new();
        for (number, email) in [(1, "one@counted.example"), (2, "two@counted.example")] {
            people.push(app.contact("Counted", email, &["199999"]).await["id"].clone());
            assert_eq!(contacts_listed(&api).await, number);
        }
        api.put(&format!("/api/contacts/{}", people[0]), &json!({"company_account_numbers": ["100001"]})).await.ok();
        assert_eq!(contacts_listed(&api).await, 1, "one has left for another company");
        api.delete(&format!("/api/contacts/{}", people[1])).await;
        assert_eq!(contacts_listed(&api).await, 0, "the other one is retired");
        for total in [MANY + 1, MANY + 2] {
            app.asset(&format!("PC-NEW-{total}"), "100001").await;
            assert_eq!(api.get("/api/assets?limit=1").await.header("x-total-count"), total.to_string());
            let shown = format!("1,{:03}", total - 1_000);
            for path in ["/assets/", "/"] {
                assert!(api.get_with(path, "accept", "text/html").await.text().contains(&shown), "{path}: {shown}");
            }
        }
    }
}
