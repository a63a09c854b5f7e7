//! Views that people save of their lists.

use serde_json::json;

use crate::support::{App, Engine, both};

both! {
    async fn a_view_is_kept_shared_and_ended(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (tess, ada) = (app.technician(), app.admin());
        let wanted = json!({"list": "/assets/", "name": "Servers", "query": "?type=server&page=3&sort=-last_seen&view=9&q="});
        let made = tess.post("/api/views", &wanted).await.status(201).json();
        assert_eq!((&made["list"], &made["query"]), (&json!("assets"), &json!("type=server&sort=-last_seen")), "{made}");
        assert_eq!((&made["is_own"], &made["shared"]), (&json!(true), &json!(false)));
        let at = format!("/api/views/{}", made["id"]);
        // Nobody else knows of it until it is shared, and then only its maker and administrators change it.
        ada.get(&at).await.status(404);
        ada.put(&at, &json!({"shared": true})).await.status(404);
        tess.put(&at, &json!({"shared": true, "name": "All servers"})).await.status(200);
        let seen = ada.get("/api/views?list=assets").await.ok();
        assert_eq!((&seen[0]["name"], &seen[0]["is_own"]), (&json!("All servers"), &json!(false)), "{seen}");
        assert_eq!(ada.get("/api/views?list=contacts").await.ok(), json!([]));
        let bella = app.billing();
        bella.put(&at, &json!({"name": "Mine"})).await.status(403);
        bella.delete(&at).await.status(403);
        // Anybody who sees it may open the list with it.
        assert_eq!(bella.put(&at, &json!({"is_default": true})).await.ok()["is_default"], json!(true));
        assert_eq!(tess.get(&at).await.ok()["is_default"], json!(false));
        tess.put(&at, &json!({"shared": false})).await.status(200);
        bella.get(&at).await.status(404);
        tess.delete(&at).await.status(204);
        tess.get(&at).await.status(404);
    }

    async fn wrong_views_are_refused_by_the_name_of_the_field(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        let list = "must be the path of a list's page, like assets or network/equipment";
        for (sent, field, why) in [
            (json!({"name": "x"}), "list", "is required"),
            (json!({"list": "https://elsewhere.example", "name": "x"}), "list", list),
            (json!({"list": "assets"}), "name", "is required"),
            (json!({"list": "assets", "name": "x".repeat(61)}), "name", "60"),
        ] {
            let answer = tess.post("/api/views", &sent).await.status(400).json();
            let error = &answer["errors"][0];
            assert_eq!(error["field"], field, "{answer}");
            assert!(error["message"].as_str().is_some_and(|text| text.contains(why)), "{answer}");
        }
        let twice = json!({"list": "assets", "name": "Twice"});
        tess.post("/api/views", &twice).await.status(201);
        tess.post("/api/views", &json!({"list": "assets", "name": "twice"})).await.status(409);
        app.admin().post("/api/views", &twice).await.status(201);
        // What a client may never do is no wrong field.
        app.company("100001", "Acme").await;
        let client = app.client_of("cleo", "100001").await;
        let refused = client.post("/api/views", &json!({"list": "assets", "name": "Ours", "shared": true})).await.status(403);
        assert!(refused.error().starts_with("shared:"), "{}", refused.text());
        client.post("/api/views", &json!({"list": "assets", "name": "Ours", "shared": false})).await.status(201);
    }

    async fn a_list_opens_with_the_view_that_somebody_chose(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        app.asset("LT-A00001", "100001").await;
        app.asset("SRV-1", "100001").await;
        let tess = app.technician();
        let wanted = json!({"list": "assets", "name": "Servers", "query": "hostname__ic=srv&col=serial_number", "is_default": true});
        let id = tess.post("/api/views", &wanted).await.status(201).json()["id"].clone();
        let page = async |path: &str| tess.get_with(path, "accept", "text/html").await.status(200).text();
        let opened = page("/assets/").await;
        assert!(opened.contains("SRV-1") && !opened.contains("LT-A00001"), "{opened}");
        assert!(opened.contains(&format!("view={id}\" aria-current=\"page\"")) && opened.contains("Serial number </a>"), "{opened}");
        let all = page("/assets/?view=all").await;
        assert!(all.contains("SRV-1") && all.contains("LT-A00001"), "{all}");
        // The API knows nothing of it.
        assert_eq!(tess.get("/api/assets").await.ok().as_array().map(Vec::len), Some(2));
        // What is shown otherwise than the view says can be kept in it.
        assert!(page(&format!("/assets/?hostname__ic=lt&view={id}")).await.contains("Save changes to Servers"));
        assert!(!page(&format!("/assets/?hostname__ic=srv&col=serial_number&view={id}")).await.contains("Save changes to"));
    }

    async fn a_view_of_which_a_field_is_gone_leads_to_the_whole_list(engine: Engine) {
        let app = App::start_on(&engine).await;
        let field = json!({"type": "asset", "key": "rack", "label": "Rack", "kind": "number"});
        let field = app.admin().post("/api/custom_fields", &field).await.status(201).json()["id"].clone();
        let tess = app.technician();
        let wanted = json!({"list": "assets", "name": "Rack 4", "query": "cf.rack=4", "is_default": true});
        tess.post("/api/views", &wanted).await.status(201);
        let page = async |path: &str| tess.get_with(path, "accept", "text/html").await;
        page("/assets/").await.status(200);
        app.admin().delete(&format!("/api/custom_fields/{field}")).await.status(200);
        let refused = page("/assets/").await.status(400).text();
        assert!(refused.contains("cf.rack") && refused.contains("href=\"/assets/?view=all\""), "{refused}");
        let all = page("/assets/?view=all").await.status(200).text();
        assert!(all.contains("Rack 4"), "it can still be chosen, changed and deleted: {all}");
        let other = page("/assets/?cf.rack=4").await.status(400).text();
        assert!(!other.contains("view=all"), "{other}");
    }

    async fn a_list_compares_any_field_and_turns_to_any_page(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        for n in 1..=5 {
            app.asset(&format!("PC-{n}"), "100001").await;
        }
        app.admin().put("/api/assets/2", &json!({"serial_number": "ABC123"})).await.status(200);
        let tess = app.technician();
        let page = async |path: &str| tess.get_with(path, "accept", "text/html").await.status(200).text();
        let rows = |html: &str| (1..=5).filter(|n| html.contains(&format!(">PC-{n}<"))).collect::<Vec<_>>();
        for (asked, found) in [
            ("where=serial_number&test=filled", vec![2]),
            ("where=serial_number&test=empty&value=", vec![1, 3, 4, 5]),
            ("where=serial_number&test=is&value=ABC123", vec![2]),
            ("where=serial_number&test=ic&value=bc1", vec![2]),
            ("where=serial_number&test=ne&value=abc123", vec![1, 3, 4, 5]),
            ("where=hostname&test=in&value=PC-1,PC-4", vec![1, 4]),
            ("where=hostname&test=gte&value=PC-4", vec![4, 5]),
            ("where=hostname&test=ic&value=", vec![1, 2, 3, 4, 5]),
            ("per_page=2&page=3", vec![5]),
        ] {
            let html = page(&format!("/assets/?{asked}")).await;
            assert_eq!(rows(&html), found, "{asked}");
        }
        let html = page("/assets/?per_page=2&page=2&hostname__ic=pc").await;
        for told in ["of 3</label>", "<option value=\"2\" selected>2</option>", "<input type=\"hidden\" name=\"hostname__ic\" value=\"pc\">"] {
            assert!(html.contains(told), "{told}: {html}");
        }
    }
}
