//! The rows of endpoints and messages.

use serde_json::{Map, Value as Json, json};

use super::model::{DELIVERED, Endpoint, FAILED, Message, PENDING, Sealed, Wanted};
use crate::{
    db::{Conn, Row, Value, Write},
    error::{Error, OnConstraint as _, Result},
    history::{self, feed::Trace},
    params,
    types::{fold, now, now_plus},
};

/// The word of endpoints in history.
pub const ENTITY: &str = "webhook_endpoint";
/// How many days messages are kept that were given up.
const FAILED_DAYS: i64 = 30;

const SELECT: &str = "SELECT endpoint.id, endpoint.rev, endpoint.name, endpoint.url, endpoint.entities, endpoint.actions,
    endpoint.enabled, endpoint.disabled_because, endpoint.failing_since, endpoint.created_at, endpoint.updated_at,
    (SELECT COUNT(*) FROM webhook_messages message WHERE message.endpoint_id = endpoint.id AND message.state = 'pending'),
    (SELECT COUNT(*) FROM webhook_messages message WHERE message.endpoint_id = endpoint.id AND message.state = 'failed'),
    endpoint.secret, endpoint.former_secret, endpoint.former_until, endpoint.after, endpoint.failures, endpoint.cleared
    FROM webhook_endpoints endpoint";

fn sealed(row: &Row) -> Result<Sealed> {
    let list = |at: usize| {
        let text: Option<String> = row.get(at)?;
        text.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
    };
    let endpoint = Endpoint {
        id: row.get(0)?,
        rev: row.get(1)?,
        name: row.get(2)?,
        url: row.get(3)?,
        entities: list(4)?,
        actions: list(5)?,
        cleared: row.get(18)?,
        enabled: row.get(6)?,
        disabled_because: row.get(7)?,
        failing_since: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        pending: row.get(11)?,
        failed: row.get(12)?,
    };
    let until: Option<String> = row.get(15)?;
    let former: Option<String> = row.get(14)?;
    Ok(Sealed {
        endpoint,
        secret: row.get(13)?,
        former: former.filter(|_| until.is_some_and(|until| until > now())),
        after: row.get(16)?,
        failures: row.get(17)?,
    })
}

/// Every endpoint, by name.
pub fn all(c: &mut Conn) -> Result<Vec<Endpoint>> {
    c.map(&format!("{SELECT} ORDER BY endpoint.name_folded"), &[], |row| Ok(sealed(row)?.endpoint))
}

/// An endpoint with what is needed to send.
pub fn get_sealed(c: &mut Conn, id: i64) -> Result<Sealed> {
    let row = c.first(&format!("{SELECT} WHERE endpoint.id = ?1"), params![id])?;
    row.as_ref().map(sealed).transpose()?.ok_or(Error::NotFound { what: "Webhook endpoint" })
}

/// An endpoint.
pub fn get(c: &mut Conn, id: i64) -> Result<Endpoint> {
    Ok(get_sealed(c, id)?.endpoint)
}

fn text(list: Option<&Vec<String>>) -> Option<String> {
    list.map(|list| json!(list).to_string())
}

fn name_taken(error: Error) -> Error {
    match error {
        Error::Conflict { .. } => Error::taken("name", "is the name of another endpoint"),
        other => other,
    }
}

/// Stores an endpoint; it is told what happens from now on.
pub fn create(w: &mut Write<'_>, new: &Wanted, secret: &str) -> Result<Endpoint> {
    let at = now();
    let (name, url) = (new.name.clone().unwrap_or_default(), new.url.clone().unwrap_or_default());
    let (entities, actions) = (new.entities.clone().value(), new.actions.clone().value());
    let head: i64 = w.one("SELECT version FROM head WHERE id = 1", &[])?.get(0)?;
    let made = w.one(
        "INSERT INTO webhook_endpoints (name, name_folded, url, secret, entities, actions, enabled, after, created_at, updated_at,
                                        cleared)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) RETURNING id",
        params![
            &name,
            fold(&name),
            &url,
            secret,
            text(entities.as_ref()),
            text(actions.as_ref()),
            new.enabled.unwrap_or(true),
            head,
            &at,
            new.cleared.unwrap_or(false)
        ],
    );
    let id: i64 = made.on_unique("name", "Another endpoint has this name").map_err(name_taken)?.get(0)?;
    let endpoint = get(w, id)?;
    note(w, id, "create", fields(None, &endpoint))?;
    // What is noted of the endpoint itself is no news to it.
    w.run("UPDATE webhook_endpoints SET after = after + 1 WHERE id = ?1", params![id])?;
    Ok(endpoint)
}

