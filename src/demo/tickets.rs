//! The tickets of the demo, and the people who answer them.

use super::{Worker, chance::Chance, day, firms::Firm};
use crate::{
    agents::PsaAgent,
    companies::Company,
    contacts::Contact,
    db::Write,
    error::Result,
    history::{self, Record as _},
    tickets::{
        Message, Ticket, TimeEntry,
        codes::{self, SOURCE},
        messages_store, store,
    },
    types::{fold, now_plus},
};

const HOUR: i64 = 3600;
/// The vendor's ids of those who answer, as far from real ones as those of tickets.
const AGENTS: &[(i64, &str, &str, &str)] = &[
    (9_000_001, "Dana", "Fields", "Service Desk Lead"),
    (9_000_002, "Theo", "Marsh", "Systems Engineer"),
    (9_000_003, "Pia", "Lund", "Systems Engineer"),
    (9_000_004, "Ravi", "Sethi", "Projects"),
];
const GROUP: i64 = 9_100_001;
/// The vendor's ids of those who ask follow this one.
const REQUESTERS: i64 = 9_200_000;

/// What is asked for: subject, text, what was answered, and what was noted among colleagues.
const CASES: &[[&str; 4]] = &[
    [
        "Printer on the second floor is offline",
        "Nobody can print since this morning. The display says no network.",
        "I have set its address anew, please try once more.",
        "Switch port was in the wrong network.",
    ],
    [
        "New starter on Monday",
        "Please prepare a laptop and a mailbox for a colleague who starts on Monday.",
        "The laptop is ready, the mailbox follows today.",
        "Same profile as the last starter there.",
    ],
    [
        "Password does not work any more",
        "I changed it yesterday and cannot sign in today.",
        "I have reset it; please choose a new one at the next sign-in.",
        "Account had been locked by an old phone.",
    ],
    [
        "Shared drive is very slow",
        "Opening a folder takes half a minute.",
        "We have moved the folder to the new server.",
        "Old disk shows reallocated sectors.",
    ],
    [
        "Laptop battery lasts an hour",
        "It used to last a day.",
        "A new battery is ordered, it arrives this week.",
        "Under warranty until autumn.",
    ],
    [
        "Mail to one client comes back",
        "Our messages are refused with a note about SPF.",
        "The record was missing a sender, that is corrected.",
        "New marketing tool sends in their name.",
    ],
    [
        "Video calls stutter",
        "Sound and picture stop every few minutes in the meeting room.",
        "Could you tell us whether it happens by cable too?",
        "Two access points on the same channel.",
    ],
    [
        "Backup report shows a warning",
        "The report says that one job did not finish.",
        "The job ran again and is complete.",
        "Window was too short after the database grew.",
    ],
    [
        "Request for a second screen",
        "Could I have a second screen at my desk?",
        "Approved by your office, we bring it on Thursday.",
        "Spare one in stock.",
    ],
    [
        "Access to the accounting folder",
        "Our new bookkeeper needs access.",
        "Access is given, please sign out and in again.",
        "Confirmed with the accounts contact.",
    ],
    [
        "VPN drops at home",
        "The connection breaks every evening.",
        "Please restart the router and tell us when it happens next.",
        "Looks like the provider's line.",
    ],
    [
        "Firewall renewal",
        "The subscription ends next month, please send an offer.",
        "The offer is with you.",
        "Same size, three years.",
    ],
];

/// Puts those who answer into the database.
pub fn agents(w: &mut Write<'_>) -> Result<()> {
    for (id, first, last, title) in AGENTS {
        let agent = PsaAgent {
            external_source: SOURCE.to_owned(),
            external_id: id.to_string(),
            first_name: Some((*first).to_owned()),
            last_name: Some((*last).to_owned()),
            email: Some(format!("{}.{}@provider.example", fold(first), fold(last))),
            job_title: Some((*title).to_owned()),
            active: true,
            ..PsaAgent::default()
        };
        history::create(w, &agent, None)?;
    }
    Ok(())
}

/// A client's tickets; `number` is that of the first one. Returns the next free number.
pub fn add(w: &mut Write<'_>, chance: &mut Chance, firm: &Firm, company: &Company, staff: &[Worker], number: i64) -> Result<i64> {
    let count = if firm.kind == "client" { 3 + firm.people / 3 } else { 0 };
    let mut next = number;
    for _ in 0..count {
        let case = CASES.get(chance.below(CASES.len())).copied().unwrap_or_default();
        let Some(asker) = staff.get(chance.below(staff.len())) else { break };
        one(w, chance, company, asker, next, &case)?;
        next += 1;
    }
    Ok(next)
}

