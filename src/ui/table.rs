//! A small table inside a card: what belongs to a record, with one thing to do to each row.

use super::Value;
use askama::Template;

/// Something that is done to a row by a form.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where it is posted.
    pub action: String,
    /// What the button says.
    pub label: &'static str,
    /// What it would mean, asked before it is done; empty asks nothing.
    pub confirm: String,
    /// What is sent with it.
    pub fields: Vec<(&'static str, String)>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its values, the first being the link.
    pub cells: Vec<Value>,
    /// What can be done to it.
    pub post: Option<Post>,
}

/// The table.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/table.html")]
pub struct Table {
    /// What the table holds, for those who cannot see it.
    pub label: &'static str,
    /// Headings and how their cells are set.
    pub heads: Vec<(&'static str, &'static str)>,
    /// The rows.
    pub lines: Vec<Line>,
    /// What is said when there are none.
    pub empty: &'static str,
    /// Everything, when only some are shown: address and words.
    pub more: Option<(String, String)>,
}

impl askama::filters::HtmlSafe for Table {}

impl Table {
    fn has_posts(&self) -> bool {
        self.lines.iter().any(|line| line.post.is_some())
    }
}
