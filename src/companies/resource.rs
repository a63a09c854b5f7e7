//! Companies and their locations as the one door writes them (contract §1.1, §1.10).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    Company, CompanyView, Location, alias_store,
    list_store::{COMPANIES, LOCATIONS, by_shown},
    rules::{self, CompanyInput},
    store,
};
use crate::{
    auth::{Admin, Editor},
    compliance::RedactionPolicy,
    db::{
        Conn, Write,
        list::{ListQuery, ListSpec},
    },
    entity::Patch,
    error::Result,
    history::{self, Record as _},
    resource::{
        Done, Resource, brief,
        dependents::{self, Dependent, Moved},
        whole,
    },
    web::{Fields, Path, Query, Reply, Sent, encode_segment},
};
use crate::{
    entity::schema,
    web::openapi::{Schemas, schema as openapi},
};

/// How long a value may be that deviates from the plan, and its key.
const LONGEST_OVERRIDE: usize = 100;

/// Companies; in a `PAGE` as the script of our old page sends them, with the features that deviate from the plan.
pub struct Companies<const PAGE: bool = false>;

/// What was sent of a company's features that deviate from its plan.
type Overrides = Option<BTreeMap<String, String>>;

/// What such a script may send.
pub fn changed_by_page(schemas: &mut Schemas) -> Json {
    let value = json!({"type": ["string", "null"], "maxLength": LONGEST_OVERRIDE});
    let overrides = json!({"type": ["object", "null"], "additionalProperties": value});
    openapi::with(schema::changed::<Company>(schemas), &[("feature_overrides", overrides)])
}

fn read_overrides(fields: &mut Fields) -> Overrides {
    let map = match fields.object("feature_overrides").get() {
        Sent::Value(map) => map,
        Sent::Null => return Some(BTreeMap::new()),
        Sent::Absent => return None,
    };
    let mut overrides = BTreeMap::new();
    for (key, value) in map {
        match value {
            Json::String(text) if text.trim().is_empty() => {}
            Json::Null => {}
            Json::String(text) if text.chars().count() <= LONGEST_OVERRIDE && key.chars().count() <= LONGEST_OVERRIDE => {
                overrides.insert(key, text.trim().to_owned());
            }
            _ => fields
                .refuse(format!("feature_overrides.{key}"), format!("must be text of at most {LONGEST_OVERRIDE} characters")),
        }
    }
    Some(overrides)
}

impl<const PAGE: bool> Resource for Companies<PAGE> {
    type Row = Company;
    type Key = String;
    type Whose = ();
    type View = RedactionPolicy;
    type Input = (CompanyInput, Overrides);
    type Shown = CompanyView;
    type Writer = Editor;
    type Retirer = Admin;

    fn id(c: &mut Conn, key: &String) -> Result<i64> {
        store::id_of(c, key)
    }

    fn path(key: &String) -> String {
        format!("/api/companies/{}", encode_segment(key))
    }

    const IS_MERGED: bool = true;

    fn key_of(c: &mut Conn, id: i64) -> Result<String> {
        Ok(history::get::<Company>(c, id)?.account_number)
    }

    fn list() -> Option<&'static ListSpec> {
        Some(&COMPANIES)
    }

    fn chosen(c: &mut Conn, (): &(), query: ListQuery, _: &Query, policy: &RedactionPolicy) -> Result<Vec<i64>> {
        by_shown(c, query, policy)?.first(c, |row| Ok(Company::from_row(row, 0)?.id))
    }

    fn body(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
        if creating { rules::new_body(schemas) } else { rules::changed_body(schemas) }
    }

    fn read(mut fields: Fields, creating: bool) -> Result<Self::Input> {
        let overrides = if PAGE { read_overrides(&mut fields) } else { None };
        Ok((rules::read(fields, creating)?, overrides))
    }

    fn create(w: &mut Write<'_>, (): &(), (input, _): &Self::Input, policy: &RedactionPolicy) -> Result<String> {
        Ok(store::create(w, input, Some(policy))?.account_number)
    }

    fn update(
        w: &mut Write<'_>,
        id: i64,
        (input, overrides): &Self::Input,
        rev: Option<i64>,
        policy: &RedactionPolicy,
    ) -> Result<bool> {
        let updated = store::update(w, id, input, rev, policy)?;
        if let Some(overrides) = overrides {
            store::set_feature_overrides(w, id, overrides)?;
        }
        Ok(!updated.changed.is_empty())
    }

    /// With `force` its assets and locations retire with it, its contacts leave it, and the companies below it stand alone.
    fn retire(w: &mut Write<'_>, id: i64, force: bool) -> Result<()> {
        if !force {
            dependents::refuse_attached(w, Company::ENTITY, id)?;
        }
        dependents::release(w, Company::ENTITY, id)?;
        history::retire::<Company>(w, id, None).map(drop)
    }

    fn answer(c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<CompanyView> {
        Ok(store::get_view(c, id)?.redact(policy))
    }

    fn rev(shown: &CompanyView) -> i64 {
        shown.row.rev
    }

    fn reply(w: &mut Write<'_>, id: i64, key: &String, policy: &RedactionPolicy, done: Done) -> Result<Reply> {
        if PAGE { brief::<Self>(w, id, done) } else { whole::<Self>(w, id, key, policy, done) }
    }
}

