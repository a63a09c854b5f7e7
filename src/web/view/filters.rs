//! Filters for templates: `{{ "search"|icon }}`, `{{ at|ago }}`, `{{ count|thousands }}`.

#![expect(clippy::inline_always, reason = "the attribute comes from askama")]

use super::{icons, time};
use askama::{Result, Values, filters::Safe};

/// The icon of this name, inlined.
#[askama::filter_fn]
pub fn icon(name: impl AsRef<str>, _: &dyn Values) -> Result<Safe<&'static str>> {
    Ok(Safe(icons::svg(name.as_ref())))
}

/// How long ago, from a stored time.
#[askama::filter_fn]
pub fn ago(at: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::ago(at.as_ref()))
}

/// The exact moment, with its zone, for the hover text.
#[askama::filter_fn]
pub fn exact(at: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::exact(at.as_ref()))
}

/// The date alone.
#[askama::filter_fn]
pub fn date(at: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::date(at.as_ref()))
}

/// A count as people read it.
#[askama::filter_fn]
pub fn thousands(count: &i64, _: &dyn Values) -> Result<String> {
    Ok(super::thousands(*count))
}

/// Two letters for a name.
#[askama::filter_fn]
pub fn initials(name: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(super::initials(name.as_ref()))
}
