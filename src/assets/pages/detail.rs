//! An asset with who uses it.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{LIST, inside};
use crate::{
    agents::PageContext,
    assets::{
        Asset, AssetDetail, AssetView, AssetViewContext, Assets, audit_store,
        model::{AssignedContact, CustomField},
        panels::{life, status},
        secrets, store as assets,
    },
    companies::{pages::address, pages_store, store as companies},
    error::Result,
    history::Record as _,
    resource::{
        merged,
        panel::{self, Looker, Panel},
        record_history::{Facts, RecordHistory},
        values::end,
    },
    ui::{Choice, Crumb, Head, Item, Line, Page, Post, Table, Timeline, Value, filters, link_to, words},
    web::{Path, Web},
};

#[derive(Template)]
#[template(path = "assets/detail.html")]
struct AssetPage {
    page: Page,
    head: Head,
    facts: Vec<(&'static str, Vec<Item>)>,
    custom: Vec<CustomField>,
    secrets: Vec<secrets::Kind>,
    inside: Option<inside::Cards>,
    panels: Vec<Panel>,
    contacts: Table,
    assignable: Vec<Choice>,
    history: Option<Timeline>,
}

/// `GET /assets/{id}`
pub async fn show(State(web): State<Web>, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    if let Some(winner) = merged::page::<Assets>(&web, &context, id).await? {
        return Ok(winner);
    }
    let (staff, writes) = (context.page.is_staff(), context.page.may_write());
    let view_context = AssetViewContext::of(&context.caller, &web.config, &context.query)?;
    let asked = context.query.text("software")?.unwrap_or_default().to_owned();
    let wanted = asked.clone();
    let (page, config) = (context.page.clone(), web.config.clone());
    let (detail, past, mut assignable, software, panels) = web
        .db
        .read(&context.scope(), move |c| {
            let detail = assets::get_detail(c, id)?.redact(&view_context);
            let company = detail.asset.owner.account_number.as_deref().map(|key| companies::id_of(c, key)).transpose()?;
            let past = if staff { RecordHistory::read(c, "asset", id, &view_context.policy)? } else { RecordHistory::default() };
            let assignable = if writes { pages_store::contact_choices(c, company, &view_context.policy)? } else { Vec::new() };
            let software = audit_store::software(c, id, wanted.trim_matches('*'))?;
            let account_number = detail.asset.owner.account_number.as_deref();
            let is_live = detail.asset.row.retired_at.is_none();
            let whose = panel::Whose { entity: Asset::ENTITY, id, account_number, is_live };
            let looker = Looker { page: &page, policy: &view_context.policy, config: &config };
            let panels = panel::all(c, &looker, whose)?;
            Ok((detail, past, assignable, software, panels))
        })
        .await?;
    assignable.retain(|choice| !detail.contacts.iter().any(|contact| contact.id.to_string() == choice.value));
    let page = context.titled(LIST.section, detail.asset.row.hostname.clone());
    let base = page.url(&format!("/assets/{id}"));
    let asset = &detail.asset;
    let built = AssetPage {
        head: Head {
            crumbs: crumbs(&page, asset),
            badges: badges(asset),
            lead: lead(asset),
            retire_question: format!("Retire {}? It leaves every list and bill until it is restored.", asset.row.hostname),
            may_merge: true,
            ..Head::new(&page, base.clone(), asset.row.retired_at.as_deref())
        },
        facts: facts(&page, &detail, &past),
        custom: custom(&web, &detail),
        secrets: if page.may_write() { detail.secrets.clone() } else { Vec::new() },
        inside: inside::cards(&detail.inside, &software, &asked, &base),
        panels,
        contacts: contacts(&page, &base, asset.row.retired_at.is_some(), &detail.contacts),
        assignable,
        history: page.is_staff().then(|| past.timeline(&page)),
        page,
    };
    context.show(&built)
}

fn crumbs(page: &Page, asset: &AssetView) -> Vec<Crumb> {
    let mut crumbs = vec![LIST.crumb(page)];
    if let (Some(number), Some(name)) = (&asset.owner.account_number, &asset.owner.name) {
        crumbs.push(link_to(address(page, number), name.clone()));
    }
    crumbs
}

fn badges(asset: &AssetView) -> Vec<Value> {
    let mut badges = Vec::new();
    badges.push(Value::badge("", words(&asset.row.kind)));
    if asset.row.status != "active" {
        badges.push(status(&asset.row.status));
    }
    match asset.seen.online {
        Some(true) => badges.push(Value::badge("success", "Online")),
        Some(false) => badges.push(Value::badge("", "Offline")),
        None => {}
    }
    if let Some(stage) = asset.life.filter(|stage| *stage != "active") {
        badges.push(life(stage));
    }
    badges
}

fn lead(asset: &AssetView) -> String {
    let parts = [
        asset.owner.name.as_ref(),
        asset.row.manufacturer.as_ref(),
        asset.row.model.as_ref(),
        asset.row.operating_system.as_ref(),
    ];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" · ")
}

