//! The registry of jobs.

use crate::{
    accounts, backups,
    jobs::kind::{self, JobKind},
    outbox, pulls,
    reconcile::decisions,
    records::{import, retention},
};

/// Every kind of job, in the order in which people see them.
const ALL: &[JobKind] = &[
    pulls::freshservice::JOB,
    pulls::datto::JOB,
    pulls::datto::audits::JOB,
    pulls::freshservice::tickets::JOB,
    pulls::keycloak::JOB,
    accounts::assign::JOB,
    accounts::push_datto::JOB,
    accounts::push_freshservice::JOB,
    outbox::JOB,
    super::freezing::JOB,
    backups::JOB,
    retention::JOB,
];

/// Those that nobody starts by name.
const BESIDE: &[JobKind] = &[import::JOB];

/// Says which jobs there are, before any is asked for, and how plans are applied that no vendor's pull has made.
pub fn register() {
    kind::register(ALL, BESIDE);
    decisions::register(&[(import::SOURCE, import::approved)]);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::vendors;

    #[test]
    fn what_jobs_say_of_each_other_is_true() {
        register();
        let mut places = HashSet::new();
        for kind in JobKind::all() {
            assert_eq!(JobKind::parse(kind.as_str()), Some(*kind));
            assert!(
                kind.vendor().is_some() || ["outbox", "keycloak", kind::OURS].contains(&kind.system()),
                "{kind:?}: no vendor is called {}",
                kind.system()
            );
            assert!(kind.0.follows.is_none_or(|(first, _)| JobKind::parse(first).is_some()), "{kind:?} follows nothing");
            assert!(kind.0.in_all.is_none_or(|place| places.insert(place)), "{kind:?} shares its place in sync all");
        }
        assert_eq!(vendors::ALL.iter().map(|vendor| vendor.system).collect::<HashSet<_>>().len(), vendors::ALL.len());
    }
}
