//! What a line of a noun's field table promises, held for every field of every noun that callers write: the suite goes by
//! the table, so that a new field is held to it too.

use codex::{
    entity::{FieldSpec, Kind, Stands},
    records::entities::ENTITIES,
};
use serde_json::{Value, json};

use crate::{
    forms::Form,
    support::{Api, App, Engine, both},
};

/// Where the records of a noun are.
struct Noun {
    entity: &'static str,
    /// One record as JSON, its list, its page and its form; the list and the page are not everywhere.
    one: String,
    list: Option<&'static str>,
    page: Option<String>,
    /// Where one is added, as JSON and in a form, and what must be sent for that.
    added: (String, String),
    least: Value,
}

impl Noun {
    fn fields(&self) -> Vec<&'static FieldSpec> {
        let known = ENTITIES.iter().find(|known| known.name() == self.entity).expect("a noun of the registry");
        known.specs()
    }

    /// Those that a caller can send; a reference needs a record to refer to and is tested where it is.
    fn sendable(&self) -> Vec<&'static FieldSpec> {
        let sent = self.fields().into_iter().filter(|spec| !spec.is_told);
        let refers = |spec: &&FieldSpec| {
            matches!(spec.kind, Kind::Reference(_)) || ["billing_contact_id", "entity", "entity_id"].contains(&spec.name)
        };
        sent.filter(|spec| !refers(spec)).collect()
    }
}

async fn nouns(app: &App) -> Vec<Noun> {
    app.company("100001", "Acme").await;
    let contact = app.contact("Ava Patel", "ava@example.com", &["100001"]).await["id"].clone();
    let asset = app.asset("LT-1", "100001").await["id"].clone();
    let place = json!({"name": "Head office", "address": "1 Alder Street"});
    let place = app.admin().post("/api/companies/100001/locations", &place).await.status(201).json()["id"].clone();
    let noun = |entity, list: &'static str, key: &str, page: &str, least: Value| Noun {
        entity,
        one: format!("{list}/{key}"),
        list: Some(list),
        page: Some(format!("{page}/{key}")),
        added: (list.to_owned(), format!("{page}/new")),
        least,
    };
    let mut nouns = vec![
        noun("company", "/api/companies", "100001", "/companies", json!({})),
        Noun {
            entity: "location",
            one: format!("/api/companies/100001/locations/{place}"),
            list: None,
            page: None,
            added: ("/api/companies/100001/locations".into(), "/companies/100001/locations/add".into()),
            least: json!({}),
        },
        noun("contact", "/api/contacts", &contact.to_string(), "/contacts", json!({"company_id": "100001"})),
        noun("asset", "/api/assets", &asset.to_string(), "/assets", json!({"company_account_number": "100001"})),
    ];
    // Whatever the one door reads and writes: one of each, with no more than it must have.
    for entity in ENTITIES {
        let Some(door) = entity.noun() else { continue };
        let mut body = if door.is_for_staff() {
            json!({"entity": "contact", "entity_id": contact})
        } else {
            json!({"company_id": "100001"})
        };
        for (place, spec) in (1..).zip(entity.specs().into_iter().filter(|spec| spec.is_required)) {
            if body.get(spec.name).is_none() {
                body[spec.name] = match spec.kind {
                    Kind::Reference(_) => json!(place.min(2)),
                    _ => value(spec, &Value::Null, place),
                };
            }
        }
        // A seat has one of two holders, which no line of its table says.
        if door.door().api == "license_seats" {
            body["asset_id"] = asset.clone();
        }
        let path = door.paths().list;
        if entity.specs().iter().any(|spec| spec.is_required && matches!(spec.kind, Kind::Reference(_))) {
            app.admin()
                .post("/api/network_equipment", &json!({"company_id": "100001", "name": "other", "type": "ap"}))
                .await
                .status(201);
        }
        let id = app.admin().post(path, &body).await.status(201).json()["id"].clone();
        if door.door().api == "license_seats" {
            body = json!({"company_id": "100001", "license_id": body["license_id"], "contact_id": contact});
        }
        nouns.push(noun(entity.name(), path, &id.to_string(), door.door().page, body));
    }
    nouns
}

