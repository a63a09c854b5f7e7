//! The service desk that tickets come from, as this room asks it. Who answers is said where rooms are joined: vendors and
//! what is written to them are later rooms.

use std::sync::OnceLock;

use futures_util::future::BoxFuture;

use super::{Ticket, TicketView, messages::MessageView};
use crate::{
    compliance::Veiled,
    db::Write,
    error::{Error, Result},
    ui::Way,
    web::Web,
};

/// A ticket that is not stored, and what was said on it.
pub type Live = (Veiled<TicketView>, Vec<Veiled<MessageView>>);

/// What a service desk does for the tickets here.
pub trait ServiceDesk: Sync {
    /// A ticket as the vendor tells it; `None` when there is no such ticket, or no account.
    fn fetch<'a>(&'a self, web: &'a Web, number: i64) -> BoxFuture<'a, Result<Option<Live>>>;

    /// Queues a status and a note that were written here, inside the write that made them; whether anything waits now.
    fn enqueue(&self, w: &mut Write<'_>, ticket: &Ticket, status: bool, note: Option<(i64, &str)>) -> Result<bool>;

    /// Starts to write to the vendor what waits for it. What cannot be sent now is sent later: what was decided is stored.
    fn deliver<'a>(&'a self, web: &'a Web, by: &'a str) -> BoxFuture<'a, ()>;

    /// Where a new ticket is opened at the vendor, when its account has an address.
    fn new_page<'a>(&'a self, web: &'a Web) -> BoxFuture<'a, Result<Option<String>>>;

    /// Where the vendor shows a ticket to people, when its account has an address; and what the vendor is called.
    fn page<'a>(&'a self, web: &'a Web, number: i64) -> BoxFuture<'a, Result<Option<(String, &'static str)>>>;
}

static DESK: OnceLock<&'static dyn ServiceDesk> = OnceLock::new();

/// Says who it is, before any ticket is asked for; the first call counts.
pub fn register(desk: &'static dyn ServiceDesk) {
    DESK.get_or_init(|| desk);
}

/// The service desk.
///
/// # Errors
/// `Internal` before anybody has said who it is.
pub fn service_desk() -> Result<&'static dyn ServiceDesk> {
    DESK.get().copied().ok_or_else(|| Error::internal("nobody has said yet where tickets come from"))
}

/// The way to a new ticket, where the vendor has one.
#[must_use]
pub fn new_ticket(web: &Web) -> BoxFuture<'_, Result<Option<Way>>> {
    Box::pin(async move {
        let href = service_desk()?.new_page(web).await?;
        Ok(Way::away(href.as_deref(), "New ticket", "ticket"))
    })
}
