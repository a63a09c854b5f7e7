//! Kept answers, attacked: random reads and writes at two instances of one database, each read compared with what a third one
//! says that keeps nothing. `CODEX_TEST_STEPS` says how many (10,000 by hand).

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, PASSWORD, Reply, both, eventually};

/// After how long everybody has heard of a write made elsewhere, on a machine that does much else: the pause between two looks
/// at the database is a tenth of it at most, and after it without one nothing is kept.
const HEARD: Duration = Duration::from_millis(500);
/// For how many steps one instance writes before it is the other one's turn.
const TURN: usize = 100;
/// Where the cookie of somebody who is signed in stands, and one that is worth nothing any more.
const SIGNED_IN: usize = 3;
const SIGNED_OUT: usize = 4;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Who asks, with what.
#[derive(Clone)]
struct Who {
    header: (&'static str, String),
    is_person: bool,
}

async fn ask(api: &Api, who: &Who, target: &str, dress: (&str, &str)) -> Reply {
    let accepts_page = who.is_person && !target.contains("/api/");
    api.send(Method::GET, target, |request| {
        let request = request.header(who.header.0, &who.header.1);
        let request = if accepts_page { request.header("accept", "text/html") } else { request };
        if dress.0.is_empty() { request } else { request.header(dress.0, dress.1) }
    })
    .await
}

/// What of an answer has to be the same whoever gives it.
fn told(reply: &Reply) -> (u16, String, String) {
    let text = reply.text();
    let failed = reply.status >= 400;
    // An error names its request, and so does the page of one.
    (reply.status, reply.header("content-type").to_owned(), if failed { String::new() } else { text })
}

struct World {
    here: [Api; 2],
    uncached: Api,
    who: Vec<Who>,
    admin: Who,
    contact: i64,
    asset: i64,
    account: i64,
    dice: Dice,
    /// When each instance has written something last.
    written: [Instant; 2],
}

impl World {
    /// Signs the client in at an instance; the cookie.
    async fn sign_in(&self, at: usize) -> Who {
        let form = [("username", "cleo"), ("password", PASSWORD)];
        let reply = self.here[at].send(Method::POST, "/login", |request| request.form(&form)).await.status(303);
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        Who { header: ("cookie", cookie), is_person: true }
    }

    async fn send(&self, at: usize, who: &Who, method: Method, target: &str, body: Value) -> Reply {
        self.here[at].send(method, target, |request| request.header(who.header.0, &who.header.1).json(&body)).await
    }

    async fn write(&mut self, round: usize) {
        // The same one for a while, so that there are times when everybody has heard of what the other one wrote.
        let at = round / TURN % 2;
        let admin = self.admin.clone();
        let company = format!("/api/companies/10000{}", 1 + self.dice.below(2));
        let (contact, asset, account) = (self.contact, self.asset, self.account);
        let reply = match self.dice.below(8) {
            0 => self.send(at, &admin, Method::PUT, &company, json!({"name": format!("Works {round}")})).await,
            1 => {
                let level = self.dice.of(&[Value::Null, json!("hipaa")]).clone();
                self.send(at, &admin, Method::PUT, &company, json!({"compliance_level": level})).await
            }
            2 => {
                self.send(
                    at,
                    &admin,
                    Method::PUT,
                    &format!("/api/contacts/{contact}"),
                    json!({"job_title": format!("Chief {round}")}),
                )
                .await
            }
            3 => {
                let company = format!("10000{}", 1 + self.dice.below(2));
                self.send(at, &admin, Method::PUT, &format!("/api/assets/{asset}"), json!({"company_account_number": company}))
                    .await
            }
            4 => {
                let account_number = format!("10000{}", 1 + self.dice.below(2));
                let body = json!({"role": "client", "company_account_number": account_number});
                self.send(at, &admin, Method::PATCH, &format!("/api/accounts/{account}"), body).await
            }
            5 => {
                let body = json!({"role": *self.dice.of(&["billing", "technician"])});
                self.send(at, &admin, Method::PATCH, &format!("/api/accounts/{account}"), body).await
            }
            6 => {
                let theme = *self.dice.of(&["dark", "light"]);
                let who = self.dice.of(&self.who).clone();
                self.send(at, &who, Method::PUT, "/api/my/settings", json!({"theme_preference": theme})).await
            }
            _ => {
                // Signs out for good; whoever carries that cookie is nobody from here on.
                let cookie = self.who[SIGNED_IN].clone();
                let reply =
                    self.here[at].send(Method::POST, "/logout", |request| request.header("cookie", &cookie.header.1)).await;
                self.who[SIGNED_OUT] = cookie;
                self.who[SIGNED_IN] = self.sign_in(at).await;
                reply
            }
        };
        assert!(reply.status < 500, "{}: {}", reply.asked, reply.text());
        self.written[at] = Instant::now();
    }

