//! A page that is a list under its title.

use askama::Template;

use super::{List, Page, filters};

/// A list under its title.
#[derive(Template)]
#[template(path = "list.html")]
pub struct ListPage {
    /// What stands around it.
    pub page: Page,
    /// What can be added, for those who may.
    pub action: Option<(String, &'static str)>,
    /// The list.
    pub list: List,
    /// What a table is imported as here.
    pub import: Option<&'static str>,
    /// The lists beside it, this one too: address, name, whether it is this one.
    pub tabs: Vec<(String, String, bool)>,
}
