//! The rows of `agents`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Agent, Patch, Preferences};
use crate::{
    auth::{Level, User},
    db::{Conn, Row, Write},
    error::{Error, Result},
    history, params,
    types::{fold, now},
};

const AGENT: &str = "SELECT agent.id, agent.keycloak_id, agent.username, agent.email, agent.name, agent.permission_level,
    agent.theme_preference, agent.preferred_color_theme, agent.knowledgetree_view_preference, agent.home_page_preference,
    agent.enabled, agent.first_name, agent.last_name, agent.created_at, agent.updated_at, agent.last_synced_at,
    agent.told_at
    FROM agents agent";

fn agent(row: &Row) -> Result<Agent> {
    Ok(Agent {
        id: row.get(0)?,
        subject: row.get(1)?,
        username: row.get(2)?,
        email: row.get(3)?,
        name: row.get(4)?,
        permission_level: row.get(5)?,
        preferences: Preferences {
            theme_preference: row.get(6)?,
            preferred_color_theme: row.get(7)?,
            knowledgetree_view_preference: row.get(8)?,
            home_page_preference: row.get(9)?,
        },
        enabled: row.get(10)?,
        first_name: row.get(11)?,
        last_name: row.get(12)?,
        created_at: row.get(13)?,
        updated_at: row.get(14)?,
        last_synced_at: row.get(15)?,
        told_at: row.get(16)?,
    })
}

/// The person with this subject.
pub fn find(c: &mut Conn, subject: &str) -> Result<Option<Agent>> {
    c.first(&format!("{AGENT} WHERE agent.keycloak_id = ?1"), params![subject])?.as_ref().map(agent).transpose()
}

/// The person with this e-mail, whatever its case; of several, the one who changed something last.
pub fn find_by_email(c: &mut Conn, email: &str) -> Result<Option<Agent>> {
    let sql = format!("{AGENT} WHERE agent.email_folded = ?1 ORDER BY agent.updated_at DESC, agent.id LIMIT 1");
    c.first(&sql, params![email_key(email)])?.as_ref().map(agent).transpose()
}

/// The person with this sign-in name or e-mail; of several, the one who changed something last.
pub fn find_by_name(c: &mut Conn, name: &str) -> Result<Option<Agent>> {
    let sql =
        format!("{AGENT} WHERE lower(agent.username) = ?1 OR agent.email_folded = ?1 ORDER BY agent.updated_at DESC, agent.id");
    c.first(&sql, params![email_key(name)])?.as_ref().map(agent).transpose()
}

/// Whether what is said of a person was true before what is known of them; of the same second, what gives less power counts.
fn is_older(user: &User, agent: &Agent) -> bool {
    let Some(told_at) = agent.told_at else { return false };
    let known = Level::from_claim(Some(&agent.permission_level));
    user.known_at.is_none_or(|at| at < told_at || (at == told_at && user.level.is_above(known)))
}

/// Stores a person as their token describes them, when that is anything new. Whether they may use Codex is not a token's to say.
pub fn remember(w: &mut Write<'_>, user: &User) -> Result<()> {
    let known = find(w, &user.sub)?;
    let email = user.email.trim();
    let is_same = |agent: &Agent| {
        agent.username == username(user)
            && agent.email.as_deref().unwrap_or_default() == email
            && agent.name == user.name
            && agent.permission_level == user.level.as_str()
    };
    if known.as_ref().is_some_and(|agent| is_older(user, agent)) {
        return Ok(());
    }
    if known.as_ref().is_some_and(is_same) {
        w.run("UPDATE agents SET told_at = ?2 WHERE keycloak_id = ?1", params![&user.sub, user.known_at])?;
        return Ok(());
    }
    let preferences = known.map(|agent| agent.preferences).unwrap_or_default();
    save(w, user, &preferences).map(|_| ())
}

/// What a person is called whose token may name nothing but their id.
fn username(user: &User) -> &str {
    let email = user.email.trim();
    match (user.username.is_empty(), email.is_empty()) {
        (false, _) => &user.username,
        (true, false) => email,
        (true, true) => &user.sub,
    }
}

/// A user as Keycloak has them.
#[derive(Clone, Debug)]
pub struct Mirrored {
    pub subject: String,
    pub username: String,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enabled: bool,
    pub level: Level,
}

