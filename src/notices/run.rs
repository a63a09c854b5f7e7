//! Looks for what is wrong and tells it, while the server runs: once for each thing, at least once to each who wants it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Time, tz::TimeZone};

use super::{
    channels,
    store::{self, Delivery, Notice, Person, To},
};
use crate::{
    auth::Level,
    config::Config,
    db::{Conn, Db, Write},
    error::Result,
    mail::{self, Fault, Letter},
    status::notice::{self, Found, How, Kind},
    types::{Actor, Scope, format_time, now, now_plus},
    web::settings_store,
};

/// How often we look.
const LOOK: Duration = Duration::from_secs(5);
/// When people get their daily mail who have not chosen.
pub(super) const DIGEST_AT: &str = "08:00";
/// For how many seconds an attempt may last before another process makes it.
const CLAIM: i64 = 300;
/// After so many attempts, which take about a day, a delivery is given up.
const MOST_ATTEMPTS: i64 = 9;
/// Seconds before the next attempt, by how many there were.
const PAUSES: [i64; 5] = [60, 300, 900, 3_600, 14_400];

fn actor() -> Actor {
    Actor::system("notices")
}

/// Looks and tells until the program ends. Where nothing runs by itself, nothing is told by itself.
pub async fn run(db: Db, config: Arc<Config>) {
    if !config.scheduler.enabled {
        return;
    }
    let mut looked: HashMap<&'static str, Instant> = HashMap::new();
    let mut told = false;
    loop {
        let done = match look(&db, &config, &mut looked).await {
            Ok(()) => deliver(&db, &config).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => told = false,
            Err(error) if !told => {
                tracing::warn!(%error, "notices could not be made or sent");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks for what has gone wrong or right since the last time. Made-up data worries nobody.
async fn look(db: &Db, config: &Arc<Config>, looked: &mut HashMap<&'static str, Instant>) -> Result<()> {
    if db.read(&Scope::All, |c| settings_store::find(c, settings_store::DEMO)).await?.is_some() {
        return Ok(());
    }
    for kind in notice::kinds() {
        if looked.get(kind.name).is_some_and(|at| at.elapsed() < kind.every) {
            continue;
        }
        let seen = move |c: &mut Conn| Ok(((kind.look)(c)?, store::open_of(c, kind.name)?));
        let (found, open) = db.read(&Scope::All, seen).await?;
        looked.insert(kind.name, Instant::now());
        if !differs(&found, &open) {
            continue;
        }
        let config = Arc::clone(config);
        db.write(&Scope::All, &actor(), move |w| settle(w, &config, kind, &found, open)).await?;
    }
    Ok(())
}

fn same(found: &Found, notice: &Notice) -> bool {
    found.title == notice.title && found.detail == notice.detail && found.path == notice.path
}

fn differs(found: &[Found], open: &[Notice]) -> bool {
    found.len() != open.len() || !found.iter().all(|one| open.iter().any(|known| known.thing == one.thing && same(one, known)))
}

/// Notes what is wrong now and what no longer is, and puts what that tells on its way.
fn settle(w: &mut Write<'_>, config: &Config, kind: &Kind, found: &[Found], open: Vec<Notice>) -> Result<()> {
    for one in found {
        match open.iter().find(|known| known.thing == one.thing) {
            Some(known) if !same(one, known) => store::reword(w, known.id, one)?,
            Some(_) => {}
            None => {
                if let Some(id) = store::begin(w, kind.name, one)? {
                    begin(w, config, kind, id)?;
                }
            }
        }
    }
    for known in open.into_iter().filter(|known| found.iter().all(|one| one.thing != known.thing)) {
        if store::end(w, known.id)? && kind.tells_end {
            end(w, config, known.id)?;
        }
    }
    store::prune(w, config.retention.notices)
}

/// How somebody is told of a kind.
pub(super) fn how(kind: &Kind, level: Level, choices: &HashMap<String, How>) -> How {
    if !kind.roles.contains(&level) {
        return How::Off;
    }
    let usual = if level == Level::Admin { kind.usual } else { How::Off };
    choices.get(kind.name).copied().unwrap_or(usual)
}

fn begin(w: &mut Write<'_>, config: &Config, kind: &Kind, id: i64) -> Result<()> {
    let people = if config.mail.is_some() { store::people(w, config.on_platform())? } else { Vec::new() };
    for person in people.into_iter().filter(|person| !person.email.trim().is_empty()) {
        let due_at = match how(kind, person.level, &person.choices) {
            How::Now => now(),
            How::Daily => due_of(config, &person),
            How::Off => continue,
        };
        let how = how(kind, person.level, &person.choices);
        store::send(w, id, false, &To::Person(person.subject), how, &due_at)?;
    }
    for channel in store::channels(w)? {
        if channel.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|name| name == kind.name)) {
            store::send(w, id, false, &To::Channel(channel.id), How::Now, &now())?;
        }
    }
    Ok(())
}

/// Tells the end to whoever was told the beginning, and to nobody else.
fn end(w: &mut Write<'_>, config: &Config, id: i64) -> Result<()> {
    let people = store::people(w, config.on_platform())?;
    for (to, how, state) in store::told(w, id)? {
        if state != "sent" {
            continue;
        }
        let due_at = match (&to, how) {
            (To::Person(subject), How::Daily) => match people.iter().find(|person| person.subject == *subject) {
                Some(person) => due_of(config, person),
                None => continue,
            },
            _ => now(),
        };
        store::send(w, id, true, &to, how, &due_at)?;
    }
    Ok(())
}

fn due_of(config: &Config, person: &Person) -> String {
    next_digest(config, person.digest_at.as_deref(), person.time_zone.as_deref(), Timestamp::now())
}

/// When the next daily mail is due: at this time of the day in this zone, else in that of the pages.
pub(super) fn next_digest(config: &Config, at: Option<&str>, zone: Option<&str>, now: Timestamp) -> String {
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| config.display.time_zone.clone());
    let time = time_of_day(at.unwrap_or(DIGEST_AT)).unwrap_or(Time::midnight());
    let today = now.to_zoned(zone.clone()).date();
    let next = [Some(today), today.tomorrow().ok()].into_iter().flatten().find_map(|day| {
        let due = day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
        (due > now).then_some(due)
    });
    next.map_or_else(|| now_plus(86_400), format_time)
}

/// A time of the day such as `08:00`.
pub(super) fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2);
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

