//! What a person did stays until a person says otherwise: pins, retirements by hand, links.

use serde_json::json;

use crate::freshservice::{State, department, requester};
use crate::support::{Engine, Pull, both};

fn world() -> State {
    State {
        departments: vec![department(21_001, "Acme Dental", Some(204_729))],
        requesters: vec![requester(39_001, "Ava", Some("Patel"), Some("ava@acme.example.com"), &[21_001])],
        ..State::default()
    }
}

both! {
    async fn a_persons_edit_survives_and_a_services_does_not(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        pull.app.technician().put("/api/companies/204729", &json!({"name": "Acme (our name)"})).await.status(200);
        pull.app.service().put("/api/companies/204729", &json!({"billing_plan": "Ledger's plan"})).await.status(200);
        pull.run(&[]).await.code(0);
        let company = pull.app.service().get("/api/companies/204729").await.ok();
        assert_eq!(company["name"], "Acme (our name)", "a person's edit pins");
        assert_eq!(company["billing_plan"], "Gold", "a service's does not");
        pull.vendor.world(|state| state.change(21_001, |acme| {
            acme["name"] = json!("Acme renamed upstream");
            acme["description"] = json!("New words");
        }));
        pull.run(&["--full"]).await.code(0);
        let company = pull.app.service().get("/api/companies/204729").await.ok();
        assert_eq!((&company["name"], &company["description"]), (&json!("Acme (our name)"), &json!("New words")), "only the field is pinned");
    }

    async fn a_service_pins_on_request(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        pull.app.service().put("/api/companies/204729?pin=true", &json!({"billing_plan": "Pinned plan"})).await.status(200);
        pull.run(&[]).await.code(0);
        assert_eq!(pull.app.service().get("/api/companies/204729").await.ok()["billing_plan"], "Pinned plan");
    }

    async fn clearing_a_field_is_an_edit_too(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        pull.app.technician().put("/api/companies/204729", &json!({"address": null})).await.status(200);
        pull.run(&[]).await.code(0);
        assert!(pull.app.service().get("/api/companies/204729").await.ok()["address"].is_null());
    }

    async fn what_a_person_retired_stays_retired(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        let ava = pull.contact_of("ava@acme.example.com").await.unwrap();
        pull.app.technician().delete(&format!("/api/contacts/{}", ava["id"])).await.status(200);
        pull.run(&[]).await.code(0);
        assert!(pull.contact_of("ava@acme.example.com").await.is_none());
    }

    async fn a_contact_made_here_is_adopted_by_its_e_mail_once(engine: Engine) {
        let pull = Pull::start(&engine, world()).await;
        let made = pull.app.contact("Ava by hand", "AVA@acme.example.com", &[]).await;
        pull.run(&[]).await.code(0);
        let contacts = pull.contacts().await;
        assert_eq!((contacts.len(), &contacts[0]["id"]), (1, &made["id"]));
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
    }

    async fn a_company_made_here_is_adopted_by_its_number(engine: Engine) {
        let pull = Pull::start(&engine, world()).await;
        let made = pull.app.company("204729", "Acme by hand").await;
        pull.run(&[]).await.code(0);
        let companies = pull.companies().await;
        assert_eq!((companies.len(), &companies[0]["id"], &companies[0]["freshservice_id"]), (1, &made["id"], &json!(21_001)));
    }

    async fn the_page_says_where_a_value_came_from(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        let page = async || pull.app.technician().get_with("/companies/204729", "accept", "text/html").await.status(200).text();
        assert!(page().await.to_lowercase().contains("freshservice"));
        pull.app.technician().put("/api/companies/204729", &json!({"name": "Acme (our name)"})).await.status(200);
        let text = page().await;
        assert!(text.contains("Acme Dental") && text.contains("tess"), "old value and who changed it are in the history");
        assert!(text.to_lowercase().contains("pin"), "the pin is shown");
    }
}
