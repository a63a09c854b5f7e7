//! A sync can never destroy what it did not see: design §2.2.

use serde_json::{Value, json};

use crate::freshservice::{ListFault, Plan, State};
use crate::support::{Engine, Output, Pull, both};

/// The id of the one plan that waits, from `sync plans --json`.
fn waiting_plan(output: &Output) -> String {
    let body = output.json();
    let plans = body.as_array().or_else(|| body["plans"].as_array()).unwrap_or_else(|| panic!("no plans in {body}"));
    let waiting: Vec<&Value> = plans.iter().filter(|plan| plan["status"] == "held").collect();
    assert_eq!(waiting.len(), 1, "one plan waits: {body}");
    waiting[0]["id"].to_string()
}

fn vanish(state: &mut State, resource: &str, how_many: usize) -> Vec<i64> {
    let ids: Vec<i64> = state.ids(resource).into_iter().take(how_many).collect();
    ids.iter().for_each(|id| state.remove(*id));
    ids
}

both! {
    async fn an_upstream_that_answers_nothing_retires_nothing(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(30, 200).build()).await;
        let head = pull.head();
        pull.vendor.world(|state| state.faults.add("*", ListFault::Empty));
        for words in [&[][..], &["--yes"], &["--full"], &["--full", "--yes"]] {
            pull.run(words).await.code(6);
            assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (30, 200), "{words:?}");
        }
        assert_eq!(pull.head(), head, "nothing at all was changed");
    }

    async fn one_broken_list_retires_nothing_of_its_kind(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(30, 250).build()).await;
        let faults = [
            ListFault::Html, ListFault::EmptyBody, ListFault::Empty, ListFault::Status(404), ListFault::Status(403), ListFault::Status(401),
            ListFault::Status(500), ListFault::Shape("{}"), ListFault::Shape("[]"), ListFault::Shape("null"), ListFault::Shape("{\"requesters\":null}"),
            ListFault::Shape("{\"requesters\":{}}"), ListFault::Cut, ListFault::RepeatedPage, ListFault::StatusFrom(2, 404), ListFault::StatusFrom(3, 500),
            ListFault::Reset,
        ];
        let head = pull.head();
        for fault in faults {
            pull.vendor.world(|state| {
                state.faults.lists.clear();
                state.faults.add("requesters", fault.clone());
            });
            let output = tokio::time::timeout(std::time::Duration::from_secs(100), pull.run(&["--yes"])).await.unwrap_or_else(|_| panic!("{fault:?} takes for ever"));
            assert_eq!(output.code, 6, "{fault:?}: {}\n{}", output.stdout, output.stderr);
            assert_eq!(pull.head(), head, "{fault:?} changed something");
        }
        assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (30, 250));
    }

    async fn a_list_that_ends_early_retires_nobody(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(20, 350).build()).await;
        pull.vendor.world(|state| state.faults.add("requesters", ListFault::EmptyFrom(2)));
        for words in [&[][..], &["--yes"]] {
            let output = pull.run(words).await;
            assert!(matches!(output.code, 0 | 6 | 7), "{output:?}");
            assert_eq!(pull.contacts().await.len(), 350, "250 people exist at the vendor, whatever its list says");
        }
    }

    async fn pages_that_shift_while_we_read_retire_nobody(engine: Engine) {
        for fault in [ListFault::Shift(3), ListFault::Repeat(3)] {
            let pull = Pull::pulled(&engine, Plan::sized(20, 350).build()).await;
            pull.vendor.world(|state| state.faults.add("requesters", fault.clone()));
            let output = pull.run(&[]).await;
            assert!(matches!(output.code, 0 | 6), "{fault:?}: {output:?}");
            assert_eq!(pull.contacts().await.len(), 350, "{fault:?}");
        }
    }

    async fn short_pages_are_read_to_their_end(engine: Engine) {
        for fault in [ListFault::Short(30), ListFault::ShortWithoutLink(30)] {
            let mut world = Plan::sized(70, 250).build();
            world.faults.add("*", fault.clone());
            let pull = Pull::pulled(&engine, world).await;
            assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (70, 250), "{fault:?}");
        }
    }

    async fn what_the_vendor_proves_gone_is_retired_and_returns(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(40, 300).build()).await;
        let (gone, record, before) = {
            let id = pull.vendor.world(|state| state.ids("requesters")[7]);
            let record = pull.vendor.world(|state| state.requesters[7].clone());
            (id, record.clone(), pull.contact_of(record["primary_email"].as_str().unwrap()).await.unwrap())
        };
        pull.vendor.world(|state| state.remove(gone));
        pull.run(&[]).await.code(0);
        assert_eq!(pull.contacts().await.len(), 299);
        assert!(pull.vendor.seen(&format!("/api/v2/requesters/{gone}?")) > 0, "its own address was asked before it was retired");
        assert_eq!(pull.app.database.number("SELECT count(*) FROM contacts"), 300, "a tombstone, not a deletion");
        pull.vendor.world(|state| state.requesters.push(record));
        pull.run(&[]).await.code(0);
        let again = pull.contact_of(before["email"].as_str().unwrap()).await.expect("it came back by itself");
        assert_eq!(again["id"], before["id"]);
    }

    async fn a_record_that_only_the_list_forgets_stays(engine: Engine) {
        let world = Plan::sized(10, 60).build();
        let hidden = world.requesters[5].clone();
        let pull = Pull::pulled(&engine, world).await;
        let id = hidden["id"].as_i64().unwrap();
        // The list lacks it, but its own address answers: the list is what is wrong.
        pull.vendor.world(|state| {
            state.requesters.retain(|record| record["id"] != id);
            state.hidden.push(hidden);
        });
        pull.run(&[]).await.code(0);
        assert_eq!(pull.contacts().await.len(), 60);
    }

    async fn many_retirements_wait_for_approval(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(60, 100).build()).await;
        pull.vendor.world(|state| {
            vanish(state, "departments", 10);
            state.change(39_002_500_000, |person| person["job_title"] = json!("Still updated"));
        });
        let held = pull.run(&[]).await.code(7);
        assert!(held.stdout.contains("approve") || held.stderr.contains("approve"), "it says what to do: {held:?}");
        assert_eq!(pull.companies().await.len(), 60, "held");
        let updated = pull.contacts().await.into_iter().any(|contact| contact["title"] == "Still updated");
        assert!(updated, "what retires nothing is applied");
        let cli = pull.app.cli();
        let plan = waiting_plan(&cli.run_beside(&["sync", "plans", "--json"]).await.code(0));
        let shown = cli.run_beside(&["sync", "show", &plan]).await.code(0);
        assert!(shown.stdout.contains("404"), "the evidence is shown: {}", shown.stdout);
        cli.run_beside(&["sync", "approve", &plan]).await.code(0);
        assert_eq!(pull.companies().await.len(), 50);
        let again = cli.run_beside(&["sync", "approve", &plan]).await;
        assert_eq!(again.code, 7, "a plan is applied once: {again:?}");
        pull.run(&[]).await.code(0);
        assert_eq!(pull.companies().await.len(), 50);
    }

    async fn a_discarded_plan_retires_nobody(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(40, 40).build()).await;
        pull.vendor.world(|state| vanish(state, "requesters", 20));
        pull.run(&[]).await.code(7);
        let cli = pull.app.cli();
        let plan = waiting_plan(&cli.run_beside(&["sync", "plans", "--json"]).await.code(0));
        cli.run_beside(&["sync", "discard", &plan]).await.code(0);
        assert_eq!(cli.run_beside(&["sync", "approve", &plan]).await.code, 7);
        assert_eq!(pull.contacts().await.len(), 40);
    }

    async fn yes_approves_a_proven_plan(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(40, 60).build()).await;
        pull.vendor.world(|state| vanish(state, "requesters", 25));
        pull.run(&["--yes"]).await.code(0);
        assert_eq!(pull.contacts().await.len(), 35);
    }

    async fn dependants_count_for_the_valve(engine: Engine) {
        // One company of forty is little, but it would take most of the assets along.
        let pull = Pull::pulled(&engine, Plan::sized(40, 40).build()).await;
        let first = pull.vendor.world(|state| state.ids("departments")[0]);
        let account = pull.company_of(first).await.unwrap()["account_number"].as_str().unwrap().to_owned();
        for number in 0..8 {
            pull.app.asset(&format!("LT-{number}"), &account).await;
        }
        pull.vendor.world(|state| state.remove(first));
        pull.run(&[]).await.code(7);
        assert_eq!(pull.companies().await.len(), 40);
    }

    async fn an_administrator_sees_that_a_plan_waits(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(40, 60).build()).await;
        pull.vendor.world(|state| vanish(state, "requesters", 25));
        pull.run(&[]).await.code(7);
        let page = pull.app.admin().get_with("/", "accept", "text/html").await.status(200).text();
        assert!(page.contains("approv"), "no banner on the dashboard");
        let client = pull.app.technician().get_with("/", "accept", "text/html").await.status(200).text();
        assert!(!client.contains("/approve"), "only administrators may approve");
    }

    async fn rows_of_our_own_are_never_touched(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(30, 60).build()).await;
        pull.app.company("999001", "Made by hand").await;
        pull.app.contact("Local Person", "local@example.org", &["999001"]).await;
        pull.run(&["--full"]).await.code(0);
        pull.run(&["--full", "--yes"]).await.code(0);
        assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (31, 61));
        assert_eq!(pull.app.service().get("/api/companies/999001").await.ok()["name"], "Made by hand");
    }
}
