//! The nouns that there are. Whatever is done with records of every kind goes by this list.

use super::nouns::{AnyEntity, AnyNoun, noun, of};
use crate::{
    agents::PsaAgent,
    assets::Asset,
    attachments::Attachment,
    billing::{
        FeatureCategory, FeatureOption, Plan,
        counting::{Exclusion, Settings},
    },
    companies::{Company, Location},
    contacts::Contact,
    custom::{AddedField, Tag},
    db::Conn,
    entity::FieldSpec,
    error::{Error, Result},
    history::Record as _,
    licences, network,
    notes::Note,
    tickets::{ChangeRequest, Ticket},
};

/// All of them.
pub static ENTITIES: &[&dyn AnyEntity] = &[
    &of::<Company>(),
    &of::<Location>(),
    &of::<Contact>(),
    &of::<Asset>(),
    &of::<Ticket>(),
    &of::<ChangeRequest>(),
    &of::<PsaAgent>(),
    &noun::<network::Equipment>(),
    &noun::<network::Interface>(),
    &noun::<network::Connection>(),
    &noun::<network::Subnet>(),
    &noun::<network::Vlan>(),
    &noun::<licences::License>(),
    &noun::<licences::Seat>(),
    &noun::<Note>(),
    &of::<Plan>(),
    &of::<FeatureOption>(),
    &of::<FeatureCategory>(),
    &of::<Settings>(),
    &of::<Exclusion>(),
    &of::<AddedField>(),
    &of::<Tag>(),
    &of::<Attachment>(),
];

/// Those whose records the one door writes although they are not only declared.
pub const OF_THE_DOOR: [&str; 4] = [Company::ENTITY, Location::ENTITY, Contact::ENTITY, Asset::ENTITY];

/// Those of them that the one door reads and writes.
pub fn nouns() -> impl Iterator<Item = &'static dyn AnyNoun> {
    ENTITIES.iter().filter_map(|entity| entity.noun())
}

/// The noun of this name.
///
/// # Errors
/// `NotFound`.
pub fn named(entity: &str) -> Result<&'static dyn AnyEntity> {
    let known = ENTITIES.iter().copied().find(|known| known.name() == entity);
    known.ok_or(Error::NotFound { what: "Record" })
}

/// The noun's own word, when it has such a row within the reader's scope.
///
/// # Errors
/// `NotFound`.
pub fn exists(c: &mut Conn, entity: &str, id: i64) -> Result<&'static str> {
    let entity = named(entity)?;
    entity.find(c, id).map(|()| entity.name())
}

/// What is said of a column of this noun.
#[must_use]
pub fn spec(entity: &str, column: &str) -> Option<&'static FieldSpec> {
    named(entity).ok()?.specs().into_iter().find(|spec| spec.column == column)
}

/// Whether this noun has a field of this name, which a person can pin.
#[must_use]
pub fn has_field(entity: &str, field: &str) -> bool {
    spec(entity, field).is_some() || (entity, field) == (Contact::ENTITY, "companies")
}
