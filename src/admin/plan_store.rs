//! A plan as its page reads it: counts by group, some items of a group, and what waits with what one must know to decide.

use std::collections::{HashMap, HashSet};

use crate::{
    billing,
    companies::Company,
    contacts::Contact,
    db::{Conn, Row},
    error::{Error, Result},
    history::{Record as _, Unredacted},
    params,
    plan::{Action, Item, Kind, State},
    reconcile::plans_store,
    tickets::{codes::SOURCE, store as tickets},
};

/// How many items of a group are in which state.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The kind of row.
    pub kind: Kind,
    /// What is to be done.
    pub action: Action,
    /// How far they have come.
    pub state: State,
    /// How many.
    pub items: i64,
}

/// How many items a plan has, by kind, action and state.
pub fn counts(c: &mut Conn, plan: i64) -> Result<Vec<Count>> {
    let sql = "SELECT entity, action, state, COUNT(*) FROM sync_plan_items WHERE plan_id = ?1 GROUP BY entity, action, state";
    let unknown = || Error::internal("a plan item holds a word that this program does not know");
    let mut counts = Vec::new();
    for row in c.all(sql, params![plan])? {
        counts.push(Count {
            kind: Kind::parse(&row.get::<String>(0)?).ok_or_else(unknown)?,
            action: Action::parse(&row.get::<String>(1)?).ok_or_else(unknown)?,
            state: State::parse(&row.get::<String>(2)?).ok_or_else(unknown)?,
            items: row.get(3)?,
        });
    }
    Ok(counts)
}

/// Some items of one group, in the order in which they are applied; those in `without` are left out.
pub fn group(
    c: &mut Conn,
    plan: i64,
    of: (Kind, Action),
    without: Option<State>,
    page: (i64, i64),
) -> Result<Vec<Unredacted<Item>>> {
    let columns = plans_store::ITEM_COLUMNS;
    let sql = format!(
        "SELECT {columns} FROM sync_plan_items WHERE plan_id = ?1 AND entity = ?2 AND action = ?3 AND state <> ?4
         ORDER BY id LIMIT ?5 OFFSET ?6"
    );
    let ((kind, action), (limit, offset), without) = (of, page, without.map_or("", State::as_str));
    c.all(&sql, params![plan, kind.as_str(), action.as_str(), without, limit, offset])?
        .iter()
        .map(|row| plans_store::item(row).map(Unredacted::new))
        .collect()
}

