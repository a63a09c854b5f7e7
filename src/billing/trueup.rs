//! What a company is billed for against what there is, with the receipts.

use axum::{extract::State, response::Response};
use serde_json::{Value as Json, json};

use super::{
    counting::{Counting, Exclusion, Line, Month, Settings, managed},
    model::Plan,
    store, trueup_store as counted,
};
use crate::{
    assets::AssetViewContext,
    auth::{Admin, BillingReader},
    companies::{CompanyView, store as companies},
    db::{Conn, Write},
    entity::Patch,
    error::{Error, Result},
    history,
    types::decimal,
    web::{Fields, Path, Preconditions, ReadRequest, Reply, Web},
};

/// A company's month.
pub struct Trueup {
    /// The company.
    pub company: CompanyView,
    /// Its plan.
    pub plan: Option<Plan>,
    /// How it is counted.
    pub settings: Settings,
    /// What is left out by hand.
    pub exclusions: Vec<Exclusion>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Totals for which there is a managed count: what they are called, counted, billed; in thousandths.
    pub managed: Vec<(&'static str, i64, i64)>,
}

/// Counts a company's month.
///
/// # Errors
/// `NotFound`.
pub fn read(c: &mut Conn, id: i64, month: &Month, view_context: &AssetViewContext) -> Result<Trueup> {
    let policy = &view_context.policy;
    let company = companies::get_view(c, id)?.redact(policy);
    let plan = store::of_company(c, &company.row)?;
    let (settings, exclusions) = (counted::settings(c, id)?, counted::exclusions(c, id)?);
    let excluded = exclusions.iter().map(|one| ((one.entity.clone(), one.entity_id), one.reason.clone())).collect();
    let counting = Counting { settings: &settings, month, since: &company.row.created_at, excluded };
    let mut lines = counting.lines(
        &counted::people(c, id, policy)?,
        &counted::devices(c, id, view_context)?,
        &counted::gear(c, id)?,
        &counted::tickets(c, id, month)?,
    );
    let of = |lines: &[Line], keys: &[&str]| -> i64 {
        lines.iter().filter(|line| keys.contains(&line.rule.key)).map(|line| line.counted).sum()
    };
    for line in &mut lines {
        line.billed = match line.rule.key {
            "users" => managed(company.row.managed_users.as_deref()),
            "backup_tb" => plan.as_ref().map(Plan::included_milli_tb),
            _ => None,
        };
    }
    let totals = [
        ("managed_devices", &company.row.managed_devices, &["workstations", "servers", "vms"][..]),
        ("managed_network", &company.row.managed_network, &["switches", "firewalls"][..]),
    ];
    let managed =
        totals.into_iter().filter_map(|(name, said, keys)| Some((name, of(&lines, keys), managed(said.as_deref())?))).collect();
    Ok(Trueup { company, plan, settings, exclusions, lines, managed })
}

impl Trueup {
    /// What the month costs by the plan, in cents.
    #[must_use]
    pub fn total(&self) -> Option<i64> {
        self.plan.as_ref().map(|plan| self.lines.iter().map(|line| line.amount(plan)).sum())
    }

    /// How many lines and totals differ from what is billed.
    #[must_use]
    pub fn differences(&self) -> usize {
        let lines =
            self.lines.iter().filter(|line| line.rule.key != "backup_tb" && line.difference().is_some_and(|more| more != 0));
        lines.count() + self.managed.iter().filter(|(_, counted, billed)| counted != billed).count()
    }

