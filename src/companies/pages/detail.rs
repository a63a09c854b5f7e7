//! A company with everything on it.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{LIST, address, compliance, location, plan};
use crate::{
    agents::PageContext,
    companies::{
        Companies, Company, CompanyView, Location,
        model::BilledContact,
        pages_store,
        store::{self as companies, Relative},
    },
    compliance::RedactionPolicy,
    config::Config,
    db::Conn,
    error::{Error, FieldError, Result},
    history::Record as _,
    resource::{
        form_page::Typed,
        merged,
        panel::{self, Content, Looker, Panel, Tab},
        record_history::{Facts, RecordHistory},
        values::end,
        ways,
        workspace::Workspace,
    },
    ui::{Crumb, Field, Head, Item, Markup, Page, Value, Way, count_of, filters, form, label, link_to},
    web::{Path, Web},
};

/// Everything a company's page reads, in one snapshot.
pub struct CompanyData {
    view: CompanyView,
    above: Vec<Relative>,
    below: Vec<Relative>,
    locations: Vec<Location>,
    billing: Option<BilledContact>,
    panels: Vec<Panel>,
    past: RecordHistory,
}

/// The companies around one, as its page draws them.
#[derive(Template)]
#[template(path = "companies/tree.html")]
struct Tree {
    name: String,
    parent: Option<Crumb>,
    children: Vec<Crumb>,
}

/// A company's locations, and the form for another.
#[derive(Template)]
#[template(path = "companies/locations.html")]
struct LocationPanel {
    base: String,
    may_edit: bool,
    locations: Vec<Location>,
    errors: Vec<String>,
    fields: Vec<Field>,
}

/// The tabs of a company.
const TABS: &[Tab] = &[
    Tab::Overview,
    Tab::Contacts,
    Tab::Assets,
    Tab::Tickets,
    Tab::Alerts,
    Tab::Network,
    Tab::Licences,
    Tab::Billing,
    Tab::Notes,
    Tab::Files,
    Tab::History,
];

/// What a form on the page could not do.
#[derive(Default)]
pub struct Refused {
    /// What is still attached, by kind, when it was to be retired.
    pub attached: Vec<(String, i64)>,
    /// What is wrong with a location, and what was typed.
    pub location: Option<(Vec<FieldError>, Typed)>,
}

impl Refused {
    /// That the company could not retire because of what is attached.
    #[must_use]
    pub fn attached(error: &Error) -> Self {
        let details = if let Error::Conflict { details, .. } = error { Some(details) } else { None };
        let attached = details.and_then(|details| details.get("attached")?.as_object()).into_iter().flatten();
        Self { attached: attached.map(|(kind, count)| (kind.clone(), count.as_i64().unwrap_or(0))).collect(), location: None }
    }
}

/// `GET /companies/{acct}`
pub async fn show(State(web): State<Web>, context: PageContext, Path(key): Path<String>) -> Result<Response> {
    if let Some(winner) = merged::page::<Companies>(&web, &context, key.clone()).await? {
        return Ok(winner);
    }
    page(&web, &context, key, StatusCode::OK, Refused::default()).await
}

/// The page, also after a form on it was refused.
pub async fn page(web: &Web, context: &PageContext, key: String, status: StatusCode, refused: Refused) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (page, config) = (context.page.clone(), web.config.clone());
    let known = web.db.read(&context.scope(), move |c| read(c, &key, &page, &policy, &config)).await?;
    let ways = if context.page.may_write() { ways::all(web).await? } else { Vec::new() };
    context.show_as(status, &build(context, known, refused, ways)?)
}

