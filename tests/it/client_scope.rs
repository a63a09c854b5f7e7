//! A client user sees their own companies and nothing else: contract §3.5, design §2.4.

use serde_json::{Value, json};

use crate::core::Core;
use crate::support::{Api, App, Engine, both};

/// Two tenants with one of everything; every text of the second holds the marker.
const MARKER: &str = "zebrastripe";

struct Two {
    app: App,
    ours: Value,
    theirs: Value,
    their_contact: Value,
    their_asset: Value,
    our_contact: Value,
}

async fn two(engine: &Engine) -> Two {
    let app = App::start_on(engine).await;
    let ours = app.company("100001", "Ours").await;
    let theirs = app.company("100002", MARKER).await;
    let our_contact = app.contact("Our Person", "us@client.example.com", &["100001"]).await;
    let their_contact = app.contact(&format!("{MARKER} person"), &format!("{MARKER}@other.example.com"), &["100002"]).await;
    app.asset("OUR-1", "100001").await;
    let their_asset = app.asset(&format!("{MARKER}-1"), "100002").await;
    let location = json!({"name": format!("{MARKER} office"), "address": MARKER});
    app.admin().post("/companies/100002/locations", &location).await;
    Two { app, ours, theirs, their_contact, their_asset, our_contact }
}

async fn accounts(api: &Api) -> Vec<String> {
    let list = api.get("/api/companies").await.ok();
    list.as_array().unwrap().iter().map(|company| company["account_number"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn no_answer_on_any_route_holds_the_other_tenant(engine: Engine) {
        let two = two(&engine).await;
        let client = two.app.client_of("cleo", "100001").await;
        assert_eq!(accounts(&client).await, ["100001"]);
        let ids = [
            two.theirs["id"].to_string(), two.their_contact["id"].to_string(), two.their_asset["id"].to_string(), "100002".to_owned(),
            two.ours["id"].to_string(), two.our_contact["id"].to_string(), "1".to_owned(), "2".to_owned(), MARKER.to_owned(),
        ];
        let mut asked = 0;
        for route in codex::app::route_table().into_iter().filter(|route| route.method == "GET") {
            let mut paths = vec![route.path.to_owned()];
            if let Some(open) = route.path.find('{') {
                let close = route.path[open..].find('}').unwrap() + open;
                paths = ids.iter().map(|id| format!("{}{id}{}", &route.path[..open], &route.path[close + 1..])).collect();
            }
            for path in paths.iter().filter(|path| !path.contains('{')) {
                for query in ["", "?q=zebra", "?search=zebra", "?company_id=100002", "?company_account_number=100002", "?retired=include", "?format=csv", "?limit=1000&sort=-id"] {
                    for accept in ["application/json", "text/html"] {
                        let reply = client.get_with(&format!("{path}{query}"), "accept", accept).await;
                        assert!(reply.status < 500, "{path}{query}: {} {}", reply.status, reply.text());
                        let text = reply.text().to_lowercase().replace(&query.to_lowercase(), "");
                        let echoed = path.to_lowercase();
                        let leaked = text.replace(&echoed, "").contains(MARKER);
                        assert!(!leaked, "{path}{query} ({accept}) shows the other tenant: {}", reply.text());
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 300, "only {asked} questions were asked");
    }

    async fn the_others_things_are_not_found(engine: Engine) {
        let two = two(&engine).await;
        let client = two.app.client_of("cleo", "100001").await;
        let their = |value: &Value| value["id"].to_string();
        for path in [
            "/api/companies/100002".to_owned(), format!("/api/companies/{}", two.theirs["id"]), "/api/company/100002".to_owned(),
            "/api/companies/100002/contacts".to_owned(), "/api/companies/100002/users".to_owned(), "/api/companies/100002/assets".to_owned(),
            "/api/companies/100002/locations".to_owned(), format!("/api/contacts/{}", their(&two.their_contact)), format!("/api/assets/{}", their(&two.their_asset)),
        ] {
            assert_eq!(client.get(&path).await.status, 404, "{path}");
        }
        let ours = client.get(&format!("/api/contacts/{}", two.our_contact["id"])).await.ok();
        assert_eq!(ours["name"], "Our Person");
        assert_eq!(client.get("/api/companies/bulk").await.ok().as_array().unwrap().len(), 1);
    }

    async fn a_contact_of_both_shows_only_our_side(engine: Engine) {
        let two = two(&engine).await;
        let shared = two.app.contact("Shared Person", "shared@example.com", &["100001", "100002"]).await;
        let client = two.app.client_of("cleo", "100001").await;
        let seen = client.get(&format!("/api/contacts/{}", shared["id"])).await.ok();
        assert_eq!(seen["company_account_numbers"], json!(["100001"]));
        assert!(!seen.to_string().contains(MARKER) && !seen.to_string().contains("100002"), "{seen}");
    }

    async fn a_client_writes_nothing(engine: Engine) {
        let two = two(&engine).await;
        let client = two.app.client_of("cleo", "100001").await;
        let head = two.app.database.number("SELECT version FROM head");
        for (path, body) in [("/api/companies", json!({"name": "x"})), ("/api/contacts", json!({"name": "x", "email": "x@example.com"})), ("/api/assets", json!({"hostname": "x", "company_account_number": "100001"}))] {
            client.post(path, &body).await.status(403);
        }
        for account in ["100001", "100002"] {
            client.put(&format!("/api/companies/{account}"), &json!({"name": "x"})).await.status(403);
            client.delete(&format!("/api/companies/{account}")).await.status(403);
        }
        client.put(&format!("/assets/{}/update-contacts", two.their_asset["id"]), &json!({"contact_ids": []})).await.status(403);
        assert_eq!(two.app.database.number("SELECT version FROM head"), head);
    }

    async fn the_feed_shows_a_client_only_their_own_changes(engine: Engine) {
        let two = two(&engine).await;
        let client = two.app.client_of("cleo", "100001").await;
        let reply = client.get("/api/changes?since=0&limit=500").await;
        if reply.status != 403 {
            let text = reply.status(200).text();
            assert!(!text.contains(MARKER), "{text}");
        }
    }

    async fn a_user_whose_company_is_gone_sees_nothing(engine: Engine) {
        let two = two(&engine).await;
        let client = two.app.client_of("cleo", "100001").await;
        two.app.admin().delete("/api/companies/100001?force=true").await.status(200);
        assert_eq!(client.get("/api/companies").await.ok(), json!([]));
        assert_eq!(client.get("/api/contacts").await.ok(), json!([]));
    }

    async fn on_the_platform_the_primary_e_mail_decides(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        let service = app.with_token(&core.service("test"));
        for account in ["100001", "100002", "100003"] {
            service.post("/api/companies", &json!({"account_number": account, "name": account})).await.status(201);
        }
        let contact = async |name: &str, email: &str, accounts: &[&str], secondary: &str| {
            let body = json!({"name": name, "email": email, "company_account_numbers": accounts, "secondary_emails": [secondary]});
            service.post("/api/contacts", &body).await.status(201).json()["id"].clone()
        };
        let cleo = contact("Cleo", "Cleo@Client.Example.com", &["100001", "100003"], "second@client.example.com").await;
        contact("Other", "other@client.example.com", &["100002"], "cleo@client.example.com").await;
        let of = async |email: &str| accounts(&app.with_token(&core.user("someone", email, "client"))).await;
        assert_eq!(of("cleo@client.example.com").await, ["100001", "100003"], "both of her companies, whatever the case");
        assert_eq!(of("CLEO@CLIENT.EXAMPLE.COM").await, ["100001", "100003"]);
        assert_eq!(of("second@client.example.com").await, Vec::<String>::new(), "only the primary e-mail counts");
        assert_eq!(of("stranger@client.example.com").await, Vec::<String>::new());
        service.put(&format!("/api/contacts/{cleo}"), &json!({"active": false})).await.status(200);
        assert_eq!(of("cleo@client.example.com").await, Vec::<String>::new(), "inactive contacts open nothing");
        service.put(&format!("/api/contacts/{cleo}"), &json!({"active": true})).await.status(200);
        assert_eq!(of("cleo@client.example.com").await, ["100001", "100003"]);
        service.delete(&format!("/api/contacts/{cleo}")).await.status(200);
        assert_eq!(of("cleo@client.example.com").await, Vec::<String>::new(), "retired contacts open nothing");
    }

    async fn an_empty_or_ambiguous_e_mail_matches_nobody(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        let service = app.with_token(&core.service("test"));
        for account in ["100001", "100002"] {
            service.post("/api/companies", &json!({"account_number": account, "name": account})).await.status(201);
        }
        // Vendor rows may lack an e-mail or share one; people cannot make such contacts.
        app.database.execute(
            "INSERT INTO contacts (name, email, created_at, updated_at, name_folded, email_folded, search_text) VALUES
               ('No mail', '', 'x', 'x', 'no mail', '', 'no mail'), ('Blank', ' ', 'x', 'x', 'blank', '', 'blank'),
               ('One', 'twin@example.com', 'x', 'x', 'one', 'twin@example.com', 'one'),
               ('Two', 'Twin@example.com', 'x', 'x', 'two', 'twin@example.com', 'two');
             INSERT INTO contact_companies (contact_id, company_id)
               SELECT contacts.id, companies.id FROM contacts, companies WHERE companies.account_number =
                 CASE WHEN contacts.name = 'Two' THEN '100002' ELSE '100001' END",
        );
        for email in ["", " ", "\u{a0}", "twin@example.com", "TWIN@EXAMPLE.COM"] {
            let api = app.with_token(&core.user("someone", email, "client"));
            let reply = api.get("/api/companies").await;
            assert!(reply.status == 403 || reply.json() == json!([]), "{email:?}: {}", reply.text());
        }
        let mut none = crate::core::user_claims("someone", "", "client");
        none.as_object_mut().unwrap().remove("email");
        let reply = app.with_token(&core.token(&none)).get("/api/companies").await;
        assert!(reply.status == 403 || reply.json() == json!([]), "{}", reply.text());
    }
}
