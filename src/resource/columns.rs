//! The columns of a list page: each says in one place what it is called and what stands in its cells.

use super::values::shown;
use crate::{
    entity::{FieldSpec, Fielded, Kind},
    ui::{Page, Shown, Value, list::Cells},
};

/// How a cell is made of a row.
pub type Make<V> = Box<dyn Fn(&Page, &V) -> Value + Send + Sync>;

/// How the cells of a field are set.
#[must_use]
pub fn class_of(spec: &FieldSpec) -> &'static str {
    match spec.kind {
        Kind::Text(_) | Kind::Long(_) | Kind::Markdown(_) | Kind::TextList(..) if !spec.is_code => "cell--cut",
        Kind::Int => "cell--number",
        _ => "",
    }
}

/// The columns of a list of `V`; the first one is the link.
pub struct Columns<V> {
    shown: Vec<Shown>,
    cells: Vec<Make<V>>,
}

impl<V: 'static> Columns<V> {
    /// A list with this first column.
    #[must_use]
    pub fn new(key: &'static str, label: &'static str, cell: fn(&V) -> Value) -> Self {
        let none = Self { shown: Vec::new(), cells: Vec::new() };
        none.with(Shown { key, label, class: "cell--main", usual: true }, Box::new(move |_, row| cell(row)))
    }

    /// A column that is shown unless somebody chooses others.
    #[must_use]
    pub fn usual(self, key: &'static str, label: &'static str, class: &'static str, cell: fn(&Page, &V) -> Value) -> Self {
        self.with(Shown { key, label, class, usual: true }, Box::new(cell))
    }

    /// A column that can be chosen.
    #[must_use]
    pub fn other(self, key: &'static str, label: &'static str, class: &'static str, cell: fn(&Page, &V) -> Value) -> Self {
        self.with(Shown { key, label, class, usual: false }, Box::new(cell))
    }

    /// Columns of these fields of a table, which are shown unless somebody chooses others.
    #[must_use]
    pub fn fields<P: Fielded>(self, of: fn(&V) -> &P, columns: &[&str]) -> Self {
        columns.iter().fold(self, |all, column| all.field(of, column, true))
    }

    /// Every other field of a table that is listed and short, to be chosen.
    #[must_use]
    pub fn rest<P: Fielded>(self, of: fn(&V) -> &P) -> Self {
        let listed = P::FIELDS.iter().map(|field| &field.spec);
        let listed = listed.filter(|spec| spec.is_listed && !matches!(spec.kind, Kind::Long(_)));
        listed.fold(self, |all, spec| {
            let known = all.shown.iter().any(|known| known.key == spec.emitted || known.label == spec.label);
            if known { all } else { all.field(of, spec.column, false) }
        })
    }

    fn field<P: Fielded>(self, of: fn(&V) -> &P, column: &str, usual: bool) -> Self {
        let Some(field) = P::field(column) else { return self };
        let column = Shown { key: field.spec.emitted, label: field.spec.label, class: class_of(&field.spec), usual };
        self.with(column, Box::new(move |_, row| shown(&field.spec, &(field.read)(of(row)))))
    }

    /// A column of any kind.
    #[must_use]
    pub fn with(mut self, column: Shown, cell: Make<V>) -> Self {
        self.shown.push(column);
        self.cells.push(cell);
        self
    }

    /// What the list page is told of them.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// The cells of a row.
    #[must_use]
    pub fn cells(&self, page: &Page, row: &V) -> Cells {
        self.cells.iter().map(|cell| cell(page, row)).collect()
    }
}
