//! Tickets: what clients asked for, what was written and done about it, and planned changes.

pub mod active;
pub mod api;
pub mod change;
pub mod change_store;
pub mod codes;
pub mod hooks;
pub mod list_store;
pub mod messages;
pub mod messages_store;
pub mod model;
mod pages;
pub mod panels;
mod psa_api;
mod relative_time;
pub mod service_desk;
mod single;
pub mod statuses;
pub mod statuses_store;
pub mod store;
pub mod views;

pub use change::ChangeRequest;
pub use codes::utc;
pub use messages::{Message, TimeEntry};
pub use model::{Ticket, TicketView};
pub use statuses::Statuses;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    api::routes().merge(single::routes()).merge(pages::routes())
}
