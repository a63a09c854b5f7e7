//! What a contact is: the row, its place in each company, and its wire shape.

use serde::Serialize;

use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    db::Value,
    entity::{Holds, Members, Target, redact},
    types::{SearchText, fold},
};

/// A contact as other nouns refer to them.
pub static TARGET: Target =
    Target { entity: "contact", what: "contact", table: "contacts", title: "name", page: Some("/contacts/"), are_people: true };

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
        name: String = text("Name", 150).in_form("Person").personal(Personal::Name).also(&["full_name"]).synced().folded("contact.name_folded"),
        /// Given name.
        first_name: Option<String> = text("First name", 150).in_form("Person").personal(Personal::Name).synced().listed(),
        /// Family name.
        last_name: Option<String> = text("Last name", 150).in_form("Person").personal(Personal::Name).synced().listed(),
        /// The primary e-mail, or empty: neighbours test the key's presence, so it is never null.
        email: String = email("E-mail", 150).section("Contact details").personal(Personal::Email).also(&["primary_email"]).emptied("").synced().folded("contact.email_folded"),
        /// Further addresses: a JSON array as text.
        secondary_emails: Option<String> = text_list("Other e-mail addresses", 50, 150).section("Contact details").personal(Personal::Private).synced(),
        /// What it says on the card.
        job_title: Option<String> = text("Job title", 150).section("Person").personal(Personal::Title).also(&["title"]).synced().listed(),
        /// Such as `Full Time`; kept here only.
        employment_type: String = text("Employment", 100).section("Person").emptied(EMPLOYMENT).listed(),
        /// Whether the vendor, or a person, says that they are still there.
        active: bool = flag("Active").section("Person").synced().listed(),
        work_phone_number: Option<String> = phone("Work phone", 50).section("Contact details").personal(Personal::Phone).also(&["phone"]).synced().listed(),
        mobile_phone_number: Option<String> = phone("Mobile", 50).section("Contact details").personal(Personal::Phone).synced().listed(),
        /// Postal.
        address: Option<String> = long("Address", 2_000).section("Contact details").personal(Personal::Private).synced(),
        /// Whether the vendor also knows them as an agent.
        is_agent: bool = flag("Agent").listed(),
        /// Whether they are to be served first.
        vip_user: bool = flag("VIP").section("Person").synced().listed(),
        /// Whether they have used the vendor's portal.
        has_logged_in: bool = flag("Has signed in").told().internal().synced(),
        /// The vendor's location.
        location_id: Option<i64> = int("Location at the vendor").told().internal().synced(),
        /// The vendor's location, in words.
        location_name: Option<String> = text("Location", 150).section("Contact details").personal(Personal::Private).synced().listed(),
        /// The vendor's id of their manager.
        reporting_manager_id: Option<i64> = int("Manager at the vendor").told().internal().synced(),
        /// Such as `en`.
        language: Option<String> = text("Language", 10).on_page("Person").synced(),
        /// In the vendor's spelling.
        time_zone: Option<String> = text("Time zone", 100).section("Person").synced(),
        /// `12h` or `24h`.
        time_format: Option<String> = told("Time format").internal().synced(),
        /// Whether they see their companies' tickets.
        can_see_all_tickets: bool = flag("Sees all tickets").told().internal().synced(),
        /// Whether they see their companies' changes.
        can_see_all_changes: bool = flag("Sees all changes").told().internal().synced(),
        background_information: Option<String> = long("Background", 10_000).section("Person").personal(Personal::Private).synced(),
        /// The vendor's work schedule.
        work_schedule_id: Option<i64> = int("Work schedule at the vendor").told().internal().synced(),
        /// The vendor's custom field.
        user_number: Option<String> = told("User number").internal().synced(),
        /// The vendor's own reference to another system.
        vendor_reference: Option<String> = told("Reference at the vendor").internal().synced(),
        /// The vendor's custom fields without a column here: a JSON object as text.
        custom_fields: Option<String> = json("Custom fields", Layout::Choices).personal(Personal::Private).synced(),
        /// When the vendor's record was created.
        vendor_created_at: Option<String> = told("Created at the vendor").format(Format::Moment).internal().synced(),
        /// When the vendor's record was last changed.
        vendor_updated_at: Option<String> = told("Changed at the vendor").format(Format::Moment).internal().synced(),
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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

/// A contact as it is told: the row, and its place in the company under which it is listed, or the first one.
#[derive(Clone, Debug)]
pub struct ContactView {
    /// The row.
    pub row: Contact,
    /// That place.
    pub place: Membership,
    /// The Freshservice requester.
    pub external_id: Option<i64>,
    /// `freshservice`, or none for a contact that people made.
    pub external_source: Option<&'static str>,
    /// How strictly its data is protected: the strictest level of its companies, present and past.
    pub protection: Level,
    /// Whether it gets a company's invoices, or is whom a company names first.
    pub is_billed_to: bool,
}

