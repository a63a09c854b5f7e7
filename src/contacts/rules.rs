//! What a contact's fields must be: stated once for JSON, forms and imports.

use super::model::{Contact, DESIGNATIONS, EMPLOYMENT, ROLES};
use crate::compliance::Level;
use crate::error::Result;
use crate::history::protection::LEVELS;
use crate::web::{Fields, Reference, Sent};

/// A wish for a contact's place in one company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceInput {
    /// What an error about the company names.
    pub field: String,
    /// The company; none means the only one that the contact is in.
    pub company: Option<Reference>,
    /// What they do there.
    pub role: Sent<String>,
    /// Whom to call first, whom then.
    pub designation: Sent<String>,
    /// Whether they are the company's one primary contact.
    pub is_primary: Sent<bool>,
}

/// What was sent for a contact, checked; references are resolved by the store.
#[derive(Debug)]
pub struct ContactInput {
    contact: Contact,
    sent: Vec<&'static str>,
    /// Replaces the companies, when sent.
    pub places: Sent<Vec<PlaceInput>>,
    /// Replaces the assigned assets, when sent (by asset id).
    pub assets: Sent<Vec<i64>>,
    /// How strictly its data is to be protected, when a person decides that.
    pub protected_as: Option<Level>,
}

/// Reads the fields of a write.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<ContactInput> {
    fields.set_creating(creating);
    for (name, other) in
        [("name", "full_name"), ("email", "primary_email"), ("work_phone_number", "phone"), ("job_title", "title")]
    {
        fields.alias(name, other);
    }
    let mut contact = Contact::default();
    let mut sent: Vec<&'static str> = Vec::new();
    macro_rules! take {
        ($($name:ident: $read:expr => $store:ident),+ $(,)?) => {$(
            let value = $read;
            if value.is_sent() { sent.push(stringify!($name)); }
            value.$store(&mut contact.$name);
        )+};
    }
    take! {
        first_name: fields.text("first_name").max(150).get() => store,
        last_name: fields.text("last_name").max(150).get() => store,
        secondary_emails: fields.text_list("secondary_emails").max_items(50).max_each(150).get()
            .map(|list| serde_json::json!(list).to_string()) => store,
        job_title: fields.text("job_title").max(150).get() => store,
        active: fields.bool("active").not_null().get() => store_value,
        mobile_phone_number: fields.text("mobile_phone_number").max(50).get() => store,
        work_phone_number: fields.text("work_phone_number").max(50).get() => store,
        address: fields.text("address").max(2_000).get() => store,
        is_agent: fields.bool("is_agent").not_null().get() => store_value,
        vip_user: fields.bool("vip_user").not_null().get() => store_value,
        location_name: fields.text("location_name").max(150).get() => store,
        language: fields.text("language").max(10).get() => store,
        time_zone: fields.text("time_zone").max(100).get() => store,
        background_information: fields.text("background_information").max(10_000).get() => store,
    }
    // A column that always holds text: no e-mail is an empty one, no kind of employment the usual one.
    let email = fields.text("email").max(150).email().get();
    if email.is_sent() {
        sent.push("email");
        contact.email = email.value().unwrap_or_default();
    }
    let employment = fields.text("employment_type").max(100).get();
    if employment.is_sent() {
        sent.push("employment_type");
        contact.employment_type = employment.value().unwrap_or_else(|| EMPLOYMENT.to_owned());
    }
    read_name(&mut fields, &mut contact, &mut sent);
    let places = read_places(&mut fields);
    let assets = fields.int_list("asset_ids").max_items(500).get();
    let protected_as = fields.text("protected_as").not_null().one_of(LEVELS).value().as_deref().map(Level::parse);
    fields.finish()?;
    Ok(ContactInput { contact, sent, places, assets, protected_as })
}

/// The name as sent; when only first or last names are sent, [`ContactInput::apply`] makes it of them.
fn read_name(fields: &mut Fields, contact: &mut Contact, sent: &mut Vec<&'static str>) {
    if !fields.has("name") && !contact.composed_name().is_empty() {
        return;
    }
    let name = fields.text("name").required().max(150).get();
    if name.is_sent() {
        sent.push("name");
    }
    name.store_value(&mut contact.name);
}

