//! Licences where neighbours look for them: in the list of assets, when it is asked for `type=license`.

use std::sync::Arc;

use serde_json::Value;

use super::{
    any::OfNoun,
    api::{Asked, each_as},
};
use crate::{
    assets::other_types::{Answering, OtherType},
    auth::Caller,
    entity::{Holds, Members, Seen, Shaped as _, noun},
    error::{Error, Result},
    history::Record as _,
    licences::License,
    resource::{Resource as _, as_of},
    shaped,
    web::{
        ReadRequest, Web, list,
        openapi::{Schemas, schema as json},
    },
};

/// Licences as a type of assets.
pub const LICENSES: OtherType = OtherType {
    word: License::ENTITY,
    list: |web, caller, request| -> Answering { Box::pin(answer(web, caller, request)) },
    row,
};

/// A licence with the type that tells it from devices.
pub struct LicenseAsset(Seen<License>);

shaped! {
    LicenseAsset: Members::first(&["id", "type"])
        .within(|one: &LicenseAsset| &one.0)
        .member("type", Holds::TEXT, |_| License::ENTITY.into())
}

fn row(schemas: &mut Schemas) -> Value {
    json::one::<LicenseAsset>(schemas)
}

/// The list, with every habit of the licences' own.
async fn answer(web: Web, caller: Arc<Caller>, request: ReadRequest) -> Result<axum::response::Response> {
    if let Some(types) = caller.types().filter(|types| !types.iter().any(|kind| kind == License::ENTITY)) {
        return Err(Error::Forbidden(format!("This API key is limited to records of these types: {}", types.join(", "))));
    }
    let query = request.list(noun::list::<License>())?;
    let asked = Asked::read::<License>(&request.query)?;
    let policy = OfNoun::<License>::view(&caller, &web.config, &request.query)?;
    if let Some(was) = as_of::list::<License>(&web, &caller, &request, noun::list::<License>(), None).await? {
        return Ok(was);
    }
    let variant = format!("as assets {}", asked.variant::<License>(&policy));
    let load = move |c: &mut crate::db::Conn, query: &crate::db::list::ListQuery, rows: &mut list::Rows| {
        let query = asked.narrow::<License>(c, query)?;
        each_as::<License, _>(c, &query, &policy, rows, LicenseAsset)
    };
    list::respond_as(&web, &caller.scope(), &variant, &request, query, LicenseAsset::names(), load).await
}
