//! Billing's records as the one door writes them: plans by administrators alone, how companies are counted by billing too.

use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    counting::{Exclusion, Settings},
    described,
    model::{FeatureOption, Plan},
    rules::{self, PlanInput},
    store, trueup, trueup_store as counted,
};
use crate::{
    auth::{Admin, BillingEditor, Caller, Level},
    companies::{Company, store as companies},
    compliance::RedactionPolicy,
    config::Config,
    db::{Conn, Write},
    entity::{Patch, schema},
    error::{Error, Result},
    history,
    resource::{Done, Resource, View, whole},
    web::{Fields, Query, Reply, encode_segment, openapi::Schemas},
};

fn no_clients(caller: &Caller) -> Result<()> {
    if caller.level() == Some(Level::Client) { Err(Error::Forbidden("Insufficient permissions".to_owned())) } else { Ok(()) }
}

/// What neighbours read of a record that was taken out (contract §1.8.2).
fn deleted<R: Resource>(w: &mut Write<'_>, id: i64, key: &R::Key, view: &R::View, done: Done) -> Result<Reply> {
    let reply = whole::<R>(w, id, key, view, done)?;
    let is_gone = done == Done::Retired;
    Ok(if is_gone { reply.with("message", format!("{} deleted", <R::Row as history::Record>::WHAT)) } else { reply })
}

/// Billing plans.
pub struct Plans;

impl Resource for Plans {
    type Row = Plan;
    type Key = i64;
    type Whose = ();
    type View = ();
    type Input = PlanInput;
    type Shown = Plan;
    type Writer = Admin;
    type Retirer = Admin;
    const IS_FORCED: bool = false;

    fn id(_: &mut Conn, key: &i64) -> Result<i64> {
        Ok(*key)
    }

    fn path(key: &i64) -> String {
        format!("/api/billing-plans/{key}")
    }

    fn read(fields: Fields, creating: bool) -> Result<PlanInput> {
        rules::read(fields, creating)
    }

    fn body(schemas: &mut Schemas, creating: bool) -> Json {
        if creating { schema::new::<Plan>(schemas) } else { schema::changed::<Plan>(schemas) }
    }

    fn create(w: &mut Write<'_>, (): &(), input: &PlanInput, (): &()) -> Result<i64> {
        store::create(w, input).map(|plan| plan.id)
    }

    fn update(w: &mut Write<'_>, id: i64, input: &PlanInput, rev: Option<i64>, (): &()) -> Result<bool> {
        Ok(!store::update(w, id, input, rev)?.changed.is_empty())
    }

    /// Not while companies use it.
    fn retire(w: &mut Write<'_>, id: i64, _: bool) -> Result<()> {
        store::retire(w, id).map(drop)
    }

    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        store::restore(w, id).map(drop)
    }

    fn answer(c: &mut Conn, id: i64, (): &()) -> Result<Plan> {
        history::get(c, id)
    }

    fn rev(shown: &Plan) -> i64 {
        shown.rev
    }

    fn reply(w: &mut Write<'_>, id: i64, key: &i64, view: &(), done: Done) -> Result<Reply> {
        deleted::<Self>(w, id, key, view, done)
    }
}

/// Which record it is, and whether it was there already when somebody wanted to add it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "i64")]
pub struct Kept {
    id: i64,
    was_there: bool,
}

impl From<i64> for Kept {
    fn from(id: i64) -> Self {
        Self { id, was_there: false }
    }
}

/// What can be chosen for features.
pub struct Options;

impl Resource for Options {
    type Row = FeatureOption;
    type Key = Kept;
    type Whose = ();
    type View = ();
    type Input = Patch<FeatureOption>;
    type Shown = FeatureOption;
    type Writer = Admin;
    type Retirer = Admin;
    const IS_FORCED: bool = false;

    fn id(_: &mut Conn, key: &Kept) -> Result<i64> {
        Ok(key.id)
    }

    fn path(key: &Kept) -> String {
        format!("/api/feature-options/{}", key.id)
    }

    fn read(fields: Fields, creating: bool) -> Result<Patch<FeatureOption>> {
        rules::read_option(fields, creating)
    }

    fn body(schemas: &mut Schemas, creating: bool) -> Json {
        if creating { schema::new::<FeatureOption>(schemas) } else { schema::changed::<FeatureOption>(schemas) }
    }

    /// One that is there already is that one (contract §1.8.3).
    fn create(w: &mut Write<'_>, (): &(), input: &Patch<FeatureOption>, (): &()) -> Result<Kept> {
        store::add_option(w, input).map(|(option, is_new)| Kept { id: option.id, was_there: !is_new })
    }

    fn update(w: &mut Write<'_>, id: i64, input: &Patch<FeatureOption>, rev: Option<i64>, (): &()) -> Result<bool> {
        Ok(!store::update_option(w, id, input, rev)?.changed.is_empty())
    }

    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        store::restore_option(w, id)
    }

    fn answer(c: &mut Conn, id: i64, (): &()) -> Result<FeatureOption> {
        history::get(c, id)
    }

    fn rev(shown: &FeatureOption) -> i64 {
        shown.rev
    }

    fn reply(w: &mut Write<'_>, id: i64, key: &Kept, view: &(), done: Done) -> Result<Reply> {
        if done == Done::Created && key.was_there {
            let reply = whole::<Self>(w, id, key, view, Done::Updated)?;
            return Ok(reply.with("message", "Feature option exists already"));
        }
        deleted::<Self>(w, id, key, view, done)
    }
}

