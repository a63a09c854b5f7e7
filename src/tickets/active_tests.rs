//! Every rule of the board, in a table.

use super::*;
use std::collections::BTreeMap;

const NOW: &str = "2026-11-21T12:00:00Z";

fn ticket(status: &str, priority: Option<(&str, i64)>, updated: &str) -> TicketView {
    let row = Ticket {
        status: status.to_owned(),
        priority: priority.map(|(word, _)| word.to_owned()),
        priority_id: priority.map(|(_, code)| code),
        last_updated_at: updated.to_owned(),
        ticket_type: Some("Incident".to_owned()),
        ..Ticket::default()
    };
    TicketView::new(row).unwrap()
}

fn shown(view: TicketView) -> (u8, String, &'static str) {
    let statuses = Statuses::new(&[], &BTreeMap::new());
    let (section, ticket) = place(view, &statuses, NOW.parse().unwrap());
    (section, ticket.sla_text, ticket.sla_class)
}

#[test]
fn the_first_rule_that_fits_decides() {
    const LOW: Option<(&str, i64)> = Some(("low", 1));
    const HIGH: Option<(&str, i64)> = Some(("high", 3));
    let old = "2026-11-10T12:00:00Z";
    for (status, priority, updated, section, text, class) in [
        ("customer_replied", HIGH, old, 2, "Customer Replied (11d ago)", "sla-warning"),
        ("pending_hubspot", HIGH, old, 4, "Pending Hubspot (11d ago)", "sla-none"),
        ("open", Some(("urgent", 4)), "2026-11-21T11:29:59Z", 3, "Update Overdue (Open, 30m ago)", "sla-critical"),
        ("open", Some(("urgent", 4)), "2026-11-21T11:30:00Z", 1, "No FR Due Date", "sla-none"),
        ("on_hold", HIGH, "2026-11-19T11:59:59Z", 3, "Update Overdue (On Hold, 2d ago)", "sla-critical"),
        ("on_hold", HIGH, "2026-11-19T12:00:00Z", 4, "On Hold (2d ago)", "sla-none"),
        ("open", Some(("medium", 2)), "2026-11-18T11:59:59Z", 3, "Update Overdue (Open, 3d ago)", "sla-critical"),
        ("open", LOW, "2026-11-18T11:59:59Z", 1, "No FR Due Date", "sla-none"),
        ("open", LOW, "2026-11-17T11:59:59Z", 3, "Update Overdue (Open, 4d ago)", "sla-critical"),
        ("open", Some(("odd", 9)), "2026-11-18T11:59:59Z", 3, "Update Overdue (Open, 3d ago)", "sla-critical"),
        ("open", None, old, 1, "No FR Due Date", "sla-none"),
        ("waiting_customer", LOW, NOW, 4, "Waiting on Customer", "sla-responded"),
        ("scheduled", LOW, NOW, 4, "Scheduled (Just now)", "sla-in-progress"),
        ("unknown", None, "2026-11-21T11:00:00", 4, "Unknown (1h ago)", "sla-in-progress"),
    ] {
        assert_eq!(
            shown(ticket(status, priority, updated)),
            (section, text.to_owned(), class),
            "{status} {priority:?} {updated}"
        );
    }
}

#[test]
fn open_work_is_measured_against_what_is_due() {
    let case = |kind: &str, fr: Option<&str>, due: Option<&str>, responded: Option<&str>| {
        let mut view = ticket("update_needed", Some(("low", 1)), NOW);
        view.row.ticket_type = Some(kind.to_owned());
        view.row.fr_due_by = fr.map(str::to_owned);
        view.row.due_by = due.map(str::to_owned);
        view.row.first_responded_at = responded.map(str::to_owned);
        let (section, text, class) = shown(view);
        assert_eq!(section, 1);
        (text, class)
    };
    let told = |text: &str, class| (text.to_owned(), class);
    assert_eq!(case("Incident", Some("2026-11-21T15:59:59Z"), None, None), told("4.0 hours for FR", "sla-critical"));
    assert_eq!(case("Incident", Some("2026-11-21T16:00:00Z"), None, None), told("4.0 hours for FR", "sla-warning"));
    assert_eq!(case("Incident", Some("2026-11-22T00:00:00Z"), None, None), told("12.0 hours for FR", "sla-normal"));
    assert_eq!(case("Incident", Some("2026-11-21T11:59:30Z"), None, None), told("FR Overdue by 30 sec", "sla-overdue"));
    assert_eq!(case("Service Request", Some(NOW), Some("2026-11-24T12:00:00Z"), None), told("3.0 days for Due", "sla-normal"));
    assert_eq!(case("Service Request", Some(NOW), None, None), told("No Due Due Date", "sla-none"));
    assert_eq!(case("Incident", Some("2026-11-01T12:00:00Z"), None, Some(NOW)), told("Update Needed (FR Met)", "sla-responded"));
    let mut view = ticket("waiting_customer", None, NOW);
    view.row.agent_responded_at = Some("2026-11-21T07:00:00Z".to_owned());
    assert_eq!(shown(view).1, "Waiting on Customer (Agent: 5h ago)");
}

#[test]
fn sections_show_the_urgent_first_and_then_the_oldest() {
    let numbered = |id: i64, priority, updated: &str| {
        let mut view = ticket("open", priority, updated);
        view.row.external_id = id;
        view
    };
    let rows = vec![
        numbered(1, None, "2026-11-21T10:00:00Z"),
        numbered(2, Some(("low", 1)), "2026-11-21T09:00:00Z"),
        numbered(3, Some(("high", 3)), "2026-11-21T11:00:00Z"),
    ];
    let now = NOW.parse().unwrap();
    let mut board = Board::new(None, now);
    rows.into_iter().for_each(|row| board.add(row, &Statuses::new(&[], &BTreeMap::new()), now));
    let board = board.sorted();
    assert_eq!(board.section1.iter().map(|shown| shown.ticket.view.row.external_id).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!((board.total_active, board.last_updated.as_str()), (3, "2026-11-21T12:00:00+00:00"));
    let first = serde_json::to_value(&board.section1[2]).unwrap();
    for (member, words) in [("priority_text", "Unknown"), ("requester_name", "N/A"), ("agent_name", "Unassigned")] {
        assert_eq!(first[member], words, "{member}");
    }
}
