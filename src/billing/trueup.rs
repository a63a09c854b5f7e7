//! What a company is billed for against what there is, with the receipts.

use std::collections::{BTreeMap, HashMap};

use axum::{extract::State, response::Response};
use serde_json::{Value as Json, json};

use super::{
    counting::{Counting, Exclusion, Line, Managed, Settings, TOTALS, Thing, Things},
    model::Plan,
    month::Month,
    store,
    then::{Then, about},
    trueup_store as counted,
};
use crate::{
    auth::BillingReader,
    companies::{
        Company,
        model::{plan_key, term_key},
        store as companies,
    },
    compliance::{Level, Personal, RedactionPolicy},
    config::{Config, LifeDays},
    db::Conn,
    error::{Error, Result},
    history::protection,
    types::decimal,
    web::{ReadRequest, Web, disclosure},
};

/// How a month is asked for.
#[derive(Clone)]
pub struct Asked {
    /// The month.
    pub month: Month,
    /// By whom receipts are read, when they are: then people are named, as far as these may see them.
    pub reader: Option<RedactionPolicy>,
    days: LifeDays,
    without_archived: bool,
}

impl Asked {
    /// A month, by the operator's settings.
    #[must_use]
    pub fn new(config: &Config, month: Month, reader: Option<RedactionPolicy>) -> Self {
        Self { month, reader, days: config.assets.life, without_archived: config.assets.archived_leave_billing }
    }
}

/// A company's month.
pub struct Trueup {
    /// The company, as it was.
    pub company: Company,
    /// Its plan, with the prices of the time.
    pub plan: Option<Plan>,
    /// Its own support level, or its plan's.
    pub support_level: Option<String>,
    /// How it is counted.
    pub settings: Settings,
    /// What is left out by hand.
    pub exclusions: Vec<Exclusion>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Totals for which there is a managed count: what they are, counted, billed; in thousandths.
    pub managed: Vec<(&'static Managed, i64, i64)>,
    /// Up to when everything was looked at, when that is not now.
    pub as_of: Option<String>,
    /// What could not be known, as sentences.
    pub unknown: Vec<String>,
}

/// The plans of a time, by the names and terms that companies go by.
struct Plans {
    now: HashMap<(String, String), Plan>,
    then: HashMap<(String, String), Plan>,
    later: HashMap<(String, String), Plan>,
}

fn key_of(plan: &Plan) -> (String, String) {
    (plan_key(&plan.name), term_key(Some(&plan.term)))
}

impl Plans {
    fn read(c: &mut Conn, then: &Then) -> Result<Self> {
        let mut plans = Self { now: HashMap::new(), then: HashMap::new(), later: HashMap::new() };
        for plan in store::all_ever(c)? {
            match then.past.row(plan.clone())? {
                Some(before) if before.retired_at.is_none() => drop(plans.then.insert(key_of(&before), before)),
                Some(_) => {}
                None => {
                    let first = then.past.first(plan.clone())?;
                    plans.later.insert(key_of(&first), first);
                }
            }
            if plan.retired_at.is_none() {
                plans.now.insert(key_of(&plan), plan);
            }
        }
        Ok(plans)
    }