/// A value that the field takes and does not have yet; numbers rise from field to field, as those must that are limits.
fn value(spec: &FieldSpec, now: &Value, place: i64) -> Value {
    match spec.kind {
        Kind::Choice(words) => words.iter().rev().map(|word| json!(word)).find(|word| word != now).expect("another word"),
        Kind::Day => json!("2026-02-28"),
        Kind::Phone(_) => json!("+1 206 555 0100"),
        Kind::Url(_) => json!("https://example.com/x"),
        Kind::Email(_) => json!("other@example.com"),
        Kind::Int => json!(spec.range.map_or(0, |(least, _, _)| least) + place),
        Kind::Decimal(_) => json!(place),
        Kind::Flag => json!(now != true),
        Kind::TextList(..) => json!(["one.example", "two.example"]),
        Kind::Text(_) | Kind::Long(_) | Kind::Markdown(_) | Kind::Moment(_) | Kind::Json(_) => {
            json!(format!("{} x", &spec.name[..2]))
        }
        Kind::Ip => json!(format!("10.20.0.{place}")),
        Kind::Cidr => json!("10.20.0.0/24"),
        Kind::Mac => json!("00:1a:2b:3c:4d:5e"),
        Kind::Reference(_) => panic!("a reference needs a record"),
    }
}

/// Whether an answer shows what was sent; a list of texts stands there as the text of an array.
fn is_told(spec: &FieldSpec, told: &Value, sent: &Value) -> bool {
    match (spec.kind, told.as_str()) {
        (Kind::Decimal(_), _) => told.as_f64() == sent.as_f64(),
        (Kind::TextList(..), Some(text)) => serde_json::from_str::<Value>(text).ok().as_ref() == Some(sent),
        _ => told == sent,
    }
}

