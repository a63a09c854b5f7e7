//! The rows of notices: what is wrong, who chose what, and what is on its way.

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    auth::Level,
    db::{Conn, Row, Write},
    error::{Error, OnConstraint as _, Result},
    params,
    status::notice::{Found, How},
    types::{fold, now, now_plus},
};

/// A notice as people see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Notice {
    pub id: i64,
    pub kind: String,
    #[serde(skip)]
    pub thing: String,
    pub title: String,
    pub detail: String,
    /// The page to look at.
    pub path: String,
    pub opened_at: String,
    pub closed_at: Option<String>,
}

const NOTICE: &str =
    "notice.id, notice.kind, notice.thing, notice.title, notice.detail, notice.path, notice.opened_at, notice.closed_at";

fn notice(row: &Row) -> Result<Notice> {
    Ok(Notice {
        id: row.get(0)?,
        kind: row.get(1)?,
        thing: row.get(2)?,
        title: row.get(3)?,
        detail: row.get(4)?,
        path: row.get(5)?,
        opened_at: row.get(6)?,
        closed_at: row.get(7)?,
    })
}

/// What is wrong now, the newest first.
pub fn open(c: &mut Conn) -> Result<Vec<Notice>> {
    c.map(&format!("SELECT {NOTICE} FROM notices notice WHERE notice.closed_at IS NULL ORDER BY notice.id DESC"), &[], notice)
}

/// What is wrong of one kind.
pub fn open_of(c: &mut Conn, kind: &str) -> Result<Vec<Notice>> {
    let sql = format!("SELECT {NOTICE} FROM notices notice WHERE notice.kind = ?1 AND notice.closed_at IS NULL");
    c.map(&sql, params![kind], notice)
}

/// Notes that something is wrong; none when that is known.
pub fn begin(w: &mut Write<'_>, kind: &str, found: &Found) -> Result<Option<i64>> {
    let sql = "INSERT INTO notices (kind, thing, title, detail, path, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (kind, thing) WHERE closed_at IS NULL DO NOTHING RETURNING id";
    let made = w.first(sql, params![kind, &found.thing, &found.title, &found.detail, &found.path, now()])?;
    made.map(|row| row.get(0)).transpose()
}

/// Brings what is told of an open notice up to date; nobody is told again.
pub fn reword(w: &mut Write<'_>, id: i64, found: &Found) -> Result<()> {
    let sql = "UPDATE notices SET title = ?2, detail = ?3, path = ?4 WHERE id = ?1";
    w.run(sql, params![id, &found.title, &found.detail, &found.path]).map(|_| ())
}

/// Notes that it is well again; whether it was not noted before.
pub fn end(w: &mut Write<'_>, id: i64) -> Result<bool> {
    Ok(w.run("UPDATE notices SET closed_at = ?2 WHERE id = ?1 AND closed_at IS NULL", params![id, now()])? > 0)
}

/// Somebody who may be told.
#[derive(Clone, Debug)]
pub struct Person {
    pub subject: String,
    pub email: String,
    pub level: Level,
    pub choices: HashMap<String, How>,
    /// When they get their daily mail: `08:00`, and their time zone.
    pub digest_at: Option<String>,
    pub time_zone: Option<String>,
}

/// Everybody who may sign in and has an address: people of Codex itself, or on the platform those it knows.
pub fn people(c: &mut Conn, on_platform: bool) -> Result<Vec<Person>> {
    let who = if on_platform {
        "SELECT who.keycloak_id, COALESCE(who.email, ''), who.permission_level, digest.at, digest.time_zone FROM agents who
         LEFT JOIN notice_digests digest ON digest.subject = who.keycloak_id WHERE who.enabled ORDER BY who.id"
    } else {
        "SELECT who.subject, who.email, who.role, digest.at, digest.time_zone FROM users who
         LEFT JOIN notice_digests digest ON digest.subject = who.subject WHERE who.enabled ORDER BY who.id"
    };
    let mut choices: HashMap<String, HashMap<String, How>> = HashMap::new();
    for row in c.all("SELECT subject, kind, how FROM notice_choices", &[])? {
        if let Some(how) = How::parse(&row.get::<String>(2)?) {
            choices.entry(row.get(0)?).or_default().insert(row.get(1)?, how);
        }
    }
    c.map(who, &[], |row| {
        let subject: String = row.get(0)?;
        Ok(Person {
            choices: choices.remove(&subject).unwrap_or_default(),
            subject,
            email: row.get(1)?,
            level: Level::from_claim(Some(&row.get::<String>(2)?)),
            digest_at: row.get(3)?,
            time_zone: row.get(4)?,
        })
    })
}