    /// The plan that a company's plan and term name, and what is not known of it.
    fn of(&self, company: &Company, is_known: bool) -> (Option<Plan>, Option<String>) {
        let Some(name) = company.plan.as_deref().filter(|name| !name.is_empty()) else { return (None, None) };
        let key = (plan_key(name), term_key(company.contract_term.as_deref()));
        if !is_known {
            return (self.now.get(&key).cloned(), None);
        }
        match (self.then.get(&key), self.later.get(&key)) {
            (Some(plan), _) => (Some(plan.clone()), None),
            (None, Some(plan)) => {
                let day = plan.created_at.get(..10).unwrap_or_default();
                let why = format!(
                    "The plan {}, {} was entered on {day}, after the month: its first prices are taken.",
                    plan.name, plan.term
                );
                (Some(plan.clone()), Some(why))
            }
            (None, None) => (None, None),
        }
    }
}

/// Counts the month of one company.
///
/// # Errors
/// `NotFound`.
pub fn one(c: &mut Conn, id: i64, asked: &Asked) -> Result<Trueup> {
    read(c, asked, |company| company.id == id)?.pop().ok_or(Error::NotFound { what: "Company" })
}

/// Counts the month of every company that was a client when it ended, by name.
pub fn of_clients(c: &mut Conn, asked: &Asked) -> Result<Vec<Trueup>> {
    read(c, asked, |company| company.kind == "client" && company.retired_at.is_none())
}

/// A fixed number of questions, however many companies there are.
fn read(c: &mut Conn, asked: &Asked, is_wanted: impl Fn(&Company) -> bool) -> Result<Vec<Trueup>> {
    let companies = counted::companies(c)?;
    let then = Then::read(c, &asked.month, &companies)?;
    let companies = companies.into_iter().map(|company| then.company(company)).collect::<Result<Vec<_>>>()?;
    let companies: Vec<Company> = companies.into_iter().filter(is_wanted).collect();
    let ids: Vec<i64> = companies.iter().map(|company| company.id).collect();
    let plans = Plans::read(c, &then)?;
    let mut settings = by_company(counted::settings_of(c, ids.clone())?.into_iter().map(|one| (one.company_id, one)));
    let found = counted::exclusions(c, ids.clone())?;
    let (mut excluded, mut exclusions) = (HashMap::new(), BTreeMap::<i64, Vec<Exclusion>>::new());
    let reasons = match &asked.reader {
        Some(policy) => reasons(c, &companies, found.clone(), policy)?,
        None => found.iter().map(|_| None).collect(),
    };
    for (exclusion, reason) in found.into_iter().zip(reasons) {
        excluded.insert((exclusion.company_id, about(&exclusion)), reason.clone());
        let shown = Exclusion { reason: reason.unwrap_or_default(), ..exclusion };
        exclusions.entry(shown.company_id).or_default().push(shown);
    }
    let mut people = by_company(counted::people(c, &then, &ids, asked.reader.as_ref())?);
    let mut devices = by_company(counted::devices(c, &then, &ids, asked.days)?);
    let mut gear = by_company(counted::gear(c, &then, &ids)?);
    let mut tickets = by_company(counted::tickets(c, &then, &ids)?);
    let count = |company: Company| {
        let id = company.id;
        let things = Things {
            contacts: people.remove(&id).unwrap_or_default(),
            devices: devices.remove(&id).unwrap_or_default(),
            gear: gear.remove(&id).unwrap_or_default(),
            tickets: tickets.remove(&id).unwrap_or_default(),
        };
        let settings = settings.remove(&id).and_then(|mut own| own.pop()).unwrap_or_else(|| Settings::usual(id));
        let own = excluded.iter().filter(|((company, _), _)| *company == id);
        let counting = Counting {
            settings: &settings,
            without_archived: asked.without_archived,
            excluded: own.map(|((_, about), reason)| (about.clone(), reason.clone())).collect(),
        };
        let (plan, why) = plans.of(&company, then.knows(id));
        let mut unknown = unknown(&company, &then, &things, asked.without_archived || settings.leave_out_archived);
        unknown.extend(why);
        let support_level = company
            .support_level
            .clone()
            .filter(|level| !level.is_empty())
            .or(plan.as_ref().map(|plan| plan.support_level.clone()));
        let mut lines = counting.lines(&things);
        lines.iter_mut().for_each(|line| line.price(&company, plan.as_ref(), support_level.as_deref()));
        let total = |total: &'static Managed| {
            let parts = lines.iter().filter(|line| line.rule.is_part_of(total));
            Some((total, parts.map(|line| line.counted).sum(), total.of(&company)?))
        };
        let managed = TOTALS.into_iter().filter_map(total).collect();
        let as_of = asked.month.is_over().then(|| asked.month.end());
        let exclusions = exclusions.remove(&id).unwrap_or_default();
        Trueup { company, plan, support_level, settings, exclusions, lines, managed, as_of, unknown }
    };
    Ok(companies.into_iter().map(count).collect())
}

