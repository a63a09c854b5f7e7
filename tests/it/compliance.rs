//! The people of protected companies: who sees them, who sees them masked, who does not (design §5).

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

/// Stands in every personal field of the protected people; nothing of it may reach an uncleared caller.
const CANARY: &str = "Quetzalcoatl";

async fn protected(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    for (number, name, level) in
        [("200001", "Ward Clinic", "hipaa"), ("200002", "County Sheriff", "cjis"), ("200003", "Open Books", "standard")]
    {
        let body = json!({"account_number": number, "name": name, "compliance_level": level});
        app.admin().post("/api/companies", &body).await.status(201);
        let person = |title: &str| {
            json!({
                "name": if level == "standard" { "Plain Person".to_owned() } else { format!("{CANARY} {title}") },
                "email": if level == "standard" { "plain@open.example".to_owned() } else { format!("{CANARY}{number}@ward.example") },
                "work_phone_number": format!("+1 555 77{number}"), "address": format!("1 {title} Road"), "background_information": title,
                "company_account_numbers": [number],
            })
        };
        let contact = app
            .admin()
            .post("/api/contacts", &person(if level == "standard" { "Open" } else { CANARY }))
            .await
            .status(201)
            .json();
        let asset = json!({"hostname": format!("PC-{number}"), "company_account_number": number, "contact_ids": [contact["id"]]});
        app.admin().post("/api/assets", &asset).await.status(201);
    }
    app
}

fn service(app: &App, name: &str) -> Api {
    let token = app.cli().run(&["token", "create", "--service", name]).success().stdout;
    app.with_token(token.trim())
}

async fn names(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await.ok();
    let mut names: Vec<String> = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

both! {
    async fn an_uncleared_caller_meets_no_protected_person_on_any_route(engine: Engine) {
        let app = protected(&engine).await;
        for caller in [service(&app, "brainhair"), app.billing()] {
            let mut asked = 0;
            for route in codex::app::route_table().into_iter().filter(|route| route.method == "GET") {
                let ids = ["1", "2", "3", "200001", "200002"];
                let mut paths = vec![route.path.to_owned()];
                if let Some(open) = route.path.find('{') {
                    let close = route.path[open..].find('}').unwrap() + open;
                    paths = ids.iter().map(|id| format!("{}{id}{}", &route.path[..open], &route.path[close + 1..])).collect();
                }
                let paths = paths.into_iter().flat_map(|path| match path.split_once("{id}") {
                    Some((before, after)) if before.contains("history/") || before.contains("pins/") => {
                        let before = before.replace("/1/", "/contact/").replace("/2/", "/asset/").replace("/3/", "/company/");
                        ids.iter().map(|id| format!("{before}{id}{after}")).collect()
                    }
                    _ => vec![path],
                });
                for path in paths.filter(|path| !path.contains('{')) {
                    for query in ["", "?q=quetz", "?search=quetz", "?format=csv", "?name__ic=quetz", "?email__ic=quetz", "?entity=contact&limit=1000"] {
                        for accept in ["application/json", "text/html"] {
                            let reply = caller.get_with(&format!("{path}{query}"), "accept", accept).await;
                            assert!(reply.status < 500, "{path}{query}: {} {}", reply.status, reply.text());
                            assert!(!reply.text().contains(CANARY), "{path}{query} ({accept}): {}", reply.text());
                            asked += 1;
                        }
                    }
                }
            }
            assert!(asked > 200, "only {asked} questions were asked");
        }
    }

    async fn cleared_callers_see_them_and_what_they_read_is_logged(engine: Engine) {
        let app = protected(&engine).await;
        for caller in [app.admin(), app.technician(), service(&app, "ledger"), service(&app, "knowledgetree")] {
            assert_eq!(names(&caller, "/api/companies/200001/users").await, [format!("{CANARY} {CANARY}")]);
        }
        let log = app.log();
        assert!(log.contains("disclosure") && log.contains("ledger"), "{log}");
        assert!(!log.contains(CANARY), "the log of disclosures holds personal data");
    }

    async fn an_uncleared_service_gets_every_row_with_masks(engine: Engine) {
        let app = protected(&engine).await;
        let brainhair = service(&app, "brainhair");
        assert_eq!(names(&brainhair, "/api/contacts").await, ["Plain Person", "Q••• Q•••", "Q••• Q•••"]);
        let clinic: Value = brainhair.get("/api/companies/200001/contacts").await.ok();
        assert_eq!(clinic[0]["email"], "Q•••@ward.example");
        assert_eq!(clinic[0]["work_phone_number"], "•••01");
        assert_eq!(clinic[0]["address"], Value::Null);
        let sheriff: Value = brainhair.get("/api/companies/200002/contacts").await.ok();
        assert_eq!(sheriff[0]["email"], "");
        assert_eq!(sheriff[0]["phone"], Value::Null);
    }

    async fn asking_by_a_hidden_value_finds_nothing(engine: Engine) {
        let app = protected(&engine).await;
        let brainhair = service(&app, "brainhair");
        for question in ["q=quetzal", "name__ic=quetz", "email__ic=quetz", "work_phone_number__ic=77200001", "search=quetz"] {
            let found = brainhair.get(&format!("/api/contacts?{question}")).await.ok();
            assert_eq!(found, json!([]), "{question}");
        }
        assert_eq!(names(&brainhair, "/api/contacts?q=plain").await, ["Plain Person"]);
    }

    async fn a_filter_tightens_and_never_loosens(engine: Engine) {
        let app = protected(&engine).await;
        assert_eq!(names(&app.admin(), "/api/contacts?filter=phi").await, ["P••• P•••", "Q••• Q•••", "Q••• Q•••"]);
        let brainhair = service(&app, "brainhair");
        assert_eq!(names(&brainhair, "/api/companies/200003/contacts?filter=cjis").await, ["P••• P•••"]);
        assert_eq!(names(&brainhair, "/api/companies/200001/contacts?filter=phi").await, ["Q••• Q•••"]);
        app.admin().get("/api/contacts?filter=none").await.status(400);
    }

    async fn a_client_sees_their_colleagues(engine: Engine) {
        let app = protected(&engine).await;
        let client = app.client_of("cleo", "200001").await;
        assert_eq!(names(&client, "/api/contacts").await, [format!("{CANARY} {CANARY}")]);
        assert_eq!(client.get("/api/contacts").await.ok()[0]["address"], Value::Null);
    }
}
