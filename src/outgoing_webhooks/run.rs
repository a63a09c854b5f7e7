//! The sending, while the server runs: from the changes to messages, and from messages to receivers.
//!
//! At least once, and for each record in order: a message waits while an earlier one of its record does.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    model::{Endpoint, Message, Sealed},
    send::{self, Fault},
    signature,
    store::{self, Attempt},
};
use crate::{
    compliance::{RedactionPolicy, trail},
    config::{Config, Secret},
    db::{Conn, Db, Write},
    encryption::Encryption,
    error::{Error, Result},
    history::{
        Unredacted,
        feed::{self, Trace},
        retention,
    },
    records::entities::ENTITIES,
    types::{Actor, Scope, now, now_plus},
    web::{
        disclosure::{Shown, counted},
        disclosures_store::{self, NewRow},
    },
};

/// What secrets are sealed for.
pub(super) const PURPOSE: &str = "outgoing_webhooks.secret";
/// How often we look for something to send.
const LOOK: Duration = Duration::from_secs(1);
/// Messages that are sent in one round.
const ROUND: i64 = 20;
/// Messages that are under way to one endpoint at once.
const AT_ONCE: usize = 10;
/// Changes that are read in one round.
const PAGE: i64 = 200;
/// Messages that are queued again in one write.
const REPLAYED: usize = 500;
/// Changes wait in the feed while so many messages wait.
const MOST_PENDING: i64 = 10_000;
/// For how many seconds a round may hold an endpoint: longer than it can last.
const HOLD: i64 = 60;
/// For how long a message is tried, in seconds.
const TRIED: i64 = 12 * 3_600;
/// After how long without any delivery an endpoint is disabled, in seconds.
const PATIENCE: i64 = 3 * 86_400;
/// Seconds before the next attempt, by how many there were.
const PAUSES: [i64; 8] = [5, 30, 120, 300, 900, 1_800, 3_600, 7_200];
/// The most that a message may weigh with the values of its fields, in bytes.
const HEAVY: usize = 64 * 1024;

fn pause(attempts: i64) -> i64 {
    let at = usize::try_from(attempts).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    PAUSES.get(at).copied().unwrap_or(7_200)
}

fn actor() -> Actor {
    Actor::system("outgoing webhooks")
}

/// Sends until the program ends.
pub async fn run(db: Db, config: Arc<Config>) {
    let us = uuid::Uuid::new_v4().to_string();
    let (mut told, mut more) = (false, false);
    loop {
        if !more {
            tokio::time::sleep(LOOK).await;
        }
        more = false;
        // When the database is away, others say so.
        let Ok(awake) = db.read(&Scope::All, store::awake).await else { continue };
        let rounds = awake.into_iter().map(|id| round(&db, &config, id, &us));
        for ended in futures_util::future::join_all(rounds).await {
            match ended {
                Ok(full) => (told, more) = (false, more || full),
                Err(error) if !told => {
                    tracing::warn!(%error, "outgoing webhooks could not be sent");
                    told = true;
                }
                Err(_) => {}
            }
        }
    }
}

/// One round for one endpoint; whether there may be more at once. An idle Codex writes nothing.
async fn round(db: &Db, config: &Arc<Config>, id: i64, us: &str) -> Result<bool> {
    let news = |c: &mut Conn, id| Ok((store::head(c)?, store::get_sealed(c, id)?, store::due(c, id, 1)?.is_empty()));
    let (head, sealed, idle) = db.read(&Scope::All, move |c| news(c, id)).await?;
    if idle && (head == sealed.after || sealed.endpoint.pending >= MOST_PENDING) {
        return Ok(false);
    }
    let by = us.to_owned();
    if !db.write(&Scope::All, &actor(), move |w| store::hold(w, id, &by, HOLD)).await? {
        return Ok(false);
    }
    let done = held(db, config, id).await;
    let by = us.to_owned();
    db.write(&Scope::All, &actor(), move |w| store::release(w, id, &by)).await?;
    done
}

