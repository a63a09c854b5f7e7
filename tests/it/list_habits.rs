//! What every list and every write can do: design §6.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Engine, both};

async fn five(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    for (account, name) in
        [("100005", "Echo"), ("100003", "charlie"), ("100001", "Alpha"), ("100004", "Délta"), ("100002", "bravo")]
    {
        app.company(account, name).await;
    }
    app
}

/// Where a schema says nothing of what it describes: it takes anything, or an object of anything.
fn says_nothing(schema: &Value, place: &str, found: &mut Vec<String>) {
    let Some(members) = schema.as_object() else { return };
    let says = ["type", "$ref", "enum", "const", "anyOf", "oneOf", "allOf", "not"].iter().any(|word| members.contains_key(*word));
    let is_object = schema["type"] == "object" || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("object")));
    let names_members = ["properties", "additionalProperties", "allOf", "anyOf"]
        .iter()
        .any(|word| schema.get(word).is_some_and(|inside| *inside != json!(true) && *inside != json!({})));
    if !says || is_object && !names_members {
        found.push(place.to_owned());
    }
    for (name, inside) in schema["properties"].as_object().into_iter().flatten() {
        says_nothing(inside, &format!("{place}.{name}"), found);
    }
    for word in ["items", "additionalProperties"] {
        says_nothing(&schema[word], &format!("{place}.*"), found);
    }
    for inside in ["anyOf", "oneOf"].iter().flat_map(|word| schema[*word].as_array().into_iter().flatten()) {
        says_nothing(inside, place, found);
    }
    // Of an `allOf` each part says something of the same.
    for inside in schema["allOf"].as_array().into_iter().flatten().filter(|part| part.get("properties").is_some()) {
        says_nothing(inside, place, found);
    }
}

/// What is told as a vendor sent it, a row of which only some members were asked for, and the description itself.
const AS_IT_IS: [&str; 10] = [
    "Alert.context",
    "Alert.monitor",
    "Alert.actions",
    "Hardware.details",
    "Part",
    "get /api/openapi.json 200.components.*.*",
    "get /api/openapi.json 200.paths.*.*",
    "AlertView.actions",
    "AlertView.context",
    "AlertView.monitor",
];

#[test]
fn the_document_says_what_everything_is() {
    let document = codex::app::description();
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        says_nothing(schema, name, &mut found);
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let what = format!("{method} {path}");
            for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                says_nothing(&content["schema"], &format!("{what} body"), &mut found);
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                for (_, content) in answer["content"].as_object().into_iter().flatten() {
                    says_nothing(&content["schema"], &format!("{what} {status}"), &mut found);
                }
            }
            for parameter in operation["parameters"].as_array().unwrap() {
                says_nothing(&parameter["schema"], &format!("{what} ?{}", parameter["name"]), &mut found);
            }
        }
    }
    found.retain(|place| !AS_IT_IS.contains(&place.trim_end_matches(".*")) && !AS_IT_IS.contains(&place.as_str()));
    assert!(found.is_empty(), "nothing is said of what these are: {found:#?}");
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

