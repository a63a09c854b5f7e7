//! What people read of vendors' data and of the runs that brought it: text without markup, an account's own
//! statuses, what a run did, why one failed, who did what.

use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::{Freshservice, ListFault, Plan, department, requester};
use crate::support::{App, Engine, Pull, both};

async fn tickets(pull: &Pull) {
    pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
}

/// A page as its text without markup, blanks collapsed.
async fn page(pull: &Pull, path: &str) -> String {
    pull.app.admin().get(path).await.status(200).text()
}

both! {
    async fn markup_becomes_text_and_pictures_become_links(engine: Engine) {
        let mut world = Plan::sized(3, 10).with_tickets(3).build();
        let picture = format!("data:image/png;base64,{}", "QUJD".repeat(60_000));
        let say = |id: i64, html: &str| {
            let mut said = crate::freshservice::conversation(id, 1, "", false, 1_760_000_000 + id);
            said["body"] = json!(html);
            said.as_object_mut().unwrap().remove("body_text");
            said
        };
        world.conversations.insert(1, vec![
            say(1, "<p>Gru&szlig; &ldquo;x&rdquo; &ndash; fertig</p>"),
            say(2, "<table><tr><th>Disk</th><th>Free</th></tr><tr><td>C:</td><td>20 GB</td></tr></table><ul><li>one</li><li>two</li></ul>"),
            say(3, "Thanks!<blockquote><p>It is broken</p></blockquote>"),
            say(4, &format!("<img src=\"{picture}\"><p>{}</p><p>the end</p>", "long ".repeat(2_000))),
        ]);
        world.tickets[0].as_object_mut().unwrap().remove("description_text");
        world.tickets[0]["description"] = json!(format!("<div>M&uuml;de<br>Maschine</div><img alt='shot' src='{picture}'>"));
        let pull = Pull::pulled(&engine, world).await;
        tickets(&pull).await;
        let said = pull.app.database.texts("SELECT body_text FROM ticket_conversations ORDER BY external_id");
        let link = format!("{}/a/tickets/1", pull.vendor.url());
        assert_eq!(said[0], "Gruß “x” – fertig");
        assert_eq!(said[1], "Disk | Free\nC: | 20 GB\n\n- one\n- two");
        assert_eq!(said[2], "Thanks!\n\n> It is broken");
        assert!(said[3].starts_with(&format!("[picture: {link}]\n\nlong long")) && said[3].ends_with("\n\nthe end"), "{}", said[3]);
        let html = pull.app.database.texts("SELECT COALESCE(body_html, '') FROM ticket_conversations ORDER BY external_id");
        assert!(!html[3].contains("data:") && html[3].contains(&link) && html[3].ends_with("<p>the end</p>"), "{}", html[3]);
        let text = pull.app.database.texts("SELECT words.description_text FROM ticket_texts words JOIN tickets ticket ON ticket.id = words.ticket_id WHERE ticket.external_id = 1");
        assert_eq!(text, [format!("Müde\nMaschine\n[picture: shot, {link}]")]);
        let head = pull.head();
        tickets(&pull).await;
        assert_eq!(pull.head(), head);
    }

    async fn statuses_are_those_of_the_account(engine: Engine) {
        let mut world = Plan::sized(3, 10).with_tickets(5).build();
        for (ticket, status) in world.tickets.iter_mut().zip([6, 7, 23]) {
            (ticket["status"], ticket["subject"]) = (json!(status), json!(format!("Custom {status}")));
        }
        world.faults.add("ticket_form_fields", ListFault::Status(403));
        let pull = Pull::pulled(&engine, world).await;
        tickets(&pull).await;
        let words = pull.app.database.texts("SELECT status FROM tickets WHERE external_id <= 3 ORDER BY external_id");
        assert_eq!(words, ["unknown", "unknown", "on_hold"]);
        let list = page(&pull, "/tickets/?status=active").await;
        assert!(list.contains("Custom 6") && list.contains("Custom 7"), "unknown codes are open work");
        for stranger in ["Pending Hubspot", "Job Complete", "Billing Complete", "Spam", "Deleted"] {
            assert!(!list.contains(stranger), "{stranger} is no status of this account");
        }
        assert!(list.contains("On Hold"), "what its tickets have can be asked for");

        let service = pull.app.service();
        let refused = service.post("/api/ticket/4/update", &json!({"status": "half done"})).await.status(400);
        assert_eq!(refused.fields(), ["status"]);
        assert!(refused.text().contains("open, pending, resolved, closed"), "{}", refused.text());
        for word in ["spam", "deleted", "99"] {
            service.post("/api/ticket/4/update", &json!({"status": word})).await.status(400);
        }
        service.post("/api/ticket/4/update", &json!({"status": "in_progress", "notes": "Seen by the bot"})).await.ok();
        let told = service.get("/api/ticket/4").await.ok();
        assert_eq!(told["status"], "pending");
        let note = told["notes"].as_array().into_iter().flatten().chain(told["conversations"].as_array().into_iter().flatten());
        let from: Vec<Value> = note.filter(|note| note["body"] == "Seen by the bot").map(|note| note["from_email"].clone()).collect();
        assert!(!from.is_empty() && from.iter().all(|from| from.as_str().is_some_and(|from| !from.is_empty() && from != "system")), "{told}");

        // An account with a status of that label means its own.
        pull.vendor.world(|state| {
            state.faults.lists.clear();
            state.ticket_form_fields = vec![json!({"name": "status", "choices": {"2": ["Open"], "3": ["Pending"], "6": ["In Progress"], "7": ["Parts ordered"]}})];
        });
        tickets(&pull).await;
        service.post("/api/ticket/5/update", &json!({"status": "in_progress"})).await.ok();
        assert_eq!(service.get("/api/ticket/5").await.ok()["status"], "in_progress");
        service.post("/api/ticket/5/update", &json!({"status": "Parts ordered"})).await.ok();
        let words = pull.app.database.texts("SELECT status FROM tickets WHERE external_id <= 2 ORDER BY external_id");
        assert_eq!(words, ["in_progress", "parts_ordered"]);
    }

    async fn the_centre_says_what_was_done_and_why_it_failed(engine: Engine) {
        let mut world = Plan::sized(4, 6).build();
        world.departments.push(department(21_000_199_001, "Without a number", None));
        world.requesters.push(requester(39_009_999_001, "Ada", Some("King"), Some("ada@none.example.com"), &[21_000_199_001]));
        let pull = Pull::pulled(&engine, world).await;
        pull.run(&[]).await.code(0);
        let output = pull.app.cli().run_beside(&["accounts", "assign"]).await;
        assert_eq!(output.code, 0, "{}", output.stdout);
        pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let centre = page(&pull, "/admin/").await;
        assert!(centre.contains("written") && centre.contains("Everything was up to date"), "{centre}");
        assert!(!centre.to_lowercase().contains("nothing to change"), "{centre}");

        // Who wrote to whom.
        let company = pull.company_of(21_000_199_001).await.unwrap();
        let history = pull.app.admin().get(&format!("/api/history/company/{}", company["id"])).await.ok();
        let push = history["changes"].as_array().unwrap().iter().find(|change| change["action"] == "push").unwrap().clone();
        assert_eq!(push["actor"], "codex", "{push}");
        let text = page(&pull, &format!("/companies/{}", company["account_number"].as_str().unwrap())).await;
        assert!(text.contains("<b>Codex</b> wrote to Freshservice") && !text.contains("wrote to the vendor"), "{text}");

        pull.vendor.world(|state| state.faults.add("requesters", ListFault::Status(401)));
        pull.run(&[]).await.code(6);
        let centre = page(&pull, "/admin/").await;
        let told = centre.split("field-error").skip(1).any(|part| part.split("</p>").next().unwrap_or_default().contains("Freshservice did not accept the API key (401)"));
        assert!(told, "{centre}");
        let details = centre.split("<summary").skip(1).any(|part| part.split("</details>").next().unwrap_or_default().contains("GET /requesters?page=1"));
        assert!(details && centre.contains("Details"), "{centre}");
        let shown = centre.split("field-error").skip(1).all(|part| !part.split("</p>").next().unwrap_or_default().contains("GET /"));
        assert!(shown, "the request stands behind the details");
    }

    async fn no_next_run_is_in_the_past(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(1, 1).build()).await;
        let app = App::builder(&engine)
            .freshservice(&vendor)
            .env("CODEX_SKIP_SCHEDULER", "")
            .env("CODEX_SCHEDULER_FRESHSERVICE", "off")
            .env("CODEX_SCHEDULER_TICKETS", "off")
            .env("CODEX_SCHEDULER_OUTBOX", "every 5m")
            .start()
            .await;
        let read = async || app.admin().get("/api/sync/schedules/outbox").await.ok();
        crate::support::eventually("the clock is set", 30, || async { read().await["next_run_at"].is_string() }).await;
        // Nothing waits to be sent, so the slot stays where it is.
        app.database.execute("UPDATE schedules SET next_slot = '2026-01-01T00:00:00Z', next_run_at = '2026-01-01T00:00:00Z' WHERE job = 'outbox'");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let next = read().await["next_run_at"].as_str().unwrap().to_owned();
        assert!(next > now, "{next} is before {now}");
    }
}