fn facts(page: &Page, detail: &AssetDetail, past: &RecordHistory) -> Vec<(&'static str, Vec<Item>)> {
    let asset = &detail.asset;
    let facts = Facts { page, action: format!("/records/asset/{}/pin", asset.row.id), past };
    let company = match (&asset.owner.account_number, &asset.owner.name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    };
    let own = vec![
        ("company_id", company),
        ("status", status(&asset.row.status)),
        ("warranty_expires", end(asset.row.warranty_expires.as_deref())),
    ];
    let mut parts = vec![("Device", facts.section(&asset.row, "Device", own))];
    let seen = [
        &asset.seen.last_seen,
        &asset.seen.last_logged_in_user,
        &asset.seen.int_ip_address,
        &asset.seen.patch_status,
        &asset.row.rmm_site_name,
    ];
    if asset.seen.online.is_some() || seen.iter().any(|value| value.is_some()) {
        parts.push(("Last seen", observed(detail)));
    }
    parts
}

/// The vendor's fields that the page does not show elsewhere.
fn custom(web: &Web, detail: &AssetDetail) -> Vec<CustomField> {
    let names = &web.config.datto.fields;
    let shown = ["enabled_administrators", "backup_bytes"].map(|ours| names.vendor_name(ours));
    let elsewhere = |field: &CustomField| shown.iter().any(|name| name.eq_ignore_ascii_case(&field.name));
    detail.custom_fields.iter().filter(|field| !elsewhere(field)).cloned().collect()
}

fn observed(detail: &AssetDetail) -> Vec<Item> {
    let asset = &detail.asset;
    let mut items = vec![
        Item::new("State", Value::online(asset.seen.online)),
        Item::new("Seen", Value::ago(asset.seen.last_seen.as_deref())),
        Item::new("Out of sight since", Value::date(asset.life_since.as_deref())),
        Item::new("Last user", Value::text(asset.seen.last_logged_in_user.as_deref())),
        Item::new("Address inside", Value::code(asset.seen.int_ip_address.as_deref())),
        Item::new("Address outside", Value::code(asset.seen.ext_ip_address.as_deref())),
        Item::new("Last started", Value::ago(asset.seen.last_reboot.as_deref())),
        Item::new("Last audit", Value::ago(asset.seen.last_audit_date.as_deref())),
        Item::new("Patches", Value::text(asset.seen.patch_status.as_deref())),
        Item::new("Site", Value::text(asset.row.rmm_site_name.as_deref())),
        Item::new("Backup", Value::text(asset.row.backup_usage_tb.as_ref().map(|size| format!("{size} TB")).as_deref())),
        Item::new("Administrators", Value::text(detail.enabled_administrators.as_deref())),
        Item::new("Take over", Value::away(asset.row.web_remote_url.as_deref(), "Remote session")),
        Item::new("Portal", Value::away(asset.row.portal_url.as_deref(), "Open")),
    ];
    items.retain(|item| !matches!(item.value, Value::None));
    items
}

fn contacts(page: &Page, base: &str, retired: bool, all: &[AssignedContact]) -> Table {
    let may = page.may_write() && !retired;
    let lines = all.iter().map(|contact| Line {
        cells: vec![
            Value::link(page.url(&format!("/contacts/{}", contact.id)), contact.name.clone()),
            Value::mail(Some(&contact.email)),
        ],
        post: may.then(|| Post {
            action: format!("{base}/unassign-user/{}", contact.id),
            label: "Remove",
            confirm: String::new(),
            fields: Vec::new(),
        }),
    });
    Table {
        label: "Assigned contacts",
        heads: vec![("Name", "cell--main"), ("E-mail", "cell--sub cell--cut")],
        lines: lines.collect(),
        empty: "Nobody is assigned to this asset.",
        more: None,
    }
}
