//! The calendar feed: what is in it, that it is what RFC 5545 says, and who reads it.

use serde_json::json;

use crate::licences::day;
use crate::support::{App, Engine, PASSWORD, both};

/// The lines of an event: each name with its value.
type Event = Vec<(String, String)>;

/// The properties of each event, once the text is held to the rules of RFC 5545 that a reader stumbles over.
fn events(text: &str) -> Vec<Event> {
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "lines end with CR LF: {text:?}");
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "lines are folded at 75 octets: {text}");
    let unfolded = text.replace("\r\n ", "");
    let lines: Vec<(&str, &str)> = unfolded.lines().map(|line| line.split_once(':').expect("name:value")).collect();
    assert_eq!(lines[..2], [("BEGIN", "VCALENDAR"), ("VERSION", "2.0")]);
    assert_eq!(lines.last(), Some(&("END", "VCALENDAR")));
    assert_eq!(lines.iter().filter(|(name, _)| *name == "PRODID").count(), 1);
    let (mut all, mut open): (Vec<Event>, Option<Event>) = (Vec::new(), None);
    for (name, value) in &lines[1..lines.len() - 1] {
        match (*name, *value) {
            ("BEGIN", what) => {
                assert!(what == "VEVENT" && open.is_none(), "{what}");
                open = Some(Vec::new());
            }
            ("END", what) => {
                assert_eq!(what, "VEVENT");
                all.push(open.take().expect("an open event"));
            }
            (name, value) => {
                if let Some(event) = &mut open {
                    event.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    for event in &all {
        for name in ["UID", "DTSTAMP", "DTSTART;VALUE=DATE", "DTEND;VALUE=DATE", "SUMMARY"] {
            assert_eq!(event.iter().filter(|(known, _)| known == name).count(), 1, "{name} in {event:?}");
        }
        let stamp = &event.iter().find(|(name, _)| name == "DTSTAMP").unwrap().1;
        assert!(stamp.len() == 16 && stamp.ends_with('Z') && stamp.as_bytes()[8] == b'T', "{stamp}");
    }
    let uids: std::collections::BTreeSet<&String> = all.iter().map(|event| &event[0].1).collect();
    assert_eq!(uids.len(), all.len(), "ids are each event's own");
    all
}

fn summaries(text: &str) -> Vec<String> {
    events(text).iter().map(|event| event.iter().find(|(name, _)| name == "SUMMARY").unwrap().1.clone()).collect()
}

async fn world(app: &App) {
    app.company("100001", "Acme, Inc; \"Ends\" – 名前の長い会社名 with a name that is far too long for one line of a calendar")
        .await;
    app.company("100002", "Bolt").await;
    let api = app.technician();
    for (hostname, account, ends) in
        [("LT-1", "100001", 10), ("LT-2", "100002", -30), ("LT-3", "100002", -31), ("LT-4", "100002", 401)]
    {
        let asset = app.asset(hostname, account).await;
        api.put(&format!("/api/assets/{}", asset["id"]), &json!({"warranty_expires": day(ends)})).await.status(200);
    }
    api.put("/api/companies/100001", &json!({"contract_end_date": day(20)})).await.status(200);
    for (product, renews) in [("Office Suite", true), ("Backup", false)] {
        let licence = json!({"company_id": "100002", "product": product, "expires_on": day(400), "auto_renews": renews});
        api.post("/api/licenses", &licence).await.status(201);
    }
}

both! {
    async fn what_ends_is_a_valid_calendar(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_SERVER_PUBLIC_URL", "https://codex.msp.example/").start().await;
        world(&app).await;
        let api = app.service();
        let reply = api.get("/api/calendar.ics").await.status(200);
        assert_eq!(reply.header("content-type"), "text/calendar; charset=utf-8");
        let all = summaries(&reply.text());
        assert_eq!(all.len(), 5, "{all:?}");
        assert!(all[0].starts_with("Warranty ends: LT-2 (Bolt)") && all[1].contains("Acme\\, Inc\\; \"Ends\" – 名前の長い会社名"), "{all:?}");
        assert!(all.contains(&"Licence renews: Office Suite (Bolt)".to_owned()) && all.contains(&"Licence ends: Backup (Bolt)".to_owned()), "{all:?}");
        let text = reply.text().replace("\r\n ", "");
        assert!(text.contains("UID:warranty-2@codex.msp.example\r\n") && text.contains("URL:https://codex.msp.example/assets/2\r\n"), "{text}");
        let tag = reply.header("etag").to_owned();
        assert_eq!(api.get_with("/api/calendar.ics", "if-none-match", &tag).await.status, 304);
        let one = summaries(&api.get("/api/calendar.ics?company=100001").await.status(200).text());
        assert_eq!(one.len(), 2, "{one:?}");
        let some = summaries(&api.get("/api/calendar.ics?kinds=contract,license&company=100002").await.status(200).text());
        assert_eq!(some.len(), 2, "{some:?}");
        for (query, field) in [("kinds=birthday", "kinds"), ("company=999", "company"), ("filter=x", "filter")] {
            assert_eq!(api.get(&format!("/api/calendar.ics?{query}")).await.status(400).fields(), [field]);
        }
        let client = app.client_of("cleo", "100002").await;
        let theirs = client.get("/api/calendar.ics").await.status(200).text();
        assert!(!theirs.contains("Acme") && summaries(&theirs).len() == 3, "{theirs}");
        let asset = app.technician().put("/api/assets/2", &json!({"warranty_expires": day(30)})).await;
        assert_eq!(asset.status, 200);
        let moved = api.get("/api/calendar.ics").await.status(200);
        assert!(moved.header("etag") != tag && moved.text().contains("UID:warranty-2@"), "it moves and stays the same event");
    }

    async fn a_key_in_the_address_reads_the_calendar_and_nothing_else(engine: Engine) {
        let app = App::start_on(&engine).await;
        world(&app).await;
        let tess = app.technician();
        let make = async |mut body: serde_json::Value| {
            body["current_password"] = json!(PASSWORD);
            tess.post("/api/keys", &body).await.status(201).json()["key"].as_str().unwrap().to_owned()
        };
        let feed = make(json!({"name": "Calendar", "types": ["calendar"]})).await;
        let bolt = make(json!({"name": "Bolt's calendar", "types": ["calendar"], "companies": ["100002"]})).await;
        let whole = make(json!({"name": "Everything"})).await;
        let writes = make(json!({"name": "Writes", "types": ["calendar"], "access": "read-write"})).await;
        let nobody = app.anonymous();
        assert_eq!(summaries(&nobody.get(&format!("/api/calendar.ics?key={feed}")).await.status(200).text()).len(), 5);
        assert_eq!(summaries(&nobody.get(&format!("/api/calendar.ics?kinds=license&key={bolt}")).await.status(200).text()).len(), 2);
        assert_eq!(summaries(&nobody.get(&format!("/api/calendar.ics?key={bolt}")).await.status(200).text()).len(), 3, "of its company");
        for wrong in [&whole, &writes] {
            assert_eq!(nobody.get(&format!("/api/calendar.ics?key={wrong}")).await.status, 403, "addresses are kept in many places");
        }
        assert_eq!(nobody.get("/api/calendar.ics?key=codex_wrong").await.status, 401);
        assert_eq!(nobody.get("/api/calendar.ics").await.status, 401);
        for path in ["/api/assets", "/api/licenses", "/api/companies", "/api/changes"] {
            assert_eq!(nobody.get(&format!("{path}?key={feed}")).await.status, 401, "{path}");
            assert_eq!(app.with_token(&feed).get(path).await.status, 403, "{path}");
        }
        app.with_token(&feed).get("/api/calendar.ics").await.status(200);
        app.with_token(&whole).get("/api/calendar.ics").await.status(200);
        for key in [&feed, &bolt, &whole, &writes] {
            assert!(!app.log().contains(key.as_str()) && !app.printed().contains(key.as_str()), "a key in the log");
        }
    }
}
