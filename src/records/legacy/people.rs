//! Companies, their locations, contacts and where they belong, and the provider's own people.

use super::{
    bring::{Bringing, External, external, id, is_that, keep, link, refuse_taken_away, refused},
    report::Outcome,
    row::Row,
    store, values,
};
use crate::{
    agents::{self, COLOR_THEMES, HOME_PAGES, Patch, Preferences, PsaAgent, THEMES, VIEWS, store::Mirrored},
    auth::Level,
    companies::{
        Company, Location, contract,
        model::{COMPLIANCE_LEVELS, KINDS},
    },
    contacts::{self, Contact, Membership},
    db::Write,
    entity::Fielded,
    error::Result,
    history::{self, protection},
    tickets::codes,
    types::{email_key, fold},
    web::Fields,
};

/// What an earlier version of the former service called the level of health data.
const HEALTH: [&str; 2] = ["phi", "hipaa"];

impl Bringing<'_> {
    pub fn company(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let number = row.text("account_number").ok_or_else(|| refused("has no account number"))?;
        if row.raw("account_number") != Some(number.as_str()) {
            self.losses.value(row, "account_number", "blanks and control characters were left out of it");
        }
        if self.companies.contains_key(&number) {
            return Err(refused(format!("another company has the account number {number}")));
        }
        let own = if row.text("id").is_some() { Some(id(row)?) } else { None };
        let external = external(row, &mut self.losses);
        let known = store::company(w, &number)?;
        let name = called::<Company>(row.text("name").unwrap_or_else(|| number.clone()));
        let is_alike = |known: &Company| fold(&known.name) == fold(&name);
        is_that(w, known.as_ref().map(|known| (known, known.name.as_str())), external.as_ref(), is_alike)?;
        if let (Some(own), Some(known)) = (own, known.as_ref())
            && own != known.id
        {
            return Err(refused(format!("it has another id here ({})", known.id)));
        }
        if let Some(other) = own.filter(|_| known.is_none()).map(|own| history::find::<Company>(w, own)).transpose()?.flatten() {
            return Err(refused(format!("its id is another company's here: {}", other.name)));
        }
        let mut company = known.clone().unwrap_or_else(|| Company { kind: KINDS[0].to_owned(), ..Company::default() });
        row.fill(&mut company, &mut self.losses)?;
        company.name = name;
        company.account_number.clone_from(&number);
        company.account_number_at_vendor |= external.is_some();
        company.compliance_level = self.compliance_level(row);
        contract::complete(&mut company);
        let (id, outcome) = keep(w, own, known.as_ref(), company)?;
        link::<Company>(w, id, external.as_ref())?;
        self.companies.insert(number, id);
        if let Some(External { id: department, .. }) = external {
            self.departments.insert(id, department);
        }
        Ok(outcome)
    }

    /// A word that nobody knows protects as strictly as any.
    fn compliance_level(&mut self, row: &Row<'_>) -> String {
        let Some(said) = row.text("compliance_level") else { return COMPLIANCE_LEVELS[0].to_owned() };
        let word = said.to_lowercase();
        if HEALTH.contains(&word.as_str()) {
            return HEALTH[1].to_owned();
        }
        if COMPLIANCE_LEVELS.contains(&word.as_str()) {
            return word;
        }
        let strictest = COMPLIANCE_LEVELS.iter().copied().max_by_key(|level| protection::rank(level)).unwrap_or(HEALTH[1]);
        self.losses.value(row, "compliance_level", &format!("is no level; the company is protected as {strictest}"));
        strictest.to_owned()
    }

    pub fn location(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let (id, company_id) = (id(row)?, self.company_of(row)?);
        let known = history::find::<Location>(w, id)?;
        let mut location = known.clone().unwrap_or_default();
        row.fill(&mut location, &mut self.losses)?;
        location.company_id = company_id;
        if location.name.is_empty() {
            location.name = called::<Location>(location.address.clone().unwrap_or_else(|| format!("Location {id}")));
        }
        if let Some(known) =
            known.as_ref().filter(|known| known.company_id != company_id || fold(&known.name) != fold(&location.name))
        {
            return Err(refused(format!("its place is taken by another location here: {}", known.name)));
        }
        w.touch("company");
        keep(w, Some(id), known.as_ref(), location).map(|(_, outcome)| outcome)
    }

    pub fn contact(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let id = id(row)?;
        let external = external(row, &mut self.losses);
        let known = history::find::<Contact>(w, id)?;
        let mut contact = known.clone().unwrap_or_default();
        row.fill(&mut contact, &mut self.losses)?;
        contact.active = row.flag("active", true, &mut self.losses);
        if contact.name.is_empty() {
            let name = Some(contact.composed_name())
                .filter(|name| !name.is_empty())
                .or_else(|| Some(contact.email.split('@').next()?.to_owned()).filter(|name| !name.is_empty()))
                .unwrap_or_else(|| format!("Contact {id}"));
            contact.name = called::<Contact>(name);
        }
        let is_alike = |known: &Contact| {
            !known.email.is_empty() && email_key(&known.email) == email_key(&contact.email)
                || fold(&known.name) == fold(&contact.name)
        };
        is_that(w, known.as_ref().map(|known| (known, known.name.as_str())), external.as_ref(), is_alike)?;
        let (id, outcome) = keep(w, Some(id), known.as_ref(), contact)?;
        link::<Contact>(w, id, external.as_ref())?;
        contacts::store::remember(w, id)?;
        self.contacts.insert(id, departments(row));
        Ok(outcome)
    }

    pub fn membership(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let (contact, company_id) = (self.contact_of(row)?, self.company_of(row)?);
        if contacts::store::memberships(w, contact)?.iter().any(|place| place.company_id == company_id) {
            return Ok(Outcome::Same);
        }
        let number = row.text("company_account_number").unwrap_or_default();
        refuse_taken_away::<Contact>(w, contact, &format!("company:{number}"), |side| !side.is_null())?;
        // What the vendor says itself it may take back; what somebody added stays.
        let of_vendor = self.departments.get(&company_id).is_some_and(|department| self.contacts[&contact].contains(department));
        let source = of_vendor.then(|| codes::SOURCE.to_owned());
        contacts::store::join(w, contact, &Membership { company_id, source, ..Membership::default() })?;
        Ok(Outcome::New)
    }

    /// The contact that a link names.
    ///
    /// # Errors
    /// `Conflict` when they are not here.
    pub fn contact_of(&self, row: &Row<'_>) -> Result<i64> {
        let id = row.text("contact_id").and_then(|text| values::whole(&text));
        let id = id.filter(|id| self.contacts.contains_key(id));
        id.ok_or_else(|| refused(format!("there is no contact {} here", row.raw("contact_id").unwrap_or_default())))
    }

    pub fn psa_agent(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let is_own_id = row.has("external_id");
        let number = row.int(if is_own_id { "external_id" } else { "id" }, &mut self.losses);
        let external_id = number.ok_or_else(|| refused("has no id at the vendor"))?.to_string();
        let source = row.text("external_source").unwrap_or_else(|| codes::SOURCE.to_owned());
        let id = if is_own_id { Some(id(row)?) } else { None };
        let known = store::psa_agent(w, &source, &external_id)?;
        if let Some(id) = id.filter(|id| known.as_ref().is_none_or(|known| known.id != *id))
            && let Some(other) = history::find::<PsaAgent>(w, id)?
        {
            return Err(refused(format!("its id is another agent's here: {}", other.name())));
        }
        let mut agent = known.clone().unwrap_or_default();
        row.fill(&mut agent, &mut self.losses)?;
        agent.active = row.flag("active", true, &mut self.losses);
        (agent.external_source, agent.external_id) = (source, external_id);
        keep(w, id, known.as_ref(), agent).map(|(_, outcome)| outcome)
    }

    pub fn agent(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let subject = row.text("keycloak_id").ok_or_else(|| refused("has no Keycloak id"))?;
        let wanted = self.preferences(row);
        let Some(known) = agents::store::find(w, &subject)? else {
            // Until they sign in, or Keycloak is asked, nobody has more power than the least: that is not told here.
            let mirrored = Mirrored {
                subject: subject.clone(),
                username: row.text("username").unwrap_or_else(|| subject.clone()),
                email: row.text("email"),
                first_name: row.text("first_name"),
                last_name: row.text("last_name"),
                enabled: row.flag("enabled", true, &mut self.losses),
                level: Level::default(),
            };
            agents::store::mirror(w, &mirrored, 0)?;
            agents::store::set_preferences(w, &subject, patch(&wanted)?)?;
            return Ok(Outcome::New);
        };
        if known.preferences == wanted {
            return Ok(Outcome::Same);
        }
        if known.preferences != Preferences::default() {
            return Err(refused("has chosen other settings here since"));
        }
        agents::store::set_preferences(w, &subject, patch(&wanted)?)?;
        Ok(Outcome::Changed)
    }

    /// Somebody's settings; a choice that there is not is as if they had not chosen.
    fn preferences(&mut self, row: &Row<'_>) -> Preferences {
        let usual = Preferences::default();
        let mut choice = |column: &str, choices: &[&str], usual: String| match row.text(column) {
            Some(said) if choices.contains(&said.as_str()) => said,
            Some(_) => {
                self.losses.value(row, column, "is no choice here");
                usual
            }
            None => usual,
        };
        Preferences {
            theme_preference: choice("theme_preference", &THEMES, usual.theme_preference),
            preferred_color_theme: choice("preferred_color_theme", &COLOR_THEMES, usual.preferred_color_theme),
            knowledgetree_view_preference: choice("knowledgetree_view_preference", &VIEWS, usual.knowledgetree_view_preference),
            home_page_preference: choice("home_page_preference", &HOME_PAGES, usual.home_page_preference),
        }
    }
}

/// A text as the name of a record, as long as such a name may be.
fn called<F: Fielded>(text: String) -> String {
    match F::field("name") {
        Some(field) => values::fitting(&field.spec, &text),
        None => text,
    }
}

fn patch(wanted: &Preferences) -> Result<Patch> {
    let told = serde_json::to_value(wanted).map_err(crate::error::Error::internal)?;
    Patch::read(Fields::new(told.as_object().cloned().unwrap_or_default()))
}

/// The vendor's ids of a contact's companies.
fn departments(row: &Row<'_>) -> std::collections::HashSet<String> {
    let told: Option<serde_json::Value> = row.raw("department_ids").and_then(|text| serde_json::from_str(text).ok());
    let items = told.as_ref().and_then(serde_json::Value::as_array).into_iter().flatten();
    items.map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
}
