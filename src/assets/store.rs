//! Assets in the database.

use super::{
    audit_store,
    model::{Asset, AssetDetail, AssetView, AssignedContact, Observation, Owner},
    rules::AssetInput,
    staleness::Basis,
    staleness_store::AS_OF,
};
use crate::{
    companies::store as companies,
    compliance::{Level, RedactionPolicy, Veiled},
    config::rmm,
    contacts::Contact,
    db::{Conn, Row, Write},
    entity::Facet as _,
    error::{Error, Result},
    history::{self, Record, Updated, past_store, protection, ranks},
    params,
    types::now,
    web::Sent,
};

/// An asset beside its company and what was seen of it.
pub const FROM: &str = "@assets asset
    LEFT JOIN @companies company ON company.id = asset.company_id
    LEFT JOIN @asset_observations seen ON seen.asset_id = asset.id";

const EXTERNAL_ID: &str = concat!(
    "(SELECT min(link.external_id) FROM links link
    WHERE link.entity = 'asset' AND link.entity_id = asset.id AND link.system = '",
    rmm!(),
    "' AND NOT link.is_merged)"
);

/// What [`view`] reads.
#[must_use]
pub fn select() -> String {
    format!(
        "{}, {}, company.account_number, company.name, {EXTERNAL_ID}, asset.company_id,
         company.life_quiet_days, company.life_stale_days, company.life_archived_days, {AS_OF}, {}",
        Asset::SELECT,
        Observation::select(),
        ranks::ASSET
    )
}

/// Reads a row selected as [`select`].
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view(row: &Row) -> Result<Veiled<AssetView>> {
    let at = Asset::width();
    let seen = Observation::from_row(row, at)?;
    let external_id: Option<String> = row.get(at + 12)?;
    let basis = Basis {
        watched: external_id.is_some(),
        as_of: row.get(at + 17)?,
        own: [row.get(at + 14)?, row.get(at + 15)?, row.get(at + 16)?],
    };
    let protection = Level::from_rank(row.get(at + 18)?);
    let owner = Owner { protection, basis, account_number: row.get(at + 10)?, name: row.get(at + 11)? };
    Ok(Veiled::new(AssetView::new(Asset::from_row(row, 0)?, seen, owner, external_id)))
}

/// One asset's wire shape.
///
/// # Errors
/// `NotFound`.
pub fn get_view(c: &mut Conn, id: i64) -> Result<Veiled<AssetView>> {
    let sql = format!("SELECT {} FROM {FROM} WHERE asset.id = ?1", select());
    c.first(&sql, params![id])?.map(|row| view(&row)).transpose()?.ok_or(Error::NotFound { what: "Asset" })
}

/// One asset with who uses it.
///
/// # Errors
/// `NotFound`.
pub fn get_detail(c: &mut Conn, id: i64) -> Result<Veiled<AssetDetail>> {
    let asset = get_view(c, id)?;
    let inside = audit_store::inside(c, id)?;
    let contacts = assigned(c, id)?;
    Ok(asset.within(|asset| AssetDetail::new(asset, contacts, inside)))
}

/// The assets of one company, by hostname.
pub fn of_company(c: &mut Conn, company_id: i64) -> Result<Vec<Veiled<AssetView>>> {
    Ok(of_companies(c, vec![company_id])?.into_iter().map(|(_, asset)| asset).collect())
}

/// The assets of these companies, as (company id, asset), by hostname.
pub fn of_companies(c: &mut Conn, company_ids: Vec<i64>) -> Result<Vec<(i64, Veiled<AssetView>)>> {
    let sql = format!(
        "SELECT {} FROM {FROM} WHERE asset.company_id IN ids(?1) AND asset.retired_at IS NULL
         ORDER BY asset.hostname_folded, asset.id",
        select()
    );
    let company_at = Asset::width() + 13;
    c.map(&sql, params![company_ids], |row| Ok((row.get(company_at)?, view(row)?)))
}

/// How many rows of one company are read at once. A query for all would sort them whole, in memory.
const SOME: usize = 500;

/// Gives each asset of one company to `take`, by hostname.
pub fn each_of_company(c: &mut Conn, company_id: i64, mut take: impl FnMut(Veiled<AssetView>) -> Result<()>) -> Result<()> {
    let sql = "SELECT asset.id FROM @assets asset WHERE asset.company_id = ?1 AND asset.retired_at IS NULL
         ORDER BY asset.hostname_folded, asset.id";
    let ids = c.map(sql, params![company_id], |row| row.get::<i64>(0))?;
    let sql = format!("SELECT {} FROM {FROM} WHERE asset.id IN ids(?1) ORDER BY asset.hostname_folded, asset.id", select());
    ids.chunks(SOME).try_for_each(|some| c.each(&sql, params![some.to_vec()], |row| take(view(&row)?)))
}

