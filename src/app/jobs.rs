//! The registry of jobs.

use crate::{
    accounts,
    jobs::kind::{self, JobKind},
    outbox, pulls,
};

/// Every kind of job, in the order in which people see them.
const ALL: &[JobKind] = &[
    pulls::freshservice::JOB,
    pulls::datto::JOB,
    pulls::datto::audits::JOB,
    pulls::freshservice::tickets::JOB,
    accounts::assign::JOB,
    accounts::push_datto::JOB,
    accounts::push_freshservice::JOB,
    outbox::JOB,
];

/// Says which jobs there are, before any is asked for.
pub fn register() {
    kind::register(ALL);
}