/// The round, while nobody else sends to this endpoint.
async fn held(db: &Db, config: &Arc<Config>, id: i64) -> Result<bool> {
    let sealed = db.read(&Scope::All, move |c| store::get_sealed(c, id)).await?;
    let more = fill(db, &sealed, config.retention.webhooks).await?;
    // One message finds out whether an endpoint that did not work does so again.
    let (limit, cleared) = (if sealed.failures > 0 { 1 } else { ROUND }, sealed.endpoint.cleared);
    let due = db.read(&Scope::All, move |c| {
        let due = store::due(c, id, limit)?;
        due.into_iter().map(|message| Ok((body(c, &message, cleared)?, message))).collect::<Result<Vec<_>>>()
    });
    let due = due.await?;
    if due.is_empty() {
        return Ok(more);
    }
    let full = due.len() > 1 && i64::try_from(due.len()).is_ok_and(|count| count == ROUND);
    let (secrets, private) = (open(config, &sealed)?, config.private_webhooks);
    log_disclosures(db, &sealed, &due).await?;
    let due: Vec<(Option<String>, Message)> =
        due.into_iter().map(|(body, message)| (body.map(|(text, _)| text), message)).collect();
    let sent = stream::iter(due).map(|(body, message)| {
        let (url, secrets) = (sealed.endpoint.url.clone(), &secrets);
        async move {
            let id = message_id(id, message.seq);
            let ended = match body {
                Some(body) => signed(&url, &id, body, secrets, private).await,
                None => Err(Fault::new("The change is no longer there")),
            };
            (message, ended)
        }
    });
    let sent: Vec<(Message, Result<u16, Fault>)> = sent.buffer_unordered(AT_ONCE).collect().await;
    settle(db, &sealed, sent).await.map(|worked| worked && (full || more))
}

/// What a message about a change is called to whom it is sent: its `webhook-id`.
fn message_id(endpoint: i64, seq: i64) -> String {
    format!("msg_{endpoint}_{seq}")
}

/// The change that the `webhook-id` of a message to this endpoint names.
pub(super) fn change_of(endpoint: i64, message: &str) -> Option<i64> {
    let (_, seq) = message.rsplit_once('_')?;
    seq.parse().ok().filter(|seq| message_id(endpoint, *seq) == message)
}

/// Queues what the feed holds for an endpoint beyond what was looked at, and lets go of what is over; whether there is more.
async fn fill(db: &Db, sealed: &Sealed, kept_days: i64) -> Result<bool> {
    let (id, after, waits) = (sealed.endpoint.id, sealed.after, sealed.endpoint.pending >= MOST_PENDING);
    let kinds = kinds(sealed.endpoint.entities.clone());
    // Of a snapshot: what is being written meanwhile is for the next time.
    let page = db.read(&Scope::All, move |c| {
        // What was removed from history is told to nobody any more.
        let since = after.max(retention::kept(c)?.after);
        match feed::after(c, Some(since), &kinds, None, PAGE) {
            // The database is an older one than that which was followed.
            Err(Error::Gone { .. }) => Ok((Vec::new(), store::head(c)?, false)),
            other => other.map(|page| (page.changes, page.cursor, page.more)),
        }
    });
    let (found, cursor, more) = if waits { (Vec::new(), after, false) } else { page.await? };
    let actions = sealed.endpoint.actions.clone();
    let wanted = move |action: &String| actions.as_ref().is_none_or(|actions| actions.contains(action));
    let found = found.iter().map(Unredacted::inside).filter(|change| wanted(&change.action));
    let changes: Vec<Trace> = found.map(Trace::from).collect();
    db.write(&Scope::All, &actor(), move |w| {
        store::give_up(w, id, TRIED)?;
        store::prune(w, id, kept_days)?;
        store::queue(w, id, &changes, (cursor != after).then_some(cursor))
    })
    .await?;
    Ok(more)
}

/// The kinds of records that an endpoint is told about: nouns, and never accounts.
pub(super) fn kinds(chosen: Option<Vec<String>>) -> Vec<String> {
    chosen.unwrap_or_else(|| ENTITIES.iter().map(|entity| entity.name().to_owned()).collect())
}

