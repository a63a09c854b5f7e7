//! Keycloak's users as agents: a stand-in over real HTTP, with its pages of a hundred, its short tokens and its bad days.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::core::{Core, user_claims};
use crate::http_server::{Answer, Answers, Request, Response, Server};
use crate::support::{Api, App, Engine, both, eventually};

const PASSWORD: &str = "keycloak's own password";

#[derive(Default)]
struct State {
    users: Vec<Value>,
    admins: Vec<String>,
    /// How many answers a token is good for; none for ever.
    token_lasts: Option<usize>,
    served: usize,
    tokens: usize,
    /// The path that answers 500.
    broken: Option<&'static str>,
    /// How many users are said to be there beyond those that are listed.
    unlisted: usize,
    /// Who is deleted once the first page of users has been read.
    vanishes: Option<usize>,
}

struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for World {
    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        if request.path == "/realms/master/protocol/openid-connect/token" {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            if !form.contains("client_id=admin-cli")
                || !form.contains("grant_type=password")
                || !form.contains("keycloak%27s+own+password")
            {
                return Answer::Whole(Response::json(401, &json!({"error": "invalid_grant"})));
            }
            state.tokens += 1;
            state.served = 0;
            return Answer::Whole(Response::json(
                200,
                &json!({"access_token": format!("token-{}", state.tokens), "expires_in": 60}),
            ));
        }
        state.served += 1;
        let stale = state.token_lasts.is_some_and(|most| state.served > most);
        if stale || request.header("authorization") != Some(&format!("Bearer token-{}", state.tokens)) {
            return Answer::Whole(Response::json(401, &json!({"error": "HTTP 401 Unauthorized"})));
        }
        let Some(path) = request.path.strip_prefix("/admin/realms/msp/") else {
            return Answer::Whole(Response::json(404, &json!({"error": "Realm not found."})));
        };
        if state.broken == Some(path) {
            return Answer::Whole(Response::json(500, &json!({"error": "unknown_error"})));
        }
        let page = |rows: Vec<Value>| {
            let number = |name: &str, usual: usize| request.param(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
            let rows: Vec<Value> = rows.into_iter().skip(number("first", 0)).take(number("max", 100).min(100)).collect();
            Response::json(200, &json!(rows))
        };
        Answer::Whole(match path {
            "users" => {
                let answer = page(state.users.clone());
                if let Some(number) = state.vanishes.take() {
                    state.users.remove(number);
                }
                answer
            }
            _ if path.strip_prefix("users/").is_some_and(|id| state.users.iter().any(|user| user["id"] == id)) => {
                let id = path.trim_start_matches("users/");
                Response::json(200, state.users.iter().find(|user| user["id"] == id).expect("a user"))
            }
            "users/count" => Response::json(200, &json!(state.users.len() + state.unlisted)),
            "groups" => page(vec![
                json!({"id": "g-1", "name": "admins"}),
                json!({"id": "g-2", "name": "technicians"}),
                json!({"id": "g-3", "name": "others"}),
            ]),
            "groups/g-1/members" => {
                page(state.users.iter().filter(|user| state.admins.iter().any(|id| user["id"] == **id)).cloned().collect())
            }
            "groups/g-2/members" => page(vec![]),
            _ => Response::json(404, &json!({"error": "not found"})),
        })
    }
}

struct Keycloak {
    world: Arc<World>,
    server: Server,
}

impl Keycloak {
    async fn start(users: Vec<Value>) -> Self {
        let world = Arc::new(World(Mutex::new(State { users, ..State::default() })));
        let server = Server::start(0, Arc::clone(&world) as Arc<dyn Answers>).await.expect("a port");
        Self { world, server }
    }
}

fn user(number: usize, enabled: bool) -> Value {
    json!({"id": format!("kc-{number}"), "username": format!("user{number:03}"), "email": format!("user{number:03}@msp.example.com"),
           "firstName": "User", "lastName": format!("Number {number}"), "enabled": enabled})
}

async fn platform(engine: &Engine, core: &Core, keycloak: &Keycloak) -> App {
    App::builder(engine)
        .core(core)
        .env("KEYCLOAK_BACKEND_URL", format!("http://127.0.0.1:{}", keycloak.server.port()))
        .env("KEYCLOAK_REALM", "msp")
        .env("KEYCLOAK_ADMIN_PASS", PASSWORD)
        .start()
        .await
}

