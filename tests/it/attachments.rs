//! Files on records: taken in and sent out whole, for those who may see everything, and nothing left behind.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n";
const BOUNDARY: &str = "multipart/form-data; boundary=xyz";

fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head =
        format!("--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n");
    [head.as_bytes(), content, b"\r\n--xyz--\r\n"].concat()
}

async fn upload(api: &Api, entity: &str, id: &Value, name: &str, content: &[u8]) -> Value {
    let path = format!("/api/attachments?entity={entity}&entity_id={id}&name={name}");
    api.post_raw(&path, "application/octet-stream", content.to_vec()).await.status(201).json()
}

/// The files in the folder, those that are coming in included.
fn files(app: &App) -> Vec<String> {
    let mut found = Vec::new();
    let folders = std::fs::read_dir(app.instance().join("attachments")).into_iter().flatten().flatten();
    for folder in folders.filter(|folder| folder.file_name() != "trash") {
        let files = std::fs::read_dir(folder.path()).unwrap().flatten();
        found.extend(files.map(|file| file.file_name().to_string_lossy().into_owned()));
    }
    found.sort();
    found
}

fn place(app: &App, sha256: &str) -> std::path::PathBuf {
    app.instance().join("attachments").join(&sha256[..2]).join(sha256)
}

both! {
    async fn a_file_comes_back_as_it_was_sent(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let api = app.technician();
        let made = upload(&api, "company", &company, "contract.html", PDF).await;
        assert_eq!((&made["name"], &made["media_type"], &made["bytes"], &made["author"]), (&json!("contract.html"), &json!("application/pdf"), &json!(PDF.len()), &json!("tess")), "{made}");
        let sent = api.get(&format!("/api/attachments/{}/content", made["id"])).await.status(200);
        assert_eq!(sent.body, PDF);
        for (name, value) in [
            ("content-type", "application/pdf"), ("x-content-type-options", "nosniff"), ("cache-control", "private, no-store"),
            ("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(sent.header(name), value, "{name}");
        }
        assert!(sent.header("content-disposition").starts_with("attachment; filename=\"contract.html\""));
        let page = "<script>alert(1)</script>".as_bytes();
        let text = api.post_raw(&format!("/api/attachments?entity=company&entity_id={company}"), BOUNDARY, form("../../x<b>.html", page)).await.status(201).json();
        assert_eq!((&text["name"], &text["media_type"]), (&json!("x<b>.html"), &json!("text/plain; charset=utf-8")), "{text}");
        let list = api.get(&format!("/api/attachments?entity=company&entity_id={company}")).await.ok();
        assert_eq!(list.as_array().unwrap().len(), 2);
        assert_eq!(api.get("/api/attachments").await.ok().as_array().unwrap().len(), 2);
        let html = api.get_with("/companies/100001", "accept", "text/html").await.status(200).text();
        assert!(html.contains("contract.html") && html.contains("enctype=\"multipart/form-data\"") && html.contains("attached a file"), "{html}");
        assert!(!html.contains("x<b>"), "{html}");
        assert!(Path::new(&place(&app, made["sha256"].as_str().unwrap())).is_file());
    }

    async fn the_same_content_is_kept_once(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let asset = app.asset("LT-1", "100001").await["id"].clone();
        let api = app.technician();
        let one = upload(&api, "company", &company, "a.pdf", PDF).await;
        let other = upload(&api, "asset", &asset, "b.pdf", PDF).await;
        assert_eq!(one["sha256"], other["sha256"]);
        assert_eq!(files(&app), [one["sha256"].as_str().unwrap()]);
        let large = vec![7_u8; 9 * 1024 * 1024];
        let kept = upload(&api, "asset", &asset, "large.bin", &large).await;
        let back = api.get(&format!("/api/attachments/{}/content", kept["id"])).await.status(200);
        assert!(back.body == large, "{} bytes", back.body.len());
    }

    async fn one_that_is_removed_can_be_brought_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let api = app.technician();
        let made = upload(&api, "company", &company, "a.pdf", PDF).await;
        let path = format!("/api/attachments/{}", made["id"]);
        api.delete(&path).await.status(200);
        api.get(&format!("{path}/content")).await.status(404);
        assert_eq!(api.get("/api/attachments").await.ok(), json!([]));
        assert_eq!(api.get("/api/attachments?retired=include").await.ok().as_array().unwrap().len(), 1);
        let html = api.get_with("/companies/100001", "accept", "text/html").await.status(200).text();
        assert!(html.contains("Removed files (1)"), "{html}");
        api.post(&format!("{path}/restore"), &json!({})).await.status(200);
        assert_eq!(api.get(&format!("{path}/content")).await.status(200).body, PDF);
        let past = api.get(&format!("/api/history/company/{company}")).await.ok();
        let actions: Vec<&str> = past["changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["attach", "detach", "attach", "create"]);
        let own = api.get(&format!("/api/history/attachment/{}", made["id"])).await.ok();
        assert_eq!(own["changes"][0]["action"], "restore");
        for (verb, there) in [("remove", false), ("restore", true)] {
            api.post_raw(&format!("/attachments/{}/{verb}", made["id"]), "application/x-www-form-urlencoded", "").await.status(303);
            assert_eq!(api.get(&format!("{path}/content")).await.status == 200, there);
        }
        api.post_raw(&format!("/records/company/{company}/attachments"), BOUNDARY, form("b.txt", b"words")).await.status(303);
        assert_eq!(api.get("/api/attachments").await.ok().as_array().unwrap().len(), 2);
    }

    async fn what_fails_leaves_nothing_behind(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_ATTACHMENT_MIB", "1").start().await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let api = app.technician();
        let path = format!("/api/attachments?entity=company&entity_id={company}&name=a");
        let large = vec![1_u8; 1024 * 1024 + 1];
        api.post_raw(&path, "application/octet-stream", large.clone()).await.status(413);
        api.post_raw(&path, BOUNDARY, form("a", &large)).await.status(413);
        assert_eq!(api.post_raw(&path, "application/octet-stream", "").await.status(400).fields(), ["file"]);
        assert_eq!(api.post_raw(&path, BOUNDARY, "--xyz\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--xyz--\r\n").await.status(400).fields(), ["file"]);
        api.post_raw(&path, BOUNDARY, "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf").await.status(400);
        for (query, field) in [
            ("entity=toaster&entity_id=1&name=a", "entity"), ("entity=company&entity_id=999&name=a", "entity_id"),
            ("entity=company&name=a", "entity_id"), ("name=a", "entity"),
        ] {
            assert_eq!(api.post_raw(&format!("/api/attachments?{query}"), "application/octet-stream", "x").await.status(400).fields(), [field], "{query}");
        }
        let nameless = format!("/api/attachments?entity=company&entity_id={company}");
        assert_eq!(api.post_raw(&nameless, "application/octet-stream", "x").await.status(400).fields(), ["name"]);
        assert_eq!(api.get("/api/attachments").await.ok(), json!([]));
        assert!(files(&app).iter().all(|name| name.len() == 64), "drafts are taken away: {:?}", files(&app));
        let whole = vec![1_u8; 1024 * 1024];
        upload(&api, "company", &company, "fits", &whole).await;
    }

    async fn abandoned_files_are_swept_and_used_ones_stay(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let api = app.technician();
        let old = std::time::SystemTime::from(jiff::Timestamp::now()) - std::time::Duration::from_secs(3 * 24 * 3600);
        let folder = app.instance().join("attachments");
        for name in ["incoming/half", "ab/abandoned", "ab/young"] {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "x").unwrap();
            if !name.ends_with("young") {
                std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
            }
        }
        let made = upload(&api, "company", &company, "a.pdf", PDF).await;
        assert_eq!(files(&app).len(), 2, "{:?}", files(&app));
        assert!(place(&app, made["sha256"].as_str().unwrap()).is_file());
    }

    async fn they_are_for_those_who_may_see_everything(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "other").start().await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let made = upload(&app.technician(), "company", &company, "canary.pdf", PDF).await;
        let path = format!("/api/attachments/{}", made["id"]);
        let client = app.client_of("carl", "100001").await;
        for caller in [app.service(), app.billing(), client] {
            for path in [path.clone(), format!("{path}/content"), "/api/attachments".to_owned()] {
                caller.get(&path).await.status(403);
            }
            caller.post_raw(&format!("/api/attachments?entity=company&entity_id={company}&name=a"), "text/plain", "x").await.status(403);
            caller.delete(&path).await.status(403);
        }
        app.anonymous().get(&format!("{path}/content")).await.status(401);
        let past = app.service().get(&format!("/api/history/company/{company}")).await.status(200).text();
        assert!(!past.contains("canary"), "{past}");
    }

    async fn what_another_database_needs_comes_back_from_the_trash(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await["id"].clone();
        let api = app.technician();
        let day = std::time::Duration::from_secs(24 * 3600);
        let aged = |path: &Path, days: u32| {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::from(jiff::Timestamp::now()) - day * days).unwrap();
        };
        let trash = app.instance().join("attachments/trash");
        for (name, days) in [("recent", 29), ("gone", 31)] {
            std::fs::create_dir_all(&trash).unwrap();
            std::fs::write(trash.join(name), "x").unwrap();
            aged(&trash.join(name), days);
        }
        let orphan = app.instance().join("attachments/ab/abandoned");
        std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
        std::fs::write(&orphan, "x").unwrap();
        aged(&orphan, 60);
        let made = upload(&api, "company", &company, "a.pdf", PDF).await;
        assert!(!orphan.exists() && trash.join("abandoned").exists(), "kept for whoever needs it");
        assert!(trash.join("recent").exists() && !trash.join("gone").exists(), "for 30 days");
        // As another process on the same folder, which does not know this row, would have left it.
        let sha256 = made["sha256"].as_str().unwrap();
        std::fs::rename(place(&app, sha256), trash.join(sha256)).unwrap();
        let path = format!("/api/attachments/{}/content", made["id"]);
        assert_eq!(api.get(&path).await.status(200).body, PDF);
        assert!(place(&app, sha256).is_file() && !trash.join(sha256).exists());
    }
}
