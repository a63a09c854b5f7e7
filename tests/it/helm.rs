//! A stand-in Helm, and what the runs tell it: everything once, and nothing at anybody's expense.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::core::Core;
use crate::freshservice::{Freshservice, Plan};
use crate::http_server::{Answer, Answers, Request, Response, Server};
use crate::support::{App, Engine, both, eventually};

#[derive(Default)]
struct State {
    entries: Vec<Value>,
    problems: Vec<String>,
    requests: usize,
    refuse: usize,
}

#[derive(Default)]
struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with an entry, as Helm's table and viewers see it.
fn wrong(entry: &Value) -> Option<String> {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let at = text("timestamp");
    let checks = [
        (at.parse::<jiff::civil::DateTime>().is_ok() && !at.contains(['Z', '+']), "timestamp"),
        (["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"].contains(&text("level").as_str()), "level"),
        (!text("message").is_empty(), "message"),
        (text("trace_id").len() <= 36, "trace_id"),
        (entry["context"].is_object(), "context"),
        (entry["process_id"].is_u64(), "process_id"),
    ];
    checks.into_iter().find(|(fine, _)| !fine).map(|(_, name)| format!("{name} in {entry}"))
}

impl Answers for World {
    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        state.requests += 1;
        if state.refuse > 0 {
            state.refuse -= 1;
            return Answer::Whole(Response::json(401, &json!({"error": "expired"})));
        }
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
        if claims["target_service"] != "helm" || claims["calling_service"] != "codex" {
            return Answer::Whole(Response::json(401, &json!({"error": "no token for helm"})));
        }
        let body = request.json();
        let logs = body["logs"].as_array().cloned().unwrap_or_default();
        let fine = request.path == "/api/logs/ingest" && body["service_name"] == "codex" && (1..=10).contains(&logs.len());
        if !fine {
            state.problems.push(format!("{} {body}", request.path));
        }
        state.problems.extend(logs.iter().filter_map(wrong));
        let count = logs.len();
        state.entries.extend(logs);
        Answer::Whole(Response::json(200, &json!({"success": true, "ingested": count})))
    }
}

/// A Helm on a port of its own.
struct Helm {
    world: Arc<World>,
    server: Option<Server>,
    port: u16,
}

impl Helm {
    async fn start() -> Self {
        let world = Arc::new(World::default());
        let server = Server::start(0, Arc::clone(&world) as Arc<dyn Answers>).await.expect("Helm's port");
        let port = server.port();
        Self { world, server: Some(server), port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn come_back(&mut self) {
        let world = Arc::clone(&self.world) as Arc<dyn Answers>;
        self.server = Some(Server::start(self.port, world).await.expect("Helm's old port"));
    }

    /// The entries of a job, oldest first: level and message.
    fn of(&self, job: &str) -> Vec<(String, String)> {
        let state = self.world.state();
        let ours = state.entries.iter().filter(|entry| entry["trace_id"] == job);
        ours.map(|entry| (entry["level"].as_str().unwrap().to_owned(), entry["message"].as_str().unwrap().to_owned())).collect()
    }

    fn last(&self) -> Value {
        self.world.state().entries.last().cloned().unwrap_or_default()
    }
}

async fn platform(engine: &Engine, helm: &Helm, vendor: &Freshservice) -> (App, Core) {
    let core = Core::start().await;
    let app = App::builder(engine).core(&core).freshservice(vendor).env("HELM_SERVICE_URL", helm.url()).start().await;
    (app, core)
}

both! {
    async fn every_run_tells_helm_once_whoever_started_it(engine: Engine) {
        let helm = Helm::start().await;
        let mut world = Plan::sized(3, 30).build();
        world.requesters.push(json!({"first_name": "No", "last_name": "Id"}));
        let mut vendor = Freshservice::start(world).await;
        let (app, core) = platform(&engine, &helm, &vendor).await;
        helm.world.state().refuse = 1;
        let output = app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        assert!(!output.stderr.contains("finished"), "once, and that to Helm: {}", output.stderr);
        assert_eq!(core.seen("POST /service-token"), 2, "a token that Helm refuses is renewed");
        let job = helm.last()["trace_id"].as_str().unwrap().to_owned();
        assert_eq!(job.len(), 36);
        let told = helm.of(&job);
        let levels: Vec<&str> = told.iter().map(|(level, _)| level.as_str()).collect();
        assert_eq!(levels, ["INFO", "WARNING", "INFO"], "{told:?}");
        assert_eq!((told[0].1.as_str(), told[2].1.as_str()), ("Freshservice sync started", "Freshservice sync finished"));
        let context = helm.last()["context"].clone();
        assert_eq!((&context["job_id"], &context["kind"], &context["deleted"]), (&json!(job), &json!("freshservice"), &json!(0)));
        assert!(context["created"].as_u64().is_some_and(|created| created >= 33), "{context}");
        assert!(context["duration_seconds"].as_f64().is_some_and(|taken| taken > 0.0), "{context}");

        vendor.go_away();
        let admin = app.with_token(&core.user("ada", "ada@example.com", "admin"));
        let started = admin.post("/sync/freshservice", &json!({})).await.ok();
        let job = started["job_id"].as_str().unwrap().to_owned();
        eventually("Helm hears of the failure", 60, || async { helm.of(&job).len() == 2 }).await;
        let told = helm.of(&job);
        assert_eq!(told[1].0, "ERROR");
        assert!(told[1].1.contains("failed") && helm.last()["context"]["cause"].as_str().is_some_and(|why| why.contains("Freshservice")));
        assert!(!app.log().contains("Freshservice sync failed"), "{}", app.log());
        assert_eq!(helm.world.state().problems, Vec::<String>::new());
    }

    async fn a_helm_that_is_away_costs_nobody_anything(engine: Engine) {
        let mut helm = Helm::start().await;
        let vendor = Freshservice::start(Plan::sized(2, 4).build()).await;
        helm.server = None;
        let (app, core) = platform(&engine, &helm, &vendor).await;
        let began = Instant::now();
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        assert!(began.elapsed() < Duration::from_secs(20));
        let admin = app.with_token(&core.user("ada", "ada@example.com", "admin"));
        let started = admin.post("/sync/freshservice", &json!({})).await.ok();
        let job = started["job_id"].as_str().unwrap().to_owned();
        let path = format!("/sync/status/{job}");
        eventually("the job ends", 30, || async { admin.get(&path).await.ok()["status"] == "completed" }).await;
        helm.come_back().await;
        eventually("what waited arrives", 30, || async { helm.of(&job).len() == 2 }).await;
        assert_eq!(helm.world.state().problems, Vec::<String>::new());
    }

    async fn the_last_words_arrive_before_the_end(engine: Engine) {
        let helm = Helm::start().await;
        let vendor = Freshservice::start(Plan::sized(2, 4).build()).await;
        let (mut app, core) = platform(&engine, &helm, &vendor).await;
        let admin = app.with_token(&core.user("ada", "ada@example.com", "admin"));
        let started = admin.post("/sync/freshservice", &json!({})).await.ok();
        let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap());
        eventually("the job ends", 30, || async { admin.get(&path).await.ok()["status"] == "completed" }).await;
        assert_eq!(app.stop().await, 0);
        assert_eq!(helm.of(started["job_id"].as_str().unwrap()).len(), 2);
    }
}
