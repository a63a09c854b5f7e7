//! A form page: what is typed is kept when it comes back, and every error stands beside its field.

use std::collections::BTreeMap;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use serde_json::{Map, Value as Json};

use crate::{
    agents::PageContext,
    entity::{Entity, Kind, Stands},
    error::{Error, FieldError, Result},
    history::protection::LEVELS,
    ui::{Choice, Crumb, Field, Page, Records, filters, form, label},
    web::Fields,
};

/// The field of this column in a form, as the noun's table describes it; one to choose from offers `choices` or, without
/// any, its own words.
#[must_use]
fn input<E: Entity>(typed: &Typed, column: &'static str) -> Field {
    let Some(spec) = E::field(column).map(|field| &field.spec) else { return Field::text(column, column, typed.text(column)) };
    let (name, label) = (spec.name, spec.label);
    let field = match spec.kind {
        Kind::Text(_) | Kind::Moment(_) | Kind::Ip | Kind::Cidr | Kind::Mac | Kind::Decimal(_) => {
            Field::text(name, label, typed.text(name))
        }
        Kind::Long(_) | Kind::Json(_) => Field::area(name, label, typed.text(name)),
        Kind::Markdown(_) => Field::area(name, label, typed.text(name)).hint("Markdown: **bold**, - lists, [links](https://…)."),
        Kind::TextList(..) => Field::area(name, label, typed.text(name)).hint("One per line."),
        Kind::Choice(known) => Field::select(name, label, typed.text(name), known.iter().map(|word| choice(word)).collect()),
        Kind::Phone(_) => Field::line("tel", name, label, typed.text(name)),
        Kind::Day => Field::line("date", name, label, typed.text(name)),
        Kind::Url(_) => Field::line("url", name, label, typed.text(name)),
        Kind::Email(_) => Field::line("email", name, label, typed.text(name)),
        Kind::Int | Kind::Reference(_) => Field::line("number", name, label, typed.text(name)),
        Kind::Flag => Field::check(name, label, typed.is_on(name)),
    };
    if spec.is_required { field.required() } else { field }
}

/// The fields under a heading of the noun's table; those in `own` are made otherwise than their kind says.
#[must_use]
pub fn section<E: Entity>(typed: &Typed, title: &'static str, own: Vec<(&'static str, Field)>) -> Part {
    let mut own: BTreeMap<&str, Field> = own.into_iter().collect();
    let columns = E::section(title, Stands::OnPage).map(|field| field.spec.column);
    Part { title, fields: columns.map(|column| own.remove(column).unwrap_or_else(|| input::<E>(typed, column))).collect() }
}

/// How strictly a record's people are protected, to be chosen; an administrator may lower it.
#[must_use]
pub fn protected_as(typed: &Typed) -> Field {
    let choices = LEVELS.iter().map(|level| choice(level)).collect();
    Field::select("protected_as", "Protected as", typed.text("protected_as"), choices)
        .hint("Follows its companies by itself; only an administrator lowers it.")
}

fn choice(word: &str) -> Choice {
    Choice::new(word, label(word))
}

/// A part of a form under its heading.
#[derive(Clone, Debug)]
pub struct Part {
    /// The heading.
    pub title: &'static str,
    /// The fields.
    pub fields: Vec<Field>,
}

/// A form page.
#[derive(Clone, Debug, Template)]
#[template(path = "records/record_form.html")]
pub struct FormPage {
    /// The context, titled.
    pub page: Page,
    /// Where this is.
    pub crumbs: Vec<Crumb>,
    /// What is wrong and belongs to no field.
    pub problems: Vec<String>,
    /// Where it is posted.
    pub action: String,
    /// Records that may be the same as the one being added: shown first, added on a second press.
    pub doubles: Option<Doubles>,
    /// The revision that was read, to notice somebody else's change.
    pub rev: String,
    /// The fields.
    pub sections: Vec<Part>,
    /// What the button says.
    pub save: &'static str,
    /// Where Cancel leads.
    pub back: String,
}

/// Records that a new one may repeat.
#[derive(Clone, Debug)]
pub struct Doubles {
    /// What they share, such as "A company with this name exists already".
    pub what: &'static str,
    /// They.
    pub known: Vec<Crumb>,
    /// What was typed; the form sends it back, so that another name asks again.
    pub typed: String,
}

impl Doubles {
    /// The field that says that a person has seen them.
    pub const CONFIRMED: &'static str = "confirmed_double";

    /// Nothing to warn of, or what to show before `typed` is added.
    #[must_use]
    pub fn unless_confirmed(fields: &Fields, what: &'static str, typed: &str, known: Vec<Crumb>) -> Option<Self> {
        let confirmed = fields.map().get(Self::CONFIRMED).and_then(Json::as_str) == Some(typed);
        (!known.is_empty() && !confirmed).then(|| Self { what, known, typed: typed.to_owned() })
    }
}

impl FormPage {
    /// The form of a record of this list, or without one of a new record.
    #[must_use]
    pub fn of(context: &PageContext, list: &Records, record: Option<Crumb>, typed: &Typed, sections: Vec<Part>) -> Self {
        let crumb = list.crumb(&context.page);
        match record {
            Some(record) => {
                let page = context.titled(list.section, format!("Edit {}", record.text));
                Self::editing(page, crumb, record, typed, sections)
            }
            None => Self::adding(context.titled(list.section, list.new), crumb, list.add, sections),
        }
    }