fn person(app: &App, core: &Core, name: &str, level: &str) -> Api {
    app.with_token(&core.token(&user_claims(name, &format!("{name}@msp.example.com"), level)))
}

both! {
    async fn two_hundred_and_fifty_users_arrive_and_keep_their_settings(engine: Engine) {
        let core = Core::start().await;
        let keycloak = Keycloak::start((0..250).map(|number| user(number, number != 7)).collect()).await;
        keycloak.world.state().admins = vec!["kc-1".to_owned()];
        keycloak.world.state().token_lasts = Some(2);
        let app = platform(&engine, &core, &keycloak).await;
        let service = app.with_token(&core.token(&crate::core::service_claims("helm", "codex")));
        let report = service.post("/api/agents/sync", &json!({})).await.ok();
        assert_eq!((&report["success"], &report["created"], &report["updated"], &report["total_keycloak_users"], &report["errors"]),
                   (&json!(true), &json!(250), &json!(0), &json!(250), &Value::Null), "{report}");
        assert!(keycloak.world.state().tokens > 2, "a token that ran out is renewed");
        let agents = service.get("/api/agents").await.ok();
        assert_eq!((agents["agents"].as_array().unwrap().len(), &agents["total"]), (250, &json!(250)));
        let one = service.get("/api/agents/kc-7").await.ok();
        let keys: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(&keys[..6], ["keycloak_id", "username", "email", "first_name", "last_name", "enabled"]);
        assert_eq!((&one["enabled"], &one["first_name"], &one["theme_preference"], &one["id"], &one["permission_level"]),
                   (&json!(false), &json!("User"), &json!("light"), &json!("kc-7"), &json!("client")));
        assert!(one["last_synced_at"].is_string() && one["created_at"].is_string());
        assert_eq!(service.get("/api/agents/kc-1").await.ok()["permission_level"], "admin");
        assert_eq!(service.get("/api/agents/nobody").await.status(404).error(), "Agent not found");

        let saved = service.put("/api/agents/kc-2/settings", &json!({"theme_preference": "dark", "preferred_color_theme": "bee"})).await.ok();
        assert_eq!((&saved["success"], &saved["agent"]["theme_preference"], &saved["agent"]["theme"]), (&json!(true), &json!("dark"), &json!("dark")));
        assert_eq!(service.put("/api/agents/kc-2/settings", &json!({"theme_preference": "pink"})).await.status(400).fields(), ["theme_preference"]);
        assert_eq!(service.put("/api/agents/nobody/settings", &json!({})).await.status(404).error(), "Agent not found");
        keycloak.world.state().users[2]["lastName"] = json!("Renamed");
        let again = service.post("/api/agents/sync", &json!({})).await.ok();
        assert_eq!((&again["created"], &again["updated"], &again["disabled"]), (&json!(0), &json!(1), &json!(0)), "{again}");
        let kept = service.get("/api/agents/kc-2").await.ok();
        assert_eq!((&kept["last_name"], &kept["theme_preference"]), (&json!("Renamed"), &json!("dark")));
        let theme = service.get("/api/public/user/theme?email=USER002@msp.example.com").await.ok();
        assert_eq!(theme, json!({"theme": "dark", "color_theme": "bee", "source": "codex", "email": "USER002@msp.example.com"}));
        let text = app.log() + &service.get("/api/changes?types=agent").await.text();
        assert!(!text.contains(PASSWORD), "the password of Keycloak in log or history");
    }

    async fn who_is_gone_is_disabled_when_the_list_was_whole(engine: Engine) {
        let core = Core::start().await;
        let keycloak = Keycloak::start((0..12).map(|number| user(number, true)).collect()).await;
        let app = platform(&engine, &core, &keycloak).await;
        let ada = person(&app, &core, "ada", "admin");
        let key = ada.post("/api/keys", &json!({"name": "k"})).await.status(201).json();
        let program = app.with_token(key["key"].as_str().unwrap());
        program.get("/api/agents").await.status(200);
        keycloak.world.state().users.push(json!({"id": "keycloak-ada", "username": "ada", "email": "ada@msp.example.com", "enabled": true}));
        keycloak.world.state().admins = vec!["keycloak-ada".to_owned()];
        ada.post("/api/agents/sync", &json!({})).await.ok();
        program.get("/api/agents").await.status(200);

        keycloak.world.state().users.remove(3);
        keycloak.world.state().unlisted = 1;
        let partial = ada.post("/api/agents/sync", &json!({})).await.ok();
        assert_eq!((&partial["disabled"], partial["errors"].as_array().unwrap().len()), (&json!(0), 1), "{partial}");
        assert_eq!(ada.get("/api/agents/kc-3").await.ok()["enabled"], true);
        keycloak.world.state().unlisted = 0;
        assert_eq!(ada.post("/api/agents/sync", &json!({})).await.ok()["disabled"], 1);
        assert_eq!(ada.get("/api/agents/kc-3").await.ok()["enabled"], false);
        keycloak.world.state().users.insert(3, user(3, true));
        ada.post("/api/agents/sync", &json!({})).await.ok();
        assert_eq!(ada.get("/api/agents/kc-3").await.ok()["enabled"], true, "whoever comes back is back");

        keycloak.world.state().users.drain(0..6);
        let many = ada.post("/api/agents/sync", &json!({})).await.ok();
        assert!(many["errors"][0].as_str().unwrap().contains("6 agents") && many["disabled"] == 0, "{many}");
        for broken in ["users", "users/count", "groups"] {
            keycloak.world.state().broken = Some(broken);
            assert!(ada.post("/api/agents/sync", &json!({})).await.status(502).error().contains("Keycloak"));
        }
        keycloak.world.state().broken = None;
        let left = app.database.number("SELECT COUNT(*) FROM agents WHERE enabled");
        assert_eq!(left, 13, "a list that fails disables nobody");

        keycloak.world.state().users.iter_mut().filter(|user| user["id"] == "keycloak-ada").for_each(|user| user["enabled"] = json!(false));
        ada.post("/api/agents/sync", &json!({})).await.ok();
        program.get("/api/agents").await.status(401);
    }

    async fn who_slips_between_two_pages_is_not_gone(engine: Engine) {
        let core = Core::start().await;
        let keycloak = Keycloak::start((0..150).map(|number| user(number, true)).collect()).await;
        let app = platform(&engine, &core, &keycloak).await;
        let service = app.with_token(&core.token(&crate::core::service_claims("helm", "codex")));
        service.post("/api/agents/sync", &json!({})).await.ok();
        keycloak.world.state().vanishes = Some(3);
        let report = service.post("/api/agents/sync", &json!({})).await.ok();
        assert_eq!((&report["total_keycloak_users"], &report["disabled"], &report["errors"]), (&json!(149), &json!(0), &Value::Null), "{report}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM agents WHERE NOT enabled"), 0, "the hundredth user moved to the first page");
        assert_eq!(service.post("/api/agents/sync", &json!({})).await.ok()["disabled"], 1);
        assert_eq!(service.get("/api/agents/kc-3").await.ok()["enabled"], false);
    }

    async fn the_mirror_runs_by_itself_and_reaches_keys(engine: Engine) {
        let core = Core::start().await;
        let keycloak = Keycloak::start((0..3).map(|number| user(number, true)).collect()).await;
        keycloak.world.state().users.push(json!({"id": "keycloak-ada", "username": "ada", "email": "ada@msp.example.com", "enabled": true}));
        keycloak.world.state().admins = vec!["keycloak-ada".to_owned()];
        let by_default = platform(&engine, &core, &keycloak).await;
        let schedule = person(&by_default, &core, "ada", "admin").get("/api/sync/schedules/keycloak_agents").await.ok();
        assert_eq!((&schedule["enabled"], &schedule["cadence"]), (&json!(true), &json!("every 10m")), "{schedule}");
        let app = App::builder(&engine)
            .core(&core)
            .env("KEYCLOAK_BACKEND_URL", format!("http://127.0.0.1:{}", keycloak.server.port()))
            .env("KEYCLOAK_REALM", "msp")
            .env("KEYCLOAK_ADMIN_PASS", PASSWORD)
            .env("CODEX_SKIP_SCHEDULER", "")
            .env("CODEX_SCHEDULER_KEYCLOAK_AGENTS", "every 1s")
            .start()
            .await;
        let key = person(&app, &core, "ada", "admin").post("/api/keys", &json!({"name": "k"})).await.status(201).json();
        let program = app.with_token(key["key"].as_str().unwrap());
        program.get("/api/agents").await.status(200);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        keycloak.world.state().admins.clear();
        eventually("a key follows a demotion in Keycloak", 20, || async { program.get("/api/agents").await.status == 403 }).await;
        keycloak.world.state().users.pop();
        eventually("and falls silent with its owner", 20, || async { program.get("/api/companies").await.status == 401 }).await;
    }

    async fn an_older_token_does_not_raise_a_level_again(engine: Engine) {
        let core = Core::start().await;
        let keycloak = Keycloak::start(vec![]).await;
        let app = platform(&engine, &core, &keycloak).await;
        let issued = |level: &str, by: i64| {
            let mut claims = user_claims("tess", "tess@msp.example.com", level);
            claims["iat"] = json!(crate::core::seconds_from_now(by));
            app.with_token(&core.token(&claims))
        };
        let (old, new) = (issued("admin", -300), issued("technician", -100));
        let key = old.post("/api/keys", &json!({"name": "k"})).await.status(201).json();
        let program = app.with_token(key["key"].as_str().unwrap());
        program.get("/api/agents").await.status(200);
        new.get("/api/companies").await.status(200);
        eventually("the newer token counts", 10, || async { program.get("/api/agents").await.status == 403 }).await;
        old.get("/api/companies").await.status(200);
        old.put("/api/my/settings", &json!({"theme_preference": "dark"})).await.ok();
        issued("admin", -301).get("/api/companies").await.status(200);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        program.get("/api/agents").await.status(403);
        assert_eq!(new.get("/api/my/settings").await.ok()["theme_preference"], "dark");
        issued("admin", -50).get("/api/companies").await.status(200);
        eventually("a newer one raises it", 10, || async { program.get("/api/agents").await.status == 200 }).await;
    }

    async fn the_job_tells_how_it_went(engine: Engine) {
        let core = Core::start().await;
        let keycloak = Keycloak::start((0..3).map(|number| user(number, true)).collect()).await;
        let app = platform(&engine, &core, &keycloak).await;
        let ada = person(&app, &core, "ada", "admin");
        let started = ada.post("/sync/agents", &json!({})).await.ok();
        assert_eq!(started["success"], true);
        let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap());
        eventually("the job ends", 20, || async { ada.get(&path).await.ok()["status"] != "running" }).await;
        let ended = ada.get("/sync/last/keycloak_agents").await.ok();
        assert_eq!((&ended["status"], &ended["script"]), (&json!("completed"), &json!("keycloak_agents")), "{ended}");
        assert!(ended["output"].as_str().unwrap().contains("3 added"), "{ended}");
        person(&app, &core, "tess", "technician").post("/sync/agents", &json!({})).await.status(403);
        let page = ada.get_with("/agents", "accept", "text/html").await.status(200).text();
        for call in ["/helm/api/keycloak/users\"", "/helm/api/keycloak/users/kc-1/reset-password", "/helm/api/keycloak/users/kc-1/groups", "/api/agents/sync"] {
            assert!(page.contains(call), "{call} in {page}");
        }
    }

    async fn whoever_comes_with_a_token_is_an_agent(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        let ada = person(&app, &core, "ada", "admin");
        let tess = person(&app, &core, "tess", "technician");
        tess.get("/api/companies").await.status(200);
        eventually("tess is known", 10, || async { ada.get("/api/agents/keycloak-tess").await.status == 200 }).await;
        let key = tess.post("/api/keys", &json!({"name": "k", "access": "read-write"})).await.status(201).json();
        let program = app.with_token(key["key"].as_str().unwrap());
        program.post("/api/companies", &json!({"account_number": "100001", "name": "Acme"})).await.status(201);
        person(&app, &core, "tess", "billing").get("/api/companies").await.status(200);
        eventually("the key follows its owner's level", 10, || async {
            program.post("/api/companies", &json!({"account_number": "100002", "name": "Other"})).await.status == 403
        }).await;
        assert_eq!(tess.get("/api/my/settings").await.ok()["synced"], true);
        assert!(ada.post("/api/agents/sync", &json!({})).await.status(503).error().contains("KEYCLOAK_BACKEND_URL"));
    }
}
