//! Which kinds of records an address is about: what an API key that is limited to some of them reaches.

use super::{calendar, entities, nouns::AnyEntity};
use crate::{
    assets::Asset,
    auth::Reach,
    companies::{self, Company, Location},
    contacts::Contact,
    history::Record as _,
    licences::Seat,
    network::{Connection, Equipment, Interface, Subnet, Vlan},
    tickets::{ChangeRequest, Ticket},
};

/// What the parts of addresses are about (contract §1.0); those of the one door's nouns are called as the nouns are.
const WORDS: [(&str, &str); 9] = [
    ("companies", Company::ENTITY),
    ("company", Company::ENTITY),
    ("locations", Location::ENTITY),
    ("contacts", Contact::ENTITY),
    ("contact", Contact::ENTITY),
    ("assets", Asset::ENTITY),
    ("asset", Asset::ENTITY),
    ("tickets", Ticket::ENTITY),
    ("ticket", Ticket::ENTITY),
];

/// What is done to records, at the end of an address.
const VERBS: [&str; 4] = ["restore", "update", "active", "merge"];

/// Addresses that do not say it in their parts.
const OTHERS: [(&str, &[&str]); 13] = [
    ("/api/companies/bulk", &[Company::ENTITY, Location::ENTITY, Contact::ENTITY, Asset::ENTITY, Ticket::ENTITY]),
    ("/api/companies/{acct}/users", &[Contact::ENTITY]),
    ("/api/companies/{acct}/topology", &[Equipment::ENTITY, Interface::ENTITY, Connection::ENTITY, Subnet::ENTITY, Vlan::ENTITY]),
    ("/api/change_requests", &[ChangeRequest::ENTITY]),
    ("/api/change_requests/{id}", &[ChangeRequest::ENTITY]),
    ("/api/alerts", &[Asset::ENTITY]),
    ("/api/leavers", &[Company::ENTITY, Contact::ENTITY, Asset::ENTITY, Seat::ENTITY, Ticket::ENTITY]),
    (calendar::PATH, &[calendar::KEYS_FOR.0]),
    ("/api/datto/devices", &[Asset::ENTITY]),
    ("/api/rmm/devices", &[Asset::ENTITY]),
    ("/api/psa/tickets", &[Ticket::ENTITY]),
    ("/api/psa/tickets/active", &[Ticket::ENTITY]),
    ("/api/freshservice/tickets", &[Ticket::ENTITY]),
];

/// What `auth` is told of records.
#[must_use]
pub fn reach() -> Reach {
    Reach { types, of_route, in_address, company: companies::store::numbered }
}

/// The kinds that an address is about; none for an address that is about anything else, or of which nobody knows.
fn of_route(route: &str) -> Vec<&'static str> {
    if let Some((_, types)) = OTHERS.iter().find(|(path, _)| *path == route) {
        return types.to_vec();
    }
    let Some(rest) = route.strip_prefix("/api/") else { return Vec::new() };
    let mut about = None;
    for part in rest.split('/').filter(|part| !part.starts_with('{')) {
        match word(part) {
            Some(kind) => about = Some(kind),
            None if about.is_some() && VERBS.contains(&part) => {}
            None => return Vec::new(),
        }
    }
    about.into_iter().collect()
}

/// What a key must be limited to that may stand in the address of a route: programs that subscribe to calendars send no headers.
fn in_address(route: &str) -> Option<&'static str> {
    (route == calendar::PATH).then_some(calendar::KEYS_FOR.0)
}

fn word(part: &str) -> Option<&'static str> {
    let noun = || entities::nouns().find(|noun| noun.door().api == part).map(AnyEntity::name);
    WORDS.iter().find(|(word, _)| *word == part).map(|(_, kind)| *kind).or_else(noun)
}

fn types() -> Vec<(&'static str, &'static str)> {
    let named =
        |kind: &str| WORDS.iter().any(|(_, known)| *known == kind) || OTHERS.iter().any(|(_, known)| known.contains(&kind));
    let known = entities::ENTITIES.iter().filter(|entity| entity.noun().is_some() || named(entity.name()));
    known.map(|entity| (entity.name(), entity.what())).chain([calendar::KEYS_FOR]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_what_they_are_about() {
        for (route, kind) in [
            ("/api/companies", "company"),
            ("/api/companies/{acct}", "company"),
            ("/api/companies/{acct}/assets", "asset"),
            ("/api/companies/{acct}/users", "contact"),
            ("/api/companies/{acct}/locations/{id}", "location"),
            ("/api/contacts/{id}/restore", "contact"),
            ("/api/assets/{id}/merge", "asset"),
            ("/api/ticket/{id}/update", "ticket"),
            ("/api/tickets/active", "ticket"),
            ("/api/subnets/{id}", "subnet"),
            ("/api/companies/{acct}/subnets", "subnet"),
        ] {
            assert_eq!(of_route(route), [kind], "{route}");
        }
        for route in [
            "",
            "/",
            "/assets/{id}",
            "/api/changes",
            "/api/search",
            "/api/users",
            "/api/companies/{acct}/push",
            "/api/sync/plans",
            "/api/companies/{acct}/attached",
            "/api/import/{kind}",
            "/api/assets/{id}/sources",
            "/api/active",
            "/api/keys",
        ] {
            assert!(of_route(route).is_empty(), "{route}");
        }
        assert!(of_route("/api/companies/bulk").len() == 5);
    }
}