/// What is sent in a form for such a value.
fn typed(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(typed).collect::<Vec<_>>().join("\n"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The changes of a record and the fields that a person pinned.
async fn past(api: &Api, noun: &Noun, id: &Value) -> (Value, Value) {
    let history = api.get(&format!("/api/history/{}/{id}", noun.entity)).await.ok();
    (history, api.get(&format!("/api/pins/{}/{id}", noun.entity)).await.ok())
}

/// A record and its history without what is each record's own: ids, numbers, times.
async fn anonymous(api: &Api, noun: &Noun, path: &str) -> (Value, Vec<Value>) {
    let mut row = api.get(path).await.ok();
    let (history, _) = past(api, noun, &row["id"]).await;
    let own = ["id", "account_number", "created_at", "updated_at"];
    let changes = history["changes"].as_array().expect("changes").iter().map(|change| {
        let mut change = json!({"action": change["action"], "entity": change["entity"], "fields": change["fields"]});
        let fields = change["fields"].as_object_mut().expect("fields");
        own.iter().for_each(|name| drop(fields.remove(*name)));
        change
    });
    let changes = changes.collect();
    let members = row.as_object_mut().expect("an object");
    own.iter().for_each(|name| drop(members.remove(*name)));
    (row, changes)
}

async fn read(api: &Api, noun: &Noun) -> Value {
    api.get(&noun.one).await.ok()
}

both! {
    async fn every_field_that_is_sent_is_stored_told_and_kept_in_history(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        for noun in nouns(&app).await {
            for (place, spec) in (1..).zip(noun.sendable()) {
                let at = format!("{}.{}", noun.entity, spec.name);
                let before = read(&api, &noun).await;
                let sent = value(spec, &before[spec.emitted], place);
                api.put(&noun.one, &json!({ spec.name: sent })).await.ok();
                let after = read(&api, &noun).await;
                if !spec.is_internal {
                    assert!(is_told(spec, &after[spec.emitted], &sent), "{at}: {sent} became {}", after[spec.emitted]);
                }
                for other in spec.others {
                    let answer = api.put(&noun.one, &json!({ (*other): sent })).await.ok();
                    assert!(answer.is_object(), "{at} as {other}");
                }
                let row = if noun.entity == "location" { &after["id"] } else { &before["id"] };
                let history = api.get(&format!("/api/history/{}/{row}", noun.entity)).await.status(200).text();
                assert!(history.contains(&format!("\"{}\"", spec.column)), "{at} is not in {history}");
            }
            // What was read and is sent back changes nothing and pins nothing.
            let stands = read(&api, &noun).await;
            let before = past(&api, &noun, &stands["id"]).await;
            api.put(&noun.one, &stands).await.ok();
            assert_eq!(read(&api, &noun).await, stands, "{}: sent back as it was read", noun.entity);
            assert_eq!(past(&api, &noun, &stands["id"]).await, before, "{}: sent back as it was read", noun.entity);
            // So does a form that comes back untouched.
            let page = noun.page.clone().unwrap_or_else(|| noun.one.trim_start_matches("/api").to_owned());
            Form::open(&api, &format!("{page}/edit")).await.send(&api).await.status(303);
            assert_eq!(read(&api, &noun).await, stands, "{}: a form that came back untouched", noun.entity);
            assert_eq!(past(&api, &noun, &stands["id"]).await, before, "{}: a form that came back untouched", noun.entity);
        }
    }

    async fn a_form_and_json_make_the_same_record_with_the_same_history(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        for noun in nouns(&app).await {
            let (list, new) = &noun.added;
            let mut body = noun.least.clone();
            for (place, spec) in (20..).zip(noun.sendable()) {
                if matches!(spec.section, Some((_, stands)) if stands != Stands::OnPage) {
                    body[spec.name] = value(spec, &Value::Null, place);
                }
            }
            let query: Vec<String> = noun.least.as_object().unwrap().iter().map(|(name, value)| format!("{name}={}", typed(value).replace(' ', "%20"))).collect();
            let number = |number: &str| if noun.entity == "company" { json!({"account_number": number}) } else { json!({}) };
            let with = |more: Value| {
                let mut body = body.clone();
                body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                body
            };
            let sent = with(number("300001"));
            let made = if noun.page.is_some() {
                let mut form = Form::open(&api, &format!("{new}?company=100001&{}", query.join("&"))).await;
                for (name, value) in sent.as_object().unwrap() {
                    if form.has(name) {
                        form = form.set(name, &typed(value));
                    } else {
                        assert!(noun.least.get(name).is_some(), "{}: no {name} in the form", noun.entity);
                    }
                }
                form.send(&api).await
            } else {
                let fields: Vec<(String, String)> = sent.as_object().unwrap().iter().map(|(name, value)| (name.clone(), typed(value))).collect();
                api.send(reqwest::Method::POST, new, |request| request.header("accept", "text/html").form(&fields)).await
            };
            assert_eq!(made.status, 303, "{}: {}", noun.entity, made.text());
            let newest = api.get(&format!("/api/changes?types={}&limit=1000", noun.entity)).await.ok();
            let id = newest["changes"].as_array().unwrap().iter().rev().find(|change| change["action"] == "create").unwrap()["entity_id"].clone();
            let path = if noun.entity == "company" { format!("{list}/300001") } else { format!("{list}/{id}") };
            let by_form = anonymous(&api, &noun, &path).await;
            api.delete(&format!("{path}?force=true")).await.status(200);
            let made = api.post(list, &with(number("300002"))).await;
            assert_eq!(made.status, 201, "{}: {}", noun.entity, made.text());
            let path = if noun.entity == "company" { format!("{list}/300002") } else { format!("{list}/{}", made.json()["id"]) };
            assert_eq!(anonymous(&api, &noun, &path).await, by_form, "{}: made in a form, and as JSON", noun.entity);
        }
    }

    async fn every_field_refuses_what_it_cannot_hold_by_its_name(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        for noun in nouns(&app).await {
            let before = read(&api, &noun).await;
            for spec in noun.sendable() {
                let wrong = match spec.kind {
                    Kind::Text(most) | Kind::Long(most) | Kind::Markdown(most) | Kind::Phone(most) | Kind::Moment(most) => json!("x".repeat(most + 1)),
                    Kind::Choice(_) => json!("no such word"),
                    Kind::Day => json!("soon"),
                    Kind::Url(_) => json!("javascript:alert(1)"),
                    Kind::Email(_) => json!("nobody"),
                    Kind::Int | Kind::Decimal(_) | Kind::Flag => json!("many"),
                    Kind::TextList(..) | Kind::Json(_) => json!({"a": 1}),
                    Kind::Ip | Kind::Cidr | Kind::Mac | Kind::Reference(_) => json!("nowhere"),
                };
                for wrong in [wrong, json!({"a": {"b": 1}})] {
                    let refused = api.put(&noun.one, &json!({ spec.name: wrong })).await;
                    assert_eq!(refused.status, 400, "{}.{} took {wrong}: {}", noun.entity, spec.name, refused.text());
                    assert!(refused.fields().iter().any(|name| name == spec.name), "{}: {}", spec.name, refused.text());
                }
                let emptied = api.put(&noun.one, &json!({ spec.name: null })).await;
                let may = !spec.is_required && (spec.is_nullable || spec.emptied.is_some());
                // A contact's name may be made of two others, so that the table alone does not say it; it is never empty.
                let may = may && (noun.entity, spec.name) != ("contact", "name");
                assert_eq!(emptied.status == 200, may, "{}.{}: {}", noun.entity, spec.name, emptied.text());
                if !may {
                    assert!(emptied.fields().iter().any(|name| name == spec.name), "{}: {}", spec.name, emptied.text());
                }
            }
            assert_eq!(read(&api, &noun).await["id"], before["id"]);
        }
    }

    async fn every_listed_field_filters_sorts_and_is_a_column(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        for noun in nouns(&app).await {
            let Some(list) = noun.list else { continue };
            let one = read(&api, &noun).await;
            for spec in noun.fields().into_iter().filter(|spec| spec.is_listed) {
                let at = format!("{list} by {}", spec.name);
                let id = format!("id={}", one["id"]);
                let down = api.get(&format!("{list}?{id}&sort=-{}", spec.name)).await.ok();
                assert_eq!(down.as_array().map(Vec::len), Some(1), "{at}");
                let name = spec.emitted;
                let csv = api.get(&format!("{list}?{id}&format=csv&fields={name}")).await.status(200).text();
                assert_eq!(csv.trim_start_matches('\u{feff}').lines().next(), Some(name), "{at}");
                let test = if one[name].is_null() { format!("{}__empty=true", spec.name) } else { filter(spec, &one[name]) };
                let found = api.get(&format!("{list}?{id}&{test}")).await.ok();
                assert_eq!(found.as_array().map(Vec::len), Some(1), "{at}: ?{test} found {found}");
            }
        }
    }

    async fn every_field_stands_on_the_page_and_in_the_form_that_it_names(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        for noun in nouns(&app).await {
            let Some(page) = &noun.page else { continue };
            let html = async |path: &str| api.get_with(path, "accept", "text/html").await.status(200).text();
            let (page, form) = (html(page).await, html(&format!("{page}/edit")).await);
            for spec in noun.fields() {
                let Some((title, stands)) = spec.section else { continue };
                if stands != Stands::InForm {
                    assert!(page.contains(spec.label) && page.contains(title), "{}: no {} on the page", noun.entity, spec.label);
                }
                // A reference is chosen under the name by which it is sent.
                if stands != Stands::OnPage && spec.column != "company_id" {
                    assert!(form.contains(&format!("name=\"{}\"", spec.name)), "{}: no {} in the form", noun.entity, spec.name);
                }
            }
        }
    }
}

/// A filter that finds the record with this value.
fn filter(spec: &FieldSpec, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("{}={}", spec.name, text.replace(' ', "%20").replace('+', "%2B"))
}