/// Notes which protected records these messages show, before they leave: nobody is shown one without a trace.
async fn log_disclosures(db: &Db, sealed: &Sealed, due: &[(Option<Body>, Message)]) -> Result<()> {
    let row = |(entity, ids): (&&'static str, &BTreeSet<i64>)| NewRow {
        at: now(),
        caller_kind: "service",
        caller: format!("webhook {}", sealed.endpoint.name),
        method: "POST".to_owned(),
        route: "outgoing webhook".to_owned(),
        entity,
        ids: ids.iter().copied().collect(),
        times: 1,
    };
    let rows: Vec<NewRow> =
        due.iter().filter_map(|(body, _)| body.as_ref()).flat_map(|(_, shown)| shown.iter().map(row)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    db.write(&Scope::All, &actor(), move |w| disclosures_store::add(w, &rows)).await
}

/// A body, and the protected records that it shows.
type Body = (String, Shown);

/// What a message says: what changed, with what tells of people withheld unless the endpoint is cleared. None when the change
/// is gone.
fn body(c: &mut Conn, message: &Message, cleared: bool) -> Result<Option<Body>> {
    let change = match feed::get(c, message.seq) {
        Ok(change) => change,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    let (told, shown) = counted(|| trail::changes(c, vec![change], &RedactionPolicy::of_receiver(cleared)));
    let Some(told) = told?.pop() else { return Ok(None) };
    let body = |fields: &Value| {
        json!({
            "type": format!("{}.{}", told.entity, told.action),
            "timestamp": told.at,
            "data": {
                "seq": told.seq, "entity": told.entity, "entity_id": told.entity_id, "action": told.action,
                "actor_kind": told.actor_kind, "source": told.source, "run_id": told.run_id, "fields": fields,
            },
        })
        .to_string()
    };
    let whole = body(&told.fields);
    if whole.len() <= HEAVY {
        return Ok(Some((whole, shown)));
    }
    let names = told.fields.as_object().into_iter().flatten().map(|(name, _)| (name.clone(), json!({ "omitted": true })));
    Ok(Some((body(&Value::Object(names.collect())), Shown::new())))
}

/// The secrets that messages are signed with: the present one first.
pub(super) fn open(config: &Config, sealed: &Sealed) -> Result<Vec<Secret>> {
    let key = Encryption::open(config)?;
    let lost = || Error::Unavailable("the key of the stored credentials has changed: rotate the endpoint's secret".to_owned());
    let present = key.open_sealed(PURPOSE, &sealed.secret).ok_or_else(lost)?;
    let former = sealed.former.as_deref().and_then(|former| key.open_sealed(PURPOSE, former));
    Ok(std::iter::once(present).chain(former).collect())
}

/// Sends one message, signed.
pub(super) async fn signed(url: &str, id: &str, body: String, secrets: &[Secret], private: bool) -> Result<u16, Fault> {
    let headers = signature::headers(id, jiff::Timestamp::now().as_second(), &body, secrets);
    send::post(url, &headers, body, private).await
}

/// Notes how each attempt ended, and what that says of the endpoint; whether anything was delivered.
async fn settle(db: &Db, sealed: &Sealed, sent: Vec<(Message, Result<u16, Fault>)>) -> Result<bool> {
    let endpoint = sealed.endpoint.clone();
    let worked = sent.iter().any(|(_, ended)| ended.is_ok());
    let gone = sent.iter().any(|(_, ended)| ended.as_ref().is_err_and(Fault::is_gone));
    let failures = sealed.failures;
    db.write(&Scope::All, &actor(), move |w| {
        for (message, ended) in &sent {
            let again_at = now_plus(pause(message.attempts));
            let (status, error) = match ended {
                Ok(status) => (Some(*status), None),
                Err(fault) => (fault.status, Some(fault.message.clone())),
            };
            store::settle(w, &Attempt { message: message.id, status, error, again_at })?;
        }
        let resume_at = (!worked).then(|| now_plus(pause(failures).min(600)));
        store::note_round(w, endpoint.id, resume_at.as_deref())?;
        if gone {
            return store::disable(w, endpoint.id, "It answered 410 Gone: it wants no messages");
        }
        if !worked && endpoint.failing_since.is_some_and(|since| since <= now_plus(-PATIENCE)) {
            return store::disable(w, endpoint.id, "Nothing could be delivered for 3 days");
        }
        Ok(())
    })
    .await?;
    Ok(worked)
}

/// Queues what happened between two changes again, as far as the endpoint is told about it; how many messages that makes.
/// What there is is read before anything is written, and written in parts, so that nobody waits for long.
pub(super) async fn replay_range(db: &Db, actor: &Actor, id: i64, from: i64, to: Option<i64>) -> Result<u64> {
    let read = move |c: &mut Conn| {
        let sealed = store::get_sealed(c, id)?;
        let range = (from, to.unwrap_or(i64::MAX).min(sealed.after));
        let Endpoint { entities, actions, .. } = sealed.endpoint;
        feed::between(c, range, &kinds(entities), actions.as_deref(), MOST_PENDING + 1)
    };
    let changes = db.read(&Scope::All, read).await?;
    let queued = changes.len() as u64;
    if i64::try_from(queued).unwrap_or(i64::MAX) > MOST_PENDING {
        return Err(Error::field("from", format!("names more than {MOST_PENDING} changes; replay a shorter range")));
    }
    for part in changes.chunks(REPLAYED) {
        let part = part.to_vec();
        let queue = move |w: &mut Write<'_>| {
            store::get(w, id)?;
            store::queue(w, id, &part, None)
        };
        db.write(&Scope::All, actor, queue).await?;
    }
    Ok(queued)
}

/// What is wrong with endpoints: those that Codex has disabled, by id and name with the reason.
pub fn disabled(c: &mut Conn) -> Result<HashMap<i64, (String, String)>> {
    let all = store::all(c)?.into_iter();
    let stopped = all.filter_map(|one| Some((one.id, (one.name, one.disabled_because.filter(|_| !one.enabled)?))));
    Ok(stopped.collect())
}
