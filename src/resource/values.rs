//! A field's value as people read it, by what the field holds.

use crate::{
    entity::{
        Cell, FieldSpec, Format, Kind,
        ending::{Days, State},
    },
    types::decimal,
    ui::{Value, label, time, words},
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

/// A number in people's units.
#[must_use]
pub fn measured(format: Format, number: i64) -> String {
    match format {
        Format::Bytes => format!("{} GB", gigabytes(number)),
        Format::Minutes => format!("{number} min"),
        Format::Terabytes => format!("{number} TB"),
        Format::Word | Format::Day | Format::Moment => number.to_string(),
    }
}

/// A text in people's words.
#[must_use]
pub fn written(spec: &FieldSpec, text: &str) -> String {
    match spec.read_as() {
        Some(Format::Word) => label(text),
        Some(Format::Day) => time::date(text),
        Some(Format::Moment) => time::exact(text),
        Some(Format::Terabytes) if text.parse::<f64>().is_ok() => format!("{text} TB"),
        _ => text.to_owned(),
    }
}

/// Bytes as gibibytes with two decimals.
#[must_use]
pub fn gigabytes(bytes: i64) -> f64 {
    let hundredths = i128::from(bytes) * 100 / (1 << 30);
    #[expect(clippy::cast_precision_loss, reason = "a size in hundredths of a gibibyte is far below 2^53")]
    let hundredths = hundredths as f64;
    hundredths / 100.0
}

/// A value on a page or in a table.
#[must_use]
pub fn shown(spec: &FieldSpec, cell: &Cell<'_>) -> Value {
    let text = match cell {
        Cell::Int(number) => {
            return match (spec.kind, spec.format) {
                (Kind::Decimal(places), _) => Value::Count(decimal::written(*number, places)),
                (_, Some(format)) => Value::Count(measured(format, *number)),
                _ => Value::count(*number),
            };
        }
        Cell::Bool(yes) => return Value::yes_no(*yes),
        other => other.text(),
    };
    match spec.kind {
        _ if spec.is_code => Value::code(text),
        Kind::Text(_) if spec.format.is_some() => text.map_or(Value::None, |text| Value::words(written(spec, text))),
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
        | Kind::Json(_)
        | Kind::Reference(_)
        | Kind::Ip
        | Kind::Cidr
        | Kind::Mac => Value::text(text),
    }
}
