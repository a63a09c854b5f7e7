//! What billing answers beside its records, as the API description says it.

use serde_json::{Value, json};

use super::{
    cause::Cause,
    compare::{Moved, TermChange},
    counting::{EXCLUDED, Receipt, Settings},
    model::{CATEGORIES, Plan},
    snapshot::{FrozenReceipt, Reason},
};
use crate::web::openapi::schema::{self, Schemas};

fn text() -> Value {
    schema::text()
}

fn number() -> Value {
    schema::or_null(schema::number())
}

fn texts() -> Value {
    schema::array(text())
}

fn company() -> (&'static str, Value) {
    ("company", schema::object(&[("account_number", text()), ("name", text())]))
}

/// A figure on both sides.
fn sides(names: [&str; 2]) -> Value {
    schema::object(&names.map(|name| (name, number())))
}

fn receipts(one: Value) -> (&'static str, Value) {
    let list = schema::array(one);
    ("receipts", schema::object(&[("counted", list.clone()), ("left_out", list)]))
}

/// The members that every line has.
fn line() -> Value {
    schema::object(&[
        ("key", text()),
        ("label", text()),
        ("rule", text()),
        ("counted", schema::number()),
        ("billed", number()),
        ("unit_cost", number()),
        ("amount", number()),
        ("note", schema::or_null(text())),
    ])
}

/// All plans as a file, which can be imported again: what only this database knows of them is left out.
pub fn exported(_: &mut Schemas) -> Value {
    let plan = schema::object(&[("plan_name", text()), ("term_length", text())]);
    let names = ["feature_category", "option_value", "display_name"].map(|name| (name, text()));
    let option = schema::with(schema::object(&names), &[("description", schema::or_null(text()))]);
    let category = schema::object(&[("category", text()), ("display_name", text())]);
    let arrays = [("plans", plan), ("feature_options", option), ("feature_categories", category)];
    schema::object(&arrays.map(|(name, one)| (name, schema::array(one))))
}

/// What is counted and billed of a company's month, or of every client's.
pub fn trueup(schemas: &mut Schemas) -> Value {
    let receipts = receipts(schema::one::<Receipt>(schemas));
    let line = schema::with(line(), &[("difference", number()), receipts]);
    let managed = [("key", text()), ("counted", number()), ("billed", number()), ("difference", number())];
    let plan = schema::object(&[("id", schema::int()), ("plan_name", text()), ("term_length", text())]);
    let one = schema::object(&[
        ("month", text()),
        ("as_of", schema::or_null(text())),
        company(),
        ("plan", schema::or_null(plan)),
        ("support_level", schema::or_null(text())),
        ("settings", schema::one::<Settings>(schemas)),
        ("lines", schema::array(line)),
        ("managed", schema::array(schema::object(&managed))),
        ("differences", schema::int()),
        ("total", number()),
        ("unknown", texts()),
    ]);
    let one = schemas.name("Trueup".to_owned(), one);
    let all = schema::object(&[("month", text()), ("as_of", schema::or_null(text())), ("companies", schema::array(one.clone()))]);
    json!({"anyOf": [one, schemas.name("TrueupOfClients".to_owned(), all)]})
}

/// What differs between two months.
pub fn compared(schemas: &mut Schemas) -> Value {
    let both = || sides(["from", "to"]);
    let line = schema::object(&[
        ("key", text()),
        ("label", text()),
        ("counted", both()),
        ("billed", both()),
        ("unit_cost", both()),
        ("amount", both()),
        ("cause", schema::or_null(schema::one::<Cause>(schemas))),
    ]);
    let of_company = schema::object(&[
        company(),
        ("terms", schema::list::<TermChange>(schemas)),
        ("lines", schema::array(line)),
        ("records", schema::list::<Moved>(schemas)),
        ("total", both()),
        ("unknown", texts()),
    ]);
    schema::object(&[("from", text()), ("to", text()), ("companies", schema::array(of_company))])
}

/// A frozen month without its content.
fn frozen() -> Value {
    schema::object(&[
        ("id", schema::int()),
        ("kind", schema::choice(&["snapshot", "adjustment"])),
        ("month", text()),
        company(),
        ("number", schema::int()),
        ("adjusts", schema::or_null(schema::int())),
        ("is_partial", schema::flag()),
        ("frozen_at", text()),
        ("frozen_by", text()),
        ("total", number()),
        ("sha256", text()),
        ("csv", text()),
    ])
}

/// Frozen months.
pub fn snapshots(schemas: &mut Schemas) -> Value {
    schema::array(schemas.name("BillingSnapshot".to_owned(), frozen()))
}

/// What was frozen, and what was the same already.
pub fn freezing(schemas: &mut Schemas) -> Value {
    let (made, unchanged) = (snapshots(schemas), snapshots(schemas));
    schema::object(&[("message", text()), ("month", text()), ("frozen", made), ("unchanged", unchanged)])
}

