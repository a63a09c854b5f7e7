//! Search over companies, contacts and assets, alike on both engines.

use serde_json::{Value, json};

use crate::support::{App, Engine, both, eventually};

/// Every name in a search answer, whatever it is grouped by.
fn found(body: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut waiting = vec![body];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items.iter().rev()),
            Value::Object(fields) => {
                match fields.get("name").or_else(|| fields.get("hostname")).or_else(|| fields.get("title")) {
                    Some(Value::String(name)) => names.push(name.clone()),
                    _ => waiting.extend(fields.values().rev()),
                }
            }
            _ => {}
        }
    }
    names.sort();
    names
}

both! {
    async fn it_finds_parts_of_words_in_all_three(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Größe & Söhne").await;
        app.company("100002", "100% Organic_Foods").await;
        app.contact("Zoë O'Neill", "zoe.oneill@example.com", &["100001"]).await;
        app.contact("Ava Patel", "ava@example.com", &["100002"]).await;
        app.asset("SRV-GROSSE-01", "100001").await;
        let search = async |q: &str| {
            let q = percent_encoding::utf8_percent_encode(q, percent_encoding::NON_ALPHANUMERIC).to_string();
            found(&app.service().get(&format!("/api/search?q={q}")).await.ok())
        };
        assert_eq!(search("zoe").await, ["Zoë O'Neill"], "accents do not matter");
        assert_eq!(search("ZOË o'n").await, ["Zoë O'Neill"]);
        assert_eq!(search("sohne").await, ["Größe & Söhne"]);
        assert_eq!(search("ROSSE").await, ["Größe & Söhne", "SRV-GROSSE-01"], "ß is ss");
        assert!(search("100002").await.contains(&"100% Organic_Foods".to_owned()), "by account number");
        assert_eq!(search("ava@exam").await, ["Ava Patel"], "by e-mail");
        assert_eq!(search("0% org").await, ["100% Organic_Foods"]);
        assert_eq!(search("%%%").await, Vec::<String>::new());
        assert_eq!(search("___").await, Vec::<String>::new());
        assert_eq!(search("nic_f").await, ["100% Organic_Foods"]);
        assert_eq!(search("\"quoted\" OR *").await, Vec::<String>::new(), "no query language leaks through");
        assert_eq!(search("zo").await, ["Zoë O'Neill"], "two letters: a prefix");
        assert_eq!(search("eill").await, ["Zoë O'Neill"]);
        assert_eq!(search("").await, Vec::<String>::new());
        let long = "x".repeat(201);
        app.service().get(&format!("/api/search?q={long}")).await.status(400);
    }

    async fn what_was_just_written_is_found_before_the_index_knows_it(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.company("100001", "Northwind").await;
        let pending = |app: &App| app.database.number("SELECT count(*) FROM search_pending");
        let search = async |app: &App, q: &str| {
            found(&app.technician().get(&format!("/api/search?q={q}")).await.ok())
        };
        let id = app.contact("Elder Name", "elder@example.com", &["100001"]).await["id"].as_i64().unwrap();
        let path = format!("/api/contacts/{id}");
        for number in 0..30 {
            app.technician().put(&path, &json!({"name": format!("Turned {number:03}")})).await.ok();
            assert_eq!(search(&app, &format!("turned%20{number:03}")).await, [format!("Turned {number:03}")]);
            assert_eq!(search(&app, "elder%20name").await, Vec::<String>::new());
            if number > 0 {
                assert_eq!(search(&app, &format!("turned%20{:03}", number - 1)).await, Vec::<String>::new());
            }
        }
        // Nobody writes any more: the index learns of it, and the answers are the same.
        eventually("the words are put in", 5, || async { pending(&app) == 0 }).await;
        assert_eq!(search(&app, "turned%20029").await, ["Turned 029"]);
        // A process that is killed leaves what it has noted to the next one.
        app.database.execute(&format!("UPDATE contacts SET search_text = ' killed name ' WHERE id = {id}"));
        app.database.execute(&format!("INSERT INTO search_pending (found_in, id) VALUES ('contacts', {id})"));
        app.kill();
        app.start().await;
        assert_eq!(search(&app, "killed%20name").await, ["Turned 029"]);
        assert_eq!(search(&app, "turned%20029").await, Vec::<String>::new());
        if engine.name() == "sqlite" {
            app.company("100002", "Southwind").await;
            eventually("the words of the one before are put in", 5, || async { pending(&app) == 0 }).await;
            assert_eq!(search(&app, "killed%20name").await, ["Turned 029"]);
        }
    }

    async fn many_rows_that_the_index_does_not_know_are_found_and_put_in(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        let crowd: Vec<Value> = (0..150).map(|n| json!({"name": format!("Crowd {n:03}"), "email": format!("c{n}@example.com")})).collect();
        tess.post("/api/contacts", &Value::from(crowd)).await.status(201);
        let pending = |app: &App| app.database.number("SELECT count(*) FROM search_pending");
        eventually("the words are put in", 5, || async { pending(&app) == 0 }).await;
        // As another process leaves them, of which this one has not heard.
        app.database.execute("UPDATE contacts SET search_text = search_text || 'flock ' WHERE name LIKE 'Crowd %'");
        app.database.execute("INSERT INTO search_pending (found_in, id) SELECT 'contacts', id FROM contacts WHERE name LIKE 'Crowd %'");
        let total = async |q: &str| tess.get(&format!("/api/contacts?limit=5&q={q}")).await.status(200).header("x-total-count").to_owned();
        assert_eq!((total("flock").await, total("crowd").await, total("crowd%20014").await), ("150".into(), "150".into(), "1".into()));
        let one = tess.get("/api/contacts?q=flock%20149").await.ok()[0]["id"].clone();
        tess.delete(&format!("/api/contacts/{one}")).await.status(200);
        assert_eq!((total("flock").await, total("crowd%20149").await), ("149".into(), "0".into()));
        if engine.name() == "sqlite" {
            eventually("a search and a change have them put in", 5, || async { pending(&app) == 0 }).await;
            assert_eq!((total("flock").await, total("flock%20014").await), ("149".into(), "1".into()), "by the index alone");
        }
    }

    async fn what_is_renamed_or_retired_is_found_or_not(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Northwind").await;
        let search = async |q: &str| found(&app.service().get(&format!("/api/search?q={q}")).await.ok());
        assert_eq!(search("northwind").await, ["Northwind"]);
        app.admin().put("/api/companies/100001", &json!({"name": "Southwind"})).await.status(200);
        assert_eq!(search("northwind").await, Vec::<String>::new());
        assert_eq!(search("southwind").await, ["Southwind"]);
        app.admin().delete("/api/companies/100001").await.status(200);
        assert_eq!(search("southwind").await, Vec::<String>::new());
    }

    async fn locations_options_and_tags_are_found(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (tess, admin) = (app.technician(), app.admin());
        app.company("1", "Acme").await;
        app.company("2", "Bolt").await;
        for (number, name, address) in [("1", "Warehouse", "7 Harbour Road"), ("2", "Office", "9 Harbour Road")] {
            tess.post(&format!("/api/companies/{number}/locations"), &json!({"name": name, "address": address, "phone_number": "+1 555 0147"})).await.status(201);
        }
        admin.post("/api/feature-options", &json!({"category": "soc", "value": "Harbour watch"})).await.status(201);
        tess.post("/api/tags", &json!({"name": "Harbour", "color": "blue"})).await.status(201);
        let found = tess.get("/api/search?q=harbour&counts=true").await.ok();
        let names = |kind: &str| found[kind].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((names("locations"), names("feature_options"), names("tags")), (vec!["Warehouse".to_owned(), "Office".to_owned()], vec!["Harbour watch".to_owned()], vec!["Harbour".to_owned()]));
        assert_eq!((&found["locations"][0]["company_id"], &found["locations"][0]["company_name"]), (&json!("1"), &json!("Acme")));
        assert_eq!((&found["counts"]["locations"], &found["counts"]["tags"], &found["counts"]["feature_options"]), (&json!(2), &json!(1), &json!(1)));
        assert_eq!(tess.get("/api/search?q=5550147").await.ok()["locations"].as_array().unwrap().len(), 2);
        // Clients find what is theirs.
        let theirs = app.client_of("cleo", "2").await.get("/api/search?q=harbour").await.ok();
        assert_eq!(theirs["locations"].as_array().unwrap().len(), 1, "{theirs}");
        let page = tess.get_with("/search?q=harbour", "accept", "text/html").await.status(200).text();
        assert!(page.contains("Warehouse") && page.contains("/companies/1"), "{page}");
    }

    async fn common_words_give_a_bounded_answer(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        for chunk in 0..6 {
            let rows: Vec<String> = (0..1000).map(|n| format!("('common host {chunk}-{n}', 'x', 'x', 'common host {chunk}-{n}', 'common host {chunk}-{n}')")).collect();
            app.database.execute(&format!("INSERT INTO assets (hostname, created_at, updated_at, hostname_folded, search_text) VALUES {}", rows.join(",")));
        }
        let began = std::time::Instant::now();
        let names = found(&app.service().get("/api/search?q=common").await.ok());
        assert!(names.len() <= 500, "{} results", names.len());
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
