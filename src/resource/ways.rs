//! What other rooms offer to do with a record, beside its name. Who they are is said where rooms are joined.

use std::sync::OnceLock;

use futures_util::future::BoxFuture;

use crate::{
    error::{Error, Result},
    ui::Way,
    web::Web,
};

/// What a room offers; nothing when it cannot be done here.
pub type Offer = for<'a> fn(&'a Web) -> BoxFuture<'a, Result<Option<Way>>>;

static ALL: OnceLock<&'static [Offer]> = OnceLock::new();

/// Says who they are, before any page is shown; the first call counts.
pub fn register(all: &'static [Offer]) {
    ALL.get_or_init(|| all);
}

/// What is offered on a record's page.
///
/// # Errors
/// `Internal` before anybody has said who offers something.
pub async fn all(web: &Web) -> Result<Vec<Way>> {
    let offers = ALL.get().ok_or_else(|| Error::internal("nobody has said yet what can be done with records"))?;
    let mut ways = Vec::new();
    for offer in *offers {
        ways.extend(offer(web).await?);
    }
    Ok(ways)
}
