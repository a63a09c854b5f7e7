//! Mail to an SMTP server that encrypts: after STARTTLS, from the first byte, and never in the clear instead.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::receiver::Smtp;
use crate::support::{App, Cli, Engine, Output, both};

const TO: &str = "ada@example.com";

/// Sends a test mail by these settings; the authority's certificate is trusted when it is given.
async fn send(engine: &Engine, settings: &str, authority: Option<&str>) -> (App, Output) {
    let app = App::builder(engine).configuration(settings).prepare();
    let file = app.folder().join("authority.pem");
    if let Some(pem) = authority {
        std::fs::write(&file, pem).unwrap();
    }
    let cli = app.cli().env("CODEX_MAIL_USER", "codex").env("CODEX_MAIL_PASSWORD", "hunter2");
    let cli: Cli = if authority.is_some() { cli.env("CODEX_MAIL_CA_FILE", file.display().to_string()) } else { cli };
    let sent = cli.run_beside(&["mail", "test", TO]).await;
    (app, sent)
}

both! {
    async fn a_letter_goes_encrypted_to_a_server_that_proves_its_name(engine: Engine) {
        for smtp in [Smtp::with_starttls("localhost").await, Smtp::wrapped("localhost").await] {
            let (_app, sent) = send(&engine, &smtp.configuration_of("localhost"), Some(smtp.authority())).await;
            sent.success();
            let letters = smtp.letters();
            assert_eq!(letters.len(), 1, "{letters:?}");
            assert!(letters[0].is_encrypted && letters[0].to == TO && letters[0].text.contains("Mail works"), "{letters:?}");
            let proof = STANDARD.decode(letters[0].proof.clone().unwrap()).unwrap();
            assert_eq!(proof, b"\0codex\0hunter2");
        }
    }

    async fn nothing_is_sent_to_a_server_that_does_not(engine: Engine) {
        for smtp in [Smtp::with_starttls("localhost").await, Smtp::wrapped("localhost").await] {
            // Nobody vouches for its certificate.
            let (_app, sent) = send(&engine, &smtp.configuration_of("localhost"), None).await;
            let said = sent.code(6).stderr.to_lowercase();
            assert!(said.contains("certificate") || said.contains("issuer"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
            assert_eq!((smtp.letters().len(), smtp.failed()), (0, 1));
        }
        for smtp in [Smtp::with_starttls("mail.example.com").await, Smtp::wrapped("mail.example.com").await] {
            // It is somebody else's.
            let (_app, sent) = send(&engine, &smtp.configuration_of("localhost"), Some(smtp.authority())).await;
            let said = sent.code(6).stderr.to_lowercase();
            assert!(said.contains("certificate") || said.contains("name"), "{said}");
            assert!(smtp.letters().is_empty());
        }
        // One that offers no encryption is not given the password in the clear.
        let plain = Smtp::start().await;
        let settings = plain.configuration_of("localhost").replace("tls = none", "tls = starttls");
        let (_app, sent) = send(&engine, &settings, None).await;
        sent.code(6);
        assert!(plain.letters().is_empty());
    }

    async fn a_file_without_certificates_is_named(engine: Engine) {
        let smtp = Smtp::with_starttls("localhost").await;
        let (_app, sent) = send(&engine, &smtp.configuration_of("localhost"), Some("nothing of the kind")).await;
        let said = sent.code(6).stderr;
        assert!(said.contains("mail.ca_file") && said.contains("holds no certificate"), "{said}");
    }
}
