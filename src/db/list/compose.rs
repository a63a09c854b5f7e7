//! From a checked question to the two statements that answer it: the rows and their number.

use super::{
    Column, Kind, ListQuery, Retired, Slice, beside, find, joins,
    parse::{Filter, Test},
};
use crate::{
    db::{Conn, Engine, Value},
    error::Result,
    types::{Wanted, fold},
};

/// A composed question.
pub struct Parts {
    condition: String,
    /// The room's own conditions, by which a key stands for one row.
    own: (String, Vec<Value>),
    order: String,
    /// The parameters of the conditions.
    pub params: Vec<Value>,
}

impl Parts {
    /// The statement for all rows.
    pub fn all(&self, query: &ListQuery) -> String {
        let spec = query.spec;
        format!("SELECT {} FROM {}{} ORDER BY {}", (spec.select)(), spec.from, self.condition, self.order)
    }

    /// The statement for the keys of the rows in order: what is sorted and skipped is small then, however long rows are.
    pub fn keys(&self, query: &ListQuery) -> String {
        let next = self.params.len() + 1;
        let limit = query.slice.map(|_| format!(" LIMIT ?{next} OFFSET ?{}", next + 1)).unwrap_or_default();
        format!("SELECT {} FROM {}{} ORDER BY {}{limit}", query.spec.key, query.spec.from, self.condition, self.order)
    }

    /// The statement for the keys and these columns of all rows, in no order.
    pub fn columns(&self, query: &ListQuery, columns: &[&str]) -> String {
        let selected: Vec<&str> = std::iter::once(query.spec.key).chain(columns.iter().copied()).collect();
        let selected = selected.join(", ");
        let from = joins::countable(query.spec.from, &format!("{} {selected}", self.condition));
        format!("SELECT {selected} FROM {}{}", from.unwrap_or(query.spec.from), self.condition)
    }

    /// The statement for the rows of some keys, in the same order, with its parameters.
    pub fn rows(&self, query: &ListQuery, keys: &[i64]) -> (String, Vec<Value>) {
        let (spec, (own, params)) = (query.spec, &self.own);
        let mut params = params.clone();
        params.push(Value::Ids(keys.to_vec()));
        let ids = params.len();
        let and = if own.is_empty() { String::new() } else { format!("{own} AND ") };
        (
            format!(
                "SELECT {} FROM {} WHERE {and}{} IN ids(?{ids}) ORDER BY {}",
                (spec.select)(),
                spec.from,
                spec.key,
                self.order
            ),
            params,
        )
    }

    /// The statement for their number.
    pub fn count(&self, query: &ListQuery) -> String {
        let from = joins::countable(query.spec.from, &self.condition).unwrap_or(query.spec.from);
        format!("SELECT count(*) FROM {from}{}", self.condition)
    }

    /// The parameters of [`Self::keys`].
    pub fn params_of(&self, slice: Option<Slice>) -> Vec<Value> {
        let mut params = self.params.clone();
        params.extend(slice.into_iter().flat_map(|slice| [Value::Int(slice.limit), Value::Int(slice.offset)]));
        params
    }
}

/// Collects conditions and numbers their parameters.
struct Composer {
    engine: Engine,
    conditions: Vec<String>,
    params: Vec<Value>,
}

pub fn compose(query: &ListQuery, conn: &mut Conn) -> Result<Parts> {
    let mut composer = Composer { engine: conn.engine(), conditions: Vec::new(), params: Vec::new() };
    match (query.spec.retired, query.retired) {
        (Some(column), Retired::Hide) => composer.conditions.push(format!("{column} IS NULL")),
        (Some(column), Retired::Only) => composer.conditions.push(format!("{column} IS NOT NULL")),
        (None, _) | (_, Retired::Include) => {}
    }
    let mut own = Composer { engine: conn.engine(), conditions: Vec::new(), params: Vec::new() };
    for condition in &query.conditions {
        composer.add(&condition.sql, condition.params.iter().cloned());
        own.add(&condition.sql, condition.params.iter().cloned());
    }
    for filter in &query.filters {
        composer.filter(filter);
    }
    if let Some(keeper) = beside::of(query.spec) {
        for (name, value) in &query.besides {
            let condition = keeper.condition(conn, query.rows_asked(), name, value)?;
            composer.add(&condition.sql, condition.params);
        }
    }
    if let (Some(text), Some(search)) = (&query.search, query.spec.search) {
        let found = find::Find { wanted: Wanted::read(text), search, private: query.private, key: query.spec.key };
        for (sql, params) in found.conditions(conn)? {
            composer.add(&sql, params);
        }
    }
    let order = composer.order(query, conn)?;
    let condition =
        if composer.conditions.is_empty() { String::new() } else { format!(" WHERE {}", composer.conditions.join(" AND ")) };
    Ok(Parts { condition, own: (own.conditions.join(" AND "), own.params), order, params: composer.params })
}

