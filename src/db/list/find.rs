//! From the words of a search to conditions: the one place where the engines have two texts, each for its
//! own trigram index.
//!
//! What is found is the same on both: every word is somewhere in the row's search key. The index only
//! makes it fast, and where it cannot (words of one or two letters, words that nearly every row has) the
//! rows are looked at in the order of the list, which ends as soon as the page is full.

use super::{Private, Search, compose::escape};
use crate::{
    db::{Conn, Engine, Value, pending},
    error::Result,
    types::{TRIGRAM, Wanted},
};

/// The most hits that SQLite's trigram index hands to the sort; above that it walks the sort's index.
const MAX_HITS: usize = 5_000;
/// As many as that are named in the statements of the list; of more, each of them asks the index again.
const LISTED: usize = 1_000;
/// How many words of two letters are looked for by the index; further ones are looked for in the rows.
const MAX_GROWN: usize = 2;
/// What can follow two letters in a search key of plain Latin letters.
const FOLLOWING: &str = " abcdefghijklmnopqrstuvwxyz0123456789-_.,:;/\\'\"@#&+()[]{}<>=*%$!?|~^`";

/// A search of one list.
pub struct Find {
    /// What is looked for.
    pub wanted: Wanted,
    pub search: Search,
    /// Whether also in what not everybody may search in.
    pub private: Private,
    /// The id of a row.
    pub key: &'static str,
}

/// SQL with `{}` for each of its parameters.
type Condition = (String, Vec<Value>);

impl Find {
    /// The conditions that a row has to meet.
    pub fn conditions(&self, conn: &mut Conn) -> Result<Vec<Condition>> {
        if conn.engine() == Engine::Sqlite { self.sqlite(conn) } else { Ok(self.postgres()) }
    }

    /// What the index proposes; the exact condition follows where the index cannot tell.
    fn sqlite(&self, conn: &mut Conn) -> Result<Vec<Condition>> {
        let fts = self.search.fts;
        let Some(expression) = self.expression() else { return Ok(vec![self.exact(Engine::Sqlite)]) };
        let everywhere = Value::Text(self.narrowed(&expression, true));
        // What the index proposes, and the rows that it does not know as they are now: those are looked at beside.
        let sql = format!(
            "SELECT * FROM (SELECT rowid, 0 FROM {fts} WHERE {fts} MATCH ?1 LIMIT {})
             UNION ALL SELECT * FROM (SELECT id, 1 FROM search_pending WHERE found_in = ?2 LIMIT {})",
            MAX_HITS + 1,
            pending::FEW + 1
        );
        let rows =
            conn.map(&sql, &[everywhere.clone(), self.table().into()], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
        let noted = rows.iter().filter(|(_, of)| *of == 1).count();
        let hits = rows.len() - noted;
        if noted > pending::FEW {
            conn.slowed().note();
        }
        if hits > MAX_HITS {
            return Ok(vec![self.exact(Engine::Sqlite)]);
        }
        // The index is asked once, for a page and for how many there are.
        if hits <= LISTED && noted <= pending::FEW {
            let ids = Value::Ids(rows.into_iter().map(|(id, _)| id).collect());
            let mut conditions = vec![(format!("{} IN ids({{}})", self.key), vec![ids])];
            if noted > 0 || !self.index_tells_all() || matches!(self.private, Private::Where(_)) {
                conditions.push(self.exact(Engine::Sqlite));
            }
            return Ok(conditions);
        }
        if noted > 0 {
            let sql = format!(
                "{} IN (SELECT rowid FROM {fts} WHERE {fts} MATCH {{}} UNION ALL SELECT id FROM search_pending WHERE found_in = {{}})",
                self.key
            );
            return Ok(vec![(sql, vec![everywhere, self.table().into()]), self.exact(Engine::Sqlite)]);
        }
        let among = format!("{} IN (SELECT rowid FROM {fts} WHERE {fts} MATCH {{}})", self.key);
        let mut conditions = vec![match self.private {
            Private::Where(condition) => {
                let public = Value::Text(self.narrowed(&expression, false));
                (format!("{among} OR (({condition}) AND {among})"), vec![public, everywhere])
            }
            Private::Never | Private::Always => (among, vec![everywhere]),
        }];
        if !self.index_tells_all() {
            conditions.push(self.exact(Engine::Sqlite));
        }
        Ok(conditions)
    }

    /// The table in which is searched.
    fn table(&self) -> &'static str {
        self.search.fts.strip_suffix("_fts").unwrap_or(self.search.fts)
    }

