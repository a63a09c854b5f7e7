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
        panel::{self, Content, Looker, Panel, Tab},
        record_history::{Facts, RecordHistory},
        values::end,
        ways,
        workspace::Workspace,
    },
    ui::{Choice, Crumb, Head, Item, Line, Markup, Page, Post, Table, Value, Way, filters, link_to, words},
    web::{Path, Web},
};

/// Who uses an asset, and the form to assign it.
#[derive(Template)]
#[template(path = "assets/users.html")]
struct Users {
    base: String,
    contacts: Table,
    assignable: Vec<Choice>,
}

/// The keys that are kept of an asset.
#[derive(Template)]
#[template(path = "assets/keys.html")]
struct Keys {
    base: String,
    secrets: Vec<secrets::Kind>,
}

/// The tabs of an asset.
const TABS: &[Tab] = &[
    Tab::Overview,
    Tab::Hardware,
    Tab::Software,
    Tab::Alerts,
    Tab::Tickets,
    Tab::Network,
    Tab::Licences,
    Tab::Notes,
    Tab::Files,
    Tab::History,
];

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
    let offered = if writes { ways::all(&web).await? } else { Vec::new() };
    let page = context.titled(LIST.section, detail.asset.row.hostname.clone());
    let base = page.url(&format!("/assets/{id}"));
    let asset = &detail.asset;
    let may_edit = page.may_write() && asset.row.retired_at.is_none();
    let form = may_edit.then(|| format!("{base}/edit"));
    let section = |(title, items)| Panel::section(Tab::Overview, title, items, form.as_deref());
    let mut all: Vec<Panel> = facts(&page, &detail, &past).into_iter().map(section).collect();
    let seen = observed(&detail);
    if seen.iter().any(|item| !item.is_empty()) {
        all.push(Panel::new(Tab::Overview, "seen", "Last seen", Content::Facts(seen)));
    }
    assignable.retain(|choice| may_edit && !detail.contacts.iter().any(|contact| contact.id.to_string() == choice.value));
    let users = Users { contacts: contacts(&page, &base, !may_edit, &detail.contacts), base: base.clone(), assignable };
    let users = Panel::new(Tab::Overview, "contacts", "Assigned to", Content::Drawn(Markup::of(&users)?));
    all.insert(0, Panel { is_beside: true, ..users });
    let custom: Vec<Item> =
        custom(&web, &detail).into_iter().map(|field| Item::new(field.label, Value::words(field.value))).collect();
    if !custom.is_empty() {
        all.push(Panel::new(Tab::Overview, "custom-fields", "Fields of the RMM", Content::Facts(custom)));
    }
    if page.may_write() && !detail.secrets.is_empty() {
        let keys = Keys { base: base.clone(), secrets: detail.secrets.clone() };
        all.push(Panel::new(Tab::Overview, "keys", "Keys", Content::Drawn(Markup::of(&keys)?)));
    }
    all.extend(inside::panels(&detail.inside, &software, &asked, &base)?);
    all.extend(panels);
    if page.is_staff() {
        all.push(Panel::history(past.timeline(&page)));
    }
    let head = Head {
        crumbs: crumbs(&page, asset),
        badges: badges(asset),
        lead: lead(asset),
        facts: summary(&page, &detail),
        ways: onto(&page, &detail).into_iter().chain(offered).collect(),
        retire_question: format!("Retire {}? It is hidden from lists and billing until it is restored.", asset.row.hostname),
        may_merge: true,
        ..Head::new(&page, base, asset.row.retired_at.as_deref())
    };
    context.show(&Workspace::new(&context.query, head, TABS, all)?)
}