impl Composer {
    /// Adds a condition, its `{}` numbered in order.
    fn add(&mut self, sql: &str, params: impl IntoIterator<Item = Value>) {
        let mut pieces = sql.split("{}");
        let mut text = format!("({}", pieces.next().unwrap_or_default());
        for (piece, param) in pieces.zip(params) {
            self.params.push(param);
            text.extend(["?", &self.params.len().to_string(), piece]);
        }
        text.push(')');
        self.conditions.push(text);
    }

    fn filter(&mut self, Filter { column, test }: &Filter) {
        let sql = column.sql;
        match test {
            // Two texts instead of a hidden value, which the planner takes for one that hardly any row has.
            Test::Is(Value::Bool(value)) => self.conditions.push(format!("{sql} = {value}")),
            Test::Is(value) => self.add(&format!("{sql} = {{}}"), [value.clone()]),
            Test::IsNot(value) => {
                // As it is written, not by the key that some are ordered by.
                let ordered = self.ordered(&Column { ordered_by: None, ..*column });
                self.add(&format!("{sql} IS NULL OR {ordered} <> {{}}"), [Self::bound(column, value)]);
            }
            Test::AtLeast(value) => self.add(&format!("{} >= {{}}", self.ordered(column)), [Self::bound(column, value)]),
            Test::AtMost(value) => self.add(&format!("{} <= {{}}", self.ordered(column)), [Self::bound(column, value)]),
            Test::In(values) if values.is_empty() => self.conditions.push("1 = 0".to_owned()),
            Test::In(values) => {
                let list = vec!["{}"; values.len()].join(", ");
                self.add(&format!("{sql} IN ({list})"), values.iter().cloned());
            }
            Test::Contains(text) => {
                let (column, text) = match column.folded {
                    Some(folded) => (folded.to_owned(), fold(text)),
                    None => (format!("lower({})", self.bytewise(sql)), text.to_ascii_lowercase()),
                };
                self.add(&format!("{column} LIKE {{}} ESCAPE '\\'"), [Value::Text(format!("%{}%", escape(&text)))]);
            }
            Test::Empty(empty) => {
                let text = if matches!(column.kind, Kind::Text | Kind::Time) { format!(" OR {sql} = ''") } else { String::new() };
                let not = if *empty { "" } else { "NOT " };
                self.conditions.push(format!("{not}({sql} IS NULL{text})"));
            }
        }
    }

    fn order(&self, query: &ListQuery, conn: &mut Conn) -> Result<String> {
        let direction = |descending: bool| if descending { " DESC" } else { " ASC" };
        let mut order = Vec::new();
        for (column, descending) in &query.sort {
            let direction = direction(*descending);
            let nulls = if column.nullable { " NULLS LAST" } else { "" };
            let ordered = self.ordered(column);
            let shown = query.only_where.iter().filter(|(name, _)| *name == column.name).map(|(_, shown)| shown.as_str());
            let shown = shown.collect::<Vec<_>>().join(" AND ");
            order.push(if shown.is_empty() {
                format!("{ordered}{direction}{nulls}")
            } else {
                format!("CASE WHEN {shown} THEN {ordered} END{direction} NULLS LAST")
            });
        }
        if let Some(keeper) = beside::of(query.spec) {
            for (moved, (before, name, descending)) in query.sort_beside.iter().enumerate() {
                let ordered = keeper.order(conn, query.rows_asked(), name)?;
                order.insert((before + moved).min(order.len()), format!("{ordered}{} NULLS LAST", direction(*descending)));
            }
        }
        if !order.iter().any(|part| part.starts_with(&format!("{} ", query.spec.key))) {
            order.push(query.spec.key.to_owned());
        }
        Ok(order.join(", "))
    }

    /// A column as it is ordered: folded where there is a folded twin, bytewise on both engines.
    fn ordered(&self, column: &Column) -> String {
        if let Some(key) = column.ordered_by {
            return key.to_owned();
        }
        match (column.folded, column.kind) {
            (Some(folded), _) => folded.to_owned(),
            (None, Kind::Text) => format!("lower({})", self.bytewise(column.sql)),
            (None, Kind::Time) => self.bytewise(column.sql),
            (None, Kind::Int | Kind::Real | Kind::Bool) => column.sql.to_owned(),
        }
    }

    /// A bound in the form in which its column is ordered.
    fn bound(column: &Column, value: &Value) -> Value {
        match (value, column.kind) {
            (Value::Text(text), Kind::Text) if column.folded.is_some() => Value::Text(fold(text)),
            (Value::Text(text), Kind::Text) => Value::Text(text.to_ascii_lowercase()),
            _ => value.clone(),
        }
    }

    fn bytewise(&self, sql: &str) -> String {
        if self.engine == Engine::Postgres { format!("({sql}) COLLATE \"C\"") } else { sql.to_owned() }
    }
}

/// Takes the special meaning from what LIKE treats specially.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