/// What became of a user who was mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mirroring {
    Created,
    Updated,
    Same,
}

/// Stores a user as Keycloak had them at a time (in seconds since 1970); their own settings stay, and so does a level that a
/// later token has told of.
pub fn mirror(w: &mut Write<'_>, user: &Mirrored, asked_at: i64) -> Result<Mirroring> {
    let (before, at) = (find(w, &user.subject)?, now());
    let names = [&user.first_name, &user.last_name].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    // Who has no name there may have one in their token.
    let known = before.as_ref().map(|agent| agent.name.clone()).filter(|_| names.is_empty());
    let name = known.unwrap_or(names);
    let told_at = before.as_ref().and_then(|agent| agent.told_at).filter(|told| *told > asked_at);
    let later = before.as_ref().filter(|_| told_at.is_some()).map(|agent| agent.permission_level.as_str());
    let defaults = Preferences::default();
    w.run(
        "INSERT INTO agents (keycloak_id, username, email, email_folded, name, permission_level, first_name, last_name, enabled,
                             theme_preference, preferred_color_theme, knowledgetree_view_preference, home_page_preference,
                             created_at, updated_at, last_synced_at, told_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?14, ?15)
         ON CONFLICT (keycloak_id) DO UPDATE SET username = ?2, email = ?3, email_folded = ?4, name = ?5, permission_level = ?6,
                first_name = ?7, last_name = ?8, enabled = ?9, last_synced_at = ?14, told_at = ?15",
        params![
            &user.subject,
            &user.username,
            &user.email,
            user.email.as_deref().map(email_key),
            &name,
            later.unwrap_or(user.level.as_str()),
            &user.first_name,
            &user.last_name,
            user.enabled,
            &defaults.theme_preference,
            &defaults.preferred_color_theme,
            &defaults.knowledgetree_view_preference,
            &defaults.home_page_preference,
            &at,
            told_at.unwrap_or(asked_at)
        ],
    )?;
    let after = find(w, &user.subject)?.ok_or(Error::NotFound { what: "Agent" })?;
    store_mirrored(w, before.as_ref(), &after)
}

/// Records what a mirrored user changed in a row, when anything did.
fn store_mirrored(w: &mut Write<'_>, before: Option<&Agent>, after: &Agent) -> Result<Mirroring> {
    if before.is_some_and(|before| fields(before) == fields(after)) {
        return Ok(Mirroring::Same);
    }
    w.run("UPDATE agents SET updated_at = ?2 WHERE id = ?1", params![after.id, now()])?;
    note(w, after.id, before, after)?;
    Ok(if before.is_some() { Mirroring::Updated } else { Mirroring::Created })
}

/// The subjects of everybody enabled who is not among these, which is all of Keycloak's users. When they are more than so many
/// and more than this share, their number is the error.
pub fn absent(c: &mut Conn, present: &HashSet<String>, (least, percent): (u64, u64)) -> Result<Result<Vec<String>, usize>> {
    let enabled: Vec<Agent> = list(c)?.into_iter().filter(|agent| agent.enabled).collect();
    let most = least.max(u64::try_from(enabled.len()).unwrap_or(u64::MAX).saturating_mul(percent) / 100);
    let gone: Vec<String> = enabled.into_iter().map(|agent| agent.subject).filter(|subject| !present.contains(subject)).collect();
    if u64::try_from(gone.len()).unwrap_or(u64::MAX) > most {
        return Ok(Err(gone.len()));
    }
    Ok(Ok(gone))
}

/// Disables somebody whom Keycloak no longer has.
pub fn disable(w: &mut Write<'_>, subject: &str) -> Result<()> {
    let before = find(w, subject)?.ok_or(Error::NotFound { what: "Agent" })?;
    w.run("UPDATE agents SET enabled = FALSE WHERE id = ?1", params![before.id])?;
    let after = find(w, subject)?.ok_or(Error::NotFound { what: "Agent" })?;
    store_mirrored(w, Some(&before), &after).map(|_| ())
}

