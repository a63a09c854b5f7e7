//! A field's value as people read it, by what the field holds.

use crate::{
    entity::{
        Cell, FieldSpec, Kind,
        ending::{Days, State},
    },
    types::decimal,
    ui::{Value, words},
};

/// The state of something that ends, by its word; the usual one is plain words.
#[must_use]
pub fn ends(word: &str) -> Value {
    match State::ALL.into_iter().find(|state| state.as_str() == word) {
        Some(state @ State::Ending) => Value::badge("warning", state.label()),
        Some(state @ State::Expired) => Value::badge("danger", state.label()),
        Some(state @ State::In) => Value::words(state.label()),
        Some(State::Unknown) | None => Value::None,
    }
}

/// The day on which something ends, with how it stands where that is worth a look.
#[must_use]
pub fn end(day: Option<&str>) -> Value {
    match Days::now().state(day) {
        state @ (State::Ending | State::Expired) => Value::Many(vec![Value::date(day), ends(state.as_str())]),
        State::In | State::Unknown => Value::date(day),
    }
}

/// A value on a page or in a table.
#[must_use]
pub fn shown(spec: &FieldSpec, cell: &Cell<'_>) -> Value {
    let text = match cell {
        Cell::Int(number) => {
            return match spec.kind {
                Kind::Decimal(places) => Value::Count(decimal::written(*number, places)),
                _ => Value::count(*number),
            };
        }
        Cell::Bool(yes) => return Value::yes_no(*yes),
        other => other.text(),
    };
    match spec.kind {
        _ if spec.is_code => Value::code(text),
        Kind::Day => Value::date(text),
        Kind::Moment(_) => Value::ago(text),
        Kind::Phone(_) => Value::phone(text),
        Kind::Email(_) => Value::mail(text),
        Kind::Url(_) => Value::away(text, "Open"),
        Kind::Choice(_) => text.map_or(Value::None, |word| Value::words(words(word))),
        Kind::Long(_) => Value::lines(text),
        Kind::Markdown(_) => Value::markdown(text),
        Kind::TextList(..) => {
            let list: Option<Vec<String>> = text.and_then(|text| serde_json::from_str(text).ok());
            Value::text(list.map(|list| list.join(", ")).as_deref().or(text))
        }
        Kind::Text(_)
        | Kind::Int
        | Kind::Decimal(_)
        | Kind::Flag
        | Kind::Json
        | Kind::Reference(_)
        | Kind::Ip
        | Kind::Cidr
        | Kind::Mac => Value::text(text),
    }
}
