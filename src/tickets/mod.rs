//! Tickets: what clients asked for, what was said and done about it, and planned changes.

pub mod change;
pub mod change_store;
pub mod codes;
pub mod model;
pub mod row;
pub mod said;
pub mod said_store;
pub mod statuses;
pub mod statuses_store;
pub mod store;

pub use change::ChangeRequest;
pub use codes::utc;
pub use model::Ticket;
pub use row::TicketRow;
pub use said::{Said, TimeEntry};
pub use statuses::Statuses;
