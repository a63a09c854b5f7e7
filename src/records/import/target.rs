//! What a table can become: for each noun its columns, how a record is known again, and the writes of its own room.

use serde_json::{Map, Value as Json};

use crate::{
    assets::{self, Asset, AssetView},
    companies::{self, Company, CompanyView},
    compliance::RedactionPolicy,
    contacts::{self, Contact, ContactView, Membership},
    custom,
    db::{
        Conn, Write,
        list::{
            ListQuery, ListSpec,
            beside::{self, Beside as _, Reader},
        },
    },
    entity::{FieldSpec, Fielded as _, Shaped as _},
    error::{Error, Result},
    history::{Record as _, protection},
    plan,
    records::{entities, merge, nouns::AnyNoun},
    types::fold,
    web::{Fields, Sent},
};

/// Columns that say in which company a contact is, and as what.
const PLACE: [&str; 4] = ["company_id", "role", "designation", "is_primary"];
/// Columns that say whose an asset is.
const WHOSE: [&str; 2] = ["company_account_number", "company_id"];

/// One kind of table.
#[derive(Clone, Copy)]
pub struct Target {
    /// What it is called: `assets`.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Companies,
    Contacts,
    Assets,
    /// A noun of the one door.
    Noun(&'static dyn AnyNoun),
}

/// Everything that can be imported.
pub fn all() -> Vec<Target> {
    let own = [("companies", Kind::Companies), ("contacts", Kind::Contacts), ("assets", Kind::Assets)];
    let nouns = entities::nouns().filter(|noun| !noun.is_for_staff()).map(|noun| (noun.door().api, Kind::Noun(noun)));
    own.into_iter().chain(nouns).map(|(name, kind)| Target { name, kind }).collect()
}

/// The kind of this name.
///
/// # Errors
/// `Invalid`, naming those that there are.
pub fn named(name: &str) -> Result<Target> {
    let found = all().into_iter().find(|target| target.name == name);
    found.ok_or_else(|| Error::field("kind", format!("must be one of {}", super::kinds().join(", "))))
}

fn sent(specs: impl Iterator<Item = &'static FieldSpec>) -> Vec<&'static str> {
    specs.filter(|spec| !spec.is_told).map(|spec| spec.name).collect()
}

impl Target {
    /// The kind of its rows in plans.
    pub fn plan_kind(&self) -> plan::Kind {
        match self.kind {
            Kind::Companies => plan::Kind::Company,
            Kind::Contacts => plan::Kind::Contact,
            Kind::Assets => plan::Kind::Asset,
            Kind::Noun(noun) => plan::Kind::parse(noun.name()).unwrap_or(plan::Kind::Company),
        }
    }

    /// Whether a row may name one that the same table makes, so that it is rehearsed together with that one.
    pub fn is_together(&self) -> bool {
        matches!(self.kind, Kind::Companies)
    }

    /// Its list.
    pub fn spec(&self) -> &'static ListSpec {
        match self.kind {
            Kind::Companies => &companies::list_store::COMPANIES,
            Kind::Contacts => &contacts::list_store::LIST,
            Kind::Assets => &assets::list_store::LIST,
            Kind::Noun(noun) => noun.list(),
        }
    }

    /// The columns that it takes.
    pub fn takes(&self) -> Vec<&'static str> {
        let (mut fields, more): (_, &[&'static str]) = match self.kind {
            Kind::Companies => (sent(Company::FIELDS.iter().map(|field| &field.spec)), &["account_number", "parent_id"]),
            Kind::Contacts => (sent(Contact::FIELDS.iter().map(|field| &field.spec)), &PLACE),
            Kind::Assets => (sent(Asset::FIELDS.iter().map(|field| &field.spec)), &WHOSE),
            Kind::Noun(noun) => (sent(noun.specs().into_iter()), &WHOSE),
        };
        fields.push("id");
        fields.extend(more.iter().filter(|name| **name != "id"));
        fields
    }

    /// The column that says whose a row is.
    pub fn company_column(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Companies => None,
            Kind::Contacts => Some(PLACE[0]),
            Kind::Assets | Kind::Noun(_) => Some(WHOSE[0]),
        }
    }

