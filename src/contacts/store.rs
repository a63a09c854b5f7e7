//! Contacts in the database.

use std::collections::{BTreeSet, HashMap};

use super::{
    model::{Contact, ContactView, EMPLOYMENT, Membership},
    rules::ContactInput,
};
use crate::{
    companies::{Company, store as companies},
    compliance::{Level, RedactionPolicy, Veiled},
    config::service_desk,
    db::{Conn, Row, Write},
    error::{Error, Result},
    history::{self, Past, Record, Updated, protection},
    params,
    types::{email_key, fold},
    web::Sent,
};

const FRESHSERVICE_ID: &str = concat!(
    "(SELECT min(link.external_id) FROM links link
    WHERE link.entity = 'contact' AND link.entity_id = contact.id AND link.system = '",
    service_desk!(),
    "' AND NOT link.is_merged)"
);

/// Whether a company sends this contact its invoices, or names it first.
const BILLED_TO: &str = "(EXISTS (SELECT 1 FROM @contact_companies named WHERE named.contact_id = contact.id
        AND (named.is_primary OR named.role = 'billing' OR named.designation = 'primary'))
    OR EXISTS (SELECT 1 FROM @companies billed WHERE billed.billing_contact_id = contact.id))";

const PLACE: &str =
    "place.role, place.designation, place.is_primary, place.source, company.id, company.account_number, company.name";

/// A contact beside its first company (primary first, then by name), as lists show it.
pub const FROM: &str = "@contacts contact
    LEFT JOIN @contact_companies place ON place.contact_id = contact.id AND place.company_id = (
        SELECT first_place.company_id FROM @contact_companies first_place
        JOIN @companies first_company ON first_company.id = first_place.company_id
        WHERE first_place.contact_id = contact.id
        ORDER BY CASE WHEN first_place.is_primary THEN 0 ELSE 1 END, first_company.name_folded, first_company.id LIMIT 1)
    LEFT JOIN @companies company ON company.id = place.company_id";

/// What [`view`] reads.
#[must_use]
pub fn select() -> String {
    format!("{}, {FRESHSERVICE_ID}, {PLACE}, contact.protection, {BILLED_TO}", Contact::SELECT)
}

fn membership(row: &Row, at: usize) -> Result<Membership> {
    Ok(Membership {
        role: row.get(at)?,
        designation: row.get(at + 1)?,
        is_primary: row.get::<Option<bool>>(at + 2)?.unwrap_or(false),
        source: row.get(at + 3)?,
        company_id: row.get::<Option<i64>>(at + 4)?.unwrap_or(0),
        account_number: row.get::<Option<String>>(at + 5)?.unwrap_or_default(),
        company_name: row.get::<Option<String>>(at + 6)?.unwrap_or_default(),
    })
}

/// How changes of a contact name its place in a company: before the company's account number.
const PLACE_IN: &str = "company:";

