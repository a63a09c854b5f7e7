//! The kinds of notices about what Codex itself does, and about days that come near.

use std::time::Duration;

use super::dates_store;
use crate::{
    auth::Level,
    db::Conn,
    error::Result,
    jobs::kind::JobKind,
    outgoing_webhooks,
    status::{
        self, State,
        notice::{Found, How, Kind},
    },
    types::office,
    vendors,
    web::encode_segment,
};

/// How often is looked for what may change at any moment.
const OFTEN: Duration = Duration::from_secs(5);
/// How often days are looked at.
const SELDOM: Duration = Duration::from_hours(1);
/// So many days before something ends, it is told.
const WARRANTY_DAYS: i64 = 30;
const CONTRACT_DAYS: i64 = 60;
const LICENSE_DAYS: i64 = 30;

const ADMINS: &[Level] = &[Level::Admin];
const STAFF: &[Level] = &[Level::Admin, Level::Technician];
const OFFICE: &[Level] = &[Level::Admin, Level::Technician, Level::Billing];

/// A vendor's data is not as fresh as it should be.
pub const SOURCE: Kind = Kind {
    name: "sync",
    label: "A sync fails or is late",
    roles: STAFF,
    usual: How::Now,
    tells_end: true,
    every: OFTEN,
    look: sources,
};

/// A plan waits for approval.
pub const PLAN: Kind = Kind {
    name: "plan",
    label: "Changes wait for approval",
    roles: ADMINS,
    usual: How::Now,
    tells_end: false,
    every: OFTEN,
    look: plans,
};

/// Something waits for a decision.
pub const REVIEW: Kind = Kind {
    name: "review",
    label: "Sites or devices wait for review",
    roles: ADMINS,
    usual: How::Daily,
    tells_end: false,
    every: OFTEN,
    look: reviews,
};

/// A webhook was disabled.
pub const WEBHOOK: Kind = Kind {
    name: "webhook",
    label: "An outgoing webhook was disabled",
    roles: ADMINS,
    usual: How::Now,
    tells_end: false,
    every: OFTEN,
    look: webhooks,
};

/// Devices of a company lose their warranty.
pub const WARRANTY: Kind = Kind {
    name: "warranty",
    label: "Warranties end within 30 days",
    roles: STAFF,
    usual: How::Daily,
    tells_end: false,
    every: SELDOM,
    look: warranties,
};

/// A company's contract ends.
pub const CONTRACT: Kind = Kind {
    name: "contract",
    label: "A contract ends within 60 days",
    roles: OFFICE,
    usual: How::Daily,
    tells_end: false,
    every: SELDOM,
    look: contracts,
};

/// A licence of a company ends or renews.
pub const LICENSE: Kind = Kind {
    name: "license",
    label: "A licence ends or renews within 30 days",
    roles: OFFICE,
    usual: How::Daily,
    tells_end: false,
    every: SELDOM,
    look: licenses,
};

fn label(job: &str) -> String {
    JobKind::parse(job).map_or_else(|| job.to_owned(), |kind| kind.label().to_owned())
}

fn sources(c: &mut Conn) -> Result<Vec<Found>> {
    let wrong = status::freshness(c)?.into_iter().filter_map(|known| {
        let what = match known.state {
            State::Ok | State::Never => return None,
            State::Late => "is late",
            State::Failing => "failed",
            State::Suspicious => "looks wrong",
        };
        let title = format!("{} {what}", label(&known.source));
        Some(Found { thing: known.source, title, detail: known.detail, path: "/admin/".to_owned() })
    });
    Ok(wrong.collect())
}

fn plans(c: &mut Conn) -> Result<Vec<Found>> {
    let waiting = status::waiting(c)?.into_iter().map(|plan| Found {
        thing: plan.plan_id.to_string(),
        title: match plan.items {
            1 => format!("{}: 1 change waits for approval", label(&plan.source)),
            count => format!("{}: {count} changes wait for approval", label(&plan.source)),
        },
        detail: plan.because,
        path: format!("/admin/plans/{}", plan.plan_id),
    });
    Ok(waiting.collect())
}

fn reviews(c: &mut Conn) -> Result<Vec<Found>> {
    let open = dates_store::reviews(c)?.into_iter().map(|(system, count)| Found {
        title: format!(
            "{count} {} sites or devices need review",
            vendors::find(&system).map_or(system.as_str(), |vendor| vendor.name)
        ),
        detail: String::new(),
        path: "/admin/review".to_owned(),
        thing: system,
    });
    Ok(open.collect())
}

fn webhooks(c: &mut Conn) -> Result<Vec<Found>> {
    let disabled = outgoing_webhooks::disabled(c)?.into_iter().map(|(id, (name, because))| Found {
        thing: id.to_string(),
        title: format!("Outgoing webhook {name} was disabled"),
        detail: because,
        path: format!("/admin/outgoing-webhooks/{id}"),
    });
    Ok(disabled.collect())
}

/// From today to so many days later, in the office's calendar, as days are stored.
fn days(count: i64) -> (String, String) {
    (office::today(), office::day_from_today(count))
}

fn company_page(account_number: &str) -> String {
    format!("/companies/{}", encode_segment(account_number))
}

fn warranties(c: &mut Conn) -> Result<Vec<Found>> {
    let (from, to) = days(WARRANTY_DAYS);
    let ending = dates_store::warranties(c, &from, &to)?.into_iter().map(|one| Found {
        thing: format!("{}:{}", one.company, one.day),
        title: match one.count {
            1 => format!("{}: 1 warranty ends on {}", one.name, one.day),
            count => format!("{}: {count} warranties end on {}", one.name, one.day),
        },
        detail: String::new(),
        path: company_page(&one.account_number),
    });
    Ok(ending.collect())
}

fn contracts(c: &mut Conn) -> Result<Vec<Found>> {
    let (from, to) = days(CONTRACT_DAYS);
    let ending = dates_store::contracts(c, &from, &to)?.into_iter().map(|one| Found {
        thing: format!("{}:{}", one.company, one.day),
        title: format!("The contract of {} ends on {}", one.name, one.day),
        detail: String::new(),
        path: company_page(&one.account_number),
    });
    Ok(ending.collect())
}

fn licenses(c: &mut Conn) -> Result<Vec<Found>> {
    let (from, to) = days(LICENSE_DAYS);
    let ending = dates_store::licenses(c, &from, &to)?.into_iter().map(|one| Found {
        thing: format!("{}:{}", one.id, one.day),
        title: format!("{}: {} {} on {}", one.company, one.product, if one.renews { "renews" } else { "ends" }, one.day),
        detail: String::new(),
        path: format!("/licenses/{}", one.id),
    });
    Ok(ending.collect())
}
