//! A frozen month: what was counted of a company, what has come out differently since, and both as a file.
//!
//! What is frozen is the same for everybody who reads it, and its hash too. So it names no person and quotes nothing that
//! somebody wrote about one: contacts stand in it with their ids, whoever they are, because a person who is not protected today
//! may be tomorrow, and then a frozen file could not be mended. Devices and tickets have their names.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    cause::{Cause, Causes, PLAN, SUPPORT},
    counting::{Line, Managed, RULES, Receipt, Rule, TOTALS},
    trueup::Trueup,
};
use crate::{
    contacts::Contact,
    error::{Error, Result},
    history::Record as _,
    types::{decimal, hex},
    web::csv::guarded,
};

/// A record that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FrozenReceipt {
    pub entity: String,
    pub id: i64,
    pub name: String,
    /// In thousandths.
    #[schema(value_type = f64)]
    pub quantity: i64,
    pub why: String,
}

impl FrozenReceipt {
    fn new(receipt: &Receipt) -> Self {
        let name = if receipt.entity == Contact::ENTITY { format!("Contact {}", receipt.id) } else { receipt.name.clone() };
        Self { entity: receipt.entity.to_owned(), id: receipt.id, name, quantity: receipt.quantity, why: receipt.why.clone() }
    }

    fn json(&self) -> Json {
        json!({
            "entity": self.entity, "id": self.id, "name": self.name, "quantity": decimal::number(self.quantity, 3), "why": self.why,
        })
    }
}

/// A line of the bill. Quantities are thousandths, amounts cents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenLine {
    pub key: String,
    pub label: String,
    /// What it counts, as it was documented then.
    pub rule: String,
    pub counted: i64,
    pub billed: Option<i64>,
    pub unit: Option<i64>,
    pub amount: Option<i64>,
    pub note: Option<String>,
    pub receipts: Vec<FrozenReceipt>,
    pub left_out: Vec<FrozenReceipt>,
}

impl FrozenLine {
    fn new(line: &Line) -> Self {
        Self {
            key: line.rule.key.to_owned(),
            label: line.rule.label.to_owned(),
            rule: line.rule.counts.to_owned(),
            counted: line.counted,
            billed: line.billed,
            unit: line.unit,
            amount: line.amount,
            note: line.note.clone(),
            receipts: line.receipts.iter().map(FrozenReceipt::new).collect(),
            left_out: line.left_out.iter().map(FrozenReceipt::new).collect(),
        }
    }

    fn figures(&self) -> (i64, Option<i64>, Option<i64>, Option<i64>) {
        (self.counted, self.billed, self.unit, self.amount)
    }

    fn json(&self) -> Json {
        let receipts = |some: &[FrozenReceipt]| some.iter().map(FrozenReceipt::json).collect::<Vec<_>>();
        json!({
            "key": self.key, "label": self.label, "rule": self.rule, "counted": decimal::number(self.counted, 3),
            "billed": self.billed.map(quantity), "unit_cost": self.unit.map(money), "amount": self.amount.map(money),
            "note": self.note, "receipts": { "counted": receipts(&self.receipts), "left_out": receipts(&self.left_out) },
        })
    }
}

fn quantity(thousandths: i64) -> f64 {
    decimal::number(thousandths, 3)
}

fn money(cents: i64) -> f64 {
    decimal::number(cents, 2)
}

/// A managed count that several lines make together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenTotal {
    pub key: String,
    pub label: String,
    pub counted: i64,
    pub billed: i64,
}

/// A record that is counted otherwise, with the change that made it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = BillingReason)]
pub struct Reason {
    pub entity: String,
    pub id: i64,
    pub name: String,
    /// How it was counted or left out before; none when it was not there.
    pub before: Option<String>,
    /// And now.
    pub after: Option<String>,
    /// The last change of it since, as far as history has one.
    pub cause: Option<Cause>,
}

/// What comes out differently: a line, a managed total, or a term of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub key: String,
    pub label: String,
    pub counted: [i64; 2],
    pub billed: [Option<i64>; 2],
    pub unit: [Option<i64>; 2],
    pub amount: [Option<i64>; 2],
    /// What a term of the contract was and is; then there is nothing counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<[Option<String>; 2]>,
    /// The records behind it.
    pub because: Vec<Reason>,
    /// Changes of the contract, of prices or of how the company is counted.
    pub terms: Vec<Cause>,
}

impl Difference {
    fn empty(key: &str, label: &str) -> Self {
        Self {
            key: key.to_owned(),
            label: label.to_owned(),
            counted: [0, 0],
            billed: [None, None],
            unit: [None, None],
            amount: [None, None],
            said: None,
            because: Vec::new(),
            terms: Vec::new(),
        }
    }