/// Changes an endpoint. One that is enabled anew goes on where it was.
pub fn update(w: &mut Write<'_>, id: i64, wanted: &Wanted) -> Result<Endpoint> {
    let before = get(w, id)?;
    let name = wanted.name.clone().unwrap_or_else(|| before.name.clone());
    let url = wanted.url.clone().unwrap_or_else(|| before.url.clone());
    let (mut entities, mut actions) = (before.entities.clone(), before.actions.clone());
    wanted.entities.clone().store(&mut entities);
    wanted.actions.clone().store(&mut actions);
    let (cleared, enabled) = (wanted.cleared.unwrap_or(before.cleared), wanted.enabled.unwrap_or(before.enabled));
    let changed = w.run(
        "UPDATE webhook_endpoints SET name = ?2, name_folded = ?3, url = ?4, entities = ?5, actions = ?6, enabled = ?7, cleared = ?8
         WHERE id = ?1",
        params![id, &name, fold(&name), &url, text(entities.as_ref()), text(actions.as_ref()), enabled, cleared],
    );
    changed.on_unique("name", "Another endpoint has this name").map_err(name_taken)?;
    let after = get(w, id)?;
    let moved = fields(Some(&before), &after);
    if moved.is_empty() {
        return Ok(before);
    }
    w.run("UPDATE webhook_endpoints SET rev = rev + 1, updated_at = ?2 WHERE id = ?1", params![id, now()])?;
    if enabled && !before.enabled {
        forgive(w, id)?;
    }
    note(w, id, "update", moved)?;
    get(w, id)
}

/// Lets an endpoint begin anew: what waits for it has its whole time again.
fn forgive(w: &mut Write<'_>, id: i64) -> Result<()> {
    let at = now();
    w.run(
        "UPDATE webhook_endpoints SET disabled_because = NULL, failing_since = NULL, failures = 0, resume_at = NULL WHERE id = ?1",
        params![id],
    )?;
    w.run(
        "UPDATE webhook_messages SET due_at = ?2, created_at = ?2 WHERE endpoint_id = ?1 AND state = 'pending'",
        params![id, at],
    )
    .map(|_| ())
}

/// What history tells of an endpoint: not where it is, which may be a secret.
fn fields(before: Option<&Endpoint>, after: &Endpoint) -> Map<String, Json> {
    let told = |endpoint: &Endpoint| {
        [
            ("name", json!(endpoint.name)),
            ("entities", json!(endpoint.entities)),
            ("actions", json!(endpoint.actions)),
            ("cleared", json!(endpoint.cleared)),
            ("enabled", json!(endpoint.enabled)),
        ]
    };
    let old = before.map(told);
    let mut fields = Map::new();
    for (at, (name, new)) in told(after).into_iter().enumerate() {
        let old = old.as_ref().and_then(|old| old.get(at)).map_or(Json::Null, |(_, old)| old.clone());
        if old != new {
            fields.insert(name.to_owned(), json!([old, new]));
        }
    }
    if before.is_none_or(|before| before.url != after.url) {
        fields.insert("url".to_owned(), json!([before.map(|_| "set"), if before.is_some() { "changed" } else { "set" }]));
    }
    fields
}

fn note(w: &mut Write<'_>, id: i64, action: &str, fields: Map<String, Json>) -> Result<()> {
    history::record_change(w, ENTITY, id, action, None, fields)
}

/// Gives an endpoint another secret; until then, messages are signed with the former one too.
pub fn rotate(w: &mut Write<'_>, id: i64, secret: &str, until: &str) -> Result<Endpoint> {
    w.run(
        "UPDATE webhook_endpoints SET former_secret = secret, former_until = ?3, secret = ?2, rev = rev + 1, updated_at = ?4
         WHERE id = ?1",
        params![id, secret, until, now()],
    )?;
    let endpoint = get(w, id)?;
    let mut fields = Map::new();
    fields.insert("secret".to_owned(), json!(["set", "changed"]));
    note(w, id, "update", fields)?;
    Ok(endpoint)
}