/// How one gets onto the device, and where its vendor shows it.
fn onto(page: &Page, detail: &AssetDetail) -> Vec<Way> {
    let row = &detail.asset.row;
    let remote = Way::away(row.web_remote_url.as_deref(), "Connect", "terminal").map(Way::first);
    let portal = Way::away(row.portal_url.as_deref(), "Open in the RMM", "external-link");
    let portal = if remote.is_some() { portal.map(Way::rarely) } else { portal };
    let label = Way::here(page.url(&format!("/assets/{}/label", row.id)), "Print label", "printer").rarely();
    remote.into_iter().chain(portal).chain([label]).collect()
}

/// What one needs to know of a device while somebody is on the telephone about it.
fn summary(page: &Page, detail: &AssetDetail) -> Vec<Item> {
    let asset = &detail.asset;
    let used = match (detail.contacts.first(), asset.seen.last_logged_in_user.as_deref()) {
        (Some(contact), _) => Value::link(page.url(&format!("/contacts/{}", contact.id)), contact.name.clone()),
        (None, user) => Value::text(user),
    };
    let online = match asset.seen.online {
        Some(false) => Value::Many(vec![Value::online(Some(false)), Value::ago(asset.seen.last_seen.as_deref())]),
        other => Value::online(other),
    };
    vec![
        Item::new("State", online),
        Item::new(if detail.contacts.is_empty() { "Last user" } else { "User" }, used),
        Item::new("OS", Value::text(asset.row.operating_system.as_deref())),
        Item::new("Company", company(page, asset)),
    ]
}

fn company(page: &Page, asset: &AssetView) -> Value {
    match (&asset.owner.account_number, &asset.owner.name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    }
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
    if let Some(stage) = asset.life.filter(|stage| *stage != "active") {
        badges.push(life(stage));
    }
    badges
}

fn lead(asset: &AssetView) -> String {
    let parts = [asset.row.manufacturer.as_ref(), asset.row.model.as_ref(), asset.row.serial_number.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" · ")
}

fn facts(page: &Page, detail: &AssetDetail, past: &RecordHistory) -> Vec<(&'static str, Vec<Item>)> {
    let asset = &detail.asset;
    let facts = Facts { page, action: format!("/records/asset/{}/pin", asset.row.id), past };
    let own = vec![
        ("company_id", company(page, asset)),
        ("status", status(&asset.row.status)),
        ("warranty_expires", end(asset.row.warranty_expires.as_deref())),
    ];
    vec![("Device", facts.section(&asset.row, "Device", own))]
}

/// The vendor's fields that the page does not show elsewhere.
fn custom(web: &Web, detail: &AssetDetail) -> Vec<CustomField> {
    let names = &web.config.datto.fields;
    let shown = ["enabled_administrators", "backup_bytes"].map(|ours| names.vendor_name(ours));
    let elsewhere = |field: &CustomField| shown.iter().any(|name| name.eq_ignore_ascii_case(&field.name));
    detail.user_defined_fields.iter().filter(|field| !elsewhere(field)).cloned().collect()
}

fn observed(detail: &AssetDetail) -> Vec<Item> {
    let asset = &detail.asset;
    vec![
        Item::new("Last seen", Value::ago(asset.seen.last_seen.as_deref())),
        Item::new("Inactive since", Value::date(asset.life_since.as_deref())),
        Item::new("Last user", Value::text(asset.seen.last_logged_in_user.as_deref())),
        Item::new("LAN IP", Value::code(asset.seen.int_ip_address.as_deref())),
        Item::new("WAN IP", Value::code(asset.seen.ext_ip_address.as_deref())),
        Item::new("Last reboot", Value::ago(asset.seen.last_reboot.as_deref())),
        Item::new("Last audit", Value::ago(asset.seen.last_audit_date.as_deref())),
        Item::new("Patches", Value::text(asset.seen.patch_status.as_deref())),
        Item::new("Site", Value::text(asset.row.rmm_site_name.as_deref())),
        Item::new("Backup", Value::text(asset.row.backup_usage_tb.as_ref().map(|size| format!("{size} TB")).as_deref())),
        Item::new("Administrators", Value::text(detail.enabled_administrators.as_deref())),
    ]
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
