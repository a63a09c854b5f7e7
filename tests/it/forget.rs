//! A person who is forgotten: nothing of them is left anywhere, nothing brings them back, and that there was somebody stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::{State, conversation, department, requester, ticket};
use crate::support::{App, Engine, Pull, both};

const NAME: &str = "Quetzalcoatl Xolotl";
const WARD: i64 = 21_000_100_002;
const PERSON: i64 = 21_000_300_002;
/// What the person has left everywhere.
const CANARIES: &[&str] = &[
    "quetzalcoatl",
    "xolotl",
    "0177 199",
    "0177199",
    "canarytitle",
    "canaryback",
    "canarylane",
    "canaryfield",
    "canarynote",
    "canaryfile",
    "canarywas",
];

fn world() -> State {
    let mut person = requester(PERSON, "Quetzalcoatl", Some("Xolotl"), Some("quetzalcoatl@ward.example"), &[WARD]);
    person["job_title"] = json!("Canarytitle");
    person["background_information"] = json!("Canaryback story");
    person["address"] = json!("Canarylane 5");
    person["work_phone_number"] = json!("555 0177 199");
    person["secondary_emails"] = json!(["q.xolotl@ward.example"]);
    let mut state = State {
        departments: vec![department(WARD, "Ward Clinic", Some(204_002))],
        requesters: vec![person, requester(21_000_300_003, "Ava", Some("Patel"), Some("ava@ward.example"), &[WARD])],
        ..State::default()
    };
    let began = jiff::Timestamp::now().as_second() - 200 * 3600;
    let mut told = ticket(4, PERSON, Some(WARD), 2, began);
    for field in ["subject", "description", "description_text"] {
        told[field] = json!(format!("{NAME} is ill, write to QUETZALCOATL@ward.example"));
    }
    state.tickets = vec![told];
    let mut said = conversation(74, 4, &format!("Signed, {NAME}"), false, began);
    said["from_email"] = json!("quetzalcoatl@ward.example");
    state.conversations.insert(4, vec![said]);
    state
}

/// Every text in the database that has a canary.
fn left(app: &App) -> Vec<String> {
    let columns = if app.database.file().is_some() {
        "SELECT m.name || '|' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
         WHERE m.type = 'table' AND m.name NOT LIKE '%\\_fts%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'"
    } else {
        "SELECT table_name::text || '|' || column_name::text FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.data_type IN ('text', 'character varying')"
    };
    let mut found = Vec::new();
    for column in app.database.texts(columns) {
        let (table, column) = column.split_once('|').unwrap();
        let told: Vec<String> =
            CANARIES.iter().map(|canary| format!("lower(CAST({column} AS TEXT)) LIKE '%{canary}%'")).collect();
        let rows = app.database.texts(&format!("SELECT CAST({column} AS TEXT) FROM {table} WHERE {}", told.join(" OR ")));
        found.extend(rows.into_iter().map(|text| format!("{table}.{column}: {text}")));
    }
    found
}

/// The canaries in the bytes of an SQLite file and its log, and the parts of names that its tables for searches know.
fn in_files(app: &App) -> Vec<String> {
    let Some(file) = app.database.file() else { return Vec::new() };
    let mut found = Vec::new();
    for end in ["", "-wal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        let bytes = std::fs::read(&name).unwrap_or_default().to_ascii_lowercase();
        let has = |canary: &str| bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
        found.extend(CANARIES.iter().filter(|canary| has(canary)).map(|canary| format!("{canary} in {}", name.display())));
    }
    let look = rusqlite::Connection::open_in_memory().unwrap();
    look.execute("ATTACH ?1 AS kept", [file.to_str().unwrap()]).unwrap();
    for table in ["contacts", "tickets", "notes", "companies"] {
        look.execute_batch(&format!("CREATE VIRTUAL TABLE temp.{table} USING fts5vocab(kept, {table}_fts, row)")).unwrap();
        let sql = format!("SELECT count(*) FROM temp.{table} WHERE term IN ('xol', 'tza')");
        if look.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() > 0 {
            found.push(format!("a part of the name in {table}_fts"));
        }
    }
    found
}

fn tells(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    CANARIES.iter().copied().filter(|canary| text.contains(canary)).collect()
}

