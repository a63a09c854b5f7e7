//! What is written to a ticket here reaches Freshservice, once, when the operator wants that.

use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::{AfterWrite, Freshservice, Plan};
use crate::support::{App, Engine, both, eventually};

struct Desk {
    app: App,
    vendor: Freshservice,
    ticket: i64,
}

async fn desk(engine: &Engine, push: bool) -> Desk {
    let vendor = Freshservice::start(Plan::sized(5, 20).with_tickets(10).build()).await;
    let push = if push { "true" } else { "false" };
    let app = App::builder(engine).freshservice(&vendor).env("CODEX_FRESHSERVICE_PUSH_TICKET_UPDATES", push).start().await;
    for source in ["freshservice", "tickets"] {
        app.cli().run_beside(&["sync", source]).await.code(0);
    }
    let ticket = vendor.world(|state| {
        let open = |ticket: &&Value| ticket["status"] == 2 && ticket["deleted"] != true && ticket["spam"] != true;
        state.tickets.iter().find(open).expect("an open ticket")["id"].as_i64().unwrap()
    });
    Desk { app, vendor, ticket }
}

impl Desk {
    async fn update(&self, body: Value) {
        let done = self.app.service().post(&format!("/api/ticket/{}/update", self.ticket), &body).await.ok();
        assert_eq!(done["success"], true);
    }

    fn status(&self) -> Value {
        let id = self.ticket;
        self.vendor.world(|state| state.tickets.iter().find(|ticket| ticket["id"] == id).unwrap()["status"].clone())
    }

    fn notes(&self, text: &str) -> usize {
        let id = self.ticket;
        self.vendor.world(|state| {
            let said = state.conversations.get(&id).map(Vec::as_slice).unwrap_or_default();
            said.iter().filter(|note| note["body"].as_str().unwrap_or_default().contains(text)).count()
        })
    }

    fn writes(&self) -> usize {
        self.vendor.world(|state| state.writes.len())
    }

    async fn pins(&self) -> i64 {
        self.app.database.number("SELECT count(*) FROM pins WHERE entity = 'ticket'")
    }

    async fn settled(&self) {
        let admin = self.app.admin();
        eventually("the outbox is empty", 60, || async {
            let entries = admin.get("/api/outbox").await.ok();
            entries.as_array().unwrap().iter().all(|entry| entry["state"] == "done")
        })
        .await;
    }
}

both! {
    async fn a_status_and_a_note_reach_the_vendor_and_nothing_is_pinned_any_more(engine: Engine) {
        let desk = desk(&engine, true).await;
        desk.update(json!({"status": "Waiting on Customer", "notes": "Asked for <the> serial\nnumber & more"})).await;
        desk.settled().await;
        assert_eq!((desk.status(), desk.notes("Asked for"), desk.pins().await, desk.writes()), (json!(9), 1, 0, 2));
        desk.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let ticket = desk.app.service().get(&format!("/api/ticket/{}", desk.ticket)).await.ok();
        assert_eq!(ticket["status"], "waiting_customer");
        let told = |list: &Value| list.as_array().unwrap().iter().filter(|note| note["body"].as_str().unwrap().contains("Asked for")).count();
        assert_eq!(told(&ticket["notes"]) + told(&ticket["conversations"]), 1, "the note is one note: {ticket}");
    }

    async fn a_note_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(engine: Engine) {
        let mut desk = desk(&engine, true).await;
        desk.vendor.world(|state| state.faults.after_writes.extend([AfterWrite::Reset, AfterWrite::Status(502)]));
        desk.update(json!({"notes": "Replaced the fan"})).await;
        desk.settled().await;
        desk.update(json!({"notes": "Replaced the fan"})).await;
        desk.settled().await;
        assert_eq!(desk.notes("Replaced the fan"), 2, "two notes with the same words are two notes");
        desk.vendor.world(|state| state.faults.after_writes.push_back(AfterWrite::Hold(Duration::from_secs(60))));
        desk.update(json!({"notes": "Then the power went"})).await;
        eventually("the note is at the vendor", 30, || async { desk.notes("Then the power") == 1 }).await;
        desk.app.kill();
        desk.vendor.world(|state| state.faults.after_writes.clear());
        desk.app.start().await;
        // The server may have taken it up by itself already.
        assert!([0, 4].contains(&desk.app.cli().run_beside(&["accounts", "deliver"]).await.code));
        desk.settled().await;
        assert_eq!((desk.notes("Then the power"), desk.writes()), (1, 3));
    }

    async fn without_the_switch_an_update_stays_here(engine: Engine) {
        let desk = desk(&engine, false).await;
        desk.update(json!({"status": "pending", "notes": "Only here"})).await;
        assert_eq!(desk.app.admin().get("/api/outbox").await.ok(), json!([]));
        assert_eq!((desk.writes(), desk.status()), (0, json!(2)));
        assert!(desk.pins().await > 0);
    }
}
