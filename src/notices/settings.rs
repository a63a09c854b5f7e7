//! What somebody wants to be told, and how.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    run::{DIGEST_AT, how, next_digest, time_of_day},
    store,
};
use crate::{
    auth::User,
    config::Config,
    db::{Conn, Write},
    error::Result,
    status::notice::{self, How, Kind},
    web::{Fields, Sent},
};

/// The choices of one person, as the API tells them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NoticeSettings)]
pub struct Settings {
    /// Where mail goes; without an address nothing is sent.
    pub email: String,
    /// Whether Codex sends mail at all.
    pub mail_enabled: bool,
    /// When the daily digest comes, such as `08:00`.
    pub digest_at: String,
    /// In this time zone; null for that of the pages.
    pub time_zone: Option<String>,
    pub kinds: Vec<Choice>,
}

/// How a person is told of a kind.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NoticeChoice)]
pub struct Choice {
    pub kind: &'static str,
    pub label: &'static str,
    pub how: How,
}

/// The kinds that somebody may be told.
pub fn kinds_of(user: &User) -> impl Iterator<Item = &'static Kind> {
    notice::kinds().iter().copied().filter(|kind| kind.roles.contains(&user.level))
}

/// What somebody chose.
pub fn of(c: &mut Conn, config: &Config, user: &User) -> Result<Settings> {
    let store::Chosen { choices, digest } = store::chosen(c, &user.sub)?;
    let (digest_at, time_zone) = digest.unwrap_or_else(|| (DIGEST_AT.to_owned(), None));
    let choice = |kind: &'static Kind| Choice { kind: kind.name, label: kind.label, how: how(kind, user.level, &choices) };
    let kinds = kinds_of(user).map(choice).collect();
    Ok(Settings { email: user.email.clone(), mail_enabled: config.mail.is_some(), digest_at, time_zone, kinds })
}

/// What somebody sends; what is absent stays.
#[derive(Clone, Debug)]
pub struct Wanted {
    choices: HashMap<&'static str, How>,
    digest_at: Option<String>,
    time_zone: Sent<String>,
}

impl Wanted {
    /// Reads and checks what was sent, naming every wrong value: each kind is a field of its own.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn read(mut fields: Fields, user: &User) -> Result<Self> {
        let mut choices = HashMap::new();
        let words = How::ALL.map(|(_, word, _)| word);
        for kind in kinds_of(user) {
            let sent = fields.text(kind.name).not_null().one_of(&words).value();
            choices.extend(sent.and_then(|word| How::parse(&word)).map(|how| (kind.name, how)));
        }
        for kind in notice::kinds().iter().filter(|kind| !kind.roles.contains(&user.level)) {
            if fields.has(kind.name) {
                fields.refuse(kind.name, "is not for your role");
            }
        }
        let at = |text: &String| time_of_day(text).map(|_| ()).ok_or("must be a time such as 08:00".to_owned());
        let digest_at = fields.text("digest_at").not_null().check(at).value();
        let zone = |text: &String| {
            jiff::tz::TimeZone::get(text).map(|_| ()).map_err(|_| "must be a time zone such as Europe/Berlin".to_owned())
        };
        let time_zone = fields.text("time_zone").max(60).check(zone).get();
        fields.finish()?;
        Ok(Self { choices, digest_at, time_zone })
    }
}

/// Keeps what somebody sent.
pub fn save(w: &mut Write<'_>, config: &Config, user: &User, wanted: Wanted) -> Result<Settings> {
    for (kind, how) in wanted.choices {
        store::choose(w, &user.sub, kind, how)?;
    }
    if wanted.digest_at.is_some() || wanted.time_zone.is_sent() {
        let before = of(w, config, user)?;
        let at = wanted.digest_at.unwrap_or(before.digest_at);
        let mut zone = before.time_zone;
        wanted.time_zone.store(&mut zone);
        let next = next_digest(config, Some(&at), zone.as_deref(), jiff::Timestamp::now());
        store::set_digest(w, &user.sub, &at, zone.as_deref(), &next)?;
    }
    of(w, config, user)
}
