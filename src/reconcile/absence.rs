//! Finding out about records that a vendor's lists lacked: their own address first, a second walk over the lists otherwise.

use std::collections::{HashMap, HashSet};

use crate::{error::Result, progress::Progress, types::now};

/// So many records alive and none gone: the list lies, there is no need to ask for more.
const ALIVE_ENOUGH: usize = 20;
/// So many failures in a row: asking one by one does not work today.
const FAULTS_ENOUGH: usize = 3;
/// What is said of one that is alive.
pub const ALIVE: &str = "its own address still has it";

/// What is said of one that was not asked for, because asking does not work.
pub const UNASKED: &str = "the vendor did not say whether it exists";

/// What was found out about a vendor id that a list lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Proven gone; the words say how.
    Gone(String),
    /// Not proven; the words say why.
    Unclear(String),
}

/// What a record's own address says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is there no more.
    Gone(String),
    /// It is something else now: gone from here, though that says nothing of the list.
    Elsewhere(String),
    Alive,
    /// It cannot be asked for.
    Unclear(String),
    /// The vendor did not say.
    Fault(String),
}

/// What a second walk over the lists came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// The ids in them.
    Listed(HashSet<String>),
    /// It proves nothing, and why.
    Unclear(&'static str),
    /// After such a first walk a second one would prove nothing either.
    Untried,
}

/// A vendor that can be asked about single records.
pub trait Witness: Send {
    /// Whether single records can be asked for at all: one that was just listed must be there.
    fn can_ask(&mut self) -> impl Future<Output = bool> + Send;
    /// Asks a record's own address.
    fn ask(&mut self, external_id: &str) -> impl Future<Output = Answer> + Send;
    /// Walks the lists once more.
    fn walk_again(&mut self) -> impl Future<Output = Result<Again>> + Send;
}

/// How far one goes.
#[derive(Clone, Copy, Debug)]
pub struct Search<'s> {
    /// How many records are asked for one by one.
    pub lookups: usize,
    /// Whether the others wait for the next run; else the lists are walked a second time.
    pub rest_waits: bool,
    /// What is walked, in words.
    pub walks: &'s str,
    /// The word for that.
    pub lists: &'static str,
}

/// What the answers were so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub alive: usize,
    pub gone: usize,
    /// Failures in a row.
    faults: usize,
}

impl Count {
    /// Counts an answer.
    pub fn note(&mut self, answer: &Answer) {
        self.alive += usize::from(*answer == Answer::Alive);
        self.gone += usize::from(matches!(answer, Answer::Gone(_)));
        self.faults = if matches!(answer, Answer::Fault(_)) { self.faults + 1 } else { 0 };
    }

    /// Whether a list that lacked these records lies.
    #[must_use]
    pub fn list_lies(&self) -> bool {
        self.alive >= ALIVE_ENOUGH && self.gone == 0
    }

    /// Whether it is no use to go on asking.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.faults >= FAULTS_ENOUGH
    }
}

/// What was found out about missing records.
#[derive(Debug, Default)]
pub struct Findings {
    /// By vendor id.
    pub evidence: HashMap<String, Evidence>,
    pub count: Count,
}

/// Looks into every missing record, until the answers show that the lists as a whole prove nothing.
pub async fn investigate<W: Witness>(
    witness: &mut W,
    search: Search<'_>,
    missing: &[String],
    progress: &Progress,
) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut open: Vec<&String> = missing.iter().collect();
    if !open.is_empty() && witness.can_ask().await {
        open = ask_each(witness, search, missing, progress, &mut findings).await;
    }
    if open.is_empty() || findings.count.list_lies() {
        return Ok(findings);
    }
    let again = witness.walk_again().await?;
    for id in open {
        let found = match &again {
            Again::Listed(listed) if !listed.contains(id) => {
                Evidence::Gone(format!("absent from two complete walks of {}, the second at {}", search.walks, now()))
            }
            Again::Listed(_) => Evidence::Unclear(format!("a second walk of the {} found it", search.lists)),
            Again::Unclear(why) => Evidence::Unclear((*why).to_owned()),
            Again::Untried => continue,
        };
        findings.evidence.insert(id.clone(), found);
    }
    Ok(findings)
}

