//! Sites and whose they are, in the database.

use std::collections::HashMap;

use crate::{
    db::{Conn, Row, Write},
    error::Result,
    history::merges,
    params,
    types::now,
};

/// A site as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredSite {
    /// Our id of it.
    pub id: i64,
    /// The vendor's.
    pub uid: String,
    pub name: String,
    /// Whose it is.
    pub company_id: Option<i64>,
    /// How that is known: `number`, `link`, `person`, `ignored`, `none`.
    pub basis: String,
    /// What its variable last said.
    pub account_number: Option<String>,
    /// What its variable said when a person decided.
    pub decided_number: Option<String>,
    /// Since when the vendor lists it no more.
    pub gone_at: Option<String>,
}

/// A company, as far as sites name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanyRef {
    pub id: i64,
    /// Its account number.
    pub number: String,
    pub name: String,
    /// Whether it is a tombstone.
    pub retired: bool,
}

const COLUMNS: &str = "id, uid, name, company_id, basis, account_number, decided_number, gone_at";

fn known(row: &Row) -> Result<StoredSite> {
    Ok(StoredSite {
        id: row.get(0)?,
        uid: row.get(1)?,
        name: row.get(2)?,
        company_id: row.get(3)?,
        basis: row.get(4)?,
        account_number: row.get(5)?,
        decided_number: row.get(6)?,
        gone_at: row.get(7)?,
    })
}

/// Every site, by the vendor's id.
pub fn all(c: &mut Conn) -> Result<HashMap<String, StoredSite>> {
    let rows = c.all(&format!("SELECT {COLUMNS} FROM @rmm_sites site ORDER BY id"), &[])?;
    rows.iter().map(|row| known(row).map(|site| (site.uid.clone(), site))).collect()
}

/// The sites of one company.
pub fn of_company(c: &mut Conn, company_id: i64) -> Result<Vec<StoredSite>> {
    let sql = format!("SELECT {COLUMNS} FROM @rmm_sites site WHERE company_id = ?1 ORDER BY id");
    c.all(&sql, params![company_id])?.iter().map(known).collect()
}

/// Every company, tombstones included.
pub fn companies(c: &mut Conn) -> Result<Vec<CompanyRef>> {
    let sql = "SELECT company.id, company.account_number, company.name, company.retired_at, merged.loser_id
               FROM @companies company
               LEFT JOIN merges merged ON merged.entity = 'company' AND merged.loser_id = company.id ORDER BY company.id";
    let read = |row: &Row| -> Result<(CompanyRef, Option<i64>)> {
        let retired = row.get::<Option<String>>(3)?.is_some();
        let company = CompanyRef { id: row.get(0)?, number: row.get::<String>(1)?.trim().to_owned(), name: row.get(2)?, retired };
        Ok((company, row.get(4)?))
    };
    let (mut all, mut losers) = (Vec::new(), Vec::new());
    for row in c.all(sql, &[])? {
        let (company, loser) = read(&row)?;
        losers.extend(loser.map(|_| all.len()));
        all.push(company);
    }
    // The number of a company that went on as another one leads to that one, however many were between them.
    for at in losers {
        let winner = merges::winner(c, "company", all[at].id)?;
        if let Some(winner) = winner.and_then(|id| all.iter().find(|company| company.id == id)).cloned() {
            all[at] = CompanyRef { number: std::mem::take(&mut all[at].number), ..winner };
        }
    }
    Ok(all)
}

/// Links of sites to companies that did not come from here (an import of the predecessor's), by uid.
pub fn links(c: &mut Conn, system: &str) -> Result<HashMap<String, Vec<i64>>> {
    let sql = "SELECT external_id, entity_id FROM links WHERE system = ?1 AND entity = 'company' ORDER BY entity_id";
    let mut found: HashMap<String, Vec<i64>> = HashMap::new();
    for row in c.all(sql, params![system])? {
        found.entry(row.get::<String>(0)?.trim().to_lowercase()).or_default().push(row.get(1)?);
    }
    Ok(found)
}

/// Stores what was found out about a site; a person's decision keeps the number it was made about.
pub fn put(w: &mut Write<'_>, site: &StoredSite) -> Result<()> {
    w.run(
        "INSERT INTO rmm_sites (uid, name, company_id, basis, account_number, first_seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (uid) DO UPDATE SET name = excluded.name, company_id = excluded.company_id, basis = excluded.basis,
             account_number = excluded.account_number, gone_at = NULL",
        params![&site.uid, &site.name, site.company_id, &site.basis, &site.account_number, now()],
    )?;
    w.touch("site");
    Ok(())
}

/// Notes that the vendor lists a site no more.
pub fn set_gone(w: &mut Write<'_>, uid: &str) -> Result<()> {
    w.run("UPDATE rmm_sites SET gone_at = ?1 WHERE uid = ?2 AND gone_at IS NULL", params![now(), uid])?;
    w.touch("site");
    Ok(())
}

/// Records a person's decision: this company, or none named: it stays where it is.
pub fn decide(w: &mut Write<'_>, uid: &str, company: Option<i64>, basis: &str, by: &str) -> Result<()> {
    w.run(
        "UPDATE rmm_sites SET company_id = COALESCE(CAST(?1 AS BIGINT), company_id), basis = ?2, decided_number = account_number,
             decided_by = ?3, decided_at = ?4 WHERE uid = ?5",
        params![company, basis, by, now(), uid],
    )?;
    w.touch("site");
    Ok(())
}

/// Lets the sites of one company be another's, because both are one; which ones.
pub fn hand_over(w: &mut Write<'_>, from: i64, to: i64) -> Result<Vec<i64>> {
    let ids: Vec<i64> = of_company(w, from)?.into_iter().map(|site| site.id).collect();
    hand_back(w, &ids, from, to)?;
    Ok(ids)
}

/// Lets these sites be another company's, as far as they are this one's.
pub fn hand_back(w: &mut Write<'_>, ids: &[i64], from: i64, to: i64) -> Result<()> {
    w.run("UPDATE rmm_sites SET company_id = ?3 WHERE id IN ids(?1) AND company_id = ?2", params![ids.to_vec(), from, to])?;
    w.touch("site");
    Ok(())
}
