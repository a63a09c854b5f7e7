//! Several records changed or retired at once on a page: shown first, done as one, undone as one.

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, Reply, both};

async fn three_devices(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    app.company("100001", "Acme Dental").await;
    app.company("100002", "Beta Law").await;
    for n in 1..=3 {
        app.asset(&format!("PC-{n}"), "100001").await;
    }
    app
}

async fn form(api: &Api, path: &str, sent: impl Into<String>) -> Reply {
    api.post_raw(path, "application/x-www-form-urlencoded", sent.into()).await
}

both! {
    async fn several_are_changed_after_a_preview_and_undone_as_one(engine: Engine) {
        let app = three_devices(&engine).await;
        let tess = app.technician();
        app.admin().put("/api/assets/3", &json!({"status": "spare"})).await.status(200);
        let page = tess.get_with("/bulk/assets?ids=1,2,3", "accept", "text/html").await.status(200).text();
        assert!(page.contains("Change 3 assets") && page.contains("PC-2") && page.contains("Leave as it is"), "{page}");
        assert!(!page.contains("name=\"hostname\""), "a name is one record's: {page}");
        let seen = form(&tess, "/bulk/assets", "ids=1,2,3&status=spare&company_account_number=").await.status(200).text();
        assert!(seen.contains("2 of 3 assets would be changed") && seen.contains("Change 2 assets"), "{seen}");
        assert!(seen.contains("PC-1") && seen.contains("<ins>spare</ins>") || seen.contains("<ins>Spare</ins>"), "{seen}");
        assert_eq!(tess.get("/api/assets/1").await.ok()["status"], "active", "nothing was done yet");
        let done = form(&tess, "/bulk/assets", "ids=1,2,3&status=spare&confirmed=true").await.status(303);
        let back = done.header("location").to_owned();
        for id in 1..=3 {
            assert_eq!(tess.get(&format!("/api/assets/{id}")).await.ok()["status"], "spare");
        }
        let page = tess.get_with(&back, "accept", "text/html").await.status(200).text();
        let undo = page.split("action=\"").filter_map(|rest| rest.split('"').next()).find(|action| action.ends_with("/undo"));
        form(&tess, undo.expect("an undo"), "").await.status(303);
        assert_eq!(tess.get("/api/assets/2").await.ok()["status"], "active");
        assert_eq!(tess.get("/api/assets/3").await.ok()["status"], "spare", "what was so before stays");
    }

    async fn several_are_assigned_to_somebody_of_their_company(engine: Engine) {
        let app = three_devices(&engine).await;
        let tess = app.technician();
        let ava = app.contact("Ava Patel", "ava@acme.example", &["100001"]).await["id"].clone();
        let bea = app.contact("Bea Long", "bea@beta.example", &["100002"]).await["id"].clone();
        let far = app.asset("PC-9", "100002").await["id"].clone();
        let page = tess.get_with("/bulk/assets?ids=1,2", "accept", "text/html").await.status(200).text();
        assert!(page.contains("Assigned to") && page.contains("Ava Patel") && !page.contains("Bea Long"), "{page}");
        let mixed = tess.get_with(&format!("/bulk/assets?ids=1,{far}"), "accept", "text/html").await.status(200).text();
        assert!(mixed.contains("Choose assets of one company") && !mixed.contains("Ava Patel"), "{mixed}");
        let users = async |id: i64| {
            let asset = tess.get(&format!("/api/assets/{id}")).await.ok();
            Value::Array(asset["contacts"].as_array().unwrap().iter().map(|contact| contact["id"].clone()).collect())
        };
        let seen = form(&tess, "/bulk/assets", format!("ids=1,2&assigned_to={ava}")).await.status(200).text();
        assert!(seen.contains("2 of 2 assets would be changed"), "{seen}");
        assert_eq!(users(1).await, json!([]), "nothing was done yet");
        form(&tess, "/bulk/assets", format!("ids=1,2&assigned_to={ava}&confirmed=true")).await.status(303);
        assert_eq!([users(1).await, users(2).await, users(3).await], [json!([ava]), json!([ava]), json!([])]);
        form(&tess, "/bulk/assets", "ids=1,3&assigned_to=nobody&confirmed=true").await.status(303);
        assert_eq!([users(1).await, users(2).await], [json!([]), json!([ava])]);
        form(&tess, "/bulk/assets", format!("ids=1&assigned_to={bea}999&confirmed=true")).await.status(400);
        assert_eq!(users(1).await, json!([]));
    }

    async fn what_is_wrong_is_said_and_nothing_is_done(engine: Engine) {
        let app = three_devices(&engine).await;
        let tess = app.technician();
        let nothing = form(&tess, "/bulk/assets", "ids=1,2&status=").await.status(400).text();
        assert!(nothing.contains("Fill in what is to change."), "{nothing}");
        let wrong = form(&tess, "/bulk/assets", "ids=1,2&warranty_expires=soon&confirmed=true").await.status(400).text();
        assert!(wrong.contains("field-error"), "{wrong}");
        for ids in ["", "x", "1,,2"] {
            form(&tess, "/bulk/assets", &format!("ids={ids}&status=spare")).await.status(400);
        }
        app.admin().put("/api/assets/1", &json!({"contact_ids": []})).await.status(200);
        let seen = form(&tess, "/bulk/assets/retire", "ids=1,2").await.status(200).text();
        assert!(seen.contains("2 of 2 assets would be retired") && seen.contains("Retire 2 assets"), "{seen}");
        form(&tess, "/bulk/assets/retire", "ids=1,2&confirmed=true").await.status(303);
        assert_eq!(tess.get("/api/assets").await.ok().as_array().map(Vec::len), Some(1));
        // A company with something attached does not retire, and neither do the others.
        let ada = app.admin();
        let refused = form(&ada, "/bulk/companies/retire", "ids=1,2&confirmed=true").await.status(409).text();
        assert!(refused.contains("still attached") && refused.contains("nothing was done"), "{refused}");
        assert_eq!(ada.get("/api/companies").await.ok().as_array().map(Vec::len), Some(2));
    }
}