/// The contacts assigned to an asset, by name.
pub fn contacts_of(c: &mut Conn, asset_id: i64) -> Result<Vec<Veiled<AssignedContact>>> {
    Ok(assigned(c, asset_id)?.into_iter().map(Veiled::new).collect())
}

fn assigned(c: &mut Conn, asset_id: i64) -> Result<Vec<AssignedContact>> {
    let sql = "SELECT contact.id, contact.name, contact.email, contact.protection FROM @asset_contacts assigned
         JOIN @contacts contact ON contact.id = assigned.contact_id
         WHERE assigned.asset_id = ?1 AND contact.retired_at IS NULL ORDER BY contact.name_folded, contact.id";
    let rows = c.all(sql, params![asset_id])?;
    rows.iter()
        .map(|row| {
            Ok(AssignedContact {
                id: row.get(0)?,
                name: row.get(1)?,
                email: row.get(2)?,
                protection: Level::from_rank(row.get(3)?),
            })
        })
        .collect()
}

/// The assets assigned to a contact, by hostname.
pub fn of_contact(c: &mut Conn, contact_id: i64) -> Result<Vec<Veiled<AssetView>>> {
    let sql = format!(
        "SELECT {} FROM {FROM} JOIN @asset_contacts assigned ON assigned.asset_id = asset.id
         WHERE assigned.contact_id = ?1 AND asset.retired_at IS NULL ORDER BY asset.hostname_folded, asset.id",
        select()
    );
    c.all(&sql, params![contact_id])?.iter().map(view).collect()
}

/// How many live assets a company has.
pub fn attached_to_company(c: &mut Conn, company_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @assets asset WHERE asset.company_id = ?1 AND asset.retired_at IS NULL";
    c.one(sql, params![company_id])?.get(0)
}

/// How many live assets a contact uses.
pub fn assigned_to(conn: &mut Conn, contact_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @asset_contacts assigned JOIN @assets asset ON asset.id = assigned.asset_id
               WHERE assigned.contact_id = ?1 AND asset.retired_at IS NULL";
    conn.one(sql, params![contact_id])?.get(0)
}

/// Adds an asset.
///
/// # Errors
/// `Invalid` for a company or contacts that do not exist.
pub fn create(w: &mut Write<'_>, input: &AssetInput) -> Result<Asset> {
    let mut asset = Asset { status: "active".to_owned(), ..Asset::default() };
    input.asset.apply(&mut asset)?;
    asset.company_id = company(w, input)?;
    let asset = history::create(w, &asset, None)?;
    assign_sent(w, asset.id, input)?;
    observe_sent(w, asset.id, input)?;
    set_protection(w, asset.id, Level::Standard, input)?;
    history::get(w, asset.id)
}

/// What was decided about the asset's own protection, once its company is known.
fn set_protection(w: &mut Write<'_>, id: i64, stood: Level, input: &AssetInput) -> Result<()> {
    let Some(level) = input.protected_as else { return Ok(()) };
    let asset: Asset = history::get(w, id)?;
    let company: Vec<i64> = asset.company_id.into_iter().collect();
    protection::decide::<Asset>(w, id, stood.rank(), level.rank(), &company)
}

/// Changes the fields that were sent, as far as this caller may see them: whoever may not see a value could find it
/// out by setting it.
///
/// # Errors
/// `Invalid` for bad references, `PreconditionFailed`, `NotFound`.
pub fn update(
    w: &mut Write<'_>,
    id: i64,
    input: &AssetInput,
    if_match: Option<i64>,
    policy: &RedactionPolicy,
) -> Result<Updated<Asset>> {
    let level = Level::from_rank(Some(protection::of::<Asset>(w, id)?));
    policy.refuse_hidden(level, input.asset.personal().chain(input.seen.personal()))?;
    if input.asset.has("description") {
        policy.refuse_screened("description", history::get::<Asset>(w, id)?.description.as_ref())?;
    }
    let moved_to = company(w, input)?;
    if input.company.is_sent() && moved_to != history::get::<Asset>(w, id)?.company_id {
        policy.refuse_uncleared(level, "company_account_number")?;
    }
    let updated = history::update(w, id, if_match, None, |asset: &mut Asset| {
        input.asset.apply(asset)?;
        if input.company.is_sent() {
            asset.company_id = moved_to;
        }
        Ok(())
    })?;
    assign_sent(w, id, input)?;
    observe_sent(w, id, input)?;
    set_protection(w, id, level, input)?;
    Ok(Updated { record: history::get(w, id)?, ..updated })
}

