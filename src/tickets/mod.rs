//! Tickets: what clients asked for, what was said and done about it, and planned changes.

pub mod active;
mod ages;
pub mod api;
pub mod change;
pub mod change_store;
pub mod codes;
pub mod hooks;
pub mod list_store;
pub mod model;
mod psa_api;
pub mod psa_views;
pub mod row;
pub mod said;
pub mod said_store;
pub mod statuses;
pub mod statuses_store;
pub mod store;
pub mod views;

pub use api::routes;
pub use change::ChangeRequest;
pub use codes::utc;
pub use model::Ticket;
pub use row::TicketRow;
pub use said::{Said, TimeEntry};
pub use statuses::Statuses;
