//! A list page: one form with everything that shapes it (so that all of it is in the URL), the table,
//! and the way through its pages.

use std::borrow::Cow;

use super::{Choice, Value, filters};
use askama::Template;

/// One column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the URL.
    pub key: Cow<'static, str>,
    /// Its heading.
    pub label: Cow<'static, str>,
    /// Where its heading leads, if the list can be sorted by it.
    pub sort_href: Option<String>,
    /// `ascending`, `descending`, or empty.
    pub sorted: &'static str,
    /// `cell--main`, `cell--end`, `cell--sub`, `cell--number`, `cell--cut`: how it is set, and what of
    /// it stays on a small screen.
    pub class: Cow<'static, str>,
    /// Whether the reader wants to see it.
    pub shown: bool,
    /// Whether it is shown unless somebody chooses.
    pub usual: bool,
}

/// The cells of one row, in the order of all columns.
pub type Cells = Vec<Value>;

/// One row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The record's id, for what is done to several.
    pub id: i64,
    /// Where the row leads.
    pub href: String,
    /// What it is called, for those who cannot see the row.
    pub name: String,
    /// Whether the record has been retired.
    pub retired: bool,
    /// Its values.
    pub cells: Cells,
}

/// A filter that is set, and the address without it.
#[derive(Clone, Debug)]
pub struct Chip {
    /// `Type: server`.
    pub text: String,
    /// The list without it.
    pub href: String,
}

/// A filter that can be set.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Its name in the URL.
    pub name: Cow<'static, str>,
    /// Its name on the page.
    pub label: Cow<'static, str>,
    /// What it is set to.
    pub value: String,
    /// What it can be set to, the empty one first.
    pub choices: Vec<Choice>,
}

/// A view of a list that somebody saved.
#[derive(Clone, Debug)]
pub struct ListView {
    pub id: i64,
    pub name: String,
    /// Filters, columns and order, as in the list's address.
    pub query: String,
    /// Who saved it, when that is somebody else.
    pub owner: Option<String>,
    pub is_shared: bool,
    /// Whether the reader may change and delete it.
    pub may_change: bool,
    /// Whether the reader opens the list with it.
    pub is_default: bool,
}

impl ListView {
    /// The query of the list's address that shows it.
    #[must_use]
    pub fn address_query(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "&" };
        format!("{}{mark}view={}", self.query, self.id)
    }
}

/// A way to compare a column with a value.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// What follows the column's name in the address: `ic`.
    pub suffix: &'static str,
    pub words: &'static str,
}

/// A list of records.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/list.html")]
pub struct List {
    /// The list's own address, without a query.
    pub action: String,
    /// What is searched for.
    pub q: String,
    /// What the search field says while it is empty.
    pub placeholder: &'static str,
    /// Every column, shown or not.
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<Row>,
    /// The filters there are.
    pub filters: Vec<Filter>,
    /// The filters that are set.
    pub chips: Vec<Chip>,
    /// What the address asks for and the form has no field for, by name.
    pub kept: Vec<(String, String)>,
    /// The list without any of them.
    pub clear: String,
    /// The order, as it stands in the URL.
    pub sort: String,
    /// The orders there are, for small screens, which have no headings.
    pub sorts: Vec<Choice>,
    /// The order that needs no saying.
    pub usual_sort: &'static str,
    /// Rows to a page.
    pub per_page: i64,
    /// `1–50 of 30,112`.
    pub info: String,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// What is shown, as CSV.
    pub csv: String,
    /// CSV of chosen rows: this address and their ids.
    pub csv_chosen: String,
    /// Where chosen rows are tagged, and with what, where that can be.
    pub tags: Option<(String, Vec<String>)>,
    /// Where chosen rows are changed or retired together, and what the way there says, where that can be.
    pub bulk: Option<(String, &'static str)>,
    /// What there is none of: `companies`.
    pub noun: &'static str,
    /// What to do when there is nothing at all.
    pub when_empty: String,
    /// Whether retired rows are listed too.
    pub retired: bool,
    /// Where views are saved and changed.
    pub views_at: String,
    /// The list as views know it: `assets`.
    pub list: String,
    /// The saved views.
    pub views: Vec<ListView>,
    /// The one that is shown.
    pub view: Option<ListView>,
    /// What is shown now, as a view would keep it.
    pub asked: String,
    /// Whether what is shown differs from the view.
    pub is_changed: bool,
    /// Whether the reader may share views.
    pub may_share: bool,
    /// The columns that can be compared, by their name in the address.
    pub comparable: Vec<Choice>,
    /// How.
    pub comparisons: &'static [Comparison],
    /// The page shown, and how many there are.
    pub page: i64,
    pub pages: i64,
    /// How many rows a page can have, and whether it does.
    pub sizes: Vec<(i64, bool)>,
    /// What the address asks for beside the page.
    pub beside_page: Vec<(String, String)>,
}

impl askama::filters::HtmlSafe for List {}

impl List {
    fn shown(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.shown)
    }

    fn visible<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Column, &'a Value)> {
        self.columns.iter().zip(&row.cells).filter(|(column, _)| column.shown)
    }

    /// Whether this view is the one that is shown.
    #[must_use]
    pub fn is_shown(&self, view: &ListView) -> bool {
        self.view.as_ref().is_some_and(|shown| shown.id == view.id)
    }

    fn is_narrowed(&self) -> bool {
        !self.q.is_empty() || !self.chips.is_empty()
    }
}

/// `1–50 of 30,112`, or `None` in words.
#[must_use]
pub fn range(offset: i64, shown: i64, total: i64, noun: &str) -> String {
    if shown == 0 {
        return format!("No {noun}");
    }
    let thousands = super::thousands;
    format!("{}–{} of {}", thousands(offset + 1), thousands(offset + shown), thousands(total))
}