    /// By how much the amount differs, in cents.
    #[must_use]
    pub fn amount_by(&self) -> i64 {
        let [before, after] = self.amount;
        after.unwrap_or_default() - before.unwrap_or_default()
    }

    /// What it is because of, as sentences.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let of = |reason: &Reason| {
            let before = reason.before.as_deref().unwrap_or("not there");
            let after = reason.after.as_deref().unwrap_or("not there");
            let cause = reason.cause.as_ref().map_or_else(String::new, |cause| format!("; {}", cause.words()));
            format!("{}: was {before}, is {after}{cause}", reason.name)
        };
        let terms = self.terms.iter().map(|cause| format!("Terms: {}", cause.words()));
        let said = self.said.as_ref().map(|sides| {
            let [before, after] = sides.each_ref().map(|side| side.as_deref().unwrap_or("none"));
            format!("was {before}, is {after}")
        });
        let number = |thousandths: Option<i64>| thousandths.map_or_else(|| "not said".to_owned(), |some| decimal::plain(some, 3));
        let is_billed = self.said.is_none() && self.billed[0] != self.billed[1];
        let billed = is_billed.then(|| format!("billed: was {}, is {}", number(self.billed[0]), number(self.billed[1])));
        said.into_iter().chain(billed).chain(self.because.iter().map(of)).chain(terms).collect()
    }

    /// A side as people read it: how much is counted, or what is said.
    #[must_use]
    pub fn side(&self, at: usize) -> String {
        match &self.said {
            Some(sides) => sides.get(at).cloned().flatten().unwrap_or_else(|| "none".to_owned()),
            None => self.counted.get(at).map(|counted| decimal::plain(*counted, 3)).unwrap_or_default(),
        }
    }

    fn json(&self) -> Json {
        let said = self.said.as_ref().map(|[before, after]| json!({ "before": before, "after": after }));
        json!({
            "key": self.key, "label": self.label, "said": said,
            "counted": { "before": quantity(self.counted[0]), "after": quantity(self.counted[1]) },
            "billed": { "before": self.billed[0].map(quantity), "after": self.billed[1].map(quantity) },
            "unit_cost": { "before": self.unit[0].map(money), "after": self.unit[1].map(money) },
            "amount": { "before": self.amount[0].map(money), "after": self.amount[1].map(money) },
            "amount_by": money(self.amount_by()), "because": self.because, "terms": self.terms, "words": self.words(),
        })
    }
}

/// What is frozen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub account_number: String,
    pub company: String,
    pub plan: Option<String>,
    pub term: Option<String>,
    pub support_level: Option<String>,
    pub lines: Vec<FrozenLine>,
    pub managed: Vec<FrozenTotal>,
    /// What could not be known, as sentences.
    pub unknown: Vec<String>,
    pub total: Option<i64>,
    /// What has come out differently than in the snapshot that this adjusts, or in its last adjustment.
    pub differences: Vec<Difference>,
}

impl Content {
    /// A month as it was counted, without people's names.
    #[must_use]
    pub fn new(trueup: &Trueup) -> Self {
        let total = |(total, counted, billed): &(&'static super::counting::Managed, i64, i64)| FrozenTotal {
            key: total.key.to_owned(),
            label: total.label.to_owned(),
            counted: *counted,
            billed: *billed,
        };
        Self {
            account_number: trueup.company.account_number.clone(),
            company: trueup.company.name.clone(),
            plan: trueup.plan.as_ref().map(|plan| plan.name.clone()),
            term: trueup.plan.as_ref().map(|plan| plan.term.clone()),
            support_level: trueup.support_level.clone(),
            lines: trueup.lines.iter().map(FrozenLine::new).collect(),
            managed: trueup.managed.iter().map(total).collect(),
            unknown: trueup.unknown.clone(),
            total: trueup.total(),
            differences: Vec::new(),
        }
    }

