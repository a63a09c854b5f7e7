//! What people type into forms: only what they changed is read, checked, stored and pinned.

use reqwest::Method;
use serde_json::{Value, json};

use crate::freshservice::{State, department, requester};
use crate::support::{Api, App, Engine, Pull, Reply, both};

/// A form as a browser fills it in and sends it.
pub struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The record form of a page.
    pub async fn open(api: &Api, path: &str) -> Self {
        let page = api.get_with(path, "accept", "text/html").await.status(200).text();
        Self::read(&page)
    }

    fn read(page: &str) -> Self {
        let form = page.split("<form").find(|part| part.contains("data-form")).expect("a record's form");
        let form = form.split("</form>").next().unwrap();
        let mut fields = Vec::new();
        let mut rest = form;
        while let Some(at) = rest.find('<') {
            rest = &rest[at..];
            let end = rest.find('>').unwrap();
            let (tag, after) = (&rest[..end], &rest[end + 1..]);
            let name = attribute(tag, "name");
            match tag.split_whitespace().next().unwrap() {
                "<input" => {
                    let value = attribute(tag, "value").unwrap_or_default();
                    let kind = attribute(tag, "type").unwrap_or_default();
                    // What a browser cannot show in such an input, it sends back empty.
                    let shown = kind != "date" || value.len() == 10 && value.as_bytes()[4] == b'-';
                    if kind != "checkbox" || tag.contains(" checked") {
                        fields.push((name.unwrap(), if shown { value } else { String::new() }));
                    }
                }
                "<textarea" => {
                    fields.push((name.unwrap(), unescape(after.split("</textarea>").next().unwrap().strip_prefix('\n').unwrap())))
                }
                "<select" => {
                    let options: Vec<&str> = after.split("</select>").next().unwrap().split("<option").skip(1).collect();
                    let chosen =
                        options.iter().find(|option| option.contains(" selected")).or(options.first()).expect("an option");
                    fields.push((name.unwrap(), attribute(chosen, "value").unwrap_or_default()));
                }
                _ => {}
            }
            rest = after;
        }
        Self { action: attribute(form, "action").expect("an action"), fields }
    }

    fn value(&self, name: &str) -> &str {
        &self.fields.iter().rev().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no field {name}")).1
    }

    /// Whether it has this field.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// The same with another value typed.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().rev().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no field {name}"));
        value.clone_into(&mut field.1);
        self
    }

    /// Presses its button.
    pub async fn send(&self, api: &Api) -> Reply {
        api.send(Method::POST, &self.action, |request| request.header("accept", "text/html").form(&self.fields)).await
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[at..].find('"').map(|end| unescape(&tag[at..at + end]))
}

fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#60;", "<"),
        ("&#62;", ">"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A vendor's records that today's rules would refuse.
fn awkward() -> State {
    let mut acme = department(21_001, "Acme Dental", Some(204_729));
    acme["custom_fields"]["contract_start_date"] = json!("15/01/2024");
    acme["custom_fields"]["contract_term"] = json!("3 years");
    let mut noah = requester(39_002, "Noah", Some("Bell"), Some("n/a"), &[21_001]);
    noah["job_title"] = json!("x".repeat(400));
    State {
        departments: vec![acme],
        requesters: vec![noah, requester(39_003, "Mia", Some("Moreau"), None, &[21_001])],
        ..State::default()
    }
}

async fn pins(app: &App, entity: &str, id: &Value) -> Value {
    app.admin().get(&format!("/api/pins/{entity}/{id}")).await.ok()
}

both! {
    async fn an_edit_beside_a_value_that_the_rules_would_refuse_changes_itself_alone(engine: Engine) {
        let pull = Pull::pulled(&engine, awkward()).await;
        let tess = pull.app.technician();
        let before = pull.company_of(21_001).await.expect("Acme");
        let form = Form::open(&tess, "/companies/204729/edit").await;
        form.set("description", "Two floors").send(&tess).await.status(303);
        let after = pull.company_of(21_001).await.expect("Acme");
        for (field, value) in before.as_object().unwrap() {
            if !["description", "rev", "updated_at"].contains(&field.as_str()) {
                assert_eq!(&after[field], value, "{field}");
            }
        }
        assert_eq!((&after["description"], pins(&pull.app, "company", &after["id"]).await), (&json!("Two floors"), json!(["description"])));

        let contacts = pull.contacts().await;
        let find = |name: &str| contacts.iter().find(|contact| contact["name"] == name).cloned().unwrap_or_else(|| panic!("{name}"));
        let (noah, mia) = (find("Noah Bell"), find("Mia Moreau"));
        for person in [&noah, &mia] {
            let form = Form::open(&tess, &format!("/contacts/{}/edit", person["id"])).await;
            form.set("mobile_phone_number", "+1 555 0199").send(&tess).await.status(303);
            let now = tess.get(&format!("/api/contacts/{}", person["id"])).await.ok();
            assert_eq!((&now["email"], &now["job_title"], &now["name"]), (&person["email"], &person["job_title"], &person["name"]));
            assert_eq!(pins(&pull.app, "contact", &person["id"]).await, json!(["mobile_phone_number"]));
        }
        let form = Form::open(&tess, &format!("/contacts/{}/edit", mia["id"])).await;
        form.set("last_name", "Martin").send(&tess).await.status(303);
        assert_eq!(tess.get(&format!("/api/contacts/{}", mia["id"])).await.ok()["name"], "Mia Martin", "a composed name follows its parts");

        // The next pull still heals what nobody has edited.
        pull.vendor.world(|state| state.change(21_001, |acme| acme["custom_fields"]["contract_start_date"] = json!("2024-01-15")));
        pull.run(&[]).await.code(0);
        let healed = pull.company_of(21_001).await.expect("Acme");
        assert_eq!((&healed["contract_start_date"], &healed["description"]), (&json!("2024-01-15"), &json!("Two floors")));
    }

    async fn a_record_sent_back_as_it_was_shown_changes_nothing(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let contact = app.contact("Ava", "ava@example.com", &["100001"]).await["id"].clone();
        let asset = app.asset("LT-1", "100001").await["id"].clone();
        // As a vendor once said, and as today's rules refuse.
        for statement in [
            "UPDATE companies SET datto_portal_url = 'somewhere', contract_start_date = '15/01/2024' WHERE account_number = '100001'",
            "UPDATE contacts SET email = 'n/a'",
            "UPDATE assets SET portal_url = 'javascript:alert(1)', warranty_expires = 'soon'",
        ] {
            app.database.execute(statement);
        }
        let staff = app.technician();
        for (path, field) in [
            ("/api/companies/100001".to_owned(), "description"),
            (format!("/api/contacts/{contact}"), "background_information"),
            (format!("/api/assets/{asset}"), "description"),
        ] {
            let shown = staff.get(&path).await.ok();
            let mut sent = shown.clone();
            sent[field] = json!("changed");
            staff.put(&path, &sent).await.ok();
            let mut now = staff.get(&path).await.ok();
            assert_eq!(now[field], "changed", "{path}");
            for moved in [field, "rev", "updated_at"] {
                now[moved] = shown[moved].clone();
            }
            assert_eq!(now, shown, "{path}");
            let refused = staff.put(&path, &json!({"datto_portal_url": "elsewhere", "email": "neither", "portal_url": "javascript:alert(2)"})).await;
            refused.status(400);
        }
    }

    async fn a_form_sent_back_untouched_changes_nothing(engine: Engine) {
        let app = App::start_on(&engine).await;
        let acme = app.company("100001", "Acme & Sons \"Dental\"").await;
        let body = json!({"description": "one\r\n\r\ntwo", "domains": ["a.example", "b.example"], "parent_id": Value::Null, "contract_term": "18 months", "life_quiet_days": 20});
        app.admin().put("/api/companies/100001", &body).await.status(200);
        let ava = app.contact("Ava Patel", "ava@acme.example", &["100001"]).await;
        app.admin().put(&format!("/api/contacts/{}", ava["id"]), &json!({"vip_user": true, "secondary_emails": ["x@acme.example"], "employment_type": "Volunteer"})).await.status(200);
        let asset = app.asset("LT-1", "100001").await;
        let tess = app.technician();
        let paths = [
            ("company", &acme["id"], "/companies/100001/edit".to_owned()),
            ("contact", &ava["id"], format!("/contacts/{}/edit", ava["id"])),
            ("asset", &asset["id"], format!("/assets/{}/edit", asset["id"])),
        ];
        for (entity, id, path) in paths {
            let before = tess.get(&format!("/api/history/{entity}/{id}")).await.ok();
            Form::open(&tess, &path).await.send(&tess).await.status(303);
            assert_eq!(tess.get(&format!("/api/history/{entity}/{id}")).await.ok(), before, "{path}");
        }
    }

    async fn a_section_is_edited_by_itself(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        app.admin().put("/api/companies/100001", &json!({"description": "Dentists", "phone": "+1 555 0100"})).await.status(200);
        let tess = app.technician();
        let page = tess.get_with("/companies/100001", "accept", "text/html").await.status(200).text();
        let before_each: Vec<&str> = page.split(" data-section").collect();
        let link = |part: &&str| attribute(&part[part.rfind("<a ").unwrap()..], "href").unwrap();
        let sections: Vec<String> = before_each[..before_each.len() - 1].iter().map(link).collect();
        assert!(sections.len() > 1, "{page}");
        let whole = Form::open(&tess, "/companies/100001/edit").await;
        let before = tess.get("/api/companies/100001").await.ok();
        for href in &sections {
            let (address, anchor) = href.split_once('#').unwrap();
            let section = Form::open(&tess, address).await;
            assert!(section.fields.len() < whole.fields.len(), "{href}");
            let saved = section.send(&tess).await.status(303);
            assert!(saved.header("location").ends_with(&format!("/companies/100001#{anchor}")), "{href}: {}", saved.header("location"));
        }
        assert_eq!(tess.get("/api/companies/100001").await.ok(), before, "what was sent back untouched changes nothing");
        // What names no section is the whole form.
        assert_eq!(Form::open(&tess, "/companies/100001/edit?section=nothing").await.fields.len(), whole.fields.len());
    }

    async fn the_defaults_of_the_forms_for_new_records_are_accepted(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let tess = app.technician();
        let form = Form::open(&tess, "/contacts/new?company=100001").await;
        assert_eq!(form.value("employment_type"), "Full Time");
        let sent = form.set("name", "Door Phone").set("work_phone_number", "+1 555 0100").send(&tess).await.status(303);
        let contact = tess.get(&format!("/api{}", sent.header("location"))).await.ok();
        assert_eq!((&contact["name"], &contact["email"], &contact["employment_type"]), (&json!("Door Phone"), &json!(""), &json!("Full Time")));
        Form::open(&tess, &format!("{}/edit", sent.header("location"))).await.set("job_title", "Lobby").set("employment_type", "").send(&tess).await.status(303);
        let contact = tess.get(&format!("/api{}", sent.header("location"))).await.ok();
        assert_eq!((&contact["job_title"], &contact["employment_type"]), (&json!("Lobby"), &json!("Full Time")));
        Form::open(&tess, "/assets/new?company=100001").await.set("hostname", "LT-1").send(&tess).await.status(303);
        Form::open(&tess, "/companies/new").await.set("name", "Beta").send(&tess).await.status(303);

        let made = app.service().post("/api/contacts", &json!({"name": "No Mail", "company_id": "100001"})).await.status(201).json();
        assert_eq!(made["email"], "");
        app.service().post("/api/contacts", &json!({"name": "No Mail Either", "email": "", "company_id": "100001"})).await.status(201);
        app.service().put(&format!("/api/contacts/{}", made["id"]), &json!({"title": "Guard"})).await.status(200);
    }

    async fn a_second_record_of_the_same_name_asks_first(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let (ava, laptop) = (app.contact("Ava Patel", "ava@acme.example", &["100001"]).await, app.asset("LT-1", "100001").await);
        let tess = app.technician();
        let cases = [
            ("/companies/new", "name", "ACMÉ ", "/companies/100001".to_owned()),
            ("/contacts/new?company=100001", "name", "ava patel", format!("/contacts/{}", ava["id"])),
            ("/assets/new?company=100001", "hostname", "lt-1", format!("/assets/{}", laptop["id"])),
        ];
        for (path, field, name, other) in cases {
            let asked = Form::open(&tess, path).await.set(field, name).send(&tess).await.status(409).text();
            assert!(asked.contains("exists already") || asked.contains("already: "), "{path}: {asked}");
            assert!(asked.contains(&format!("href=\"{other}\"")), "{path} shows the other: {asked}");
            let again = Form::read(&asked);
            again.send(&tess).await.status(303);
        }
        assert_eq!(tess.get("/api/companies?q=acme").await.ok().as_array().unwrap().len(), 2);
    }

    async fn the_address_of_a_refused_form_leads_back_to_its_page(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let ada = app.admin();
        ada.send(Method::POST, "/companies/100001/locations/add", |request| request.form(&[("name", "")])).await.status(400);
        let mut tried = 0;
        for route in codex::app::route_table() {
            let page = !route.path.starts_with("/api") && !["/sync/", "/webhooks/"].iter().any(|start| route.path.starts_with(start));
            let json = ["/service-token", "/companies/{acct}/locations", "/oidc/backchannel-logout"].contains(&route.path);
            if route.method != "POST" || !page || json {
                continue;
            }
            let filled = route.path.replace("{acct}", "100001").replace("{entity}", "company").replace("{job}", "tickets").replace("{system}", "datto");
            let filled = ["{id}", "{seq}", "{contact}"].iter().fold(filled, |path, name| path.replace(name, "1"));
            let reply = ada.get_with(&filled, "accept", "text/html").await;
            assert_ne!(reply.status, 405, "GET {filled}");
            if reply.status == 303 {
                let to = reply.header("location").to_owned();
                assert!(!to.contains('{'), "GET {filled} leads to {to}");
                assert_ne!(ada.get_with(&to, "accept", "text/html").await.status, 405, "GET {filled} leads to {to}");
            }
            tried += 1;
        }
        assert!(tried > 30, "only {tried} forms were tried");
        let reply = app.with_token("").get_with("/codex/companies/100001/retire", "accept", "text/html").await;
        assert!(reply.status == 303 || reply.status == 401, "{}", reply.status);
        assert_eq!(ada.get_with("/codex/companies/100001/retire", "accept", "text/html").await.status(303).header("location"), "/codex/companies/100001");
    }

    async fn a_number_is_an_id_and_text_an_account_number(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ids: Vec<i64> = three(&app).await;
        // A company whose account number is another one's id.
        let other = ids[0].to_string();
        app.company(&other, "Number of another").await;
        let admin = app.admin();
        let child = admin.put("/api/companies/100002", &json!({"parent_id": ids[0]})).await.status(200).json();
        assert_eq!(child["parent_id"], ids[0], "an integer is an id");
        let by_number = admin.put("/api/companies/100003", &json!({"parent_id": other})).await.status(200).json();
        assert_ne!(by_number["parent_id"], ids[0], "text is an account number");
        let asset = admin.post("/api/assets", &json!({"hostname": "A", "company_id": ids[0]})).await.status(201).json();
        assert_eq!(asset["company_account_number"], "100001");
        let asset_by_number = admin.post("/api/assets", &json!({"hostname": "B", "company_id": other})).await.status(201).json();
        assert_eq!(asset_by_number["company_account_number"], other);
        for (company, account) in [(json!(ids[0]), "100001"), (json!(other), other.as_str())] {
            let made = admin.post("/api/contacts", &json!({"name": "P", "company_id": company})).await.status(201).json();
            assert_eq!(made["company_account_numbers"], json!([account]));
            let made = admin.post("/api/contacts", &json!({"name": "Q", "companies": [{"company_id": company}]})).await.status(201).json();
            assert_eq!(made["company_account_numbers"], json!([account]));
        }
        // What was read can be sent back.
        for (path, entity, id) in [
            ("/api/companies/100002".to_owned(), "company", child["id"].clone()),
            (format!("/api/assets/{}", asset["id"]), "asset", asset["id"].clone()),
            ("/api/contacts/1".to_owned(), "contact", json!(1)),
        ] {
            let body = admin.get(&path).await.ok();
            let before = admin.get(&format!("/api/history/{entity}/{id}")).await.ok();
            admin.put(&path, &body).await.status(200);
            assert_eq!(admin.get(&format!("/api/history/{entity}/{id}")).await.ok(), before, "{path}");
            assert_eq!(admin.get(&path).await.ok(), body, "{path}");
        }
    }

    async fn numbers_and_texts_are_taken_as_what_they_say(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let tess = app.technician();
        let sent = json!({"head_user_id": "21000500017", "prime_user_id": "", "managed_users": 5, "managed_devices": 12});
        tess.put("/companies/100001/update", &sent).await.status(200);
        let company = tess.get("/api/companies/100001").await.ok();
        assert_eq!((&company["head_user_id"], &company["prime_user_id"]), (&json!(21_000_500_017_i64), &json!(null)));
        assert_eq!((&company["managed_users"], &company["managed_devices"]), (&json!("5"), &json!("12")));
        tess.put("/companies/100001/update", &json!({"head_user_id": "", "managed_users": ""})).await.status(200);
        let company = tess.get("/api/companies/100001").await.ok();
        assert_eq!((&company["head_user_id"], &company["managed_users"]), (&json!(null), &json!(null)));
        assert_eq!(tess.put("/companies/100001/update", &json!({"head_user_id": "seven"})).await.status(400).fields(), ["head_user_id"]);
    }

    async fn locations_are_edited_undone_and_stand_in_their_companys_history(engine: Engine) {
        let app = App::start_on(&engine).await;
        let acme = app.company("100001", "Acme").await;
        app.company("100002", "Beta").await;
        let tess = app.technician();
        let made = tess.post("/api/companies/100001/locations", &json!({"name": "Head office", "address": "1 Main Street"})).await.status(201);
        let path = format!("/api/companies/100001/locations/{}", made.json()["id"]);
        let tag = made.header("etag").to_owned();
        tess.put(&path, &json!({"phone_number": "555-0100"})).await.status(200);
        let stale = tess.send(Method::PUT, &path, |request| request.header("if-match", &tag).json(&json!({"name": "X"}))).await;
        assert_eq!(stale.status, 412);
        tess.put(&path.replace("100001", "100002"), &json!({"name": "X"})).await.status(404);
        assert_eq!(tess.put(&path, &json!({"name": ""})).await.status(400).fields(), ["name"]);
        let edit = format!("/companies/100001/locations/{}/edit", made.json()["id"]);
        Form::open(&tess, &edit).await.set("address", "2 Main Street").send(&tess).await.status(303);
        let now = tess.get(&path).await.ok();
        assert_eq!((&now["name"], &now["address"], &now["phone_number"]), (&json!("Head office"), &json!("2 Main Street"), &json!("555-0100")));
        let history = tess.get(&format!("/api/history/company/{}", acme["id"])).await.ok();
        let told: Vec<&Value> = history["changes"].as_array().unwrap().iter().filter(|change| change["entity"] == "location").collect();
        assert_eq!(told.iter().map(|change| change["action"].as_str().unwrap()).collect::<Vec<_>>(), ["update", "update", "create"]);
        tess.post(&format!("/api/changes/{}/undo", told[0]["seq"]), &json!({})).await.status(200);
        assert_eq!(tess.get(&path).await.ok()["address"], "1 Main Street");
        let page = tess.get_with("/companies/100001", "accept", "text/html").await.status(200).text();
        assert!(page.contains("Head office") && page.contains("2 Main Street"), "the timeline tells it: {page}");
        tess.delete(&path).await.status(200);
        tess.get(&path).await.status(404);
    }
}

/// The ids of three companies, 100001 to 100003.
async fn three(app: &App) -> Vec<i64> {
    let mut ids = Vec::new();
    for number in ["100001", "100002", "100003"] {
        ids.push(app.company(number, &format!("Company {number}")).await["id"].as_i64().unwrap());
    }
    ids
}
