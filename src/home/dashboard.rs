//! The first page: how much there is, how fresh it is, and what somebody should look at.

use askama::Template;
use axum::{extract::State, response::Response};

use std::collections::BTreeSet;

use super::dashboard_store::{self as store, Contract, Counts, Latest, Needs, RunOfChanges};
use crate::{
    agents::{self, PageContext, PsaAgent},
    auth::Level,
    backups::{self, Standing as Backups},
    companies::pages::address,
    compliance::{RedactedChange, RedactionPolicy, trail},
    db::Conn,
    entity::ending,
    error::Result,
    notices::kinds,
    records::pages::{
        record::{self, Mentioned},
        store::Names,
    },
    resource::panel::Looker,
    status::{self, Freshness, State as Standing, notice},
    tickets::{
        panels::newest_open,
        store::{self as tickets, Neglected},
    },
    types::{fold, now},
    ui::{Event, Line, Page, Section, Table, Timeline, Value, count_of, filters, link_to, thousands, time, words},
    vendors::credentials::{self, Credentials},
    web::{Web, encode_segment},
};

/// How many changes are shown.
const CHANGES: usize = 8;

struct Card {
    href: String,
    icon: &'static str,
    title: &'static str,
    count: i64,
    detail: String,
}

struct Need {
    value: Value,
    href: String,
    text: String,
    detail: String,
    act: &'static str,
}

impl Need {
    /// The same with how old it is, where that is known.
    fn since(mut self, what: &str, at: Option<&str>) -> Self {
        if let Some(at) = at {
            self.detail = format!("{what} {}", time::ago(at));
        }
        self
    }
}

struct Fresh {
    name: String,
    detail: String,
    late: bool,
    words: String,
}

struct Kind {
    href: String,
    name: String,
    share: i64,
    count: i64,
}

/// A step of setting Codex up.
struct Step {
    href: String,
    text: String,
    done: bool,
}

