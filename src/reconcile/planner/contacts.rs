//! Requesters to contacts. Matched by the link, else once by the e-mail of a contact that nobody linked, or whose
//! former record is gone.

use std::collections::{HashMap, HashSet};

use super::{all_fields, by_external_id, plan_existing, report_ignored};
use crate::{
    plan::{Action, FieldChange, Item, Kind, Moves, Plan, local::Local, record::SourceRecord},
    types::email_key,
};

pub use super::losses::COMPANIES;

/// The companies a contact may name: by vendor id, those we have and those this plan creates.
#[derive(Debug, Default)]
pub struct Companies {
    /// Our id (`None` while the plan has yet to create it) and name, by vendor id.
    pub by_external_id: HashMap<String, (Option<i64>, String)>,
    /// Names by our id.
    pub names: HashMap<i64, String>,
}

/// Plans every listed requester. `records` are distinct and in a fixed order; `gone` are vendor ids that are
/// proven to exist no more, so that a contact may pass to the record that was made anew for the same person.
pub fn plan(plan: &mut Plan, locals: &[Local], records: Vec<SourceRecord>, companies: &Companies, gone: &HashSet<String>) {
    let listed: HashSet<String> = records.iter().map(|record| record.external_id.clone()).collect();
    let mut former: HashMap<String, Vec<&Local>> = HashMap::new();
    let was_fed = |l: &&Local| !l.external_ids.is_empty() && !l.external_ids.iter().any(|id| listed.contains(id));
    for local in locals.iter().filter(was_fed).filter(|l| !l.retired_by_hand && !l.text("email").is_empty()) {
        former.entry(email_key(local.text("email"))).or_default().push(local);
    }
    let linked = by_external_id(locals);
    let mut unlinked: HashMap<String, Vec<&Local>> = HashMap::new();
    for local in locals.iter().filter(|l| l.external_ids.is_empty() && !l.retired) {
        unlinked.entry(email_key(local.text("email"))).or_default().push(local);
    }
    let mut records = records;
    records.retain(|record| !linked.get(record.external_id.as_str()).is_some_and(|local| local.is_forgotten));
    let mut wanted: HashMap<String, Vec<String>> = HashMap::new();
    for mapped in &records {
        wanted.entry(email(mapped)).or_default().push(mapped.external_id.clone());
    }
    for mut mapped in records {
        report_ignored(plan, Kind::Contact, &mapped);
        let email = email(&mapped);
        let same = wanted.get(&email).filter(|ids| !email.is_empty() && ids.len() > 1);
        if let Some(ids) = same {
            let reason = format!("{} records at the vendor share this e-mail: {}", ids.len(), ids.join(", "));
            review(plan, &mapped, reason);
        }
        let unknown = unknown_companies(&mapped, companies);
        if !unknown.is_empty() {
            let reason = format!("names departments that the vendor does not list: {}", unknown.join(", "));
            review(plan, &mapped, reason);
        }
        if let Some(local) = linked.get(mapped.external_id.as_str()) {
            existing(plan, local, &mapped, None, companies);
            continue;
        }
        match unlinked.get(&email).filter(|_| !email.is_empty()).map(Vec::as_slice) {
            Some([local]) if same.is_none() => {
                let reason = format!("not linked before, same e-mail {email}");
                existing(plan, local, &mapped, Some(reason), companies);
                continue;
            }
            Some(candidates) => {
                let reason =
                    format!("has the e-mail of {} contact(s) here that nobody linked; not guessed which", candidates.len());
                review(plan, &mapped, reason);
            }
            None => {}
        }
        let before = former.get(&email).filter(|_| !email.is_empty() && same.is_none()).map(Vec::as_slice).unwrap_or_default();
        match successor(before, gone) {
            Successor::Of(local) => {
                let old = local.external_ids.join(", ");
                let reason = format!("same e-mail {email}; its former record {old} is gone at the vendor");
                existing(plan, local, &mapped, Some(reason), companies);
                continue;
            }
            Successor::Waits(local) => {
                let old = local.external_ids.join(", ");
                let reason = format!(
                    "has the e-mail of {}, whose record {old} is not listed; waits until that is proven gone",
                    local.label
                );
                review(plan, &mapped, reason);
                continue;
            }
            Successor::Unclear => {
                let reason = format!("has the e-mail of {} former contacts here; not guessed which", before.len());
                review(plan, &mapped, reason);
            }
            Successor::Nobody => {}
        }
        create(plan, &mut mapped, companies);
    }
}