async fn planted(engine: &Engine) -> (Pull, i64) {
    let pull = Pull::pulled(engine, world()).await;
    pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
    let (tess, ada) = (pull.app.technician(), pull.app.admin());
    let id = pull.contact_of("quetzalcoatl@ward.example").await.unwrap()["id"].as_i64().unwrap();
    ada.post("/api/custom_fields", &json!({"type": "contact", "label": "Badge", "key": "badge", "kind": "text"}))
        .await
        .status(201);
    tess.put(&format!("/api/contacts/{id}"), &json!({"job_title": "Canarywas", "cf": {"badge": "Canaryfield"}}))
        .await
        .status(200);
    tess.put(&format!("/api/contacts/{id}"), &json!({"job_title": "Canarytitle"})).await.status(200);
    tess.post("/api/notes", &json!({"entity": "contact", "entity_id": id, "body": "Canarynote, rings on Mondays"}))
        .await
        .status(201);
    let other = pull.contact_of("ava@ward.example").await.unwrap()["id"].clone();
    tess.post("/api/notes", &json!({"entity": "contact", "entity_id": other, "body": format!("Sits beside {NAME}.")}))
        .await
        .status(201);
    let file = format!("/api/attachments?entity=contact&entity_id={id}&name=canaryfile.txt");
    tess.post_raw(&file, "application/octet-stream", b"canaryfile".to_vec()).await.status(201);
    let asset = pull.app.asset("LT-1", "204002").await["id"].clone();
    tess.put(&format!("/api/contacts/{id}"), &json!({"asset_ids": [asset]})).await.status(200);
    ada.put("/api/companies/204002", &json!({"primary_contact_name": NAME})).await.status(200);
    let equipment = async |name: &str| {
        let body = json!({"name": name, "type": "switch", "company_id": "204002", "notes": format!("Ask {NAME}.")});
        tess.post("/api/network_equipment", &body).await.status(201).json()["id"].clone()
    };
    let (one, other) = (equipment("SW-1").await, equipment("SW-2").await);
    let subnet = json!({"cidr": "10.9.0.0/24", "company_id": "204002", "purpose": format!("{NAME} at home")});
    tess.post("/api/subnets", &subnet).await.status(201);
    let location = json!({"name": format!("{NAME}, at home"), "address": "1 Elm Street"});
    tess.post("/api/companies/204002/locations", &location).await.status(201);
    let cable = json!({"a_id": one, "b_id": other, "notes": format!("Laid by {NAME}.")});
    tess.post("/api/network_connections", &cable).await.status(201);
    (pull, id)
}

