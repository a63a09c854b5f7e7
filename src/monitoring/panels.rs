//! The alerts of an asset and of a company on their pages.

use super::{
    alert::AlertView,
    alert_list_store::{self, ALERTS, Wanted},
    pages::{device, state, urgency},
};
use crate::{
    assets::Asset,
    companies::Company,
    db::{
        Conn,
        list::{ListQuery, Page as Found, Slice},
    },
    error::Result,
    history::Record as _,
    resource::panel::{Content, Looker, Panel, Panels, Tab, Whose},
    ui::{Line, Page, Table, Value},
};

/// How many alerts a panel shows; the list has the rest.
const SHOWN: i64 = 10;

/// This room's panels.
pub struct OfAlerts;

impl Panels for OfAlerts {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let panel = match (whose.entity, whose.account_number) {
            (Company::ENTITY, Some(number)) => of_company(c, looker, whose.id, number)?,
            (Asset::ENTITY, _) => Some(of_asset(c, looker, whose.id)?),
            _ => None,
        };
        Ok(panel.into_iter().collect())
    }
}

/// Those that are open; none while no alert is.
fn of_company(c: &mut Conn, looker: &Looker<'_>, id: i64, number: &str) -> Result<Option<Panel>> {
    let open = ListQuery::everything(&ALERTS)?.and("company.id = {}", vec![id.into()]);
    let open = open.and("alert.resolved = {}", vec![false.into()]);
    let count = open.count(c)?;
    if count == 0 {
        return Ok(None);
    }
    let found = first(c, looker, open)?;
    let table = table(looker.page, &found, true, &[("company_account_number", number), ("resolved", "false")]);
    let panel = Panel::new(Tab::Alerts, "alerts", "Open alerts", Content::Rows(table));
    Ok(Some(Panel { count: Some(count), is_urgent: true, ..panel }))
}

/// All of them, open ones first.
fn of_asset(c: &mut Conn, looker: &Looker<'_>, id: i64) -> Result<Panel> {
    let all = ListQuery::everything(&ALERTS)?.and("alert.asset_id = {}", vec![id.into()]);
    let open = all.clone().and("alert.resolved = {}", vec![false.into()]).count(c)?;
    let found = first(c, looker, all)?;
    let table = table(looker.page, &found, false, &[("asset_id", &id.to_string())]);
    let panel = Panel::new(Tab::Alerts, "alerts", "Alerts", Content::Rows(table));
    Ok(Panel { count: (open > 0).then_some(open), counted: "open", is_urgent: open > 0, ..panel })
}

fn first(c: &mut Conn, looker: &Looker<'_>, alerts: ListQuery) -> Result<Found<AlertView>> {
    let some = alerts.with_slice(Some(Slice { limit: SHOWN, offset: 0 }));
    alert_list_store::list(c, &some, &Wanted::default(), looker.policy)
}

/// What was read of them; `more` asks the list for the rest.
fn table(page: &Page, found: &Found<AlertView>, with_device: bool, more: &[(&str, &str)]) -> Table {
    let mut heads = vec![("Alert", "cell--main"), ("Priority", "cell--end"), ("State", ""), ("Raised", "cell--sub")];
    if with_device {
        heads.insert(1, ("Device", "cell--sub cell--cut"));
    }
    let lines = found.items.iter().map(|alert| {
        let raised = Value::ago(alert.row.raised_at.as_deref());
        let mut cells = vec![Value::words(alert.row.message.clone()), urgency(&alert.row.priority), state(alert), raised];
        if with_device {
            cells.insert(1, device(page, alert));
        }
        Line { cells, post: None }
    });
    let query = serde_urlencoded::to_string(more).unwrap_or_default();
    let rest = found.total > SHOWN;
    Table {
        label: "Alerts",
        heads,
        lines: lines.collect(),
        empty: if with_device { "No open alerts." } else { "No alerts." },
        more: rest.then(|| (page.url(&format!("/alerts/?{query}")), format!("All {} alerts", found.total))),
    }
}
