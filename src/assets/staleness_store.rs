//! How stale assets are, as a condition of lists.

use super::staleness::{self, STAGES};
use crate::{
    config::{LifeDays, rmm},
    db::{Conn, Value, Write},
    error::Result,
    params,
};

/// SQL for when the last good run of the RMM began: what was seen is as old as that.
pub const AS_OF: &str = concat!(
    "(SELECT MAX(run.started_at) FROM sync_runs run
    WHERE run.source = '",
    rmm!(),
    "' AND run.dry_run = FALSE AND run.status IN ('done', 'held'))"
);

const WATCHED: &str = concat!(
    "EXISTS (SELECT 1 FROM links watched
    WHERE watched.entity = 'asset' AND watched.entity_id = asset.id AND watched.system = '",
    rmm!(),
    "')"
);

/// When the last good run of the RMM began.
pub fn as_of(c: &mut Conn) -> Result<Option<String>> {
    c.one(&format!("SELECT {AS_OF}"), &[])?.get(0)
}

/// The companies that have days of their own, by those days.
fn own_days(c: &mut Conn, general: LifeDays) -> Result<Vec<(LifeDays, Vec<i64>)>> {
    let sql = "SELECT company.id, company.life_quiet_days, company.life_stale_days, company.life_archived_days
               FROM @companies company WHERE company.life_quiet_days IS NOT NULL OR company.life_stale_days IS NOT NULL
               OR company.life_archived_days IS NOT NULL ORDER BY company.id";
    let mut groups: Vec<(LifeDays, Vec<i64>)> = Vec::new();
    for row in c.all(sql, &[])? {
        let days = staleness::days_of(general, [row.get(1)?, row.get(2)?, row.get(3)?]);
        match groups.iter_mut().find(|(known, _)| *known == days) {
            Some((_, companies)) => companies.push(row.get(0)?),
            None => groups.push((days, vec![row.get(0)?])),
        }
    }
    Ok(groups)
}

/// The condition that an asset in a list's `FROM` is in one of these stages, with its parameters.
pub fn in_stages(c: &mut Conn, stages: &[&str], general: LifeDays) -> Result<(String, Vec<Value>)> {
    let nobody = || ("1 = 0".to_owned(), Vec::new());
    let Some(as_of) = as_of(c)? else { return Ok(nobody()) };
    let groups = own_days(c, general)?;
    let everybody: Vec<i64> = groups.iter().flat_map(|(_, companies)| companies.iter().copied()).collect();
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for stage in stages {
        let mut of = |companies: &str, ids: Vec<i64>, days: LifeDays| {
            let Some(cuts) = staleness::cuts(&as_of, days) else { return };
            let (bounds, mut limits) = bounds(stage, cuts);
            parts.push(format!("({companies} AND {bounds})"));
            values.push(Value::Ids(ids));
            values.append(&mut limits);
        };
        of("(asset.company_id IS NULL OR NOT (asset.company_id IN ids({})))", everybody.clone(), general);
        for (days, companies) in &groups {
            of("asset.company_id IN ids({})", companies.clone(), *days);
        }
    }
    if parts.is_empty() {
        return Ok(nobody());
    }
    Ok((format!("{WATCHED} AND seen.last_seen IS NOT NULL AND ({})", parts.join(" OR ")), values))
}

fn bounds(stage: &str, [quiet, stale, archived]: [String; 3]) -> (&'static str, Vec<Value>) {
    match stage {
        "active" => ("seen.last_seen > {}", vec![quiet.into()]),
        "quiet" => ("seen.last_seen <= {} AND seen.last_seen > {}", vec![quiet.into(), stale.into()]),
        "stale" => ("seen.last_seen <= {} AND seen.last_seen > {}", vec![stale.into(), archived.into()]),
        _ => ("seen.last_seen <= {}", vec![archived.into()]),
    }
}

/// The condition that an asset is not archived.
pub fn not_archived(c: &mut Conn, general: LifeDays) -> Result<(String, Vec<Value>)> {
    let (archived, values) = in_stages(c, &["archived"], general)?;
    Ok((format!("NOT ({archived}) OR seen.last_seen IS NULL"), values))
}

/// Says that labels moved, when the time between two good runs of the RMM brought an asset into its next
/// stage: called when a run ends well, with the moment that counted before.
pub fn moved(w: &mut Write<'_>, before: Option<&str>, general: LifeDays) -> Result<()> {
    let Some(after) = as_of(w)? else { return Ok(()) };
    if before == Some(after.as_str()) {
        return Ok(());
    }
    let mut days = vec![general];
    days.extend(own_days(w, general)?.into_iter().map(|(days, _)| days));
    for days in days {
        let (earlier, later) = (before.and_then(|at| staleness::cuts(at, days)), staleness::cuts(&after, days));
        let Some(later) = later else { continue };
        for (stage, until) in later.iter().enumerate() {
            let from = earlier.as_ref().and_then(|cuts| cuts.get(stage)).cloned().unwrap_or_default();
            let sql = "SELECT 1 FROM @asset_observations seen WHERE seen.last_seen > ?1 AND seen.last_seen <= ?2 LIMIT 1";
            if w.first(sql, params![from, until])?.is_some() {
                w.observe("asset");
                return Ok(());
            }
        }
    }
    // Until the first good run nothing had a label at all.
    if before.is_none() {
        w.observe("asset");
    }
    Ok(())
}

/// The stages that a filter names, or what is wrong with it.
///
/// # Errors
/// `Invalid`, naming the stages there are.
pub fn stages(text: &str) -> Result<Vec<&'static str>> {
    let wrong = || crate::error::Error::field("life", format!("must be one of {}", STAGES.join(", ")));
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| STAGES.into_iter().find(|stage| stage.eq_ignore_ascii_case(word)).ok_or_else(wrong))
        .collect()
}
