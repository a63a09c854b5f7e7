//! What a sync will not guess: sites and devices that fit nothing or two things, and what people decided.

pub mod api;
pub mod decide;
pub mod exact;
pub mod review_store;

use serde::{Deserialize, Serialize};

use crate::compliance::Trail;

/// One thing that it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Candidate {
    /// Our row: a company for a site, an asset for a device.
    pub id: i64,
    /// A company's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account_number: Option<String>,
    /// How people know it.
    pub name: String,
    /// Why it may be the one.
    pub why: String,
    /// How a site's name fits the company's: `exact`, `begins`, `similar`; not told where something else speaks for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fit: Option<String>,
}

impl Candidate {
    /// Whether something else than its name speaks for it.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        self.fit.is_none() && self.why != "a similar name"
    }
}

/// Assets that a device may be, as a comparison found them: (asset, its name, what is alike).
#[must_use]
pub fn candidates_of(found: &[(i64, String, String)]) -> Vec<Candidate> {
    let candidate = |(id, name, why): &(i64, String, String)| Candidate {
        id: *id,
        account_number: None,
        name: name.clone(),
        why: why.clone(),
        fit: None,
    };
    found.iter().map(candidate).collect()
}

/// What a sync puts into the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// The vendor.
    pub system: &'static str,
    /// `site` or `device`.
    pub kind: &'static str,
    /// The vendor's id.
    pub external_id: String,
    /// How people know it.
    pub label: String,
    /// Why it was not decided.
    pub reason: String,
    /// What it may be.
    pub candidates: Vec<Candidate>,
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReviewEntry)]
pub struct Entry {
    pub id: i64,
    /// The vendor.
    pub system: String,
    /// `site` or `device`.
    pub kind: String,
    /// The vendor's id.
    pub external_id: String,
    /// How people know it.
    pub label: String,
    /// Why it was not decided.
    pub reason: String,
    /// What it may be.
    pub candidates: Vec<Candidate>,
    /// `open`, `linked`, `ignored`, or `settled` when the vendor has made it clear since.
    pub state: String,
    /// What was decided, in words.
    pub decision: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    pub decided_at: Option<String>,
    /// Since when it waits.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The asset that the device is so far.
    #[serde(skip)]
    pub asset: Option<i64>,
}

impl Trail for Entry {
    /// A site's entry tells of companies, by their names; a device's of every asset that it may be, and of the one that it
    /// is so far.
    fn about(&self) -> Vec<(&str, i64)> {
        let candidates = self.candidates.iter().map(|candidate| candidate.id);
        let assets = candidates.chain(self.asset).filter(|_| self.kind == "device");
        assets.map(|id| ("asset", id)).collect()
    }

    /// Why a device may be one of ours is told with its identifiers: addresses, and who used it.
    fn withhold(&mut self) {
        if self.kind == "device" {
            "hidden".clone_into(&mut self.reason);
            for candidate in &mut self.candidates {
                "hidden".clone_into(&mut candidate.why);
            }
        }
    }
}
