//! The first page: how much there is, how fresh it is, and what somebody should look at.

use askama::Template;
use axum::{extract::State, response::Response};

use super::dashboard_store::{self as store, Needs};
use crate::{
    agents::PageContext,
    backups::{self, Standing as Backups},
    compliance::{RedactionPolicy, trail},
    entity::ending,
    error::Result,
    records::pages::{
        record::{self, Mentioned},
        store::Names,
    },
    status::{self, Freshness, State as Standing, notice::Found},
    ui::{Page, Section, Timeline, Value, count_of, filters, link_to, thousands, time, words},
    web::Web,
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

#[derive(Template)]
#[template(path = "home/dashboard.html")]
struct Dashboard {
    page: Page,
    cards: Vec<Card>,
    attention: Option<Vec<Need>>,
    history: Option<Timeline>,
    freshness: Vec<Fresh>,
    kinds: Vec<Kind>,
}

/// `GET /`
pub async fn show(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let staff = context.page.is_staff();
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (counts, kinds, extra) = web
        .db
        .read(&context.scope(), move |c| {
            let extra = if staff {
                let changes = store::latest(c, CHANGES)?;
                let changes = trail::changes(c, changes, &policy)?;
                let names = (Names::of(c, &changes)?, Mentioned::of(c, &changes, &policy)?);
                Some((store::needs(c)?, status::freshness(c)?, backups::standing(c)?, changes, names))
            } else {
                None
            };
            Ok((store::counts(c)?, store::assets_by_type(c)?, extra))
        })
        .await?;
    let page = context.titled(Section::Dashboard, "Dashboard");
    let card = |path: &str, icon, title, count, detail| Card { href: page.url(path), icon, title, count, detail };
    let cards = vec![
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
    ];
    let most = kinds.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let kinds = kinds.into_iter().map(|(kind, count)| Kind {
        href: page.url(&format!("/assets/?type={kind}")),
        name: words(&kind),
        share: (count * 100 / most).max(1),
        count,
    });
    let kinds = kinds.collect();
    let (attention, history, freshness) = match extra {
        None => (None, None, Vec::new()),
        Some((needs, fresh, standing, changes, (names, mentioned))) => {
            let events = changes.iter().map(|change| {
                let subject = names.find(&page, change).map(|(href, name)| link_to(href, name));
                crate::ui::Event { subject, ..record::event(change, &mentioned) }
            });
            let history = Timeline { events: events.collect(), more: None, kept_since: None };
            // Who may not look at backups need not act on them.
            let urgent = if page.is_admin() { urgent(&page, &standing) } else { Vec::new() };
            let attention = urgent.into_iter().chain(attention(&page, &needs)).collect();
            (Some(attention), Some(history), fresh.iter().map(freshness).chain(last_backup(&standing)).collect())
        }
    };
    context.show(&Dashboard { page, cards, attention, history, freshness, kinds })
}

/// What somebody should look at: nothing where there is none.
fn need(page: &Page, kind: &'static str, count: i64, path: &str, one: &str, many: &str, act: &'static str) -> Option<Need> {
    (count > 0).then(|| Need {
        value: Value::badge(kind, thousands(count)),
        href: page.url(path),
        text: count_of(count, one, many),
        detail: String::new(),
        act,
    })
}

fn attention(page: &Page, needs: &Needs) -> Vec<Need> {
    let rest = [
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
            "Sweep",
        ),
    ];
    let first = [
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
    first.into_iter().chain(ending(page, needs)).chain(rest).flatten().collect()
}

/// What ends within 90 days.
fn ending(page: &Page, needs: &Needs) -> [Option<Need>; 3] {
    let about_to = |name: &str| format!("{name}={}", ending::State::Ending.as_str());
    [
        need(
            page,
            "warning",
            needs.ending_contracts,
            &format!("/companies/?{}&sort=contract_end_date", about_to("contract")),
            "contract ends within 90 days",
            "contracts end within 90 days",
            "Show",
        ),
        need(
            page,
            "info",
            needs.ending_warranties,
            &format!("/assets/?{}&sort=warranty_expires", about_to("warranty")),
            "warranty ends within 90 days",
            "warranties end within 90 days",
            "Show",
        ),
        need(
            page,
            "info",
            needs.ending_licenses,
            &format!("/licenses/?{}&sort=expires_on", about_to("renewal")),
            "licence ends or renews within 90 days",
            "licences end or renew within 90 days",
            "Show",
        ),
    ]
}

/// What is wrong with backups.
fn urgent(page: &Page, standing: &Backups) -> Vec<Need> {
    let need = |wrong: &Found| Need {
        value: Value::badge("danger", "Backup"),
        href: page.url(&wrong.path),
        text: wrong.title.clone(),
        detail: wrong.detail.clone(),
        act: "Look",
    };
    standing.wrong.iter().map(need).collect()
}

/// How old the last backup is that can be restored; nothing where none are made.
fn last_backup(standing: &Backups) -> Option<Fresh> {
    standing.is_used.then(|| Fresh {
        name: "Backup".to_owned(),
        detail: match (standing.wrong.first(), &standing.last) {
            (Some(wrong), _) => wrong.title.clone(),
            (None, Some(_)) => "The last one that can be restored".to_owned(),
            (None, None) => "None has been made yet".to_owned(),
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