#[derive(Template)]
#[template(path = "home/dashboard.html")]
struct Dashboard {
    page: Page,
    /// What else the reader's work begins with: address and words.
    ways: Vec<(String, &'static str)>,
    cards: Vec<Card>,
    steps: Vec<Step>,
    attention: Option<Vec<Need>>,
    contracts: Option<Table>,
    tickets: Option<Table>,
    history: Option<Timeline>,
    freshness: Vec<Fresh>,
    kinds: Vec<Kind>,
    plans: Vec<Kind>,
}

/// What goes wrong in Codex itself, for those whose role is told of it.
const WRONG: [&notice::Kind; 4] = [&kinds::PLAN, &kinds::SOURCE, &kinds::REVIEW, &kinds::WEBHOOK];

/// What is billed, as whoever bills begins with it: address and words.
const OF_BILLING: [(&str, &str); 3] =
    [("/billing/compare", "Changes this month"), ("/billing/trueup", "True-up"), ("/billing/snapshots", "Frozen months")];

/// What a reader's role adds to the numbers that everybody has.
enum Extra {
    Staff(Box<ForStaff>),
    Billing { needs: Box<Needs>, plans: Vec<(String, i64)> },
    Client { contracts: Vec<Contract>, tickets: Table },
}

/// What those who work here see.
struct ForStaff {
    wrong: Vec<notice::Found>,
    backups: Backups,
    needs: Needs,
    fresh: Vec<Freshness>,
    latest: Vec<Latest>,
    /// Those of them that are changes by themselves, as the reader may be told of them.
    changes: Vec<RedactedChange>,
    names: (Names, Mentioned),
    /// The vendor's agents that the reader is, and how many open tickets they have.
    mine: (Vec<i64>, i64),
    /// How many people use Codex.
    people: usize,
}

fn extra(c: &mut Conn, (level, email): (Option<Level>, &str), looker: &Looker<'_>) -> Result<Extra> {
    let policy = looker.policy;
    match level {
        Some(Level::Billing) => Ok(Extra::Billing { needs: Box::new(store::needs(c)?), plans: store::companies_by_plan(c)? }),
        Some(Level::Admin | Level::Technician) => {
            let mut wrong = Vec::new();
            for kind in WRONG.into_iter().filter(|kind| level.is_some_and(|level| kind.roles.contains(&level))) {
                wrong.extend((kind.look)(c)?);
            }
            let latest = store::latest(c, CHANGES)?;
            let alone = latest.iter().filter_map(|one| match one {
                Latest::Change(change) => Some(change.as_ref().clone()),
                Latest::Run(_) => None,
            });
            let changes = trail::changes(c, alone.collect(), policy)?;
            let names = (Names::of(c, &changes)?, Mentioned::of(c, &changes, policy)?);
            let people = agents::store::list(c)?.len();
            let (needs, fresh, backups) = (store::needs(c)?, status::freshness(c)?, backups::standing(c)?);
            // Who may not look at backups need not act on them.
            if level == Some(Level::Admin) {
                wrong.extend(backups.wrong.iter().cloned());
            }
            let agents = mine(c, email)?;
            let mine = (agents.clone(), if agents.is_empty() { 0 } else { tickets::of_agents(c, agents)? });
            Ok(Extra::Staff(Box::new(ForStaff { wrong, backups, needs, fresh, latest, changes, names, mine, people })))
        }
        _ => Ok(Extra::Client { contracts: store::contracts(c)?, tickets: newest_open(c, looker)? }),
    }
}

/// The vendor's agents with this e-mail address, by the vendor's ids.
fn mine(c: &mut Conn, email: &str) -> Result<Vec<i64>> {
    let agents = agents::psa_agents(c, None)?;
    let mine = |agent: &&PsaAgent| !email.is_empty() && agent.email.as_deref().is_some_and(|known| fold(known) == fold(email));
    Ok(agents.iter().filter(mine).filter_map(|agent| agent.external_id.parse().ok()).collect())
}

/// `GET /`
pub async fn show(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let level = context.caller.user().map(|user| user.level);
    let email = context.caller.user().map(|user| user.email.clone()).unwrap_or_default();
    let (frame, config) = (context.page.clone(), web.config.clone());
    let read = move |c: &mut Conn| {
        let looker = Looker { page: &frame, policy: &policy, config: &config };
        Ok((store::counts(c)?, store::assets_by_type(c)?, extra(c, (level, &email), &looker)?))
    };
    let (counts, kinds, extra) = web.db.read(&context.scope(), read).await?;
    let mut page = context.titled(Section::Dashboard, "Dashboard");
    // What the banner would say stands on this very page.
    page.waiting = 0;
    let kinds = shares(kinds, |kind| (page.url(&format!("/assets/?type={kind}")), words(kind)));
    let mut built = Dashboard {
        ways: Vec::new(),
        cards: cards(&page, &counts),
        steps: Vec::new(),
        attention: None,
        contracts: None,
        tickets: None,
        history: None,
        freshness: Vec::new(),
        kinds,
        plans: Vec::new(),
        page,
    };
    let page = &built.page;
    match extra {
        Extra::Client { contracts, tickets } => {
            built.contracts = Some(contracts_table(page, &contracts));
            built.tickets = Some(tickets);
        }
        Extra::Billing { needs, plans } => {
            built.plans = shares(plans, |plan| match plan {
                "" => (page.url("/companies/?kind=client&billing_plan__empty=true"), "No plan".to_owned()),
                plan => (page.url(&format!("/companies/?kind=client&billing_plan={}", encode_segment(plan))), plan.to_owned()),
            });
            built.ways = OF_BILLING.map(|(path, words)| (page.url(path), words)).into();
            built.attention = Some(money(page, &needs));
        }
        Extra::Staff(staff) => {
            let ForStaff { wrong, backups, needs, fresh, latest, changes, names, people, mine } = *staff;
            if !page.standalone {
                // Nexus has one link to all of this.
                let others = page.elsewhere().map(|(path, words, _)| (path, words));
                built.ways = others.chain(OF_BILLING).map(|(path, words)| (page.url(path), words)).collect();
            }
            built.history = Some(Timeline { events: happened(page, &latest, &changes, &names), more: None, kept_since: None });
            if page.is_admin() && !page.demo {
                let vendors = credentials::view::all(&web.db, &web.config).await?;
                built.steps = steps(page, &vendors, &fresh, &wrong, people, &backups);
            }
            built.attention = Some(attention(page, &wrong, &needs, counts.urgent, &mine));
            built.freshness = fresh.iter().map(freshness).chain(last_backup(&backups)).collect();
        }
    }
    context.show(&built)
}

/// What happened last, as the timeline tells it.
fn happened(page: &Page, latest: &[Latest], changes: &[RedactedChange], (names, mentioned): &(Names, Mentioned)) -> Vec<Event> {
    let mut changes = changes.iter();
    let event = |one: &Latest| match one {
        Latest::Change(_) => changes.next().map(|change| {
            let subject = names.find(page, change).map(|(href, name)| link_to(href, name));
            Event { subject, run: None, ..record::event(change, mentioned) }
        }),
        Latest::Run(run) => Some(by_run(page, run)),
    };
    latest.iter().filter_map(event).collect()
}

/// What a sync changed in one run; administrators are led to its job.
fn by_run(page: &Page, run: &RunOfChanges) -> Event {
    let many = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let each = run.records.iter().map(|(entity, ids)| record::things(entity, many(ids.len()))).collect::<Vec<_>>();
    let records = if run.is_cut {
        format!("more than {} records", thousands(many(run.records.values().map(BTreeSet::len).sum())))
    } else {
        match each.as_slice() {
            [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            all => all.concat(),
        }
    };
    let job = run.job.as_deref().filter(|_| page.is_admin());
    let subject = job.map(|job| link_to(page.url(&format!("/admin/jobs/{job}")), records.as_str()));
    Event {
        who: record::who(&run.by.0, &run.by.1),
        by_person: false,
        what: "changed".to_owned(),
        toward: if subject.is_some() { String::new() } else { records.clone() },
        subject,
        at: run.at.clone(),
        reason: None,
        moved: Vec::new(),
        undo: None,
        run: None,
        batch: None,
        undo_all: None,
    }
}

fn cards(page: &Page, counts: &Counts) -> Vec<Card> {
    let card = |path: &str, icon, title, count, detail| Card { href: page.url(path), icon, title, count, detail };
    vec![
        card("/companies/", "building-2", "Companies", counts.companies, count_of(counts.clients, "client", "clients")),
        card("/contacts/", "users", "Contacts", counts.contacts, format!("{} active", thousands(counts.active))),
        card("/assets/", "monitor", "Assets", counts.assets, format!("{} online", thousands(counts.online))),
        card(
            "/tickets/?status=active",
            "ticket",
            "Open tickets",
            counts.tickets,
            format!("{} urgent or high", thousands(counts.pressing)),
        ),
        card(
            "/alerts/?resolved=false&muted=false",
            "triangle-alert",
            "Open alerts",
            counts.alerts,
            format!("{} critical or high", thousands(counts.urgent)),
        ),
    ]
}

/// Bars beside each other; each is called and leads where `say` says.
fn shares(counted: Vec<(String, i64)>, say: impl Fn(&str) -> (String, String)) -> Vec<Kind> {
    let most = counted.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let kind = |(word, count): (String, i64)| {
        let (href, name) = say(&word);
        Kind { href, name, share: (count * 100 / most).max(1), count }
    };
    counted.into_iter().map(kind).collect()
}

/// What a client has agreed to.
fn contracts_table(page: &Page, contracts: &[Contract]) -> Table {
    let lines = contracts.iter().map(|contract| Line {
        cells: vec![
            Value::link(address(page, &contract.account_number), contract.name.clone()),
            Value::text(contract.plan.as_deref()),
            Value::date(contract.ends.as_deref()),
        ],
        post: None,
    });
    Table {
        label: "Contracts",
        heads: vec![("Company", "cell--main"), ("Plan", "cell--sub"), ("Ends", "cell--end")],
        lines: lines.collect(),
        empty: "No companies yet.",
        more: None,
    }
}

/// What is still to be set up; nothing when all of it is.
fn steps(
    page: &Page,
    vendors: &[Credentials],
    fresh: &[Freshness],
    wrong: &[notice::Found],
    people: usize,
    backups: &Backups,
) -> Vec<Step> {
    let step = |path: &str, text: String, done| Step { href: page.url(path), text, done };
    let connect = |vendor: &Credentials| {
        step(&format!("/admin/credentials/{}", vendor.system), format!("Connect {}", vendor.label), vendor.configured)
    };
    let is_read = fresh.iter().any(|source| source.as_of.is_some());
    let is_matched = is_read && !wrong.iter().any(|found| found.path == REVIEW);
    let users = if page.standalone { "/admin/users" } else { "/agents" };
    let mut steps: Vec<Step> = vendors.iter().map(connect).collect();
    steps.push(step("/admin/", "Run the first sync".to_owned(), is_read));
    steps.push(step(REVIEW, "Match sites and devices".to_owned(), is_matched));
    steps.push(step(users, "Invite colleagues".to_owned(), people > 1));
    steps.push(step("/admin/backups", "Set up backups".to_owned(), backups.last.is_some()));
    if steps.iter().all(|step| step.done) { Vec::new() } else { steps }
}

/// Where sites and devices are matched.
const REVIEW: &str = "/admin/review";
/// Licences about to end.
const LICENSES: &str = "/licenses/?renewal=ending&sort=expires_on";

/// What somebody should look at: nothing where there is none.
fn need(page: &Page, kind: &'static str, count: i64, path: &str, one: &str, many: &str, act: &'static str) -> Option<Need> {
    (count > 0).then(|| Need {
        value: Value::badge(kind, thousands(count)),
        href: page.url(path),
        text: if count == 1 { one } else { many }.to_owned(),
        detail: String::new(),
        act,
    })
}

fn attention(page: &Page, wrong: &[notice::Found], needs: &Needs, urgent: i64, (agents, mine): &(Vec<i64>, i64)) -> Vec<Need> {
    let told = wrong.iter().map(|found| Need {
        value: Value::badge("danger", "!"),
        href: page.url(&found.path),
        text: found.title.clone(),
        detail: crate::vendors::fault::told(&found.detail).0,
        act: "Show",
    });
    let due = format!("/tickets/?status=active&due_by__lte={}", now());
    let agents = agents.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let own = format!("/tickets/?status=active&responder_id__in={agents}&sort=due_by");
    let Neglected { overdue, unassigned } = &needs.neglected;
    let first = [
        need(
            page,
            "danger",
            urgent,
            "/alerts/?resolved=false&muted=false&priority__in=Critical,High",
            "critical or high alert is open",
            "critical or high alerts are open",
            "Show",
        ),
        need(page, "danger", overdue.0, &due, "open ticket is overdue", "open tickets are overdue", "Show")
            .map(|need| need.since("The oldest was due", overdue.1.as_deref())),
        need(
            page,
            "warning",
            unassigned.0,
            "/tickets/?status=active&responder_id__empty=true",
            "open ticket has no agent",
            "open tickets have no agent",
            "Show",
        )
        .map(|need| need.since("The oldest was opened", unassigned.1.as_deref())),
        need(page, "info", *mine, &own, "open ticket is yours", "open tickets are yours", "Show"),
        need(
            page,
            "danger",
            needs.shared_emails,
            "/contacts/?sort=email",
            "e-mail address is shared by several contacts",
            "e-mail addresses are shared by several contacts",
            "Review",
        ),
        need(
            page,
            "warning",
            needs.unassigned_numbers,
            "/companies/?account_number_at_vendor=false&freshservice_id__empty=false",
            "company has an account number that the vendor does not know yet",
            "companies have account numbers that the vendor does not know yet",
            "Show",
        ),
    ];
    told.chain(first.into_iter().flatten()).chain(money(page, needs)).chain(people(page, needs).into_iter().flatten()).collect()
}

/// What those who bill look at, too.
fn money(page: &Page, needs: &Needs) -> Vec<Need> {
    let contracts = format!("/companies/?contract={}&sort=contract_end_date", ending::State::Ending.as_str());
    let money = [
        need(
            page,
            "warning",
            needs.ending_contracts,
            &contracts,
            "contract ends within 90 days",
            "contracts end within 90 days",
            "Show",
        ),
        need(
            page,
            "warning",
            needs.without_plan,
            "/companies/?kind=client&billing_plan__empty=true",
            "client has no plan",
            "clients have no plan",
            "Show",
        ),
        need(
            page,
            "warning",
            needs.unknown_plan,
            "/companies/?has_plan=false",
            "company's plan and term match no billing plan",
            "companies' plan and term match no billing plan",
            "Show",
        ),
        need(
            page,
            "info",
            needs.ending_licenses,
            LICENSES,
            "licence ends or renews within 90 days",
            "licences end or renew within 90 days",
            "Show",
        ),
    ];
    money.into_iter().flatten().collect()
}

/// What of people and devices needs somebody.
fn people(page: &Page, needs: &Needs) -> [Option<Need>; 4] {
    let warranties = format!("/assets/?warranty={}&sort=warranty_expires", ending::State::Ending.as_str());
    [
        need(
            page,
            "info",
            needs.ending_warranties,
            &warranties,
            "warranty ends within 90 days",
            "warranties end within 90 days",
            "Show",
        ),
        need(
            page,
            "warning",
            needs.without_company,
            "/contacts/?company_name__empty=true&active=true",
            "active contact belongs to no company",
            "active contacts belong to no company",
            "Show",
        ),
        need(
            page,
            "warning",
            needs.licenses_over,
            "/licenses/?over=true",
            "licence has more seats assigned than licensed",
            "licences have more seats assigned than licensed",
            "Show",
        ),
        need(
            page,
            "warning",
            needs.leavers,
            "/leavers",
            "person who has left still holds something",
            "people who have left still hold something",
            "Review",
        ),
    ]
}

/// How old the last backup is that can be restored; nothing where none are made.
fn last_backup(standing: &Backups) -> Option<Fresh> {
    standing.is_used.then(|| Fresh {
        name: "Backup".to_owned(),
        detail: match (standing.wrong.first(), &standing.last) {
            (Some(wrong), _) => wrong.title.clone(),
            (None, Some(_)) => "The last one that can be restored".to_owned(),
            (None, None) => "No backups yet".to_owned(),
        },
        late: !standing.wrong.is_empty(),
        words: standing.last.as_ref().map_or_else(|| "never".to_owned(), |last| time::ago(&last.made_at)),
    })
}

fn freshness(source: &Freshness) -> Fresh {
    let detail = match source.state {
        Standing::Failing => format!("The last run failed: {}", crate::vendors::fault::told(&source.detail).0),
        Standing::Late | Standing::Suspicious | Standing::Never => source.detail.clone(),
        Standing::Ok if source.last_status == "held" => "A plan waits for approval".to_owned(),
        Standing::Ok if source.last_status != "done" => "Running now".to_owned(),
        Standing::Ok => format!("Last run {}", time::ago(&source.last_run_at)),
    };
    Fresh {
        name: source.label.to_owned(),
        detail,
        late: source.state != Standing::Ok,
        words: source.as_of.as_deref().map_or_else(|| "never complete".to_owned(), time::ago),
    }
}
