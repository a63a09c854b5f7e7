//! Pages about oneself and for administrators, as forms that work without scripts.

use reqwest::Method;

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
}
