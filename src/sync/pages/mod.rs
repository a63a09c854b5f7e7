//! The sync centre, for administrators: how fresh each vendor's data is, what ran, what waits for them.

mod center;
mod center_view;
mod outbox;
mod plan;
mod plan_view;
mod review;
mod words;

use crate::web::Routes;

/// The routes of these pages.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/admin/", center::show)
        .post("/admin/sync/{job}", center::start)
        .get("/admin/review", review::show)
        .post("/admin/review/{id}/link", review::link)
        .post("/admin/review/{id}/ignore", review::ignore)
        .get("/admin/outbox", outbox::show)
        .post("/admin/outbox/{id}/approve", outbox::approve)
        .post("/admin/outbox/{id}/retry", outbox::retry)
        .post("/admin/outbox/{id}/discard", outbox::discard)
        .get("/admin/plans/{id}", plan::show)
        .post("/admin/plans/{id}/approve", plan::approve)
        .post("/admin/plans/{id}/discard", plan::discard)
}
