//! A page that is one form, for what is no record of the one door: those have `resource::form_page`.

use askama::Template;

use super::{Crumb, Field, Page};
use crate::ui::filters;

/// A form on a page of its own.
#[derive(Debug, Template)]
#[template(path = "form.html")]
pub struct FormPage {
    pub page: Page,
    pub crumbs: Vec<Crumb>,
    /// What is wrong with the whole.
    pub problems: Vec<String>,
    /// Where it is sent.
    pub action: String,
    /// The revision that it shows; empty where nothing is revised.
    pub rev: String,
    pub sections: Vec<FormSection>,
    /// What the button says.
    pub save: &'static str,
    /// Where *Cancel* leads.
    pub back: String,
}

/// Fields under a heading.
#[derive(Debug)]
pub struct FormSection {
    pub title: &'static str,
    pub fields: Vec<Field>,
}
