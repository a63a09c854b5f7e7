//! What an import of the former service's database asks of ours, beyond what the rooms tell.

use crate::{agents::PsaAgent, companies::Company, db::Conn, error::Result, history::Record, params};

/// The company with exactly this account number, retired or not.
pub(super) fn company(c: &mut Conn, number: &str) -> Result<Option<Company>> {
    let sql = format!("SELECT {} FROM @companies company WHERE company.account_number = ?1", Company::SELECT);
    c.first(&sql, params![number])?.map(|row| Company::from_row(&row, 0)).transpose()
}

/// A vendor's agent, retired or not.
pub(super) fn psa_agent(c: &mut Conn, source: &str, external_id: &str) -> Result<Option<PsaAgent>> {
    let sql = format!(
        "SELECT {} FROM @psa_agents psa_agent WHERE psa_agent.external_source = ?1 AND psa_agent.external_id = ?2",
        PsaAgent::SELECT
    );
    c.first(&sql, params![source, external_id])?.map(|row| PsaAgent::from_row(&row, 0)).transpose()
}

/// The live feature option of this category and name.
pub(super) fn option_id(c: &mut Conn, category: &str, name_key: &str) -> Result<Option<i64>> {
    let sql = "SELECT option.id FROM @feature_options option
               WHERE option.retired_at IS NULL AND option.category = ?1 AND option.name_key = ?2";
    c.first(sql, params![category, name_key])?.map(|row| row.get(0)).transpose()
}

/// The live category of features with this key.
pub(super) fn category_id(c: &mut Conn, category: &str) -> Result<Option<i64>> {
    let sql = "SELECT category.id FROM @feature_categories category
               WHERE category.retired_at IS NULL AND category.category = ?1";
    c.first(sql, params![category])?.map(|row| row.get(0)).transpose()
}
