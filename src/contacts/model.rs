//! What a contact is: the row, its place in each company, and its wire shape.

use serde::Serialize;

use crate::compliance::{Lens, Level, Personal, Protected};
use crate::db::Value;
use crate::types::{SearchText, fold};

/// What a contact does for a company.
pub const ROLES: &[&str] = &["billing", "technical", "executive"];
/// Whom to call first, whom then.
pub const DESIGNATIONS: &[&str] = &["primary", "secondary"];

/// The kind of employment of somebody of whom nothing else is known (contract §5.3).
pub const EMPLOYMENT: &str = "Full Time";
/// The kinds that the form offers; others may be stored.
pub const EMPLOYMENTS: &[&str] = &[EMPLOYMENT, "Part Time", "Contractor", "Temporary", "Intern"];

crate::entity! {
    /// A person at one company or several.
    pub struct Contact: "contact", "Contact", "contacts" {
        /// As shown.
        name: String = text("Name", 150).also(&["full_name"]).synced().folded("contact.name_folded"),
        /// Given name.
        first_name: Option<String> = text("First name", 150).synced().listed(),
        /// Family name.
        last_name: Option<String> = text("Last name", 150).synced().listed(),
        /// The primary e-mail, or empty: neighbours test the key's presence, so it is never null.
        email: String = email("E-mail", 150).also(&["primary_email"]).emptied("").synced().folded("contact.email_folded"),
        /// Further addresses: a JSON array as text.
        secondary_emails: Option<String> = text_list("Other e-mail addresses", 50, 150).synced(),
        /// What it says on the card.
        job_title: Option<String> = text("Job title", 150).also(&["title"]).synced().listed(),
        /// Such as `Full Time`; kept here only.
        employment_type: String = text("Employment", 100).emptied(EMPLOYMENT).listed(),
        /// Whether the vendor, or a person, says that they are still there.
        active: bool = flag("Active").synced().listed(),
        /// Telephone.
        mobile_phone_number: Option<String> = phone("Mobile", 50).synced().listed(),
        /// Telephone.
        work_phone_number: Option<String> = phone("Work phone", 50).also(&["phone"]).synced().listed(),
        /// Postal.
        address: Option<String> = long("Address", 2_000).synced(),
        /// Whether the vendor also knows them as an agent.
        is_agent: bool = flag("Agent").listed(),
        /// Whether they are to be served first.
        vip_user: bool = flag("Served first (VIP)").synced().listed(),
        /// Whether they have used the vendor's portal.
        has_logged_in: bool = flag("Has signed in").told().synced(),
        /// The vendor's location.
        location_id: Option<i64> = int("Location at the vendor").told().synced(),
        /// The vendor's location, in words.
        location_name: Option<String> = text("Location", 150).synced().listed(),
        /// The vendor's id of their manager.
        reporting_manager_id: Option<i64> = int("Manager at the vendor").told().synced(),
        /// Such as `en`.
        language: Option<String> = text("Language", 10).synced(),
        /// In the vendor's spelling.
        time_zone: Option<String> = text("Time zone", 100).synced(),
        /// `12h` or `24h`.
        time_format: Option<String> = told("Time format").synced(),
        /// Whether they see their companies' tickets.
        can_see_all_tickets: bool = flag("Sees all tickets").told().synced(),
        /// Whether they see their companies' changes.
        can_see_all_changes: bool = flag("Sees all changes").told().synced(),
        /// Free text.
        background_information: Option<String> = long("Background", 10_000).synced(),
        /// The vendor's work schedule.
        work_schedule_id: Option<i64> = int("Work schedule at the vendor").told().synced(),
        /// The vendor's custom field.
        user_number: Option<String> = told("User number").synced(),
        /// The vendor's own reference to another system.
        vendor_reference: Option<String> = told("Reference at the vendor").synced(),
        /// The vendor's custom fields without a column here: a JSON object as text.
        custom_fields: Option<String> = told("Custom fields").synced(),
        /// When the vendor's record was created.
        vendor_created_at: Option<String> = told("Created at the vendor").synced(),
        /// When the vendor's record was last changed.
        vendor_updated_at: Option<String> = told("Changed at the vendor").synced(),
    }
}

