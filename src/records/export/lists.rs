//! The records as the API has them, kind by kind: with these columns an import knows them again.

use std::{cell::RefCell, path::Path, rc::Rc, sync::Arc};

use super::{Records, files::Pair};
use crate::{
    assets::{self, AssetViewContext},
    billing, companies,
    compliance::RedactionPolicy,
    config::Config,
    contacts::{self, list_store::Places},
    db::{
        Conn,
        list::{ListQuery, ListSpec, beside::Gathered},
    },
    error::{Error, Result},
    monitoring::alert_list_store as alerts,
    progress::Progress,
    records::{entities, import, nouns::AnyNoun},
    tickets,
    web::{disclosures_store as disclosures, list::Rows},
};

/// The folder of records.
const FOLDER: &str = "records";

/// How rows of a kind are read.
#[derive(Clone, Copy)]
enum Source {
    Companies,
    Contacts,
    Assets,
    Tickets,
    ChangeRequests,
    Alerts,
    Plans,
    Options,
    Disclosures,
    Noun(&'static dyn AnyNoun),
}

/// What is told of people, and how: to somebody at the machine itself.
struct Sight<'a> {
    view_context: AssetViewContext,
    config: &'a Config,
}

/// Every list, by the name that its files have.
fn all() -> Vec<(&'static str, &'static ListSpec, Source)> {
    let lists = [
        ("companies", &companies::list_store::COMPANIES, Source::Companies),
        ("contacts", &contacts::list_store::LIST, Source::Contacts),
        ("assets", &assets::list_store::LIST, Source::Assets),
        ("tickets", &tickets::list_store::LIST, Source::Tickets),
        ("change_requests", &tickets::change_store::LIST, Source::ChangeRequests),
        ("alerts", &alerts::ALERTS, Source::Alerts),
        ("billing_plans", &billing::list_store::PLANS, Source::Plans),
        ("feature_options", &billing::list_store::OPTIONS, Source::Options),
        ("disclosures", &disclosures::DISCLOSURES, Source::Disclosures),
    ];
    let nouns = entities::nouns().map(|noun| (noun.door().api, noun.list(), Source::Noun(noun)));
    lists.into_iter().chain(nouns).collect()
}

/// Writes all of them.
pub fn write(c: &mut Conn, folder: &Path, config: &Config, progress: &Arc<Progress>) -> Result<Vec<Records>> {
    let view_context = AssetViewContext { policy: RedactionPolicy::of_program(), days: config.assets.life, staff: true };
    let sight = Sight { view_context, config };
    let importable = import::kinds();
    let mut done = Vec::new();
    for (name, spec, source) in all() {
        let is_importable = importable.contains(&name);
        let live = query(spec, "hide")?;
        progress.begin(&format!("exporting {name}"), u64::try_from(live.count(c)?).ok());
        done.push(records(name, is_importable, false, one(c, folder, name, &live, source, &sight, progress)?));
        let Some(_) = spec.retired else { continue };
        let retired = query(spec, "only")?;
        if retired.count(c)? > 0 {
            let file = format!("{name}.retired");
            done.push(records(name, false, true, one(c, folder, &file, &retired, source, &sight, progress)?));
        }
    }
    Ok(done)
}

fn records(kind: &str, importable: bool, retired: bool, written: super::Written) -> Records {
    Records { kind: kind.to_owned(), importable, retired, written }
}

fn query(spec: &'static ListSpec, retired: &str) -> Result<ListQuery> {
    if spec.retired.is_none() {
        return ListQuery::everything(spec);
    }
    ListQuery::parse(spec, std::iter::once(("retired", Ok(retired))))
}

/// Writes one list.
fn one(
    c: &mut Conn,
    folder: &Path,
    name: &str,
    query: &ListQuery,
    source: Source,
    sight: &Sight<'_>,
    progress: &Arc<Progress>,
) -> Result<super::Written> {
    let gathered = Gathered::default();
    let query = query.clone().gathering(true, gathered.clone());
    query.begin_beside(c)?;
    let known = (query.spec().fields)().iter().map(|name| (*name).to_owned());
    let columns: Vec<String> = known.chain(gathered.columns().into_iter().map(|column| column.name)).collect();
    let pair = Rc::new(RefCell::new(Pair::create(folder, &format!("{FOLDER}/{name}"), &columns)?));
    let (taking, told) = (Rc::clone(&pair), Arc::clone(progress));
    let mut rows = Rows::told(&gathered, move |cells, row| {
        told.add(1);
        taking.borrow_mut().push(cells, row)
    });
    read(c, &query, source, sight, &mut rows)?;
    drop(rows);
    let pair = Rc::into_inner(pair).ok_or_else(|| Error::internal("a list that is still being written"))?;
    pair.into_inner().finish()
}

fn read(c: &mut Conn, query: &ListQuery, source: Source, sight: &Sight<'_>, rows: &mut Rows) -> Result<i64> {
    let policy = &sight.view_context.policy;
    match source {
        Source::Companies => query.each(c, |row| rows.push(&companies::store::view(row)?.redact(policy))),
        Source::Contacts => contacts::list_store::each(c, query, &Places::default(), policy, |contact| rows.push(&contact)),
        Source::Assets => {
            let filters = assets::list_store::Filters::default();
            assets::list_store::each(c, query, &filters, &sight.view_context, |asset| rows.push(&asset))
        }
        Source::Tickets => {
            let (filters, statuses) = (tickets::list_store::Filters::default(), &sight.config.freshservice.statuses);
            tickets::list_store::each(c, query, &filters, policy, statuses, |ticket| rows.push(&ticket))
        }
        Source::ChangeRequests => tickets::change_store::each(c, query, policy, |change| rows.push(&change)),
        Source::Alerts => alerts::each(c, query, &alerts::Wanted::default(), policy, |alert| rows.push(&alert)),
        Source::Plans => query.each(c, |row| rows.push(&billing::store::view(row)?)),
        Source::Options => query.each(c, |row| rows.push(&billing::store::option(row)?)),
        Source::Disclosures => disclosures::each(c, query, None, |disclosure| rows.push(&disclosure)),
        Source::Noun(noun) => noun.each(c, query, policy, rows),
    }
}
