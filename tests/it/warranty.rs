//! Warranties and contracts in four states: as filters, on pages, on the dashboard.

use serde_json::{Value, json};

use crate::licences::day;
use crate::support::{Api, App, Engine, both};

async fn names(api: &Api, path: &str, member: &str) -> Vec<String> {
    let list = api.get(path).await.ok();
    list.as_array().unwrap().iter().map(|one| one[member].as_str().unwrap().to_owned()).collect()
}

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

const ENDS: [(&str, Option<i64>, &str); 6] = [
    ("a", Some(91), "in"),
    ("b", Some(90), "ending"),
    ("c", Some(0), "ending"),
    ("d", Some(-1), "expired"),
    ("e", None, "unknown"),
    ("f", Some(400), "in"),
];

both! {
    async fn the_state_of_a_warranty_and_of_a_contract_is_told_by_its_day(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.technician();
        app.company("200000", "Others").await;
        for (number, (name, ahead, _)) in (1..).zip(ENDS) {
            let ends = ahead.map_or(Value::Null, |ahead| json!(day(ahead)));
            let asset = json!({"hostname": name, "company_account_number": "200000", "warranty_expires": ends});
            api.post("/api/assets", &asset).await.status(201);
            let company = json!({"account_number": format!("10000{number}"), "name": name, "contract_end_date": ends});
            api.post("/api/companies", &company).await.status(201);
        }
        for state in ["in", "ending", "expired", "unknown"] {
            let wanted: Vec<&str> = ENDS.iter().filter(|(.., known)| *known == state).map(|(name, ..)| *name).collect();
            assert_eq!(names(&api, &format!("/api/assets?warranty={state}"), "hostname").await, wanted, "{state}");
            assert_eq!(names(&api, &format!("/api/companies/200000/assets?warranty={state}"), "hostname").await, wanted, "{state}");
            let companies = names(&api, &format!("/api/companies?contract={state}&account_number__lte=100009"), "name").await;
            assert_eq!(companies, wanted, "{state}");
            let html = page(&api, &format!("/assets/?warranty={state}&columns=hostname,warranty")).await;
            assert!(html.matches("href=\"/assets/").count() >= wanted.len(), "{state}: {html}");
        }
        assert_eq!(names(&api, "/api/assets?warranty=ending,expired", "hostname").await, ["b", "c", "d"]);
        assert_eq!(names(&api, "/api/assets?warranty__in=EXPIRED", "hostname").await, ["d"]);
        for (path, field) in [("/api/assets?warranty=soon", "warranty"), ("/api/companies?contract=1", "contract"), ("/api/assets?warranty__in=in,x", "warranty__in")] {
            let refused = api.get(path).await.status(400);
            assert_eq!(refused.fields(), [field]);
            assert!(refused.text().contains("ending") && refused.text().contains("unknown"), "{}", refused.text());
        }
        assert!(page(&api, "/assets/4").await.contains("Expired"), "a fact says so");
        assert!(page(&api, "/companies/100002").await.contains("Ending within 90 days"));
        let company = page(&api, "/companies/200000").await;
        assert!(company.contains("2 warranties ending") && company.contains("company_account_number=200000&#38;warranty=ending"), "{company}");
        let dashboard = page(&api, "/").await;
        assert!(dashboard.contains(">2</span></td><td class=\"cell--main\"><a href=\"/assets/?warranty=ending&#38;sort=warranty_expires\">warranties end within 90 days") && dashboard.contains("contracts end within 90 days"), "{dashboard}");
        assert!(dashboard.contains("/assets/?warranty=ending") && dashboard.contains("/companies/?contract=ending"), "{dashboard}");
        assert!(page(&api, "/companies/?contract=expired").await.contains("href=\"/companies/100004\""));
    }

    async fn the_day_is_the_offices(engine: Engine) {
        // It is another day in one of these zones, whatever the time is.
        let mut told = Vec::new();
        for zone in ["Pacific/Kiritimati", "Etc/GMT+12"] {
            let app = App::builder(&engine).env("CODEX_DISPLAY_TIME_ZONE", zone).start().await;
            app.company("100001", "Acme").await;
            for ahead in [-1, 0] {
                let body = json!({"hostname": format!("LT{ahead}"), "company_account_number": "100001", "warranty_expires": day(ahead)});
                app.admin().post("/api/assets", &body).await.status(201);
            }
            told.push(names(&app.service(), "/api/assets?warranty=expired", "hostname").await);
        }
        assert_ne!(told[0], told[1], "a day ends earlier in the east");
    }
}