fn by_company<T>(found: impl IntoIterator<Item = (i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut by_company: HashMap<i64, Vec<T>> = HashMap::new();
    for (company, one) in found {
        by_company.entry(company).or_default().push(one);
    }
    by_company
}

/// What of a month could not be known, as sentences.
fn unknown(company: &Company, then: &Then, things: &Things, without_archived: bool) -> Vec<String> {
    let mut unknown = Vec::new();
    if !then.knows(company.id) {
        let day = company.created_at.get(..10).unwrap_or_default();
        unknown.push(format!("Nothing is known of this company before {day}: it is counted as it was when that day ended."));
    }
    if then.month.is_over() && without_archived {
        unknown
            .push("Which devices were archived when the month ended is not known: those that are today are left out.".to_owned());
    }
    let unread = |ticket: &&Thing| !ticket.sheet.is_read && ticket.amount == 0 && ticket.absent.is_none();
    match things.tickets.iter().filter(unread).count() {
        0 => {}
        1 => unknown.push("The time sheet of one ticket has not been read yet.".to_owned()),
        more => unknown.push(format!("The time sheets of {more} tickets have not been read yet.")),
    }
    unknown
}

/// Why things are left out by hand, in the words that this caller may read: somebody wrote them about a record, and they are
/// as protected as that.
pub fn reasons(
    c: &mut Conn,
    companies: &[Company],
    exclusions: Vec<Exclusion>,
    policy: &RedactionPolicy,
) -> Result<Vec<Option<String>>> {
    let mut by_kind: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for exclusion in &exclusions {
        by_kind.entry(exclusion.entity.clone()).or_default().push(exclusion.entity_id);
    }
    let mut protected = Vec::new();
    for (entity, ids) in by_kind {
        protected.extend(protection::among(c, &entity, ids)?.into_iter().map(|id| (entity.clone(), id)));
    }
    let levels: HashMap<i64, Level> =
        companies.iter().map(|company| (company.id, Level::parse(&company.compliance_level))).collect();
    let told = exclusions.into_iter().map(|exclusion| {
        let of_company = levels.get(&exclusion.company_id).copied().unwrap_or_default();
        let of_record = if protected.contains(&about(&exclusion)) { Level::Hipaa } else { Level::Standard };
        let level = of_company.max(of_record);
        let shown = policy.reveal(level, Personal::Private, &exclusion.reason);
        if let (true, true, Some(entity)) = (shown.is_some(), level > Level::Standard, disclosure::noted(&exclusion.entity)) {
            policy.log_disclosure(entity, [exclusion.entity_id]);
        }
        Some(shown.unwrap_or_else(|| policy.strictness(level).hidden().to_owned()))
    });
    Ok(told.collect())
}

impl Trueup {
    /// What the month costs by the plan, in cents.
    #[must_use]
    pub fn total(&self) -> Option<i64> {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// How many lines and totals differ from what is billed.
    #[must_use]
    pub fn differences(&self) -> usize {
        let totals = self.managed.iter().filter(|(_, counted, billed)| counted != billed);
        self.lines.iter().filter(|line| line.differs()).count() + totals.count()
    }

    /// The month as JSON.
    #[must_use]
    pub fn json(&self, month: &Month, with_receipts: bool) -> Json {
        let number = |quantity: i64| decimal::number(quantity, 3);
        let money = |cents: i64| decimal::number(cents, 2);
        let line = |line: &Line| {
            let mut told = json!({
                "key": line.rule.key, "label": line.rule.label, "rule": line.rule.counts, "counted": number(line.counted),
                "billed": line.billed.map(number), "difference": line.difference().map(number),
                "unit_cost": line.unit.map(money), "amount": line.amount.map(money), "note": line.note,
            });
            if with_receipts {
                told["receipts"] = json!({ "counted": line.receipts, "left_out": line.left_out });
            }
            told
        };
        let managed = self.managed.iter().map(|(total, counted, billed)| {
            json!({
                "key": total.key, "counted": number(*counted), "billed": number(*billed), "difference": number(counted - billed),
            })
        });
        json!({
            "month": month.as_str(),
            "as_of": self.as_of,
            "company": { "account_number": self.company.account_number, "name": self.company.name },
            "plan": self.plan.as_ref().map(|plan| json!({ "id": plan.id, "plan_name": plan.name, "term_length": plan.term })),
            "support_level": self.support_level,
            "settings": self.settings,
            "lines": self.lines.iter().map(line).collect::<Vec<_>>(),
            "managed": managed.collect::<Vec<_>>(),
            "differences": self.differences(),
            "total": self.total().map(money),
            "unknown": self.unknown,
        })
    }
}

/// `GET /api/billing/trueup?company=&month=`: one company with its receipts, or all of them without.
pub async fn show(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let month = Month::read(request.query.text("month")?)?;
    let company = request.query.text("company")?.map(str::to_owned);
    let policy = RedactionPolicy::of(&reader, &web.config, &request.query)?;
    let asked = Asked::new(&web.config, month, company.is_some().then_some(policy));
    let read = move |c: &mut Conn| match company {
        Some(key) => {
            let id = companies::id_of(c, &key)?;
            Ok(one(c, id, &asked)?.json(&asked.month, true))
        }
        None => {
            let all: Vec<Json> = of_clients(c, &asked)?.iter().map(|trueup| trueup.json(&asked.month, false)).collect();
            Ok(
                json!({ "month": asked.month.as_str(), "as_of": asked.month.is_over().then(|| asked.month.end()), "companies": all }),
            )
        }
    };
    let told = web.db.read(&reader.scope(), read).await?;
    request.value(&told)
}
