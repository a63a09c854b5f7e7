//! How strictly each kind of row is protected, in SQL: said once for what is answered, asked, and noted of readings.
//!
//! Each text is the rank of a row under its usual alias, by everything that protects it: what it has been protected by
//! itself, the people whom it tells of, and that nobody knows whose it is. Whose protection counts does not depend
//! on who reads, so people are looked up among all of them (`protected_people`, `protected_users`).
//! Ranks are joined as bits, because the engines have no other word in common for the greater of two: a row with both
//! bits is as strict as the stricter one says ([`super::protection::word`]).

use crate::config::service_desk;

/// The rank of whoever asked, by the vendor's id.
macro_rules! asker {
    ($row:literal) => {
        concat!(
            "COALESCE((SELECT max(person.level) FROM links whose JOIN protected_people person ON person.id = whose.entity_id
                WHERE whose.system = ",
            $row,
            ".external_source AND whose.entity = 'contact'
                  AND whose.external_id = CAST(",
            $row,
            ".requester_id AS TEXT)), 0)"
        )
    };
}

/// Whether the vendor's id of whoever asked is a contact's or an agent's.
macro_rules! is_known {
    ($row:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM links whose WHERE whose.system = ",
            $row,
            ".external_source AND whose.entity = 'contact'
                AND whose.external_id = CAST(",
            $row,
            ".requester_id AS TEXT))
             OR EXISTS (SELECT 1 FROM @psa_agents staff WHERE staff.external_source = ",
            $row,
            ".external_source
                AND staff.external_id = CAST(",
            $row,
            ".requester_id AS TEXT))"
        )
    };
}

macro_rules! asset {
    () => {
        "(COALESCE(asset.protection, 0)
          | COALESCE((SELECT max(used.level) FROM protected_users used WHERE used.asset_id = asset.id), 0)
          | CASE WHEN asset.company_id IS NULL AND EXISTS (SELECT 1 FROM links whose
                WHERE whose.entity = 'asset' AND whose.entity_id = asset.id) THEN 1 ELSE 0 END)"
    };
}

/// The rank of one whom a company names: by the vendor's id, and by the name, which is copied and outlives ids.
macro_rules! named {
    ($name:literal, $id:literal) => {
        concat!(
            "(CASE WHEN company.", $name, " IS NULL THEN 0 ELSE
                COALESCE((SELECT max(person.level) FROM protected_people person WHERE person.name = company.", $name, "), 0)
                | COALESCE((SELECT max(person.level) FROM links whose JOIN protected_people person ON person.id = whose.entity_id
                    WHERE whose.system = '", service_desk!(), "' AND whose.entity = 'contact'
                      AND whose.external_id = CAST(company.", $id, " AS TEXT)), 0) END)"
        )
    };
}

macro_rules! first {
    () => {
        "COALESCE((SELECT max(person.level) FROM protected_people person WHERE person.name = company.primary_contact_name), 0)"
    };
}

macro_rules! level {
    () => {
        "CASE company.compliance_level WHEN 'cjis' THEN 2 WHEN 'hipaa' THEN 1 ELSE 0 END"
    };
}

/// A contact: by its companies, present and past, and by a person's decision.
pub const CONTACT: &str = "contact.protection";

/// An asset: the same, by those who use it, and, while nobody has said whose the place is at which a vendor lists it, as
/// if it were anybody's. One that a person made without a company is as its maker wanted it.
pub const ASSET: &str = asset!();

/// An asset that is not protected at all, as a condition.
pub const ASSET_IS_OPEN: &str = concat!(asset!(), " = 0");

/// The address at which the RMM sees the asset of some equipment, where that one is not protected at all: who may read the
/// others is asked of the asset.
pub const SEEN_ADDRESS_OF_EQUIPMENT: &str = concat!(
    "(SELECT seen.int_ip_address FROM @assets asset JOIN @asset_observations seen ON seen.asset_id = asset.id
        WHERE asset.id = equipment.asset_id AND ",
    asset!(),
    " = 0)"
);

/// An alert: by its asset, and by its company when it has none; one of a place that is nobody's yet might be anybody's.
pub const ALERT: &str =
    concat!("(", asset!(), " | ", level!(), " | CASE WHEN asset.id IS NULL AND company.id IS NULL THEN 1 ELSE 0 END)");

macro_rules! ticket {
    () => {
        concat!(
            "(ticket.protection | ",
            asker!("ticket"),
            " | COALESCE((SELECT max(person.level) FROM protected_people person WHERE person.email_folded = ticket.requester_key), 0)
      | CASE WHEN ticket.company_id IS NULL AND (ticket.department_id IS NOT NULL OR NOT (",
            is_known!("ticket"),
            " OR EXISTS (SELECT 1 FROM @contacts writer WHERE writer.email_folded = ticket.requester_key))) THEN 1 ELSE 0 END)"
        )
    };
}

macro_rules! change_request {
    () => {
        concat!(
            "(change_request.protection | ",
            asker!("change_request"),
            " | CASE WHEN change_request.company_id IS NULL AND (change_request.department_id IS NOT NULL OR NOT (",
            is_known!("change_request"),
            ")) THEN 1 ELSE 0 END)"
        )
    };
}

/// A ticket: by its companies, by whoever asked (the vendor's id, or the address), and, when neither its company nor whoever
/// asked is known, as if it were anybody's.
pub const TICKET: &str = ticket!();

/// A planned change: as a ticket; the vendor tells no address.
pub const CHANGE_REQUEST: &str = change_request!();

/// A message on a ticket: by whoever wrote it, the vendor's id of them or the address. A standard ticket may bear the
/// words of somebody who is not.
pub const MESSAGE: &str = "(COALESCE((SELECT max(person.level) FROM links whose JOIN protected_people person ON person.id = whose.entity_id
        WHERE whose.system = ticket.external_source AND whose.entity = 'contact' AND whose.external_id = CAST(message.user_id AS TEXT)), 0)
    | COALESCE((SELECT max(person.level) FROM protected_people person
        WHERE person.email_folded = lower(message.from_email) AND message.from_email <> ''), 0))";

