//! What a write with an `Idempotency-Key` answers when it is sent again, after what it showed became protected.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, Reply, both};

async fn keyed(api: &Api, method: Method, path: &str, key: &str, body: &Value) -> Reply {
    api.send(method, path, |request| request.header("idempotency-key", key).json(body)).await
}

both! {
    async fn what_became_protected_is_not_repeated(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("300001", "Clinic").await;
        let contact = app.contact("Quentin", "quentin@clinic.example", &["300001"]).await;
        let path = format!("/api/contacts/{}", contact["id"]);
        let (service, admin) = (app.service(), app.admin());
        let (vip, head) = (json!({"vip_user": true}), json!({"head_name": "Quentin"}));
        let device = json!({"hostname": "PC-Q", "company_account_number": "300001", "last_logged_in_user": "quentin"});
        for round in 0..2 {
            let answers = [
                keyed(&service, Method::PUT, &path, "k-1", &vip).await.status(200),
                keyed(&service, Method::PUT, "/api/companies/300001", "k-2", &head).await.status(200),
                keyed(&service, Method::POST, "/api/assets", "k-3", &device).await.status(201),
            ];
            for answer in answers {
                assert!(answer.text().to_lowercase().contains("quentin"), "{}", answer.text());
                assert_eq!(answer.header("idempotency-replayed"), if round == 0 { "" } else { "true" });
            }
        }
        admin.put("/api/companies/300001", &json!({"compliance_level": "cjis"})).await.ok();
        for (method, path, key, body, status) in [
            (Method::PUT, path.as_str(), "k-1", &vip, 200),
            (Method::PUT, "/api/companies/300001", "k-2", &head, 200),
            (Method::POST, "/api/assets", "k-3", &device, 201),
        ] {
            let again = keyed(&service, method, path, key, body).await.status(status);
            assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
            assert!(!again.text().to_lowercase().contains("quentin"), "{}", again.text());
            assert!(again.json()["id"].is_i64() && again.json()["withheld"].is_string(), "{}", again.text());
        }
        assert_eq!(app.database.number("SELECT count(*) FROM assets WHERE hostname = 'PC-Q'"), 1, "done once");
    }

    async fn a_device_that_became_a_protected_persons_is_not_repeated(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("300001", "Shop").await;
        app.admin().post("/api/companies", &json!({"account_number": "300002", "name": "Clinic", "compliance_level": "hipaa"})).await.status(201);
        let quentin = app.contact("Quentin", "quentin@clinic.example", &["300002"]).await["id"].clone();
        let device = json!({"hostname": "PC-Q", "company_account_number": "300001", "int_ip_address": "10.66.66.63"});
        let service = app.service();
        let first = keyed(&service, Method::POST, "/api/assets", "k-3", &device).await.status(201);
        assert!(first.text().contains("10.66.66.63"));
        let asset = first.json()["id"].clone();
        app.technician().put(&format!("/assets/{asset}/update-contacts"), &json!({"contact_ids": [quentin]})).await.ok();
        let again = keyed(&service, Method::POST, "/api/assets", "k-3", &device).await.status(201);
        assert!(!again.text().contains("10.66.66.63"), "{}", again.text());
    }

    async fn who_reads_a_repeated_answer_is_noted_too(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.admin().post("/api/companies", &json!({"account_number": "300001", "name": "Clinic", "compliance_level": "hipaa"})).await.status(201);
        let contact = app.contact("Quentin", "quentin@clinic.example", &["300001"]).await;
        let path = format!("/api/contacts/{}", contact["id"]);
        let technician = app.technician();
        for _ in 0..3 {
            keyed(&technician, Method::PUT, &path, "k-1", &json!({"vip_user": true})).await.status(200);
        }
        app.stop().await;
        let noted = "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM disclosures
                     WHERE caller = 'tess' AND method = 'PUT' AND entity = 'contact'";
        assert_eq!(app.database.number(noted), 3);
    }
}
