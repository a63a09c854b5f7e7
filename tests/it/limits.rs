//! What callers may take of us: bytes that they announce and do not send, answers that they do not read,
//! lists without end, questions that are too long.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::db_faults::hold_the_write_lock;
use crate::support::{App, Engine, both, eventually};

/// A connection that has sent this.
async fn sent(app: &App, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("bytes that are taken");
    stream
}

/// The head of a request with a body, of an administrator or of a stranger.
fn head(app: &App, path: &str, known: bool, more: &str) -> String {
    let token = if known { format!("authorization: Bearer {}\r\n", app.tokens().admin) } else { String::new() };
    format!("POST {path} HTTP/1.1\r\nhost: codex\r\ncontent-type: application/json\r\n{token}{more}\r\n\r\n")
}

/// What comes until the server closes or a moment passes in which nothing comes.
async fn answer(stream: &mut TcpStream, patience: Duration) -> String {
    let mut text = Vec::new();
    while let Ok(Ok(read @ 1..)) = timeout(patience, stream.read_buf(&mut text)).await {
        assert!(read > 0);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Resident memory in MiB.
fn memory(app: &App) -> u64 {
    mebibytes(app, "VmRSS:")
}

/// The most that resident memory has been, in MiB.
fn peak(app: &App) -> u64 {
    mebibytes(app, "VmHWM:")
}

fn mebibytes(app: &App, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.pid())).expect("a running process");
    let line = status.lines().find(|line| line.starts_with(what)).expect("its memory");
    line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).expect("a number") / 1024
}

/// As many files as we may have: these tests open many connections.
fn many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).expect("more files");
}

/// A head of about so many bytes without its end.
fn begun(bytes: usize) -> String {
    let rows = (0..bytes / 1_000).map(|number| format!("x-{number}: {}\r\n", "x".repeat(990)));
    format!("GET /health HTTP/1.1\r\nhost: codex\r\n{}", rows.collect::<String>())
}

/// A company with so many assets and contacts, and tickets with a text of four thousand letters each.
async fn large_company(app: &App, account: &str, rows: usize, tickets: usize) {
    let id = app.company(account, "Large").await["id"].as_i64().expect("an id");
    let n = |count: usize| format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
    let at = "'2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'";
    app.database.execute(&format!(
        "{rows} INSERT INTO assets (hostname, company_id, description, created_at, updated_at, hostname_folded, search_text)
            SELECT 'PC-' || i, {id}, '{text}', {at}, 'pc-' || (i % 7), 'pc-' || i FROM n;
         {rows} INSERT INTO contacts (name, email, active, created_at, updated_at, name_folded, email_folded, search_text)
            SELECT 'Person ' || i, 'p' || i || '@l{id}.example', i % 3 > 0, {at}, 'person ' || (i % 7), 'p' || i || '@l{id}.example', 'person ' || i FROM n;
         INSERT INTO contact_companies (contact_id, company_id)
            SELECT id, {id} FROM contacts WHERE email LIKE 'p%@l{id}.example';
         {tickets} INSERT INTO tickets (external_source, external_id, ticket_number, subject, company_id, status, status_id, priority_id, last_updated_at,
                created_at, updated_at, subject_folded, requester_folded, search_text)
            SELECT 'freshservice', {id} * 100000 + i, 'INC-' || i, 'Printer', {id}, 'open', 2, 1, '2026-01-0' || (i % 7 + 1) || 'T00:00:00Z', {at}, 'printer', '', 'printer' FROM n;
         INSERT INTO ticket_texts (ticket_id, description, description_text)
            SELECT id, 'd', '{long}' FROM tickets WHERE company_id = {id};
         INSERT INTO ticket_conversations (ticket_id, source, external_id, body_text, body_html, private, incoming, created_at)
            SELECT id, 'vendor', id, 'said', NULL, id % 2 = 0, id % 3 = 0, '2026-01-01T00:00:00Z' FROM tickets WHERE company_id = {id}",
        rows = n(rows),
        tickets = n(tickets),
        text = "words ".repeat(60),
        long = "words ".repeat(600),
    ));
}

