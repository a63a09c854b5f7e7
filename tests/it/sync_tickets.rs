//! The ticket job against a Freshservice with tickets: what comes, what stays, what goes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::{ListFault, Plan, State, conversation, ticket, time_entry};
use crate::support::{Engine, Output, Pull, both};

/// Tickets of a small world; two of every fifty are in the trash or spam.
const TICKETS: usize = 120;
const LIVE: i64 = 114;

fn world() -> State {
    Plan::sized(6, 40).with_tickets(TICKETS).build()
}

/// A Codex that has read this world, tickets included.
async fn synced(engine: &Engine, world: State) -> Pull {
    let pull = Pull::pulled(engine, world).await;
    sync(&pull, &[]).await.code(0);
    pull
}

async fn sync(pull: &Pull, words: &[&str]) -> Output {
    let words = [&["sync", "tickets"], words].concat();
    pull.app.cli().run_beside(&words).await
}

async fn report(pull: &Pull, words: &[&str]) -> Value {
    let output = sync(pull, &[words, &["--json"]].concat()).await;
    output.json()
}

fn live(pull: &Pull) -> i64 {
    pull.app.database.number("SELECT count(*) FROM tickets WHERE retired_at IS NULL")
}

/// One column of a ticket, as text.
fn cell(pull: &Pull, ticket: i64, column: &str) -> String {
    let sql = format!("SELECT COALESCE(CAST({column} AS TEXT), 'null') FROM tickets WHERE external_id = {ticket}");
    pull.app.database.texts(&sql).first().cloned().unwrap_or_else(|| "no such ticket".to_owned())
}

fn said(pull: &Pull, number: i64) -> i64 {
    let sql = "SELECT count(*) FROM ticket_conversations said JOIN tickets ticket ON ticket.id = said.ticket_id WHERE ticket.external_id =";
    pull.app.database.number(&format!("{sql} {number}"))
}