impl Contact {
    /// First and last name in one line, as far as they are known.
    #[must_use]
    pub fn composed_name(&self) -> String {
        [self.first_name.as_deref(), self.last_name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = SearchText::new()
            .words([&self.name, &self.email])
            .words([&self.secondary_emails, &self.job_title].into_iter().flatten())
            .phones([&self.mobile_phone_number, &self.work_phone_number].into_iter().flatten());
        vec![
            ("name_folded", fold(&self.name).into()),
            ("email_folded", fold(&self.email).into()),
            ("search_text", key.finish().into()),
        ]
    }
}

/// A contact's place in one company.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The company's row.
    pub company_id: i64,
    /// The company's key.
    pub account_number: String,
    /// The company's name.
    pub company_name: String,
    /// One of [`ROLES`].
    pub role: Option<String>,
    /// One of [`DESIGNATIONS`].
    pub designation: Option<String>,
    /// Whether they are the company's one primary contact.
    pub is_primary: bool,
    /// The vendor that made the link, or null for a person.
    pub source: Option<String>,
}

/// The contact object of contract §1.1.7 with its recommended superset; `membership` is the place in
/// the company under which it is listed, or the first one.
#[derive(Clone, Debug, Serialize)]
pub struct ContactView {
    /// Stable for ever: Ledger's overrides refer to it.
    pub id: i64,
    /// Never null.
    pub name: String,
    /// Never null, may be empty.
    pub email: String,
    /// The same as `job_title`.
    pub title: Option<String>,
    /// Such as `Full Time`.
    pub employment_type: String,
    /// Whether they are still there.
    pub active: bool,
    /// Telephone.
    pub mobile_phone_number: Option<String>,
    /// Telephone.
    pub work_phone_number: Option<String>,
    /// A JSON array inside a string.
    pub secondary_emails: Option<String>,
    /// The account number of the company, as everywhere in neighbours' JSON.
    pub company_id: Option<String>,
    /// The work number, else the mobile one.
    pub phone: Option<String>,
    /// Whether they are that company's primary contact.
    pub is_primary: bool,
    /// What they do for that company.
    pub role: Option<String>,
    /// `primary` or `secondary` there.
    pub designation: Option<String>,
    /// What it says on the card.
    pub job_title: Option<String>,
    /// Served first.
    pub vip_user: bool,
    /// The same as `name`.
    pub full_name: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// `active`, `inactive` or `retired`.
    pub status: &'static str,
    /// The Freshservice requester.
    pub external_id: Option<i64>,
    /// `freshservice`, or null for a contact that people made.
    pub external_source: Option<&'static str>,
    /// The same as `external_id`, under its older name.
    pub freshservice_id: Option<i64>,
    /// Whether the vendor also knows them as an agent.
    pub is_agent: bool,
    /// Where they sit.
    pub location_name: Option<String>,
    /// In the vendor's spelling.
    pub time_zone: Option<String>,
    /// Such as `en`.
    pub language: Option<String>,
    /// Postal.
    pub address: Option<String>,
    /// Free text.
    pub background_information: Option<String>,
    /// The vendor's custom fields that have no name here.
    #[serde(serialize_with = "crate::web::json::embedded")]
    pub custom_fields: Option<String>,
    /// Since when.
    pub created_at: String,
    /// Last change.
    pub updated_at: String,
    /// When it was retired.
    pub retired_at: Option<String>,
    /// What `If-Match` compares.
    pub rev: i64,
    /// How strictly its data is protected: the strictest level of its companies, present and past.
    pub company_compliance_level: &'static str,
    /// The same, under the name by which an administrator lowers it.
    pub protected_as: &'static str,
    /// The same.
    #[serde(skip)]
    pub protection: Level,
    /// Whether it gets a company's invoices, or is whom a company names first.
    #[serde(skip)]
    pub is_billed_to: bool,
}

impl Protected for ContactView {
    const ENTITY: &'static str = "contact";
    const TELLS: &'static [Personal] = &[Personal::Name, Personal::Email, Personal::Phone, Personal::Title, Personal::Private];
    type Eyes = Lens;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn is_disclosed_to(&self, lens: &Lens) -> bool {
        self.is_billed_to && lens.bills() || lens.shows_any(self.protection, Self::TELLS)
    }