/// Which companies a contact belonged to just before a moment, by their ids.
pub fn companies_then(c: &mut Conn, contact_id: i64, moment: &str) -> Result<Vec<i64>> {
    let past = Past::since(c, moment, &[(Company::ENTITY, &["account_number"]), (Contact::ENTITY, &[PLACE_IN])])?;
    let known =
        c.map("SELECT company.account_number, company.id FROM @companies company", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut numbers: HashMap<String, i64> = known.into_iter().collect();
    for id in past.ids(Company::ENTITY) {
        for change in past.of(Company::ENTITY, id) {
            numbers.extend(change.inside().fields["account_number"]["old"].as_str().map(|number| (number.to_owned(), id)));
        }
    }
    let sql = "SELECT place.company_id FROM @contact_companies place WHERE place.contact_id = ?1";
    let mut companies: BTreeSet<i64> = c.map(sql, params![contact_id], |row| row.get(0))?.into_iter().collect();
    for change in past.of(Contact::ENTITY, contact_id) {
        for (field, sides) in change.inside().fields.as_object().into_iter().flatten() {
            let Some(id) = field.strip_prefix(PLACE_IN).and_then(|number| numbers.get(number)) else { continue };
            if sides["old"].is_null() {
                companies.remove(id)
            } else {
                companies.insert(*id)
            };
        }
    }
    Ok(companies.into_iter().collect())
}

/// Who belonged to a company just before a moment, by their ids.
pub fn members_then(c: &mut Conn, company_id: i64, moment: &str) -> Result<BTreeSet<i64>> {
    let company: Company = history::get(c, company_id)?;
    let past = Past::since(c, moment, &[(Company::ENTITY, &["account_number"]), (Contact::ENTITY, &[PLACE_IN])])?;
    let mut numbers = vec![company.account_number];
    for change in past.of(Company::ENTITY, company_id) {
        numbers.extend(change.inside().fields["account_number"]["old"].as_str().map(str::to_owned));
    }
    let sql = "SELECT place.contact_id FROM @contact_companies place WHERE place.company_id = ?1";
    let mut members: BTreeSet<i64> = c.map(sql, params![company_id], |row| row.get(0))?.into_iter().collect();
    for id in past.ids(Contact::ENTITY) {
        for change in past.of(Contact::ENTITY, id) {
            let places = change.inside().fields.as_object().into_iter().flatten();
            let here = |field: &str| field.strip_prefix(PLACE_IN).is_some_and(|number| numbers.iter().any(|own| own == number));
            for (_, sides) in places.filter(|(field, _)| here(field)) {
                if sides["old"].is_null() {
                    members.remove(&id)
                } else {
                    members.insert(id)
                };
            }
        }
    }
    Ok(members)
}

/// Reads a row selected as [`select`].
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view(row: &Row) -> Result<Veiled<ContactView>> {
    let at = Contact::width();
    let freshservice_id: Option<String> = row.get(at)?;
    let view = ContactView::new(Contact::from_row(row, 0)?, freshservice_id.as_deref(), membership(row, at + 1)?);
    let protection = Level::from_rank(row.get(at + 8)?);
    Ok(Veiled::new(ContactView { protection, is_billed_to: row.get(at + 9)?, ..view }))
}

/// One contact's wire shape, beside its first company.
///
/// # Errors
/// `NotFound`.
pub fn get_view(c: &mut Conn, id: i64) -> Result<Veiled<ContactView>> {
    let sql = format!("SELECT {} FROM {FROM} WHERE contact.id = ?1", select());
    c.first(&sql, params![id])?.map(|row| view(&row)).transpose()?.ok_or(Error::NotFound { what: "Contact" })
}

/// The contacts of one company, inactive ones included (Ledger bills every one), by name.
pub fn of_company(c: &mut Conn, company_id: i64) -> Result<Vec<Veiled<ContactView>>> {
    Ok(of_companies(c, vec![company_id])?.into_iter().map(|(_, contact)| contact).collect())
}

/// The contacts of these companies, as (company id, contact), under each of their companies, by name.
pub fn of_companies(c: &mut Conn, company_ids: Vec<i64>) -> Result<Vec<(i64, Veiled<ContactView>)>> {
    let sql = format!(
        "SELECT {} FROM @contact_companies place
         JOIN @companies company ON company.id = place.company_id
         JOIN @contacts contact ON contact.id = place.contact_id
         WHERE contact.retired_at IS NULL AND place.company_id IN ids(?1)
         ORDER BY contact.name_folded, contact.id",
        select()
    );
    let company_at = Contact::width() + 5;
    c.map(&sql, params![company_ids], |row| Ok((row.get(company_at)?, view(row)?)))
}

/// How many rows of one company are read at once. A query for all would sort them whole, in memory.
const SOME: usize = 500;

/// Gives each contact of one company to `take`, by name or by id.
pub fn each_of_company(
    c: &mut Conn,
    company_id: i64,
    by_name: bool,
    mut take: impl FnMut(Veiled<ContactView>) -> Result<()>,
) -> Result<()> {
    let order = if by_name { "contact.name_folded, contact.id" } else { "contact.id" };
    let sql = format!(
        "SELECT contact.id FROM @contact_companies place JOIN @contacts contact ON contact.id = place.contact_id
         WHERE contact.retired_at IS NULL AND place.company_id = ?1 ORDER BY {order}"
    );
    let ids = c.map(&sql, params![company_id], |row| row.get::<i64>(0))?;
    let sql = format!(
        "SELECT {} FROM @contact_companies place
         JOIN @companies company ON company.id = place.company_id
         JOIN @contacts contact ON contact.id = place.contact_id
         WHERE place.company_id = ?1 AND contact.id IN ids(?2) ORDER BY {order}",
        select()
    );
    ids.chunks(SOME).try_for_each(|some| c.each(&sql, params![company_id, some.to_vec()], |row| take(view(&row)?)))
}

/// A contact's place in each of its companies, by company name.
pub fn memberships(c: &mut Conn, contact_id: i64) -> Result<Vec<Membership>> {
    let sql = format!(
        "SELECT {PLACE} FROM @contact_companies place JOIN @companies company ON company.id = place.company_id
         WHERE place.contact_id = ?1 ORDER BY company.name_folded, company.id"
    );
    c.all(&sql, params![contact_id])?.iter().map(|row| membership(row, 0)).collect()
}

/// The companies of the one active contact with this primary e-mail; an empty e-mail, nobody, or more
/// than one contact gives none. How a client user on the platform is held to their companies.
pub fn companies_of_email(c: &mut Conn, email: &str) -> Result<Vec<i64>> {
    let folded = fold(email);
    if folded.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT contact.id, contact.email FROM @contacts contact
               WHERE contact.email_folded = ?1 AND contact.active = ?2 AND contact.retired_at IS NULL";
    let mut found = c.all(sql, params![folded, true])?;
    // Folding forgives accents, which is right for a search and wrong for who somebody is.
    found.retain(|row| row.get::<String>(1).is_ok_and(|stored| email_key(&stored) == email_key(email)));
    let [only] = found.as_slice() else { return Ok(Vec::new()) };
    let sql = "SELECT place.company_id FROM @contact_companies place JOIN @companies company ON company.id = place.company_id
               WHERE place.contact_id = ?1 AND company.retired_at IS NULL ORDER BY place.company_id";
    c.all(sql, params![only.get::<i64>(0)?])?.iter().map(|row| row.get(0)).collect()
}

/// How many live contacts have a company as one of theirs.
pub fn attached_to_company(c: &mut Conn, company_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @contact_companies place JOIN @contacts contact ON contact.id = place.contact_id
               WHERE place.company_id = ?1 AND contact.retired_at IS NULL";
    c.one(sql, params![company_id])?.get(0)
}

/// How many live companies send their invoices to a contact.
pub fn billed_companies(c: &mut Conn, contact_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @companies company WHERE company.billing_contact_id = ?1 AND company.retired_at IS NULL";
    c.one(sql, params![contact_id])?.get(0)
}

/// Adds a contact that a person made: its e-mail must be free. For whoever is not cleared, the addresses of
/// protected people count as free: a refusal would tell that somebody there has it. Two contacts with one address
/// stand among what needs attention, as when a vendor has two.
///
/// # Errors
/// `Conflict` with the id of the other, or `Invalid` for companies that do not exist.
pub fn create(w: &mut Write<'_>, input: &ContactInput, policy: &RedactionPolicy) -> Result<Contact> {
    let mut contact = Contact { active: true, employment_type: EMPLOYMENT.to_owned(), ..Contact::default() };
    input.apply(&mut contact)?;
    check_email(w, &contact.email, 0, policy)?;
    let contact = history::create(w, &contact, None)?;
    set_places(w, contact.id, input)?;
    set_protection(w, contact.id, Level::Standard, input)?;
    // Whoever is limited to some companies adds nobody outside of them.
    history::find(w, contact.id)?.ok_or_else(|| Error::field("company_account_numbers", "must name a company of yours"))
}

/// What was decided about the contact's own protection, once its companies are known.
fn set_protection(w: &mut Write<'_>, id: i64, stood: Level, input: &ContactInput) -> Result<()> {
    let Some(level) = input.protected_as else { return Ok(()) };
    let companies: Vec<i64> = memberships(w, id)?.into_iter().map(|place| place.company_id).collect();
    protection::decide::<Contact>(w, id, stood.rank(), level.rank(), &companies)
}

/// Changes the fields that were sent, and the companies when they were, as far as this caller may see
/// them: whoever may not see a value could find it out by setting it.
///
/// # Errors
/// `Conflict` for an e-mail in use, `Invalid` for bad references, `PreconditionFailed`.
pub fn update(
    w: &mut Write<'_>,
    id: i64,
    input: &ContactInput,
    if_match: Option<i64>,
    policy: &RedactionPolicy,
) -> Result<Updated<Contact>> {
    let level = Level::from_rank(Some(protection::of::<Contact>(w, id)?));
    policy.refuse_hidden(level, input.contact.personal())?;
    let updated = history::update(w, id, if_match, None, |contact: &mut Contact| input.apply(contact))?;
    if input.contact.has("email") && updated.changed.iter().any(|(field, _, _)| *field == "email") {
        refuse_shared(w, id, "change its e-mail")?;
        check_email(w, &updated.record.email, id, policy)?;
    }
    if input.places.is_sent() {
        let before = memberships(w, id)?;
        set_places(w, id, input)?;
        if memberships(w, id)? != before {
            policy.refuse_uncleared(level, "companies")?;
        }
    }
    set_protection(w, id, level, input)?;
    let is_same = !input.places.is_sent() && input.protected_as.is_none();
    Ok(if is_same { updated } else { Updated { record: history::get(w, id)?, ..updated } })
}

/// Refuses what concerns a contact as a whole to whoever does not see all of its companies: by its e-mail somebody else may
/// sign in, and it would be retired for all of them.
///
/// # Errors
/// `Forbidden`.
pub fn refuse_shared(w: &mut Write<'_>, id: i64, deed: &str) -> Result<()> {
    let places =
        |c: &mut Conn| c.one("SELECT count(*) FROM @contact_companies place WHERE place.contact_id = ?1", params![id])?.get(0);
    let (seen, all): (i64, i64) = (places(w)?, w.unscoped(places)?);
    if seen == all {
        return Ok(());
    }
    Err(Error::Forbidden(format!(
        "This contact also belongs to a company that you do not reach; who reaches all of its companies has to {deed}"
    )))
}

/// Whoever is limited to some companies learns that an address is taken, and not by whom, when that is beyond them.
fn check_email(w: &mut Write<'_>, email: &str, own_id: i64, policy: &RedactionPolicy) -> Result<()> {
    if email.is_empty() {
        return Ok(());
    }
    let sql = "SELECT contact.id, contact.email FROM @contacts contact WHERE contact.email_folded = ?1 AND contact.id <> ?2
               AND contact.retired_at IS NULL AND contact.protection <= ?3 ORDER BY contact.id";
    let told = if policy.is_cleared() { Level::Cjis } else { Level::Standard };
    let others = w.unscoped(|c| c.all(sql, params![fold(email), own_id, told.rank()]))?;
    let same = others.iter().filter(|row| row.get::<String>(1).is_ok_and(|other| email_key(&other) == email_key(email)));
    let same: Vec<i64> = same.map(|row| row.get(0)).collect::<Result<_>>()?;
    if same.is_empty() {
        return Ok(());
    }
    let mut details = serde_json::Map::new();
    for id in same {
        if history::find::<Contact>(w, id)?.is_some() {
            policy.log_disclosure(Contact::ENTITY, protection::among(w, Contact::ENTITY, vec![id])?);
            details.insert("id".to_owned(), id.into());
            break;
        }
    }
    Err(Error::Conflict { message: "email: another contact has this address".to_owned(), details })
}

/// A contact whom a vendor tells of may be one whom we had before, with the same address: they are protected as that one
/// was.
pub fn remember(w: &mut Write<'_>, id: i64) -> Result<()> {
    let email = history::get::<Contact>(w, id)?.email;
    if email.is_empty() {
        return Ok(());
    }
    let sql = "SELECT contact.id, contact.email FROM @contacts contact WHERE contact.email_folded = ?1 AND contact.id <> ?2
               AND contact.protection > 0 ORDER BY contact.id";
    for other in w.all(sql, params![fold(&email), id])? {
        if email_key(&other.get::<String>(1)?) == email_key(&email) {
            protection::inherit(w, Contact::ENTITY, other.get(0)?, id)?;
        }
    }
    Ok(())
}

fn set_places(w: &mut Write<'_>, contact_id: i64, input: &ContactInput) -> Result<()> {
    let wanted = match &input.places {
        Sent::Absent => return Ok(()),
        Sent::Null => &Vec::new(),
        Sent::Value(places) => places,
    };
    let now = memberships(w, contact_id)?;
    let mut keep = Vec::new();
    for place in wanted {
        let company_id = match (&place.company, now.as_slice()) {
            (Some(company), _) => companies::resolve(w, &place.field, company)?,
            (None, [only]) => only.company_id,
            (None, _) if place.is_something() => {
                let message = format!("must say in which company: the contact is in {}", now.len());
                return Err(Error::field("company_id", message));
            }
            (None, _) => return Ok(()),
        };
        let mut member = now.iter().find(|member| member.company_id == company_id).cloned().unwrap_or_default();
        member.company_id = company_id;
        place.role.clone().store(&mut member.role);
        place.designation.clone().store(&mut member.designation);
        place.is_primary.clone().store_value(&mut member.is_primary);
        join(w, contact_id, &member)?;
        keep.push(company_id);
    }
    for gone in now.iter().filter(|member| !keep.contains(&member.company_id)) {
        leave(w, contact_id, gone.company_id)?;
    }
    Ok(())
}

/// Puts a contact into a company, or changes its place there; a company has one primary contact, so
/// another one steps back.
///
/// # Errors
/// `NotFound` for an unknown company.
pub fn join(w: &mut Write<'_>, contact_id: i64, member: &Membership) -> Result<()> {
    // A new contact belongs to nobody yet, so nobody's scope shows it; one with companies must be seen.
    if w.unscoped(|c| is_placed(c, contact_id))? {
        history::get::<Contact>(w, contact_id)?;
    }
    let before = memberships(w, contact_id)?.into_iter().find(|known| known.company_id == member.company_id);
    let same = before.as_ref().is_some_and(|known| {
        (&known.role, &known.designation, known.is_primary, &known.source)
            == (&member.role, &member.designation, member.is_primary, &member.source)
    });
    if same {
        return Ok(());
    }
    if w.first("SELECT 1 FROM @companies company WHERE company.id = ?1", params![member.company_id])?.is_none() {
        return Err(Error::NotFound { what: "Company" });
    }
    if member.is_primary {
        let sql = "UPDATE contact_companies SET is_primary = ?1 WHERE company_id = ?2 AND is_primary = ?3 AND contact_id <> ?4";
        w.run(sql, params![false, member.company_id, true, contact_id])?;
    }
    w.run(
        "INSERT INTO contact_companies (contact_id, company_id, role, designation, is_primary, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (contact_id, company_id) DO UPDATE SET role = excluded.role, designation = excluded.designation,
             is_primary = excluded.is_primary, source = excluded.source",
        params![contact_id, member.company_id, &member.role, &member.designation, member.is_primary, &member.source],
    )?;
    protection::belongs(w, Contact::ENTITY, contact_id, member.company_id)?;
    note_place(w, contact_id, member.company_id, before.map(|known| place_json(&known)), Some(place_json(member)))
}

fn is_placed(c: &mut Conn, contact_id: i64) -> Result<bool> {
    Ok(c.first("SELECT 1 FROM @contact_companies place WHERE place.contact_id = ?1", params![contact_id])?.is_some())
}

/// Everybody who belongs to a company, retired or not.
pub fn members(c: &mut Conn, company_id: i64) -> Result<Vec<i64>> {
    let sql = "SELECT place.contact_id FROM @contact_companies place WHERE place.company_id = ?1 ORDER BY place.contact_id";
    c.map(sql, params![company_id], |row| row.get(0))
}

/// Whether a company has a primary contact.
pub fn has_primary(c: &mut Conn, company_id: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM @contact_companies place WHERE place.company_id = ?1 AND place.is_primary";
    Ok(c.first(sql, params![company_id])?.is_some())
}

/// Takes a contact out of a company; `false` when it was not in it.
pub fn leave(w: &mut Write<'_>, contact_id: i64, company_id: i64) -> Result<bool> {
    let Some(before) = memberships(w, contact_id)?.into_iter().find(|known| known.company_id == company_id) else {
        return Ok(false);
    };
    w.run("DELETE FROM contact_companies WHERE contact_id = ?1 AND company_id = ?2", params![contact_id, company_id])?;
    note_place(w, contact_id, company_id, Some(place_json(&before)), None)?;
    // The vendor would put them back at its next run: a person's decision stands until they unpin it.
    if before.source.is_some() && w.actor().pins {
        history::pins::pin(w, Contact::ENTITY, contact_id, "companies")?;
    }
    Ok(true)
}

fn place_json(member: &Membership) -> serde_json::Value {
    serde_json::json!({ "role": member.role, "designation": member.designation, "is_primary": member.is_primary })
}

fn note_place(
    w: &mut Write<'_>,
    contact_id: i64,
    company_id: i64,
    old: Option<serde_json::Value>,
    new: Option<serde_json::Value>,
) -> Result<()> {
    let sql = "SELECT company.account_number FROM @companies company WHERE company.id = ?1";
    let number: String = w.unscoped(|c| c.one(sql, params![company_id])?.get(0))?;
    let action = if new.is_some() { "join" } else { "leave" };
    let mut fields = serde_json::Map::new();
    fields.insert(format!("company:{number}"), serde_json::json!([old, new]));
    w.touch("company");
    history::record_link::<Contact>(w, contact_id, action, fields)
}