fn one(w: &mut Write<'_>, chance: &mut Chance, company: &Company, asker: &Worker, number: i64, case: &[&str; 4]) -> Result<()> {
    let (status_id, status) = state(chance);
    let ended = codes::ENDED.contains(&status);
    let age = if ended { chance.between(2 * 24, 200 * 24) } else { chance.between(1, 9 * 24) };
    let moved = if ended { age - 20 } else { chance.between(0, age) };
    let agent = AGENTS.get(chance.below(AGENTS.len())).filter(|_| ended || !chance.percent(20));
    let ago = |hours: i64| now_plus(-hours * HOUR);
    let priority_id = chance.between(1, 10).clamp(1, 4).min(if chance.percent(80) { 2 } else { 4 });
    let minutes = if ended { chance.between(1, 12) * 15 } else { 0 };
    let answered = ended || !matches!(status, "open");
    let ticket = Ticket {
        external_source: SOURCE.to_owned(),
        external_id: number,
        company_id: Some(company.id),
        ticket_number: number.to_string(),
        subject: Some(case[0].to_owned()),
        status: status.to_owned(),
        status_id: Some(status_id),
        priority: codes::priority_word(priority_id).map(str::to_owned),
        priority_id: Some(priority_id),
        ticket_type: Some(if case[0].starts_with("Request") { "Service Request" } else { "Incident" }.to_owned()),
        source_id: Some(chance.between(1, 3)),
        requester_id: Some(REQUESTERS + asker.id),
        requester_name: Some(asker.name.clone()),
        requester_email: Some(asker.email.clone()),
        responder_id: agent.map(|agent| agent.0),
        group_id: Some(GROUP),
        vendor_created_at: Some(ago(age)),
        last_updated_at: ago(moved),
        resolved_at: ended.then(|| ago(moved)),
        closed_at: (status == "closed").then(|| ago(moved)),
        fr_due_by: Some(ago(age - 8)),
        due_by: Some(ago(age - 72)),
        first_responded_at: answered.then(|| ago(age - 1)),
        agent_responded_at: answered.then(|| ago(age - 1)),
        minutes_spent: minutes,
        time_known: true,
        ..Ticket::default()
    };
    let requester = (REQUESTERS + asker.id).to_string();
    if history::links::find(w, SOURCE, Contact::ENTITY, &requester)?.is_none() {
        history::links::link(w, Contact::ENTITY, asker.id, SOURCE, &requester)?;
    }
    let id = store::upsert(w, &ticket, None)?.ticket.id;
    store::set_text(w, id, Some(&format!("<div>{}</div>", case[1])), Some(case[1]))?;
    let speaker = agent.map(|agent| agent.0);
    if answered {
        let message = |at: i64, text: &str, private| Message {
            external_id: Some(number * 10 + i64::from(private)),
            body_text: text.to_owned(),
            private,
            user_id: speaker,
            created_at: ago(at),
            ..Message::default()
        };
        messages_store::replace_conversations(w, id, &[message(age - 1, case[2], false), message(age - 1, case[3], true)])?;
    }
    if minutes > 0 {
        let note = Some(case[3].to_owned());
        let entry = TimeEntry {
            agent_id: speaker,
            minutes,
            billable: Some(true),
            note,
            executed_at: Some(format!("{}T09:00:00Z", day(-moved / 24))),
            ..TimeEntry::default()
        };
        messages_store::replace_time_entries(w, id, &[entry])?;
    }
    Ok(())
}

/// What most desks look like: much is closed, some waits.
fn state(chance: &mut Chance) -> (i64, &'static str) {
    let wanted: &[i64] = match chance.below(100) {
        0..55 => &[5],
        55..65 => &[4],
        65..80 => &[2],
        80..88 => &[9],
        88..92 => &[26],
        92..96 => &[3],
        _ => &[23],
    };
    let known = |code: i64| codes::STATUSES.iter().find(|(known, ..)| *known == code);
    wanted.first().and_then(|code| known(*code)).map_or((2, "open"), |(code, word, _)| (*code, *word))
}