/// Stores an agent's settings.
pub fn set_preferences(w: &mut Write<'_>, subject: &str, patch: Patch) -> Result<Agent> {
    let before = find(w, subject)?.ok_or(Error::NotFound { what: "Agent" })?;
    let wanted = patch.applied_to(&before.preferences);
    w.run(
        "UPDATE agents SET theme_preference = ?2, preferred_color_theme = ?3, knowledgetree_view_preference = ?4,
                home_page_preference = ?5 WHERE id = ?1",
        params![
            before.id,
            &wanted.theme_preference,
            &wanted.preferred_color_theme,
            &wanted.knowledgetree_view_preference,
            &wanted.home_page_preference
        ],
    )?;
    let after = find(w, subject)?.ok_or(Error::NotFound { what: "Agent" })?;
    store_mirrored(w, Some(&before), &after)?;
    find(w, subject)?.ok_or(Error::NotFound { what: "Agent" })
}

/// Everybody, by sign-in name.
pub fn list(c: &mut Conn) -> Result<Vec<Agent>> {
    let rows = c.all(&format!("{AGENT} ORDER BY agent.id"), params![])?;
    let mut agents = rows.iter().map(agent).collect::<Result<Vec<_>>>()?;
    agents.sort_by_cached_key(|agent| fold(&agent.username));
    Ok(agents)
}

/// A person's preferences, or the defaults of somebody who never chose.
pub fn preferences(c: &mut Conn, subject: &str) -> Result<Preferences> {
    Ok(find(c, subject)?.map(|agent| agent.preferences).unwrap_or_default())
}

/// Stores a person as their token describes them, unless something newer is known of them, with these preferences.
pub fn save(w: &mut Write<'_>, user: &User, preferences: &Preferences) -> Result<Agent> {
    let before = find(w, &user.sub)?;
    let newer = before.clone().filter(|agent| is_older(user, agent)).map(Agent::into_user);
    let user = newer.as_ref().unwrap_or(user);
    let told_at = user.known_at.or(before.as_ref().and_then(|agent| agent.told_at));
    let email = Some(user.email.trim()).filter(|email| !email.is_empty());
    let row = w.one(
        "INSERT INTO agents (keycloak_id, username, email, email_folded, name, permission_level, theme_preference,
                             preferred_color_theme, knowledgetree_view_preference, home_page_preference, created_at, updated_at, told_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)
         ON CONFLICT (keycloak_id) DO UPDATE SET username = ?2, email = ?3, email_folded = ?4, name = ?5, permission_level = ?6,
                theme_preference = ?7, preferred_color_theme = ?8, knowledgetree_view_preference = ?9,
                home_page_preference = ?10, updated_at = ?11, told_at = ?12
         RETURNING id",
        params![
            &user.sub,
            username(user),
            email,
            email.map(email_key),
            &user.name,
            user.level.as_str(),
            &preferences.theme_preference,
            &preferences.preferred_color_theme,
            &preferences.knowledgetree_view_preference,
            &preferences.home_page_preference,
            now(),
            told_at
        ],
    )?;
    let after = find(w, &user.sub)?.ok_or(Error::NotFound { what: "Agent" })?;
    note(w, row.get(0)?, before.as_ref(), &after)?;
    Ok(after)
}

/// Records what moved; saving what was there already leaves no trace.
fn note(w: &mut Write<'_>, id: i64, before: Option<&Agent>, after: &Agent) -> Result<()> {
    let old = before.map_or(json!({}), fields);
    let mut moved = Map::new();
    if let Value::Object(new) = fields(after) {
        for (name, value) in new {
            let was = old.get(&name).cloned().unwrap_or_default();
            if was != value {
                moved.insert(name, json!([was, value]));
            }
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    history::record_change(w, "agent", id, if before.is_some() { "update" } else { "create" }, None, moved)
}

fn fields(agent: &Agent) -> Value {
    let mut fields = json!({
        "username": agent.username, "email": agent.email, "name": agent.name, "permission_level": agent.permission_level,
        "first_name": agent.first_name, "last_name": agent.last_name, "enabled": agent.enabled,
    });
    if let (Some(fields), Ok(Value::Object(chosen))) = (fields.as_object_mut(), serde_json::to_value(&agent.preferences)) {
        fields.extend(chosen);
    }
    fields
}

fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