    /// What comes out differently than before for a company and its plan: lines, managed totals, plan and support level.
    #[must_use]
    pub fn differences_to(&self, before: &Self, (company, plan): (i64, Option<i64>), causes: &Causes) -> Vec<Difference> {
        let was: BTreeMap<&str, &FrozenLine> = before.lines.iter().map(|line| (line.key.as_str(), line)).collect();
        let difference = |line: &FrozenLine| {
            let old = was.get(line.key.as_str())?;
            let because = reasons(old, line, causes);
            if old.figures() == line.figures() && because.is_empty() {
                return None;
            }
            // What no record says of itself, and what is billed and at which price, is said by settings and the contract.
            let is_said = !because.is_empty() && because.iter().all(|reason| reason.cause.is_some());
            let settings = (!is_said).then(|| causes.of_settings(company)).flatten();
            // Of the contract what says it: how much is billed, or which plan there is.
            let contract = match (old.billed == line.billed, old.unit == line.unit) {
                (false, _) => {
                    let said = RULES.iter().find(|rule| rule.key == line.key).and_then(Rule::said_by);
                    said.and_then(|field| causes.of_fields(company, &[field])).or_else(|| causes.of_fields(company, PLAN))
                }
                (true, false) => causes.of_fields(company, PLAN),
                (true, true) => (!is_said).then(|| causes.of_company(company)).flatten(),
            };
            let price = plan.filter(|_| old.unit != line.unit).and_then(|plan| causes.of_plan(plan));
            let terms = settings.into_iter().chain(contract).chain(price).collect();
            Some(Difference {
                key: line.key.clone(),
                label: line.label.clone(),
                counted: [old.counted, line.counted],
                billed: [old.billed, line.billed],
                unit: [old.unit, line.unit],
                amount: [old.amount, line.amount],
                said: None,
                because,
                terms,
            })
        };
        let mut differences: Vec<Difference> = self.lines.iter().filter_map(difference).collect();
        let contract = |fields: &[&str]| -> Vec<Cause> { causes.of_fields(company, fields).into_iter().collect() };
        for total in TOTALS {
            let (old, new) = (before.total_of(total), self.total_of(total));
            if old != new && (old.1.is_some() || new.1.is_some()) {
                differences.push(Difference {
                    counted: [old.0, new.0],
                    billed: [old.1, new.1],
                    terms: if old.1 == new.1 { Vec::new() } else { contract(&[total.key]) },
                    ..Difference::empty(total.key, total.label)
                });
            }
        }
        let sides = [
            ("plan", "Plan", before.plan_and_term(), self.plan_and_term()),
            ("support_level", "Support level", before.support_level.clone(), self.support_level.clone()),
        ];
        let differing = sides.into_iter().filter(|(_, _, old, new)| old != new);
        differences.extend(differing.map(|(key, label, old, new)| Difference {
            said: Some([old, new]),
            terms: contract(if key == "plan" { PLAN } else { SUPPORT }),
            ..Difference::empty(key, label)
        }));
        differences
    }

    fn plan_and_term(&self) -> Option<String> {
        let plan = self.plan.as_ref()?;
        Some(format!("{plan}, {}", self.term.as_deref().unwrap_or_default()))
    }

    /// What the lines of a managed total count together, and what is billed of it, if anything is said.
    fn total_of(&self, total: &Managed) -> (i64, Option<i64>) {
        let is_part = |line: &&FrozenLine| RULES.iter().any(|rule| rule.key == line.key && rule.is_part_of(total));
        let counted = self.lines.iter().filter(is_part).map(|line| line.counted).sum();
        (counted, self.managed.iter().find(|one| one.key == total.key).map(|one| one.billed))
    }

    /// The content as JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        let managed = self
            .managed
            .iter()
            .map(|total| json!({ "key": total.key, "counted": quantity(total.counted), "billed": quantity(total.billed) }));
        json!({
            "company": { "account_number": self.account_number, "name": self.company },
            "plan": self.plan.as_ref().map(|plan| json!({ "plan_name": plan, "term_length": self.term })),
            "support_level": self.support_level,
            "lines": self.lines.iter().map(FrozenLine::json).collect::<Vec<_>>(),
            "managed": managed.collect::<Vec<_>>(),
            "total": self.total.map(money),
            "unknown": self.unknown,
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
        })
    }

    /// The contacts that it speaks of.
    #[must_use]
    pub fn contacts(&self) -> Vec<i64> {
        let receipts = self.lines.iter().flat_map(|line| line.receipts.iter().chain(&line.left_out));
        let found: BTreeSet<i64> = receipts.filter(|one| one.entity == Contact::ENTITY).map(|one| one.id).collect();
        found.into_iter().collect()
    }
}

/// The records that a line counts otherwise than before.
fn reasons(old: &FrozenLine, new: &FrozenLine, causes: &Causes) -> Vec<Reason> {
    let by_record = |line: &FrozenLine| -> BTreeMap<(String, i64), (FrozenReceipt, bool)> {
        let counted = line.receipts.iter().map(|one| (one, true));
        let all = counted.chain(line.left_out.iter().map(|one| (one, false)));
        all.map(|(one, counts)| ((one.entity.clone(), one.id), (one.clone(), counts))).collect()
    };
    let (before, after) = (by_record(old), by_record(new));
    let keys: BTreeSet<&(String, i64)> = before.keys().chain(after.keys()).collect();
    let reason = |key: &(String, i64)| {
        let (was, is) = (before.get(key), after.get(key));
        let counts = |side: Option<&(FrozenReceipt, bool)>| side.filter(|(_, counts)| *counts).map(|(one, _)| one.quantity);
        if counts(was) == counts(is) {
            return None;
        }
        let words = |side: Option<&(FrozenReceipt, bool)>| side.map(|(one, _)| one.why.clone());
        let name = is.or(was).map(|(one, _)| one.name.clone()).unwrap_or_default();
        let cause = causes.of(&key.0, key.1);
        Some(Reason { entity: key.0.clone(), id: key.1, name, before: words(was), after: words(is), cause })
    };
    keys.into_iter().filter_map(reason).collect()
}