/// What moves here without history when companies are merged.
const ALIASES: &str = "alias";

/// What belongs to a company within this room: its locations, and the companies below it.
pub struct Within;

impl Dependent for Within {
    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(&'static str, i64)>> {
        if entity == Company::ENTITY { Ok(store::attached(c, id)?.into_iter().collect()) } else { Ok(Vec::new()) }
    }

    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        if entity != Company::ENTITY {
            return Ok(());
        }
        for location in store::locations(w, id)? {
            history::retire::<Location>(w, location.id, Some("retired with its company"))?;
        }
        for child in store::children(w, id)? {
            history::update(w, child.id, None, Some("the company above was retired"), |company: &mut Company| {
                company.parent_id = None;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The names under which it was recognised; what has history moves with all other rows.
    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        let ids = if entity == Company::ENTITY { alias_store::hand_over(w, from, to)? } else { Vec::new() };
        Ok(vec![Moved::without_history(ALIASES, ids)])
    }

    fn hand_back(&self, w: &mut Write<'_>, entity: &str, moved: &Moved, (to, from): (i64, i64)) -> Result<()> {
        let ours = entity == Company::ENTITY && moved.what == ALIASES;
        if ours { alias_store::hand_back(w, &moved.ids, from, to) } else { Ok(()) }
    }
}

/// The locations of a company; in a `PAGE` as the script of our old page reads what it has added.
pub struct Locations<const PAGE: bool = false>;

impl<const PAGE: bool> Resource for Locations<PAGE> {
    type Row = Location;
    /// The company's key and the location's id.
    type Key = (String, i64);
    type Whose = Path<String>;
    type View = ();
    type Input = Patch<Location>;
    type Shown = Location;
    type Writer = Editor;
    type Retirer = Editor;
    const IS_FORCED: bool = false;

    fn id(c: &mut Conn, (company, id): &Self::Key) -> Result<i64> {
        let company = store::id_of(c, company)?;
        store::get_location(c, company, *id).map(|location| location.id)
    }

    fn path((company, id): &Self::Key) -> String {
        format!("/api/companies/{}/locations/{id}", encode_segment(company))
    }

    fn list() -> Option<&'static ListSpec> {
        Some(&LOCATIONS)
    }

    fn chosen(c: &mut Conn, Path(company): &Path<String>, query: ListQuery, _: &Query, (): &()) -> Result<Vec<i64>> {
        let company = store::id_of(c, company)?;
        query.and("location.company_id = {}", vec![company.into()]).first(c, |row| Ok(Location::from_row(row, 0)?.id))
    }

    fn body(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
        if creating { schema::new::<Location>(schemas) } else { schema::changed::<Location>(schemas) }
    }

    fn read(fields: Fields, creating: bool) -> Result<Patch<Location>> {
        rules::read_location(fields, creating)
    }

    fn create(w: &mut Write<'_>, Path(company): &Path<String>, input: &Patch<Location>, (): &()) -> Result<Self::Key> {
        let company_id = store::id_of(w, company)?;
        let location = store::add_location(w, &input.made(|location| location.company_id = company_id)?)?;
        Ok((company.clone(), location.id))
    }

    fn update(w: &mut Write<'_>, id: i64, input: &Patch<Location>, rev: Option<i64>, (): &()) -> Result<bool> {
        let company = history::get::<Location>(w, id)?.company_id;
        Ok(!store::update_location(w, company, id, input, rev)?.changed.is_empty())
    }

    /// What stood there stands nowhere.
    fn retire(w: &mut Write<'_>, id: i64, _force: bool) -> Result<()> {
        let company = history::get::<Location>(w, id)?.company_id;
        dependents::release(w, Location::ENTITY, id)?;
        store::remove_location(w, company, id)
    }

    fn answer(c: &mut Conn, id: i64, (): &()) -> Result<Location> {
        history::get(c, id)
    }

    fn rev(shown: &Location) -> i64 {
        shown.rev
    }

    /// The location alone, as it always was.
    fn reply(w: &mut Write<'_>, id: i64, key: &Self::Key, (): &(), done: Done) -> Result<Reply> {
        let location = Self::answer(w, id, &())?;
        let rev = location.rev;
        match done {
            Done::Retired => Reply::ok(&json!({ "success": true })),
            Done::Created if PAGE => Reply::ok(&json!({ "success": true, "location": location })),
            Done::Created => Ok(Reply::created(&location, Self::path(key))?.tagged(id, rev)),
            Done::Updated | Done::Restored => Ok(Reply::ok(&location)?.tagged(id, rev)),
        }
    }
}