/// So many companies with a text of a thousand letters each.
fn companies(app: &App, count: usize) {
    app.database.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO companies (account_number, name, description, created_at, updated_at, name_folded, search_text)
         SELECT 'S' || i, 'Company ' || i, '{}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'company ' || i, 'company ' || i FROM n",
        "text ".repeat(200)
    ));
}

fn tickets(app: &App, count: usize) {
    app.database.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO tickets (external_source, external_id, ticket_number, subject, status, status_id, priority_id, last_updated_at, created_at, updated_at,
                              subject_folded, requester_folded, search_text)
         SELECT 'freshservice', i, 'INC-' || i, 'Printer', 'open', 2, 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'printer', '', 'printer' FROM n"
    ));
}

both! {
    async fn what_is_announced_takes_no_memory(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.service().get("/api/companies").await.status(200);
        let calm = Instant::now();
        app.company("100000", "Calm").await;
        let calm = calm.elapsed();
        let before = memory(&app);
        let mut held = Vec::new();
        for _ in 0..200 {
            held.push(sent(&app, &format!("{}{{", head(&app, "/api/companies", true, "content-length: 16000000"))).await);
        }
        let start = Instant::now();
        app.company("100001", "Acme").await;
        let others = start.elapsed();
        assert!(others < calm * 10 + Duration::from_secs(2), "others wait {others:?}, not {calm:?}");
        let after = memory(&app);
        assert!(after < before + 30, "{before} -> {after} MiB");
        drop(held);
    }

    async fn bodies_that_dawdle_or_never_end_are_refused(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_BODY_SECONDS", "1").start().await;
        let second = Duration::from_secs(1);
        let mut silent = sent(&app, &format!("{}{{", head(&app, "/api/companies", true, "content-length: 100"))).await;
        let mut drip = sent(&app, &head(&app, "/api/companies", true, "transfer-encoding: chunked")).await;
        for _ in 0..16 {
            let _answered = drip.write_all(b"1\r\n \r\n").await;
            sleep(second / 4).await;
        }
        for stream in [&mut silent, &mut drip] {
            let text = answer(stream, 2 * second).await;
            assert!(text.starts_with("HTTP/1.1 408 ") && text.contains("too-slow"), "{text}");
        }
        // Without an end, by far more than may be sent.
        let mut endless = sent(&app, &head(&app, "/api/companies", true, "transfer-encoding: chunked")).await;
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(65_536));
        for _ in 0..270 {
            endless.write_all(chunk.as_bytes()).await.expect("it is read, and dropped");
        }
        endless.write_all(b"0\r\n\r\n").await.expect("it is read to its end");
        let text = answer(&mut endless, second).await;
        assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
        assert_eq!(app.service().get("/api/companies").await.ok(), json!([]));
    }

    async fn strangers_may_send_little_and_everybody_is_told_why_it_was_refused(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_WEBHOOKS_ENABLED", "true").env("CODEX_WEBHOOKS_SECRET", "s3cret").start().await;
        let (anonymous, admin) = (app.anonymous(), app.admin());
        let large = format!("{{\"username\": \"{}\"}}", "x".repeat(70_000));
        for path in ["/login", "/first-run", "/webhooks/test", "/webhooks/freshservice/ticket", "/api/token"] {
            let reply = anonymous.post_raw(path, "application/json", large.clone()).await;
            assert!(reply.status == 413 && reply.text().contains("65536"), "{path}: {} {}", reply.status, reply.text());
        }
        // A caller that sends everything before it reads gets the answer, not a reset.
        let body = format!("{{\"name\": \"{}\"}}", "x".repeat(6_000_000));
        app.company("100001", "Acme").await;
        let client = app.client_of("Clara", "100001").await;
        for (api, path, media, status) in [
            (&anonymous, "/api/companies", "application/json", 401), (&client, "/api/companies", "application/json", 403),
            (&admin, "/api/nowhere", "application/json", 404), (&admin, "/api/openapi.json", "application/json", 405),
            (&admin, "/api/companies", "multipart/form-data; boundary=x", 415), (&admin, "/api/companies", "application/json", 400),
        ] {
            assert_eq!(api.post_raw(path, media, body.clone()).await.status, status, "{path}");
        }
        let length = format!("content-length: {}", body.len());
        for (path, known, status) in [("/api/companies", false, 401), ("/api/nowhere", true, 404), ("/login", false, 413)] {
            let mut stream = sent(&app, &head(&app, path, known, &length)).await;
            stream.write_all(body.as_bytes()).await.expect("the whole body is taken");
            let text = answer(&mut stream, Duration::from_secs(1)).await;
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {text}");
        }
        // Who asks first is told to go on, or at once that there is no point.
        let expect = |known| head(&app, "/api/companies", known, "content-length: 44\r\nexpect: 100-continue\r\nconnection: close");
        let mut stream = sent(&app, &expect(true)).await;
        assert_eq!(answer(&mut stream, Duration::from_millis(500)).await, "HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(br#"{"account_number": "100002", "name": "Bravo"}"#.get(..44).unwrap()).await.unwrap();
        assert!(answer(&mut stream, Duration::from_secs(2)).await.starts_with("HTTP/1.1 400 "), "the last brace is missing");
        let mut stream = sent(&app, &expect(false)).await;
        assert!(answer(&mut stream, Duration::from_secs(1)).await.starts_with("HTTP/1.1 401 "));
    }

    async fn all_bodies_together_have_a_limit(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_BODY_KIB", "1024").env("CODEX_LIMITS_BODY_SECONDS", "3").start().await;
        let text = format!("{}{{\"name\": \"{}", head(&app, "/api/companies", true, "content-length: 600000"), "x".repeat(190_000));
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(sent(&app, &text).await);
        }
        let body = json!({"account_number": "100001", "name": "Acme", "description": "x".repeat(100_000)});
        let ask = async || app.admin().post("/api/companies?dry_run=true", &body).await;
        // Once what the others have sent has come in; how much room each of them takes depends on the pieces that it came in.
        let (mut reply, until) = (ask().await, Instant::now() + Duration::from_secs(2));
        while reply.status != 503 && Instant::now() < until {
            sleep(Duration::from_millis(200)).await;
            held.push(sent(&app, &text).await);
            reply = ask().await;
        }
        let reply = reply.status(503);
        assert!(!reply.header("retry-after").is_empty());
        // Strangers have their own part of it, and are not in the way; reading goes on.
        assert_ne!(app.anonymous().post("/login", &json!({"username": "x", "password": "y"})).await.status, 503);
        assert_eq!(app.service().get("/api/companies").await.ok(), json!([]));
        drop(held);
        sleep(Duration::from_millis(500)).await;
        let body = json!({"account_number": "100001", "name": "Acme"});
        app.admin().post("/api/companies", &body).await.status(201);
    }

    async fn a_body_of_very_many_small_values_is_refused(engine: Engine) {
        let app = App::start_on(&engine).await;
        let rows = vec![format!("[{}]", vec!["0"; 9_999].join(",")); 40].join(",");
        let reply = app.admin().post_raw("/api/companies", "application/json", format!("{{\"name\": [{rows}]}}")).await.status(400);
        assert!(reply.text().contains("200000 values"), "{}", reply.text());
    }

    async fn who_does_not_read_is_cut_off_and_who_reads_slowly_gets_all(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_SEND_SECONDS", "2").start().await;
        companies(&app, 9_000);
        let whole = app.service().get("/api/companies").await.status(200);
        assert_eq!(whole.json().as_array().unwrap().len(), 9_000);
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
        let ask = format!("GET /api/companies HTTP/1.1\r\nhost: codex\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n", app.tokens().service);
        let mut idle = sent(&app, &ask).await;
        let mut slow = sent(&app, &ask).await;
        let mut text = Vec::new();
        while slow.read_buf(&mut text).await.expect("it goes on") > 0 {
            text.reserve(64 * 1024);
            sleep(Duration::from_millis(15)).await;
        }
        let start = text.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        assert!(text[start..] == whole.body, "{} of {} bytes", text.len() - start, whole.body.len());
        sleep(Duration::from_secs(3)).await;
        let mut rest = Vec::new();
        let _reset = timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.expect("it is closed");
        assert!(rest.len() < whole.body.len(), "all {} bytes were still sent", rest.len());
        let tag = whole.header("etag").to_owned();
        app.service().get_with("/api/companies", "if-none-match", &tag).await.status(304);
    }

    async fn a_long_list_is_the_same_in_every_form(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_ANSWER_KIB", "2048").start().await;
        companies(&app, 300);
        let service = app.service();
        let list = service.get("/api/companies").await.ok();
        let rows = list.as_array().unwrap();
        assert_eq!(rows.len(), 300);
        let some = service.get("/api/companies?fields=name,account_number,address").await.ok();
        let expected: Vec<Value> = rows
            .iter()
            .map(|row| json!({"name": row["name"], "account_number": row["account_number"], "address": row["address"]}))
            .collect();
        assert_eq!(some, json!(expected));
        let wrapped = service.get("/api/companies?envelope=1").await.status(200);
        assert!(wrapped.text().starts_with("{\"items\":[{\"account_number\":") && wrapped.text().ends_with("}],\"total\":300,\"limit\":null,\"offset\":0}"));
        assert_eq!(wrapped.json()["items"], list);
        let csv = service.get("/api/companies?format=csv&fields=account_number,description").await.status(200).text();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert!(records.iter().zip(rows).all(|(record, row)| record[0] == *row["account_number"].as_str().unwrap()));
        assert_eq!((records.len(), &records[0][1]), (300, rows[0]["description"].as_str().unwrap()));
        // Twelve at once, each another question: more than there is room for as plain text.
        let asked = (0..12).map(|number| {
            let (service, path) = (service.clone(), format!("/api/companies?limit=299&offset={number}"));
            async move {
                loop {
                    let reply = service.get(&path).await;
                    // Who waited too long, which a slow machine makes likely, is told when to ask again.
                    if reply.header("retry-after") != "1" {
                        break reply;
                    }
                }
            }
        });
        for reply in futures_util::future::join_all(asked).await {
            assert_eq!(reply.status(200).json().as_array().map(Vec::len).unwrap_or_default() / 100, 2);
        }
    }

    async fn lists_of_tickets_are_whole_for_callers_of_old_and_paged_for_others(engine: Engine) {
        let app = App::start_on(&engine).await;
        tickets(&app, 620);
        if app.database.url().is_none() {
            app.database.execute("INSERT INTO tickets_fts (rowid, search_text) SELECT id, search_text FROM tickets");
        }
        let service = app.service();
        for (path, name) in [("/api/tickets", Some("tickets")), ("/api/freshservice/tickets", None), ("/api/psa/tickets", None)] {
            for (query, rows) in [
                ("limit=50000", 620), ("limit=50000&status=open", 620), ("limit=600&offset=500", 120), ("limit=50000&sort=id", 500),
                ("limit=600&q=pr", 500), ("limit=600&status_id=2", 500), ("limit=600&fields=id", 500), ("page=1&per_page=700", 500),
                ("limit=70&sort=id", 70),
            ] {
                let reply = service.get(&format!("{path}?{query}")).await.status(200);
                let body = reply.json();
                let list = name.map_or(&body, |name| &body[name]).as_array().unwrap().len();
                assert_eq!((list, reply.header("x-total-count")), (rows, "620"), "{path}?{query}");
                assert_eq!(reply.header("link").contains("rel=\"next\""), matches!(rows, 500 | 70), "{path}?{query}: {}", reply.header("link"));
                if name.is_some() {
                    assert_eq!(body["count"], rows, "{query}");
                    assert_eq!((&body["total"], body["limit"].as_i64().unwrap().min(620)), (&json!(620), if rows == 120 { 600 } else { i64::try_from(rows).unwrap() }), "{query}");
                }
            }
        }
        let text = service.get("/api/tickets?limit=1").await.status(200).text();
        assert!(text.starts_with("{\"count\":1,\"tickets\":[{\"id\":") && text.ends_with("],\"total\":620,\"offset\":0,\"limit\":1}"), "{text}");
        let wrapped = service.get("/api/tickets?envelope=1&limit=9000").await.ok();
        assert_eq!((wrapped["items"].as_array().unwrap().len(), &wrapped["limit"], &wrapped["total"]), (500, &json!(500), &json!(620)));
        let csv = service.get("/api/tickets?format=csv&limit=9000").await.status(200).text();
        assert_eq!(csv.lines().count(), 621, "a table that is exported is whole");
        assert_eq!(service.get("/api/psa/tickets/active").await.ok().as_array().unwrap().len(), 620);
        let part = service.get("/api/psa/tickets/active?limit=9000&offset=200").await.status(200);
        assert_eq!((part.json().as_array().unwrap().len(), part.header("x-total-count")), (420, "620"));
        let part = service.get("/api/psa/tickets/active?page=1&per_page=600").await.status(200);
        assert_eq!((part.json().as_array().unwrap().len(), part.header("x-total-count")), (500, "620"));
        assert!(part.header("link").contains("rel=\"next\""), "{}", part.header("link"));
        // The board is all of what is open, and one answer for everybody who asks in the same second.
        let board = service.get("/api/tickets/active").await.ok();
        assert_eq!(board["total_active"], 620);
    }

    async fn a_question_has_at_most_fifty_filters(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let query = |count: usize| vec!["name__ic=a"; count].join("&");
        for path in ["/api/companies", "/api/contacts", "/api/assets"] {
            assert_eq!(app.service().get(&format!("{path}?{}", query(50))).await.status, 200, "{path}");
            for count in [51, 1_000] {
                let reply = app.service().get(&format!("{path}?{}", query(count))).await.status(400);
                assert!(reply.text().contains("at most 50"), "{path}: {}", reply.text());
            }
        }
    }

    async fn a_bulk_answer_takes_little_memory_whatever_the_sizes_of_companies(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_CACHE_KIB", "0").start().await;
        app.company("100001", "Empty").await;
        large_company(&app, "100002", 3_000, 2_000).await;
        large_company(&app, "100003", 50, 50).await;
        let service = app.service();
        service.get("/api/companies").await.status(200);
        let before = peak(&app);
        let bulk = service.get("/api/companies/bulk?include_tickets=true").await.ok();
        let after = peak(&app);
        assert!(after < before + 30, "{before} -> {after} MiB");
        // Each company has what its own lists have, in their order, however it was read.
        let bulk = bulk.as_array().unwrap();
        let numbers: Vec<_> = bulk.iter().map(|entry| entry["company"]["account_number"].as_str().unwrap()).collect();
        assert_eq!(numbers, ["100001", "100002", "100003"]);
        for (entry, number) in bulk.iter().zip(numbers) {
            assert_eq!(entry.as_object().unwrap().keys().collect::<Vec<_>>(), ["company", "assets", "contacts", "locations", "tickets"]);
            for name in ["assets", "contacts", "tickets"] {
                let own = service.get(&format!("/api/companies/{number}/{name}")).await.ok();
                assert!(entry[name] == own, "{number}: {} {name} of {}", entry[name].as_array().unwrap().len(), own.as_array().unwrap().len());
            }
        }
        assert_eq!(bulk[1]["tickets"].as_array().unwrap().len(), 2_000);
        let year = service.get("/api/companies/bulk?include_tickets=true&year=2025").await.ok();
        assert_eq!(year[1]["tickets"], json!([]));
        assert!(year[1]["assets"] == bulk[1]["assets"]);
    }

    async fn a_page_deep_in_a_list_takes_little_memory_however_long_its_rows_are(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_CACHE_KIB", "0").start().await;
        large_company(&app, "100001", 10, 6_000).await;
        let service = app.service();
        service.get("/api/companies").await.status(200);
        let before = peak(&app);
        for path in ["/api/tickets?sort=-subject&limit=1&offset=5990", "/api/tickets?sort=subject&limit=1&offset=999999",
            "/api/tickets?q=printer&sort=-subject&limit=5&offset=3000", "/api/tickets?sort=-priority&limit=9999", "/api/freshservice/tickets?limit=9999"] {
            service.get(path).await.status(200);
            let after = peak(&app);
            assert!(after < before + 30, "{path}: {before} -> {after} MiB");
        }
        let pages = [service.get("/api/tickets?sort=subject,-id&limit=700").await.ok(), service.get("/api/tickets?sort=subject,-id&limit=300&offset=100").await.ok()];
        let [first, second] = pages.map(|page| page["tickets"].as_array().unwrap().iter().map(|ticket| ticket["id"].as_i64().unwrap()).collect::<Vec<_>>());
        assert!(first.is_sorted_by(|a, b| a > b) && first[100..400] == second, "the order is that of the whole list");
    }

    async fn strangers_connections_take_little_memory_in_every_phase(engine: Engine) {
        many_files();
        let app = App::start_on(&engine).await;
        app.anonymous().get("/health").await.status(200);
        let mut post = head(&app, "/login", false, "transfer-encoding: chunked");
        post.push_str("1\r\nx\r\n");
        // Idle after an answer, half a head, a head that is too long, a body that does not go on.
        for (what, text, count) in [
            ("idle", "GET /api/nowhere HTTP/1.1\r\nhost: codex\r\n\r\n".to_owned(), 3_000),
            ("half a head", begun(15_000), 3_000), ("too long a head", begun(30_000), 3_000), ("a body", post, 1_000),
        ] {
            let before = memory(&app);
            let mut held = Vec::new();
            for _ in 0..count {
                held.push(sent(&app, &text).await);
            }
            sleep(Duration::from_millis(500)).await;
            let after = memory(&app);
            assert!(after < before + 60, "{what}: {before} -> {after} MiB");
            app.service().get("/api/companies").await.status(200);
            if what == "idle" {
                // Whoever waited asks again on the same connection.
                for stream in held.iter_mut().step_by(500) {
                    stream.write_all(format!("{text}{text}").as_bytes()).await.expect("it is open");
                    let text = answer(stream, Duration::from_secs(1)).await;
                    assert_eq!(text.matches("HTTP/1.1 ").count(), 3, "{text}");
                }
            }
        }
    }

    async fn a_head_of_more_than_twenty_four_kibibytes_is_refused(engine: Engine) {
        let app = App::start_on(&engine).await;
        let mut stream = sent(&app, &format!("{}\r\n", begun(23_000))).await;
        assert!(answer(&mut stream, Duration::from_secs(1)).await.starts_with("HTTP/1.1 200 "));
        let mut stream = sent(&app, &begun(25_000)).await;
        assert!(answer(&mut stream, Duration::from_secs(1)).await.starts_with("HTTP/1.1 431 "));
        // In as many pieces as there are bytes, with a body and with a request behind it.
        let text = head(&app, "/api/companies", true, "content-length: 44");
        let body = r#"{"account_number": "100001", "name": "Acme"}"#;
        let mut stream = sent(&app, "").await;
        for byte in format!("{text}{body}GET /health HTTP/1.1\r\nhost: codex\r\n\r\n").bytes() {
            stream.write_all(&[byte]).await.expect("a byte that is taken");
        }
        let text = answer(&mut stream, Duration::from_secs(1)).await;
        assert!(text.starts_with("HTTP/1.1 201 ") && text.contains("HTTP/1.1 200 "), "{text}");
    }

    async fn who_has_said_everything_gets_its_answer(engine: Engine) {
        let app = App::start_on(&engine).await;
        let body = json!({"account_number": "100001", "name": "Acme"}).to_string();
        let mut stream = sent(&app, &format!("{}{body}", head(&app, "/api/companies", true, &format!("content-length: {}", body.len())))).await;
        stream.shutdown().await.expect("nothing more is said");
        let text = answer(&mut stream, Duration::from_secs(5)).await;
        assert!(text.starts_with("HTTP/1.1 201 "), "{text}");
        assert_eq!(app.service().get("/api/companies").await.ok().as_array().unwrap().len(), 1);
    }

    async fn a_connection_that_is_kept_has_time_for_each_head_anew(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_HEAD_SECONDS", "2").start().await;
        let ask = "GET /health HTTP/1.1\r\nhost: codex\r\n\r\n";
        let mut stream = sent(&app, ask).await;
        for _ in 0..4 {
            let mut some = vec![0; 64 * 1024];
            let read = stream.read(&mut some).await.expect("the connection stays");
            assert!(some[..read].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&some[..read]));
            sleep(Duration::from_millis(900)).await;
            stream.write_all(ask.as_bytes()).await.expect("the connection stays");
        }
        // And a head that does not come to its end has no more than that.
        let mut some = vec![0; 64 * 1024];
        assert!(stream.read(&mut some).await.expect("the last answer") > 0);
        stream.write_all(b"GET /health HTTP/1.1\r\n").await.expect("the connection stays");
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut some)).await;
        assert!(ended.is_ok(), "half a head kept its connection");
    }

    async fn who_reads_steadily_gets_all_however_long_it_takes(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_SEND_SECONDS", "8").start().await;
        companies(&app, 9_000);
        let whole = app.service().get("/api/companies").await.status(200).body.len();
        let ask = format!("GET /api/companies HTTP/1.1\r\nhost: codex\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n", app.tokens().service);
        let mut stream = sent(&app, &ask).await;
        let mut text = Vec::new();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            // Some 24 kB in each second, however late we are ourselves.
            let due = usize::try_from(start.elapsed().as_millis()).expect("a number") * 24;
            let mut some = vec![0; due.saturating_sub(text.len()).max(1)];
            let read = stream.read(&mut some).await.expect("it goes on");
            assert!(read > 0, "it was cut off after {:?}", start.elapsed());
            text.extend_from_slice(&some[..read]);
            sleep(Duration::from_millis(100)).await;
        }
        stream.read_to_end(&mut text).await.expect("the rest");
        assert!(text.len() > whole, "{} of {whole} bytes", text.len());
    }

    async fn readings_that_cannot_be_noted_are_refused_before_they_take_much(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_DISCLOSURE_KIB", "16").start().await;
        let body = json!({"account_number": "100001", "name": "Ward", "compliance_level": "hipaa"});
        app.admin().post("/api/companies", &body).await.status(201);
        let id = app.contact("Ada", "ada@ward.example", &["100001"]).await["id"].clone();
        let service = app.service();
        let noted = "SELECT CAST(coalesce(sum(times), 0) AS BIGINT) FROM disclosures WHERE method = 'GET' AND entity = 'contact'";
        service.get(&format!("/api/contacts/{id}")).await.status(200);
        eventually("a reading is noted", 10, || async { app.database.number(noted) == 1 }).await;
        let lock = hold_the_write_lock(&app.database);
        let path = format!("/api/contacts/{id}");
        let asked = (0..90).map(|_| service.get(&path));
        let statuses: Vec<u16> = futures_util::future::join_all(asked).await.iter().map(|reply| reply.status).collect();
        lock.release().await;
        let shown = statuses.iter().filter(|status| **status == 200).count();
        assert!((5..60).contains(&shown) && statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
        eventually("what was shown is noted", 20, || async { app.database.number(noted) == i64::try_from(shown).unwrap() + 1 }).await;
        service.get(&format!("/api/contacts/{id}")).await.status(200);
    }
}
