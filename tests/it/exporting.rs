//! `codex export`: everything that is no secret, of one moment, and an import that finds nothing to change in it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Engine, PASSWORD, both};

fn exported(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

both! {
    async fn what_is_exported_changes_nothing_when_it_is_imported(engine: Engine) {
        let app = App::builder(&engine).fresh().argument("--demo").start().await;
        let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
        app.cli().run_with_input(&add, PASSWORD).success();
        let token = app.cli().run(&["token", "create", "--user", "ada"]).success().stdout.trim().to_owned();
        let api = app.with_token(&token);
        let own = json!({"type": "company", "key": "door", "label": "Door code", "kind": "text"});
        api.post("/api/custom_fields", &own).await.status(201);
        for tag in ["VIP", "Paper"] {
            api.post("/api/tags", &json!({"name": tag})).await.status(201);
        }
        let first = api.get("/api/companies?limit=1").await.ok()[0].clone();
        let path = format!("/api/companies/{}", first["account_number"].as_str().unwrap());
        api.put(&path, &json!({"cf": {"door": "=1+1"}, "tags": ["VIP", "Paper"], "description": "two\nlines, \"quoted\""})).await.status(200);
        let gone = api.post("/api/companies", &json!({"account_number": "990001", "name": "Gone"})).await.status(201).json();
        api.send(Method::DELETE, "/api/companies/990001", |request| request).await;
        let folder = app.folder().join("out");
        let done = app.cli().run_beside(&["export", "--to", folder.to_str().unwrap(), "--json"]).await.success().json();
        let manifest = exported(&folder);
        assert_eq!(done, manifest);
        assert_eq!((&manifest["format"], manifest["head"].as_i64().unwrap()), (&json!(1), app.database.number("SELECT version FROM head")));

        let kinds = import_kinds(&app).await;
        let records = manifest["records"].as_array().unwrap();
        let importable: Vec<&Value> = records.iter().filter(|part| part["importable"] == true).collect();
        assert_eq!(importable.len(), kinds.len(), "{kinds:?}");
        let mut rows = 0;
        for part in importable {
            let (kind, file) = (part["kind"].as_str().unwrap(), folder.join(part["csv"]["file"].as_str().unwrap()));
            let words = ["import", "csv", file.to_str().unwrap(), "--as", kind, "--dry-run", "--json"];
            let plan = app.cli().run_beside(&words).await.success().json();
            let counts = ["create", "update", "refused", "same"].map(|name| plan[name].as_i64().unwrap());
            assert_eq!(counts, [0, 0, 0, part["rows"].as_i64().unwrap()], "{kind}: {plan}");
            rows += counts[3];
        }
        assert!(rows > 300, "{rows} rows are compared");

        let of = |name: &str| -> Vec<Value> {
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let companies = of("records/companies.json");
        let company = companies.iter().find(|company| company["id"] == first["id"]).unwrap();
        assert_eq!((&company["cf"], &company["tags"]), (&json!({"door": "=1+1"}), &json!(["Paper", "VIP"])));
        assert_eq!(company["description"], "two\nlines, \"quoted\"");
        assert_eq!(of("records/companies.retired.json")[0]["id"], gone["id"]);
        let changes = of("tables/changes.json");
        assert_eq!(i64::try_from(changes.len()).unwrap(), app.database.number("SELECT count(*) FROM changes"));
        for table in ["contacts", "links", "ticket_texts"] {
            assert_eq!(i64::try_from(of(&format!("tables/{table}.json")).len()).unwrap(), app.database.number(&format!("SELECT count(*) FROM {table}")), "{table}");
        }
        assert!(of("tables/contacts.json")[0]["active"].is_boolean(), "both engines say true and false");
    }

    async fn every_file_is_summed_and_its_owners_alone(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let told = app.cli().run_beside(&["export"]).await.success();
        let folder = PathBuf::from(told.stdout.trim());
        assert!(folder.starts_with(app.instance().join("exports")), "{}", folder.display());
        let checked = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let manifest = exported(&folder);
        let parts = manifest["records"].as_array().unwrap().iter().chain(manifest["tables"].as_array().unwrap());
        let mut named: BTreeMap<String, u64> = BTreeMap::new();
        for part in parts {
            for form in ["csv", "json"] {
                named.insert(part[form]["file"].as_str().unwrap().to_owned(), part[form]["bytes"].as_u64().unwrap());
            }
        }
        for file in files(&folder) {
            let found = file.metadata().unwrap();
            assert_eq!(found.permissions().mode() & 0o077, 0, "{}", file.display());
            let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            if name != "manifest.json" && name != "SHA256SUMS" {
                assert_eq!(named.remove(&name), Some(found.len()), "{name}");
            }
        }
        assert!(named.is_empty(), "named and not there: {named:?}");
        let refused = app.cli().run_beside(&["export", "--to", folder.to_str().unwrap()]).await.code(2);
        assert!(refused.stderr.contains("is not empty"), "{}", refused.stderr);
    }

    async fn no_secret_is_exported(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let admin = app.admin();
        app.asset("LT-1", "100001").await;
        let license = admin.post("/api/licenses", &json!({"company_id": "100001", "product": "Office"})).await.status(201).json();
        admin.put(&format!("/api/licenses/{}/key", license["id"]), &json!({"key": "CANARY-LICENCE-KEY"})).await.ok();
        let at = "'2026-01-01T00:00:00Z'";
        for (table, columns, values) in [
            ("second_factors", "user_id, secret, created_at", format!("(SELECT min(id) FROM users), 'canary-factor', {at}")),
            ("api_keys", "subject, name, name_folded, beginning, digest, writes, created_at, expires_at", format!("'a', 'k', 'k', 'canary-begin', 'canary-digest', FALSE, {at}, {at}")),
            ("webhook_endpoints", "name, name_folded, url, secret, cleared, enabled, after, created_at, updated_at", format!("'w', 'w', 'https://hooks.example/', 'canary-hook', FALSE, FALSE, 1, {at}, {at}")),
            ("notice_channels", "name, name_folded, format, url, created_at", format!("'c', 'c', 'slack', 'canary-channel', {at}")),
            ("settings", "name, value", "'canary', 'canary-setting'".to_owned()),
            ("vendor_credentials", "system, name, sealed, key_id, fingerprint, set_by, set_at", format!("'x', 'api_key', 'canary-sealed', 'k', 'f', 'ada', {at}")),
        ] {
            app.database.execute(&format!("INSERT INTO {table} ({columns}) VALUES ({values})"));
        }
        app.database.execute("UPDATE assets SET bitlocker_key = 'canary-recovery'");
        let hash = app.database.texts("SELECT hash FROM passwords LIMIT 1").remove(0);
        let folder = app.folder().join("out");
        app.cli().run_beside(&["export", "--to", folder.to_str().unwrap()]).await.success();
        for file in files(&folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.to_lowercase().contains("canary") && !text.contains(&hash), "a secret in {}", file.display());
            assert!(!text.contains("$argon2"), "a password in {}", file.display());
        }
    }
}

/// What an import takes.
async fn import_kinds(app: &App) -> Vec<String> {
    let refused = app.cli().run_beside(&["import", "csv", "-", "--as", "toasters"]).await.code(2).stderr;
    let list = refused.split("possible values: ").nth(1).unwrap_or_else(|| panic!("{refused}"));
    let list = list.split(']').next().unwrap().replace('\n', " ");
    list.split(',').map(|kind| kind.trim().to_owned()).collect()
}
