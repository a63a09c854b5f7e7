//! Reading the agents of vendors; a sync writes them through history.

use super::psa::PsaAgent;
use crate::{db::Conn, error::Result, history::Record, params};

/// The live agents of one vendor, or of all, active first, then by name.
pub fn list(c: &mut Conn, source: Option<&str>) -> Result<Vec<PsaAgent>> {
    let sql = format!(
        "SELECT {} FROM @psa_agents psa_agent WHERE psa_agent.retired_at IS NULL
         AND (CAST(?1 AS TEXT) IS NULL OR psa_agent.external_source = ?1)",
        PsaAgent::SELECT
    );
    let rows = c.all(&sql, params![source])?;
    let mut agents = rows.iter().map(|row| PsaAgent::from_row(row, 0)).collect::<Result<Vec<_>>>()?;
    agents.sort_by_cached_key(|agent| (!agent.active, crate::types::fold(&agent.name()), agent.id));
    Ok(agents)
}