/// What somebody chose.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// By kind.
    pub choices: HashMap<String, How>,
    /// When they get their daily mail, and their time zone.
    pub digest: Option<(String, Option<String>)>,
}

/// What somebody chose, and when they get their daily mail.
pub fn chosen(c: &mut Conn, subject: &str) -> Result<Chosen> {
    let rows = c.all("SELECT kind, how FROM notice_choices WHERE subject = ?1", params![subject])?;
    let known = rows.iter().map(|row| Ok((row.get::<String>(0)?, How::parse(&row.get::<String>(1)?))));
    let choices = known.collect::<Result<Vec<_>>>()?.into_iter().filter_map(|(kind, how)| Some((kind, how?))).collect();
    let digest = c.first("SELECT at, time_zone FROM notice_digests WHERE subject = ?1", params![subject])?;
    let digest = digest.map(|row| Ok::<_, Error>((row.get(0)?, row.get(1)?))).transpose()?;
    Ok(Chosen { choices, digest })
}

/// Keeps what somebody chose of a kind.
pub fn choose(w: &mut Write<'_>, subject: &str, kind: &str, how: How) -> Result<()> {
    let sql = "INSERT INTO notice_choices (subject, kind, how) VALUES (?1, ?2, ?3)
               ON CONFLICT (subject, kind) DO UPDATE SET how = excluded.how";
    w.run(sql, params![subject, kind, how.as_str()]).map(|_| ())
}

/// Keeps when somebody gets their daily mail, and moves what waits for it there.
pub fn set_digest(w: &mut Write<'_>, subject: &str, at: &str, zone: Option<&str>, next: &str) -> Result<()> {
    let sql = "INSERT INTO notice_digests (subject, at, time_zone) VALUES (?1, ?2, ?3)
               ON CONFLICT (subject) DO UPDATE SET at = excluded.at, time_zone = excluded.time_zone";
    w.run(sql, params![subject, at, zone])?;
    let waiting =
        "UPDATE notice_deliveries SET due_at = ?2 WHERE subject = ?1 AND state = 'pending' AND how = 'daily' AND attempts = 0";
    w.run(waiting, params![subject, next]).map(|_| ())
}

/// A chat or a program that is told notices.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NoticeChannel)]
pub struct Channel {
    pub id: i64,
    pub name: String,
    /// `teams`, `slack` or `plain`.
    pub format: String,
    /// The kinds of notices that it is told; null for all.
    pub kinds: Option<Vec<String>>,
    pub created_at: String,
    /// The address, sealed.
    #[serde(skip)]
    pub url: String,
}

fn channel(row: &Row) -> Result<Channel> {
    let kinds: Option<String> = row.get(3)?;
    Ok(Channel {
        id: row.get(0)?,
        name: row.get(1)?,
        format: row.get(2)?,
        kinds: kinds.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()?,
        created_at: row.get(4)?,
        url: row.get(5)?,
    })
}

const CHANNEL: &str = "SELECT id, name, format, kinds, created_at, url FROM notice_channels";

/// Every channel, by name.
pub fn channels(c: &mut Conn) -> Result<Vec<Channel>> {
    c.map(&format!("{CHANNEL} ORDER BY name_folded"), &[], channel)
}