fn read(c: &mut Conn, key: &str, page: &Page, policy: &RedactionPolicy, config: &Config) -> Result<CompanyData> {
    let id = companies::id_of(c, key)?;
    let view = companies::get_view(c, id)?.redact(policy);
    let mut above: Vec<Relative> = companies::ancestors(c, id)?.into_iter().skip(1).map(|(_, relative)| relative).collect();
    above.reverse();
    let billing = match view.row.billing_contact_id.map(|contact| pages_store::billed_contact(c, contact)) {
        Some(Err(Error::NotFound { .. })) | None => None,
        Some(found) => Some(found?.redact(policy)),
    };
    let (number, is_live) = (view.row.account_number.as_str(), view.row.retired_at.is_none());
    let whose = panel::Whose { entity: Company::ENTITY, id, account_number: Some(number), is_live };
    let panels = panel::all(c, &Looker { page, policy, config }, whose)?;
    Ok(CompanyData {
        panels,
        above,
        below: companies::children(c, id)?,
        locations: companies::locations(c, id)?,
        billing,
        past: if page.is_staff() { RecordHistory::read(c, "company", id, policy)? } else { RecordHistory::default() },
        view,
    })
}

fn build(context: &PageContext, known: CompanyData, refused: Refused, ways: Vec<Way>) -> Result<Workspace> {
    let page = context.titled(LIST.section, known.view.row.name.clone());
    let to = |relative: &Relative| link_to(address(&page, &relative.account_number), relative.name.clone());
    let mut crumbs = vec![LIST.crumb(&page)];
    crumbs.extend(known.above.iter().map(to));
    let base = address(&page, &known.view.row.account_number);
    let attached = refused.attached.iter().map(|(kind, count)| attached(&base, &page, &known.view, kind, *count)).collect();
    let view = &known.view;
    let may_edit = page.may_write() && view.row.retired_at.is_none();
    let form = may_edit.then(|| format!("{base}/edit"));
    let section = |(title, items)| Panel::section(Tab::Overview, title, items, form.as_deref());
    let mut panels: Vec<Panel> = facts(&page, &known).into_iter().map(section).collect();
    if !known.above.is_empty() || !known.below.is_empty() {
        let parent = known.above.last().map(to);
        let tree = Tree { name: page.title.clone(), parent, children: known.below.iter().map(to).collect() };
        let group = Panel::new(Tab::Overview, "group", "Group", Content::Drawn(Markup::of(&tree)?));
        panels.push(Panel { is_beside: true, ..group });
    }
    let locations = locations(base.clone(), may_edit, known.locations.clone(), refused.location);
    let locations = Panel::new(Tab::Overview, "locations", "Locations", Content::Drawn(Markup::of(&locations)?));
    panels.push(Panel { is_beside: true, ..locations });
    panels.extend(known.panels.iter().cloned());
    if page.is_staff() {
        panels.push(Panel::history(known.past.timeline(&page)));
    }
    let head = Head {
        crumbs,
        badges: badges(view),
        lead: view.row.account_number.clone(),
        facts: summary(&known),
        ways: Way::call(phone(&known)).into_iter().chain(ways).collect(),
        may_retire: page.is_admin(),
        retire_question: format!("Retire {}? It is hidden from lists and billing until it is restored.", view.row.name),
        attached,
        may_merge: true,
        ..Head::new(&page, base, view.row.retired_at.as_deref())
    };
    Workspace::new(&context.query, head, TABS, panels)
}

fn locations(base: String, may_edit: bool, locations: Vec<Location>, refused: Option<(Vec<FieldError>, Typed)>) -> LocationPanel {
    let (wrong, typed) = refused.unwrap_or_default();
    let mut fields = location::part(&typed).fields;
    let mut errors = form::place_errors(&mut fields, &wrong);
    if !wrong.is_empty() && errors.is_empty() {
        errors.push("The location was not added.".to_owned());
    }
    LocationPanel { base, may_edit, locations, errors, fields }
}

/// Where the company is called: its own number, else that of its first location with one.
fn phone(known: &CompanyData) -> Option<&str> {
    let own = known.view.row.main_number.as_deref();
    own.or_else(|| known.locations.iter().find_map(|place| place.phone_number.as_deref()))
}

