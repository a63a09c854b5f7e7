//! The rows of `agents`.

use serde_json::{Map, Value, json};

use super::{Agent, Preferences};
use crate::{
    auth::User,
    db::{Conn, Row, Write},
    error::{Error, Result},
    history, params,
    types::{fold, now},
};

const AGENT: &str = "SELECT agent.id, agent.keycloak_id, agent.username, agent.email, agent.name, agent.permission_level,
    agent.theme_preference, agent.preferred_color_theme, agent.knowledgetree_view_preference, agent.home_page_preference
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

/// Stores a person who is not known yet as their token describes them.
pub fn remember(w: &mut Write<'_>, user: &User) -> Result<()> {
    if find(w, &user.sub)?.is_none() {
        save(w, user, &Preferences::default())?;
    }
    Ok(())
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

/// Stores a person as their token describes them, with these preferences.
pub fn save(w: &mut Write<'_>, user: &User, preferences: &Preferences) -> Result<Agent> {
    let before = find(w, &user.sub)?;
    let email = Some(user.email.trim()).filter(|email| !email.is_empty());
    let username = if user.username.is_empty() { email.unwrap_or(&user.sub) } else { &user.username };
    let row = w.one(
        "INSERT INTO agents (keycloak_id, username, email, email_folded, name, permission_level, theme_preference,
                             preferred_color_theme, knowledgetree_view_preference, home_page_preference, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
         ON CONFLICT (keycloak_id) DO UPDATE SET username = ?2, email = ?3, email_folded = ?4, name = ?5, permission_level = ?6,
                theme_preference = ?7, preferred_color_theme = ?8, knowledgetree_view_preference = ?9,
                home_page_preference = ?10, updated_at = ?11
         RETURNING id",
        params![
            &user.sub,
            username,
            email,
            email.map(email_key),
            &user.name,
            user.level.as_str(),
            &preferences.theme_preference,
            &preferences.preferred_color_theme,
            &preferences.knowledgetree_view_preference,
            &preferences.home_page_preference,
            now()
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
    });
    if let (Some(fields), Ok(Value::Object(chosen))) = (fields.as_object_mut(), serde_json::to_value(&agent.preferences)) {
        fields.extend(chosen);
    }
    fields
}

fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
