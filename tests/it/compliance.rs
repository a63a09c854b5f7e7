//! The people of protected companies: who sees them, who sees them masked, who does not (design §5), what keeps them
//! protected, and what is noted of every reading.

use reqwest::Method;
use serde_json::{Value, json};

use crate::datto;
use crate::freshservice::{self, change, conversation, department, requester, ticket};
use crate::support::{Api, App, Engine, Fleet, both};

/// Stands in every personal field of the protected people; nothing of it may reach an uncleared caller.
const CANARY: &str = "Quetzalcoatl";
/// What identifies their devices.
const ADDRESSES: [&str; 3] = ["10.66.66.66", "198.51.100.66", "02:5A:FE:66:66:66"];
const OPEN: i64 = 21_000_100_001;
const WARD: i64 = 21_000_100_002;
const SHERIFF: i64 = 21_000_100_003;

async fn protected(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    for (number, name, level) in
        [("200001", "Ward Clinic", "hipaa"), ("200002", "County Sheriff", "cjis"), ("200003", "Open Books", "standard")]
    {
        let body =
            json!({"account_number": number, "name": name, "compliance_level": level, "head_name": format!("{CANARY} Head")});
        app.admin().post("/api/companies", &body).await.status(201);
        let person = |title: &str| {
            json!({
                "name": if level == "standard" { "Plain Person".to_owned() } else { format!("{CANARY} {title}") },
                "email": if level == "standard" { "plain@open.example".to_owned() } else { format!("{CANARY}{number}@ward.example") },
                "work_phone_number": format!("+1 555 77{number}"), "address": format!("1 {title} Road"), "background_information": title,
                "job_title": title, "company_account_numbers": [number],
            })
        };
        let contact = app
            .admin()
            .post("/api/contacts", &person(if level == "standard" { "Open" } else { CANARY }))
            .await
            .status(201)
            .json();
        let asset = json!({"hostname": format!("PC-{number}"), "company_account_number": number, "contact_ids": [contact["id"]],
            "last_logged_in_user": CANARY, "int_ip_address": ADDRESSES[0], "ext_ip_address": ADDRESSES[1], "mac_address": ADDRESSES[2],
            "enabled_administrators": CANARY});
        app.admin().post("/api/assets", &asset).await.status(201);
    }
    app
}

fn service(app: &App, name: &str) -> Api {
    let token = app.cli().run(&["token", "create", "--service", name]).success().stdout;
    app.with_token(token.trim())
}