    /// Compares one answer; whether it was late, which only what was written elsewhere may be.
    async fn read(&mut self) -> bool {
        const TARGETS: [&str; 16] = [
            "/api/companies",
            "/api/companies/100001",
            "/api/companies/100002/contacts",
            "/api/companies/100001/assets",
            "/api/contacts?q=quentin",
            "/api/contacts?fields=id,name,job_title",
            "/api/assets?format=csv",
            "/api/search?q=works",
            "/codex/api/companies?limit=1",
            "/api/my/settings",
            "/",
            "/assets/1",
            "/companies/",
            "/companies/100001",
            "/contacts/?q=quentin",
            "/assets/",
        ];
        const DRESSES: [(&str, &str); 5] =
            [("", ""), ("", ""), ("accept-language", "de"), ("cookie", "codex_theme=dark"), ("x-forwarded-prefix", "/hub")];
        let at = self.dice.below(2);
        let who = self.dice.of(&self.who).clone();
        let (target, dress) = (*self.dice.of(&TARGETS), *self.dice.of(&DRESSES));
        let dress = if dress.0 == who.header.0 { ("", "") } else { dress };
        // Times are told in words that change by themselves: a page may be a second old.
        let is_page = !target.contains("/api/");
        let has_heard = self.written[1 - at].elapsed() > HEARD;
        let kept = ask(&self.here[at], &who, target, dress).await;
        if told(&kept) == told(&ask(&self.uncached, &who, target, dress).await) {
            return false;
        }
        // Who keeps nothing has to hear of an ended session, too.
        tokio::time::sleep(HEARD).await;
        let right = ask(&self.uncached, &who, target, dress).await;
        if told(&kept) == told(&right) {
            return false;
        }
        assert!(is_page || !has_heard, "stale: {} as {:?}\n{}\n{}", kept.asked, who.header, kept.text(), right.text());
        let mut again = ask(&self.here[at], &who, target, dress).await;
        if is_page && told(&again) != told(&ask(&self.uncached, &who, target, dress).await) {
            tokio::time::sleep(2 * HEARD).await;
            again = ask(&self.here[at], &who, target, dress).await;
        }
        let right = ask(&self.uncached, &who, target, dress).await;
        assert_eq!(told(&again), told(&right), "stale for good: {}", again.asked);
        true
    }
}

both! {
    async fn random_reads_and_writes_are_answered_as_if_nothing_were_kept(engine: Engine) {
        let steps = std::env::var("CODEX_TEST_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
        let app = App::start_on(&engine).await;
        let (second, uncached) = (app.beside().await, app.beside_with(&[("CODEX_LIMITS_CACHE_KIB", "0")]).await);
        app.company("100001", "Works").await;
        app.company("100002", "Mills").await;
        let contact = app.contact("Quentin", "quentin@works.example", &["100001"]).await["id"].as_i64().unwrap();
        let asset = app.asset("PC-Q", "100001").await["id"].as_i64().unwrap();
        let body = json!({"username": "cleo", "email": "cleo@works.example", "role": "client", "company_account_number": "100001", "password": PASSWORD});
        let account = app.admin().post("/api/accounts", &body).await.status(201).json()["id"].as_i64().unwrap();
        let bearer = |token: &str, is_person| Who { header: ("authorization", format!("Bearer {token}")), is_person };
        let tokens = app.tokens();
        let admin = bearer(&tokens.admin, true);
        let mut world = World {
            here: [app.anonymous(), second.api(None)],
            uncached: uncached.api(None),
            who: vec![admin.clone(), bearer(&tokens.technician, true), bearer(&tokens.service, false)],
            admin,
            contact,
            asset,
            account,
            dice: Dice(42),
            written: [Instant::now(); 2],
        };
        for _ in [SIGNED_IN, SIGNED_OUT] {
            let client = world.sign_in(0).await;
            world.who.push(client);
        }
        let (mut reads, mut late) = (0, 0);
        for step in 0..steps {
            if world.dice.below(5) == 0 {
                world.write(step).await;
            } else {
                reads += 1;
                late += usize::from(world.read().await);
            }
        }
        eprintln!("{}: {reads} reads, {late} of them before a write made elsewhere was heard of", engine.name());
        assert!(reads > steps / 2);
    }

    async fn a_page_has_a_tag_until_what_it_shows_changes(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Works").await;
        let admin = app.admin();
        let page = |known: String| {
            let admin = admin.clone();
            async move {
                admin.send(Method::GET, "/companies/", |request| request.header("accept", "text/html").header("if-none-match", known)).await
            }
        };
        let first = page("\"x\"".to_owned()).await.status(200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && first.header("cache-control") == "private, no-cache", "{tag}");
        let again = page(tag.clone()).await.status(304);
        assert!(again.body.is_empty() && again.header("etag") == tag && again.header("x-request-id") != first.header("x-request-id"));
        app.technician().get_with("/companies/", "if-none-match", &tag).await.status(200);
        admin.put("/api/companies/100001", &json!({"name": "Mills"})).await.ok();
        assert!(page(tag).await.status(200).text().contains("Mills"));
    }

    async fn each_reading_of_a_protected_record_is_noted_however_often_it_is_asked_for(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.admin().post("/api/companies", &json!({"account_number": "300001", "name": "Clinic", "compliance_level": "hipaa"})).await.status(201);
        let contact = app.contact("Quentin", "quentin@clinic.example", &["300001"]).await["id"].as_i64().unwrap();
        let technician = app.technician();
        for _ in 0..5 {
            technician.get(&format!("/api/contacts/{contact}")).await.ok();
            technician.get_with(&format!("/contacts/{contact}"), "accept", "text/html").await.status(200);
        }
        app.stop().await;
        let noted = |route: &str| {
            let sql = format!("SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM disclosures
                               WHERE caller = 'tess' AND method = 'GET' AND entity = 'contact' AND route = '{route}'");
            app.database.number(&sql)
        };
        assert_eq!((noted("/api/contacts/{id}"), noted("/contacts/{id}")), (5, 5));
    }

    async fn what_a_key_may_still_ask_is_told_anew_each_time(engine: Engine) {
        let app = App::start_on(&engine).await;
        let made = app.technician().post("/api/keys", &json!({"name": "script", "current_password": PASSWORD})).await.status(201).json();
        let api = app.with_token(made["key"].as_str().unwrap());
        let mut left = Vec::new();
        for _ in 0..3 {
            left.push(api.get("/api/companies").await.status(200).header("ratelimit-remaining").parse::<u32>().unwrap());
        }
        assert!(left[0] > left[1] && left[1] > left[2], "{left:?}");
    }

    async fn health_is_told_again_and_asked_anew_once_the_database_is_gone(engine: Engine) {
        let app = App::start_on(&engine).await;
        let statements = || async {
            let text = app.anonymous().get("/metrics").await.status(200).text();
            text.lines().find_map(|line| line.strip_prefix("codex_database_statements_total ")?.parse::<u64>().ok()).unwrap()
        };
        let anonymous = app.anonymous();
        anonymous.get("/health").await.status(200);
        let before = statements().await;
        for _ in 0..50 {
            let health = anonymous.get("/health").await.status(200).json();
            assert_eq!(health["checks"]["database"]["status"], "healthy", "{health}");
        }
        let asked = statements().await - before;
        assert!(asked < 100, "{asked} statements for fifty times the same");
        let Some(file) = app.database.file() else { return };
        let aside = file.with_extension("aside");
        std::fs::rename(file, &aside).unwrap();
        let is = |status: u16| {
            let anonymous = anonymous.clone();
            move || {
                let anonymous = anonymous.clone();
                async move { anonymous.get("/health").await.status == status }
            }
        };
        eventually("health tells that the file is gone", 5, is(503)).await;
        std::fs::rename(&aside, file).unwrap();
        anonymous.get("/health").await.status(200);
    }
}