/// A channel.
pub fn get_channel(c: &mut Conn, id: i64) -> Result<Channel> {
    let row = c.first(&format!("{CHANNEL} WHERE id = ?1"), params![id])?;
    row.as_ref().map(channel).transpose()?.ok_or(Error::NotFound { what: "Channel" })
}

/// Adds a channel.
pub fn add_channel(w: &mut Write<'_>, name: &str, format: &str, kinds: Option<&[String]>, sealed: &str) -> Result<Channel> {
    let kinds = kinds.map(|kinds| serde_json::json!(kinds).to_string());
    let made = w.one(
        "INSERT INTO notice_channels (name, name_folded, format, url, kinds, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        params![name, fold(name), format, sealed, kinds, now()],
    );
    let taken = |error| match error {
        Error::Conflict { .. } => Error::taken("name", "is the name of another channel"),
        other => other,
    };
    let id = made.on_unique("name", "Another channel has this name").map_err(taken)?.get(0)?;
    get_channel(w, id)
}

/// Takes a channel away, with what is on its way there.
pub fn remove_channel(w: &mut Write<'_>, id: i64) -> Result<Channel> {
    let channel = get_channel(w, id)?;
    w.run("DELETE FROM notice_deliveries WHERE channel_id = ?1", params![id])?;
    w.run("DELETE FROM notice_channels WHERE id = ?1", params![id])?;
    Ok(channel)
}

/// To whom something goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum To {
    /// A person, by the subject of their tokens.
    Person(String),
    Channel(i64),
}

/// Puts a notice on its way.
pub fn send(w: &mut Write<'_>, notice: i64, is_end: bool, to: &To, how: How, due_at: &str) -> Result<()> {
    let (subject, channel) = match to {
        To::Person(subject) => (Some(subject.clone()), None),
        To::Channel(id) => (None, Some(*id)),
    };
    let sql = "INSERT INTO notice_deliveries (notice_id, is_end, subject, channel_id, how, state, due_at, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?7)";
    w.run(sql, params![notice, is_end, subject, channel, how.as_str(), due_at, now()]).map(|_| ())
}

/// What was told of the beginning of a notice or still will be, so that only those are told the end.
pub fn told(c: &mut Conn, notice: i64) -> Result<Vec<(To, How, String)>> {
    let sql = "SELECT subject, channel_id, how, state FROM notice_deliveries WHERE notice_id = ?1 AND NOT is_end";
    c.map(sql, params![notice], |row| {
        let how = How::parse(&row.get::<String>(2)?).unwrap_or(How::Now);
        Ok((to(row, 0)?, how, row.get(3)?))
    })
}

fn to(row: &Row, at: usize) -> Result<To> {
    let subject: Option<String> = row.get(at)?;
    match subject {
        Some(subject) => Ok(To::Person(subject)),
        None => row.get(at + 1).map(To::Channel),
    }
}

/// Something on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: i64,
    pub notice: Notice,
    pub is_end: bool,
    pub to: To,
    pub how: How,
    pub attempts: i64,
    pub due_at: String,
}

/// What is to be sent now, the oldest first.
pub fn due(c: &mut Conn) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {NOTICE}, delivery.id, delivery.is_end, delivery.subject, delivery.channel_id, delivery.how, delivery.attempts,
                delivery.due_at
         FROM notice_deliveries delivery JOIN notices notice ON notice.id = delivery.notice_id
         WHERE delivery.state = 'pending' AND delivery.due_at <= ?1 ORDER BY delivery.id LIMIT 500"
    );
    c.map(&sql, params![now()], |row| {
        Ok(Delivery {
            notice: notice(row)?,
            id: row.get(8)?,
            is_end: row.get(9)?,
            to: to(row, 10)?,
            how: How::parse(&row.get::<String>(12)?).unwrap_or(How::Now),
            attempts: row.get(13)?,
            due_at: row.get(14)?,
        })
    })
}