    fn redacted(mut self, lens: &Lens) -> Self {
        let level = self.protection;
        if lens.strictness(level) == Level::Standard || lens.sees_all() {
            return self;
        }
        if !(self.is_billed_to && lens.bills()) {
            let see = |field, text: &str| lens.see(level, field, text).unwrap_or_default();
            self.name = see(Personal::Name, &self.name);
            self.full_name.clone_from(&self.name);
            self.email = see(Personal::Email, &self.email);
            for (field, place) in [
                (Personal::Name, &mut self.first_name),
                (Personal::Name, &mut self.last_name),
                (Personal::Phone, &mut self.phone),
                (Personal::Phone, &mut self.mobile_phone_number),
                (Personal::Phone, &mut self.work_phone_number),
            ] {
                *place = lens.see_option(level, field, place.take());
            }
        }
        for (field, place) in [
            (Personal::Title, &mut self.title),
            (Personal::Title, &mut self.job_title),
            (Personal::Private, &mut self.secondary_emails),
            (Personal::Private, &mut self.address),
            (Personal::Private, &mut self.background_information),
            (Personal::Private, &mut self.location_name),
        ] {
            *place = lens.see_option(level, field, place.take());
        }
        let see = lens.see_option(level, Personal::Private, self.custom_fields.take());
        self.custom_fields = see.filter(|text| text.starts_with('{'));
        self
    }
}

impl ContactView {
    /// Puts those whose names this caller may not see behind the others, by their ids: the order of names tells what
    /// they begin with.
    pub fn order(people: &mut [Self], lens: &Lens) {
        people.sort_by_key(|one| if one.is_named(lens) { 0 } else { one.id });
    }

    /// Whether this caller may see its name.
    #[must_use]
    pub fn is_named(&self, lens: &Lens) -> bool {
        self.is_billed_to && lens.bills() || lens.shows(self.protection, Personal::Name)
    }

    /// The same with how strictly it is protected.
    #[must_use]
    pub fn protected(mut self, level: Level) -> Self {
        self.protection = level;
        (self.company_compliance_level, self.protected_as) = (level.as_str(), level.as_str());
        self
    }

    /// The wire shape of a row in one of its companies.
    #[must_use]
    pub fn new(contact: Contact, freshservice_id: Option<&str>, membership: Membership) -> Self {
        let external_id = freshservice_id.and_then(|text| text.parse().ok());
        Self {
            id: contact.id,
            full_name: contact.name.clone(),
            name: contact.name,
            email: contact.email,
            title: contact.job_title.clone(),
            employment_type: contact.employment_type,
            active: contact.active,
            phone: contact.work_phone_number.clone().or_else(|| contact.mobile_phone_number.clone()),
            mobile_phone_number: contact.mobile_phone_number,
            work_phone_number: contact.work_phone_number,
            secondary_emails: contact.secondary_emails,
            company_id: Some(membership.account_number).filter(|number| !number.is_empty()),
            is_primary: membership.is_primary,
            role: membership.role,
            designation: membership.designation,
            job_title: contact.job_title,
            vip_user: contact.vip_user,
            first_name: contact.first_name,
            last_name: contact.last_name,
            status: match (&contact.retired_at, contact.active) {
                (Some(_), _) => "retired",
                (None, true) => "active",
                (None, false) => "inactive",
            },
            external_id,
            external_source: freshservice_id.map(|_| "freshservice"),
            freshservice_id: external_id,
            is_agent: contact.is_agent,
            location_name: contact.location_name,
            time_zone: contact.time_zone,
            language: contact.language,
            address: contact.address,
            background_information: contact.background_information,
            custom_fields: contact.custom_fields,
            created_at: contact.vendor_created_at.unwrap_or(contact.created_at),
            updated_at: contact.updated_at,
            retired_at: contact.retired_at,
            rev: contact.rev,
            company_compliance_level: Level::Standard.as_str(),
            protected_as: Level::Standard.as_str(),
            protection: Level::Standard,
            is_billed_to: false,
        }
    }
}

/// One contact in full: the object of [`ContactView`] and everything around it (contract §1.3).
#[derive(Clone, Debug, Serialize)]
pub struct ContactDetail {
    /// The object itself.
    #[serde(flatten)]
    pub contact: ContactView,
    /// The keys of its companies.
    pub company_account_numbers: Vec<String>,
    /// Its place in each.
    pub companies: Vec<Membership>,
    /// The assets assigned to it.
    pub asset_ids: Vec<i64>,
}

impl Protected for ContactDetail {
    const ENTITY: &'static str = ContactView::ENTITY;
    const TELLS: &'static [Personal] = ContactView::TELLS;
    type Eyes = Lens;

    fn record(&self) -> i64 {
        self.contact.id
    }

    fn level(&self) -> Level {
        self.contact.protection
    }

    fn is_disclosed_to(&self, lens: &Lens) -> bool {
        self.contact.is_disclosed_to(lens)
    }

    fn redacted(mut self, lens: &Lens) -> Self {
        self.contact = self.contact.redacted(lens);
        self
    }
}