/// Takes an endpoint away, with its messages.
pub fn remove(w: &mut Write<'_>, id: i64) -> Result<Endpoint> {
    let endpoint = get(w, id)?;
    w.run("DELETE FROM webhook_messages WHERE endpoint_id = ?1", params![id])?;
    w.run("DELETE FROM webhook_endpoints WHERE id = ?1", params![id])?;
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!([endpoint.name, null]));
    note(w, id, "delete", fields)?;
    Ok(endpoint)
}

/// The endpoints that may be sent something now.
pub fn awake(c: &mut Conn) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM webhook_endpoints WHERE enabled AND (resume_at IS NULL OR resume_at <= ?1)
               AND (held_until IS NULL OR held_until <= ?1) ORDER BY id";
    c.map(sql, params![now()], |row| row.get(0))
}

/// Takes an endpoint for one round, so that no other process sends to it meanwhile.
pub fn hold(w: &mut Write<'_>, id: i64, by: &str, seconds: i64) -> Result<bool> {
    let sql = "UPDATE webhook_endpoints SET held_by = ?2, held_until = ?3
               WHERE id = ?1 AND enabled AND (held_until IS NULL OR held_until <= ?4)";
    Ok(w.run(sql, params![id, by, now_plus(seconds), now()])? > 0)
}

/// Lets go of it.
pub fn release(w: &mut Write<'_>, id: i64, by: &str) -> Result<()> {
    w.run("UPDATE webhook_endpoints SET held_by = NULL, held_until = NULL WHERE id = ?1 AND held_by = ?2", params![id, by])
        .map(|_| ())
}

/// Queues these changes, and notes how far the feed was read. One that is there already is sent again under its old id.
pub fn queue(w: &mut Write<'_>, id: i64, changes: &[Trace], after: Option<i64>) -> Result<()> {
    let at = now();
    for change in changes {
        w.run(
            "INSERT INTO webhook_messages (endpoint_id, seq, entity, entity_id, action, state, due_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?6)
             ON CONFLICT (endpoint_id, seq) DO UPDATE SET state = 'pending', attempts = 0, due_at = excluded.due_at,
             created_at = excluded.created_at, ended_at = NULL, last_status = NULL, last_error = NULL",
            params![id, change.seq, &change.entity, change.entity_id, &change.action, &at],
        )?;
    }
    if let Some(after) = after {
        w.run("UPDATE webhook_endpoints SET after = ?2 WHERE id = ?1", params![id, after])?;
    }
    Ok(())
}

/// The number of the newest change.
pub fn head(c: &mut Conn) -> Result<i64> {
    c.one("SELECT version FROM head WHERE id = 1", &[])?.get(0)
}

const MESSAGE: &str = "SELECT message.id, message.seq, message.entity, message.entity_id, message.action, message.state,
    message.attempts, message.due_at, message.last_status, message.last_error, message.created_at, message.ended_at
    FROM webhook_messages message";

fn message(row: &Row) -> Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        seq: row.get(1)?,
        entity: row.get(2)?,
        entity_id: row.get(3)?,
        action: row.get(4)?,
        state: row.get(5)?,
        attempts: row.get(6)?,
        due_at: row.get(7)?,
        last_status: row.get(8)?,
        last_error: row.get(9)?,
        created_at: row.get(10)?,
        ended_at: row.get(11)?,
    })
}

/// What can be sent now, the oldest first: of each record the oldest message alone.
pub fn due(c: &mut Conn, id: i64, limit: i64) -> Result<Vec<Message>> {
    let sql = format!(
        "{MESSAGE} WHERE message.endpoint_id = ?1 AND message.state = 'pending' AND message.due_at <= ?2
         AND NOT EXISTS (SELECT 1 FROM webhook_messages earlier WHERE earlier.endpoint_id = message.endpoint_id
         AND earlier.entity = message.entity AND earlier.entity_id = message.entity_id AND earlier.state = 'pending'
         AND earlier.seq < message.seq) ORDER BY message.seq LIMIT ?3"
    );
    c.map(&sql, params![id, now(), limit], message)
}

/// The newest messages of an endpoint, of one state when that is given.
pub fn messages(c: &mut Conn, id: i64, state: Option<&str>, limit: i64) -> Result<Vec<Message>> {
    let mut params = vec![Value::from(id), Value::from(limit)];
    let wanted = state.map_or("", |state| {
        params.push(state.into());
        "AND message.state = ?3"
    });
    let sql = format!("{MESSAGE} WHERE message.endpoint_id = ?1 {wanted} ORDER BY message.seq DESC LIMIT ?2");
    c.map(&sql, &params, message)
}

