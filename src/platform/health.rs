//! `GET /health`: 503 only when our own database is unusable, because neighbours go down with us.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{core_probe::CoreProbe, disk};
use crate::web::openapi::schema as json;
use crate::{
    config::Config,
    db::Db,
    error::{Error, Result},
    status,
    types::{Scope, now},
    web::{Routes, answers::Keepable},
};

/// How long the database may take for the smallest question; Helm waits two seconds for the whole answer.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What is looked at.
#[derive(Debug)]
pub struct Health {
    db: Db,
    service: String,
    engine: &'static str,
    folder: PathBuf,
    core: Option<CoreProbe>,
}

impl Health {
    /// Over this database and configuration.
    pub fn new(config: &Config, db: Db) -> Result<Self> {
        let core = config.core.url.as_deref().map(CoreProbe::new).transpose()?;
        let (service, engine) = (config.core.service_name.clone(), config.database.engine());
        Ok(Self { db, service, engine, folder: config.instance.clone(), core })
    }

    /// Looks at everything; the status is that of the answer.
    pub async fn check(&self) -> (StatusCode, Json<Value>) {
        let core = async {
            match &self.core {
                Some(core) => Some(core.ask().await),
                None => None,
            }
        };
        let (database, core, sources) = tokio::join!(self.database(), core, self.sources());
        let disk = disk::look(&self.folder);
        let damage = self.db.damage();
        let core_is_well = core.as_ref().is_none_or(|core| core.status == "healthy");
        let (answer, status) = match &database {
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
            Ok(_) if damage.is_some() || self.db.is_unstorable() => (StatusCode::OK, "degraded"),
            Ok(_) if disk.status == "healthy" && core_is_well => (StatusCode::OK, "healthy"),
            Ok(_) => (StatusCode::OK, "degraded"),
        };
        let database = match database {
            // Anybody may read this: what was found stands in the log.
            Ok(taken) if damage.is_some() => json!({
                "status": "unhealthy", "latency_ms": milliseconds(taken), "type": self.engine,
                "error": "the database is damaged; restore a backup (codex restore)",
            }),
            Ok(taken) if self.db.is_unstorable() => json!({
                "status": "unhealthy", "latency_ms": milliseconds(taken), "type": self.engine,
                "error": "the last change could not be stored: the database cannot be written (see the log)",
            }),
            Ok(taken) => json!({ "status": "healthy", "latency_ms": milliseconds(taken), "type": self.engine }),
            Err(reason) => json!({ "status": "unhealthy", "latency_ms": null, "type": self.engine, "error": reason }),
        };
        let dependencies = core.map_or_else(|| json!({}), |core| json!({ "core": core }));
        let checks = json!({ "database": database, "disk": disk, "dependencies": dependencies, "sources": sources });
        (answer, Json(json!({ "service": self.service, "status": status, "timestamp": now(), "checks": checks })))
    }

    /// How fresh each source is: told, never a reason to be unwell. Anybody may read this, so it says no
    /// reasons.
    async fn sources(&self) -> Value {
        let question = self.db.read(&Scope::All, status::freshness);
        let Ok(Ok(sources)) = tokio::time::timeout(PATIENCE, question).await else { return json!({}) };
        let told = sources.into_iter().map(|known| {
            let said = json!({
                "status": known.state, "as_of": known.as_of, "age_seconds": known.age_seconds, "next_run_at": known.next_run_at,
            });
            (known.source, said)
        });
        Value::Object(told.collect())
    }

    /// How long the database took, or why it cannot be used.
    async fn database(&self) -> Result<Duration, String> {
        let db = self.db.clone();
        let looked = tokio::task::spawn_blocking(move || db.is_displaced());
        if let Ok(Ok(true)) = tokio::time::timeout(PATIENCE, looked).await {
            return Err("the file of the database was deleted or replaced while Codex used it (see the log)".to_owned());
        }
        let (started, reads) = (Instant::now(), self.db.reads());
        let question = self.db.read(&Scope::All, crate::db::ping);
        match tokio::time::timeout(PATIENCE, question).await {
            Ok(Ok(())) => Ok(started.elapsed()),
            Ok(Err(Error::Unavailable(reason) | Error::Storage(reason))) => Err(reason),
            Ok(Err(Error::Damaged(_))) => Err("the database is damaged; restore a backup (codex restore)".to_owned()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database does not answer as it should");
                Err("the database does not answer as it should".to_owned())
            }
            // Others are answered: there are many of them, and the database is well.
            Err(_) if self.db.reads() > reads => Ok(started.elapsed()),
            Err(_) => Err("the database takes too long to answer".to_owned()),
        }
    }
}

fn milliseconds(taken: Duration) -> f64 {
    (taken.as_secs_f64() * 100_000.0).round() / 100.0
}

/// The routes, for everybody. They need `Extension(Arc<Health>)`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/health", show)
        .tells("Tell how Codex is", answer)
        .answers(503, "The database cannot be used.", answer)
        .get("/api/health", show)
        .tells("Tell how Codex is", answer)
        .answers(503, "The database cannot be used.", answer)
}

/// What they answer.
fn answer(schemas: &mut json::Schemas) -> Value {
    let database = [("status", json::text()), ("latency_ms", json::or_null(json::number())), ("type", json::text())];
    let number = || json::or_null(json::number());
    let disk = [("status", json::text()), ("usage_percent", number()), ("free_gb", number()), ("total_gb", number())];
    let core = json::with(
        json::object(&[("status", json::choice(&["healthy", "unhealthy"]))]),
        &[("response_time_ms", json::int()), ("http_status", json::int()), ("error", json::text())],
    );
    let moment = || json::or_null(json::text());
    let source = [
        ("status", json::one::<status::State>(schemas)),
        ("as_of", moment()),
        ("age_seconds", json::or_null(json::int())),
        ("next_run_at", moment()),
    ];
    let checks = json::object(&[
        ("database", json::with(json::object(&database), &[("error", json::text())])),
        ("disk", json::object(&disk)),
        ("dependencies", json::optional(&[("core", core)])),
        ("sources", json::map(json::object(&source))),
    ]);
    let members = [("service", json::text()), ("status", json::text()), ("timestamp", json::text()), ("checks", checks)];
    json::object(&members)
}

/// That Codex can be used may be told again for a second. That it cannot is found out each time, and while nobody hears from
/// the database nothing is told again.
async fn show(Extension(health): Extension<Arc<Health>>) -> Response {
    let mut response = health.check().await.into_response();
    response.extensions_mut().insert(Keepable);
    response
}
