//! The sync centre, for administrators: how fresh each vendor's data is, what ran, what waits for them, and who read whose data.

pub mod api;
mod audit;
mod center;
pub mod center_store;
mod center_view;
mod clear;
mod compliance;
pub mod credentials;
mod disclosures;
pub mod job;
mod outbox;
mod plan;
pub mod plan_store;
mod plan_view;
mod review;
pub mod schedule;
mod words;

use crate::web::Routes;

/// The routes of these pages.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/admin/", center::show)
        .form("/admin/sync/{job}", "/admin/", center::start)
        .get("/admin/review", review::show)
        .form("/admin/review/accept-exact", "/admin/review", review::accept_exact)
        .form("/admin/review/{id}/link", "/admin/review", review::link)
        .form("/admin/review/{id}/create-company", "/admin/review", review::create_company)
        .form("/admin/review/{id}/ignore", "/admin/review", review::ignore)
        .get("/admin/outbox", outbox::show)
        .form("/admin/outbox/{id}/approve", "/admin/outbox", outbox::approve)
        .form("/admin/outbox/{id}/retry", "/admin/outbox", outbox::retry)
        .form("/admin/outbox/{id}/discard", "/admin/outbox", outbox::discard)
        .get("/admin/plans/{id}", plan::show)
        .form("/admin/plans/{id}/approve", "/admin/plans/{id}", plan::approve)
        .form("/admin/plans/{id}/discard", "/admin/plans/{id}", plan::discard)
        .get("/admin/schedules/{job}", schedule::show)
        .post("/admin/schedules/{job}", schedule::save)
        .form("/admin/schedules/{job}/reset", "/admin/schedules/{job}", schedule::reset)
        .get("/admin/credentials/{system}", credentials::show)
        .post("/admin/credentials/{system}", credentials::save)
        .form("/admin/credentials/{system}/test", "/admin/credentials/{system}", credentials::test)
        .form("/admin/credentials/{system}/forget", "/admin/credentials/{system}", credentials::forget)
        .get("/admin/audit", audit::show)
        .get("/admin/clear-data", clear::show)
        .post("/admin/clear-data", clear::clear)
        .get("/admin/compliance", compliance::show)
        .get("/admin/disclosures", disclosures::show)
        .get("/admin/jobs/{id}", job::show)
        .form("/admin/runs/{id}/undo", "/admin/", job::undo)
}
