//! Reading all departments with their numbers, and our companies: what both Freshservice commands start from.

use super::plan::{Department, DepartmentNumber};
use crate::{
    error::{Error, Result},
    jobs::Job,
    plan::{Kind, local::Local, record::SourceRecord},
    pulls::freshservice::reader::Reader,
    reconcile::{planner::distinct, rows_store},
    types::Scope,
    vendors::freshservice::{
        NAME, SYSTEM,
        client::{Freshservice, LISTS},
    },
};

/// Every department, read whole.
///
/// # Errors
/// `Upstream` when the list cannot be read to its proven end.
pub async fn departments(job: &Job, run: i64) -> Result<Vec<Department>> {
    let client = Freshservice::open(&job.db, &job.config)?;
    let reader = Reader { job: job.clone(), run, predecessor: None, client };
    let expected = job.db.read(&Scope::All, |c| rows_store::live(c, Kind::Company, SYSTEM)).await?;
    let fetched = reader.read(LISTS[0], expected).await?;
    if fetched.disturbed {
        return Err(unproven("the list of departments moved both times it was read; a number that is free could not be told"));
    }
    if fetched.listed.is_empty() && expected > 0 {
        return Err(unproven("the list of departments is empty although companies came from it"));
    }
    Ok(distinct(fetched.records).iter().map(department).collect())
}

fn unproven(why: &str) -> Error {
    Error::Upstream { service: NAME, message: why.to_owned() }
}

fn department(mapped: &SourceRecord) -> Department {
    let odd = |text: &String| text.starts_with("the account number ") || text.starts_with("custom_fields.account_number ");
    let number = match &mapped.account_number {
        Some(number) => DepartmentNumber::Number(number.clone()),
        None if mapped.ignored.iter().any(odd) => DepartmentNumber::Unusable,
        None => DepartmentNumber::Nothing,
    };
    Department { id: mapped.external_id.clone(), name: mapped.label.clone(), number }
}

/// Our companies, tombstones included.
pub async fn companies(job: &Job) -> Result<Vec<Local>> {
    job.db.read(&Scope::All, |c| rows_store::all(c, Kind::Company, SYSTEM)).await
}