    fn json(&self, month: &Month, with_receipts: bool) -> Json {
        let number = |quantity: i64| decimal::number(quantity, 3);
        let line = |line: &Line| {
            let plan = self.plan.as_ref();
            let mut told = json!({
                "key": line.rule.key, "label": line.rule.label, "rule": line.rule.counts, "counted": number(line.counted),
                "billed": line.billed.map(number), "difference": line.difference().map(number),
                "unit_cost": plan.map(|plan| decimal::number((line.rule.cost)(plan), 2)),
                "amount": plan.map(|plan| decimal::number(line.amount(plan), 2)),
            });
            if with_receipts {
                told["receipts"] = json!({ "counted": line.receipts, "left_out": line.left_out });
            }
            told
        };
        let managed = self.managed.iter().map(|(name, counted, billed)| {
            json!({ "key": name, "counted": number(*counted), "billed": number(*billed), "difference": number(counted - billed) })
        });
        let row = &self.company.row;
        json!({
            "month": month.as_str(),
            "company": { "account_number": row.account_number, "name": row.name },
            "plan": self.plan.as_ref().map(|plan| json!({ "id": plan.id, "plan_name": plan.name, "term_length": plan.term })),
            "support_level": self.company.support_level(),
            "settings": self.settings,
            "lines": self.lines.iter().map(line).collect::<Vec<_>>(),
            "managed": managed.collect::<Vec<_>>(),
            "differences": self.differences(),
            "total": self.total().map(|cents| decimal::number(cents, 2)),
        })
    }
}

/// `GET /api/billing/trueup?company=&month=`: one company with its receipts, or all of them without.
pub async fn show(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let month = Month::read(request.query.text("month")?)?;
    let company = request.query.text("company")?.map(str::to_owned);
    let view_context = AssetViewContext::of(&reader, &web.config, &request.query)?;
    let told = web
        .db
        .read(&reader.scope(), move |c| match company {
            Some(key) => {
                let id = companies::id_of(c, &key)?;
                Ok(read(c, id, &month, &view_context)?.json(&month, true))
            }
            None => {
                let mut all = Vec::new();
                for id in store::billed(c)? {
                    all.push(read(c, id, &month, &view_context)?.json(&month, false));
                }
                Ok(json!({ "month": month.as_str(), "companies": all }))
            }
        })
        .await?;
    request.value(&told)
}

/// `GET /api/billing/settings/{acct}`
pub async fn settings(
    State(web): State<Web>,
    reader: BillingReader,
    Path(key): Path<String>,
    request: ReadRequest,
) -> Result<Response> {
    let read = move |c: &mut Conn| {
        let id = companies::id_of(c, &key)?;
        counted::settings(c, id)
    };
    let settings = web.db.read(&reader.scope(), read).await?;
    request.value(&settings)
}

/// Reads what was sent for a company's settings.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read_settings(mut fields: Fields) -> Result<Patch<Settings>> {
    fields.set_creating(false);
    let settings = Patch::read(&mut fields)?;
    fields.finish()?;
    Ok(settings)
}

/// `PUT` and `PATCH /api/billing/settings/{acct}`
pub async fn update_settings(
    State(web): State<Web>,
    admin: Admin,
    Path(key): Path<String>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let input = read_settings(fields)?;
    let work = move |w: &mut Write<'_>| {
        let id = companies::id_of(w, &key)?;
        Reply::ok(&counted::save_settings(w, id, &input)?)
    };
    conditions.run(&web, &admin.scope(), &admin.actor(), &body, work).await
}

/// `GET /api/billing/exclusions?company=`
pub async fn exclusions(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let key = request.query.text("company")?.map(str::to_owned).ok_or_else(|| Error::field("company", "is required"))?;
    let read = move |c: &mut Conn| {
        let id = companies::id_of(c, &key)?;
        counted::exclusions(c, id)
    };
    let found = web.db.read(&reader.scope(), read).await?;
    request.value(&found)
}

/// Reads what was sent for an exclusion: the company's key, and the rest.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read_exclusion(mut fields: Fields) -> Result<(String, Patch<Exclusion>)> {
    fields.set_creating(true);
    let company = fields.key("company").max(50).required().value();
    let exclusion = Patch::read(&mut fields)?;
    fields.finish()?;
    Ok((company.unwrap_or_default(), exclusion))
}

/// `POST /api/billing/exclusions`
pub async fn exclude(State(web): State<Web>, admin: Admin, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let (key, input) = read_exclusion(fields)?;
    let work = move |w: &mut Write<'_>| {
        let id = companies::id_of(w, &key)?;
        match counted::exclude(w, id, &input)? {
            (made, true) => Reply::created(&made, format!("/api/billing/exclusions/{}", made.id)),
            (known, false) => Reply::ok(&known),
        }
    };
    conditions.run(&web, &admin.scope(), &admin.actor(), &body, work).await
}

/// `DELETE /api/billing/exclusions/{id}`: it is counted again.
pub async fn include(State(web): State<Web>, admin: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let work = move |w: &mut Write<'_>| Reply::ok(&history::retire::<Exclusion>(w, id, None)?);
    conditions.run(&web, &admin.scope(), &admin.actor(), "", work).await
}