/// Takes deliveries for one attempt, so that no other process makes it too; those that it got. Should we die meanwhile, they are
/// due again after so many seconds.
pub fn claim(w: &mut Write<'_>, wanted: Vec<Delivery>, seconds: i64) -> Result<Vec<Delivery>> {
    let until = now_plus(seconds);
    let mut ours = Vec::new();
    for delivery in wanted {
        let sql = "UPDATE notice_deliveries SET due_at = ?3, attempts = attempts + 1 WHERE id = ?1 AND due_at = ?2 AND state = 'pending'";
        if w.run(sql, params![delivery.id, &delivery.due_at, &until])? > 0 {
            ours.push(delivery);
        }
    }
    Ok(ours)
}

/// Notes how a delivery ended: `sent`, `failed`, or `dropped` when there was nothing to tell any more.
pub fn finish(w: &mut Write<'_>, id: i64, state: &str, error: Option<&str>) -> Result<()> {
    let sql = "UPDATE notice_deliveries SET state = ?2, error = ?3, ended_at = ?4 WHERE id = ?1";
    w.run(sql, params![id, state, error, now()]).map(|_| ())
}

/// Notes that a delivery did not work, and when it is tried again.
pub fn postpone(w: &mut Write<'_>, id: i64, error: &str, due_at: &str) -> Result<()> {
    w.run("UPDATE notice_deliveries SET error = ?2, due_at = ?3 WHERE id = ?1", params![id, error, due_at]).map(|_| ())
}

/// What could not be delivered.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = UndeliveredNotice)]
pub struct Undelivered {
    pub id: i64,
    pub title: String,
    /// The person's user name, or the channel's name.
    pub to: String,
    pub error: Option<String>,
    pub attempts: i64,
    /// Whether it was given up; otherwise it is tried again.
    pub given_up: bool,
    pub created_at: String,
}

/// What could not be delivered, or not yet, the newest first.
pub fn undelivered(c: &mut Conn) -> Result<Vec<Undelivered>> {
    let sql = "SELECT delivery.id, notice.title, COALESCE(channel.name, account.username, agent.username, delivery.subject, ''),
                      delivery.error, delivery.attempts, delivery.state = 'failed', delivery.created_at
               FROM notice_deliveries delivery JOIN notices notice ON notice.id = delivery.notice_id
               LEFT JOIN notice_channels channel ON channel.id = delivery.channel_id
               LEFT JOIN users account ON account.subject = delivery.subject
               LEFT JOIN agents agent ON agent.keycloak_id = delivery.subject
               WHERE delivery.state = 'failed' OR (delivery.state = 'pending' AND delivery.error IS NOT NULL)
               ORDER BY delivery.id DESC LIMIT 200";
    c.map(sql, &[], |row| {
        Ok(Undelivered {
            id: row.get(0)?,
            title: row.get(1)?,
            to: row.get(2)?,
            error: row.get(3)?,
            attempts: row.get(4)?,
            given_up: row.get(5)?,
            created_at: row.get(6)?,
        })
    })
}

/// Tries a delivery again now.
pub fn retry(w: &mut Write<'_>, id: i64) -> Result<()> {
    let sql = "UPDATE notice_deliveries SET state = 'pending', attempts = 0, due_at = ?2, created_at = ?2, ended_at = NULL
               WHERE id = ?1 AND (state = 'failed' OR (state = 'pending' AND error IS NOT NULL))";
    if w.run(sql, params![id, now()])? == 0 {
        return Err(Error::NotFound { what: "Undelivered notice" });
    }
    Ok(())
}

/// Forgets what has been over for so many days.
pub fn prune(w: &mut Write<'_>, days: i64) -> Result<()> {
    let old = now_plus(-days * 86_400);
    let over = "SELECT id FROM notices WHERE closed_at <= ?1";
    w.run(&format!("DELETE FROM notice_deliveries WHERE notice_id IN ({over})"), params![&old])?;
    w.run("DELETE FROM notices WHERE closed_at <= ?1", params![&old]).map(|_| ())
}