/// Sends what is due: one mail to each person, whatever there is to tell, and one message to each channel for each notice.
async fn deliver(db: &Db, config: &Arc<Config>) -> Result<()> {
    let due = db.read(&Scope::All, store::due).await?;
    if due.is_empty() {
        return Ok(());
    }
    // What is well again before anybody was told is no news.
    let (stale, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| !one.is_end && one.notice.closed_at.is_some());
    let take = move |w: &mut Write<'_>| {
        for one in stale {
            store::finish(w, one.id, "dropped", None)?;
        }
        store::claim(w, due, CLAIM)
    };
    let due = db.write(&Scope::All, &actor(), take).await?;
    let on_platform = config.on_platform();
    let people = db.read(&Scope::All, move |c| store::people(c, on_platform)).await?;
    let mut groups: Vec<((To, How), Vec<Delivery>)> = Vec::new();
    for one in due {
        let key = (one.to.clone(), one.how);
        match groups.iter_mut().find(|(known, _)| *known == key && matches!(key.0, To::Person(_))) {
            Some((_, group)) => group.push(one),
            None => groups.push((key, vec![one])),
        }
    }
    for ((to, how), group) in groups {
        let sent = match &to {
            To::Person(subject) => match people.iter().find(|person| person.subject == *subject) {
                Some(person) if !person.email.trim().is_empty() => Some(write_to(config, person, how, &group).await),
                _ => None,
            },
            To::Channel(id) => channels::tell(db, config, *id, &group).await?,
        };
        note(db, group, sent).await?;
    }
    Ok(())
}

/// Notes how an attempt ended; `None` when nobody is there any more.
async fn note(db: &Db, group: Vec<Delivery>, sent: Option<Result<(), Fault>>) -> Result<()> {
    let work = move |w: &mut Write<'_>| {
        for one in &group {
            match &sent {
                None => store::finish(w, one.id, "dropped", None)?,
                Some(Ok(())) => store::finish(w, one.id, "sent", None)?,
                Some(Err(fault)) => {
                    let at = usize::try_from(one.attempts).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
                    let next = now_plus(PAUSES.get(at).copied().unwrap_or(3_600));
                    if fault.is_permanent || one.attempts >= MOST_ATTEMPTS {
                        store::finish(w, one.id, "failed", Some(&fault.message))?;
                    } else {
                        store::postpone(w, one.id, &fault.message, &next)?;
                    }
                }
            }
        }
        Ok(())
    };
    db.write(&Scope::All, &actor(), work).await
}

async fn write_to(config: &Config, person: &Person, how: How, group: &[Delivery]) -> Result<(), Fault> {
    let Some(mail) = &config.mail else {
        return Err(Fault { message: "No mail server is set up".to_owned(), is_permanent: false });
    };
    mail::send(mail, &letter(config, &person.email, how, group)).await
}

/// What one notice says in a line.
pub(super) fn headline(one: &Delivery) -> String {
    if one.is_end { format!("Resolved: {}", one.notice.title) } else { one.notice.title.clone() }
}

/// The address of a page, when it is known how people reach us.
pub(super) fn link(config: &Config, path: &str) -> Option<String> {
    config.server.public_url.as_ref().map(|base| format!("{base}{path}"))
}

fn letter(config: &Config, to: &str, how: How, group: &[Delivery]) -> Letter {
    let subject = match (how, group) {
        (How::Now, [one]) => format!("Codex: {}", headline(one)),
        (How::Now, many) => format!("Codex: {} notices", many.len()),
        (_, [_]) => "Codex daily digest: 1 notice".to_owned(),
        (_, many) => format!("Codex daily digest: {} notices", many.len()),
    };
    let mut text = String::new();
    for one in group {
        text.push_str(&headline(one));
        text.push('\n');
        if !one.is_end && !one.notice.detail.is_empty() {
            text.push_str(&one.notice.detail);
            text.push('\n');
        }
        if let Some(link) = link(config, &one.notice.path) {
            text.push_str(&link);
            text.push('\n');
        }
        text.push('\n');
    }
    let settings =
        link(config, "/account/notices").map_or_else(|| "your settings".to_owned(), |link| format!("your settings: {link}"));
    text.extend(["You get this mail because of ", &settings, "\n"]);
    Letter { to: to.to_owned(), subject, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daily_mail_comes_at_its_time_in_its_zone() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::for_instance(folder.path()).unwrap();
        let now = "2026-03-28T09:00:00Z".parse().unwrap();
        assert_eq!(next_digest(&config, None, None, now), "2026-03-29T08:00:00Z");
        assert_eq!(next_digest(&config, Some("09:30"), None, now), "2026-03-28T09:30:00Z");
        // Clocks go forward that night.
        assert_eq!(next_digest(&config, Some("07:30"), Some("Europe/Berlin"), now), "2026-03-29T05:30:00Z");
        for wrong in ["24:00", "8:00", "08:60", "x", "08:00:00"] {
            assert!(time_of_day(wrong).is_none(), "{wrong}");
        }
    }
}
