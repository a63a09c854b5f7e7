use super::*;
use crate::{compliance::Personal, web::Fields};
use serde_json::json;

crate::entity! {
    /// A thing with a field of every kind.
    pub struct Thing: "thing", "Thing", "things" {
        /// Text.
        name: String = text("Name", 5).personal(Personal::Name).also(&["title"]).required().synced().folded("thing.name_folded"),
        /// A choice.
        kind: String = choice("Type", &["big", "small"]).named("type").listed(),
        /// Text that is never null.
        mail: String = email("E-mail", 20).personal(Personal::Email).emptied(""),
        /// A day.
        since: Option<String> = day("Since").listed().synced(),
        /// A number.
        days: Option<i64> = int("Days").range(1, 9, "must be from 1 to 9 days"),
        /// A flag.
        active: bool = flag("Active").synced(),
        /// A list.
        aliases: Option<String> = text_list("Aliases", 2, 3),
        /// Told.
        bytes: i64 = int("Bytes").told().synced(),
        /// JSON.
        more: Option<String> = json("More", Layout::AsSent),
        /// In no answer.
        secret: Option<String> = told("Secret").personal(Personal::Private).internal(),
    }
}

impl Thing {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

fn patch(body: Json, creating: bool) -> Result<Patch<Thing>> {
    let Json::Object(map) = body else { panic!("an object") };
    let mut fields = Fields::new(map);
    fields.set_creating(creating);
    let patch = Patch::read(&mut fields)?;
    fields.finish().map(|()| patch)
}

fn wrong(body: Json, creating: bool) -> Vec<String> {
    match patch(body, creating) {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| format!("{}: {}", error.field, error.message)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_sent_is_set_and_the_rest_stays() {
    let sent = json!({"title": "Ada", "type": "BIG", "mail": null, "since": "2026-01-31T08:00:00", "days": "3", "active": false,
        "aliases": ["a", "b"], "bytes": 7});
    let patch = patch(sent, true).unwrap();
    let mut row = Thing { bytes: 5, active: true, mail: "x@y".to_owned(), ..Thing::default() };
    patch.apply(&mut row).unwrap();
    assert_eq!((row.name.as_str(), row.kind.as_str(), row.mail.as_str()), ("Ada", "big", ""));
    assert_eq!((row.since.as_deref(), row.days, row.active), (Some("2026-01-31"), Some(3), false));
    assert_eq!((row.aliases.as_deref(), row.bytes), (Some(r#"["a","b"]"#), 5), "what is told is not read");
    assert!(patch.has("kind") && patch.names("type") && !patch.has("bytes") && !patch.names("kind"));

    let mut again = row.clone();
    self::patch(json!({"days": null}), false).unwrap().apply(&mut again).unwrap();
    assert_eq!(again, Thing { days: None, ..row });
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let sent =
        json!({"name": "longer", "type": "odd", "mail": "x", "since": "soon", "days": 10, "active": "yes", "aliases": ["long"]});
    let errors = wrong(sent, true);
    let names: Vec<&str> = errors.iter().filter_map(|error| error.split(':').next()).collect();
    assert_eq!(names, ["name", "type", "mail", "since", "days", "active", "aliases"], "{errors:?}");
    assert!(errors[4].ends_with("must be from 1 to 9 days"), "{errors:?}");
    assert_eq!(wrong(json!({}), true).len(), 1, "only the name is required");
    assert_eq!(wrong(json!({"type": null, "active": null, "name": ""}), false).len(), 3, "none of them can be emptied");
}

#[test]
fn a_plan_sets_what_a_sync_may_set() {
    let mut row = Thing::default();
    for (column, value) in [("name", json!("Ada")), ("since", json!(null)), ("active", json!(true)), ("bytes", json!(9))] {
        row.assign(column, &value).unwrap();
    }
    assert_eq!((row.name.as_str(), row.active, row.bytes), ("Ada", true, 9));
    for (column, value) in
        [("days", json!(1)), ("none", json!(1)), ("bytes", json!("9")), ("name", json!(null)), ("name", json!([]))]
    {
        assert!(row.assign(column, &value).is_err(), "{column}");
    }
    assert_eq!(Thing::synced().collect::<Vec<_>>(), ["name", "since", "active", "bytes"]);
}

#[test]
fn a_list_has_the_listed_fields_first() {
    let columns: &[Column] = crate::list_columns!(Thing; Column::text("other", "x.other"));
    let names: Vec<_> = columns.iter().map(|column| (column.name, column.sql, column.nullable)).collect();
    let wanted = [
        ("name", "thing.name", false),
        ("type", "thing.kind", false),
        ("since", "thing.since", true),
        ("other", "x.other", true),
    ];
    assert_eq!(names, wanted);
    assert_eq!(columns[0].folded, Some("thing.name_folded"));
}

/// A thing as it is told.
struct View {
    row: Thing,
    owner: &'static str,
}

crate::shaped! { View: Members::first(&["owner", "type"])
    .record(|view: &View| &view.row)
    .member("owner", Holds::TEXT.or_null(), |view| view.owner.into())
    .member("days", Holds::INT.or_null(), |view| view.row.days.map(|days| days * 2).into())
}

#[test]
fn an_answer_has_the_fields_in_their_order_and_what_is_made_of_them() {
    let row = Thing {
        id: 7,
        rev: 2,
        name: "Ada".to_owned(),
        kind: "big".to_owned(),
        days: Some(4),
        secret: Some("s".to_owned()),
        more: Some(r#"{"a":[1]}"#.to_owned()),
        ..Thing::default()
    };
    let view = View { row, owner: "Acme" };
    let text = serde_json::to_string(&view).unwrap();
    let names = ["owner", "type", "id", "name", "mail", "since", "days", "active", "aliases", "bytes", "more"];
    assert_eq!(View::names(), [&names[..], &["created_at", "updated_at", "retired_at", "rev"]].concat());
    assert!(text.starts_with(r#"{"owner":"Acme","type":"big","id":7,"name":"Ada","mail":"","since":null,"days":8,"#), "{text}");
    assert!(text.contains(r#""more":{"a":[1]}"#) && !text.contains("secret"), "{text}");
    let some = serde_json::to_value(shape::Only(&view, &["name", "owner"])).unwrap();
    assert_eq!(some, json!({"name": "Ada", "owner": "Acme"}));
}

/// The same for somebody who reads less, under older names.
struct Older(View);

crate::shaped! { Older: Members::only(&["title", "owner", "name"])
    .within(|older: &Older| &older.0)
    .also("title", "name")
    .member("name", Holds::TEXT, |older| older.0.row.name.to_uppercase().into())
}

#[test]
fn a_shape_can_pick_from_another_one() {
    let older = Older(View { row: Thing { name: "Ada".to_owned(), ..Thing::default() }, owner: "Acme" });
    assert_eq!(serde_json::to_string(&older).unwrap(), r#"{"title":"Ada","owner":"Acme","name":"ADA"}"#);
    assert_eq!(Older::names(), ["title", "owner", "name"]);
}

#[test]
fn what_tells_of_people_is_left_out_of_every_such_field() {
    let text = |text: &str| Some(text.to_owned());
    let mut row = Thing { name: "Ada".to_owned(), mail: "a@b".to_owned(), secret: text("s"), days: Some(1), ..Thing::default() };
    redact(&mut row, |personal, text| (personal == Personal::Name).then(|| format!("{}•", &text[..1])));
    assert_eq!((row.name.as_str(), row.mail.as_str(), &row.secret, row.days), ("A•", "", &None, Some(1)));
    let all: &[(&str, Personal)] = crate::personal_fields![Thing; ("title", Personal::Name)];
    let wanted = [("name", Personal::Name), ("mail", Personal::Email), ("secret", Personal::Private), ("title", Personal::Name)];
    assert_eq!(all, wanted);
}

#[test]
fn a_value_that_is_read_can_be_written() {
    let row = Thing { name: "Ada".to_owned(), days: Some(4), ..Thing::default() };
    let mut other = Thing::default();
    for field in Thing::FIELDS {
        (field.write)(&mut other, &(field.read)(&row).into()).unwrap();
    }
    assert_eq!(other, row);
}
