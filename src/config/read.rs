//! Turns texts into values, and collects what is wrong with them.

use super::{Problem, Secret, sources::Resolved};

/// Reads settings one after the other and remembers every problem.
pub struct Reader<'a> {
    resolved: &'a Resolved,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader over the winning values.
    pub fn new(resolved: &'a Resolved) -> Self {
        Self { resolved, problems: Vec::new() }
    }

    /// The first problems, if there were any, in one message.
    pub fn finish(self) -> Result<(), Problem> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problem::new(self.problems.join("; "))) }
    }

    /// The text of a setting; empty when it is unset.
    pub fn text(&self, section: &'static str, name: &'static str) -> &'a str {
        let value = self.resolved.values.get(&(section, name));
        debug_assert!(value.is_some(), "no such setting: {section}.{name}");
        value.map_or("", |v| v.text.as_str())
    }

    /// Where a setting was said.
    pub fn origin(&self, section: &'static str, name: &'static str) -> &'a str {
        self.resolved.values.get(&(section, name)).map_or("default", |v| v.origin.as_str())
    }

    /// The text of a setting that may be unset.
    pub fn optional(&self, section: &'static str, name: &'static str) -> Option<String> {
        Some(self.text(section, name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A secret, or none.
    pub fn secret(&self, section: &'static str, name: &'static str) -> Option<Secret> {
        self.optional(section, name).map(Secret::new)
    }

    /// The parts of a comma-separated list.
    pub fn list(&self, section: &'static str, name: &'static str) -> Vec<String> {
        self.text(section, name).split([',', '\n']).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
    }

    /// A setting as `parse` understands it; what is wrong is remembered and `fallback` stands in.
    pub fn parsed<T>(
        &mut self,
        (section, name): (&'static str, &'static str),
        fallback: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        parse(self.text(section, name)).unwrap_or_else(|message| {
            self.wrong(section, name, &message);
            fallback
        })
    }

    /// Yes or no, in the words that Python's parser takes.
    pub fn flag(&mut self, section: &'static str, name: &'static str) -> bool {
        self.parsed((section, name), false, |text| match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "" | "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        })
    }

    /// A web address without a trailing slash, or none.
    pub fn address(&mut self, section: &'static str, name: &'static str) -> Option<String> {
        self.parsed((section, name), None, |text| match text {
            "" => Ok(None),
            _ => web_address(text).map(Some),
        })
    }

    /// Remembers that a setting cannot be used, and where it was said.
    pub fn wrong(&mut self, section: &'static str, name: &'static str, message: &str) {
        let origin = self.origin(section, name);
        self.problems.push(format!("{section}.{name} {message} (from {origin})"));
    }
}

/// An http or https address, without a trailing slash.
pub fn web_address(text: &str) -> Result<String, String> {
    let wrong = || "must be an address that begins with http:// or https://".to_owned();
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong());
    }
    Ok(text.trim_end_matches('/').to_owned())
}