async fn names(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await.ok();
    let mut names: Vec<String> = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The ids of a list, in its order.
async fn ids(api: &Api, path: &str) -> Vec<i64> {
    let list = api.get(path).await.ok();
    list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn id_of(api: &Api, path: &str) -> i64 {
    ids(api, path).await[0]
}

/// A whole synced world: both vendors, protected departments with people, tickets and devices, a held plan, entries of
/// the outbox and of the review list, and history.
async fn synced(engine: &Engine) -> Fleet {
    let now = jiff::Timestamp::now().as_second();
    let mut psa = freshservice::State {
        departments: vec![
            department(OPEN, "Open Books", Some(204_001)),
            department(WARD, "Ward Clinic", Some(204_002)),
            department(SHERIFF, "County Sheriff", Some(204_003)),
        ],
        requesters: vec![requester(21_000_300_001, "Ava", Some("Patel"), Some("ava@open.example"), &[OPEN])],
        ..freshservice::State::default()
    };
    for (index, place) in [WARD, SHERIFF].into_iter().enumerate() {
        psa.departments[index + 1]["head_name"] = json!(format!("{CANARY} Head"));
        psa.departments[index + 1]["prime_user_name"] = json!(format!("{CANARY} Prime"));
        for number in 0..4_i64 {
            let id = 21_000_300_010 + i64::try_from(index).unwrap() * 10 + number;
            let mut person = requester(id, CANARY, Some("Ward"), Some(&format!("{CANARY}{id}@ward.example")), &[place]);
            for field in ["job_title", "address", "background_information", "location_name", "work_phone_number"] {
                person[field] = json!(format!("{CANARY} {field}"));
            }
            person["secondary_emails"] = json!([format!("{CANARY}-{id}@home.example")]);
            psa.requesters.push(person);
        }
        let id = 4 + i64::try_from(index).unwrap();
        let mut told = ticket(id, 21_000_300_010 + 10 * i64::try_from(index).unwrap(), Some(place), 2, now - 7200);
        for field in ["subject", "description", "description_text"] {
            told[field] = json!(format!("{CANARY} is ill"));
        }
        psa.tickets.push(told);
        psa.conversations.insert(
            id,
            vec![conversation(70 + id, id, CANARY, false, now - 3600), conversation(80 + id, id, CANARY, true, now - 3600)],
        );
        let mut planned = change(9 + id, 21_000_300_010, Some(place), now - 3600);
        planned["subject"] = json!(format!("{CANARY} moves"));
        psa.changes.push(planned);
    }
    let mut rmm = datto::Plan::sized(3, 0, 0).build();
    rmm.variables.clear();
    for (index, (site, number)) in rmm.uids("sites").into_iter().zip(["204001", "204002", "204003"]).enumerate() {
        rmm.renumber(&site, number);
        let device = rmm.add_device(900 + index, &site, &format!("PC-{number}"));
        if index > 0 {
            rmm.change(&device, |device| {
                device["lastLoggedInUser"] = json!(CANARY);
                (device["intIpAddress"], device["extIpAddress"]) = (json!(ADDRESSES[0]), json!(ADDRESSES[1]));
                device["udf"]["udf4"] = json!(format!("{CANARY};Administrator"));
                device["description"] = json!(format!("The laptop of {CANARY}"));
            });
            let mut audit = datto::audit(900 + index);
            audit["nics"][0]["macAddress"] = json!(ADDRESSES[2]);
            audit["systemInfo"]["username"] = json!(CANARY);
            rmm.audits.insert(device.clone(), audit);
            let alert = datto::alert(
                index,
                &rmm.devices.iter().find(|known| known["uid"] == device.as_str()).unwrap().clone(),
                now,
                false,
            );
            rmm.alerts.push(alert);
        }
    }
    rmm.add_site(77, "A site of nobody", None);
    let fleet = Fleet::pulled(engine, psa, rmm).await;
    fleet.sync(&["tickets"]).await.code(0);
    fleet.sync(&["datto-audits"]).await.code(0);
    let admin = fleet.app.admin();
    for (number, level) in [("204002", "hipaa"), ("204003", "cjis")] {
        admin.put(&format!("/api/companies/{number}"), &json!({"compliance_level": level})).await.status(200);
        let contact = id_of(&admin, &format!("/api/companies/{number}/contacts")).await;
        let asset = id_of(&admin, &format!("/api/companies/{number}/assets")).await;
        admin
            .put(&format!("/api/contacts/{contact}"), &json!({"job_title": format!("{CANARY} again"), "asset_ids": [asset]}))
            .await
            .status(200);
        admin.post(&format!("/api/contacts/{contact}/push"), &json!({"fields": ["job_title"]})).await.status(200);
    }
    fleet.psa.world(|world| (21_000_300_010..21_000_300_024).for_each(|id| world.remove(id)));
    fleet.sync(&["freshservice"]).await.code(7);
    fleet
}

/// The rows of the world that a path's braces may stand for.
struct Rows {
    contacts: Vec<i64>,
    assets: Vec<i64>,
    tickets: Vec<i64>,
    plans: Vec<i64>,
    runs: Vec<i64>,
    outbox: Vec<i64>,
    review: Vec<i64>,
    seqs: Vec<i64>,
    jobs: Vec<String>,
}

impl Rows {
    async fn of(app: &App) -> Self {
        let admin = app.admin();
        let first = |list: Vec<i64>, count: usize| list.into_iter().take(count).collect::<Vec<i64>>();
        let mut contacts = Vec::new();
        let mut assets = Vec::new();
        for number in ["204002", "204003"] {
            contacts.extend(first(ids(&admin, &format!("/api/companies/{number}/contacts")).await, 2));
            assets.extend(ids(&admin, &format!("/api/companies/{number}/assets")).await);
        }
        let changes = admin.get("/api/changes?limit=1000").await.ok();
        let about = |change: &&Value| matches!(change["action"].as_str(), Some("update" | "join" | "create"));
        let seqs = changes["changes"].as_array().unwrap().iter().filter(about).map(|change| change["seq"].as_i64().unwrap());
        let held = ids(&admin, "/api/sync/plans").await;
        let jobs = app.database.texts("SELECT id FROM sync_jobs ORDER BY started_at, id");
        Self {
            contacts,
            assets,
            tickets: vec![4, 5, 13, 14],
            runs: vec![1],
            plans: held,
            outbox: ids(&admin, "/api/outbox").await,
            review: ids(&admin, "/api/sync/review").await,
            seqs: seqs.step_by(6).collect(),
            jobs,
        }
    }

    /// The paths of a route over this world.
    fn fill(&self, route: &str) -> Vec<String> {
        let numbers = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<String>>();
        let ids = match route {
            _ if route.contains("/contacts/") => numbers(&self.contacts),
            _ if route.contains("/assets/") => numbers(&self.assets),
            _ if route.contains("ticket") || route.contains("change_requests") => numbers(&self.tickets),
            _ if route.contains("/plans/") => numbers(&self.plans),
            _ if route.contains("/outbox/") => numbers(&self.outbox),
            _ if route.contains("/review/") => numbers(&self.review),
            _ if route.contains("/runs/") => numbers(&self.runs),
            _ if route.contains("/device/") => self.assets.iter().map(|id| format!("device-{id}")).collect(),
            _ if route.contains("/jobs/") => self.jobs.clone(),
            _ => vec!["1".to_owned()],
        };
        let mut paths = vec![route.to_owned()];
        for (name, values) in [
            ("{acct}", vec!["204002".to_owned(), "204003".to_owned()]),
            ("{seq}", numbers(&self.seqs)),
            ("{job_id}", self.jobs.clone()),
            ("{script}", vec!["freshservice".to_owned()]),
            ("{system}", vec!["freshservice".to_owned()]),
            ("{job}", vec!["freshservice".to_owned()]),
            ("{field}", vec!["job_title".to_owned()]),
            ("{contact}", numbers(&self.contacts)),
        ] {
            paths = paths.into_iter().flat_map(|path| spread(&path, name, &values)).collect();
        }
        let mut filled = Vec::new();
        for path in paths {
            if path.contains("{entity}") {
                for (entity, ids) in [
                    ("contact", &self.contacts),
                    ("asset", &self.assets),
                    ("ticket", &vec![1, 2]),
                    ("company", &vec![2, 3]),
                    ("change_request", &vec![1, 2]),
                ] {
                    filled.extend(spread(&path.replace("{entity}", entity), "{id}", &numbers(ids)));
                }
            } else {
                filled.extend(spread(&path, "{id}", &ids));
            }
        }
        filled.retain(|path| !path.contains('{'));
        filled
    }
}

fn spread(path: &str, name: &str, values: &[String]) -> Vec<String> {
    if path.contains(name) { values.iter().map(|value| path.replace(name, value)).collect() } else { vec![path.to_owned()] }
}

/// What a write of this route may carry.
fn bodies(route: &str) -> Vec<Value> {
    let mut bodies = vec![json!({})];
    if route.contains("contacts") {
        bodies.push(json!({"vip_user": true, "active": true}));
        bodies.push(json!({"fields": ["vip_user"], "contact_ids": []}));
        bodies.push(json!({"company_account_numbers": ["204001"]}));
        bodies.push(
            json!({"name": "Somebody Else", "email": format!("{CANARY}21000300012@ward.example").to_lowercase(), "dry": true}),
        );
    } else if route.contains("companies") {
        bodies.push(json!({"description": "as it was", "fields": ["plan"], "name": "Ward Clinic", "address": "1 Road"}));
        bodies.push(json!({"compliance_level": "standard"}));
    } else if route.contains("assets") {
        bodies.push(json!({"asset_tag": "T-1", "contact_ids": []}));
        bodies.push(json!({"company_account_number": "204001"}));
    } else if route.contains("ticket") {
        bodies.push(json!({"status": "open", "notes": "rang them"}));
    } else if route.contains("review") {
        bodies.push(json!({"company": "204001", "target": "204001"}));
    }
    bodies
}

/// Routes whose calls would end the session or start what outlives the question; they answer with no record.
fn is_left_out(method: &str, path: &str) -> bool {
    let ends = ["/logout", "/api/token", "/account/", "/api/my/password", "/login", "/first-run", "/service-token"];
    ends.iter().any(|part| path.starts_with(part))
        || method != "GET" && (path.starts_with("/sync/") || path.starts_with("/webhooks/") || path.contains("/credentials"))
}

fn assert_clean(text: &str, what: &str) {
    let lower = text.to_lowercase();
    assert!(!lower.contains(&CANARY.to_lowercase()), "{what}: {text}");
    for address in ADDRESSES {
        assert!(!lower.contains(&address.to_lowercase()), "{what}: {text}");
    }
}

both! {
    async fn an_uncleared_caller_meets_no_protected_person_by_any_method(engine: Engine) {
        let fleet = synced(&engine).await;
        let app = &fleet.app;
        // What is looked for is there: a cleared caller meets it in each of these.
        let rows = Rows::of(app).await;
        let (contact, asset) = (rows.contacts[0], rows.assets[0]);
        for path in [
            format!("/api/contacts/{contact}"), format!("/api/history/contact/{contact}"), format!("/api/history/asset/{asset}"), format!("/api/assets/{asset}"),
            format!("/api/assets/{asset}/sources"), format!("/api/sync/plans/{}", rows.plans[0]), "/api/outbox".to_owned(), "/api/changes?limit=1000".to_owned(),
            "/api/ticket/4".to_owned(), "/api/companies/204002".to_owned(), "/api/change_requests".to_owned(),
        ] {
            let text = app.admin().get(&path).await.status(200).text();
            assert!(text.contains(CANARY), "the world holds nothing to find at {path}: {text}");
        }
        assert!(!rows.outbox.is_empty() && !rows.review.is_empty() && rows.seqs.len() > 3, "the world is not whole");
        let client = app.client_of("cleo", "204001").await;
        let callers = [("brainhair", service(app, "brainhair")), ("beacon", service(app, "beacon")), ("billing", app.billing()), ("client", client)];
        let mut routes = codex::app::route_table();
        routes.sort_by_key(|route| (route.method != "GET", route.method == "DELETE", route.path));
        routes.dedup_by_key(|route| (route.path, route.method));
        let mut asked = 0;
        for (name, caller) in &callers {
            for route in routes.iter().filter(|route| route.method == "GET" && !is_left_out("GET", route.path)) {
                let list = !route.path.contains('{') || route.path.ends_with("/contacts") || route.path.ends_with("/assets");
                for path in rows.fill(route.path) {
                    for accept in ["application/json", "text/html"] {
                        let reply = caller.get_with(&path, "accept", accept).await;
                        // A ticket that is not here is asked of the vendor, who may be away.
                        assert!(reply.status < 500 || reply.status == 502, "{name}: {path}: {} {}", reply.status, reply.text());
                        assert_clean(&reply.text(), &format!("{name}: GET {path} ({accept})"));
                        asked += 1;
                    }
                    for query in ["q=quetz", "search=quetz", "format=csv", "name__ic=quetz", "sort=-name", "filter=cjis", "entity=contact&limit=1000"].into_iter().filter(|_| list) {
                        let reply = caller.get(&format!("{path}?{query}")).await;
                        assert!(reply.status < 500, "{name}: {path}?{query}: {} {}", reply.status, reply.text());
                        assert_clean(&reply.text(), &format!("{name}: GET {path}?{query}"));
                        asked += 1;
                    }
                }
            }
        }
        // Rehearsed by all, then done by one after the other.
        for dry in ["?dry_run=true&force=true", "?force=true"] {
            for (name, caller) in &callers {
                for route in routes.iter().filter(|route| route.method != "GET" && !is_left_out(route.method, route.path)) {
                    for path in rows.fill(route.path) {
                        for body in bodies(route.path) {
                            // Only the one that rehearses holds an address that would be taken.
                            if dry == "?force=true" && body.get("dry").is_some() {
                                continue;
                            }
                            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
                            let reply = caller.send(method, &format!("{path}{dry}"), |request| request.header("accept", "application/json").json(&body)).await;
                            assert!(reply.status < 500, "{name}: {} {path}{dry}: {} {}", route.method, reply.status, reply.text());
                            // The caller's own words come back to them; nobody else's may.
                            let own = body["email"].as_str().unwrap_or_default();
                            let text = if own.is_empty() { reply.text() } else { reply.text().replace(own, "") };
                            assert_clean(&text, &format!("{name}: {} {path}{dry} {body}", route.method));
                            asked += 1;
                        }
                    }
                }
            }
        }
        // After all that was retired, moved and undone.
        // People who were moved to the client's own company are their colleagues now.
        for (name, caller) in callers.iter().filter(|(name, _)| *name != "client") {
            for path in ["/api/contacts?retired=include", "/api/assets?retired=include", "/api/tickets?retired=include", "/api/changes?limit=1000", "/api/companies?retired=include"] {
                assert_clean(&caller.get(path).await.text(), &format!("{name}: {path} afterwards"));
            }
        }
        assert!(asked > 2_500, "only {asked} questions were asked");
        assert_clean(&app.log(), "the log");
    }

    async fn cleared_callers_see_them_and_what_they_read_is_noted_once(engine: Engine) {
        let app = protected(&engine).await;
        let admin = app.admin();
        let noted = async || -> Vec<(String, String, String, Value, i64)> {
            let rows = admin.get("/api/disclosures?caller__ic=e&sort=id&limit=500").await.ok();
            let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
            rows.as_array().unwrap().iter().map(|row| (text(row, "caller"), format!("{} {}", text(row, "method"), text(row, "route")), text(row, "entity"), row["record_ids"].clone(), row["times"].as_i64().unwrap())).collect()
        };
        for caller in [app.technician(), service(&app, "ledger"), service(&app, "knowledgetree")] {
            assert_eq!(names(&caller, "/api/companies/200001/users").await, [format!("{CANARY} {CANARY}")]);
        }
        let people = ids(&admin, "/api/companies/200001/users").await;
        let before = noted().await;
        let users = before.iter().filter(|row| row.1 == "GET /api/companies/{acct}/users").collect::<Vec<_>>();
        assert_eq!(users.iter().map(|row| (row.0.as_str(), row.2.as_str(), row.3.clone())).collect::<Vec<_>>(),
            [("tess", "contact", json!(people)), ("ledger", "contact", json!(people)), ("knowledgetree", "contact", json!(people))], "{before:?}");
        // Each of these is one reading; from the cache too; an answer without a body is none.
        let ledger = service(&app, "ledger");
        let asset = id_of(&admin, "/api/companies/200001/assets").await;
        let ward = admin.get("/api/companies/200001").await.ok()["id"].as_i64().unwrap();
        let one = people[0];
        let read = async |path: &str| {
            let start = noted().await.len();
            let reply = ledger.get(path).await;
            assert_eq!(reply.status, 200, "{path}");
            let rows: Vec<(String, Value, i64)> = noted().await.split_off(start).into_iter().filter(|row| row.0 == "ledger").map(|row| (row.2, row.3, row.4)).collect();
            (rows, reply.header("etag").to_owned())
        };
        let (rows, tag) = read(&format!("/api/contacts/{one}")).await;
        assert_eq!(rows, [("contact".to_owned(), json!([one]), 1)]);
        let again = ledger.get_with(&format!("/api/contacts/{one}"), "if-none-match", &tag).await;
        assert_eq!(again.status, 304);
        for _ in 0..2 {
            assert_eq!(read("/api/companies/200001/users").await.0, [("contact".to_owned(), json!([one]), 1)], "also from the cache");
        }
        assert_eq!(read(&format!("/api/assets/{asset}")).await.0, [("asset".to_owned(), json!([asset]), 1), ("contact".to_owned(), json!([one]), 1)]);
        assert_eq!(read(&format!("/api/history/contact/{one}")).await.0, [("contact".to_owned(), json!([one]), 1)]);
        assert_eq!(read("/api/companies/200001").await.0, [("company".to_owned(), json!([ward]), 1)]);
        assert_eq!(read("/api/companies/200003").await.0, [], "nobody there is protected");
        assert_eq!(read("/api/contacts?format=csv&company_id=200001").await.0, [("contact".to_owned(), json!([one]), 1)]);
        assert_eq!(read("/api/search?q=quetz").await.0.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["asset", "contact"], "their device is found by its last user");
        let start = noted().await.len();
        ledger.put(&format!("/api/contacts/{one}?dry_run=true"), &json!({})).await.status(200);
        let written = noted().await.split_off(start);
        assert_eq!((written[0].1.as_str(), written[0].3.clone(), written.len()), ("PUT /api/contacts/{id}", json!([one]), 1));
        // A page, with the history on it and the device beside it.
        app.technician().get_with(&format!("/contacts/{one}"), "accept", "text/html").await.status(200);
        let page = admin.get("/api/disclosures?route=/contacts/%7Bid%7D&sort=entity").await.ok();
        let page: Vec<Value> = page.as_array().unwrap().iter().map(|row| json!([row["caller_kind"], row["method"], row["entity"], row["record_ids"]])).collect();
        assert_eq!(page, [json!(["user", "GET", "asset", [asset]]), json!(["user", "GET", "contact", [one]])]);
        assert_eq!(admin.get(&format!("/api/disclosures?entity=contact&record={one}&caller=ledger&route__ic=history")).await.ok().as_array().unwrap().len(), 1);
        for caller in [app.technician(), service(&app, "ledger"), app.billing()] {
            caller.get("/api/disclosures").await.status(403);
        }
        let log = app.log();
        assert!(log.contains("disclosure") && log.contains("ledger"), "{log}");
        assert!(!log.contains(CANARY), "the log of disclosures holds personal data");
        let stored = app.database.texts("SELECT caller || method || route || entity || records FROM disclosures");
        assert!(!stored.is_empty() && !stored.concat().contains(CANARY), "the table holds personal data");
    }

    async fn what_was_read_last_is_stored_before_the_program_ends(engine: Engine) {
        let mut app = protected(&engine).await;
        let ledger = service(&app, "ledger");
        for _ in 0..5 {
            ledger.get("/api/contacts").await.ok();
        }
        assert_eq!(app.stop().await, 0);
        assert_eq!(app.database.number("SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM disclosures WHERE caller = 'ledger'"), 5);
    }

    async fn an_uncleared_service_gets_every_row_with_masks(engine: Engine) {
        let app = protected(&engine).await;
        let brainhair = service(&app, "brainhair");
        assert_eq!(names(&brainhair, "/api/contacts").await, ["Plain Person", "Q••• Q•••", "Q••• Q•••"]);
        let clinic: Value = brainhair.get("/api/companies/200001/contacts").await.ok();
        assert_eq!(clinic[0]["email"], "Q•••@ward.example");
        assert_eq!(clinic[0]["work_phone_number"], "•••01");
        assert_eq!((clinic[0]["job_title"].as_str(), clinic[0]["title"].as_str()), (Some("Q•••"), Some("Q•••")));
        assert_eq!((clinic[0]["address"].clone(), clinic[0]["company_compliance_level"].as_str()), (Value::Null, Some("hipaa")));
        let sheriff: Value = brainhair.get("/api/companies/200002/contacts").await.ok();
        assert_eq!(sheriff[0]["email"], "");
        assert_eq!((sheriff[0]["phone"].clone(), sheriff[0]["job_title"].clone()), (Value::Null, Value::Null));
        let device = brainhair.get("/api/companies/200001/assets").await.ok();
        for field in ["int_ip_address", "ext_ip_address", "mac_address"] {
            assert_eq!(device[0][field], Value::Null, "{field}");
        }
        assert_eq!((device[0]["hostname"].as_str(), device[0]["company_compliance_level"].as_str()), (Some("PC-200001"), Some("hipaa")));
        let open = brainhair.get("/api/companies/200003/assets").await.ok();
        assert_eq!((open[0]["mac_address"].as_str(), open[0]["company_compliance_level"].as_str()), (Some(ADDRESSES[2]), Some("standard")));
    }

    async fn the_policy_that_is_shown_is_the_one_that_decides(engine: Engine) {
        let app = protected(&engine).await;
        let policy = app.admin().get("/api/compliance/policy").await.ok();
        let cells = policy["cells"].as_array().unwrap();
        assert_eq!(cells.len(), 8 * 3 * 4);
        let says = |field: &str, level: &str, caller: &str| {
            let cell = cells.iter().find(|cell| cell["field"] == field && cell["level"] == level && cell["caller"] == caller);
            cell.unwrap_or_else(|| panic!("nothing is said of {field} {level} {caller}"))["treatment"].as_str().unwrap().to_owned()
        };
        let clients = [app.client_of("hal", "200001").await, app.client_of("carl", "200002").await];
        let (ledger, brainhair) = (service(&app, "ledger"), service(&app, "brainhair"));
        for (number, level, client) in [("200001", "hipaa", Some(&clients[0])), ("200002", "cjis", Some(&clients[1])), ("200003", "standard", None)] {
            let whole = [app.admin().get(&format!("/api/companies/{number}/contacts")).await.ok(), app.admin().get(&format!("/api/companies/{number}/assets")).await.ok()];
            for (caller, api) in [("cleared", Some(&ledger)), ("client", client), ("uncleared", Some(&brainhair))] {
                let Some(api) = api else { continue };
                let told = [api.get(&format!("/api/companies/{number}/contacts")).await.ok(), api.get(&format!("/api/companies/{number}/assets")).await.ok()];
                for (field, at, member) in [
                    ("name", 0, "name"), ("email", 0, "email"), ("phone", 0, "work_phone_number"), ("title", 0, "job_title"),
                    ("private", 0, "address"), ("device", 1, "int_ip_address"),
                ] {
                    let value = &told[at][0][member];
                    let found = match value.as_str() {
                        None | Some("") => "withheld",
                        _ if *value == whole[at][0][member] => "shown",
                        _ => "masked",
                    };
                    assert_eq!(found, says(field, level, caller), "{field} at {level} for {caller}: {value}");
                }
            }
        }
        assert_eq!(policy["cleared_services"], json!(["ledger", "knowledgetree", "helm"]));
        let page = app.admin().get_with("/admin/compliance", "accept", "text/html").await.status(200).text();
        assert!(page.contains("Masked") && page.contains("Withheld") && page.contains("ledger, knowledgetree, helm"), "{page}");
    }

    async fn disclosures_have_a_page_and_are_counted(engine: Engine) {
        let app = protected(&engine).await;
        let (admin, ledger) = (app.admin(), service(&app, "ledger"));
        for _ in 0..3 {
            ledger.get("/api/companies/200001/users").await.ok();
        }
        let counts = admin.get("/api/disclosures/counts").await.ok();
        let count = counts.as_array().unwrap().iter().find(|count| count["caller"] == "ledger").unwrap_or_else(|| panic!("{counts}"));
        assert_eq!((&count["readings"], &count["records"], &count["caller_kind"]), (&json!(3), &json!(3), &json!("service")), "{count}");
        assert!(count["day"].as_str().is_some_and(|day| day.len() == 10), "{count}");
        assert_eq!(admin.get("/api/disclosures/counts?since=2999-01-01").await.ok(), json!([]));
        assert!(admin.get("/api/disclosures/counts?since=soon").await.status(400).text().contains("since"));
        let page = async |query: &str| admin.get_with(&format!("/admin/disclosures{query}"), "accept", "text/html").await.status(200).text();
        let (all, none) = (page("?caller=ledger&route__ic=users").await, page("?caller=nobody").await);
        assert!(all.contains("/api/companies/{acct}/users") && ["of 1", "of 2", "of 3"].iter().any(|count| all.contains(count)), "{all}");
        assert!(!all.contains(CANARY), "{all}");
        assert!(none.contains("Nobody has read a protected record, as far as this is asked for"), "{none}");
        let person = id_of(&admin, "/api/companies/200001/users").await;
        assert!(page(&format!("?entity=contact&record={person}&caller=ledger&at__gte=2020-01-01")).await.contains("ledger"));
        admin.get("/admin/disclosures?record=x").await.status(400);
        let csv = admin.get("/api/disclosures?format=csv&caller=ledger").await.status(200).text();
        assert!(csv.contains("ledger") && csv.contains("/users"), "{csv}");
    }

    async fn asking_by_a_hidden_value_finds_nothing(engine: Engine) {
        let app = protected(&engine).await;
        let brainhair = service(&app, "brainhair");
        for question in [
            "q=quetzal", "name__ic=quetz", "email__ic=quetz", "work_phone_number__ic=77200001", "search=quetz", "job_title=Quetzalcoatl",
            "name__gte=Q&name__lte=R", "work_phone_number__in=%2B1%20555%2077200001", "email=quetzalcoatl200001@ward.example", "q=77200001",
        ] {
            let reply = brainhair.get(&format!("/api/contacts?{question}")).await;
            assert_eq!((reply.json(), reply.header("x-total-count")), (json!([]), "0"), "{question}");
        }
        assert_eq!(names(&brainhair, "/api/contacts?name__empty=false").await, ["Plain Person"], "whoever asks about names is told of those they may see");
        assert_eq!(names(&brainhair, "/api/contacts?q=plain").await, ["Plain Person"]);
        for question in ["last_logged_in_user__ic=quetz", "int_ip_address=10.66.66.66", "ext_ip_address__gte=1", "mac_address__ic=66:66", "q=66:66:66"] {
            let hosts = async |api: &Api| -> Vec<String> {
                let list = api.get(&format!("/api/assets?{question}")).await.ok();
                list.as_array().unwrap().iter().map(|asset| asset["hostname"].as_str().unwrap().to_owned()).collect()
            };
            assert_eq!(hosts(&brainhair).await, ["PC-200003"], "{question}");
            assert_eq!(hosts(&app.technician()).await.len(), 3, "{question}");
        }
        assert_eq!(brainhair.get("/api/assets?q=pc-200001").await.ok()[0]["hostname"], "PC-200001", "what is shown can be found");
        assert_eq!(app.billing().get("/contacts/api/search?search=quetz").await.ok()["contacts"], json!([]));
    }

    async fn order_tells_nothing_that_is_hidden(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.admin().post("/api/companies", &json!({"account_number": "7", "name": "Clinic", "compliance_level": "cjis"})).await.status(201);
        app.company("8", "Open").await;
        let mut people = Vec::new();
        for (name, company) in [("Mia", "7"), ("Zoe", "7"), ("Ada", "7"), ("Nia", "8"), ("Bea", "8")] {
            let body = json!({"name": name, "email": format!("{name}@x.example"), "job_title": name, "work_phone_number": name, "company_account_numbers": [company]});
            people.push(app.admin().post("/api/contacts", &body).await.status(201).json()["id"].as_i64().unwrap());
            let device = json!({"hostname": format!("H{}", people.len()), "company_account_number": company, "last_logged_in_user": name, "int_ip_address": name});
            app.admin().post("/api/assets", &device).await.status(201);
        }
        let (nia, bea) = (people[3], people[4]);
        let hidden = &people[..3];
        let brainhair = service(&app, "brainhair");
        for caller in [&brainhair, &app.billing()] {
            for (sort, shown) in [("name", [bea, nia]), ("-name", [nia, bea]), ("email", [bea, nia]), ("job_title", [bea, nia]), ("-work_phone_number", [nia, bea])] {
                let told = ids(caller, &format!("/api/contacts?sort={sort}")).await;
                assert_eq!(told, [&shown[..], hidden].concat(), "{sort}");
            }
            assert_eq!(ids(caller, "/api/contacts").await, [&[bea, nia][..], hidden].concat(), "the order when none is asked for");
            assert_eq!(ids(caller, "/api/companies/7/contacts").await, hidden);
            assert_eq!(ids(caller, "/api/contacts?per_page=2&page=2&sort=name").await, hidden[..2], "pages follow the same order");
            let bulk = caller.get("/api/companies/bulk").await.ok();
            assert_eq!(bulk[0]["contacts"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect::<Vec<_>>(), hidden);
            let hosts = caller.get("/api/assets?sort=-last_logged_in_user").await.ok();
            assert_eq!(hosts.as_array().unwrap().iter().map(|one| one["hostname"].as_str().unwrap()).collect::<Vec<_>>(), ["H4", "H5", "H1", "H2", "H3"]);
        }
        assert_eq!(ids(&app.technician(), "/api/contacts?sort=name").await, [people[2], bea, people[0], nia, people[1]]);
        let client = app.client_of("cleo", "7").await;
        assert_eq!(ids(&client, "/api/contacts?sort=name").await, [people[2], people[0], people[1]], "a client sees colleagues' names");
        assert_eq!(ids(&client, "/api/contacts?sort=work_phone_number").await, hidden, "and not their telephones");
        assert_eq!(client.get("/api/contacts?work_phone_number=Mia").await.ok(), json!([]));
        assert_eq!(names(&client, "/api/contacts?q=mia").await, ["Mia"]);
    }

    async fn a_refusal_names_nobody_who_is_hidden(engine: Engine) {
        let app = protected(&engine).await;
        let brainhair = service(&app, "brainhair");
        let guess = json!({"name": "Guess", "email": "quetzalcoatl200001@ward.example"});
        let refused = app.technician().post("/api/contacts", &guess).await.status(409).json();
        assert!(refused["id"].is_i64(), "who may see them is told who it is: {refused}");
        // Taken or free, the answer is the same.
        for email in ["quetzalcoatl200001@ward.example", "nobody@ward.example"] {
            let reply = brainhair.post("/api/contacts?dry_run=true", &json!({"name": "Guess", "email": email})).await;
            assert_eq!((reply.status, reply.json()["email"].as_str()), (200, Some(email)));
        }
        let plain = brainhair.post("/api/contacts", &json!({"name": "Guess", "email": "plain@open.example"})).await.status(409).json();
        assert!(plain["id"].is_i64(), "{plain}");
        // Setting what one may not see would tell whether it was that, or put a mask in its place.
        let ward = id_of(&app.admin(), "/api/companies/200001/contacts").await;
        let asset = id_of(&app.admin(), "/api/companies/200001/assets").await;
        for (path, body) in [
            (format!("/api/contacts/{ward}"), json!({"email": "quetzalcoatl200001@ward.example"})),
            (format!("/api/contacts/{ward}?dry_run=true"), json!({"name": "Q••• Q•••"})),
            (format!("/api/assets/{asset}"), json!({"mac_address": ADDRESSES[2]})),
            (format!("/api/assets/{asset}"), json!({"last_logged_in_user": CANARY})),
            ("/api/companies/200001".to_owned(), json!({"head_name": "Q•••"})),
        ] {
            let reply = brainhair.put(&path, &body).await.status(403);
            assert!(reply.error().contains("hidden from you"), "{path}: {}", reply.text());
        }
        brainhair.put(&format!("/api/contacts/{ward}"), &json!({"vip_user": true})).await.status(200);
        let push = brainhair.post(&format!("/api/contacts/{ward}/push"), &json!({"fields": ["vip_user"]})).await;
        assert_clean(&push.text(), "a push that cannot be");
    }

    async fn protection_stays_until_an_administrator_lowers_it(engine: Engine) {
        let app = protected(&engine).await;
        let (admin, technician, brainhair) = (app.admin(), app.technician(), service(&app, "brainhair"));
        let contact = id_of(&admin, "/api/companies/200001/contacts").await;
        let asset = id_of(&admin, "/api/companies/200001/assets").await;
        let level = async |path: &str| admin.get(path).await.ok()["company_compliance_level"].as_str().unwrap().to_owned();
        let seen = async || (level(&format!("/api/contacts/{contact}")).await, level(&format!("/api/assets/{asset}")).await);
        let both = |word: &str| (word.to_owned(), word.to_owned());
        // Nobody but an administrator lowers a company.
        for caller in [&technician, &brainhair, &service(&app, "ledger")] {
            for method in [Method::PUT, Method::PATCH] {
                let reply = caller.send(method, "/api/companies/200001", |request| request.json(&json!({"compliance_level": "standard"}))).await;
                assert_eq!((reply.status, reply.error()), (403, "compliance_level: only an administrator may lower it".to_owned()));
            }
        }
        let raised = admin.get("/api/history/company/3").await.ok();
        assert!(raised["changes"].is_array());
        // Moving keeps it; so does leaving every company.
        technician.put(&format!("/api/contacts/{contact}"), &json!({"company_account_numbers": ["200003"]})).await.status(200);
        technician.put(&format!("/api/assets/{asset}"), &json!({"company_account_number": "200003"})).await.status(200);
        assert_eq!(seen().await, both("hipaa"));
        technician.put(&format!("/api/contacts/{contact}"), &json!({"company_account_numbers": []})).await.status(200);
        assert_eq!(seen().await, both("hipaa"));
        // Retiring the company with what hangs on it keeps it.
        admin.put(&format!("/api/contacts/{contact}"), &json!({"company_account_numbers": ["200001"]})).await.status(200);
        admin.put(&format!("/api/assets/{asset}"), &json!({"company_account_number": "200001"})).await.status(200);
        admin.delete("/api/companies/200001?force=true").await.status(200);
        assert_eq!(seen().await, both("hipaa"));
        assert_clean(&brainhair.get(&format!("/api/contacts/{contact}")).await.status(200).text(), "after its company was retired");
        assert_clean(&brainhair.get(&format!("/api/assets/{asset}")).await.status(200).text(), "after its company was retired");
        // A person's own level: raised by whoever edits, lowered by administrators, no lower than the companies demand.
        for caller in [&technician, &brainhair] {
            caller.put(&format!("/api/contacts/{contact}"), &json!({"protected_as": "standard"})).await.status(403);
            caller.put(&format!("/api/assets/{asset}"), &json!({"protected_as": "standard"})).await.status(403);
        }
        technician.put(&format!("/api/contacts/{contact}"), &json!({"protected_as": "cjis"})).await.status(200);
        assert_eq!(level(&format!("/api/contacts/{contact}")).await, "cjis");
        admin.put(&format!("/api/contacts/{contact}"), &json!({"protected_as": "standard"})).await.status(200);
        assert_eq!(seen().await, ("standard".to_owned(), "hipaa".to_owned()));
        let sheriff = id_of(&admin, "/api/companies/200002/contacts").await;
        admin.put(&format!("/api/contacts/{sheriff}"), &json!({"protected_as": "standard"})).await.status(409);
        // A form that repeats what stood there while the record moves decides nothing.
        technician.put(&format!("/api/contacts/{contact}"), &json!({"protected_as": "standard", "company_account_numbers": ["200002"]})).await.status(200);
        assert_eq!(level(&format!("/api/contacts/{contact}")).await, "cjis");
        // Lowering a company lowers those whom nothing else protects.
        admin.put(&format!("/api/contacts/{sheriff}"), &json!({"protected_as": "cjis", "company_account_numbers": ["200002"]})).await.status(200);
        admin.post("/api/companies", &json!({"account_number": "200004", "name": "Second Ward", "compliance_level": "hipaa"})).await.status(201);
        technician.put(&format!("/api/contacts/{contact}"), &json!({"company_account_numbers": ["200004"]})).await.status(200);
        let lowered = admin.put("/api/companies/200002", &json!({"compliance_level": "standard"})).await.status(200).json();
        assert_eq!(lowered["compliance_level"], "standard");
        assert_eq!(level(&format!("/api/contacts/{sheriff}")).await, "standard");
        assert_eq!(level(&format!("/api/contacts/{contact}")).await, "hipaa", "the other company still protects them");
        // Raising protects at once, and taking that back is lowering.
        technician.put("/api/companies/200003", &json!({"compliance_level": "hipaa"})).await.status(200);
        let open = id_of(&admin, "/api/companies/200003/contacts").await;
        assert_eq!(level(&format!("/api/contacts/{open}")).await, "hipaa");
        let changes = admin.get("/api/changes?entity=company&limit=1000").await.ok();
        let raising = changes["changes"].as_array().unwrap().iter().rev().find(|change| change["fields"]["compliance_level"]["new"] == "hipaa" && change["action"] == "update").unwrap()["seq"].clone();
        for caller in [&technician, &service(&app, "ledger")] {
            let refused = caller.post(&format!("/api/changes/{raising}/undo"), &json!({})).await.status(409);
            assert!(refused.error().contains("only an administrator may lower it"), "{}", refused.text());
        }
        assert_eq!(level(&format!("/api/contacts/{open}")).await, "hipaa");
        admin.post(&format!("/api/changes/{raising}/undo"), &json!({})).await.status(200);
        assert_eq!(level(&format!("/api/contacts/{open}")).await, "standard");
    }

    async fn a_filter_tightens_and_never_loosens(engine: Engine) {
        let app = protected(&engine).await;
        assert_eq!(names(&app.admin(), "/api/contacts?filter=phi").await, ["P••• P•••", "Q••• Q•••", "Q••• Q•••"]);
        let brainhair = service(&app, "brainhair");
        assert_eq!(names(&brainhair, "/api/companies/200003/contacts?filter=cjis").await, ["P••• P•••"]);
        assert_eq!(names(&brainhair, "/api/companies/200001/contacts?filter=phi").await, ["Q••• Q•••"]);
        app.admin().get("/api/contacts?filter=none").await.status(400);
    }

    async fn a_client_sees_their_colleagues(engine: Engine) {
        let app = protected(&engine).await;
        let client = app.client_of("cleo", "200001").await;
        assert_eq!(names(&client, "/api/contacts").await, [format!("{CANARY} {CANARY}")]);
        assert_eq!(client.get("/api/contacts").await.ok()[0]["address"], Value::Null);
        assert_eq!(client.get("/api/assets").await.ok()[0]["int_ip_address"], ADDRESSES[0], "their own device");
    }

    async fn billing_sees_whom_it_writes_to(engine: Engine) {
        let app = protected(&engine).await;
        let person = |name: &str, more: Value| {
            let mut body = json!({"name": name, "email": format!("{}@ward.example", name.to_lowercase()), "work_phone_number": "555 0199", "job_title": "Nurse", "background_information": "a note", "company_id": "200001"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (name, more) in [("Bill", json!({"role": "billing"})), ("Prim", json!({"is_primary": true})), ("Tech", json!({"role": "technical"})), ("Main", json!({}))] {
            app.admin().post("/api/contacts", &person(name, more)).await.status(201);
        }
        let main = id_of(&app.admin(), "/api/contacts?name=Main").await;
        app.admin().put("/api/companies/200001", &json!({"billing_contact_id": main, "address": "1 Ward Street", "primary_contact_name": "Prim"})).await.status(200);
        let billing = app.billing();
        let list = billing.get("/api/companies/200001/contacts").await.ok();
        let told: Vec<Value> = list.as_array().unwrap().iter().map(|one| json!([one["name"], one["email"], one["work_phone_number"], one["job_title"], one["background_information"]])).collect();
        let clear = |name: &str| json!([name, format!("{}@ward.example", name.to_lowercase()), "555 0199", "N•••", null]);
        assert_eq!(told, [json!(["Q••• Q•••", "Q•••@ward.example", "•••01", "Q•••", null]), clear("Bill"), clear("Prim"), json!(["T•••", "t•••@ward.example", "•••99", "N•••", null]), clear("Main")]);
        let company = billing.get("/api/companies/200001").await.ok();
        assert_eq!(json!([company["address"], company["primary_contact_name"], company["head_name"]]), json!(["1 Ward Street", "Prim", "Q••• H•••"]));
    }

    async fn nothing_of_another_tenant_shows_by_its_bare_id(engine: Engine) {
        let app = App::start_on(&engine).await;
        let parent = app.company("1", "Holding").await["id"].clone();
        app.company("2", "Daughter").await;
        let biller = app.contact("Bill", "bill@holding.example", &["1"]).await["id"].clone();
        app.admin().put("/api/companies/2", &json!({"parent_id": "1", "billing_contact_id": biller})).await.status(200);
        let client = app.client_of("dora", "2").await;
        let own = client.get("/api/companies/2").await.ok();
        assert_eq!((own["parent_id"].clone(), own["billing_contact_id"].clone()), (Value::Null, Value::Null));
        for question in [format!("parent_id={parent}"), format!("billing_contact_id={biller}"), "parent_id__empty=false".to_owned()] {
            assert_eq!(client.get(&format!("/api/companies?{question}")).await.ok(), json!([]), "{question}");
        }
        let staff = app.technician().get("/api/companies/2").await.ok();
        assert_eq!((staff["parent_id"].clone(), staff["billing_contact_id"].clone()), (parent, biller));
        for path in ["/api/psa/agents", "/api/freshservice/agents"] {
            client.get(path).await.status(403);
            app.billing().get(path).await.status(200);
        }
    }

    async fn an_answer_kept_for_a_cleared_caller_is_not_replayed_to_another(engine: Engine) {
        let mut app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "brainhair").start().await;
        app.admin().post("/api/companies", &json!({"account_number": "7", "name": "Clinic", "compliance_level": "hipaa"})).await.status(201);
        let body = json!({"name": CANARY, "email": "q@ward.example", "company_account_numbers": ["7"]});
        let create = async |app: &App| service(app, "brainhair").send(Method::POST, "/api/contacts", |request| request.header("idempotency-key", "k1").json(&body)).await;
        let first = create(&app).await.status(201);
        assert!(first.text().contains(CANARY));
        assert_eq!(create(&app).await.header("idempotency-replayed"), "true");
        app.stop().await;
        app.set_env("CODEX_COMPLIANCE_CLEARED_SERVICES", "ledger");
        app.start().await;
        let again = create(&app).await.status(409);
        assert_clean(&again.text(), "a kept answer");
    }

    async fn a_masked_ticket_says_that_it_is_hidden(engine: Engine) {
        let fleet = synced(&engine).await;
        for (number, words) in [(4, "Hidden: HIPAA client"), (5, "Hidden: CJIS client")] {
            let page = fleet.app.billing().get_with(&format!("/tickets/{number}"), "accept", "text/html").await.status(200).text();
            assert!(!page.contains("Nothing was said yet"), "{page}");
            assert!(page.matches(words).count() >= 3, "subject, description and conversation say so: {page}");
            assert_eq!(fleet.app.billing().get(&format!("/api/ticket/{number}")).await.ok()["subject"], words);
        }
        let page = fleet.app.technician().get_with("/tickets/4", "accept", "text/html").await.status(200).text();
        assert!(page.contains(CANARY) && !page.contains("Hidden:"), "{page}");
    }
}