crate::shaped! { ContactView: Members::first(CONTRACT)
    .record(|view: &ContactView| &view.row)
    .member("created_at", Holds::TEXT, |view| view.created_at().into())
    .member("title", Holds::TEXT.or_null(), |view| (&view.row.job_title).into())
    .member("full_name", Holds::TEXT, |view| (&view.row.name).into())
    .member("phone", Holds::TEXT.or_null(), |view| view.phone().into())
    // The account number of the company, as everywhere in neighbours' JSON.
    .member("company_id", Holds::TEXT.or_null(), |view| view.company_id().into())
    .member("is_primary", Holds::FLAG, |view| view.place.is_primary.into())
    .member("role", Holds::TEXT.or_null(), |view| (&view.place.role).into())
    .member("designation", Holds::TEXT.or_null(), |view| (&view.place.designation).into())
    .member("status", Holds::TEXT, |view| view.status().into())
    .member("external_id", Holds::INT.or_null(), |view| view.external_id.into())
    .member("external_source", Holds::TEXT.or_null(), |view| view.external_source.into())
    .member("freshservice_id", Holds::INT.or_null(), |view| view.external_id.into())
    .member("company_compliance_level", Holds::TEXT, |view| view.protection.as_str().into())
    // The same, under the name by which an administrator lowers it.
    .member("protected_as", Holds::TEXT, |view| view.protection.as_str().into())
}

/// The order of contract §1.1.7.
const CONTRACT: &[&str] = &[
    "id",
    "name",
    "email",
    "title",
    "employment_type",
    "active",
    "mobile_phone_number",
    "work_phone_number",
    "secondary_emails",
    "company_id",
];

impl Protected for ContactView {
    const ENTITY: &'static str = "contact";
    const TELLS: &'static [(&'static str, Personal)] = crate::personal_fields![Contact; ("title", Personal::Title)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.row.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn is_disclosed_to(&self, policy: &RedactionPolicy) -> bool {
        self.is_billed_to && policy.bills() || policy.shows_any(self.protection, Self::TELLS)
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        if policy.strictness(self.protection) == Level::Standard || policy.sees_all() {
            return self;
        }
        let bills = self.is_billed_to && policy.bills();
        redact(&mut self.row, |field, text| match field {
            Personal::Name | Personal::Email | Personal::Phone if bills => Some(text.to_owned()),
            _ => policy.reveal(self.protection, field, text),
        });
        self
    }
}

impl ContactView {
    /// Puts those whose names this caller may not see behind the others, by their ids: the order of names tells what
    /// they begin with.
    pub fn order(people: &mut [Self], policy: &RedactionPolicy) {
        people.sort_by_key(|one| if one.is_named(policy) { 0 } else { one.row.id });
    }

    /// Whether this caller may see its name.
    #[must_use]
    pub fn is_named(&self, policy: &RedactionPolicy) -> bool {
        self.is_billed_to && policy.bills() || policy.shows(self.protection, Personal::Name)
    }

    /// A row in one of its companies.
    #[must_use]
    pub fn new(row: Contact, freshservice_id: Option<&str>, place: Membership) -> Self {
        Self {
            row,
            place,
            external_id: freshservice_id.and_then(|text| text.parse().ok()),
            external_source: freshservice_id.map(|_| "freshservice"),
            protection: Level::Standard,
            is_billed_to: false,
        }
    }

    /// `active`, `inactive` or `retired`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (&self.row.retired_at, self.row.active) {
            (Some(_), _) => "retired",
            (None, true) => "active",
            (None, false) => "inactive",
        }
    }

    /// The account number of the company under which it is listed, if there is one.
    #[must_use]
    pub fn company_id(&self) -> Option<&str> {
        Some(self.place.account_number.as_str()).filter(|number| !number.is_empty())
    }

    /// The work number, else the mobile one.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.row.work_phone_number.as_deref().or(self.row.mobile_phone_number.as_deref())
    }

    /// When it was created at the vendor, or here.
    #[must_use]
    pub fn created_at(&self) -> &str {
        self.row.vendor_created_at.as_deref().unwrap_or(&self.row.created_at)
    }
}

/// One contact in full: the object of [`ContactView`] and everything around it (contract §1.3).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
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
    const TELLS: &'static [(&'static str, Personal)] = ContactView::TELLS;
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.contact.record()
    }

    fn level(&self) -> Level {
        self.contact.level()
    }

    fn is_disclosed_to(&self, policy: &RedactionPolicy) -> bool {
        self.contact.is_disclosed_to(policy)
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        self.contact = self.contact.redacted(policy);
        self
    }
}