/// Puts a record before a person.
fn review(plan: &mut Plan, mapped: &SourceRecord, reason: String) {
    plan.items.push(Item::new(Kind::Contact, Action::Review, &mapped.label, reason).from_vendor(&mapped.external_id));
}

/// Whose record a new one takes the place of.
enum Successor<'l> {
    Nobody,
    Of(&'l Local),
    /// The former record is not proven gone.
    Waits(&'l Local),
    Unclear,
}

/// Among those with the same e-mail whose records are not listed, the live one comes before tombstones.
fn successor<'l>(before: &[&'l Local], gone: &HashSet<String>) -> Successor<'l> {
    let live: Vec<&Local> = before.iter().copied().filter(|local| !local.retired).collect();
    match (live.as_slice(), before) {
        ([local], _) if local.external_ids.iter().all(|id| gone.contains(id)) => Successor::Of(local),
        ([local], _) => Successor::Waits(local),
        ([], [local]) => Successor::Of(local),
        ([], []) => Successor::Nobody,
        _ => Successor::Unclear,
    }
}

fn email(mapped: &SourceRecord) -> String {
    email_key(mapped.values.text("email"))
}

fn unknown_companies(mapped: &SourceRecord, companies: &Companies) -> Vec<String> {
    let named = mapped.companies.iter().flatten();
    named.filter(|id| !companies.by_external_id.contains_key(*id)).cloned().collect()
}

fn existing(plan: &mut Plan, local: &Local, mapped: &SourceRecord, adopted: Option<String>, companies: &Companies) {
    let moves = moves(local, mapped, companies);
    if moves.is_empty() {
        plan_existing(plan, Kind::Contact, local, mapped, adopted, moves);
        return;
    }
    let field = shown(local, &moves, companies);
    if local.pins.contains(COMPANIES) {
        let mut item = Item::new(Kind::Contact, Action::Pinned, &local.label, "pinned by a person; the vendor says otherwise");
        item.fields = vec![field];
        plan.items.push(item.of(local).from_vendor(&mapped.external_id));
        plan_existing(plan, Kind::Contact, local, mapped, adopted, Moves::default());
        return;
    }
    plan_existing(plan, Kind::Contact, local, mapped, adopted, moves);
    if let Some(item) = plan.items.last_mut().filter(|item| item.entity_id == Some(local.id) && !item.moves.is_empty()) {
        item.fields.push(field);
    }
}

/// The companies to join and to leave. Only memberships that this vendor made are ever left.
fn moves(local: &Local, mapped: &SourceRecord, companies: &Companies) -> Moves {
    let Some(named) = &mapped.companies else { return Moves::default() };
    let have: HashSet<i64> = local.memberships.iter().map(|m| m.company_id).collect();
    let mut wanted = HashSet::new();
    let mut moves = Moves::default();
    for external_id in named {
        match companies.by_external_id.get(external_id) {
            Some((Some(id), _)) if wanted.insert(*id) && !have.contains(id) => moves.join.push(external_id.clone()),
            Some((None, _)) => moves.join.push(external_id.clone()),
            Some((Some(_), _)) | None => {}
        }
    }
    let ours = local.memberships.iter().filter(|m| m.ours && !wanted.contains(&m.company_id));
    moves.leave = ours.map(|m| m.company_id).collect();
    moves
}

/// A contact's companies before and after, by name.
fn shown(local: &Local, moves: &Moves, companies: &Companies) -> FieldChange {
    let name = |id: &i64| companies.names.get(id).cloned().unwrap_or_else(|| format!("company {id}"));
    let before: Vec<String> = local.memberships.iter().map(|m| name(&m.company_id)).collect();
    let stay = local.memberships.iter().filter(|m| !moves.leave.contains(&m.company_id));
    let mut after: Vec<String> = stay.map(|m| name(&m.company_id)).collect();
    after.extend(moves.join.iter().filter_map(|id| companies.by_external_id.get(id)).map(|(_, name)| name.clone()));
    FieldChange::new(COMPANIES, before.into(), after.into())
}

fn create(plan: &mut Plan, mapped: &mut SourceRecord, companies: &Companies) {
    let label = mapped.label.split(" <").next().unwrap_or_default().to_owned();
    mapped.values.set_default("name", label);
    mapped.values.extend(std::mem::take(&mut mapped.observed));
    let mut item = Item::new(Kind::Contact, Action::Create, &mapped.label, "new at the vendor").from_vendor(&mapped.external_id);
    item.fields = all_fields(&mapped.values);
    item.moves = moves(&Local::default(), mapped, companies);
    if !item.moves.is_empty() {
        item.fields.push(shown(&Local::default(), &item.moves, companies));
    }
    plan.items.push(item);
}
