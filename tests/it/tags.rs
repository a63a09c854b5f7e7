//! Tags: on records of any kind, in lists, renamed, merged, retired, on many records at once.

use serde_json::{Value, json};

use crate::support::{App, Engine, both};

async fn tag(app: &App, name: &str, color: &str) -> Value {
    app.technician().post("/api/tags", &json!({"name": name, "color": color})).await.status(201).json()["id"].clone()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn world(engine: &Engine) -> (App, Value, Value) {
    let app = App::start_on(engine).await;
    let (vip, lab) = (tag(&app, "VIP", "purple").await, tag(&app, "Lab", "green").await);
    for (account, name) in [("1", "Alpha"), ("2", "Bravo"), ("3", "Charlie")] {
        app.company(account, name).await;
    }
    (app, vip, lab)
}

both! {
    async fn records_are_tagged_and_found(engine: Engine) {
        let (app, _, _) = world(&engine).await;
        let api = app.technician();
        let put = api.put("/api/companies/1", &json!({"tags": ["vip", "Lab"]})).await.status(200).json();
        assert_eq!(put["tags"], json!(["Lab", "VIP"]), "{put}");
        api.put("/api/companies/2", &json!({"tags": ["Lab"]})).await.status(200);
        for (query, found) in [("tag=lab", vec!["Alpha", "Bravo"]), ("tag=lab&tag=vip", vec!["Alpha"]), ("tag=none", vec![])] {
            assert_eq!(names(&api.get(&format!("/api/companies?{query}")).await.ok()), found, "{query}");
        }
        assert_eq!(api.get("/api/companies").await.ok()[2]["tags"], json!([]));
        assert_eq!(api.put("/api/companies/1", &json!({"tags": ["Other"]})).await.status(400).fields(), ["tags"]);
        let html = api.get_with("/companies/1", "accept", "text/html").await.status(200).text();
        assert!(html.contains("tag--purple\">VIP<"), "{html}");
        let list = api.get_with("/companies/?col=name&col=tags&tag=Lab", "accept", "text/html").await.status(200).text();
        assert!(list.contains("tag--green\">Lab<") && list.contains("Tag: Lab") && list.contains("data-tag-action=\"/records/company/tags\""), "{list}");
        let found = api.get("/api/tags").await.ok();
        assert_eq!((&found[0]["name"], &found[0]["records"]), (&json!("Lab"), &json!(2)), "{found}");
        assert!(app.client_of("carl", "1").await.get("/api/companies/1").await.ok().get("tags").is_none());
    }

    async fn a_tag_is_renamed_merged_and_retired(engine: Engine) {
        let (app, vip, lab) = world(&engine).await;
        let api = app.technician();
        api.put("/api/companies/1", &json!({"tags": ["VIP", "Lab"]})).await.status(200);
        api.put("/api/companies/2", &json!({"tags": ["Lab"]})).await.status(200);
        let seen = api.get("/api/companies/2").await.status(200).header("etag").to_owned();
        api.put(&format!("/api/tags/{lab}"), &json!({"name": "Laboratory", "color": "teal"})).await.status(200);
        let now = api.get_with("/api/companies/2", "if-none-match", &seen).await.status(200).json();
        assert_eq!(now["tags"], json!(["Laboratory"]));
        assert_eq!(api.get("/api/companies").await.ok()[1]["tags"], json!(["Laboratory"]));
        api.put(&format!("/api/tags/{lab}"), &json!({"name": "vip"})).await.status(409);
        assert_eq!(api.put(&format!("/api/tags/{lab}"), &json!({"color": "beige", "name": "a,b"})).await.status(400).fields(), ["color", "name"]);
        assert_eq!(app.admin().post(&format!("/api/tags/{lab}/merge"), &json!({"into": lab})).await.status(400).fields(), ["into"]);
        app.admin().post(&format!("/api/tags/{lab}/merge"), &json!({"into": vip})).await.status(200);
        assert_eq!(names(&api.get("/api/companies?tag=vip").await.ok()), ["Alpha", "Bravo"]);
        assert_eq!(names(&api.get("/api/tags").await.ok()), ["VIP"]);
        api.delete(&format!("/api/tags/{vip}")).await.status(200);
        assert!(api.get("/api/companies/1").await.ok().get("tags").is_none(), "no tag is in use");
        api.post(&format!("/api/tags/{vip}/restore"), &json!({})).await.status(200);
        assert_eq!(api.get("/api/companies/1").await.ok()["tags"], json!(["VIP"]));
    }

    async fn many_records_at_once(engine: Engine) {
        let (app, vip, _) = world(&engine).await;
        let api = app.technician();
        let ids: Vec<Value> = api.get("/api/companies").await.ok().as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        let path = format!("/api/tags/{vip}/records");
        let done = api.post(&path, &json!({"type": "company", "ids": ids})).await.status(200).json();
        assert_eq!(done["changed"], 3);
        assert_eq!(api.post(&path, &json!({"type": "company", "ids": [ids[0]]})).await.ok()["changed"], 0);
        assert_eq!(api.post(&path, &json!({"type": "company", "ids": [ids[0]], "remove": true})).await.ok()["changed"], 1);
        assert_eq!(names(&api.get("/api/companies?tag=VIP").await.ok()), ["Bravo", "Charlie"]);
        for (body, field) in [(json!({"type": "toaster", "ids": [1]}), "type"), (json!({"type": "company", "ids": [999]}), "ids"), (json!({"type": "company"}), "ids")] {
            assert_eq!(api.post(&path, &body).await.status(400).fields(), [field], "{body}");
        }
        let past = api.get(&format!("/api/history/company/{}", ids[0])).await.ok();
        assert_eq!(past["changes"][0]["fields"]["tags"], json!({"old": ["VIP"], "new": []}), "{past}");
        api.post(&format!("/api/changes/{}/undo", past["changes"][0]["seq"]), &json!({})).await.status(200);
        assert_eq!(api.get("/api/companies/1").await.ok()["tags"], json!(["VIP"]));
        let form = format!("ids={},{}&tag=VIP&remove=true", ids[0], ids[1]);
        let done = api.post_raw("/records/company/tags", "application/x-www-form-urlencoded", form).await.status(200).json();
        assert_eq!(done["changed"], 2);
        for path in ["/admin/tags/new", "/admin/tags/1/edit"] {
            app.admin().get_with(path, "accept", "text/html").await.status(200);
        }
    }

    async fn what_is_done_to_many_is_undone_as_one(engine: Engine) {
        let (app, vip, lab) = world(&engine).await;
        let api = app.technician();
        let ids: Vec<Value> = api.get("/api/companies").await.ok().as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        let marked = async |tag: &str| names(&api.get(&format!("/api/companies?tag={tag}")).await.ok()).len();
        let done = api.post(&format!("/api/tags/{lab}/records"), &json!({"type": "company", "ids": ids})).await.status(200).json();
        api.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200);
        assert_eq!(marked("Lab").await, 0);
        api.post(&format!("/api/tags/{lab}/records"), &json!({"type": "company", "ids": ids})).await.status(200);
        api.put("/api/companies/1", &json!({"tags": ["VIP", "Lab"]})).await.status(200);
        let again = api.post(&format!("/api/tags/{lab}/records"), &json!({"type": "company", "ids": ids})).await.status(200).json();
        assert_eq!((&again["changed"], &again["batch_id"]), (&json!(0), &Value::Null));

        let merged = app.admin().post(&format!("/api/tags/{lab}/merge"), &json!({"into": vip})).await.status(200).json();
        assert_eq!((marked("VIP").await, marked("Lab").await), (3, 0));
        let told = api.get(&format!("/api/batches/{}", merged["batch_id"])).await.ok();
        assert_eq!((&told["kind"], &told["rows"]), (&json!("merge"), &json!({"company": 3, "tag": 1})), "one change for each record");
        app.admin().post(&format!("/api/batches/{}/undo", merged["batch_id"]), &json!({})).await.status(200);
        assert_eq!((marked("VIP").await, marked("Lab").await), (1, 3));
        assert_eq!(names(&api.get("/api/tags").await.ok()), ["Lab", "VIP"]);

        // More than can wait for one another are refused.
        app.database.execute(&format!(
            "INSERT INTO record_tags (entity, record_id, tag_id) WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 11000)
             SELECT 'contact', i, {lab} FROM n"
        ));
        assert!(app.admin().post(&format!("/api/tags/{lab}/merge"), &json!({"into": vip})).await.status(409).error().contains("10000"));
    }
}
