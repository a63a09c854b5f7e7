//! The change feed: ordered, without gaps, complete, whoever writes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

/// Reads the feed from a cursor to its present end; gives the changes and the new cursor.
async fn follow(api: &Api, since: &mut i64, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page = api.get(&format!("/api/changes?since={since}&limit={limit}")).await.ok();
        let changes = page["changes"].as_array().unwrap_or_else(|| panic!("no changes in {page}")).clone();
        let Some(last) = changes.last() else { return all };
        *since = seq(last);
        all.extend(changes);
    }
}

fn seq(change: &Value) -> i64 {
    change["seq"].as_i64().unwrap_or_else(|| panic!("no seq in {change}"))
}

both! {
    async fn what_happens_to_accounts_is_told_to_administrators_and_services(engine: Engine) {
        let app = App::start_on(&engine).await;
        let form = [("username", "newton"), ("name", "Newton"), ("email", "newton@msp.example"), ("role", "technician"), ("password", "a long enough password"), ("password_again", "a long enough password")];
        app.admin().send(reqwest::Method::POST, "/admin/users/new", |request| request.form(&form)).await.status(303);
        let path = "/api/changes?types=user&limit=1000";
        for api in [app.admin(), app.service()] {
            let told = api.get(path).await.text();
            assert!(told.contains("newton"), "{told}");
        }
        let told = app.technician().get(path).await;
        assert!(!told.text().contains("newton"), "{}", told.text());
        let changes = told.ok()["changes"].as_array().unwrap().clone();
        let made = changes.iter().rfind(|change| change["action"] == "create").unwrap();
        let fields = made["fields"].as_object().unwrap();
        assert!(fields.contains_key("username") && fields.values().all(|value| *value == json!({"withheld": true})), "{fields:?}");
        let user = &made["entity_id"];
        assert!(!app.technician().get(&format!("/api/history/user/{user}")).await.text().contains("newton"));
    }

    async fn a_reader_misses_nothing_while_several_processes_write(engine: Engine) {
        let first = App::start_on(&engine).await;
        let second = first.beside().await;
        let stop = Arc::new(AtomicBool::new(false));
        let reader = {
            let (api, stop) = (first.service(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut since, mut seen) = (0, Vec::new());
                loop {
                    let last_look = stop.load(Ordering::SeqCst);
                    seen.extend(follow(&api, &mut since, 7).await);
                    if last_look {
                        return seen;
                    }
                }
            })
        };
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let api = if writer % 2 == 0 { first.admin() } else { second.admin() };
            writers.spawn(async move {
                for number in 0..15 {
                    let account = format!("W{writer}-{number}");
                    let reply = api.post("/api/companies", &json!({"account_number": account, "name": account})).await;
                    assert_eq!(reply.status, 201, "{}", reply.text());
                }
            });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        let seen = reader.await.unwrap();
        let numbers: Vec<i64> = seen.iter().map(seq).collect();
        for pair in numbers.windows(2) {
            assert_eq!(pair[1], pair[0] + 1, "a gap or a step back in the feed");
        }
        let created: BTreeSet<i64> =
            seen.iter().filter(|change| change["entity"] == "company" && change["action"] == "create").map(|change| change["entity_id"].as_i64().unwrap()).collect();
        assert_eq!(created.len(), 120);
    }

    async fn the_feed_filters_and_refuses_nonsense(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await;
        app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        app.admin().put("/api/companies/100001", &json!({"description": "new"})).await.status(200);
        let service = app.service();
        let only = service.get("/api/changes?since=0&types=company").await.ok();
        let entities: BTreeSet<&str> = only["changes"].as_array().unwrap().iter().map(|change| change["entity"].as_str().unwrap()).collect();
        assert_eq!(entities, BTreeSet::from(["company"]));
        let of_one = service.get(&format!("/api/changes?since=0&entity=company:{}", company["id"])).await.ok();
        let actions: Vec<&str> = of_one["changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["create", "update"]);
        let update = &of_one["changes"][1];
        assert_eq!(update["fields"]["description"], json!({"old": null, "new": "new"}), "old and new value of {update}");
        assert!(update["actor"].to_string().contains("ada"), "who did it: {update}");
        for wrong in ["since=-1", "since=abc", "types=nonsense", "entity=nonsense"] {
            let reply = service.get(&format!("/api/changes?{wrong}")).await;
            assert_eq!(reply.status, 400, "{wrong}: {}", reply.text());
            assert!(reply.text().contains(wrong.split('=').next().unwrap()), "{wrong}: {}", reply.text());
        }
        // Both names are sent and understood.
        let page = service.get("/api/changes?since=0&limit=1").await.ok();
        assert_eq!((page["cursor"].as_i64(), &page["since"]), (page["changes"][0]["seq"].as_i64(), &page["cursor"]), "{page}");
        let next = service.get(&format!("/api/changes?cursor={}", page["cursor"])).await.ok();
        assert_eq!(next, service.get(&format!("/api/changes?since={}", page["since"])).await.ok());
        assert!(next["changes"].as_array().unwrap().iter().all(|change| change["seq"].as_i64() > page["cursor"].as_i64()), "{next}");
        assert_eq!(service.get("/api/changes?cursor=1&since=2").await.status(400).fields(), ["cursor"]);
        let later = service.get("/api/changes?since=999999999").await;
        assert_eq!(later.status, 410, "{}", later.text());
    }

    async fn an_update_that_changes_nothing_leaves_no_trace(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let service = app.service();
        let (mut since, before) = (0, service.get("/api/companies/100001").await.status(200));
        follow(&service, &mut since, 100).await;
        app.admin().put("/api/companies/100001", &json!({"name": "Acme"})).await.status(200);
        assert_eq!(follow(&service, &mut since, 100).await, Vec::<Value>::new());
        let after = service.get("/api/companies/100001").await.status(200);
        assert_eq!(before.header("etag"), after.header("etag"));
    }
}