/// What is to be frozen.
pub fn to_freeze(_: &mut Schemas) -> Value {
    let month = schema::object(&[("month", schema::month())]);
    schema::with(month, &[("company", schema::or_null(schema::company())), ("force", schema::flag())])
}

/// A frozen month with its content.
pub fn snapshot(schemas: &mut Schemas) -> Value {
    let both = || sides(["before", "after"]);
    let receipts = receipts(schema::one::<FrozenReceipt>(schemas));
    let difference = schema::object(&[
        ("key", text()),
        ("label", text()),
        ("counted", both()),
        ("billed", both()),
        ("unit_cost", both()),
        ("amount", both()),
        ("amount_by", schema::number()),
        ("because", schema::list::<Reason>(schemas)),
        ("terms", schema::list::<Cause>(schemas)),
        ("words", texts()),
    ]);
    let plan = schema::object(&[("plan_name", text()), ("term_length", schema::or_null(text()))]);
    let managed = schema::object(&[("key", text()), ("counted", schema::number()), ("billed", schema::number())]);
    let content = [
        ("plan", schema::or_null(plan)),
        ("support_level", schema::or_null(text())),
        ("lines", schema::array(schema::with(line(), &[receipts]))),
        ("managed", schema::array(managed)),
        ("unknown", texts()),
        ("differences", schema::array(difference)),
        ("adjusted_by", schema::array(schema::int())),
    ];
    schema::with(frozen(), &content)
}

/// What is left out of bills by hand.
pub fn exclusion(_: &mut Schemas) -> Value {
    schema::object(&[&[("company", schema::company())][..], &excluded()[..]].concat())
}

/// Why it is, anew.
pub fn excluded_anew(_: &mut Schemas) -> Value {
    schema::optional(&excluded())
}

fn excluded() -> [(&'static str, Value); 3] {
    [("entity", schema::choice(EXCLUDED)), ("entity_id", schema::id_of("contact")), ("reason", schema::words(500))]
}

/// Every plan by its name and term.
pub fn bulk(_: &mut Schemas) -> Value {
    let named = [("plan_name", text()), ("term_length", text()), ("support_level", text())];
    let features = CATEGORIES.map(|(category, _)| (category, text()));
    schema::object(&[("plans", schema::map(schema::object(&[&named[..], &features[..]].concat())))])
}

fn told_plan(schemas: &mut Schemas) -> Value {
    schema::with(schema::one::<Plan>(schemas), &[("feature_display_names", schema::map(text()))])
}

/// Plans with what their features are called.
pub fn plans(schemas: &mut Schemas) -> Value {
    let plans = schema::array(told_plan(schemas));
    schema::object(&[("status", text()), ("count", schema::int()), ("plans", plans)])
}

/// One of them.
pub fn plan(schemas: &mut Schemas) -> Value {
    schema::object(&[("status", text()), ("plan", told_plan(schemas))])
}

/// What there is of each category.
pub fn options(_: &mut Schemas) -> Value {
    let option = schema::object(&[
        ("id", schema::int()),
        ("category", text()),
        ("value", text()),
        ("display_name", text()),
        ("description", schema::or_null(text())),
    ]);
    let features = schema::map(schema::array(option));
    schema::object(&[("status", text()), ("features", features), ("categories", texts())])
}

/// The categories, and what they are called.
pub fn categories(_: &mut Schemas) -> Value {
    let names = ("display_names", schema::map(text()));
    schema::object(&[("status", text()), ("categories", texts()), names, ("count", schema::int())])
}

/// What each company has that is billed.
pub fn summary(_: &mut Schemas) -> Value {
    let nullable = || schema::or_null(text());
    let asset = ["hostname", "hardware_type", "operating_system", "type"].map(|name| (name, nullable()));
    let user = ["username", "email"].map(|name| (name, nullable()));
    let chosen = schema::object(&[("value", text()), ("source", schema::choice(&["custom", "plan"]))]);
    let hours = schema::object(&[("this_month", schema::number()), ("last_month", schema::number())]);
    schema::array(schema::object(&[
        ("account_number", text()),
        ("name", text()),
        ("plan_selected", nullable()),
        ("company_main_number", nullable()),
        ("domains", json!({"type": ["string", "array", "null"], "items": {"type": "string"}})),
        ("billing_plan", text()),
        ("contract_term_length", nullable()),
        ("support_level", nullable()),
        ("plan_id", schema::or_null(schema::int())),
        ("asset_count", schema::int()),
        ("user_count", schema::int()),
        ("counts_by_type", schema::counts()),
        ("features", schema::map(chosen)),
        ("assets", schema::array(schema::object(&asset))),
        ("users", schema::array(schema::object(&user))),
        ("hours", hours),
    ]))
}
