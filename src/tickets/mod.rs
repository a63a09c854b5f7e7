//! Tickets: what clients asked for, what was said and done about it, and planned changes.

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
mod psa_api;
pub mod psa_views;
mod relative_time;
pub mod row;
pub mod statuses;
pub mod statuses_store;
pub mod store;
pub mod views;

pub use api::routes;
pub use change::ChangeRequest;
pub use codes::utc;
pub use messages::{Said, TimeEntry};
pub use model::Ticket;
pub use row::TicketRow;
pub use statuses::Statuses;