    /// The columns that an export has beside them.
    pub fn ignores(&self) -> Vec<&'static str> {
        let takes = self.takes();
        let names = match self.kind {
            Kind::Companies => CompanyView::names(),
            Kind::Contacts => ContactView::names(),
            Kind::Assets => AssetView::names(),
            Kind::Noun(noun) => (noun.list().fields)(),
        };
        names.iter().copied().filter(|name| !takes.contains(name)).collect()
    }

    /// The columns by which a record is known again when nobody says by which, the surest first.
    fn keys(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::Companies => vec!["account_number", "name"],
            Kind::Contacts => vec!["email"],
            Kind::Assets => vec!["serial_number", "hostname"],
            Kind::Noun(noun) => vec![noun.door().title],
        }
    }

    /// The record that a row is, and why.
    ///
    /// # Errors
    /// `Invalid` when it says which one and that is not there, or when several are as it says.
    pub fn find(&self, c: &mut Conn, cells: &[(&str, &str)], key: Option<&str>) -> Result<(Option<i64>, String)> {
        let value = |name: &str| cells.iter().find(|(head, value)| *head == name && !value.is_empty()).map(|(_, value)| *value);
        if let (None | Some("id"), Some(id)) = (key, value("id")) {
            let number = id.parse::<i64>().map_err(|_| Error::field("id", "must be a whole number"))?;
            let query = ListQuery::parse(self.spec(), [("id", Ok(id)), ("retired", Ok("include"))].into_iter())?;
            return match query.first(c, |_| Ok(()))?.len() {
                0 => Err(Error::field("id", format!("there is none with the id {number}; leave the cell empty for a new one"))),
                _ => match merge::refuse_merged(c, self.entity(), number) {
                    Ok(()) => Ok((Some(number), format!("by its id {number}"))),
                    Err(Error::Conflict { message, .. }) => Err(Error::field("id", message)),
                    Err(other) => Err(other),
                },
            };
        }
        let keys = key.map_or_else(|| self.keys(), |key| vec![key]);
        for name in keys {
            let Some(text) = value(name) else { continue };
            let found = self.known_by(c, name, text, cells)?;
            match found.as_slice() {
                [] => {}
                [one] => return Ok((Some(*one), format!("by its {} {text}", name.replace('_', " ")))),
                more => return Err(Error::field(name, format!("{} records have {text:?}", more.len()))),
            }
        }
        match key {
            Some(key) if value(key).is_none() => Err(Error::field(key, "is the key, and empty")),
            _ => Ok((None, "no record is like it".to_owned())),
        }
    }

    /// What a new record will be known by, as [`find`](Self::find) would find it.
    pub fn identities(&self, cells: &[(&str, &str)], key: Option<&str>) -> Vec<String> {
        let value = |name: &str| cells.iter().find(|(head, value)| *head == name && !value.is_empty()).map(|(_, value)| *value);
        let keys = key.map_or_else(|| self.keys(), |key| vec![key]);
        let known = keys.into_iter().filter_map(|name| Some((name, value(name)?)));
        let spelled = |name, text| if self.is_folded(name) { fold(text) } else { text.to_owned() };
        known
            .map(|(name, text)| format!("{name}\n{}\n{}", spelled(name, text), self.whose(name, cells).unwrap_or_default()))
            .collect()
    }

    /// Whether this column is compared however it is spelled.
    fn is_folded(&self, name: &str) -> bool {
        matches!(
            (self.kind, name),
            (Kind::Contacts, "email") | (Kind::Companies, "name") | (Kind::Assets, "serial_number" | "hostname")
        )
    }

    /// The company in which a name is meant: the same name at another one is another thing.
    fn whose<'c>(&self, name: &str, cells: &[(&str, &'c str)]) -> Option<&'c str> {
        let by_name = !matches!(name, "serial_number" | "asset_tag");
        let is_of_companies = matches!(self.kind, Kind::Assets | Kind::Noun(_));
        let said = |head: &&str| cells.iter().find(|(name, value)| name == head && !value.is_empty()).map(|(_, value)| *value);
        WHOSE.iter().find_map(said).filter(|_| by_name && is_of_companies)
    }

    fn known_by(&self, c: &mut Conn, name: &str, text: &str, cells: &[(&str, &str)]) -> Result<Vec<i64>> {
        let spec = self.spec();
        let query = ListQuery::everything(spec)?;
        let query = match (self.kind, name) {
            (Kind::Contacts, "email") => query.and("contact.email_folded = {}", vec![fold(text).into()]),
            (Kind::Companies, "name") => query.and("company.name_folded = {}", vec![fold(text).into()]),
            (Kind::Assets, "hostname") => query.and("asset.hostname_folded = {}", vec![fold(text).into()]),
            _ => ListQuery::parse(spec, [(name, Ok(text))].into_iter())?,
        };
        let query = match self.whose(name, cells) {
            Some(number) => {
                let alias = spec.key.trim_end_matches(".id");
                let company = companies::store::find_id(c, number)?.unwrap_or_default();
                // A company may have many devices of which few have that name: the sign keeps its index out of it.
                let sign = if self.is_folded(name) { "+" } else { "" };
                query.and(&format!("{sign}{alias}.company_id = {{}}"), vec![company.into()])
            }
            None => query,
        };
        query.first(c, |row| row.get(0))
    }

    /// A record as an export has it.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn stands(&self, c: &mut Conn, id: i64) -> Result<Map<String, Json>> {
        let view = match self.kind {
            Kind::Companies => serde_json::to_value(companies::store::get_view(c, id)?.inside()),
            Kind::Contacts => serde_json::to_value(contacts::store::get_view(c, id)?.inside()),
            Kind::Assets => serde_json::to_value(assets::store::get_view(c, id)?.inside()),
            Kind::Noun(noun) => Ok(noun.stands(c, id)?),
        };
        let Json::Object(mut map) = view.map_err(Error::internal)? else { return Ok(Map::new()) };
        let everything = Reader { sees_all: true, strike: None };
        let mut own = custom::OfRecords.members(c, self.entity(), &[id], &everything)?.remove(&id).unwrap_or_default().json;
        if let Some(Json::Object(values)) = own.remove(beside::OWN) {
            map.extend(values.into_iter().map(|(key, value)| (format!("{}{key}", beside::PREFIX), value)));
        }
        if let Some(Json::Array(tags)) = own.remove("tags") {
            map.insert("tags".to_owned(), tags.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ").into());
        }
        Ok(map)
    }

    /// Notes that whoever looks at the plan is told what stands in a record.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn log_disclosure(&self, c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<()> {
        match self.kind {
            Kind::Companies => drop(companies::store::get_view(c, id)?.redact(policy)),
            Kind::Contacts => drop(contacts::store::get_view(c, id)?.redact(policy)),
            Kind::Assets => policy.log_disclosure(Asset::ENTITY, protection::among(c, Asset::ENTITY, vec![id])?),
            Kind::Noun(_) => {}
        }
        Ok(())
    }

    /// Its noun's word in history.
    fn entity(&self) -> &'static str {
        match self.kind {
            Kind::Companies => Company::ENTITY,
            Kind::Contacts => Contact::ENTITY,
            Kind::Assets => Asset::ENTITY,
            Kind::Noun(noun) => noun.name(),
        }
    }

    /// A new record with its own fields and tags; its id.
    pub fn create(&self, w: &mut Write<'_>, fields: Fields, policy: &RedactionPolicy) -> Result<i64> {
        let own = custom::Sent::of(&fields)?;
        let id = self.create_row(w, fields, policy)?;
        custom::apply(w, self.entity(), id, &own, true, policy)?;
        Ok(id)
    }

    fn create_row(&self, w: &mut Write<'_>, fields: Fields, policy: &RedactionPolicy) -> Result<i64> {
        Ok(match self.kind {
            Kind::Companies => companies::store::create(w, &companies::rules::read(fields, true)?, Some(policy))?.id,
            Kind::Contacts => contacts::store::create(w, &contacts::rules::read(fields, true)?, policy)?.id,
            Kind::Assets => assets::store::create(w, &assets::rules::read(fields, true)?)?.id,
            Kind::Noun(noun) => noun.create(w, fields)?,
        })
    }

    /// Other values in a record, its own fields and tags among them.
    pub fn update(&self, w: &mut Write<'_>, id: i64, fields: Fields, policy: &RedactionPolicy) -> Result<()> {
        merge::refuse_merged(w, self.entity(), id)?;
        let own = custom::Sent::of(&fields)?;
        self.update_row(w, id, fields, policy)?;
        custom::apply(w, self.entity(), id, &own, false, policy).map(drop)
    }

    fn update_row(&self, w: &mut Write<'_>, id: i64, fields: Fields, policy: &RedactionPolicy) -> Result<()> {
        match self.kind {
            Kind::Companies => {
                companies::store::update(w, id, &companies::rules::read(fields, false)?, None, policy)?;
            }
            Kind::Contacts => contact(w, id, fields, policy)?,
            Kind::Assets => {
                assets::store::update(w, id, &assets::rules::read(fields, false)?, None, policy)?;
            }
            Kind::Noun(noun) => noun.update(w, id, fields)?,
        }
        Ok(())
    }
}