/// The account numbers of these companies, by id.
pub fn accounts(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    let sql = "SELECT company.id, company.account_number FROM @companies company WHERE company.id IN ids(?1)";
    c.all(sql, params![ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What waits for approval, in the order in which it is applied.
pub fn held(c: &mut Conn, plan: i64, limit: i64) -> Result<Vec<Unredacted<Item>>> {
    let columns = plans_store::ITEM_COLUMNS;
    let sql = format!("SELECT {columns} FROM sync_plan_items WHERE plan_id = ?1 AND state = ?2 ORDER BY id LIMIT ?3");
    let rows = c.all(&sql, params![plan, State::Held.as_str(), limit])?;
    rows.iter().map(|row| plans_store::item(row).map(Unredacted::new)).collect()
}

/// What one must know of a row to decide about it.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Its company; that itself, for a company. Of a contact the first one.
    pub company: Option<i64>,
    /// The type of a device.
    pub kind: Option<String>,
    /// When a vendor saw it last.
    pub last_seen: Option<String>,
    /// The tickets that somebody works on: the company's, the contact's, those of a device's users.
    pub open_tickets: i64,
    /// What its plan charges for one such row a month, in cents.
    pub monthly_cents: Option<i64>,
}

/// A company of whose rows something waits.
#[derive(Clone, Debug)]
pub struct Holder {
    pub account_number: String,
    pub name: String,
    plan: Option<billing::Plan>,
}

/// What is known of the rows of some items.
#[derive(Clone, Debug, Default)]
pub struct Contexts {
    rows: HashMap<(Kind, i64), Context>,
    /// The companies, by id.
    pub companies: HashMap<i64, Holder>,
}

impl Contexts {
    /// Reads it, in a fixed number of questions.
    pub fn read(c: &mut Conn, items: &[Unredacted<Item>]) -> Result<Self> {
        let of = |kind: Kind| -> Vec<i64> {
            items.iter().map(Unredacted::inside).filter(|item| item.kind == kind).filter_map(|item| item.entity_id).collect()
        };
        let mut known = Self::default();
        for id in of(Kind::Company) {
            known.row(Kind::Company, id).company = Some(id);
        }
        known.read_devices(c, of(Kind::Asset))?;
        known.read_people(c, of(Kind::Contact))?;
        let sql = "SELECT ticket.id, ticket.company_id FROM @tickets ticket WHERE ticket.id IN ids(?1)";
        for row in c.all(sql, params![of(Kind::Ticket)])? {
            known.row(Kind::Ticket, row.get(0)?).company = row.get(1)?;
        }
        known.read_companies(c)?;
        known.price();
        Ok(known)
    }

    fn row(&mut self, kind: Kind, id: i64) -> &mut Context {
        self.rows.entry((kind, id)).or_default()
    }

    fn read_devices(&mut self, c: &mut Conn, ids: Vec<i64>) -> Result<()> {
        let sql = "SELECT asset.id, asset.company_id, asset.kind, seen.last_seen FROM @assets asset
                   LEFT JOIN @asset_observations seen ON seen.asset_id = asset.id WHERE asset.id IN ids(?1)";
        for row in c.all(sql, params![ids.clone()])? {
            let (company, kind, last_seen) = (row.get(1)?, row.get(2)?, row.get(3)?);
            *self.row(Kind::Asset, row.get(0)?) = Context { company, kind, last_seen, ..Context::default() };
        }
        let sql =
            "SELECT assigned.asset_id, assigned.contact_id FROM @asset_contacts assigned WHERE assigned.asset_id IN ids(?1)";
        let users: Vec<(i64, i64)> = c.all(sql, params![ids])?.iter().map(pair).collect::<Result<_>>()?;
        let open = open_of_contacts(c, users.iter().map(|(_, contact)| *contact).collect())?;
        for (asset, contact) in users {
            self.row(Kind::Asset, asset).open_tickets += open.get(&contact).copied().unwrap_or_default();
        }
        Ok(())
    }

    fn read_people(&mut self, c: &mut Conn, ids: Vec<i64>) -> Result<()> {
        let sql = "SELECT place.contact_id, place.company_id FROM @contact_companies place WHERE place.contact_id IN ids(?1)
                   ORDER BY place.contact_id, place.is_primary DESC, place.company_id";
        for (contact, company) in c.all(sql, params![ids.clone()])?.iter().map(pair).collect::<Result<Vec<_>>>()? {
            self.row(Kind::Contact, contact).company.get_or_insert(company);
        }
        for (contact, open) in open_of_contacts(c, ids)? {
            self.row(Kind::Contact, contact).open_tickets = open;
        }
        Ok(())
    }

    fn read_companies(&mut self, c: &mut Conn) -> Result<()> {
        let ids: HashSet<i64> = self.rows.values().filter_map(|row| row.company).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let open = tickets::open_of_companies(c, ids.clone())?;
        for (id, open) in open {
            if let Some(row) = self.rows.get_mut(&(Kind::Company, id)) {
                row.open_tickets = open;
            }
        }
        let sql = format!("SELECT {} FROM @companies company WHERE company.id IN ids(?1)", Company::SELECT);
        let rows = c.all(&sql, params![ids])?;
        let plans = billing::store::Plans::read(c)?;
        for company in rows.iter().map(|row| Company::from_row(row, 0)).collect::<Result<Vec<_>>>()? {
            let plan = plans.of(company.plan.as_deref(), company.contract_term.as_deref()).cloned();
            self.companies.insert(company.id, Holder { account_number: company.account_number, name: company.name, plan });
        }
        Ok(())
    }

    /// What a company's plan charges for each row that is counted one by one.
    fn price(&mut self) {
        for ((kind, _), row) in &mut self.rows {
            let plan = row.company.and_then(|id| self.companies.get(&id)).and_then(|company| company.plan.as_ref());
            row.monthly_cents = match kind {
                Kind::Contact => plan.map(|plan| plan.per_user_cents),
                Kind::Asset => plan.and_then(|plan| billing::per_device_cents(plan, row.kind.as_deref().unwrap_or_default())),
                _ => None,
            };
        }
    }

    /// What is known of the row of an item; nothing of one that is to be created.
    #[must_use]
    pub fn of(&self, item: &Item) -> Context {
        item.entity_id.and_then(|id| self.rows.get(&(item.kind, id))).cloned().unwrap_or_default()
    }
}

fn pair(row: &Row) -> Result<(i64, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// How many tickets somebody works on that each of these contacts asked for.
fn open_of_contacts(c: &mut Conn, contacts: Vec<i64>) -> Result<HashMap<i64, i64>> {
    let sql = "SELECT known.entity_id, known.external_id FROM links known JOIN @contacts contact ON contact.id = known.entity_id
               WHERE known.entity = ?1 AND known.system = ?2 AND known.entity_id IN ids(?3)";
    let mut requesters: Vec<(i64, i64)> = Vec::new();
    for row in c.all(sql, params![Contact::ENTITY, SOURCE, contacts])? {
        if let Ok(requester) = row.get::<String>(1)?.parse() {
            requesters.push((row.get(0)?, requester));
        }
    }
    let open = tickets::open_of_requesters(c, SOURCE, requesters.iter().map(|(_, requester)| *requester).collect())?;
    let mut found: HashMap<i64, i64> = HashMap::new();
    for (contact, requester) in requesters {
        *found.entry(contact).or_default() += open.get(&requester).copied().unwrap_or_default();
    }
    Ok(found)
}
