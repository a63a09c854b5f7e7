//! Which company a site belongs to: by the account number in its variable, then by what linked it
//! before; never by its name. Pure.

use std::collections::HashMap;

use crate::reconcile::{
    review::Candidate,
    sites::{
        names::Names,
        store::{CompanyRef, StoredSite},
    },
};

/// The companies there are, by what sites may say of them.
#[derive(Clone, Debug, Default)]
pub struct Companies {
    by_number: HashMap<String, CompanyRef>,
    by_id: HashMap<i64, CompanyRef>,
    /// Companies that links of other origin give to sites, by the site's uid.
    links: HashMap<String, Vec<i64>>,
    names: Names,
}

/// What was decided about a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Whose it is.
    pub company: Option<i64>,
    /// `number`, `link`, `person`, `ignored` or `none`.
    pub basis: &'static str,
    /// What its variable says: one number, or several joined.
    pub number: Option<String>,
    /// Why a person should look at it, and what it may be.
    pub review: Option<(String, Vec<Candidate>)>,
    /// Whether an earlier decision is open again.
    pub reopened: bool,
}

impl Companies {
    /// From every company, tombstones included, the links of sites, and the names under which companies were recognised.
    #[must_use]
    pub fn new(all: Vec<CompanyRef>, links: HashMap<String, Vec<i64>>, aliases: &[(String, i64)]) -> Self {
        let names = Names::new(&all, aliases);
        let by_number = all.iter().map(|company| (company.number.clone(), company.clone())).collect();
        Self { by_number, by_id: all.into_iter().map(|company| (company.id, company)).collect(), links, names }
    }

    fn live(&self, id: i64) -> Option<&CompanyRef> {
        self.by_id.get(&id).filter(|company| !company.retired)
    }

    /// Decides about one site. `numbers` are the distinct values of its variable, `None` when they
    /// could not be read; `known` is what we knew of it.
    #[must_use]
    pub fn resolve(&self, uid: &str, name: &str, numbers: Option<&[String]>, known: Option<&StoredSite>) -> Match {
        let kept = known.and_then(|known| known.company_id).and_then(|id| self.live(id));
        let Some(numbers) = numbers else {
            // Nothing was heard: everything stays as it was.
            let basis = known.map_or("none", |known| basis(&known.basis));
            let number = known.and_then(|known| known.account_number.clone());
            return Match { company: kept.map(|company| company.id), basis, number, ..Match::default() };
        };
        let number = (!numbers.is_empty()).then(|| numbers.join(", "));
        if let Some(decided) = known.filter(|known| matches!(known.basis.as_str(), "person" | "ignored")) {
            return self.decided(decided, kept, name, numbers, number);
        }
        let mut found = self.by_evidence(uid, name, numbers, known, kept);
        found.number = number;
        found
    }

    fn by_evidence(
        &self,
        uid: &str,
        name: &str,
        numbers: &[String],
        known: Option<&StoredSite>,
        kept: Option<&CompanyRef>,
    ) -> Match {
        let linked = self.links.get(uid).map(Vec::as_slice).unwrap_or_default();
        let linked: Vec<&CompanyRef> = linked.iter().filter_map(|id| self.live(*id)).collect();
        match numbers {
            [number] => match self.by_number.get(number) {
                Some(company) if !company.retired => match linked.iter().find(|other| other.id != company.id) {
                    Some(other) => {
                        let reason = format!(
                            "its variable says {number} ({}), but it was linked to {} ({})",
                            company.name, other.name, other.number
                        );
                        let candidates = vec![candidate(company, "its account number"), candidate(other, "linked before")];
                        unsure(known, kept, reason, candidates)
                    }
                    None => Match { company: Some(company.id), basis: "number", ..Match::default() },
                },
                Some(company) => {
                    let reason = format!("its variable says {number}, the number of {}, which is retired", company.name);
                    unsure(known, kept, reason, self.names.suggest(name))
                }
                None => unsure(
                    known,
                    kept,
                    format!("its variable says {number}, which is no company's number"),
                    self.names.suggest(name),
                ),
            },
            [] => match (linked.as_slice(), kept) {
                ([company], _) => Match { company: Some(company.id), basis: "link", ..Match::default() },
                ([], Some(company)) => Match { company: Some(company.id), basis: "link", ..Match::default() },
                ([], None) => unsure(known, kept, "it has no account number".to_owned(), self.names.suggest(name)),
                (several, _) => {
                    let candidates = several.iter().map(|company| candidate(company, "linked before")).collect();
                    unsure(known, kept, "it has no account number and is linked to several companies".to_owned(), candidates)
                }
            },
            several => {
                let reason = format!("its variables say different numbers: {}", several.join(", "));
                let named = several.iter().filter_map(|number| self.by_number.get(number)).filter(|company| !company.retired);
                unsure(known, kept, reason, named.map(|company| candidate(company, "one of its account numbers")).collect())
            }
        }
    }

    /// A person decided: that stands for as long as the site says what it said then.
    fn decided(
        &self,
        decided: &StoredSite,
        kept: Option<&CompanyRef>,
        name: &str,
        numbers: &[String],
        number: Option<String>,
    ) -> Match {
        let basis = basis(&decided.basis);
        let stays = Match { company: kept.map(|company| company.id), basis, number: number.clone(), ..Match::default() };
        if basis == "person" && kept.is_none() {
            let review = Some(("the company that it was linked to is retired".to_owned(), self.names.suggest(name)));
            return Match { review, reopened: true, ..stays };
        }
        let told = match numbers {
            [one] => self.by_number.get(one).filter(|company| !company.retired),
            _ => None,
        };
        if number == decided.decided_number || number.is_none() || told.is_some() && told.map(|c| c.id) == stays.company {
            return stays;
        }
        let said = number.as_deref().unwrap_or_default();
        let reason = match kept {
            Some(company) => {
                format!("its variable says {said} now, but a person decided for {} ({})", company.name, company.number)
            }
            None => format!("its variable says {said} now; a person had left it as it was"),
        };
        let candidates = told.map(|company| candidate(company, "its account number")).into_iter().collect();
        Match { review: Some((reason, candidates)), reopened: true, ..stays }
    }
}

/// Nothing is guessed: the site stays where it was.
fn unsure(known: Option<&StoredSite>, kept: Option<&CompanyRef>, reason: String, candidates: Vec<Candidate>) -> Match {
    let basis = if kept.is_some() { known.map_or("none", |known| basis(&known.basis)) } else { "none" };
    let reason = match kept {
        Some(company) => format!("{reason}; it stays with {} until a person decides", company.name),
        None => reason,
    };
    Match { company: kept.map(|company| company.id), basis, review: Some((reason, candidates)), ..Match::default() }
}

fn candidate(company: &CompanyRef, why: &str) -> Candidate {
    Candidate {
        id: company.id,
        account_number: Some(company.number.clone()),
        name: company.name.clone(),
        why: why.to_owned(),
        fit: None,
    }
}

fn basis(word: &str) -> &'static str {
    ["number", "link", "person", "ignored"].into_iter().find(|known| *known == word).unwrap_or("none")
}

#[cfg(test)]
#[path = "sites_tests.rs"]
mod tests;