both! {
    async fn everything_comes_and_nothing_comes_twice(engine: Engine) {
        let pull = synced(&engine, world()).await;
        assert_eq!(live(&pull), LIVE, "the trash and spam are not ours");
        assert_eq!(said(&pull, 8), 65, "every page of conversations");
        assert_eq!((cell(&pull, 2, "status"), cell(&pull, 2, "minutes_spent")), ("closed".to_owned(), "15".to_owned()));
        assert_eq!(cell(&pull, 6, "minutes_spent"), "95");
        assert_ne!(cell(&pull, 2, "closed_at"), "null");
        assert_eq!(cell(&pull, 1, "closed_at"), "null");
        assert_eq!(cell(&pull, 10, "status"), "with_the_carrier", "learnt from the form");
        assert_ne!(cell(&pull, 1, "company_id"), "null");
        assert_eq!(pull.app.database.number("SELECT count(*) FROM change_requests"), 2);
        let (head, before) = (pull.head(), pull.vendor.world(|state| state.requests.len()));
        assert_eq!(report(&pull, &[]).await["changes"], 0);
        let calls = pull.vendor.world(|state| state.requests.len()) - before;
        assert!(calls <= 8, "{calls} calls for nothing new");
        let full = report(&pull, &["--full"]).await;
        assert_eq!((&full["changes"], &full["full"], &full["exit_code"]), (&json!(0), &json!(true), &json!(0)));
        assert_eq!(pull.head(), head, "a run with nothing new upstream recorded a change");
    }

    async fn a_ticket_closes_and_opens_again_with_its_row(engine: Engine) {
        let pull = synced(&engine, world()).await;
        let id = cell(&pull, 1, "id");
        // A moment stands for the end of its second.
        let then = codex::types::now();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        pull.vendor.world(|state| state.change(1, |ticket| {
            ticket["status"] = json!(5);
            ticket["stats"]["closed_at"] = json!("2026-11-20T10:00:00Z");
        }));
        assert_eq!(report(&pull, &[]).await["retired"], 0);
        assert_eq!((cell(&pull, 1, "status"), cell(&pull, 1, "closed_at")), ("closed".to_owned(), "2026-11-20T10:00:00Z".to_owned()));
        let tess = pull.app.technician();
        let (was, is) = (tess.get(&format!("/api/ticket/1?as_of={then}")).await.ok(), tess.get("/api/ticket/1").await.ok());
        assert_eq!((&was["status"], &was["created_at"]), (&json!("open"), &is["created_at"]), "{was}");
        for (status, count) in [("open", 1), ("closed", 0)] {
            let was = tess.get(&format!("/api/tickets?as_of={then}&status={status}")).await.ok();
            let found = was.as_array().unwrap().iter().filter(|ticket| ticket["id"].as_i64().map(|number| number.to_string()).as_deref() == Some(id.as_str())).count();
            assert_eq!(found, count, "{status}: {was}");
        }
        tess.get(&format!("/api/ticket/999999?as_of={then}")).await.status(404);
        // The vendor keeps the old time; an open ticket has none.
        pull.vendor.world(|state| state.change(1, |ticket| ticket["status"] = json!(2)));
        sync(&pull, &[]).await.code(0);
        assert_eq!((cell(&pull, 1, "status"), cell(&pull, 1, "closed_at")), ("open".to_owned(), "null".to_owned()));
        assert_eq!(cell(&pull, 1, "id"), id);
        assert_eq!(live(&pull), LIVE);
    }

    async fn what_cannot_be_read_leaves_what_is_known(engine: Engine) {
        let pull = synced(&engine, world()).await;
        pull.vendor.world(|state| {
            state.change(6, |ticket| ticket["subject"] = json!("Still broken"));
            state.time_entries.insert(6, vec![time_entry(60, "03:00", state.clock)]);
            state.conversations.entry(6).or_default().push(conversation(699, 6, "New", false, state.clock));
            state.faults.add_times("/tickets/6/time_entries", ListFault::Status(500), 7);
        });
        let told = report(&pull, &[]).await;
        assert_eq!((&told["details"]["failed"], &told["details"]["left"]), (&json!(1), &json!(1)), "{told}");
        assert_eq!((cell(&pull, 6, "minutes_spent"), cell(&pull, 6, "subject")), ("95".to_owned(), "Still broken".to_owned()));
        // Fewer than we have is not believed at once, more is.
        for _ in 0..3 {
            sync(&pull, &[]).await;
        }
        assert_eq!(cell(&pull, 6, "minutes_spent"), "180");
        assert_eq!(report(&pull, &[]).await["details"]["left"], 0);
        // An account without time sheets, all at once.
        pull.vendor.world(|state| {
            state.change(8, |_| {});
            state.faults.add("time_entries", ListFault::Status(403));
        });
        sync(&pull, &[]).await.code(0);
        assert_eq!((cell(&pull, 6, "minutes_spent"), said(&pull, 8)), ("180".to_owned(), 65));
    }

    async fn nothing_local_and_no_garbage_moves_the_watermark(engine: Engine) {
        let mut start = world();
        start.tickets[3]["updated_at"] = json!("2099-12-31T23:59:59Z");
        start.tickets[4]["updated_at"] = json!({"odd": true});
        let pull = synced(&engine, start).await;
        pull.app.database.execute("UPDATE tickets SET last_updated_at = '2098-01-01T00:00:00Z', local_updated_at = '2098-01-01T00:00:00Z',
            webhook_updated_at = '2098-01-01T00:00:00Z' WHERE external_id = 7");
        pull.vendor.world(|state| state.change(9, |ticket| ticket["subject"] = json!("Seen all the same")));
        sync(&pull, &[]).await.code(0);
        assert_eq!(cell(&pull, 9, "subject"), "Seen all the same");
        let mark = pull.app.database.texts("SELECT watermark FROM ticket_listings WHERE name = 'tickets'");
        assert!(mark[0].as_str() < "2098", "{mark:?}");
        assert!(cell(&pull, 4, "last_updated_at").as_str() < "2098");
    }

    async fn trash_spam_and_purge_retire_and_a_restored_ticket_comes_back(engine: Engine) {
        let pull = synced(&engine, world()).await;
        let id = cell(&pull, 20, "id");
        pull.vendor.world(|state| {
            state.change(20, |ticket| ticket["deleted"] = json!(true));
            state.change(21, |ticket| ticket["spam"] = json!(true));
        });
        let told = report(&pull, &[]).await;
        assert_eq!((&told["retired"], &told["exit_code"]), (&json!(2), &json!(0)), "{told}");
        pull.vendor.world(|state| state.remove(22));
        assert_eq!(report(&pull, &["--dry-run", "--full"]).await["retired"], 1);
        assert_eq!(live(&pull), LIVE - 2);
        assert_eq!(report(&pull, &["--full"]).await["retired"], 1);
        assert_eq!(live(&pull), LIVE - 3);
        let proofs = pull.app.database.texts("SELECT reason FROM changes WHERE entity = 'ticket' AND action = 'retire' ORDER BY seq");
        assert!(proofs[0].contains("in the trash") && proofs[1].contains("spam") && proofs[2].contains("404"), "{proofs:?}");
        pull.vendor.world(|state| state.change(20, |ticket| ticket["deleted"] = json!(false)));
        assert_eq!(report(&pull, &[]).await["restored"], 1);
        assert_eq!((cell(&pull, 20, "id"), cell(&pull, 20, "retired_at")), (id, "null".to_owned()));
    }

    async fn many_at_once_wait_for_a_person(engine: Engine) {
        let pull = synced(&engine, world()).await;
        pull.vendor.world(|state| (30..50).for_each(|id| state.remove(id)));
        let told = report(&pull, &["--full"]).await;
        assert_eq!((&told["held"], &told["exit_code"], live(&pull)), (&json!(20), &json!(7), LIVE), "{told}");
        let plan = told["plan_id"].to_string();
        // A run that looks at what changed leaves the plan as it is.
        let again = report(&pull, &[]).await;
        assert_eq!((&again["exit_code"], &again["plan_id"]), (&json!(7), &told["plan_id"]));
        pull.app.cli().run_beside(&["sync", "approve", &plan]).await.code(0);
        assert_eq!(live(&pull), LIVE - 20);
        sync(&pull, &["--full"]).await.code(0);
    }
}

both! {
    async fn lists_that_lie_retire_nothing(engine: Engine) {
        let pull = synced(&engine, world()).await;
        let scripts = [
            vec![("tickets", ListFault::Empty)],
            vec![("tickets", ListFault::EmptyFrom(2))],
            vec![("tickets", ListFault::RepeatedPage)],
            vec![("tickets", ListFault::Short(10))],
            vec![("tickets", ListFault::ShortWithoutLink(7))],
            vec![("tickets", ListFault::Shift(3))],
            vec![("tickets", ListFault::Thin(3, false))],
            vec![("tickets", ListFault::Shape("{\"tickets\": {}}"))],
            vec![("tickets", ListFault::Status(404))],
            vec![("tickets", ListFault::Thin(3, false)), ("tickets/", ListFault::Status(404))],
            vec![("tickets", ListFault::Empty), ("tickets/", ListFault::Status(404))],
        ];
        for script in scripts {
            pull.vendor.world(|state| {
                state.faults.lists.clear();
                script.iter().for_each(|(resource, fault)| state.faults.add(resource, fault.clone()));
            });
            let output = sync(&pull, &["--full", "--yes"]).await;
            assert_eq!(live(&pull), LIVE, "{script:?}: {}", output.stdout);
            assert!([0, 6].contains(&output.code), "{script:?}: {}", output.code);
        }
        pull.vendor.world(|state| state.faults.lists.clear());
        assert_eq!(report(&pull, &["--full"]).await["changes"], 0);
        assert_eq!(said(&pull, 8), 65);
    }

    async fn an_order_of_its_own_and_garbage_are_survived(engine: Engine) {
        let mut start = Plan::sized(6, 40).with_tickets(330).build();
        start.ignores_order_by = true;
        for id in [100, 201, 7] {
            start.change(id, |ticket| ticket["subject"] = json!("Changed since"));
        }
        for (at, odd) in [json!(null), json!("x"), json!(-1), json!({})].into_iter().enumerate() {
            start.tickets[at * 20 + 50]["id"] = odd;
        }
        start.tickets[31]["status"] = json!(["open"]);
        start.tickets[32]["requester_id"] = json!("nobody");
        start.tickets[33]["created_at"] = json!(17);
        start.tickets[34]["status"] = json!(4711);
        let pull = Pull::pulled(&engine, start).await;
        let told = report(&pull, &[]).await;
        assert_eq!((&told["skipped"], &told["exit_code"]), (&json!(4), &json!(0)), "{told}");
        // Of 330, seven are in the trash and seven spam; four have no id.
        assert_eq!(live(&pull), 330 - 14 - 4);
        assert_eq!((cell(&pull, 35, "status"), cell(&pull, 35, "status_id")), ("unknown".to_owned(), "4711".to_owned()));
        assert_eq!(report(&pull, &["--full"]).await["changes"], 0);
    }

    async fn kills_and_flaky_answers_lose_nothing(engine: Engine) {
        let mut start = Plan::sized(6, 40).with_tickets(250).build();
        start.faults.latency = Duration::from_millis(2);
        let pull = Pull::pulled(&engine, start).await;
        for pause in [40, 150, 300, 500, 900, 1400] {
            let mut child = pull.app.cli().command(&["sync", "tickets"]).stdout(std::process::Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        pull.vendor.world(|state| {
            state.faults.latency = Duration::ZERO;
            state.faults.flaky_percent = 10;
        });
        sync(&pull, &[]).await.code(0);
        pull.vendor.world(|state| state.faults.flaky_percent = 0);
        let told = report(&pull, &["--full"]).await;
        assert_eq!((&told["changes"], &told["details"]["left"]), (&json!(0), &json!(0)), "{told}");
        assert_eq!(live(&pull), 250 - 10);
        assert_eq!(pull.app.database.number("SELECT count(*) FROM changes WHERE entity = 'ticket' AND action = 'create'"), 240);
        let entries = pull.app.database.number("SELECT count(*) FROM ticket_time_entries");
        assert_eq!(entries, pull.app.database.number("SELECT count(*) FROM tickets WHERE minutes_spent = 95") * 2);
        assert_eq!((said(&pull, 8), said(&pull, 208)), (65, 65));
    }

    async fn a_ticket_older_than_a_month_comes_on_the_first_run_by_the_api(engine: Engine) {
        let mut start = Plan::sized(2, 4).build();
        let requester = start.requesters[0]["id"].as_i64().unwrap();
        start.tickets.push(ticket(5, requester, None, 2, start.clock - 400 * 86_400));
        start.itil = false;
        let pull = Pull::pulled(&engine, start).await;
        pull.app.technician().post("/sync/tickets/full-history", &json!({})).await.status(403);
        let started = pull.app.technician().post("/sync/tickets", &json!({})).await.ok();
        assert_eq!(started["success"], true);
        let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap());
        let technician = pull.app.technician();
        let done = loop {
            let job = technician.get(&path).await.ok();
            if job["status"] != "running" {
                break job;
            }
            assert!(job["current_tickets"].is_i64(), "{job}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!((&done["script"], &done["success"]), (&json!("tickets"), &json!(true)), "{done}");
        assert_eq!(cell(&pull, 5, "requester_name"), cell(&pull, 5, "requester_name").trim());
        assert_eq!((live(&pull), cell(&pull, 5, "company_id")), (1, "null".to_owned()));
    }
}