/// Companies in any of the ways clients name them: `companies` (objects), `company_account_numbers`
/// (keys), or one `company_id` with `role`, `designation` and `is_primary` beside it, or these three alone.
fn read_places(fields: &mut Fields) -> Sent<Vec<PlaceInput>> {
    let list = fields.array("companies").max_items(200).get();
    if let Sent::Value(items) = list {
        let mut places = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let serde_json::Value::Object(map) = item else {
                fields.refuse(format!("companies[{index}]"), "must be an object with account_number");
                continue;
            };
            let mut inner = Fields::new(map);
            let place = read_place(&mut inner, true);
            if let Err(crate::error::Error::Invalid(errors)) = inner.finish() {
                for error in errors {
                    fields.refuse(format!("companies[{index}].{}", error.field), error.message);
                }
            }
            places.extend(place.map(|place| PlaceInput { field: format!("companies[{index}].account_number"), ..place }));
        }
        return Sent::Value(places);
    }
    if fields.has("company_account_numbers") {
        return fields.key_list("company_account_numbers").max_items(200).get().map(|keys| {
            let plain = |(index, company)| PlaceInput {
                field: format!("company_account_numbers[{index}]"),
                company: Some(Reference::Key(company)),
                role: Sent::Absent,
                designation: Sent::Absent,
                is_primary: Sent::Absent,
            };
            keys.into_iter().enumerate().map(plain).collect()
        });
    }
    read_place(fields, false).map_or(Sent::Absent, |place| Sent::Value(vec![place]))
}

/// One place: the company as `account_number` (in a list) or `company_id`, with what they are there.
fn read_place(fields: &mut Fields, in_list: bool) -> Option<PlaceInput> {
    let key =
        if in_list && (fields.has("account_number") || !fields.has("company_id")) { "account_number" } else { "company_id" };
    let company = if key == "account_number" {
        fields.key(key).max(50).value().map(Reference::Key)
    } else {
        fields.reference(key).max(50).value()
    };
    if company.is_none() && in_list {
        fields.refuse(key, "is required");
    }
    let place = PlaceInput {
        field: key.to_owned(),
        company,
        role: fields.text("role").one_of(ROLES).get(),
        designation: fields.text("designation").one_of(DESIGNATIONS).get(),
        is_primary: fields.bool("is_primary").get(),
    };
    let says = place.role.is_sent() || place.designation.is_sent() || place.is_primary.is_sent();
    (place.company.is_some() || says && !in_list).then_some(place)
}

impl PlaceInput {
    /// Whether there is anything to be in a company, beyond nothing.
    #[must_use]
    pub fn is_something(&self) -> bool {
        let value = |sent: &Sent<String>| matches!(sent, Sent::Value(_));
        value(&self.role) || value(&self.designation) || matches!(self.is_primary, Sent::Value(true))
    }
}

impl ContactInput {
    /// Puts what was sent into a row. A name that was made of first and last name follows them.
    pub fn apply(&self, to: &mut Contact) {
        let before = to.composed_name();
        let whole = |contact: &Contact| contact.first_name.is_some() && contact.last_name.is_some();
        let follows = !self.sent.contains(&"name")
            && (to.name.is_empty() || to.name == before || before.is_empty() && whole(&self.contact));
        macro_rules! copy {
            ($($name:ident),+ $(,)?) => {
                for name in &self.sent {
                    match *name {
                        $(stringify!($name) => to.$name.clone_from(&self.contact.$name),)+
                        _ => {}
                    }
                }
            };
        }
        copy!(
            name,
            first_name,
            last_name,
            email,
            secondary_emails,
            job_title,
            employment_type,
            active,
            mobile_phone_number,
            work_phone_number,
            address,
            is_agent,
            vip_user,
            location_name,
            language,
            time_zone,
            background_information,
        );
        let composed = to.composed_name();
        if follows && !composed.is_empty() {
            to.name = composed;
        }
    }

    /// Whether this field was sent.
    #[must_use]
    pub fn sends(&self, name: &str) -> bool {
        self.sent.contains(&name)
    }

    /// Whether the e-mail was sent, so that it must be free.
    #[must_use]
    pub fn sets_email(&self) -> bool {
        self.sent.contains(&"email")
    }
}
