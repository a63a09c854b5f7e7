//! The API's description as programs read it: that it shows an example of everything, and that these are as it says.

use serde_json::{Value, json};

use crate::support::{App, Engine, both};

/// What an example is beside its schema: (where it stands, the schema, the example).
fn examples() -> Vec<(String, Value, Value)> {
    let document = codex::app::description();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut add = |what: &str, schema: &Value, example: Option<&Value>| {
                let place = format!("{method} {path}: {what}");
                let example = example.unwrap_or_else(|| panic!("{place} has no example")).clone();
                all.push((place, schema.clone(), example));
            };
            for parameter in operation["parameters"].as_array().unwrap().iter().filter(|one| one["required"] == true) {
                add(parameter["name"].as_str().unwrap(), &parameter["schema"], parameter.get("example"));
            }
            let shown = |content: &Value| {
                let place = content.pointer("/examples/usual/$ref")?.as_str()?.trim_start_matches('#');
                document.pointer(place)?.get("value").cloned()
            };
            for (media, content) in operation.pointer("/requestBody/content").and_then(Value::as_object).into_iter().flatten() {
                if media.ends_with("json") {
                    add("body", &content["schema"], shown(content).as_ref());
                }
            }
            for (status, answer) in
                operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'))
            {
                if let Some(content) = answer.pointer("/content/application~1json") {
                    add(status, &content["schema"], shown(content).as_ref());
                }
            }
        }
    }
    all
}

#[test]
fn everything_has_an_example_and_it_is_as_described() {
    let components = &codex::app::description()["components"];
    let mut wrong = Vec::new();
    let all = examples();
    for (place, schema, example) in &all {
        let whole = json!({"allOf": [schema], "components": {"schemas": components["schemas"]}});
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        wrong.extend(validator.iter_errors(example).map(|error| format!("{place}: {}: {error}", error.instance_path())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(all.len() > 600, "only {} examples", all.len());
}

#[test]
fn whatever_reads_a_body_says_what_it_reads() {
    let read = codex::app::route_table().into_iter().filter(|route| route.reads_body && !route.about.summary.is_empty());
    let (told, silent): (Vec<_>, Vec<_>) = read.partition(|route| route.about.body.is_some());
    let silent: Vec<String> = silent.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert!(silent.is_empty(), "operations that read a body and do not describe it: {silent:#?}");
    assert!(told.len() > 60, "only {} operations read a body", told.len());
}

/// What is added with nothing but a company there.
const ADDED: [&str; 14] = [
    "/api/assets",
    "/api/billing-plans",
    "/api/companies",
    "/api/contacts",
    "/api/custom_fields",
    "/api/feature-options",
    "/api/licenses",
    "/api/network_equipment",
    "/api/notice-channels",
    "/api/outgoing-webhooks",
    "/api/subnets",
    "/api/tags",
    "/api/views",
    "/api/vlans",
];

both! {
    async fn the_reference_lists_operations_and_tells_of_one_that_is_asked_for(engine: Engine) {
        let app = App::start_on(&engine).await;
        let whole = app.anonymous().get_with("/docs", "accept", "text/html").await.status(200).text();
        assert!(whole.contains("/api/companies/{acct}") && whole.len() < 200_000, "{} bytes", whole.len());
        assert!(!whole.contains("account_number_at_vendor"), "what an operation takes comes when it is opened");
        let described = app.anonymous().get("/api/openapi.json").await.ok();
        let id = described["paths"]["/api/companies"]["get"]["operationId"].as_str().unwrap();
        let one = app.anonymous().get_with(&format!("/docs?operation={id}"), "accept", "text/html").await.status(200).text();
        assert!(one.contains("account_number_at_vendor") && !one.contains("/api/companies/{acct}"), "{one}");
        app.anonymous().get_with("/docs?operation=nothing", "accept", "text/html").await.status(404);
    }

    async fn the_examples_of_bodies_make_records(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let (examples, mut refused) = (examples(), Vec::new());
        for path in ADDED {
            let (_, _, example) = examples.iter().find(|(place, ..)| *place == format!("post {path}: body")).expect(path);
            let reply = app.admin().post(path, example).await;
            if reply.status != 201 {
                refused.push(format!("{path}: {} {} for {example}", reply.status, reply.text()));
            }
        }
        assert!(refused.is_empty(), "{refused:#?}");
    }
}
