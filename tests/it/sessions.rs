//! Where people are signed in: what the account page and the API tell of it, and ending it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, PASSWORD, Reply, both};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Signs tess in with a browser at an address; the cookie.
async fn browser(app: &App, address: &str) -> String {
    let form = [("username", "tess"), ("password", PASSWORD)];
    let anonymous = app.anonymous();
    let reply = anonymous.send(Method::POST, "/login", |request| {
        request.header("x-forwarded-for", address).header("user-agent", FIREFOX).form(&form)
    });
    reply.await.status(303).header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn with(app: &App, cookie: &str, method: Method, path: &str) -> Reply {
    app.anonymous().send(method, path, |request| request.header("cookie", cookie)).await
}

async fn list(api: &Api) -> Vec<Value> {
    api.get("/api/my/sessions").await.ok().as_array().unwrap().clone()
}

both! {
    async fn sessions_tell_when_from_where_and_with_what(engine: Engine) {
        let app = App::start_on(&engine).await;
        let cookie = browser(&app, "203.0.113.7").await;
        let bought = app.anonymous().post("/api/token", &json!({"username": "tess", "password": PASSWORD})).await.ok();
        let own = with(&app, &cookie, Method::GET, "/api/my/sessions").await.ok();
        assert_eq!(own.as_array().unwrap().len(), 3, "the browser, the token, and that of the command line: {own}");
        let here = own.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
        assert_eq!((&here["browser"], &here["address"], &here["kind"]), (&json!("Firefox on Windows"), &json!("203.0.113.7"), &json!("browser")));
        assert!(here["created_at"].is_string() && here["expires_at"].is_string());
        let jti = app.database.texts("SELECT jti FROM sessions");
        assert!(jti.iter().all(|jti| !own.to_string().contains(jti.as_str())), "the id of a session is in its token alone");
        assert!(!list(&app.admin()).await.iter().any(|session| session["id"] == here["id"]), "others see nothing of it");
        let api = app.with_token(bought["token"].as_str().unwrap());
        assert_eq!(list(&api).await.iter().filter(|session| session["current"] == true).count(), 1);
        let page = app.anonymous().send(Method::GET, "/settings", |request| request.header("accept", "text/html").header("cookie", &cookie)).await;
        let text = page.status(200).text();
        assert!(text.contains("Firefox on Windows") && text.contains("203.0.113.7") && text.contains("This session"), "{text}");
    }

    async fn every_session_is_listed_and_can_be_ended(engine: Engine) {
        let app = App::start_on(&engine).await;
        for number in 0..60 {
            app.database.execute(&format!(
                "INSERT INTO sessions (jti, user_id, kind, created_at, expires_at)
                 SELECT 'old-{number}', id, 'api', '2026-01-01T00:00:{number:02}Z', '2099-01-01T00:00:00Z' FROM users WHERE username = 'tess'"
            ));
        }
        let tess = app.technician();
        let sessions = list(&tess).await;
        assert_eq!(sessions.len(), 61);
        let last = sessions.last().unwrap()["id"].as_str().unwrap();
        tess.delete(&format!("/api/my/sessions/{last}")).await.status(204);
        assert_eq!(list(&tess).await.len(), 60);
        let page = async |path: &str| tess.get_with(path, "accept", "text/html").await.status(200).text();
        let first = page("/settings").await;
        assert!(first.contains("/settings?sessions_from=50#sessions") && first.contains("Older sessions"), "{first}");
        let second = page("/settings?sessions_from=50").await;
        assert_eq!(second.matches("/account/sessions/").count() - 1, 10, "{second}");
    }

    async fn administrators_see_and_end_the_sessions_of_others(engine: Engine) {
        let app = App::start_on(&engine).await;
        let cookie = browser(&app, "203.0.113.9").await;
        let ada = app.admin();
        let accounts = ada.get("/api/accounts").await.ok();
        let id = accounts.as_array().unwrap().iter().find(|account| account["username"] == "tess").unwrap()["id"].clone();
        let path = format!("/api/accounts/{id}/sessions");
        let seen = ada.get(&path).await.ok();
        let theirs = seen.as_array().unwrap().iter().find(|session| session["address"] == "203.0.113.9").unwrap();
        assert_eq!((&theirs["browser"], &theirs["current"], &theirs["last_used_at"]), (&json!("Firefox on Windows"), &json!(false), &Value::Null));
        with(&app, &cookie, Method::GET, "/api/my/settings").await.status(200);
        crate::support::eventually("its use is noted", 5, || async {
            ada.get(&path).await.ok().as_array().unwrap().iter().any(|session| session["address"] == "203.0.113.9" && session["last_used_at"].is_string())
        }).await;
        app.technician().get(&path).await.status(403);
        ada.get("/api/accounts/999/sessions").await.status(404);
        let page = ada.get_with(&format!("/admin/users/{id}"), "accept", "text/html").await.status(200).text();
        let end = format!("/admin/users/{id}/sessions/{}/end", theirs["id"].as_str().unwrap());
        assert!(page.contains("203.0.113.9") && page.contains(&end), "{page}");
        ada.send(Method::POST, &end, |request| request.header("accept", "text/html")).await.status(303);
        with(&app, &cookie, Method::GET, "/api/my/settings").await.status(401);
        let again = browser(&app, "203.0.113.10").await;
        let sessions = ada.get(&path).await.ok();
        let session = sessions.as_array().unwrap().iter().find(|session| session["address"] == "203.0.113.10").unwrap()["id"].as_str().unwrap().to_owned();
        app.technician().delete(&format!("{path}/{session}")).await.status(403);
        ada.delete(&format!("{path}/{session}")).await.status(204);
        ada.delete(&format!("{path}/{session}")).await.status(404);
        with(&app, &again, Method::GET, "/api/my/settings").await.status(401);
        assert_eq!(ada.send(Method::DELETE, &path, |request| request.json(&json!({}))).await.ok()["ended"], 1, "the token");
        app.technician().get("/api/my/settings").await.status(401);
        ada.get("/api/my/settings").await.status(200);
    }

    async fn sessions_end_one_by_one_or_all_others(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (one, two, three) = (browser(&app, "203.0.113.1").await, browser(&app, "203.0.113.2").await, browser(&app, "203.0.113.3").await);
        let asked = async |cookie: &str| with(&app, cookie, Method::GET, "/api/my/settings").await.status;
        let sessions = list(&app.technician()).await;
        let id = |address: &str| sessions.iter().find(|session| session["address"] == address).unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/my/sessions/{}", id("203.0.113.2"));
        app.admin().delete(&path).await.status(404);
        assert_eq!(asked(&two).await, 200);
        with(&app, &one, Method::DELETE, &path).await.status(204);
        with(&app, &one, Method::DELETE, &path).await.status(404);
        assert_eq!((asked(&one).await, asked(&two).await, asked(&three).await), (200, 401, 200));
        let form = format!("/account/sessions/{}/end", id("203.0.113.3"));
        with(&app, &one, Method::POST, &form).await.status(303);
        assert_eq!(asked(&three).await, 401);
        let four = browser(&app, "203.0.113.4").await;
        assert_eq!(with(&app, &one, Method::DELETE, "/api/my/sessions").await.ok()["ended"], 2, "the browser and the token");
        assert_eq!((asked(&one).await, asked(&four).await, app.technician().get("/api/my/settings").await.status), (200, 401, 401));
        let five = browser(&app, "203.0.113.5").await;
        with(&app, &one, Method::POST, "/account/sessions/end-others").await.status(303);
        assert_eq!((asked(&one).await, asked(&five).await), (200, 401));
        app.admin().get("/api/my/sessions").await.status(200);
    }
}
