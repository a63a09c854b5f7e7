//! TLS without a proxy: a pair made by `codex certs`, served, and exchanged while the server runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, Client, Method};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Api, App, Engine, PASSWORD, eventually};

/// An instance with a pair for this machine.
async fn with_pair() -> (App, PathBuf, PathBuf) {
    let app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let made = app.cli().run(&["certs"]).success();
    let mut files = made.stdout.lines().map(|line| app.folder().join(line));
    let (certificate, key) = (files.next().unwrap(), files.next().unwrap());
    (app, certificate, key)
}

fn serve_with(app: &mut App, certificate: &Path, key: &Path) {
    app.set_env("CODEX_SERVER_TLS_CERT", &certificate.display().to_string());
    app.set_env("CODEX_SERVER_TLS_KEY", &key.display().to_string());
}

/// A client that trusts this certificate and no other.
fn trusting(certificate: &Path) -> Client {
    let pem = Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
    let builder = Client::builder().tls_certs_only([pem]).no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.pool_max_idle_per_host(0).timeout(Duration::from_secs(20)).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_made_for_its_owner_alone_and_never_by_mistake_anew() {
    let (app, certificate, key) = with_pair().await;
    for file in [&certificate, &key] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    let before = std::fs::read(&key).unwrap();
    let refused = app.cli().run(&["certs"]).code(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(std::fs::read(&key).unwrap(), before);
    let made = app.cli().run(&["certs", "codex.example.com", "192.0.2.10", "--force", "--days", "30"]).success();
    assert!(made.stderr.contains("codex.example.com, 192.0.2.10") && made.stderr.contains("fingerprint"), "{}", made.stderr);
    assert_ne!(std::fs::read(&key).unwrap(), before);
    let wrong = app.cli().run(&["certs", "not a name", "--force"]).code(2);
    assert!(wrong.stderr.contains("not a name"), "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_spoken_and_cookies_know_it() {
    let (mut app, certificate, key) = with_pair().await;
    serve_with(&mut app, &certificate, &key);
    app.start().await;
    assert!(app.base().starts_with("https://127.0.0.1:"), "{}", app.base());
    let client = trusting(&certificate);
    let admin = Api::new(app.base(), Some(&app.tokens().admin)).over(client.clone());
    let long = json!({"account_number": "100001", "name": "Acme", "description": "x".repeat(200_000)});
    let refused_or_made = admin.post("/api/companies", &long).await;
    assert!([201, 400].contains(&refused_or_made.status), "{}", refused_or_made.text());
    admin.post("/api/companies", &json!({"account_number": "100002", "name": "Long"})).await.status(201);
    let list = admin.get("/api/companies").await.ok();
    assert!(list.as_array().unwrap().iter().any(|company| company["account_number"] == "100002"));
    let form = [("username", "tess"), ("password", PASSWORD)];
    let anonymous = Api::new(app.base(), None).over(client);
    let signed_in = anonymous.send(Method::POST, "/login", |request| request.form(&form)).await.status(303);
    assert!(signed_in.header("set-cookie").contains("Secure"), "{}", signed_in.header("set-cookie"));
    // Whoever does not speak TLS is not answered, and holds nobody up.
    let address = app.base().trim_start_matches("https://").to_owned();
    let mut plain = tokio::net::TcpStream::connect(&address).await.unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _cut = tokio::time::timeout(Duration::from_secs(10), plain.read_to_end(&mut answer)).await.expect("an end");
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(app.stop().await, 0, "it ends as without TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pair_is_taken_over_and_a_broken_one_is_not() {
    let (mut app, certificate, key) = with_pair().await;
    let old = app.folder().join("old.pem");
    std::fs::copy(&certificate, &old).unwrap();
    // As the README says it: in the instance folder, wherever the server is started.
    assert!(certificate.ends_with("tls/cert.pem") && app.folder() != app.instance(), "{}", certificate.display());
    serve_with(&mut app, Path::new("tls/cert.pem"), Path::new("tls/key.pem"));
    app.start().await;
    let health = |file: &Path| {
        let (client, address) = (trusting(file), format!("{}/health", app.base()));
        async move { client.get(address).send().await.is_ok_and(|reply| reply.status() == 200) }
    };
    assert!(health(&old).await);

    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\nbroken\n").unwrap();
    eventually("it is told of the broken pair", 10, || async { app.log().contains("the last one goes on") }).await;
    assert!(health(&old).await, "the last good pair goes on");
    assert!(!app.log().contains("broken"), "no piece of a key is in the log");

    app.cli().run_beside(&["certs", "--force"]).await.success();
    eventually("the new pair is in use", 10, || health(&certificate)).await;
    assert!(!health(&old).await, "the old one is not");
    assert!(app.log().contains("a new certificate is in use"), "{}", app.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_cannot_be_used_is_refused_at_the_start() {
    let (app, certificate, key) = with_pair().await;
    let other = app.folder().join("other");
    let other_key = other.join("key.pem").display().to_string();
    app.cli().run(&["certs", "--out", &other.display().to_string()]).success();
    let serve = |certificate: &str, key: &str| {
        app.cli().run(&["serve", "--bind", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key])
    };
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    for (certificate, key, named) in [
        (certificate.as_str(), other_key.as_str(), "codex certs"),
        (certificate.as_str(), "/nowhere/key.pem", "/nowhere/key.pem"),
        (key.as_str(), key.as_str(), "no certificate"),
    ] {
        let refused = serve(certificate, key).code(2);
        assert!(refused.stderr.contains(named), "{}", refused.stderr);
    }
    let half = app.cli().env("CODEX_SERVER_TLS_CERT", certificate).run(&["config", "show"]).code(2);
    assert!(half.stderr.contains("server.tls_key"), "{}", half.stderr);
}