both! {
    async fn lists_are_ordered_by_folded_name_and_paged_on_request(engine: Engine) {
        let app = five(&engine).await;
        let service = app.service();
        assert_eq!(names(&service.get("/api/companies").await.ok()), ["Alpha", "bravo", "charlie", "Délta", "Echo"]);
        let page = service.get("/api/companies?limit=2&offset=2").await.status(200);
        assert_eq!(names(&page.json()), ["charlie", "Délta"]);
        assert_eq!(page.header("x-total-count"), "5");
        assert!(page.header("link").contains("rel=\"next\""), "{}", page.header("link"));
        let numbered = service.get("/api/companies?page=3&per_page=2").await.status(200);
        assert_eq!(names(&numbered.json()), ["Echo"]);
        assert!(!numbered.header("link").contains("rel=\"next\""));
        assert!(numbered.header("link").contains("rel=\"prev\""));
        assert_eq!(service.get("/api/companies?limit=abc").await.ok().as_array().unwrap().len(), 5);
        assert_eq!(names(&service.get("/api/companies?limit=2&offset=99").await.ok()), Vec::<&str>::new());
    }

    async fn every_page_together_is_the_list(engine: Engine) {
        let app = App::start_on(&engine).await;
        let mut rows = Vec::new();
        for number in 0..40 {
            rows.push(format!("('S{number}', 'Same Name', 'x', 'x', 'same name', 'same name')"));
        }
        app.database.execute(&format!(
            "INSERT INTO companies (account_number, name, created_at, updated_at, name_folded, search_text) VALUES {}", rows.join(",")
        ));
        let mut seen = std::collections::BTreeSet::new();
        for page in 1..=6 {
            let list = app.service().get(&format!("/api/companies?page={page}&per_page=7")).await.ok();
            seen.extend(list.as_array().unwrap().iter().map(|company| company["account_number"].as_str().unwrap().to_owned()));
        }
        assert_eq!(seen.len(), 40, "ties need a second key");
    }

    async fn lists_sort_and_filter(engine: Engine) {
        let app = five(&engine).await;
        app.admin().put("/api/companies/100003", &json!({"description": "Dentists"})).await.status(200);
        let get = async |query: &str| app.service().get(&format!("/api/companies?{query}")).await.ok();
        assert_eq!(names(&get("sort=-name").await), ["Echo", "Délta", "charlie", "bravo", "Alpha"]);
        assert_eq!(names(&get("sort=account_number").await), ["Alpha", "bravo", "charlie", "Délta", "Echo"]);
        assert_eq!(names(&get("name=bravo").await), ["bravo"]);
        assert_eq!(names(&get("name__ic=DELTA").await), ["Délta"], "__ic ignores case and accents");
        assert_eq!(names(&get("account_number__in=100001,100002").await), ["Alpha", "bravo"]);
        assert_eq!(names(&get("account_number__gte=100004").await), ["Délta", "Echo"]);
        assert_eq!(names(&get("account_number__lte=100001").await), ["Alpha"]);
        assert_eq!(names(&get("description__empty=false").await), ["charlie"]);
        assert_eq!(get("description__empty=true").await.as_array().unwrap().len(), 4);
        assert_eq!(names(&get("q=delt").await), ["Délta"]);
        assert_eq!(get("q=%25").await, json!([]), "LIKE's own characters are ordinary characters");
        assert_eq!(get("q=_____").await, json!([]));
        assert_eq!(get("nonsense=1").await.as_array().unwrap().len(), 5, "unknown parameters are ignored");
    }

    async fn new_parameters_are_strict_and_named(engine: Engine) {
        let app = five(&engine).await;
        for (query, name) in [
            ("sort=nonsense", "sort"), ("retired=perhaps", "retired"),
            ("fields=nonsense", "fields"), ("format=xml", "format"), ("envelope=maybe", "envelope"), ("name__empty=perhaps", "name__empty"),
        ] {
            let reply = app.service().get(&format!("/api/companies?{query}")).await.status(400);
            assert!(reply.text().contains(name), "{query}: {}", reply.text());
        }
        let long = "x".repeat(201);
        app.service().get(&format!("/api/companies?q={long}")).await.status(400);
        for path in [
            "/api/changes?limit=abc", "/api/changes?since=-1", "/api/history/company/1?limit=1.5", "/api/search?q=a&limit=many", "/api/outbox?limit=x",
            "/api/attachments?after=x", "/api/billing/snapshots?offset=-1", "/api/sync/plans/1?after=x", "/api/sync/jobs/none/log?after=x",
        ] {
            let reply = app.admin().get(path).await.status(400);
            assert!(reply.text().contains("must be a whole number, 0 or more"), "{path}: {}", reply.text());
        }
    }

    async fn fields_and_envelope(engine: Engine) {
        let app = five(&engine).await;
        let list = app.service().get("/api/companies?fields=name,account_number&limit=1").await.ok();
        assert_eq!(list, json!([{"account_number": "100001", "name": "Alpha"}]));
        let wrapped = app.service().get("/api/companies?envelope=1&page=1&per_page=2").await.ok();
        let inner = wrapped.as_object().unwrap().values().find(|value| value.is_array()).expect("a list in the envelope");
        assert_eq!(inner.as_array().unwrap().len(), 2);
        assert!(wrapped.to_string().contains("\"total\":5"), "{wrapped}");
    }

    async fn csv_is_safe_to_open(engine: Engine) {
        let app = App::start_on(&engine).await;
        for (account, name) in [("1", "=HYPERLINK(\"http://evil\")"), ("2", "+1"), ("3", "-1"), ("4", "@SUM(A1)"), ("5", "\tTab"), ("6", "plain, \"quoted\"")] {
            app.admin().post("/api/companies", &json!({"account_number": account, "name": name})).await;
        }
        for reply in [app.service().get("/api/companies?format=csv").await, app.service().get_with("/api/companies", "accept", "text/csv").await] {
            let reply = reply.status(200);
            assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
            assert!(reply.header("content-disposition").contains("companies.csv"));
            let text = reply.text();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let column = reader.headers().unwrap().iter().position(|name| name == "name").expect("a name column");
            assert!(reader.headers().unwrap().iter().any(|name| name == "account_number"));
            let mut rows = 0;
            for row in reader.records() {
                let row = row.unwrap();
                rows += 1;
                for cell in &row {
                    assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{cell:?} is a formula");
                    assert!(!cell.starts_with('-') || cell.parse::<f64>().is_ok() && &row[column] != cell, "{cell:?} is a formula");
                }
            }
            assert!(rows >= 5, "{text}");
            assert!(text.contains("\"plain, \"\"quoted\"\"\""));
        }
    }

    async fn csv_has_the_columns_of_the_json(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        app.contact("Ava", "ava@example.com", &["1"]).await;
        app.asset("LT-1", "1").await;
        for path in ["/api/companies", "/api/contacts", "/api/assets", "/api/companies/1/contacts", "/api/companies/1/assets"] {
            let list = app.service().get(path).await.ok();
            let members: Vec<&String> = list[0].as_object().unwrap().keys().collect();
            let text = app.service().get(&format!("{path}?format=csv")).await.status(200).text();
            let header: Vec<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
            assert_eq!(header.iter().collect::<Vec<_>>(), members, "{path}");
        }
    }

    async fn etags_answer_304_until_something_changes(engine: Engine) {
        let app = five(&engine).await;
        let service = app.service();
        for path in ["/api/companies", "/api/companies/100001", "/api/companies/100001/contacts", "/api/companies/bulk", "/api/contacts", "/api/assets"] {
            let first = service.get(path).await.status(200);
            let tag = first.header("etag").to_owned();
            assert!(tag.len() > 2, "{path} has no ETag");
            let second = service.get_with(path, "if-none-match", &tag).await;
            assert_eq!((second.status, second.body.len()), (304, 0), "{path}");
            assert_eq!(service.get_with(path, "if-none-match", "\"other\"").await.status, 200);
        }
        let tag = service.get("/api/companies").await.header("etag").to_owned();
        app.admin().put("/api/companies/100001", &json!({"name": "Alpha II"})).await.status(200);
        let changed = service.get_with("/api/companies", "if-none-match", &tag).await.status(200);
        assert!(names(&changed.json()).contains(&"Alpha II"));
        let billing = app.billing().get("/api/companies").await;
        assert!(billing.header("cache-control").contains("private") || billing.header("cache-control").contains("no-"), "shared caches must keep out");
    }

    async fn if_match_guards_a_write(engine: Engine) {
        let app = five(&engine).await;
        let admin = app.admin();
        let put = async |tag: &str, name: &str| {
            let body = json!({"name": name});
            admin.send(Method::PUT, "/api/companies/100001", |request| request.header("if-match", tag).json(&body)).await
        };
        let tag = admin.get("/api/companies/100001").await.header("etag").to_owned();
        put(&tag, "One").await.status(200);
        put(&tag, "Two").await.status(412);
        assert_eq!(admin.get("/api/companies/100001").await.ok()["name"], "One");
        put("*", "Three").await.status(200);
        let fresh = admin.get("/api/companies/100001").await.header("etag").to_owned();
        let (one, two) = tokio::join!(put(&fresh, "Left"), put(&fresh, "Right"));
        let mut both = [one.status, two.status];
        both.sort_unstable();
        assert_eq!(both, [200, 412], "of two writers with one ETag, one wins");
    }

    async fn idempotency_keys_answer_again_instead_of_doing_again(engine: Engine) {
        let app = App::start_on(&engine).await;
        let admin = app.admin();
        let post = async |key: &str, body: &Value| {
            admin.send(Method::POST, "/api/companies", |request| request.header("idempotency-key", key).json(body)).await
        };
        let body = json!({"name": "Once"});
        let first = post("key-1", &body).await.status(201);
        let again = post("key-1", &body).await.status(201);
        assert_eq!(first.json()["account_number"], again.json()["account_number"]);
        assert_eq!(admin.get("/api/companies").await.ok().as_array().unwrap().len(), 1);
        let other = post("key-1", &json!({"name": "Different"})).await;
        assert_eq!(other.status, 409, "the same key for another body: {}", other.text());
        let foreign = app.technician().send(Method::POST, "/api/companies", |request| request.header("idempotency-key", "key-1").json(&body)).await;
        assert_eq!(foreign.status, 201, "keys of different callers are different keys");
        let (one, two) = tokio::join!(post("key-2", &body), post("key-2", &body));
        assert!(one.status == 201 || two.status == 201);
        let total = admin.get("/api/companies").await.ok().as_array().unwrap().len();
        assert_eq!(total, 3, "two requests at once with one key make one company");
    }

    async fn a_dry_run_checks_everything_and_writes_nothing(engine: Engine) {
        let app = five(&engine).await;
        let admin = app.admin();
        let head = app.database.number("SELECT version FROM head");
        admin.post("/api/companies?dry_run=true", &json!({"account_number": "9", "name": "Dry"})).await;
        assert_eq!(admin.get("/api/companies/9").await.status, 404);
        let put = admin.put("/api/companies/100001?dry_run=true", &json!({"name": "Dry"})).await.status(200).json();
        assert_eq!(put["name"], "Dry", "the answer shows what would be");
        assert_eq!(admin.get("/api/companies/100001").await.ok()["name"], "Alpha");
        admin.delete("/api/companies/100001?dry_run=true").await.status(200);
        assert_eq!(admin.get("/api/companies").await.ok().as_array().unwrap().len(), 5);
        admin.post("/api/companies?dry_run=true", &json!({"account_number": "100001", "name": "Taken"})).await.status(409);
        admin.put("/api/companies/100001?dry_run=maybe", &json!({"name": "x"})).await.status(400);
        assert_eq!(app.database.number("SELECT version FROM head"), head, "no change was recorded");
    }

    async fn errors_have_one_shape(engine: Engine) {
        let app = five(&engine).await;
        for reply in [
            app.service().get("/api/companies/404404").await.status(404),
            app.anonymous().get("/api/companies").await.status(401),
            app.billing().post("/api/companies", &json!({"name": "x"})).await.status(403),
            app.admin().post("/api/companies", &json!({})).await.status(400),
            app.admin().post("/api/companies", &json!({"account_number": "100001", "name": "x"})).await.status(409),
            app.service().get("/api/nonsense").await.status(404),
            app.service().send(Method::PUT, "/api/companies", |request| request).await.status(405),
        ] {
            assert!(reply.header("content-type").starts_with("application/json"), "{}: {}", reply.asked, reply.header("content-type"));
            let body = reply.json();
            for key in ["error", "type", "title", "status", "detail", "instance"] {
                assert!(body.get(key).is_some_and(|value| !value.is_null()), "{}: {key} is missing in {body}", reply.asked);
            }
            assert_eq!(body["status"], reply.status);
        }
    }

    async fn the_document_names_the_routes_of_the_router(engine: Engine) {
        let app = App::start_on(&engine).await;
        let document = app.service().get("/api/openapi.json").await.ok();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut named = std::collections::BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys().filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str())) {
                named.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let wildcard = |path: &str| path.replace("{*", "{");
        let routed: std::collections::BTreeSet<String> =
            codex::app::route_table().iter().map(|route| format!("{} {}", route.method, wildcard(route.path))).filter(|route| route.contains(" /api/")).collect();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let what = format!("{method} {path}");
                assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{what} does not say what it is for");
                let (status, answer) = operation["responses"].as_object().unwrap().iter().find(|(status, _)| status.starts_with('2')).unwrap();
                // 204 answers nothing; a file or a stream has a media type of its own.
                let mut contents = answer["content"].as_object().into_iter().flatten();
                assert!(status == "204" || contents.any(|(_, content)| content.get("schema").is_some()), "{what} does not say what it answers");
            }
        }
        let missing: Vec<_> = routed.difference(&named).collect();
        assert!(missing.is_empty(), "not in the document: {missing:?}");
        let invented: Vec<_> = named.iter().filter(|route| route.contains(" /api/") && !routed.contains(*route)).collect();
        assert!(invented.is_empty(), "not in the router: {invented:?}");
    }
}