/// What is said of a frozen month beside its content.
#[derive(Clone, Debug)]
pub struct Label {
    pub month: String,
    /// 1 is the snapshot, its adjustments follow.
    pub number: i64,
    /// The snapshot that it adjusts.
    pub adjusts: Option<i64>,
    /// Whether the month had not ended.
    pub is_partial: bool,
    pub frozen_at: String,
}

/// The file's columns.
const COLUMNS: [&str; 13] = [
    "record",
    "month",
    "account_number",
    "company",
    "line",
    "entity",
    "entity_id",
    "name",
    "counted",
    "billed",
    "unit_price",
    "amount",
    "why",
];

/// A row of the file, beside what all rows have.
#[derive(Default)]
struct FileRow<'a> {
    record: &'a str,
    line: &'a str,
    entity: &'a str,
    id: Option<i64>,
    name: &'a str,
    counted: Option<i64>,
    billed: Option<i64>,
    unit: Option<i64>,
    amount: Option<i64>,
    why: String,
}

impl Content {
    /// The frozen month as a file (CSV), and the SHA-256 of exactly these bytes.
    ///
    /// # Errors
    /// `Internal` when it cannot be written.
    pub fn file(&self, label: &Label) -> Result<(String, String)> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(COLUMNS).map_err(Error::internal)?;
        for row in self.rows(label) {
            let number = |parts: Option<i64>, places| parts.map(|parts| decimal::written(parts, places)).unwrap_or_default();
            let cells = [
                row.record.to_owned(),
                label.month.clone(),
                guarded(&self.account_number),
                guarded(&self.company),
                row.line.to_owned(),
                row.entity.to_owned(),
                row.id.map(|id| id.to_string()).unwrap_or_default(),
                guarded(row.name),
                number(row.counted, 3),
                number(row.billed, 3),
                number(row.unit, 2),
                number(row.amount, 2),
                guarded(&row.why),
            ];
            table.write_record(cells).map_err(Error::internal)?;
        }
        let bytes = table.into_inner().map_err(Error::internal)?;
        let sum = hex(digest(&SHA256, &bytes).as_ref());
        Ok((String::from_utf8(bytes).map_err(Error::internal)?, sum))
    }

    fn rows(&self, label: &Label) -> Vec<FileRow<'_>> {
        let plan = self
            .plan
            .as_deref()
            .map_or_else(|| "no plan".to_owned(), |plan| format!("{plan}, {}", self.term.as_deref().unwrap_or_default()));
        let mut about = vec![format!("frozen {}", label.frozen_at), plan];
        about.extend(self.support_level.clone());
        about.extend(label.is_partial.then(|| "the month had not ended".to_owned()));
        about.extend(label.adjusts.map(|id| format!("adjusts snapshot {id}")));
        about.extend(self.unknown.iter().cloned());
        let record = if label.adjusts.is_some() { "adjustment" } else { "snapshot" };
        let mut rows = vec![FileRow { record, amount: self.total, why: about.join("; "), ..FileRow::default() }];
        for line in &self.lines {
            rows.push(FileRow {
                record: "line",
                line: &line.key,
                name: &line.label,
                counted: Some(line.counted),
                billed: line.billed,
                unit: line.unit,
                amount: line.amount,
                why: line.note.as_ref().map_or_else(|| line.rule.clone(), |note| format!("{} ({note})", line.rule)),
                ..FileRow::default()
            });
            let receipts = [("counted", &line.receipts), ("left_out", &line.left_out)];
            for (record, one) in receipts.into_iter().flat_map(|(record, some)| some.iter().map(move |one| (record, one))) {
                let why = one.why.clone();
                rows.push(FileRow {
                    record,
                    line: &line.key,
                    entity: &one.entity,
                    id: Some(one.id),
                    name: &one.name,
                    counted: Some(one.quantity),
                    why,
                    ..FileRow::default()
                });
            }
        }
        rows.extend(self.managed.iter().map(|total| FileRow {
            record: "managed",
            line: &total.key,
            name: &total.label,
            counted: Some(total.counted),
            billed: Some(total.billed),
            ..FileRow::default()
        }));
        rows.extend(self.differences.iter().map(|one| FileRow {
            record: "difference",
            line: &one.key,
            name: &one.label,
            counted: one.said.is_none().then(|| one.counted[1] - one.counted[0]),
            amount: one.amount.iter().any(Option::is_some).then(|| one.amount_by()),
            why: one.words().join("; "),
            ..FileRow::default()
        }));
        rows
    }
}