both! {
    async fn nothing_of_a_forgotten_person_is_left_anywhere(engine: Engine) {
        let (pull, id) = planted(&engine).await;
        let (app, ada) = (&pull.app, pull.app.admin());
        let path = format!("/api/contacts/{id}/forget");
        assert!(!left(app).is_empty());
        let pages = [
            format!("/api/contacts/{id}"), format!("/api/history/contact/{id}"), "/api/changes?since=0&limit=1000".to_owned(),
            "/api/contacts?retired=include".to_owned(), "/api/contacts?retired=include&format=csv".to_owned(), "/api/tickets".to_owned(),
            "/api/companies".to_owned(), "/api/notes?retired=include".to_owned(), "/api/attachments?retired=include".to_owned(), format!("/contacts/{id}"),
        ];
        for page in &pages {
            ada.get(page).await.status(200);
        }
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let then = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let undone = ada.get(&format!("/api/history/contact/{id}")).await.ok()["changes"].as_array().unwrap().iter().find(|change| change["action"] == "update").unwrap()["seq"].clone();

        assert_eq!(ada.post(&path, &json!({})).await.status(400).fields(), ["name"]);
        assert_eq!(ada.post(&path, &json!({"name": "Ava Patel"})).await.status(400).fields(), ["name"]);
        app.technician().post(&path, &json!({"name": NAME})).await.status(403);
        // Who is shown a mask instead of the person ends nobody, and learns nothing by a rehearsal.
        ada.put("/api/companies/204002", &json!({"compliance_level": "hipaa"})).await.status(200);
        let token = app.cli().run_beside(&["token", "create", "--service", "beacon"]).await.success().stdout;
        let masked = app.with_token(token.trim());
        masked.post(&path, &json!({"name": NAME})).await.status(403);
        masked.post(&format!("{path}?dry_run=true"), &json!({})).await.status(403);
        ada.put("/api/companies/204002", &json!({"compliance_level": "standard"})).await.status(200);
        let tried = ada.post(&format!("{path}?dry_run=true"), &json!({})).await.ok();
        assert!(tried["dry_run"] == true && tried["texts"]["tickets"].as_i64() > Some(0), "{tried}");
        assert!(!left(app).is_empty(), "a rehearsal changes nothing");
        let (before, is_file) = (in_files(app), app.database.file().is_some());
        assert_eq!(before.iter().any(|found| found.starts_with("canarywas")), is_file, "{before:?}");
        assert_eq!(before.iter().any(|found| found.ends_with("contacts_fts")), is_file, "{before:?}");

        let done = ada.post(&path, &json!({"name": NAME})).await.ok();
        let title = format!("Forgotten person {id}");
        assert_eq!((&done["ids"], &done["name"], &done["files"]), (&json!([id]), &json!(title), &json!(1)), "{done}");
        assert_eq!(left(app), Vec::<String>::new());
        assert_eq!(in_files(app), Vec::<String>::new());
        assert_eq!(done["residue"].is_null(), is_file, "{done}");
        for page in &pages {
            let text = ada.get(page).await.status(200).text();
            assert!(tells(&text).is_empty(), "{page}: {:?}", tells(&text));
        }
        for list in ["/api/contacts?retired=include&q=xolotl", "/api/freshservice/tickets?q=xolotl", "/api/notes?retired=include&q=canarynote"] {
            assert_eq!(ada.get(list).await.ok(), json!([]), "{list}");
        }
        let folder = app.instance().join("attachments");
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten().flat_map(|inside| std::fs::read_dir(inside.path()).unwrap());
        assert_eq!(files.count(), 0, "the file is gone from the disk");

        // The fact stays: who did it, which fields there were, and the vendor's id.
        let contact = ada.get(&format!("/api/contacts/{id}")).await.ok();
        assert_eq!((&contact["name"], &contact["email"], &contact["external_id"]), (&json!(title), &json!(""), &json!(PERSON)), "{contact}");
        assert!(contact["retired_at"].is_string(), "{contact}");
        let told = ada.get(&format!("/api/history/contact/{id}")).await.ok();
        let changes = told["changes"].as_array().unwrap();
        let forgot = changes.iter().find(|change| change["action"] == "forget").unwrap();
        assert_eq!((&forgot["actor"], &forgot["fields"]), (&json!("ada"), &json!({})), "{forgot}");
        assert!(changes.iter().any(|change| change["fields"]["job_title"] == json!({"old": null, "new": null})), "{told}");
        let was = ada.get(&format!("/api/contacts/{id}?as_of={then}")).await.ok();
        assert_eq!((&was["name"], &was["retired_at"]), (&json!(title), &Value::Null), "{was}");

        // Nothing brings them back: no undo, no restore, no edit, no sync.
        assert!(ada.post(&format!("/api/changes/{undone}/undo"), &json!({})).await.status(409).error().contains("forgotten"));
        ada.post(&format!("/api/contacts/{id}/restore"), &json!({})).await.status(409);
        let page = ada.get_with(&format!("/contacts/{id}"), "accept", "text/html").await.status(200).text();
        assert!(!page.contains(&format!("/contacts/{id}/restore")), "a page offers to bring back who was forgotten");
        ada.put(&format!("/api/contacts/{id}"), &json!({"name": NAME})).await.status(409);
        pull.vendor.world(|state| state.change(PERSON, |person| person["job_title"] = json!("Canarytitle again")));
        for words in [&[][..], &["--full"]] {
            let output = pull.run(words).await.code(0);
            assert!(tells(&output.stdout).is_empty(), "{}", output.stdout);
            assert_eq!(left(app), Vec::<String>::new());
        }
        assert_eq!(pull.contacts().await.len(), 1);
        // Again is no error, and changes nothing.
        let head = pull.head();
        ada.post(&path, &json!({"name": title})).await.status(200);
        assert_eq!(pull.head(), head);
    }

    async fn a_ticket_that_changes_at_the_vendor_brings_nobody_back(engine: Engine) {
        let (pull, id) = planted(&engine).await;
        let (app, ada) = (&pull.app, pull.app.admin());
        ada.post(&format!("/api/contacts/{id}/forget"), &json!({"name": NAME})).await.status(200);
        assert_eq!(left(app), Vec::<String>::new());
        // Of what they were known by nothing is kept but digests, whose key is not in the database.
        let digests = app.database.texts("SELECT digest FROM forgotten_people ORDER BY 1");
        assert!(digests.len() >= 3 && digests.iter().all(|one| one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit())), "{digests:?}");

        let now = jiff::Timestamp::now().as_second();
        pull.vendor.world(|state| {
            let at = state.tick();
            let told = state.tickets.iter_mut().find(|ticket| ticket["id"] == 4).unwrap();
            told["updated_at"] = json!(at);
            told["subject"] = json!(format!("{NAME} is back"));
            told["description"] = json!("<p>Dear Xolotl, Quetzalcoatl, we wrote to quetzalcoatl@ward.example and Q.Xolotl@ward.example</p>");
            told["description_text"] = json!("Dear Xolotl, Quetzalcoatl, we wrote to quetzalcoatl@ward.example and Q.Xolotl@ward.example");
            let mut said = conversation(75, 4, &format!("Regards, {}", NAME.to_uppercase()), false, now);
            said["from_email"] = json!("quetzalcoatl@ward.example");
            said["user_id"] = json!(PERSON);
            state.conversations.get_mut(&4).unwrap().push(said);
            // A new one of theirs, under an address and a spelling that nobody knew.
            let mut new = ticket(5, PERSON, Some(WARD), 2, now);
            new["subject"] = json!("A printer");
            new["requester"] = json!({"id": PERSON, "name": "Q. Xolotl-Canarytitle", "email": "canarytitle@ward.example"});
            state.tickets.push(new);
        });
        app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        assert_eq!(left(app), Vec::<String>::new());
        let told = ada.get("/api/ticket/4").await.ok();
        assert_eq!((&told["subject"], &told["requester_name"]), (&json!("[forgotten] is back"), &json!("[forgotten]")), "{told}");
        let whole = told.to_string();
        assert!(whole.contains("Dear [forgotten], we wrote to [forgotten] and [forgotten]") && whole.contains("Regards, [forgotten]"), "{whole}");
        assert_eq!(ada.get("/api/ticket/5").await.ok()["requester_email"], "[forgotten]");
        // One that is not stored is asked for at the vendor, and tells no more.
        app.database.execute("DELETE FROM ticket_details; DELETE FROM ticket_sightings");
        app.cli().run_beside(&["sync", "tickets", "--full"]).await.code(0);
        assert_eq!(left(app), Vec::<String>::new());
        // Who is here keeps the name, whoever else had it.
        app.contact("Ava Patel", "ava.two@ward.example", &["204002"]).await;
        let two = ada.get("/api/contacts?email=ava@ward.example").await.ok()[0]["id"].clone();
        ada.post(&format!("/api/contacts/{two}/forget"), &json!({"name": "Ava Patel"})).await.status(200);
        pull.vendor.world(|state| {
            let at = state.tick();
            let told = state.tickets.iter_mut().find(|ticket| ticket["id"] == 5).unwrap();
            (told["updated_at"], told["subject"]) = (json!(at), json!("Ava Patel, not ava@ward.example"));
        });
        app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        assert_eq!(ada.get("/api/ticket/5").await.ok()["subject"], "Ava Patel, not [forgotten]");
    }

    async fn a_person_is_forgotten_on_a_page_and_from_the_command_line(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let one = app.contact(NAME, "quetzalcoatl@acme.example", &["100001"]).await["id"].clone();
        let two = app.contact("Canarytitle Xolotl", "xolotl@acme.example", &["100001"]).await["id"].clone();
        let ada = app.admin();
        let path = format!("/contacts/{one}/forget");
        let page = ada.get_with(&format!("/contacts/{one}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains(&path), "{page}");
        let page = ada.get_with(&path, "accept", "text/html").await.status(200).text();
        assert!(page.contains("cannot be undone") && page.contains(NAME), "{page}");
        let form = "application/x-www-form-urlencoded";
        let refused = ada.post_raw(&path, form, "name=Ava").await.status(400).text();
        assert!(refused.contains("as it stands"), "{refused}");
        ada.post_raw(&path, form, "name=quetzalcoatl+xolotl").await.status(303);
        let page = ada.get_with(&format!("/contacts/{one}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains(&format!("Forgotten person {one}")) && !page.contains(&path), "{page}");

        let cli = app.cli();
        assert!(cli.run_beside(&["forget", "contact", "nobody@acme.example"]).await.code != 0);
        cli.run_beside(&["forget", "contact", "xolotl@acme.example"]).await.code(2);
        cli.run_beside(&["forget", "contact", "xolotl@acme.example", "--dry-run"]).await.code(0);
        assert_eq!(app.service().get(&format!("/api/contacts/{two}")).await.ok()["name"], "Canarytitle Xolotl");
        cli.run_beside(&["forget", "contact", "XOLOTL@acme.example", "--yes"]).await.code(0);
        assert_eq!(left(&app), Vec::<String>::new());
        assert_eq!(app.service().get(&format!("/api/contacts/{two}")).await.ok()["name"], format!("Forgotten person {two}"));
    }
}
