//! Every kind of job there is: its names, what it needs, and where its body is. The command line, the
//! API, the scheduler and the pages all start jobs through this list.

use super::{
    accounts, audits, datto, devices, freshservice,
    jobs::{Ended, Job},
    outbox, run, tickets,
};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// A kind of job. One of each runs at a time, wherever it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Pulls companies, contacts, agents and assets from Freshservice.
    Freshservice,
    /// Pulls sites, devices and alerts from Datto RMM.
    Datto,
    /// Pulls tickets and change requests from Freshservice.
    Tickets,
    /// Gives departments without an account number one.
    AssignNumbers,
    /// Writes missing account numbers to Datto's sites.
    PushDatto,
    /// Repairs account numbers of departments that differ from ours.
    PushFreshservice,
    /// Writes to the vendors what waits in the outbox.
    Deliver,
    /// Reads the audits of Datto RMM's devices, with what is left of its budget.
    DattoAudits,
}

/// What everybody may know of a kind.
struct Facts {
    /// The script name that neighbours know; also the name of the lease and of the runs' source.
    name: &'static str,
    /// Other names that neighbours use.
    aliases: &'static [&'static str],
    /// What people call it.
    label: &'static str,
    /// What it does, in half a sentence.
    what: &'static str,
    /// The vendor, as links and history name it.
    system: &'static str,
    /// Whether it brings data in.
    pulls: bool,
    /// Whether it can be asked what it would do.
    plans: bool,
}

impl JobKind {
    /// All of them, in the order in which `sync all` runs them.
    pub const ALL: &[Self] = &[
        Self::Freshservice,
        Self::Datto,
        Self::DattoAudits,
        Self::Tickets,
        Self::AssignNumbers,
        Self::PushDatto,
        Self::PushFreshservice,
        Self::Deliver,
    ];

    const fn facts(self) -> Facts {
        match self {
            Self::Freshservice => Facts {
                name: "freshservice",
                aliases: &["psa", "base", "freshservice-assets"],
                label: "Freshservice sync",
                what: "Companies, contacts, agents and assets",
                system: freshservice::SYSTEM,
                pulls: true,
                plans: true,
            },
            Self::Datto => Facts {
                name: "datto",
                aliases: &["rmm"],
                label: "Datto RMM sync",
                what: "Sites, devices and alerts",
                system: datto::SYSTEM,
                pulls: true,
                plans: true,
            },
            Self::DattoAudits => Facts {
                name: "datto-audits",
                aliases: &["rmm-audits"],
                label: "Datto RMM audits",
                what: "Hardware, software, network adapters and disks",
                system: datto::SYSTEM,
                pulls: true,
                plans: true,
            },
            Self::Tickets => Facts {
                name: "tickets",
                aliases: &[],
                label: "Ticket sync",
                what: "Tickets, conversations, time sheets and change requests",
                system: freshservice::SYSTEM,
                pulls: true,
                plans: true,
            },
            Self::AssignNumbers => Facts {
                name: "create-account-numbers",
                aliases: &["set-account-numbers", "assign"],
                label: "Assigning account numbers",
                what: "A free number for every company that has none at Freshservice",
                system: freshservice::SYSTEM,
                pulls: false,
                plans: true,
            },
            Self::PushDatto => Facts {
                name: "push-to-datto",
                aliases: &["push-datto", "push-to-rmm"],
                label: "Writing account numbers to Datto RMM",
                what: "The company's number for every site that carries none",
                system: datto::SYSTEM,
                pulls: false,
                plans: true,
            },
            Self::PushFreshservice => Facts {
                name: "push-to-freshservice",
                aliases: &["push-freshservice"],
                label: "Repairing account numbers at Freshservice",
                what: "Our number for every department whose number differs",
                system: freshservice::SYSTEM,
                pulls: false,
                plans: true,
            },
            Self::Deliver => Facts {
                name: "outbox",
                aliases: &["deliver"],
                label: "Delivery of the outbox",
                what: "What was decided here and is not yet at the vendor",
                system: "outbox",
                pulls: false,
                plans: false,
            },
        }
    }

    /// The script name of contract §1.11.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// What people call it: "Freshservice sync".
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.facts().label
    }

    /// What it does, in half a sentence.
    #[must_use]
    pub const fn what(self) -> &'static str {
        self.facts().what
    }

    /// Whether it brings data in; the others write to a vendor.
    #[must_use]
    pub const fn pulls(self) -> bool {
        self.facts().pulls
    }

    /// Whether it has a dry run.
    #[must_use]
    pub const fn plans(self) -> bool {
        self.facts().plans
    }

    /// The vendor whose data it reads or writes.
    #[must_use]
    pub const fn system(self) -> &'static str {
        self.facts().system
    }

    /// The kind of a name or alias.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word || kind.facts().aliases.contains(&word))
    }

    /// Whether what it needs is configured.
    ///
    /// # Errors
    /// `Unavailable`, with what to set.
    pub fn configured(self, config: &Config) -> Result<()> {
        match self.system() {
            freshservice::SYSTEM if config.freshservice.credentials().is_none() => Err(Error::Unavailable(
                "Freshservice is not configured: set [freshservice] domain and api_key in codex.conf, or \
                 CODEX_FRESHSERVICE_DOMAIN and CODEX_FRESHSERVICE_API_KEY"
                    .to_owned(),
            )),
            datto::SYSTEM if config.datto.credentials().is_none() => Err(Error::Unavailable(
                "Datto RMM is not configured: set [datto] api_endpoint, public_key and secret_key in codex.conf, or \
                 CODEX_DATTO_API_ENDPOINT, CODEX_DATTO_PUBLIC_KEY and CODEX_DATTO_SECRET_KEY"
                    .to_owned(),
            )),
            "outbox" if config.freshservice.credentials().is_none() && config.datto.credentials().is_none() => {
                Err(Error::Unavailable("no vendor is configured that could be written to".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Does the work.
    pub(super) async fn run(self, job: Job) -> Result<Ended> {
        match self {
            Self::Freshservice => run::body(job).await,
            Self::Datto => devices::body(job).await,
            Self::Tickets => tickets::body(job).await,
            Self::AssignNumbers => accounts::assign::body(job).await,
            Self::PushDatto => accounts::push_datto::body(job).await,
            Self::PushFreshservice => accounts::push_freshservice::body(job).await,
            Self::Deliver => outbox::body(job).await,
            Self::DattoAudits => audits::body(job).await,
        }
    }
}
