//! Seals the secrets that versions before schema 14 kept in plain text: in assets, in what the RMM told, in
//! history, in plans, and in the copies that upgrades kept. The key is not in the database, so that no
//! migration can do it.
//!
//! It is done in short transactions, may be broken off anywhere, and is done once: again only when
//! `[datto.fields]` names other fields. Then SQLite's file is written anew (VACUUM, log emptied) and so are
//! PostgreSQL's tables, because what is overwritten otherwise stays readable in them. A kept copy holds the
//! sealed text where the plain one stood: it can be gone back to, and upgraded again.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::sealing_store as store;
use crate::{
    assets::secrets::{Kind, Names, Sealer},
    config::Config,
    db::{
        Conn,
        upkeep::{Prepare, Upkeep},
    },
    encryption::is_sealed,
    error::{Error, Result},
    history::told_of_secret,
    plan::FieldChange,
    reconcile::plans_store::stored_fields,
    vendors::datto::wire,
};

/// Rows in one transaction.
const CHUNK: i64 = 500;

/// What a start does.
#[must_use]
pub fn prepare(config: &Config) -> Prepare {
    let config = config.clone();
    Arc::new(move |upkeep| run(upkeep, &config))
}

fn run(upkeep: &mut Upkeep, config: &Config) -> Result<()> {
    let names = Names::of(&config.datto.fields);
    let key = names.key();
    if upkeep.look(store::sealed)?.as_deref() != Some(key.as_str()) {
        let work = Sealing { names: &names, sealer: Sealer::new(config), in_columns: true };
        let rows = work.run(upkeep)?;
        for (name, copy) in upkeep.kept_copies() {
            let copied = Sealing { names: &names, sealer: Sealer::new(config), in_columns: false };
            if let Err(error) = Upkeep::in_copy(&copy, |copy| copied.whole_copy(copy)) {
                tracing::warn!(copy = name, %error, "this copy may hold recovery keys in plain text: delete it when you need it no more");
            }
        }
        let rewrite = rows > 0 || upkeep.look(store::was_read)?;
        upkeep.step(|c| {
            store::set_sealed(c, &key)?;
            store::set_rewrite_due(c, rewrite)
        })?;
        if rows > 0 {
            tracing::info!(rows, "BitLocker and Windows keys are encrypted now");
        }
    }
    if upkeep.look(store::rewrite_is_due)? {
        match upkeep.rewrite(&store::TABLES) {
            Ok(()) => upkeep.step(|c| store::set_rewrite_due(c, false))?,
            Err(error) => {
                tracing::warn!(%error, "the database's files may still hold keys that were overwritten; the next start tries again");
            }
        }
    }
    Ok(())
}

/// What the work needs.
struct Sealing<'n> {
    names: &'n Names,
    sealer: Sealer,
    /// Whether the sealed columns are there; in a copy of an older schema the sealed text stays among the fields.
    in_columns: bool,
}

/// Reads some rows after this one.
type Read = fn(&mut Conn, i64, i64) -> Result<Vec<store::Text>>;

