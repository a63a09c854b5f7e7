//! Two records that are one: field by field, with everything that belongs to them, through a sync, and back again.

use serde_json::{Value, json};

use crate::freshservice::Plan;
use crate::support::{App, Engine, Fleet, PASSWORD, Pull, both};
use crate::{datto, freshservice};

fn id_of(row: Value) -> i64 {
    row["id"].as_i64().unwrap()
}

both! {
    async fn two_contacts_become_one_and_two_again(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        app.company("100002", "Other").await;
        let winner = id_of(app.contact("Ava Patel", "ava@acme.example", &["100001"]).await);
        let loser = id_of(app.contact("A. Patel", "a.patel@acme.example", &["100001", "100002"]).await);
        tess.put(&format!("/api/contacts/{loser}"), &json!({"job_title": "Owner", "work_phone_number": "555 0100"})).await.status(200);
        tess.put(&format!("/api/contacts/{winner}"), &json!({"job_title": "Boss"})).await.status(200);
        let asset = id_of(app.asset("LT-1", "100001").await);
        tess.put(&format!("/api/contacts/{loser}"), &json!({"asset_ids": [asset]})).await.status(200);
        app.admin().put("/api/companies/100002", &json!({"billing_contact_id": loser})).await.status(200);
        tess.post("/api/notes", &json!({"entity": "contact", "entity_id": loser, "body": "Rings on Mondays"})).await.status(201);

        let path = format!("/api/contacts/{winner}/merge");
        assert_eq!(tess.post(&path, &json!({})).await.status(400).fields(), ["from"]);
        assert_eq!(tess.post(&path, &json!({"from": winner})).await.status(400).fields(), ["from"]);
        assert_eq!(tess.post(&path, &json!({"from": 999})).await.status(400).fields(), ["from"]);
        let wrong = json!({"from": loser, "fields": {"nonsense": "from"}});
        assert_eq!(tess.post(&path, &wrong).await.status(400).fields(), ["fields.nonsense"]);
        assert_eq!(tess.post(&path, &json!({"from": loser, "fields": {"email": "both"}})).await.status(400).fields(), ["fields.email"]);
        let body = json!({"from": loser, "fields": {"email": "from", "job_title": "into"}});
        let tried = tess.post(&format!("{path}?dry_run=true"), &body).await.status(200).json();
        assert_eq!((&tried["email"], &tried["dry_run"]), (&json!("a.patel@acme.example"), &json!(true)), "{tried}");
        assert_eq!(app.service().get("/api/contacts").await.ok().as_array().unwrap().len(), 2, "a rehearsal writes nothing");

        let done = tess.post(&path, &body).await.status(200).json();
        assert_eq!((&done["email"], &done["job_title"], &done["work_phone_number"]), (&json!("a.patel@acme.example"), &json!("Boss"), &json!("555 0100")), "{done}");
        assert_eq!(done["company_account_numbers"], json!(["100001", "100002"]), "{done}");
        assert_eq!(done["asset_ids"], json!([asset]), "{done}");
        assert_eq!((&done["moved"]["note"], &done["moved"]["use"]), (&json!(1), &json!(1)), "{done}");
        assert_eq!(app.service().get("/api/contacts").await.ok().as_array().unwrap().len(), 1);
        assert_eq!(app.admin().get("/api/companies/100002").await.ok()["billing_contact_id"], winner);
        let told = tess.get(&format!("/api/history/contact/{winner}")).await.ok();
        let of_loser = told["changes"].as_array().unwrap().iter().filter(|change| change["entity_id"] == loser).count();
        assert!(of_loser > 2, "the loser's past is the winner's: {told}");
        // The old address leads to the winner.
        let moved = tess.get(&format!("/api/contacts/{loser}")).await;
        assert_eq!((moved.status, moved.json()["merged_into"].as_i64()), (307, Some(winner)), "{}", moved.text());
        assert!(moved.header("location").ends_with(&format!("/api/contacts/{winner}")), "{}", moved.header("location"));
        let page = tess.get_with(&format!("/contacts/{loser}"), "accept", "text/html").await;
        assert!(page.status == 307 && page.header("location").ends_with(&format!("/contacts/{winner}")), "{}", page.text());
        tess.put(&format!("/api/contacts/{loser}"), &json!({"job_title": "X"})).await.status(409);

        let undone = tess.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        let one = app.service().get(&format!("/api/contacts/{winner}")).await.ok();
        let two = app.service().get(&format!("/api/contacts/{loser}")).await.ok();
        assert_eq!((&one["email"], &two["email"], &two["retired_at"]), (&json!("ava@acme.example"), &json!("a.patel@acme.example"), &Value::Null));
        assert_eq!((&one["company_account_numbers"], &two["company_account_numbers"]), (&json!(["100001"]), &json!(["100001", "100002"])));
        assert_eq!((&one["asset_ids"], &two["asset_ids"]), (&json!([]), &json!([asset])));
        assert_eq!(app.admin().get("/api/companies/100002").await.ok()["billing_contact_id"], loser);
    }

    async fn seats_own_fields_tags_and_files_go_along_and_come_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        for (label, key) in [("Floor", "floor"), ("Badge", "badge")] {
            app.admin().post("/api/custom_fields", &json!({"type": "contact", "label": label, "key": key, "kind": "text"})).await.status(201);
        }
        for tag in ["VIP", "Night shift"] {
            app.admin().post("/api/tags", &json!({"name": tag})).await.status(201);
        }
        let person = async |name: &str, cf: Value, tags: Value| {
            let body = json!({"name": name, "company_account_numbers": ["100001"], "cf": cf, "tags": tags});
            id_of(tess.post("/api/contacts", &body).await.status(201).json())
        };
        let winner = person("Ava Patel", json!({"floor": "2"}), json!(["VIP"])).await;
        let loser = person("A. Patel", json!({"floor": "3", "badge": "77"}), json!(["Night shift"])).await;
        let mut seats = Vec::new();
        for (product, holders) in [("Office", vec![winner, loser]), ("Visio", vec![loser])] {
            let license = id_of(tess.post("/api/licenses", &json!({"company_id": "100001", "product": product})).await.status(201).json());
            for holder in holders {
                seats.push(id_of(tess.post("/api/license_seats", &json!({"license_id": license, "contact_id": holder})).await.status(201).json()));
            }
        }
        let held = async || {
            let seats = tess.get("/api/license_seats?sort=id").await.ok();
            seats.as_array().unwrap().iter().map(|seat| (seat["id"].as_i64().unwrap(), seat["contact_id"].as_i64().unwrap())).collect::<Vec<_>>()
        };

        let done = tess.post(&format!("/api/contacts/{winner}/merge"), &json!({"from": loser})).await.status(200).json();
        assert_eq!(held().await, [(seats[0], winner), (seats[2], winner)], "nobody holds two seats of a licence");
        let one = tess.get(&format!("/api/contacts/{winner}")).await.ok();
        assert_eq!((&one["cf"]["floor"], &one["cf"]["badge"]), (&json!("2"), &json!("77")), "{one}");
        assert_eq!(one["tags"].as_array().unwrap().len(), 2, "{one}");

        let undone = tess.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!(held().await, [(seats[0], winner), (seats[1], loser), (seats[2], loser)]);
        let one = tess.get(&format!("/api/contacts/{winner}")).await.ok();
        assert_eq!((&one["cf"]["badge"], one["tags"].as_array().unwrap().len()), (&Value::Null, 1), "{one}");
    }

    async fn a_company_takes_in_another_with_everything(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        for (number, name) in [("100001", "Acme"), ("100002", "Acme Ltd"), ("100003", "Acme North")] {
            app.company(number, name).await;
        }
        ada.put("/api/companies/100003", &json!({"parent_id": "100002"})).await.status(200);
        ada.put("/api/companies/100002", &json!({"compliance_level": "hipaa", "description": "Dentists"})).await.status(200);
        app.contact("Ava", "ava@acme.example", &["100002"]).await;
        app.asset("LT-1", "100002").await;
        ada.post("/api/companies/100002/locations", &json!({"name": "Depot", "address": "1 Main St"})).await.status(201);
        ada.post("/api/subnets", &json!({"cidr": "10.0.0.0/24", "company_id": "100002"})).await.status(201);
        app.technician().post("/api/companies/100001/merge", &json!({"from": "100002"})).await.status(403);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let before = codex::types::now();
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let done = ada.post("/api/companies/100001/merge", &json!({"from": "100002"})).await.status(200).json();
        assert_eq!((&done["account_number"], &done["description"], &done["compliance_level"]), (&json!("100001"), &json!("Dentists"), &json!("hipaa")), "{done}");
        for (kind, count) in [("asset", 1), ("location", 1), ("subnet", 1), ("company", 1), ("place", 1)] {
            assert_eq!(done["moved"][kind], count, "{kind}: {}", done["moved"]);
        }
        for list in ["contacts", "assets", "locations", "subnets"] {
            let here = ada.get(&format!("/api/companies/100001/{list}")).await.ok();
            assert_eq!(here.as_array().unwrap().len(), 1, "{list}");
        }
        let moved = ada.get("/api/companies/100002").await;
        assert_eq!((moved.status, moved.header("location").ends_with("/api/companies/100001")), (307, true), "{}", moved.text());
        // Who was there before is still told of the one that is gone.
        let people = ada.get(&format!("/api/companies/100002/contacts?as_of={before}")).await.ok();
        assert_eq!((people.as_array().unwrap().len(), &people[0]["name"]), (1, &json!("Ava")), "{people}");
        for part in ["contacts?limit=1", "users", "assets?format=csv&sort=id", "locations", "tickets"] {
            let moved = ada.get(&format!("/api/companies/100002/{part}")).await;
            assert_eq!(moved.status, 307, "{part}: {}", moved.text());
            assert!(moved.header("location").ends_with(&format!("/api/companies/100001/{part}")), "{part}: {}", moved.header("location"));
        }
        // Who asks a list by the old number gets what is there now, not silence.
        for list in ["assets", "contacts", "subnets"] {
            let found = ada.get(&format!("/api/{list}?company_id=100002")).await.ok();
            assert_eq!(found.as_array().unwrap().len(), 1, "{list}: {found}");
        }
        let undone = ada.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!(ada.get("/api/companies/100001/assets").await.ok(), json!([]));
        assert_eq!(ada.get("/api/companies/100002/contacts").await.ok().as_array().unwrap().len(), 1);
    }

    async fn a_page_says_why_a_merge_stands_and_what_takes_it_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        let one = id_of(app.contact("Ava Patel", "ava@acme.example", &["100001"]).await);
        let two = id_of(app.contact("A. Patel", "a.patel@acme.example", &["100001"]).await);
        tess.put(&format!("/api/contacts/{two}"), &json!({"job_title": "Owner"})).await.status(200);
        let done = tess.post(&format!("/api/contacts/{one}/merge"), &json!({"from": two})).await.status(200).json();
        assert_eq!(done["job_title"], "Owner", "{done}");
        tess.put(&format!("/api/contacts/{one}"), &json!({"job_title": "Partner"})).await.status(200);
        let seq = |entity: i64, action: &str| {
            app.database.number(&format!("SELECT MAX(seq) FROM changes WHERE entity = 'contact' AND entity_id = {entity} AND action = '{action}'"))
        };
        let undo = async |seq: i64| {
            let reply = tess.send(reqwest::Method::POST, &format!("/records/changes/{seq}/undo"), |request| request.header("accept", "text/html")).await.status(303);
            let said = reply.header("set-cookie").split(';').next().unwrap_or_default().replace('+', " ");
            (reply.header("location").to_owned(), percent_encoding::percent_decode_str(&said).decode_utf8_lossy().into_owned())
        };
        // The merge as a whole: what has changed since stands in the way, and is named.
        let (page, said) = undo(seq(one, "merge")).await;
        assert_eq!(page, format!("/contacts/{one}"));
        assert!(said.contains("error:It stands: nothing was undone") && said.contains("job_title has changed since"), "{said}");
        // One of its changes alone: the way is the whole.
        let (page, said) = undo(seq(two, "retire")).await;
        assert_eq!(page, format!("/contacts/{two}"));
        assert!(said.contains("It stands:") && said.contains("“Undo all” takes back all of it"), "{said}");
        tess.put(&format!("/api/contacts/{one}"), &json!({"job_title": "Owner"})).await.status(200);
        let (_, said) = undo(seq(one, "merge")).await;
        assert!(said.contains("Undone."), "{said}");
        assert_eq!(tess.get(&format!("/api/contacts/{two}")).await.ok()["retired_at"], Value::Null);
    }

    async fn how_a_company_is_billed_goes_along_where_nothing_is_said_yet(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        for (number, name) in [("100001", "Acme"), ("100002", "Acme Ltd"), ("100003", "Acme Inc")] {
            app.company(number, name).await;
        }
        ada.put("/api/companies/100002", &json!({"managed_users": "12", "managed_devices": "40"})).await.status(200);
        ada.put("/api/companies/100001", &json!({"managed_devices": "7"})).await.status(200);
        ada.put("/api/billing/settings/100002", &json!({"vms_as_servers": true, "default_ticket_hours": 0.5})).await.status(200);
        ada.put("/api/billing/settings/100003", &json!({"count_contacts": "all"})).await.status(200);
        let deviates = async |number: &str, features: &[(&str, &str)]| {
            let form = features.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
            ada.send(reqwest::Method::POST, &format!("/companies/{number}/features"), |request| request.form(&form)).await.status(303);
        };
        deviates("100002", &[("feature_antivirus", "Sophos"), ("feature_email", "None")]).await;
        deviates("100001", &[("feature_antivirus", "Defender")]).await;
        let told = async |number: &str| {
            let settings = ada.get(&format!("/api/billing/settings/{number}")).await.ok();
            let sql = format!(
                "SELECT o.feature_key || '=' || o.value FROM feature_overrides o JOIN companies c ON c.id = o.company_id
                 WHERE c.account_number = '{number}' ORDER BY 1"
            );
            (settings["vms_as_servers"].clone(), settings["default_ticket_hours"].clone(), settings["count_contacts"].clone(), app.database.texts(&sql))
        };
        let (before, other) = (told("100001").await, told("100002").await);
        assert!(!other.3.is_empty() && !before.3.is_empty(), "{before:?} {other:?}");

        let done = ada.post("/api/companies/100001/merge", &json!({"from": "100002"})).await.status(200).json();
        assert_eq!((&done["managed_users"], &done["managed_devices"]), (&json!("12"), &json!("7")), "what is said already stays: {done}");
        assert_eq!((&done["moved"]["billing_settings"], &done["moved"]["feature_override"]), (&json!(1), &json!(1)), "{}", done["moved"]);
        let after = told("100001").await;
        assert_eq!((&after.0, &after.1), (&json!(true), &json!(0.5)));
        assert_eq!(after.3.len(), 2, "{after:?}");
        assert!(after.3.iter().any(|one| one.ends_with("=Defender")) && after.3.iter().any(|one| one.ends_with("=None")), "{after:?}");

        let undone = ada.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!((told("100001").await, told("100002").await), (before, other));
        assert_eq!(ada.get("/api/companies/100001").await.ok()["managed_users"], Value::Null);
        // Once more, now that there was a row before; and one that has settings of its own keeps them.
        ada.post("/api/companies/100001/merge", &json!({"from": "100002"})).await.status(200);
        assert_eq!(told("100001").await.0, true);
        let last = ada.post("/api/companies/100001/merge", &json!({"from": "100003"})).await.status(200).json();
        assert_eq!((last["moved"].get("billing_settings"), told("100001").await.2), (None, json!("active")), "{last}");
    }

    async fn what_cannot_be_one_is_refused(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        app.company("100002", "Other").await;
        let (one, two) = (id_of(app.asset("LT-1", "100001").await), id_of(app.asset("LT-2", "100002").await));
        let refused = tess.post(&format!("/api/assets/{one}/merge"), &json!({"from": two})).await.status(409);
        assert!(refused.error().contains("different companies"), "{}", refused.error());
        tess.put(&format!("/api/assets/{two}"), &json!({"company_account_number": "100001"})).await.status(200);
        tess.delete(&format!("/api/assets/{two}")).await.status(200);
        assert!(tess.post(&format!("/api/assets/{one}/merge"), &json!({"from": two})).await.status(409).error().contains("retired"));
        tess.post(&format!("/api/assets/{two}/restore"), &json!({})).await.status(200);
        app.billing().post(&format!("/api/assets/{one}/merge"), &json!({"from": two})).await.status(403);
        let made = app.admin().post("/api/keys", &json!({"name": "one", "access": "read-write", "companies": ["100001"], "current_password": PASSWORD})).await.status(201).json();
        app.with_token(made["key"].as_str().unwrap()).post(&format!("/api/assets/{one}/merge"), &json!({"from": two})).await.status(403);
        let done = tess.post(&format!("/api/assets/{one}/merge"), &json!({"from": two})).await.status(200).json();
        // A later change of a field that the merge took is in the way of undoing it.
        assert_eq!(done["hostname"], "LT-1");
        tess.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200);
        tess.get(&format!("/api/assets/{two}")).await.status(200);
    }

    async fn a_sync_knows_a_merged_contact(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(3, 10).build()).await;
        let contacts = pull.contacts().await;
        let (winner, loser) = (contacts[0].clone(), contacts[1].clone());
        let path = format!("/api/contacts/{}/merge", winner["id"]);
        let body = json!({"from": loser["id"], "fields": {"job_title": "from"}});
        let done = pull.app.technician().post(&path, &body).await.status(200).json();
        assert_eq!(done["freshservice_id"], winner["freshservice_id"], "the winner's own record speaks for it");
        let before = pull.contacts().await;
        assert_eq!(before.len(), contacts.len() - 1);
        let again = pull.run(&["--json"]).await.code(0).json();
        assert_eq!(again["applied"], 0, "nothing comes back: {again}");
        // Both still exist there: the winner's own record is what it follows, the other one is silent.
        let (own, other) = (winner["freshservice_id"].as_i64().unwrap(), loser["freshservice_id"].as_i64().unwrap());
        pull.vendor.world(|state| {
            state.change(own, |record| record["mobile_phone_number"] = json!("555 0199"));
            state.change(other, |record| record["mobile_phone_number"] = json!("555 0666"));
        });
        pull.run(&["--json"]).await.code(0);
        let now = pull.app.service().get(&format!("/api/contacts/{}", winner["id"])).await.ok();
        assert_eq!(now["mobile_phone_number"], "555 0199", "{now}");
        // Its own record goes: the other one speaks, and nobody is retired.
        pull.vendor.world(|state| state.remove(own));
        pull.run(&["--json"]).await.code(0);
        let now = pull.app.service().get(&format!("/api/contacts/{}", winner["id"])).await.ok();
        assert_eq!((&now["mobile_phone_number"], &now["retired_at"]), (&json!("555 0666"), &Value::Null), "{now}");
        assert_eq!(pull.contacts().await.len(), before.len());
    }

    async fn a_sync_knows_a_merged_asset(engine: Engine) {
        let fleet = Fleet::pulled(&engine, freshservice::Plan::sized(3, 6).build(), datto::Plan::sized(3, 20, 2).build()).await;
        let assets = fleet.list("/api/assets").await;
        let is_one = |asset: &&Value| asset["external_id"].is_string() && asset["company_id"].is_string();
        let winner = assets.iter().find(is_one).expect("a device of a company").clone();
        let loser = assets.iter().filter(is_one).find(|other| other["company_id"] == winner["company_id"] && other["id"] != winner["id"]);
        let loser = loser.expect("another one of it").clone();
        let (own, other) = (winner["external_id"].as_str().unwrap(), loser["external_id"].as_str().unwrap());
        let path = format!("/api/assets/{}", winner["id"]);
        let tess = fleet.app.technician();
        let done = tess.post(&format!("{path}/merge"), &json!({"from": loser["id"]})).await.status(200).json();
        assert_eq!(done["external_id"], own, "its own record speaks for it");
        for _ in 0..2 {
            let again = fleet.sync(&["datto", "--json"]).await.code(0).json();
            assert_eq!(again["applied"], 0, "nothing comes back: {again}");
        }
        assert_eq!(fleet.list("/api/assets").await.len(), assets.len() - 1);
        fleet.rmm.world(|state| {
            state.rename(own, "RENAMED");
            state.rename(other, "SILENT");
        });
        fleet.sync(&["datto"]).await.code(0);
        let now = tess.get(&path).await.ok();
        assert_eq!((&now["hostname"], &now["external_id"]), (&json!("RENAMED"), &json!(own)), "{now}");
        // Its own record goes: the other one speaks, and the asset stays.
        fleet.rmm.world(|state| state.bury_device(own));
        fleet.sync(&["datto"]).await.code(0);
        fleet.sync(&["datto"]).await.code(0);
        let now = tess.get(&path).await.ok();
        assert_eq!((&now["hostname"], &now["external_id"], &now["retired_at"]), (&json!("SILENT"), &json!(other), &Value::Null), "{now}");
    }

    async fn people_compare_and_merge_on_a_page(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        let winner = id_of(app.contact("Ava Patel", "ava@acme.example", &["100001"]).await);
        let loser = id_of(app.contact("Ava Patel", "a.patel@acme.example", &["100001"]).await);
        tess.put(&format!("/api/contacts/{loser}"), &json!({"job_title": "Owner"})).await.status(200);
        let page = async |path: String| tess.get_with(&path, "accept", "text/html").await.status(200).text();
        assert!(page(format!("/contacts/{winner}")).await.contains(&format!("/contacts/{winner}/merge\"")));
        let offered = page(format!("/contacts/{winner}/merge")).await;
        assert!(offered.contains(&format!("/merge?from={loser}")), "the other of this name is offered: {offered}");
        let found = page(format!("/contacts/{winner}/merge?from=a.patel")).await;
        assert!(found.contains("field.email") && found.contains(&format!("name=\"from\" value=\"{loser}\"")), "the only one that is found: {found}");
        app.contact("Avril Patel", "avril@acme.example", &["100001"]).await;
        let asked = page(format!("/contacts/{winner}/merge?from=patel")).await;
        assert!(asked.contains("Which one?") && asked.contains("Ava Patel (a.patel@acme.example)") && !asked.contains("field.email"), "{asked}");
        let none = page(format!("/contacts/{winner}/merge?from=nobody%20at%20all")).await;
        assert!(none.contains("No other contact is found by “nobody at all”"), "{none}");
        let compared = page(format!("/contacts/{winner}/merge?from={loser}")).await;
        assert!(compared.contains("a.patel@acme.example") && compared.contains("field.email") && compared.contains("1 membership"), "{compared}");
        let form = format!("from={loser}&field.email=from");
        let path = format!("/contacts/{winner}/merge");
        tess.post_raw(&path, "application/x-www-form-urlencoded", form.clone()).await.status(303);
        let done = tess.get(&format!("/api/contacts/{winner}")).await.ok();
        assert_eq!((&done["email"], &done["job_title"]), (&json!("a.patel@acme.example"), &json!("Owner")), "{done}");
        assert_eq!(tess.post_raw(&path, "application/x-www-form-urlencoded", form).await.status, 409, "the other one is retired");
        let told = tess.get(&format!("/api/history/contact/{winner}")).await.ok();
        let batch = told["changes"][0]["batch_id"].as_i64().unwrap();
        let undo = format!("/records/batches/{batch}/undo");
        assert!(page(format!("/contacts/{winner}")).await.contains(&undo), "the page offers to undo all of it");
        tess.post_raw(&undo, "application/x-www-form-urlencoded", "").await.status(303);
        assert_eq!(tess.get(&format!("/api/contacts/{loser}")).await.ok()["job_title"], "Owner");
    }

    async fn what_is_billed_and_what_is_hidden_limit_a_merge(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let (one, two) = (id_of(app.asset("LT-1", "100001").await), id_of(app.asset("LT-2", "100001").await));
        let out = json!({"company": "100001", "entity": "asset", "entity_id": two, "reason": "A loan"});
        app.admin().post("/api/billing/exclusions", &out).await.status(201);
        let path = format!("/api/assets/{one}/merge");
        let refused = app.technician().post(&path, &json!({"from": two})).await.status(403);
        assert!(refused.error().contains("administrator"), "{}", refused.error());
        app.technician().get_with(&format!("/assets/{one}/merge?from={two}&filter=phi"), "accept", "text/html").await.status(403);
        app.technician().get_with(&format!("/assets/{one}/merge?from={two}"), "accept", "text/html").await.status(200);
        app.admin().post(&path, &json!({"from": two})).await.status(200);
    }

    async fn undoing_a_merge_leaves_syncs_free(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(3, 10).build()).await;
        let tess = pull.app.technician();
        let mut contacts = pull.contacts().await;
        contacts.sort_by_key(|contact| std::cmp::Reverse(contact["freshservice_id"].as_i64()));
        let ids: Vec<i64> = contacts[..3].iter().map(|contact| contact["id"].as_i64().unwrap()).collect();
        let speaks = async |id: i64| tess.get(&format!("/api/contacts/{id}")).await.ok()["freshservice_id"].clone();
        // The second one has the last one's record beside its own, then is merged itself and comes back.
        let path = |id: i64| format!("/api/contacts/{id}/merge");
        tess.post(&path(ids[1]), &json!({"from": ids[2]})).await.status(200);
        let own = speaks(ids[1]).await;
        let pins = async || {
            let of = async |id: i64| tess.get(&format!("/api/pins/contact/{id}")).await.ok();
            (of(ids[0]).await, of(ids[1]).await)
        };
        let before = pins().await;
        let body = json!({"from": ids[1], "fields": {"job_title": "from"}});
        let done = tess.post(&path(ids[0]), &body).await.status(200).json();
        let undo = format!("/api/batches/{}/undo", done["batch_id"]);
        let undone = tess.post(&undo, &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!((speaks(ids[0]).await, speaks(ids[1]).await), (contacts[0]["freshservice_id"].clone(), own));
        assert_eq!(pins().await, before, "nothing is pinned by it");
        tess.post(&undo, &json!({})).await.status(409);
        let back = tess.post(&format!("/api/batches/{}/undo", undone["batch_id"]), &json!({})).await.status(409);
        assert!(back.error().contains("merge the records again"), "{}", back.error());
    }

    async fn what_was_merged_is_not_changed_on_its_own(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        let winner = id_of(app.contact("Ava Patel", "ava@acme.example", &["100001"]).await);
        let loser = id_of(app.contact("A. Patel", "a.patel@acme.example", &["100001"]).await);
        let done = tess.post(&format!("/api/contacts/{winner}/merge"), &json!({"from": loser})).await.status(200).json();
        tess.post(&format!("/api/contacts/{loser}/restore"), &json!({})).await.status(409);
        let form = "application/x-www-form-urlencoded";
        tess.post_raw(&format!("/contacts/{loser}/restore"), form, "").await.status(409);
        tess.patch(&format!("/api/contacts?id__in={loser}&include_retired=1"), &json!({"job_title": "X"})).await.status(409);
        let told = tess.get(&format!("/api/history/contact/{winner}")).await.ok();
        let is_retirement = |change: &&Value| change["entity_id"] == loser && change["action"] == "retire";
        let seq = told["changes"].as_array().unwrap().iter().find(is_retirement).expect("its retirement")["seq"].clone();
        let stands = tess.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(409);
        assert!(stands.error().contains("merged into"), "{}", stands.error());
        tess.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200);
        tess.get(&format!("/api/contacts/{loser}")).await.status(200);
    }

    async fn a_winner_gets_what_the_other_led_to(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        for (number, name) in [("100001", "Acme"), ("100002", "Acme Ltd"), ("100003", "Holding")] {
            app.company(number, name).await;
        }
        let person = id_of(app.contact("Ava", "ava@acme.example", &["100002"]).await);
        ada.put("/api/companies/100002", &json!({"parent_id": "100003", "billing_contact_id": person})).await.status(200);
        let (one, two) = (id_of(app.asset("LT-1", "100001").await), id_of(app.asset("LT-2", "100002").await));
        // Both companies leave the first device out, the second one another as well.
        let out = async |company: &str, asset: i64| {
            let body = json!({"company": company, "entity": "asset", "entity_id": asset, "reason": "A loan"});
            ada.post("/api/billing/exclusions", &body).await.status(201);
        };
        out("100001", one).await;
        ada.put(&format!("/api/assets/{one}"), &json!({"company_account_number": "100002"})).await.status(200);
        out("100002", one).await;
        out("100002", two).await;
        let done = ada.post("/api/companies/100001/merge", &json!({"from": "100002"})).await.status(200).json();
        assert_eq!(done["billing_contact_id"], person, "{done}");
        assert_eq!(done["parent_id"], ada.get("/api/companies/100003").await.ok()["id"], "{done}");
        let excluded = async |company: &str| {
            ada.get(&format!("/api/billing/exclusions?company={company}")).await.ok().as_array().unwrap().len()
        };
        assert_eq!(excluded("100001").await, 2, "one of two that say the same is retired");
        let undone = ada.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!(ada.get("/api/companies/100001").await.ok()["parent_id"], Value::Null);
        assert_eq!((excluded("100001").await, excluded("100002").await), (1, 2));
    }
}