fn company(c: &mut Conn, input: &AssetInput) -> Result<Option<i64>> {
    let Sent::Value(reference) = &input.company else { return Ok(None) };
    companies::resolve(c, "company_account_number", reference).map(Some)
}

fn assign_sent(w: &mut Write<'_>, id: i64, input: &AssetInput) -> Result<()> {
    match &input.contacts {
        Sent::Absent => Ok(()),
        Sent::Null => assign(w, id, &[]),
        Sent::Value(contacts) => assign(w, id, contacts),
    }
}

fn observe_sent(w: &mut Write<'_>, id: i64, input: &AssetInput) -> Result<()> {
    if input.seen.is_empty() {
        return Ok(());
    }
    let before = Observation::beside(w, id)?.unwrap_or_default();
    let mut after = before.clone();
    input.seen.apply(&mut after)?;
    if after == before {
        return Ok(());
    }
    observe(w, id, &Observation { observed_at: None, ..after })
}

/// Who used an asset just before a moment, by their ids.
pub fn users_then(c: &mut Conn, asset_id: i64, moment: &str) -> Result<Vec<i64>> {
    history::get::<Asset>(c, asset_id)?;
    let now = assigned(c, asset_id)?.iter().map(|contact| contact.id).collect();
    let before = past_store::before(c, (Asset::ENTITY, asset_id), "contacts", moment)?;
    let ids = |side: &serde_json::Value| side.as_array().into_iter().flatten().filter_map(serde_json::Value::as_i64).collect();
    Ok(before.last().map_or(now, ids))
}

/// Replaces who uses an asset; each contact's own history tells it too.
///
/// # Errors
/// `Invalid` for a contact that does not exist.
pub fn assign(w: &mut Write<'_>, asset_id: i64, wanted: &[i64]) -> Result<()> {
    let asset: Asset = history::get(w, asset_id)?;
    let now: Vec<i64> = assigned(w, asset_id)?.iter().map(|contact| contact.id).collect();
    let added: Vec<i64> = wanted.iter().copied().filter(|id| !now.contains(id)).collect();
    let gone: Vec<i64> = now.iter().copied().filter(|id| !wanted.contains(id)).collect();
    for id in &added {
        let sql = "SELECT 1 FROM @contacts contact WHERE contact.id = ?1 AND contact.retired_at IS NULL";
        if w.first(sql, params![*id])?.is_none() {
            return Err(Error::field("contact_ids", format!("there is no contact {id}")));
        }
        let sql =
            "INSERT INTO asset_contacts (asset_id, contact_id) VALUES (?1, ?2) ON CONFLICT (asset_id, contact_id) DO NOTHING";
        w.run(sql, params![asset_id, *id])?;
        note(w, *id, "assign", &asset)?;
    }
    if !gone.is_empty() {
        protection::keeps_of_users(w, asset_id)?;
    }
    for id in &gone {
        w.run("DELETE FROM asset_contacts WHERE asset_id = ?1 AND contact_id = ?2", params![asset_id, *id])?;
        note(w, *id, "unassign", &asset)?;
    }
    if added.is_empty() && gone.is_empty() {
        return Ok(());
    }
    protection::tells_of(w, &added)?;
    let mut fields = serde_json::Map::new();
    fields.insert("contacts".to_owned(), serde_json::json!([now, wanted]));
    history::record_link::<Asset>(w, asset_id, "assign", fields)
}

fn note(w: &mut Write<'_>, contact_id: i64, action: &str, asset: &Asset) -> Result<()> {
    let mut fields = serde_json::Map::new();
    let (old, new) = if action == "assign" { (None, Some(&asset.hostname)) } else { (Some(&asset.hostname), None) };
    fields.insert(format!("asset:{}", asset.id), serde_json::json!([old, new]));
    history::record_link::<Contact>(w, contact_id, action, fields)
}

/// Stores what a vendor saw: no history, no feed entry, other list `ETag`s (design §2.3).
pub fn observe(w: &mut Write<'_>, asset_id: i64, seen: &Observation) -> Result<()> {
    history::get::<Asset>(w, asset_id)?;
    let observed_at = seen.observed_at.clone().unwrap_or_else(now);
    Observation { observed_at: Some(observed_at), ..seen.clone() }.put(w, asset_id)?;
    history::reindex::<Asset>(w, asset_id)?;
    w.observe("asset");
    Ok(())
}
