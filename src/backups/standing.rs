//! How backups stand: the last one that can be restored, and what is wrong; for the dashboard, notices and their page.

use std::time::Duration;

use jiff::Timestamp;

use super::store::{self, Backup, State};
use crate::{
    auth::Level,
    config::BACKUP,
    db::Conn,
    error::Result,
    jobs::scheduler::store as schedules,
    status::notice::{Found, How, Kind},
};

/// Where people look at backups.
pub const PAGE: &str = "/admin/backups";

/// Backups fail, cannot be restored, or are late.
pub const NOTICE: Kind = Kind {
    name: "backup",
    label: "A backup fails, cannot be restored or is late",
    roles: &[Level::Admin],
    usual: How::Now,
    tells_end: true,
    every: Duration::from_secs(30),
    look: |c| Ok(standing(c)?.wrong),
};

/// How backups stand.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The last one that can be restored.
    pub last: Option<Backup>,
    /// What is wrong.
    pub wrong: Vec<Found>,
    /// Whether any is made by itself, or ever was made.
    pub is_used: bool,
}

/// Looks how backups stand now.
pub fn standing(c: &mut Conn) -> Result<Standing> {
    let (newest, last, broken) = (store::list(c, 1)?.pop(), store::last(c)?, store::broken(c)?);
    let period = schedules::find(c, BACKUP)?.and_then(|row| row.clock.period_seconds);
    let found = |thing: String, title: String, detail: Option<String>| Found {
        thing,
        title,
        detail: detail.unwrap_or_default(),
        path: PAGE.to_owned(),
    };
    let mut wrong = Vec::new();
    if let Some(newest) = &newest {
        match newest.state {
            State::Failed => wrong.push(found("failed".to_owned(), "The last backup failed".to_owned(), newest.problem.clone())),
            State::Unproven => wrong.push(found(
                "unproven".to_owned(),
                "The last backup could not be tried out".to_owned(),
                newest.problem.clone(),
            )),
            State::Restorable | State::Broken => {}
        }
    }
    if let (Some(last), Some(period)) = (&last, period)
        && let Ok(made) = last.made_at.parse::<Timestamp>()
        && Timestamp::now().as_second() - made.as_second() > 2 * period
    {
        let title = format!("No backup since {} can be restored", last.made_at);
        wrong.push(found("late".to_owned(), title, None));
    }
    for backup in broken {
        let file = backup.file.unwrap_or_default();
        wrong.push(found(format!("broken:{file}"), format!("The backup {file} cannot be restored"), backup.problem));
    }
    let is_used = period.is_some() || newest.is_some();
    Ok(Standing { last, wrong, is_used })
}
