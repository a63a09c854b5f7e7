//! `codex call`: neighbours by name, with Core's tokens; and mail from the command line and for invitations.

use serde_json::json;

use crate::core::Core;
use crate::http_server::Response;
use crate::receiver::{Receiver, Smtp};
use crate::support::{App, Engine, both};

both! {
    async fn a_neighbour_is_called_with_a_token_that_is_fetched_anew_when_refused(engine: Engine) {
        let (core, ledger) = (Core::start().await, Receiver::start().await);
        let app = App::builder(&engine).core(&core).prepare();
        let base = ledger.url().replace("/hook", "");
        std::fs::write(app.folder().join("services.json"), json!({"ledger": {"url": base, "port": 1}}).to_string()).unwrap();
        let cli = app.cli();
        tokio::task::block_in_place(|| {
            ledger.answer(&[Response::json(200, &json!({"status": "healthy"}))]);
            let said = cli.run(&["call", "ledger", "/health?x=1"]).success();
            assert_eq!(said.stdout.trim(), r#"{"status":"healthy"}"#);
            let request = ledger.requests().pop().unwrap();
            assert_eq!((request.method.as_str(), request.path.as_str(), request.param("x")), ("GET", "/health", Some("1")));
            assert!(request.header("authorization").is_some_and(|header| header.starts_with("Bearer ")));

            ledger.answer(&[Response::json(401, &json!({})), Response::json(201, &json!({"made": 1}))]);
            cli.run(&["call", "ledger", "/api/x", "--data", r#"{"a": 1}"#]).success();
            let requests = ledger.requests();
            assert_eq!(requests.len(), 3, "refused once, then fetched anew");
            assert_eq!((requests[2].method.as_str(), requests[2].json()), ("POST", json!({"a": 1})));

            ledger.answer(&[Response::json(404, &json!({"error": "no"}))]);
            assert_eq!(cli.run(&["call", "ledger", "/nothing"]).code, 6);
            assert_eq!(cli.run(&["call", "beacon", "/"]).code, 2);
            assert_eq!(cli.run(&["call", "ledger", "https://elsewhere.example/"]).code, 2);
            assert_eq!(cli.run(&["call", "ledger", "/", "--data", "{"]).code, 2);
        });
        assert!(core.seen("POST /service-token") >= 2);
    }

    async fn mail_is_tested_and_carries_invitations(engine: Engine) {
        let smtp = Smtp::start().await;
        let app = App::builder(&engine).configuration(&smtp.configuration()).start().await;
        let cli = app.cli();
        tokio::task::block_in_place(|| {
            let said = cli.run(&["mail", "test", "ada@example.com"]).success();
            assert!(said.stdout.contains("ada@example.com"), "{}", said.stdout);
            smtp.refuse(Some("550 no such mailbox"));
            let refused = cli.run(&["mail", "test", "nobody@example.com"]);
            assert!(refused.code == 6 && refused.stderr.contains("550") || refused.stderr.contains("no such mailbox"), "{}", refused.stderr);
            smtp.refuse(None);
        });
        let letter = smtp.letters().pop().unwrap();
        assert_eq!((letter.from.as_str(), letter.to.as_str()), ("codex@example.com", "ada@example.com"));
        assert!(letter.text.contains("Auto-Submitted: auto-generated"), "{}", letter.text);

        let new = json!({"username": "tom", "email": "tom@example.com", "role": "technician"});
        let made = app.admin().post("/api/accounts", &new).await.status(201).json();
        assert_eq!((&made["link"]["kind"], &made["link"]["sent_to"]), (&json!("invitation"), &json!("tom@example.com")));
        assert!(made["link"].get("url").is_none(), "{made}");
        let letter = smtp.letters().pop().unwrap();
        let text = letter.text.replace("=\n", "").replace("=3D", "=");
        let token = text.split("/set-password?token=").nth(1).unwrap().split_whitespace().next().unwrap();
        app.anonymous().get(&format!("/set-password?token={token}")).await.status(200);

        // What cannot be sent is shown, as without mail.
        smtp.refuse(Some("451 try later"));
        let link = app.admin().post(&format!("/api/accounts/{}/password-link", made["id"]), &json!({})).await.ok();
        assert!(link["url"].as_str().unwrap().contains("/set-password?token="), "{link}");
        assert!(link["mail_error"].as_str().unwrap().contains("try later"), "{link}");
    }
}