/// How companies are counted: each has its settings from the beginning, under its own key, and nobody takes them out.
pub struct CompanySettings;

impl Resource for CompanySettings {
    type Row = Settings;
    type Key = String;
    type Whose = ();
    type View = ();
    type Input = Patch<Settings>;
    type Shown = Settings;
    type Writer = BillingEditor;
    type Retirer = BillingEditor;
    const IS_FORCED: bool = false;

    fn view(caller: &Caller, _: &Config, _: &Query) -> Result<()> {
        no_clients(caller)
    }

    /// That of the company: what nobody has said has no row.
    fn id(c: &mut Conn, key: &String) -> Result<i64> {
        companies::id_of(c, key)
    }

    fn path(key: &String) -> String {
        format!("/api/billing/settings/{}", encode_segment(key))
    }

    fn read(mut fields: Fields, _: bool) -> Result<Patch<Settings>> {
        fields.set_creating(false);
        let settings = Patch::read(&mut fields)?;
        fields.finish()?;
        Ok(settings)
    }

    fn body(schemas: &mut Schemas, _: bool) -> Json {
        schema::changed::<Settings>(schemas)
    }

    fn create(_: &mut Write<'_>, (): &(), _: &Patch<Settings>, (): &()) -> Result<String> {
        Err(Error::NotFound { what: "Resource" })
    }

    fn update(w: &mut Write<'_>, id: i64, input: &Patch<Settings>, rev: Option<i64>, (): &()) -> Result<bool> {
        counted::save_settings(w, id, input, rev)
    }

    fn answer(c: &mut Conn, id: i64, (): &()) -> Result<Settings> {
        counted::settings(c, id)
    }

    fn rev(shown: &Settings) -> i64 {
        shown.rev
    }

    /// The settings alone, as it always was.
    fn reply(w: &mut Write<'_>, id: i64, _: &String, (): &(), _: Done) -> Result<Reply> {
        let settings = counted::settings(w, id)?;
        Ok(Reply::ok(&settings)?.tagged(id, settings.rev))
    }
}

/// What is left out of bills by hand.
pub struct Exclusions;

impl Resource for Exclusions {
    type Row = Exclusion;
    type Key = Kept;
    type Whose = ();
    type View = RedactionPolicy;
    /// The company's key, and the rest.
    type Input = (String, Patch<Exclusion>);
    type Shown = Exclusion;
    type Writer = BillingEditor;
    type Retirer = BillingEditor;
    const IS_FORCED: bool = false;

    fn view(caller: &Caller, config: &Config, query: &Query) -> Result<RedactionPolicy> {
        no_clients(caller)?;
        <RedactionPolicy as View>::of(caller, config, query)
    }

    fn id(_: &mut Conn, key: &Kept) -> Result<i64> {
        Ok(key.id)
    }

    fn path(key: &Kept) -> String {
        format!("/api/billing/exclusions/{}", key.id)
    }

    fn read(mut fields: Fields, creating: bool) -> Result<Self::Input> {
        fields.set_creating(creating);
        let company = fields.key("company").max(50);
        let company = if creating { company.required() } else { company }.value();
        let exclusion = Patch::read(&mut fields)?;
        fields.finish()?;
        Ok((company.unwrap_or_default(), exclusion))
    }

    fn body(schemas: &mut Schemas, creating: bool) -> Json {
        if creating { described::exclusion(schemas) } else { described::excluded_anew(schemas) }
    }

    /// One that is there already gets the reason.
    fn create(w: &mut Write<'_>, (): &(), (key, input): &Self::Input, _: &RedactionPolicy) -> Result<Kept> {
        let id = companies::id_of(w, key)?;
        counted::exclude(w, id, input).map(|(made, is_new)| Kept { id: made.id, was_there: !is_new })
    }

    /// Only why: another record is another exclusion.
    fn update(w: &mut Write<'_>, id: i64, (_, input): &Self::Input, rev: Option<i64>, policy: &RedactionPolicy) -> Result<bool> {
        if Self::answer(w, id, policy)?.reason != history::get::<Exclusion>(w, id)?.reason {
            return Err(Error::Forbidden("reason: hidden from you in this record, so you cannot set it".to_owned()));
        }
        let updated = history::update(w, id, rev, None, |stored: &mut Exclusion| {
            let before = stored.clone();
            input.apply(stored)?;
            if (stored.entity.as_str(), stored.entity_id) != (before.entity.as_str(), before.entity_id) {
                return Err(Error::field("entity_id", "stays as it is: leave the other record out instead"));
            }
            Ok(())
        })?;
        Ok(!updated.changed.is_empty())
    }

    fn answer(c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<Exclusion> {
        let exclusion = history::get::<Exclusion>(c, id)?;
        let company = history::get::<Company>(c, exclusion.company_id)?;
        let reason = trueup::reasons(c, &[company], vec![exclusion.clone()], policy)?.pop().flatten();
        Ok(Exclusion { reason: reason.unwrap_or_default(), ..exclusion })
    }

    fn rev(shown: &Exclusion) -> i64 {
        shown.rev
    }

    /// The exclusion alone, as it always was.
    fn reply(w: &mut Write<'_>, id: i64, key: &Kept, policy: &RedactionPolicy, done: Done) -> Result<Reply> {
        let shown = Self::answer(w, id, policy)?;
        let reply = match done {
            Done::Created if !key.was_there => Reply::created(&shown, Self::path(key))?,
            _ => Reply::ok(&shown)?,
        };
        Ok(reply.tagged(id, shown.rev))
    }
}
