//! The plans of the demo: four names with four terms each, cheaper the longer the term.

use std::collections::BTreeMap;

use super::{Worker, firms::Firm};
use crate::{
    billing::{FeatureOption, Plan},
    companies::{Company, model::TERMS, store as companies},
    db::Write,
    error::{Error, Result},
    history,
};

/// A name: what a user, a workstation and a server cost in dollars by the month, and what is in it.
struct Offer {
    name: &'static str,
    support_level: &'static str,
    user: i64,
    workstation: i64,
    server: i64,
    features: &'static [(&'static str, &'static str)],
}

const OFFERS: [Offer; 4] = [
    Offer {
        name: "Bronze",
        support_level: "Billed Hourly",
        user: 15,
        workstation: 20,
        server: 75,
        features: &[("antivirus", "Defender"), ("email_security", "Basic filter")],
    },
    Offer {
        name: "Silver",
        support_level: "Billed Hourly",
        user: 35,
        workstation: 25,
        server: 95,
        features: &[("antivirus", "Defender"), ("email_security", "Basic filter"), ("password_manager", "Shared vault")],
    },
    Offer {
        name: "Gold",
        support_level: "All Inclusive",
        user: 75,
        workstation: 30,
        server: 120,
        features: &[
            ("antivirus", "Managed EDR"),
            ("email_security", "Advanced filter"),
            ("password_manager", "Shared vault"),
            ("sat", "Quarterly"),
            ("network_management", "Monitoring"),
        ],
    },
    Offer {
        name: "Platinum",
        support_level: "All Inclusive",
        user: 110,
        workstation: 40,
        server: 150,
        features: &[
            ("antivirus", "Managed EDR"),
            ("soc", "24/7"),
            ("email_security", "Advanced filter"),
            ("password_manager", "Shared vault"),
            ("sat", "Monthly"),
            ("network_management", "Fully managed"),
        ],
    },
];

/// Adds the plans, what can be chosen in them, and one client's deviation.
pub fn add(w: &mut Write<'_>, known: &[(&Firm, Company, Vec<Worker>)]) -> Result<()> {
    for offer in OFFERS {
        let features: BTreeMap<&str, &str> = offer.features.iter().copied().collect();
        let features = serde_json::to_string(&features).map_err(Error::internal)?;
        for (term, discount) in TERMS.into_iter().zip([0, 3, 6, 10]) {
            let cents = |dollars: i64| dollars * (100 - discount);
            let plan = Plan {
                name: offer.name.to_owned(),
                term: term.to_owned(),
                support_level: offer.support_level.to_owned(),
                per_user_cents: cents(offer.user),
                per_workstation_cents: cents(offer.workstation),
                per_server_cents: cents(offer.server),
                per_vm_cents: cents(offer.server / 2),
                per_switch_cents: cents(15),
                per_firewall_cents: cents(45),
                per_hour_ticket_cents: if offer.support_level == "All Inclusive" { 0 } else { 12_500 },
                backup_workstation_cents: 2_500,
                backup_server_cents: 5_000,
                backup_per_tb_cents: 1_500,
                features: features.clone(),
                ..Plan::default()
            };
            history::create(w, &plan, None)?;
        }
    }
    let mut options: Vec<(&str, &str)> = OFFERS.iter().flat_map(|offer| offer.features.iter().copied()).collect();
    options.sort_unstable();
    options.dedup();
    for (category, name) in options {
        let option = FeatureOption { category: category.to_owned(), name: name.to_owned(), ..FeatureOption::default() };
        history::create(w, &option, None)?;
    }
    if let Some((_, company, _)) = known.iter().find(|(firm, ..)| firm.plan == Some("Silver")) {
        let wanted = BTreeMap::from([("soc".to_owned(), "24/7".to_owned())]);
        companies::set_feature_overrides(w, company.id, &wanted)?;
    }
    Ok(())
}