/// Asks for each; returns those that stay open.
async fn ask_each<'m, W: Witness>(
    witness: &mut W,
    search: Search<'_>,
    missing: &'m [String],
    progress: &Progress,
    findings: &mut Findings,
) -> Vec<&'m String> {
    let (asked, rest) = missing.split_at(missing.len().min(search.lookups));
    for id in asked {
        let answer = if findings.count.is_refused() {
            Answer::Unclear(UNASKED.to_owned())
        } else {
            let answer = witness.ask(id).await;
            findings.count.note(&answer);
            answer
        };
        progress.add(1);
        let found = match answer {
            Answer::Gone(how) | Answer::Elsewhere(how) => Evidence::Gone(how),
            Answer::Alive => Evidence::Unclear(ALIVE.to_owned()),
            Answer::Unclear(why) | Answer::Fault(why) => Evidence::Unclear(why),
        };
        findings.evidence.insert(id.clone(), found);
        if findings.count.list_lies() {
            return Vec::new();
        }
    }
    if search.rest_waits {
        let later = |id: &String| (id.clone(), Evidence::Unclear("not asked about yet; the next run goes on".to_owned()));
        findings.evidence.extend(rest.iter().map(later));
        return Vec::new();
    }
    // A list that lacked living records proves nothing about the others.
    if findings.count.alive > 0 { Vec::new() } else { rest.iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script(Vec<Answer>, Again, usize);

    impl Witness for Script {
        async fn can_ask(&mut self) -> bool {
            !self.0.is_empty()
        }

        async fn ask(&mut self, _: &str) -> Answer {
            self.2 += 1;
            self.0[(self.2 - 1).min(self.0.len() - 1)].clone()
        }

        async fn walk_again(&mut self) -> Result<Again> {
            Ok(self.1.clone())
        }
    }

    fn look(answers: Vec<Answer>, again: Again, missing: usize, rest_waits: bool) -> (Vec<Option<Evidence>>, usize) {
        let ids: Vec<String> = (0..missing).map(|id| id.to_string()).collect();
        let search = Search { lookups: 30, rest_waits, walks: "the list", lists: "list" };
        let mut told = Script(answers, again, 0);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let findings = runtime.block_on(investigate(&mut told, search, &ids, &Progress::default())).unwrap();
        (ids.iter().map(|id| findings.evidence.get(id).cloned()).collect(), told.2)
    }

    fn unclear(why: &str) -> Evidence {
        Evidence::Unclear(why.to_owned())
    }

    #[test]
    fn a_vendor_that_does_not_answer_is_left_alone() {
        let (found, asked) = look(vec![Answer::Fault("500".to_owned())], Again::Untried, 5, true);
        assert_eq!(
            (asked, &found[2..4]),
            (3, &[Some(unclear("500")), Some(unclear("the vendor did not say whether it exists"))][..])
        );
    }

    #[test]
    fn a_list_that_lacks_the_living_proves_nothing() {
        let (found, asked) = look(vec![Answer::Alive], Again::Listed(HashSet::new()), 40, false);
        assert_eq!((asked, &found[0], &found[35]), (20, &Some(unclear(ALIVE)), &None));
        let answers = vec![Answer::Gone("404".to_owned()), Answer::Alive];
        let (found, asked) = look(answers, Again::Listed(HashSet::new()), 40, false);
        assert_eq!((asked, &found[35]), (30, &None), "nor about those that were not asked for");
    }

    #[test]
    fn what_cannot_be_asked_for_is_walked_for() {
        let gone = |found: &Option<Evidence>| matches!(found, Some(Evidence::Gone(how)) if how.starts_with("absent from two"));
        let (found, _) = look(Vec::new(), Again::Listed(HashSet::from(["1".to_owned()])), 2, true);
        assert!(gone(&found[0]) && found[1] == Some(unclear("a second walk of the list found it")), "{found:?}");
        let (found, _) = look(vec![Answer::Gone("404".to_owned())], Again::Listed(HashSet::new()), 31, false);
        assert!(gone(&found[30]), "{found:?}");
        let (found, _) = look(vec![Answer::Gone("404".to_owned())], Again::Listed(HashSet::new()), 31, true);
        assert_eq!(found[30], Some(unclear("not asked about yet; the next run goes on")));
        assert_eq!(look(Vec::new(), Again::Untried, 1, false).0, [None]);
        assert_eq!(look(Vec::new(), Again::Unclear("it moved"), 1, false).0, [Some(unclear("it moved"))]);
    }
}
