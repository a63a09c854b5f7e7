//! Holds every JSON answer that a test gets against the API description: what is answered must be what is described, also where
//! something is refused.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Value, json};

/// An operation whose answers are described.
struct Described {
    method: String,
    parts: Vec<String>,
    /// The schema by status; what is said of all others stands at 0.
    answers: HashMap<u16, Value>,
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    // Whole rows alone: `fields` is looked at elsewhere.
    let mut document = codex::app::description().clone();
    document["components"]["schemas"]["Part"] = json!(false);
    document
});

static OPERATIONS: LazyLock<Vec<Described>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").clone();
        let path = path.clone();
        methods.into_iter().map(move |(method, operation)| described(&path, &method, &operation)).collect::<Vec<_>>()
    };
    let mut all: Vec<Described> = paths.iter().flat_map(of_path).collect();
    // A word in a path stands before a parameter in the same place.
    all.sort_by_key(|one| one.parts.iter().map(|part| part.starts_with('{')).collect::<Vec<_>>());
    all
});

fn described(path: &str, method: &str, operation: &Value) -> Described {
    let answer = |(status, response): (&String, &Value)| {
        let response = match response["$ref"].as_str() {
            Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).expect("a response of that name"),
            None => response,
        };
        let schema = response.pointer("/content/application~1json/schema")?;
        Some((if status == "default" { 0 } else { status.parse().ok()? }, schema.clone()))
    };
    Described {
        method: method.to_uppercase(),
        parts: path.split('/').map(str::to_owned).collect(),
        answers: operation["responses"].as_object().into_iter().flatten().filter_map(answer).collect(),
    }
}

/// The validator of a schema of the document. Each holds a copy of all that can be referred to: only those that are asked for
/// are made, and those that are alike once.
fn validator(schema: &Value) -> Arc<Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let key = schema.to_string();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
        Arc::new(jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{schema}: {error}")))
    };
    made.entry(key).or_insert_with(make).clone()
}

/// What makes an answer another one than the described: a part of its members, another format.
const OTHERWISE: [&str; 4] = ["fields=", "format=", "as_of=", "jsonp="];

/// Longer answers are not looked at: they have the members of shorter ones, and some tests are about who reads them in time.
const LONGEST: usize = 256 * 1024;

/// Fails when a JSON answer is not as the description says.
pub fn check(method: &str, path: &str, status: u16, is_json: bool, body: &[u8]) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.strip_prefix("/codex").unwrap_or(path);
    if !is_json || body.is_empty() || body.len() > LONGEST || OTHERWISE.iter().any(|word| query.contains(word)) {
        return;
    }
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |one: &&Described| {
        one.method == method
            && one.parts.len() == parts.len()
            && one.parts.iter().zip(&parts).all(|(known, asked)| known.starts_with('{') || known == asked)
    };
    let Some(operation) = OPERATIONS.iter().find(fits) else { return };
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return };
    // What an answer says that is repeated after protection has changed; see the header Idempotency-Key in the description.
    if answer.get("withheld").is_some() {
        return;
    }
    let others = operation.answers.get(&0).filter(|_| status >= 400);
    let Some(schema) = operation.answers.get(&status).or(others) else {
        panic!("{method} {path} answered {status}, which is not described");
    };
    let validator = validator(schema);
    let wrong: Vec<String> =
        validator.iter_errors(&answer).take(5).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{method} {path} does not answer as it is described: {wrong:#?}");
}
