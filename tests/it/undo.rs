//! Taking a sync run back: exactly what it did, and nothing that somebody has changed since.

use serde_json::json;

use crate::freshservice::Plan;
use crate::support::{Engine, Pull, both};

both! {
    async fn a_run_is_taken_back_and_stays_so(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(6, 30).build()).await;
        let before = (pull.companies().await, pull.contacts().await);
        let (department, requester) = pull.vendor.world(|state| (state.ids("departments")[0], state.ids("requesters")[0]));
        pull.vendor.world(|state| {
            state.change(department, |record| record["name"] = json!("Renamed by mistake"));
            state.change(requester, |record| record["job_title"] = json!("Changed by mistake"));
            state.remove(state.ids("requesters")[5]);
        });
        let report = pull.run(&["--json"]).await.code(0).json();
        let run = report["run_id"].as_i64().expect("a run");
        let kept = pull.contact_of(before.1[8]["email"].as_str().unwrap()).await.expect("a contact");
        pull.app.technician().put(&format!("/api/contacts/{}", kept["id"]), &json!({"job_title": "Set by hand"})).await.ok();

        let undone = pull.app.admin().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.ok();
        assert_eq!((undone["undone"].as_i64(), undone["refused"].as_i64()), (Some(3), Some(0)), "{undone}");
        assert_eq!(pull.company_of(department).await.expect("there")["name"], before.0.iter().find(|c| c["freshservice_id"] == department).unwrap()["name"]);
        assert_eq!(pull.contacts().await.len(), before.1.len(), "the retired contact is back");
        // What a person took back stays, and taking it back twice does nothing.
        let again = pull.run(&["--json"]).await.json();
        assert_eq!(again["applied"], 0, "{again}");
        let twice = pull.app.admin().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.ok();
        assert_eq!(twice["undone"], 0, "{twice}");
    }

    async fn what_has_changed_since_is_left_alone(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(4, 10).build()).await;
        let requester = pull.vendor.world(|state| state.ids("requesters")[0]);
        pull.vendor.world(|state| state.change(requester, |record| record["job_title"] = json!("By the sync")));
        let run = pull.run(&["--json"]).await.code(0).json()["run_id"].as_i64().expect("a run");
        let contact = pull.contacts().await.into_iter().find(|c| c["job_title"] == "By the sync").expect("synced");
        pull.app.technician().put(&format!("/api/contacts/{}", contact["id"]), &json!({"job_title": "By hand"})).await.ok();
        let undone = pull.app.admin().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.ok();
        assert_eq!((undone["undone"].as_i64(), undone["refused"].as_i64()), (Some(0), Some(1)), "{undone}");
        assert!(undone["refusals"][0].as_str().unwrap().contains("job_title has changed since"), "{undone}");
        let now = pull.app.service().get(&format!("/api/contacts/{}", contact["id"])).await.ok();
        assert_eq!(now["job_title"], "By hand");
    }

    async fn a_first_import_can_be_taken_back_whole(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(5, 20).build()).await;
        let run = pull.run(&["--json"]).await.code(0).json()["run_id"].as_i64().expect("a run");
        pull.app.technician().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.status(403);
        let undone = pull.app.admin().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.ok();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (0, 0));
        pull.app.admin().post("/api/sync/runs/999999/undo", &json!({})).await.status(404);
    }

    async fn a_job_tells_what_it_did_line_by_line(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(3, 9).build()).await;
        let job = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok()["job_id"].as_str().unwrap().to_owned();
        let events = pull.app.admin().get(&format!("/api/sync/jobs/{job}/events")).await.status(200).text();
        assert!(events.contains("event: log") && events.contains("Freshservice sync started"), "{events}");
        let log = pull.app.technician().get(&format!("/api/sync/jobs/{job}/log")).await.ok();
        assert!(log["lines"].as_array().unwrap().iter().any(|line| line["message"].as_str().unwrap().contains("requesters")), "{log}");
        pull.app.admin().get("/api/sync/jobs/none/log").await.status(404);
    }

    async fn one_change_is_taken_back_from_its_record(engine: Engine) {
        let app = crate::support::App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        app.technician().put("/api/companies/100001", &json!({"name": "Typo"})).await.ok();
        let seq = app.admin().get("/api/changes?entity=company").await.ok()["changes"].as_array().unwrap().last().unwrap()["seq"].clone();
        app.billing().post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(403);
        app.technician().post(&format!("/api/changes/{seq}/undo"), &json!({})).await.ok();
        assert_eq!(app.service().get("/api/companies/100001").await.ok()["name"], "Acme Dental");
        app.technician().put("/api/companies/100001", &json!({"name": "Third"})).await.ok();
        app.technician().post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(409);
    }

    async fn custom_fields_are_taken_back_by_administrators_with_their_values(engine: Engine) {
        let app = crate::support::App::start_on(&engine).await;
        let made = app.admin().post("/api/custom_fields", &json!({"type": "company", "key": "seats", "label": "Seats", "kind": "number"})).await.status(201).json();
        app.company("100001", "Acme").await;
        let put = async |value: &str| app.technician().put("/api/companies/100001", &json!({"cf": {"seats": value}})).await.status(200);
        put("12").await;
        let path = format!("/api/custom_fields/{}", made["id"]);
        app.admin().put(&path, &json!({"kind": "text"})).await.status(200);
        let seq = app.admin().get("/api/changes?entity=custom_field").await.ok()["changes"].as_array().unwrap().last().unwrap()["seq"].clone();
        let undo = format!("/api/changes/{seq}/undo");
        app.technician().post(&undo, &json!({})).await.status(403);
        put("canary words").await;
        let refused = app.admin().post(&undo, &json!({})).await.status(409);
        assert!(refused.error().contains("such as company ") && !refused.text().contains("canary"), "{}", refused.text());
        assert_eq!(app.admin().get(&path).await.ok()["kind"], "text");
        put("7").await;
        app.admin().post(&undo, &json!({})).await.ok();
        assert_eq!(app.admin().get(&path).await.ok()["kind"], "number");
        assert_eq!(app.technician().get("/api/companies/100001").await.ok()["cf"]["seats"], 7);
    }
}