/// The account number of the company of this name, or of this number.
///
/// # Errors
/// `Invalid`, naming the column, when there is none, or several.
pub fn company_called(c: &mut Conn, column: &str, name: &str) -> Result<String> {
    let companies = Target { name: "companies", kind: Kind::Companies };
    let found = match companies.known_by(c, "name", name, &[])?.as_slice() {
        [one] => *one,
        [] => companies::store::find_id(c, name)?
            .ok_or_else(|| Error::field(column, format!("there is no company called {name}; import the companies first")))?,
        more => return Err(Error::field(column, format!("{} companies are called {name}", more.len()))),
    };
    Ok(companies::store::get_view(c, found)?.inside().row.account_number.clone())
}

/// What a row's record is called.
pub fn label(cells: &[(&str, &str)]) -> String {
    let names = ["name", "hostname", "cidr", "email", "account_number", "serial_number", "number", "id"];
    let value = |name: &&str| cells.iter().find(|(head, value)| head == name && !value.is_empty());
    names.iter().find_map(value).map(|(_, value)| (*value).to_owned()).unwrap_or_default()
}

/// A contact's own values; in the company that the row names they get a place, and keep those in others.
fn contact(w: &mut Write<'_>, id: i64, fields: Fields, policy: &RedactionPolicy) -> Result<()> {
    let input = contacts::rules::read(fields, false)?;
    let places = match &input.places {
        Sent::Value(places) => places.clone(),
        Sent::Absent | Sent::Null => Vec::new(),
    };
    let input = contacts::rules::ContactInput { places: Sent::Absent, ..input };
    contacts::store::update(w, id, &input, None, policy)?;
    for place in places {
        let before = contacts::store::memberships(w, id)?;
        let company_id = match &place.company {
            Some(reference) => companies::store::resolve(w, &place.field, reference)?,
            None => before.first().map(|place| place.company_id).ok_or_else(|| Error::field("company_id", "is required"))?,
        };
        let mut member = before
            .into_iter()
            .find(|known| known.company_id == company_id)
            .unwrap_or(Membership { company_id, ..Membership::default() });
        place.role.store(&mut member.role);
        place.designation.store(&mut member.designation);
        place.is_primary.store_value(&mut member.is_primary);
        contacts::store::join(w, id, &member)?;
    }
    Ok(())
}