    /// The form of a record that is to be added to the list of this crumb; `page` has its title.
    #[must_use]
    pub fn adding(page: Page, list: Crumb, save: &'static str, sections: Vec<Part>) -> Self {
        Self {
            page,
            problems: Vec::new(),
            doubles: None,
            action: format!("{}new", list.href),
            rev: String::new(),
            sections,
            save,
            back: list.href.clone(),
            crumbs: vec![list],
        }
    }

    /// The form of a record as it stands, or with what was typed; its own crumb is the last one.
    #[must_use]
    pub fn editing(page: Page, list: Crumb, record: Crumb, typed: &Typed, sections: Vec<Part>) -> Self {
        let here = record.href.clone();
        Self {
            page,
            problems: Vec::new(),
            doubles: None,
            action: format!("{here}/edit"),
            rev: typed.text("rev"),
            sections,
            save: "Save",
            back: here,
            crumbs: vec![list, record],
        }
    }

    /// The same form, asking whether another record is meant.
    pub fn ask(mut self, context: &PageContext, doubles: Doubles) -> Result<Response> {
        self.doubles = Some(doubles);
        context.show_as(StatusCode::CONFLICT, &self)
    }

    /// The same form with what went wrong, or the error itself when a form cannot help.
    pub fn fail(mut self, context: &PageContext, error: Error) -> Result<Response> {
        let status = error.status();
        let fields = self.sections.iter_mut().flat_map(|part| part.fields.iter_mut());
        self.problems = match error {
            Error::Invalid(wrong) => form::place_errors(fields, &wrong),
            Error::Conflict { message, .. } | Error::Forbidden(message) => match message.split_once(": ") {
                Some((field, why)) => {
                    form::place_errors(fields, &[FieldError { field: field.to_owned(), message: why.to_owned() }])
                }
                None => vec![message],
            },
            Error::PreconditionFailed => vec![CHANGED_SINCE.to_owned()],
            other => return Err(other),
        };
        context.show_as(if status == StatusCode::PRECONDITION_FAILED { StatusCode::CONFLICT } else { status }, &self)
    }
}

/// With nothing chosen among these.
#[must_use]
pub fn or_none(mut known: Vec<Choice>) -> Vec<Choice> {
    known.insert(0, Choice::new("", "–"));
    known
}

/// What is said when the record of a form is another one by now.
pub const CHANGED_SINCE: &str =
    "Somebody else has changed this record since you opened it. Open it in another tab to see how, and make your change there.";

/// A form's fields with these lists as "no value" when their boxes are empty: a browser sends an empty
/// text, which elsewhere means an empty list.
#[must_use]
pub fn without_blank_lists(fields: Fields, lists: &[&str]) -> Fields {
    if lists.is_empty() {
        return fields;
    }
    let mut map = fields.map().clone();
    for name in lists {
        if let Some(value) = map.get_mut(*name)
            && value.as_str().is_some_and(|text| text.trim().is_empty())
        {
            *value = Json::Null;
        }
    }
    Fields::from_form(map)
}

/// What a person changed in a form. A field that came back as the page showed it is left out, so that a
/// stored value which today's rules would refuse neither stands in the way of an edit beside it nor is
/// altered or pinned by it.
#[must_use]
pub fn changed(shown: &FormPage, fields: &Fields) -> Fields {
    let mut map = fields.map().clone();
    for field in shown.sections.iter().flat_map(|part| &part.fields) {
        if map.get(&*field.name).is_some_and(|sent| field.came_back(sent)) {
            map.remove(&*field.name);
        }
    }
    Fields::from_form(map)
}

/// What stands in a form's fields: what was typed, or what is stored.
#[derive(Clone, Debug, Default)]
pub struct Typed(Map<String, Json>);

impl Typed {
    /// What a form sent.
    #[must_use]
    pub fn new(map: Map<String, Json>) -> Self {
        Self(map)
    }

    /// What is stored, as its JSON has it.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub fn of(record: &impl serde::Serialize) -> Result<Self> {
        match serde_json::to_value(record).map_err(Error::internal)? {
            Json::Object(map) => Ok(Self(map)),
            _ => Ok(Self::default()),
        }
    }

    /// Stores a value under a form's own name.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A field as text; a list (also one inside a string) line by line.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Json::String(text)) if text.starts_with('[') => {
                serde_json::from_str::<Vec<String>>(text).map_or_else(|_| text.clone(), |items| items.join("\n"))
            }
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::Bool(value)) => value.to_string(),
            Some(Json::Array(_)) => self.list(name).join("\n"),
            _ => String::new(),
        }
    }

    /// A field as text, if it was sent at all.
    #[must_use]
    pub fn sent(&self, name: &str) -> Option<String> {
        self.0.contains_key(name).then(|| self.text(name))
    }

    /// A field as a list, if it was sent at all.
    #[must_use]
    pub fn sent_list(&self, name: &str) -> Option<Vec<String>> {
        self.0.contains_key(name).then(|| self.list(name))
    }

    /// The same without tags: what stands beside a record is no part of it.
    #[must_use]
    pub fn without_own(mut self) -> Self {
        self.0.remove("tags");
        self
    }

    /// A field as a list.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let Some(Json::Array(items)) = self.0.get(name) else { return Vec::new() };
        items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
    }

    /// A field as yes or no.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// The revision that the form was made from.
    #[must_use]
    pub fn rev(&self) -> Option<i64> {
        self.text("rev").parse().ok()
    }
}