/// What one needs to know of a company while it is on the telephone.
fn summary(known: &CompanyData) -> Vec<Item> {
    let row = &known.view.row;
    let address = row.address.as_deref().or_else(|| known.locations.iter().find_map(|place| place.address.as_deref()));
    vec![
        Item::new("Phone", Value::phone(phone(known))),
        Item::new("Address", Value::lines(address)),
        Item::new("Plan", plan(Some(row.plan.as_deref().unwrap_or_default()))),
        Item::new("Compliance", compliance(&row.compliance_level)),
    ]
}

fn attached(base: &str, page: &Page, view: &CompanyView, kind: &str, count: i64) -> Crumb {
    let text = match kind {
        "companies" => count_of(count, "company below it", "companies below it"),
        one => count_of(count, one.strip_suffix('s').unwrap_or(one), one),
    };
    let href = match kind {
        "companies" => page.url(&format!("/companies/?parent_id={}", view.row.id)),
        part => format!("{base}#{part}"),
    };
    link_to(href, text)
}

fn badges(view: &CompanyView) -> Vec<Value> {
    // How it is protected stands among the facts below its name.
    if view.row.kind == "client" { Vec::new() } else { vec![Value::badge("", label(&view.row.kind))] }
}

/// A support level, and that it is the plan's where nobody has said another.
fn support_level(view: &CompanyView) -> Value {
    match (&view.row.support_level, &view.plan_support_level) {
        (None, Some(level)) => Value::Many(vec![Value::words(level.clone()), Value::badge("", "from plan")]),
        (own, _) => Value::text(own.as_deref()),
    }
}

fn facts(page: &Page, known: &CompanyData) -> Vec<(&'static str, Vec<Item>)> {
    let view = &known.view;
    let facts = Facts { page, action: format!("/records/company/{}/pin", view.row.id), past: &known.past };
    let days = |label, field, count: Option<i64>| {
        facts.item(label, field, Value::text(count.map(|count| count_of(count, "day", "days")).as_deref()))
    };
    let billing = known.billing.as_ref();
    let billing =
        billing.map_or(Value::None, |contact| Value::link(page.url(&format!("/contacts/{}", contact.id)), contact.name.clone()));
    let mut number = vec![Value::Code(view.row.account_number.clone())];
    if !view.row.account_number_at_vendor && view.external_id.is_some() {
        number.push(Value::badge("warning", "not at the vendor yet"));
    }
    let vendor = view.external_id.map_or(Value::None, |id| Value::Code(id.to_string()));
    let row = &view.row;
    let own = vec![("account_number", Value::Many(number)), ("kind", Value::words(label(&row.kind)))];
    let mut company = facts.section(row, "Company", own);
    company.push(Item::new("Freshservice department", vendor));
    let own = vec![
        ("plan", plan(Some(row.plan.as_deref().unwrap_or_default()))),
        ("contract_end_date", end(row.contract_end_date.as_deref())),
        ("contract_term", Value::text(row.term().as_deref())),
        ("support_level", support_level(view)),
        ("start_date", Value::date(row.start_date.as_deref())),
        ("compliance_level", compliance(&row.compliance_level)),
        ("billing_contact_id", billing),
    ];
    let mut contract = facts.section(row, "Contract", own);
    // Most companies go by the general setting; three dashes would say nothing.
    let own = [
        days("Devices quiet after", "life_quiet_days", view.row.life_quiet_days),
        days("Devices stale after", "life_stale_days", view.row.life_stale_days),
        days("Devices archived after", "life_archived_days", view.row.life_archived_days),
    ];
    contract.extend(own.into_iter().filter(|item| !matches!(item.value, Value::None)));
    let systems = facts.section(row, "People and systems", Vec::new());
    vec![("Company", company), ("Contract", contract), ("People and systems", systems)]
}