/// A message of an endpoint.
pub fn get_message(c: &mut Conn, id: i64, message_id: i64) -> Result<Message> {
    let row = c.first(&format!("{MESSAGE} WHERE message.endpoint_id = ?1 AND message.id = ?2"), params![id, message_id])?;
    row.as_ref().map(message).transpose()?.ok_or(Error::NotFound { what: "Message" })
}

/// Sends messages of an endpoint again: this one, or all that were given up. How many those are.
pub fn replay(w: &mut Write<'_>, id: i64, message_id: Option<i64>) -> Result<u64> {
    get(w, id)?;
    if let Some(message_id) = message_id {
        get_message(w, id, message_id)?;
    }
    let sql = "UPDATE webhook_messages SET state = 'pending', attempts = 0, due_at = ?3, created_at = ?3, ended_at = NULL,
               last_status = NULL, last_error = NULL
               WHERE endpoint_id = ?1 AND ((CAST(?2 AS BIGINT) IS NULL AND state = 'failed') OR id = ?2)";
    let sent = w.run(sql, params![id, message_id, now()])?;
    w.run("UPDATE webhook_endpoints SET resume_at = NULL WHERE id = ?1", params![id])?;
    Ok(sent)
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub message: i64,
    pub status: Option<u16>,
    /// None when it was delivered.
    pub error: Option<String>,
    /// When it is tried again.
    pub again_at: String,
}

/// Notes how an attempt ended.
pub fn settle(w: &mut Write<'_>, attempt: &Attempt) -> Result<()> {
    let status = attempt.status.map(i64::from);
    if attempt.error.is_none() {
        let sql = "UPDATE webhook_messages SET state = ?2, attempts = attempts + 1, last_status = ?3, last_error = NULL,
                   ended_at = ?4 WHERE id = ?1";
        return w.run(sql, params![attempt.message, DELIVERED, status, now()]).map(|_| ());
    }
    let sql = "UPDATE webhook_messages SET attempts = attempts + 1, last_status = ?2, last_error = ?3, due_at = ?4
               WHERE id = ?1 AND state = ?5";
    w.run(sql, params![attempt.message, status, &attempt.error, &attempt.again_at, PENDING]).map(|_| ())
}

/// Notes how a round of attempts went: whether anything was delivered, else when the endpoint is tried next.
pub fn note_round(w: &mut Write<'_>, id: i64, resume_at: Option<&str>) -> Result<()> {
    match resume_at {
        None => {
            w.run("UPDATE webhook_endpoints SET failures = 0, failing_since = NULL, resume_at = NULL WHERE id = ?1", params![id])
        }
        Some(at) => w.run(
            "UPDATE webhook_endpoints SET failures = failures + 1, failing_since = COALESCE(failing_since, ?2), resume_at = ?3
             WHERE id = ?1",
            params![id, now(), at],
        ),
    }
    .map(|_| ())
}

/// Gives up what has been tried for so many seconds.
pub fn give_up(w: &mut Write<'_>, id: i64, seconds: i64) -> Result<()> {
    let sql =
        "UPDATE webhook_messages SET state = ?2, ended_at = ?3, last_error = COALESCE(last_error, 'The endpoint did not work')
               WHERE endpoint_id = ?1 AND state = 'pending' AND created_at <= ?4";
    w.run(sql, params![id, FAILED, now(), now_plus(-seconds)]).map(|_| ())
}

/// Disables an endpoint, with the reason.
pub fn disable(w: &mut Write<'_>, id: i64, because: &str) -> Result<()> {
    let sql = "UPDATE webhook_endpoints SET enabled = FALSE, disabled_because = ?2, rev = rev + 1, updated_at = ?3
               WHERE id = ?1 AND enabled";
    if w.run(sql, params![id, because, now()])? > 0 {
        let mut fields = Map::new();
        fields.insert("enabled".to_owned(), json!([true, false]));
        history::record_change(w, ENTITY, id, "update", Some(because), fields)?;
    }
    Ok(())
}

/// Forgets messages that have long been over: delivered ones after so many days.
pub fn prune(w: &mut Write<'_>, id: i64, days: i64) -> Result<()> {
    for (state, days) in [(DELIVERED, days), (FAILED, FAILED_DAYS.max(days))] {
        let sql = "DELETE FROM webhook_messages WHERE endpoint_id = ?1 AND state = ?2 AND ended_at <= ?3";
        w.run(sql, params![id, state, now_plus(-days * 86_400)])?;
    }
    Ok(())
}