impl Sealing<'_> {
    fn run(&self, upkeep: &mut Upkeep) -> Result<u64> {
        let mut rows = table(upkeep, "assets", store::assets, |c, id, text| self.asset(c, id, text))?;
        rows += table(upkeep, "asset_sources", store::sources, |c, id, text| self.source(c, id, text))?;
        rows += table(upkeep, "changes", store::changes, |c, seq, text| self.change(c, seq, text))?;
        rows += table(upkeep, "sync_plan_items", store::open_items, |c, id, text| self.item(c, id, text, true))?;
        rows += table(upkeep, "sync_plan_items", store::settled_items, |c, id, text| self.item(c, id, text, false))?;
        Ok(rows)
    }

    fn whole_copy(&self, copy: &mut Upkeep) -> Result<()> {
        self.run(copy)?;
        if copy.has_table("sync_pages")? {
            copy.step(store::forget_pages)?;
        }
        copy.rewrite(&store::TABLES)
    }

    fn seal(&self, kind: Kind, plain: &str) -> Result<String> {
        if is_sealed(plain) {
            return Ok(plain.to_owned());
        }
        self.sealer.seal(kind, plain)
    }

    /// Takes the secrets out of the fields; none when there are none.
    fn part(&self, text: &str) -> Result<Option<Parted>> {
        let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(text) else { return Ok(None) };
        if !fields.keys().any(|name| self.names.kind(name).is_some()) {
            return Ok(None);
        }
        let mut secrets = Vec::new();
        for (name, value) in &mut fields {
            let Some(kind) = self.names.kind(name) else { continue };
            let sealed = wire::text_of(value).map(|plain| self.seal(kind, &plain)).transpose()?;
            *value = sealed.as_ref().map_or(Value::Null, |sealed| sealed.clone().into());
            secrets.extend(sealed.map(|sealed| (kind, sealed)));
        }
        let in_place = Value::Object(fields.clone()).to_string();
        fields.retain(|name, _| self.names.kind(name).is_none());
        Ok(Some(Parted { rest: text_of(fields), in_place, secrets }))
    }

    fn asset(&self, c: &mut Conn, id: i64, udf: &str) -> Result<bool> {
        let Some(parted) = self.part(udf)? else { return Ok(false) };
        if !self.in_columns {
            store::set_udf(c, id, Some(&parted.in_place))?;
            return Ok(parted.in_place != udf);
        }
        for (kind, sealed) in &parted.secrets {
            store::set_secret(c, id, kind.column, sealed)?;
        }
        store::set_udf(c, id, parted.rest.as_deref())?;
        Ok(true)
    }

    fn source(&self, c: &mut Conn, asset: i64, told: &str) -> Result<bool> {
        let mut words: Map<String, Value> = serde_json::from_str(told).map_err(Error::internal)?;
        let Some(udf) = words.get("udf").and_then(Value::as_str) else { return Ok(false) };
        let Some(parted) = self.part(udf)? else { return Ok(false) };
        if self.in_columns {
            words.insert("udf".to_owned(), parted.rest.clone().into());
            for kind in self.names.kinds() {
                words.insert(kind.column.to_owned(), parted.sealed(kind));
            }
        } else {
            words.insert("udf".to_owned(), parted.in_place.into());
        }
        store::set_source(c, asset, &Value::Object(words).to_string())?;
        Ok(true)
    }

    /// The two sides of a change of the fields: without secrets, and what is told of each secret.
    fn sides(&self, from: &Value, to: &Value) -> Result<Option<Sides>> {
        let part = |side: &Value| side.as_str().map(|text| self.part(text)).transpose().map(Option::flatten);
        let (old, new) = (part(from)?, part(to)?);
        if old.is_none() && new.is_none() {
            return Ok(None);
        }
        let rest =
            |parted: &Option<Parted>, side: &Value| parted.as_ref().map_or(side.clone(), |parted| parted.rest.clone().into());
        let sealed = |parted: &Option<Parted>, kind| parted.as_ref().map_or(Value::Null, |parted| parted.sealed(kind));
        let secrets = self.names.kinds().map(|kind| (kind, sealed(&old, kind), sealed(&new, kind)));
        let secrets = secrets.filter(|(_, old, new)| old != new).collect();
        Ok(Some(Sides { from: rest(&old, from), to: rest(&new, to), secrets }))
    }

    fn change(&self, c: &mut Conn, seq: i64, fields: &str) -> Result<bool> {
        let mut fields: Map<String, Value> = serde_json::from_str(fields).map_err(Error::internal)?;
        let Some(sides) = fields.get("udf").map(|pair| self.sides(&pair[0], &pair[1])).transpose()?.flatten() else {
            return Ok(false);
        };
        if sides.from == sides.to {
            fields.retain(|name, _| name != "udf");
        } else {
            fields.insert("udf".to_owned(), json!([sides.from, sides.to]));
        }
        for (kind, old, new) in sides.secrets {
            let (old, new) = told_of_secret(&old, &new);
            fields.insert(kind.column.to_owned(), json!([old, new]));
        }
        store::set_change(c, seq, &Value::Object(fields).to_string())?;
        Ok(true)
    }

    /// An item that may still be applied keeps, sealed, what its secrets become.
    fn item(&self, c: &mut Conn, id: i64, fields: &str, open: bool) -> Result<bool> {
        let mut fields: Vec<FieldChange> = serde_json::from_str(fields).map_err(Error::internal)?;
        let Some(at) = fields.iter().position(|change| change.field == "udf") else { return Ok(false) };
        let Some(sides) = self.sides(&fields[at].from, &fields[at].to)? else { return Ok(false) };
        if sides.from == sides.to {
            fields.remove(at);
        } else {
            fields[at] = FieldChange::new("udf", sides.from, sides.to);
        }
        fields.extend(sides.secrets.into_iter().map(|(kind, old, new)| FieldChange::new(kind.column, old, new)));
        store::set_item(c, id, &stored_fields(&fields, open && self.in_columns)?)?;
        Ok(true)
    }
}

/// Goes through a table; `work` says whether it changed a row.
fn table(upkeep: &mut Upkeep, name: &str, read: Read, work: impl Fn(&mut Conn, i64, &str) -> Result<bool>) -> Result<u64> {
    let (mut after, mut changed) = (0, 0);
    if !upkeep.has_table(name)? {
        return Ok(0);
    }
    loop {
        let last = upkeep.step(|c| {
            let rows = read(c, after, CHUNK)?;
            for (id, text) in &rows {
                changed += u64::from(work(c, *id, text)?);
            }
            Ok(rows.last().map(|(id, _)| *id))
        })?;
        match last {
            Some(last) => after = last,
            None => return Ok(changed),
        }
    }
}

/// User-defined fields with the secrets taken out.
struct Parted {
    /// The others.
    rest: Option<String>,
    /// All of them, the secrets sealed where they stood.
    in_place: String,
    /// The secrets, sealed.
    secrets: Vec<(Kind, String)>,
}

impl Parted {
    fn sealed(&self, kind: Kind) -> Value {
        self.secrets.iter().find(|(known, _)| *known == kind).map_or(Value::Null, |(_, sealed)| sealed.clone().into())
    }
}

struct Sides {
    from: Value,
    to: Value,
    /// Those that differ, sealed.
    secrets: Vec<(Kind, Value, Value)>,
}

fn text_of(fields: Map<String, Value>) -> Option<String> {
    (!fields.is_empty()).then(|| Value::Object(fields).to_string())
}