    /// PostgreSQL finds the index by itself; only where a condition needs the rows of another table is it
    /// told the candidates first.
    fn postgres(&self) -> Vec<Condition> {
        let Private::Where(_) = self.private else { return vec![self.exact(Engine::Postgres)] };
        let Some(alias) = self.key.split('.').next() else { return vec![self.exact(Engine::Postgres)] };
        let table = self.table();
        let all = Self { private: Private::Always, wanted: self.wanted.clone(), ..*self };
        let (sql, params) = all.exact(Engine::Postgres);
        let candidates = format!("{} IN (SELECT {alias}.id FROM @{table} {alias} WHERE {sql})", self.key);
        vec![(candidates, params), self.exact(Engine::Postgres)]
    }

    /// Every word in the columns that may be searched, or the whole text as one identifier.
    fn exact(&self, engine: Engine) -> Condition {
        let mut params = Vec::new();
        let mut words: Vec<String> = Vec::new();
        for spellings in &self.wanted.words {
            let any: Vec<String> = spellings.iter().map(|spelling| self.holds(engine, spelling, &mut params)).collect();
            words.push(format!("({})", any.join(" OR ")));
        }
        let mut ways = vec![words.join(" AND ")];
        ways.extend(self.wanted.whole.iter().map(|whole| self.holds(engine, whole, &mut params)));
        (ways.join(" OR "), params)
    }

    fn holds(&self, engine: Engine, word: &str, params: &mut Vec<Value>) -> String {
        let mut one = |column: &str| {
            if engine == Engine::Sqlite {
                params.push(Value::from(word));
                return format!("instr({column}, {{}}) > 0");
            }
            params.push(Value::Text(format!("%{}%", escape(word))));
            format!("{column} LIKE {{}} ESCAPE '\\'")
        };
        let public = one(self.search.text);
        match (self.search.private, self.private) {
            (Some(column), Private::Always) => format!("{public} OR {}", one(column)),
            (Some(column), Private::Where(condition)) => format!("{public} OR (({condition}) AND {})", one(column)),
            (None, _) | (_, Private::Never) => public,
        }
    }

    /// Whether every word is long enough for the index.
    fn index_tells_all(&self) -> bool {
        self.wanted.words.iter().all(|spellings| spellings.iter().all(|spelling| is_long(spelling)))
    }

    /// The question as the index understands it: at least every row that is wanted.
    fn expression(&self) -> Option<String> {
        let long = |spellings: &&Vec<String>| spellings.iter().all(|spelling| is_long(spelling));
        let any = |phrases: Vec<String>| format!("({})", phrases.join(" OR "));
        let mut all: Vec<String> = self
            .wanted
            .words
            .iter()
            .filter(long)
            .map(|spellings| any(spellings.iter().map(|spelling| phrase(spelling)).collect()))
            .collect();
        // Short words by every continuation, which the index does know.
        let short = self.wanted.words.iter().filter_map(|spellings| spellings.first()).filter(|word| !is_long(word));
        let grown = short.filter(|word| word.chars().count() == TRIGRAM - 1).take(MAX_GROWN);
        all.extend(grown.map(|word| any(FOLLOWING.chars().map(|next| phrase(&format!("{word}{next}"))).collect())));
        if all.is_empty() {
            return None;
        }
        let mut ways = vec![format!("({})", all.join(" AND "))];
        ways.extend(self.wanted.whole.iter().map(|whole| phrase(whole)));
        Some(ways.join(" OR "))
    }

    /// The expression over the columns that may be searched.
    fn narrowed(&self, expression: &str, with_private: bool) -> String {
        match self.search.private {
            Some(_) if !with_private || self.private == Private::Never => format!("{{search_text}} : ({expression})"),
            _ => expression.to_owned(),
        }
    }
}

fn is_long(word: &str) -> bool {
    word.chars().count() >= TRIGRAM
}

fn phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
