//! The open alerts on a company's page.

use super::alerts::{self, Of};
use crate::{
    companies::Company,
    db::Conn,
    error::Result,
    history::Record as _,
    resource::panel::{Content, Looker, Panel, Panels, Whose},
};

/// The panel; none while no alert is open.
pub struct OfAlerts;

impl Panels for OfAlerts {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let Some(number) = whose.account_number.filter(|_| whose.entity == Company::ENTITY) else { return Ok(Vec::new()) };
        let of = Of::Company(whose.id);
        let found = alerts::read(c, of, looker.policy)?;
        let card = alerts::card(looker.page, of, &found, &[("company_account_number", number), ("resolved", "false")]);
        let panel = Panel::new("alerts", "Open alerts", Content::Rows(card.table));
        let panel = Panel { count: Some(card.open), is_urgent: true, ..panel };
        Ok((card.open > 0).then_some(panel).into_iter().collect())
    }
}
