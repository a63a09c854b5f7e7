//! The people of the demo.

use super::{chance::Chance, firms::Firm};
use crate::contacts::{Contact, Membership};

const FIRST: &[&str] = &[
    "Ava", "Noah", "Mia", "Liam", "Zoë", "Owen", "Isla", "Ethan", "Ruth", "Caleb", "Nora", "Felix", "Ines", "Jonas", "Priya",
    "Omar", "Leila", "Mateo", "Sofía", "Hugo", "Anaïs", "Kenji", "Yuki", "Tariq", "Amara", "Kofi", "Grace", "Samuel", "Elena",
    "Viktor", "Hannah", "Peter", "Rosa", "Daniel", "Thu", "Minh", "Olga", "Bram", "Søren", "Freya", "Dmitri", "Aisha", "Patrick",
    "Maeve", "Diego", "Lucía", "Simon", "Beth", "Walter", "June", "Arthur", "Clara", "Frank", "Helen", "Ivan", "Joyce", "Karl",
    "Linda", "Marcus", "Nadia",
];
const LAST: &[&str] = &[
    "Abbott",
    "Baker",
    "Castillo",
    "Dawson",
    "Ellery",
    "Fischer",
    "Grant",
    "Hayashi",
    "Ibarra",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Brien",
    "Patel",
    "Quinn",
    "Rossi",
    "Schäfer",
    "Tanaka",
    "Underhill",
    "Vasquez",
    "Whitaker",
    "Yilmaz",
    "Zimmer",
    "Ashworth",
    "Bennett",
    "Carver",
    "Delgado",
    "Eriksen",
    "Farouk",
    "Gallagher",
    "Hollis",
    "Iverson",
    "Jablonski",
    "Keller",
    "Lombardi",
    "Mercer",
    "Novak",
    "Okafor",
    "Pruitt",
    "Ramsey",
    "Sandoval",
    "Thorne",
    "Ulrich",
    "Vance",
    "Winslow",
    "Young",
];
const TITLES: &[&str] = &[
    "Accountant",
    "Coordinator",
    "Analyst",
    "Receptionist",
    "Supervisor",
    "Specialist",
    "Assistant",
    "Clerk",
    "Planner",
    "Engineer",
    "Scheduler",
    "Team Lead",
];

/// The person at this place of a company's list; the first three are who decides, who helps, who pays.
pub fn person(chance: &mut Chance, firm: &Firm, index: usize) -> Contact {
    let (first, last) = (chance.one(FIRST), chance.one(LAST));
    let title = match index {
        0 => "Managing Director",
        1 => "IT Coordinator",
        2 => "Accounts Payable",
        _ => chance.one(TITLES),
    };
    let text = |text: &str| Some(text.to_owned());
    Contact {
        name: format!("{first} {last}"),
        first_name: text(first),
        last_name: text(last),
        // The number keeps the address to one person, as the companies' own mail systems would.
        email: format!("{}.{}{}@{}", plain(first), plain(last), index + 1, firm.domain),
        job_title: text(title),
        employment_type: if chance.percent(12) { "Part Time" } else { "Full Time" }.to_owned(),
        active: index < 3 || !chance.percent(5),
        mobile_phone_number: chance.percent(60).then(|| chance.phone()),
        work_phone_number: Some(chance.phone()),
        vip_user: index == 0,
        has_logged_in: chance.percent(70),
        location_name: firm.sites.first().map(|(name, _)| (*name).to_owned()),
        language: text("en"),
        time_zone: text("Pacific Time (US & Canada)"),
        time_format: text("12h"),
        ..Contact::default()
    }
}

/// The name under which a person signs in at work.
pub fn login(person: &Contact) -> String {
    let part = |name: &Option<String>| plain(name.as_deref().unwrap_or_default());
    format!("{}.{}", part(&person.first_name), part(&person.last_name))
}

/// A name as it stands in an address: folded, letters only.
fn plain(name: &str) -> String {
    crate::types::fold(name).chars().map(|c| if c == 'ø' { 'o' } else { c }).filter(char::is_ascii_lowercase).collect()
}

/// The place of the person at this position.
pub fn place(index: usize, company_id: i64) -> Membership {
    let (role, designation) = match index {
        0 => (Some("executive"), Some("primary")),
        1 => (Some("technical"), Some("secondary")),
        2 => (Some("billing"), None),
        _ => (None, None),
    };
    Membership {
        company_id,
        role: role.map(str::to_owned),
        designation: designation.map(str::to_owned),
        is_primary: index == 0,
        ..Membership::default()
    }
}

/// The place in a company of the head of the company above it.
pub fn overseer(company_id: i64) -> Membership {
    Membership { company_id, role: Some("executive".to_owned()), ..Membership::default() }
}
