//! Keycloak's users become agents: who is new is added, who is disabled or gone there is disabled here, and everybody keeps
//! their own settings.

mod client;

use std::collections::{HashMap, HashSet};

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Value, json};

use self::client::Client;
use crate::web::openapi::schema as json;
use crate::{
    agents::store::{self, Mirrored, Mirroring},
    auth::{Admin, Level},
    config::{Config, keycloak},
    db::Db,
    error::{Error, Result},
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
    },
    types::{Actor, ActorKind, Scope},
    web::{Routes, Web, encode_segment},
};

/// Reads Keycloak's users (contract §1.9).
pub const JOB: JobKind = JobKind(&Definition {
    name: "keycloak_agents",
    aliases: &["agents", "keycloak"],
    label: "Keycloak users",
    what: "Users of the platform, as agents",
    system: keycloak::SYSTEM,
    pulls: true,
    plans: false,
    follows: None,
    in_all: None,
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// Users that are stored in one transaction.
const AT_ONCE: usize = 100;
/// The groups that give a level (contract §3.2), the most powerful first.
const GROUPS: [(&str, Level); 3] = [("admins", Level::Admin), ("technicians", Level::Technician), ("billing", Level::Billing)];

/// The routes of this pull beside `/sync/…`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().post("/api/agents/sync", sync).tells("Mirror the users of Keycloak as agents", json::one::<Report>)
}

/// `POST /api/agents/sync`: answers when it is done.
async fn sync(caller: Admin, State(web): State<Web>) -> Result<Json<Report>> {
    mirror(&web.db, &web.config, &caller.actor()).await.map(Json)
}

async fn body(job: Job) -> Result<Ended> {
    let actor = Actor { kind: ActorKind::Sync, source: Some(keycloak::SYSTEM.to_owned()), ..Actor::system(keycloak::SYSTEM) };
    let report = mirror(&job.db, &job.config, &actor).await?;
    let text = format!(
        "{} users: {} added, {} changed, {} disabled because they are gone",
        report.synced, report.created, report.updated, report.disabled
    );
    let problem = report.errors.as_ref().map(|errors| errors.join("; "));
    let exit_code = u8::from(problem.is_some());
    Ok(Ended { text, problem, exit_code, report: json!(report), items: Vec::new() })
}

/// What came of it, in the words that neighbours read.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MirroredAgents)]
struct Report {
    success: bool,
    synced: usize,
    created: usize,
    updated: usize,
    /// Agents whom Keycloak no longer has.
    disabled: usize,
    total_keycloak_users: usize,
    errors: Option<Vec<String>>,
}

async fn mirror(db: &Db, config: &Config, actor: &Actor) -> Result<Report> {
    if !config.on_platform() {
        return Err(Error::conflict("Keycloak's users are mirrored on the platform alone (core.url)"));
    }
    let mut client = Client::new(config.keycloak.account().map_err(Error::Unavailable)?)?;
    let asked_at = jiff::Timestamp::now().as_second();
    let rows = client.all("users").await?;
    let count = client.count().await?;
    let levels = levels(&mut client).await?;
    let (mut users, mut errors) = (Vec::new(), Vec::new());
    for row in &rows {
        match user(row, &levels) {
            Some(user) => users.push(user),
            None => errors.push("a user without an id or a name was left out".to_owned()),
        }
    }
    let present: HashSet<String> = users.iter().map(|user| user.subject.clone()).collect();
    let mut report = Report {
        success: true,
        synced: users.len(),
        created: 0,
        updated: 0,
        disabled: 0,
        total_keycloak_users: rows.len(),
        errors: None,
    };
    for some in users.chunks(AT_ONCE) {
        let some = some.to_vec();
        let stored =
            db.write_bulk(&Scope::All, actor, move |w| some.iter().map(|user| store::mirror(w, user, asked_at)).collect());
        let stored: Vec<Mirroring> = stored.await?;
        report.created += stored.iter().filter(|one| **one == Mirroring::Created).count();
        report.updated += stored.iter().filter(|one| **one == Mirroring::Updated).count();
    }
    if count == rows.len() && errors.is_empty() && !present.is_empty() {
        let (least, percent) = (config.sync.retire_minimum, config.sync.retire_percent);
        match db.read(&Scope::All, move |c| store::absent(c, &present, (least, percent))).await? {
            Ok(absent) => report.disabled = disable_gone(db, actor, &mut client, absent, (&levels, asked_at)).await?,
            Err(gone) => errors.push(format!("{gone} agents are no longer in Keycloak, more than a run may disable; none was")),
        }
    } else {
        errors.push("the list of users was not complete; nobody was disabled for being absent".to_owned());
    }
    report.errors = Some(errors).filter(|errors| !errors.is_empty());
    Ok(report)
}

/// Disables those of the absent whom Keycloak does not know when it is asked for each: a list moves while it is read, and may
/// leave somebody out who is there. How many those were.
async fn disable_gone(
    db: &Db,
    actor: &Actor,
    client: &mut Client,
    absent: Vec<String>,
    (levels, asked_at): (&HashMap<String, Level>, i64),
) -> Result<usize> {
    let mut gone = 0;
    for subject in absent {
        let found = client.user(&subject).await?;
        let there = found.as_ref().and_then(|row| user(row, levels));
        gone += usize::from(found.is_none());
        db.write(&Scope::All, actor, move |w| match (found, there) {
            (None, _) => store::disable(w, &subject),
            (Some(_), Some(user)) => store::mirror(w, &user, asked_at).map(|_| ()),
            (Some(_), None) => Ok(()),
        })
        .await?;
    }
    Ok(gone)
}

/// The level of each member of the groups that give one.
async fn levels(client: &mut Client) -> Result<HashMap<String, Level>> {
    let groups = client.all("groups").await?;
    let mut levels = HashMap::new();
    for (name, level) in GROUPS {
        let named = groups.iter().filter(|group| group.get("name").and_then(Value::as_str) == Some(name));
        for id in named.filter_map(|group| group.get("id")?.as_str()) {
            for member in client.all(&format!("groups/{}/members", encode_segment(id))).await? {
                if let Some(id) = member.get("id").and_then(Value::as_str) {
                    levels.entry(id.to_owned()).or_insert(level);
                }
            }
        }
    }
    Ok(levels)
}

fn user(row: &Value, levels: &HashMap<String, Level>) -> Option<Mirrored> {
    let text = |name: &str| {
        let text = crate::types::clean(row.get(name)?.as_str()?);
        Some(text).filter(|text| !text.is_empty())
    };
    let subject = text("id")?;
    Some(Mirrored {
        username: text("username")?,
        email: text("email"),
        first_name: text("firstName"),
        last_name: text("lastName"),
        enabled: row.get("enabled").and_then(Value::as_bool).unwrap_or(false),
        level: levels.get(&subject).copied().unwrap_or_default(),
        subject,
    })
}
