//! Pages about oneself and for administrators, as forms that work without scripts.

use reqwest::Method;
use serde_json::json;

use crate::freshservice::Plan;
use crate::support::{Api, App, Engine, Pull, Reply, both, eventually};

async fn page(api: &Api, path: &str) -> Reply {
    api.get_with(path, "accept", "text/html").await
}

async fn form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
}

both! {
    async fn the_account_page_saves_a_look_and_keeps_neighbours_words(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        assert!(page(&tess, "/settings").await.status(200).text().contains("name=\"theme_preference\" value=\"system\" checked"));
        let chosen = [("theme_preference", "dark"), ("preferred_color_theme", "bee")];
        assert_eq!(form(&tess, "/settings", &chosen).await.status(303).header("location"), "/settings");
        let text = page(&tess, "/companies/").await.status(200).text();
        assert!(text.contains("data-theme=\"dark\"") && text.contains("data-color-theme=\"bee\""), "{text}");
        form(&tess, "/settings", &[("theme_preference", "system")]).await.status(303);
        assert!(!page(&tess, "/settings").await.text().contains("data-theme="));
        assert_eq!(tess.get("/api/my/settings").await.ok()["theme_preference"], "light", "neighbours know no third word");
        form(&tess, "/settings", &[("theme_preference", "neon")]).await.status(400);
    }

    async fn a_wrong_password_form_says_what_is_wrong_beside_the_field(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        let sent = [("current_password", "guess"), ("new_password", "long enough 1"), ("repeat_password", "long enough 2")];
        let reply = form(&tess, "/account/password", &sent).await.status(400);
        assert!(reply.text().contains("id=\"repeat_password-error\""), "{}", reply.text());
        let sent = [("current_password", "guess"), ("new_password", "long enough 1"), ("repeat_password", "long enough 1")];
        assert!(form(&tess, "/account/password", &sent).await.status(400).text().contains("id=\"current_password-error\""));
        form(&tess, "/account/sign-out-everywhere", &[]).await.status(303);
        assert_eq!(tess.get("/api/my/settings").await.status, 401, "this session has ended too");
    }

    async fn administrators_look_after_people(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let ada = app.admin();
        let mut cleo = vec![("username", "cleo"), ("email", "cleo@acme.example"), ("role", "client"), ("password", "correct horse")];
        let refused = form(&ada, "/admin/users/new", &cleo).await.status(400).text();
        assert!(refused.contains("id=\"company-error\"") && refused.contains("value=\"cleo\""), "{refused}");
        cleo.push(("company", "100001"));
        form(&ada, "/admin/users/new", &cleo).await.status(303);
        let users = ada.get("/api/users").await.ok();
        let find = |name: &str| users.as_array().unwrap().iter().find(|user| user["username"] == name).unwrap()["id"].to_string();
        let id = find("cleo");
        let sent = [("username", "cleo"), ("name", "Cleo Moss"), ("email", "ada@example.com"), ("role", "billing")];
        let path = format!("/admin/users/{id}");
        form(&ada, &path, &[("username", "tess"), ("email", "cleo@acme.example"), ("role", "billing")]).await.status(400);
        form(&ada, &path, &[sent[0], sent[1], ("email", "cleo@acme.example"), sent[3]]).await.status(303);
        let changed = ada.get(&format!("/api/users/{id}")).await.ok();
        assert_eq!((&changed["name"], &changed["permission_level"]), (&"Cleo Moss".into(), &"billing".into()));
        form(&ada, &format!("{path}/enabled"), &[("enabled", "false")]).await.status(303);
        assert_eq!(ada.get(&format!("/api/users/{id}")).await.ok()["enabled"], false);
        let own = format!("/admin/users/{}", find("ada"));
        form(&ada, &format!("{own}/enabled"), &[("enabled", "false")]).await.status(303);
        assert_eq!(page(&ada, &own).await.status, 200, "nobody shuts themselves out");
        let refused = page(&app.technician(), "/admin/users").await.status(403).text();
        assert!(refused.contains("To the dashboard") && refused.contains("request"), "{refused}");
    }

    async fn the_sync_centre_starts_a_run_and_shows_it(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(4, 20).build()).await;
        let ada = pull.app.admin();
        assert!(page(&ada, "/admin/").await.status(200).text().contains("Never read"));
        assert_eq!(form(&ada, "/admin/sync/freshservice", &[("dry_run", "true")]).await.status(303).header("location"), "/admin/");
        eventually("the dry run ends", 60, || async { ada.get("/sync/last/freshservice").await.ok()["status"] != "running" }).await;
        assert_eq!(pull.contacts().await.len(), 0);
        let text = page(&ada, "/admin/").await.text();
        assert!(text.contains("Dry run") && text.contains("/admin/plans/1"), "{text}");
        let plan = page(&ada, "/admin/plans/1").await.status(200).text();
        assert!(plan.contains("Contacts to create") && plan.contains("Apply this plan"), "{plan}");
        form(&ada, "/admin/plans/1/approve", &[]).await.status(303);
        assert_eq!(pull.contacts().await.len(), 20);
        let text = page(&ada, "/admin/plans/1?kind=contact&action=create").await.status(200).text();
        assert!(text.contains("Applied") && !text.contains("Apply this plan"), "{text}");
        page(&pull.app.technician(), "/admin/").await.status(403);
    }

    async fn a_part_of_a_held_plan_is_approved_and_the_rest_waits(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(4, 40).build()).await;
        pull.vendor.world(|state| state.requesters.truncate(10));
        pull.run(&[]).await.code(7);
        let (ada, cli) = (pull.app.admin(), pull.app.cli());
        let id = ada.get("/api/sync/plans").await.ok()[0]["id"].as_i64().expect("a plan");
        let items = ada.get(&format!("/api/sync/plans/{id}")).await.ok()["items"].clone();
        let held: Vec<i64> =
            items.as_array().unwrap().iter().filter(|item| item["state"] == "held").map(|item| item["id"].as_i64().unwrap()).collect();
        assert_eq!(held.len(), 30);
        let text = page(&ada, &format!("/admin/plans/{id}")).await.status(200).text();
        assert!(text.contains("Approve 30 changes") && text.contains(&format!("value=\"{}\"", held[0])), "{text}");
        let approve = format!("/api/sync/plans/{id}/approve");
        let refused = ada.post(&approve, &json!({"items": [held[0], 999_999_999]})).await.status(400).text();
        assert!(refused.contains("999999999"), "{refused}");
        ada.post(&approve, &json!({"items": []})).await.status(400);
        assert_eq!(pull.contacts().await.len(), 40, "all or nothing of what was named");
        let done = ada.post(&approve, &json!({"items": held[..4]})).await.ok();
        assert_eq!((&done["applied"], &done["stale"]), (&json!(4), &json!(0)));
        assert_eq!(pull.contacts().await.len(), 36);
        assert_eq!(ada.get(&format!("/api/sync/plans/{id}")).await.ok()["status"], "held");
        ada.post(&approve, &json!({"items": [held[0]]})).await.status(400);
        let told = cli.run_beside(&["sync", "show", &id.to_string()]).await.code(0).stdout;
        assert!(told.contains(&format!("[item {} needs approval]", held[4])), "{told}");
        cli.run_beside(&["sync", "approve", &id.to_string(), "--items", &format!("{},{}", held[4], held[5])]).await.code(0);
        assert_eq!(pull.contacts().await.len(), 34);
        let seventh = held[6].to_string();
        let chosen = [("part", "true"), ("items[]", seventh.as_str())];
        form(&ada, &format!("/admin/plans/{id}/approve"), &chosen).await.status(303);
        assert_eq!(pull.contacts().await.len(), 33);
        form(&ada, &format!("/admin/plans/{id}/approve"), &[("part", "true")]).await.status(303);
        assert_eq!(pull.contacts().await.len(), 33, "nothing was selected");
        form(&ada, &format!("/admin/plans/{id}/approve"), &[]).await.status(303);
        assert_eq!(pull.contacts().await.len(), 10);
        assert_eq!(ada.get(&format!("/api/sync/plans/{id}")).await.ok()["status"], "applied");
        ada.post(&approve, &json!({"items": [held[9]]})).await.status(409);
    }

    async fn a_job_says_first_what_happened(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(4, 20).build()).await;
        let ada = pull.app.admin();
        let job = ada.get("/sync/last/freshservice").await.ok()["id"].as_str().expect("a job").to_owned();
        let text = page(&ada, &format!("/admin/jobs/{job}")).await.status(200).text();
        assert!(text.contains("<p class=\"lead\">") && text.contains("It read 4 companies, 20 contacts"), "{text}");
        let centre = page(&ada, "/admin/").await.status(200).text();
        assert!(centre.contains("Up to date") && centre.contains("The scheduler is off"), "{centre}");
    }

    async fn data_is_cleared_behind_a_backup_and_a_typed_word_and_comes_back(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(4, 20).build()).await;
        let ada = pull.app.admin();
        let hand = ada.post("/api/contacts", &json!({"name": "By Hand", "email": "hand@example.com"})).await.status(201).json()["id"].clone();
        let clear = |confirm: &'static str| [("data_type", "contacts"), ("confirm", confirm)];
        assert!(form(&ada, "/admin/clear-data", &clear("yes")).await.status(400).text().contains("Nothing was cleared"));
        assert!(form(&ada, "/admin/clear-data", &clear("clear contacts")).await.status(409).text().contains("Back up first"));
        form(&ada, "/admin/clear-data", &[("data_type", "users"), ("confirm", "clear users")]).await.status(400);
        form(&pull.app.technician(), "/admin/clear-data", &clear("clear contacts")).await.status(403);
        form(&ada, "/admin/sync/backup", &[]).await.status(303);
        eventually("the backup is made", 60, || async { ada.get("/sync/last/backup").await.ok()["status"] == "completed" }).await;
        assert_eq!(pull.contacts().await.len(), 21);
        form(&ada, "/admin/clear-data", &clear("clear contacts")).await.status(303);
        assert_eq!((pull.contacts().await.len(), pull.companies().await.len()), (0, 4));
        // The vendor still lists its twenty: they are no decisions of a person, one by one. The other one comes back by an undo.
        pull.run(&[]).await.code(0);
        assert_eq!(pull.contacts().await.len(), 20);
        let history = ada.get(&format!("/api/history/contact/{hand}")).await.ok();
        assert_eq!(history["changes"][0]["reason"], "data cleared");
        let log = page(&ada, "/admin/audit?action=retire&entity=contact").await.status(200).text();
        assert!(log.contains("By Hand") && log.contains("data cleared") && log.contains("Undo all"), "{log}");
        assert!(!page(&ada, "/admin/audit?actor=nobody").await.status(200).text().contains("By Hand"));
    }

    async fn an_asset_has_a_label_with_codes(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        let id = app.asset("LT-A00001", "100001").await["id"].clone();
        let tess = app.technician();
        let plain = page(&tess, &format!("/assets/{id}/label")).await.status(200).text();
        assert!(plain.contains("QR code of this asset") && plain.contains("Acme Dental") && !plain.contains("Code 128 of"), "{plain}");
        tess.put(&format!("/api/assets/{id}"), &json!({"serial_number": "PF-3XK9Q2"})).await.status(200);
        let label = page(&tess, &format!("/assets/{id}/label")).await.status(200).text();
        assert!(label.contains("Code 128 of the serial number") && label.contains("S/N PF-3XK9Q2"), "{label}");
    }
}
