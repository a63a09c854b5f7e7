//! One search key for people and machines: who types a name, a number or an address as they know it finds it.

use serde_json::{Value, json};

use crate::freshservice::{State, department, requester, ticket};
use crate::support::{Api, App, Engine, Pull, both};

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The names in one list of an answer, in its order.
fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    let name = |row: &Value| {
        row.get("name").or_else(|| row.get("hostname")).or_else(|| row.get("subject")).unwrap().as_str().unwrap().to_owned()
    };
    list.iter().map(name).collect()
}

/// What the palette shows of one kind.
async fn hits(api: &Api, kind: &str, text: &str) -> Vec<String> {
    names(&api.get(&format!("/api/search?q={}", encoded(text))).await.ok()[kind])
}

both! {
    async fn people_and_companies_are_found_as_they_are_known(engine: Engine) {
        let app = App::start_on(&engine).await;
        for (number, name) in [
            ("100001", "Hartwell Family Clinic"), ("100002", "Łódź Logistics"), ("100003", "株式会社東京商事"), ("100004", "Bar\u{200b}low\u{ad} Works \u{a0}"),
            ("100005", "Ærø Shipping"), ("100006", "Zulu"), ("100007", "Oslo Optik"), ("100008", "Østfold Bygg"), ("100009", "Aeron Chairs"),
        ] {
            app.company(number, name).await;
        }
        app.admin().put("/api/companies/100001", &json!({"company_main_number": "+49 (30) 123-4567"})).await.status(200);
        let contact = |name: &str, email: &str, phone: &str| json!({"name": name, "email": email, "mobile_phone_number": phone, "company_account_numbers": ["100001"]});
        for body in [contact("Gina D’Angelo", "gina@hartwell.example", "(253) 555-0114"), contact("Łucja Đurđević", "lucja@hartwell.example", "+44 20 7946 0018")] {
            app.admin().post("/api/contacts", &body).await.status(201);
        }
        let api = app.technician();
        for (text, found) in [
            ("hartwell clinic", vec!["Hartwell Family Clinic"]), ("clinic hart", vec!["Hartwell Family Clinic"]), ("Hartwell – Clinic", vec!["Hartwell Family Clinic"]),
            ("+49301234567", vec!["Hartwell Family Clinic"]), ("030 1234567", vec!["Hartwell Family Clinic"]), ("49301234567", vec!["Hartwell Family Clinic"]),
            ("0301234567", vec!["Hartwell Family Clinic"]), ("1234567", vec!["Hartwell Family Clinic"]), ("(30) 123-4567", vec!["Hartwell Family Clinic"]),
            ("Lodz", vec!["Łódź Logistics"]), ("ŁÓDŹ", vec!["Łódź Logistics"]), ("東京", vec!["株式会社東京商事"]), ("商事", vec!["株式会社東京商事"]), ("東", vec!["株式会社東京商事"]),
            ("京東", vec![]), ("barlow works", vec!["Barlow Works"]), ("aero", vec!["Ærø Shipping", "Aeron Chairs"]), ("rø", vec!["Ærø Shipping", "Aeron Chairs"]),
            ("hartwell zulu", vec![]), ("lo gi", vec!["Łódź Logistics"]),
        ] {
            for path in [format!("/api/companies?q={}", encoded(text)), format!("/api/companies?search={}", encoded(text)), format!("/companies/api/search?search={}", encoded(text))] {
                let answer = api.get(&path).await.ok();
                assert_eq!(names(answer.get("companies").unwrap_or(&answer)), found, "{text} at {path}");
            }
            assert_eq!(hits(&api, "companies", text).await, found, "{text} in the palette");
            let hit = &api.get(&format!("/api/search?q={}", encoded(text))).await.ok()["companies"][0];
            let phone = text.bytes().any(|letter| letter.is_ascii_digit()).then_some("+49 (30) 123-4567");
            assert_eq!(hit["phone"].as_str(), phone, "{text} tells the number that it found");
            let page = api.get(&format!("/companies/?q={}", encoded(text))).await.status(200).text();
            let searched = api.get(&format!("/search?q={}", encoded(text))).await.status(200).text();
            for name in &found {
                assert!(page.contains(name) && searched.contains(name), "{text} on the pages");
            }
        }
        for (text, found) in [
            ("D'Angelo", vec!["Gina D’Angelo"]), ("dangelo gina", vec!["Gina D’Angelo"]), ("2535550114", vec!["Gina D’Angelo"]), ("+12535550114", vec!["Gina D’Angelo"]),
            ("5550114", vec!["Gina D’Angelo"]), ("253.555.0114", vec!["Gina D’Angelo"]), ("1 (253) 555 0114", vec!["Gina D’Angelo"]), ("Durdevic", vec!["Łucja Đurđević"]),
            ("lucja durd", vec!["Łucja Đurđević"]), ("02079460018", vec!["Łucja Đurđević"]), ("020 7946 0018", vec!["Łucja Đurđević"]), ("gina hartwell.example", vec!["Gina D’Angelo"]),
        ] {
            for path in [format!("/api/contacts?q={}", encoded(text)), format!("/contacts/api/search?search={}", encoded(text)), format!("/api/companies/100001/contacts?q={}", encoded(text))] {
                let answer = api.get(&path).await.ok();
                assert_eq!(names(answer.get("contacts").unwrap_or(&answer)), found, "{text} at {path}");
            }
            assert_eq!(hits(&api, "contacts", text).await, found, "{text} in the palette");
        }
        let sorted = names(&api.get("/api/companies?sort=name").await.ok());
        assert_eq!(
            sorted,
            ["Ærø Shipping", "Aeron Chairs", "Barlow Works", "Hartwell Family Clinic", "Łódź Logistics", "Oslo Optik", "Østfold Bygg", "Zulu", "株式会社東京商事"],
            "beside their base letters, and cleaned at the door"
        );
    }

    async fn machines_are_found_by_whatever_stands_on_them(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Barlow Works").await;
        app.company("100002", "Ward Clinic").await;
        app.admin().put("/api/companies/100002", &json!({"compliance_level": "hipaa"})).await.status(200);
        let device = |hostname: &str, account: &str| json!({
            "hostname": hostname, "company_account_number": account, "manufacturer": "Dell Inc.", "model": "Latitude 5440", "serial_number": format!("5CG 123-{hostname}"),
            "mac_address": "D8:BB:C1:00:00:11", "int_ip_address": "10.0.1.15", "ext_ip_address": "198.51.100.7", "last_logged_in_user": "BARLOW\\jdoe",
        });
        app.admin().post("/api/assets", &device("BLW-LT-001", "100001")).await.status(201);
        app.admin().post("/api/assets", &device("WARD-LT-9", "100002")).await.status(201);
        app.admin().post("/api/assets", &json!({"hostname": "SALT", "company_account_number": "100001", "serial_number": "SN10.0.1.16"})).await.status(201);
        let token = app.cli().run_beside(&["token", "create", "--service", "brainhair"]).await.success().stdout;
        let uncleared_service = app.with_token(token.trim());
        let (both, open): (&[&str], &[&str]) = (&["BLW-LT-001", "WARD-LT-9"], &["BLW-LT-001"]);
        for (text, found, uncleared) in [
            ("10.0.1.15", both, open), ("10.0.1.15 dell", both, open), ("d8bbc1000011", both, open), ("D8-BB-C1-00-00-11", both, open), ("d8bb.c100.0011", both, open),
            ("d8:bb:c1", both, open), ("jdoe", both, open), ("barlow\\jdoe", both, open), ("198.51.100.", both, open),
            ("dell", both, both), ("latitude dell", both, both), ("blw lt", open, open), ("5cg123blwlt001", open, open), ("5CG-123-BLW-LT-001", open, open),
            ("5cg 123 blw", open, open), ("LT", &["BLW-LT-001", "SALT", "WARD-LT-9"][..], &["BLW-LT-001", "SALT", "WARD-LT-9"][..]), ("w lt", &["WARD-LT-9"][..], &["WARD-LT-9"][..]),
            ("10.0.2", &[][..], &[][..]), ("100115", &[][..], &[][..]),
        ] {
            let path = format!("/api/assets?q={}", encoded(text));
            assert_eq!(names(&app.technician().get(&path).await.ok()), found, "{text}");
            assert_eq!(hits(&app.technician(), "assets", text).await, found, "{text} in the palette");
            // Addresses and people of a protected company's devices are not given away by asking for them.
            assert_eq!(names(&uncleared_service.get(&path).await.ok()), uncleared, "{text} for a service");
            assert_eq!(hits(&uncleared_service, "assets", text).await, uncleared, "{text} in a service's search");
            assert_eq!(names(&app.billing().get(&path).await.ok()), uncleared, "{text} for billing");
            let table = app.technician().get(&format!("/assets/api/search?search={}", encoded(text))).await.ok();
            assert_eq!(names(&table["assets"]), found, "{text} in the page's table");
        }
        let client = app.client_of("casey", "100002").await;
        assert_eq!(names(&client.get("/api/assets?q=ward").await.ok()), ["WARD-LT-9"]);
        assert_eq!(names(&client.get("/api/assets?q=jdoe").await.ok()), ["WARD-LT-9"], "a client finds by what their own device shows them");
        // What is seen from hour to hour moves the key, and nothing else.
        let id = app.technician().get("/api/assets?q=blw").await.ok()[0]["id"].clone();
        app.admin().put(&format!("/api/assets/{id}"), &json!({"int_ip_address": "10.0.2.99", "mac_address": "D8:BB:C1:00:00:22"})).await.status(200);
        assert_eq!(names(&app.technician().get("/api/assets?q=10.0.2.99").await.ok()), open);
        assert_eq!(names(&app.technician().get("/api/assets?q=d8bbc1000022%20blw").await.ok()), open);
        assert_eq!(names(&app.technician().get("/api/assets?q=10.0.1.15").await.ok()), ["WARD-LT-9"]);
    }

    async fn tickets_are_found_by_their_number(engine: Engine) {
        const COMPANY: i64 = 21_000_100_001;
        let mut world = State {
            departments: vec![department(COMPANY, "Barlow Works", Some(204_001))],
            requesters: vec![requester(21_000_300_001, "Zoë", Some("Łaska"), Some("zoe@barlow.example"), &[COMPANY])],
            ..State::default()
        };
        let now = jiff::Timestamp::now().as_second();
        // Those with a longer number are newer: the one that is asked for still comes first.
        world.tickets = [12, 4220, 42_201, 14_220, 112].into_iter().map(|id| ticket(id, 21_000_300_001, Some(COMPANY), 2, now - 1_000_000 + id)).collect();
        for (place, kind) in ["Service Request", "Incident", "Incident", "Incident", "Incident"].into_iter().enumerate() {
            world.tickets[place]["type"] = json!(kind);
            world.tickets[place]["subject"] = json!(format!("Größere Störung {}", world.tickets[place]["id"]));
        }
        let pull = Pull::pulled(&engine, world).await;
        pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let api = pull.app.technician();
        for (text, found) in [
            ("#4220", vec![4220]), ("INC-4220", vec![4220]), ("inc 4220", vec![4220]), ("#12", vec![12]), ("SR-12", vec![12]), ("INC-12", vec![12]), ("#122", vec![]), ("SR-112", vec![112]),
            ("grossere #12", vec![12]), ("störung laska 12", vec![12, 112]),
        ] {
            let numbers = |list: &Value| list.as_array().unwrap().iter().map(|ticket| ticket["id"].as_i64().unwrap()).collect::<Vec<_>>();
            let mut listed = numbers(&api.get(&format!("/api/tickets?q={}", encoded(text))).await.ok()["tickets"]);
            listed.sort_unstable();
            assert_eq!(listed, found, "{text}");
            let mut searched = numbers(&api.get(&format!("/api/search?q={}", encoded(text))).await.ok()["tickets"]);
            searched.sort_unstable();
            assert_eq!(searched, found, "{text} in the palette");
        }
        for text in ["4220", "#4220"] {
            let first = api.get(&format!("/api/search?q={}&limit=1", encoded(text))).await.ok();
            assert_eq!(first["tickets"][0]["id"], 4220, "{text}");
            let page = api.get(&format!("/search?q={}", encoded(text))).await.status(200).text();
            assert!(page.contains("Störung 4220"), "{text}");
        }
    }

    async fn a_change_of_keys_reaches_what_is_stored(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.company("100001", "Łódź Logistics").await;
        app.contact("Øystein Þór", "oystein@lodz.example", &["100001"]).await;
        app.admin().post("/api/assets", &json!({"hostname": "LT-1", "company_account_number": "100001", "int_ip_address": "10.0.1.15"})).await.status(201);
        app.stop().await;
        // As an earlier version left it: keys of another making, and nothing in the index.
        app.database.execute("UPDATE companies SET name_folded = 'łodz logistics', search_text = 'łodz logistics'");
        app.database.execute("UPDATE contacts SET name_folded = 'øystein þor', search_text = 'øystein'");
        app.database.execute("UPDATE assets SET search_text = '', private_text = ''");
        app.database.execute("UPDATE settings SET value = '1' WHERE name = 'search_keys'");
        if engine.name() == "sqlite" {
            for table in ["companies", "contacts", "assets"] {
                app.database.execute(&format!("DELETE FROM {table}_fts"));
            }
        }
        let before = app.database.number("SELECT count(*) FROM changes");
        app.start().await;
        let api = app.technician();
        assert_eq!(hits(&api, "companies", "lodz").await, ["Łódź Logistics"]);
        assert_eq!(hits(&api, "contacts", "thor oyst").await, ["Øystein Þór"]);
        assert_eq!(hits(&api, "assets", "10.0.1.15 lt").await, ["LT-1"]);
        assert_eq!(app.database.number("SELECT count(*) FROM changes"), before, "no history of what nobody sees");
        assert_eq!(app.database.texts("SELECT name_folded FROM contacts"), ["oystein thor"]);
    }

    async fn what_cannot_be_seen_is_taken_away_at_every_door(engine: Engine) {
        const COMPANY: i64 = 21_000_100_001;
        let mut odd = requester(21_000_300_001, "\u{200b}Ada\u{ad}", Some(" Love\u{202e}lace\u{7}\u{a0}"), Some("ada@barlow.example"), &[COMPANY]);
        odd["job_title"] = json!("\u{feff}Head of\u{200b} R&D ");
        let world = State { departments: vec![department(COMPANY, "Bar\u{200b}low \u{2060}Works\u{feff}", Some(204_001))], requesters: vec![odd], ..State::default() };
        let pull = Pull::pulled(&engine, world).await;
        let app = &pull.app;
        let contact = pull.contact_of("ada@barlow.example").await.unwrap();
        assert_eq!((&contact["name"], &contact["job_title"]), (&json!("Ada Lovelace"), &json!("Head of R&D")));
        assert_eq!(app.technician().get("/api/companies/204001").await.ok()["name"], "Barlow Works");
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head, "cleaning is no change that comes back");
        let made = app.admin().post("/api/contacts", &json!({"name": "Gr\u{ad}ace\u{200d} Hopper\u{feff}\t", "email": "grace@barlow.example", "company_account_numbers": ["204001"]})).await.status(201).json();
        assert_eq!(made["name"], "Grace Hopper");
        let form = "name=Grace%E2%80%8B%20M.%20Hopper%C2%A0&email=grace%40barlow.example";
        let id = &made["id"];
        app.admin().send(reqwest::Method::PUT, &format!("/api/contacts/{id}"), |request| {
            request.header("content-type", "application/x-www-form-urlencoded").body(form)
        }).await.status(200);
        assert_eq!(app.technician().get(&format!("/api/contacts/{id}")).await.ok()["name"], "Grace M. Hopper");
    }

    async fn every_answer_takes_the_shape_that_is_asked_for(engine: Engine) {
        const COMPANY: i64 = 21_000_100_001;
        let mut world = State {
            departments: vec![department(COMPANY, "Barlow Works", Some(204_001))],
            requesters: vec![requester(21_000_300_001, "Ada", Some("Lovelace"), Some("ada@barlow.example"), &[COMPANY])],
            ..State::default()
        };
        let now = jiff::Timestamp::now().as_second();
        world.tickets = (1..=3).map(|id| ticket(id, 21_000_300_001, Some(COMPANY), 2, now - 100 + id)).collect();
        let pull = Pull::pulled(&engine, world).await;
        let app = &pull.app;
        app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let asset = app.admin().post("/api/assets", &json!({"hostname": "LT-1", "company_account_number": "204001"})).await.status(201).json()["id"].clone();
        let contact = pull.contact_of("ada@barlow.example").await.unwrap()["id"].clone();
        let api = app.admin();
        // The object around the tickets stays, its rows have what was asked for.
        let plain = api.get("/api/tickets?limit=2").await.status(200);
        assert_eq!((plain.header("x-total-count"), plain.header("link").contains("rel=\"next\"")), ("3", true));
        let some = api.get("/api/tickets?limit=2&fields=id,status").await.status(200);
        assert_eq!((some.header("x-total-count"), some.header("link").contains("rel=\"last\"")), ("3", true));
        assert_eq!(some.json(), json!({"count": 2, "tickets": [{"id": 3, "status": "open"}, {"id": 2, "status": "open"}], "total": 3, "offset": 0, "limit": 2}));
        assert_ne!(some.header("etag"), plain.header("etag"), "another shape is another answer");
        api.get_with("/api/tickets?limit=2&fields=id,status", "if-none-match", some.header("etag")).await.status(304);
        // Single records.
        for (path, fields, record) in [
            ("/api/companies/204001".to_owned(), "account_number,name", json!({"account_number": "204001", "name": "Barlow Works"})),
            ("/api/company/204001".to_owned(), "name", json!({"name": "Barlow Works"})),
            (format!("/api/contacts/{contact}"), "name,email", json!({"name": "Ada Lovelace", "email": "ada@barlow.example"})),
            (format!("/api/assets/{asset}"), "hostname", json!({"hostname": "LT-1"})),
            (format!("/api/datto/device/device-{asset}"), "hostname,life", json!({"hostname": "LT-1", "life": null})),
            ("/api/ticket/3".to_owned(), "id,status", json!({"id": 3, "status": "open"})),
        ] {
            let whole = api.get(&path).await.status(200);
            let part = api.get(&format!("{path}?fields={fields}")).await.status(200);
            let names: Vec<String> = part.json().as_object().unwrap().keys().cloned().collect();
            assert_eq!(names.join(","), fields, "{path}");
            if !fields.contains("life") {
                assert_eq!(part.json(), record, "{path}");
            }
            assert!(part.header("etag") != whole.header("etag") || whole.header("etag").is_empty(), "{path}");
            let csv = api.get(&format!("{path}?fields={fields}&format=csv")).await.status(200);
            assert!(csv.header("content-type").starts_with("text/csv") && csv.text().starts_with(&format!("{fields}\n")), "{path}: {}", csv.text());
            assert!(api.get(&format!("{path}?fields=nothing")).await.status(400).error().contains("there is no nothing"), "{path}");
        }
        // Every list there is.
        for (path, field, count) in [
            ("/api/companies", "name", "1"), ("/api/contacts", "name", "1"), ("/api/assets", "hostname", "1"), ("/api/tickets", "id", "3"),
            ("/api/companies/204001/tickets", "ticket_id", "3"), ("/api/companies/204001/contacts", "name", "1"), ("/api/companies/204001/assets", "hostname", "1"),
            ("/api/freshservice/tickets", "requester", "3"), ("/api/psa/tickets", "updated_at", "3"), ("/api/psa/tickets/active", "id", "3"), ("/api/datto/devices", "hostname", "1"),
            ("/companies/api/search", "name", "1"), ("/contacts/api/search", "name", "1"), ("/assets/api/search", "hostname", "1"), ("/api/changes", "seq", ""),
            ("/api/tickets/active", "id", "3"), ("/api/users", "username", ""), ("/api/search?q=barlow", "name", "5"),
        ] {
            let mark = if path.contains('?') { '&' } else { '?' };
            let part = api.get(&format!("{path}{mark}fields={field}")).await.status(200);
            if !count.is_empty() {
                assert_eq!(part.header("x-total-count"), count, "{path}");
            }
            let csv = api.get(&format!("{path}{mark}fields={field}&format=csv")).await.status(200);
            assert!(csv.header("content-type").starts_with("text/csv"), "{path}");
            assert_eq!(csv.text().lines().next(), Some(field), "{path}: {}", csv.text());
            assert!(csv.text().lines().count() > 1, "{path}");
            let accepted = api.get_with(path, "accept", "text/csv").await.status(200);
            assert!(accepted.header("content-type").starts_with("text/csv"), "{path} by what is accepted");
            assert!(api.get(&format!("{path}{mark}fields=nothing")).await.status(400).error().contains("there is no nothing"), "{path}");
        }
        let csv = api.get("/api/psa/tickets?format=csv").await.status(200).text();
        assert!(csv.starts_with("id,external_id,source,") && csv.contains(",total_hours\n"), "its own members: {csv}");
        // A time that nobody serves is no question about now.
        for path in ["/api/tickets/active", "/api/companies/bulk", "/api/psa/agents", "/api/search?q=x", "/companies/api/search", "/api/sync/plans"] {
            let mark = if path.contains('?') { '&' } else { '?' };
            let reply = api.get(&format!("{path}{mark}as_of=2026-01-01")).await.status(400);
            assert!(reply.error().contains("as_of") && reply.error().contains("not served"), "{path}: {}", reply.text());
        }
        for path in ["/companies/", "/companies/204001", "/", "/tickets/3"] {
            let page = api.get_with(&format!("{path}?as_of=2026-01-01"), "accept", "text/html").await.status(400);
            assert!(page.text().contains("as_of") && page.header("content-type").starts_with("text/html"), "{path}");
        }
    }

    async fn csv_is_exact_for_programs_and_safe_for_people(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "=HYPERLINK(\"http://evil.example\")").await;
        let phones = ["+49 (30) 123-4567", "+12535550114", "+1 555 010 0199 ext. 123"];
        for (place, (name, phone)) in [("＝1+1", phones[0]), ("x;=1+1", phones[1]), ("O'Neill", phones[2])].into_iter().enumerate() {
            let body = json!({"name": name, "email": format!("c{place}@example.com"), "mobile_phone_number": phone, "company_account_numbers": ["100001"]});
            app.admin().post("/api/contacts", &body).await.status(201);
        }
        let read = async |path: &str| {
            let text = app.technician().get(path).await.status(200).text();
            let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
            let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            (text.starts_with('\u{feff}'), rows)
        };
        let (mark, rows) = read("/api/contacts?format=csv&fields=name,mobile_phone_number&sort=id").await;
        assert!(!mark, "programs get no mark");
        assert_eq!(rows, [["'＝1+1", phones[0]], ["x;'=1+1", phones[1]], ["O'Neill", phones[2]]]);
        let (mark, rows) = read("/api/contacts?format=csv&for=excel&fields=name,mobile_phone_number&sort=id").await;
        assert!(mark, "people do");
        let guarded = phones.map(|phone| format!("'{phone}"));
        assert_eq!(rows, [["'＝1+1", &guarded[0]], ["x;'=1+1", &guarded[1]], ["O'Neill", &guarded[2]]]);
        let (mark, rows) = read("/companies/api/search?format=csv&for=excel&fields=name").await;
        assert_eq!((mark, rows[0][0].as_str()), (true, "'=HYPERLINK(\"http://evil.example\")"), "lists of other makes too");
        app.technician().get("/api/contacts?format=csv&for=word").await.status(400);
        let page = app.technician().get("/contacts/").await.status(200).text();
        assert!(page.contains("for=excel"), "the button on the page is for people");
    }

    async fn links_reach_whom_they_name_and_nobody_else(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Barlow Works").await;
        let body = json!({
            "name": "Ada", "email": "a?bcc=x@y.example", "mobile_phone_number": "+1 555 010 0199 ext. 123", "work_phone_number": "ask Max", "company_account_numbers": ["100001"],
        });
        let id = app.admin().post("/api/contacts", &body).await.status(201).json()["id"].clone();
        app.admin().put("/api/companies/100001", &json!({"company_main_number": "+1 (555) 010-0100 x7"})).await.status(200);
        let list = app.technician().get("/contacts/?col=name&col=email&col=mobile_phone_number&col=work_phone_number").await.status(200).text();
        for page in [list, app.technician().get(&format!("/contacts/{id}")).await.status(200).text()] {
            assert!(page.contains("href=\"mailto:a%3Fbcc%3Dx@y.example\"") && !page.contains("mailto:a?"), "{page}");
            assert!(page.contains("href=\"tel:+15550100199\"") && page.contains("ext. 123"), "{page}");
            assert!(page.contains("ask Max") && !page.contains("href=\"tel:\""), "what is no number is no link");
        }
        let page = app.technician().get("/companies/100001").await.status(200).text();
        assert!(page.contains("href=\"tel:+15550100100\""), "{page}");
    }

    async fn pages_obey_every_filter_and_say_so(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Barlow Works").await;
        app.admin().put("/api/companies/100001", &json!({"email_system": "Microsoft 365"})).await.status(200);
        app.company("100002", "Ward Clinic").await;
        app.contact("Ada Lovelace", "ada@barlow.example", &["100001"]).await;
        app.contact("Wes Ward", "wes@ward.example", &["100002"]).await;
        let device = |hostname: &str, account: &str, warranty: Option<&str>| json!({"hostname": hostname, "company_account_number": account, "warranty_expires": warranty, "manufacturer": "Dell"});
        app.admin().post("/api/assets", &device("LT-NONE", "100001", None)).await.status(201);
        app.admin().post("/api/assets", &device("LT-SOME", "100002", Some("2027-03-01"))).await.status(201);
        for (path, api, shown, hidden, chip, without) in [
            ("/assets/?warranty_expires__empty=true", "/api/assets?warranty_expires__empty=true", "LT-NONE", "LT-SOME", "Warranty ends: none", "/assets/"),
            ("/assets/?warranty_expires__empty=false", "/api/assets?warranty_expires__empty=false", "LT-SOME", "LT-NONE", "Warranty ends: any", "/assets/"),
            ("/assets/?warranty_expires__gte=2027-01-01&q=lt", "/api/assets?warranty_expires__gte=2027-01-01&q=lt", "LT-SOME", "LT-NONE", "Warranty ends from 2027-01-01", "/assets/?q=lt"),
            ("/assets/?company_account_number=100001", "/api/assets?company_account_number=100001", "LT-NONE", "LT-SOME", "Company account number: 100001", "/assets/"),
            ("/assets/?status__in=active,spare&company_name__ic=ward", "/api/assets?status__in=active,spare&company_name__ic=ward", "LT-SOME", "LT-NONE", "Status: active or spare", "/assets/?company_name__ic=ward"),
            ("/companies/?email_system__empty=true", "/api/companies?email_system__empty=true", "Ward Clinic", "Barlow Works", "E-mail system: none", "/companies/"),
            ("/contacts/?email=ada%40barlow.example", "/api/contacts?email=ada%40barlow.example", "Ada Lovelace", "Wes Ward", "E-mail: ada@barlow.example", "/contacts/"),
            ("/contacts/?search=wes", "/api/contacts?search=wes", "Wes Ward", "Ada Lovelace", "", ""),
        ] {
            let listed = names(&app.technician().get(api).await.ok());
            assert_eq!(listed, [shown], "{api}");
            let page = app.technician().get(path).await.status(200).text();
            let table = page.split("<tbody>").nth(1).unwrap_or_else(|| panic!("{path} lists nothing"));
            assert!(table.contains(shown) && !table.contains(hidden), "{path}");
            if chip.is_empty() {
                assert!(page.contains("name=\"q\" value=\"wes\""), "the old name of the search fills its field");
                continue;
            }
            assert!(page.contains(&format!("aria-label=\"Remove filter {chip}\"")), "{path} shows {chip}");
            assert!(page.contains(&format!("<a class=\"chip\" href=\"{without}\" aria-label=\"Remove filter {chip}\"")), "{path} without {chip}");
            // Who goes on to search keeps it.
            let (name, value) = path.split(['?', '&']).nth(1).unwrap().split_once('=').unwrap();
            assert!(page.contains(&format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", value.replace("%40", "@"))), "{path} keeps its filter");
        }
    }
}