/// A company's head, by their own record.
pub const HEAD: &str = named!("head_name", "head_user_id");
/// Its prime user.
pub const PRIME: &str = named!("prime_user_name", "prime_user_id");
/// Whom to call first.
pub const FIRST: &str = first!();

macro_rules! met {
    ($name:literal) => {
        concat!("EXISTS (SELECT 1 FROM @contacts met WHERE met.name = company.", $name, " AND met.protection > 0)")
    };
}

/// Whether a protected person of that name (head, prime user, whom to call first) is among those whom the reader's scope holds.
pub const MET: [&str; 3] = [met!("head_name"), met!("prime_user_name"), met!("primary_contact_name")];

/// A company: by its own level, and by the people whom it names.
pub const COMPANY: &str = concat!(
    "(",
    level!(),
    " | ",
    named!("head_name", "head_user_id"),
    " | ",
    named!("prime_user_name", "prime_user_id"),
    " | ",
    first!(),
    ")"
);

/// A note: by the record that it is about, and by whose that is.
pub const NOTE: &str = concat!(
    "(COALESCE((SELECT ",
    level!(),
    " FROM companies company WHERE company.id = note.company_id), 0)
      | CASE note.entity
        WHEN 'contact' THEN COALESCE((SELECT about.protection FROM contacts about WHERE about.id = note.entity_id), 0)
        WHEN 'asset' THEN COALESCE((SELECT ",
    asset!(),
    " FROM assets asset WHERE asset.id = note.entity_id), 0)
        WHEN 'ticket' THEN COALESCE((SELECT ",
    ticket!(),
    " FROM tickets ticket WHERE ticket.id = note.entity_id), 0)
        WHEN 'change_request' THEN COALESCE((SELECT ",
    change_request!(),
    " FROM change_requests change_request WHERE change_request.id = note.entity_id), 0)
        ELSE 0 END)"
);

/// Every kind of row whose readings are noted: entity, table, rank.
pub const KINDS: &[(&str, &str, &str)] = &[
    ("company", "companies", COMPANY),
    ("contact", "contacts", CONTACT),
    ("asset", "assets", ASSET),
    ("ticket", "tickets", TICKET),
    ("change_request", "change_requests", CHANGE_REQUEST),
    ("note", "notes", NOTE),
];
