//! Two tenants side by side under every store function: whatever is asked within one tenant's scope,
//! nothing of the other comes back, and nothing of the other can be changed. A store function that
//! this file does not name fails the last test.

use std::collections::BTreeSet;

use codex::assets::{self, Asset, Observation};
use codex::billing;
use codex::companies::{self, Company, Location};
use codex::contacts::{self, Contact, Membership};
use codex::db::list::ListQuery;
use codex::db::{Conn, Write};
use codex::entity::noun;
use codex::error::Result;
use codex::history;
use codex::home;
use codex::licences::{self, License, Seat};
use codex::monitoring;
use codex::network::{self, Connection, Equipment, Interface, Subnet, Vlan};
use codex::records;
use codex::tickets;
use codex::types::{Actor, Scope};
use codex::web::{Query, Reference};
use serde_json::json;

use crate::support::{Engine, both};

mod world;

use world::{ASSETS, CONTACTS, THEIRS, World, asked, audit, fields, world};

/// The view context of a service that may see everybody's data within its scope.
fn view_context() -> assets::AssetViewContext {
    static VIEW_CONTEXT: std::sync::LazyLock<assets::AssetViewContext> = std::sync::LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let config = codex::config::Config::for_instance(folder.path()).unwrap();
        assets::AssetViewContext::of(&codex::auth::Caller::Service { name: "ledger".to_owned() }, &config, &Query::default())
            .unwrap()
    });
    VIEW_CONTEXT.clone()
}

pub(crate) fn policy() -> codex::compliance::RedactionPolicy {
    view_context().policy
}

/// This month, as the reader knows it.
fn then(c: &mut Conn) -> Result<billing::then::Then> {
    let companies = billing::trueup_store::companies(c)?;
    billing::then::Then::read(c, &billing::month::Month::current(), &companies)
}

type Read = fn(&mut Conn, i64, &str) -> Result<String>;

macro_rules! reads {
    ($($name:literal => |$c:ident, $id:ident, $key:ident| $call:expr;)*) => {
        &[$(($name, |$c: &mut Conn, $id: i64, $key: &str| -> Result<String> { let _both = ($id, $key); Ok(format!("{:?}", $call?)) })),*]
    };
}

/// What a function hands over one by one, and the number that it gives.
fn gathered<T>(each: impl FnOnce(&mut dyn FnMut(T) -> Result<()>) -> Result<i64>) -> Result<(Vec<T>, i64)> {
    let mut all = Vec::new();
    let total = each(&mut |one| {
        all.push(one);
        Ok(())
    })?;
    Ok((all, total))
}

/// Every store function that reads, asked with the id and the key of anything at all.
const READS: &[(&str, Read)] = reads! {
    "companies::store::id_of" => |c, id, key| companies::store::id_of(c, key);
    "companies::store::find_id" => |c, id, key| companies::store::find_id(c, &id.to_string());
    "companies::store::numbered" => |c, id, key| companies::store::numbered(c, key);
    "companies::store::find_standing_id" => |c, id, key| companies::store::find_standing_id(c, &id.to_string());
    "companies::store::get_view" => |c, id, key| companies::store::get_view(c, id);
    "companies::store::all_views" => |c, id, key| companies::store::all_views(c);
    "companies::store::ancestors" => |c, id, key| companies::store::ancestors(c, id);
    "companies::store::called" => |c, id, key| companies::store::called(c, vec![id]);
    "companies::store::children" => |c, id, key| companies::store::children(c, id);
    "companies::store::attached" => |c, id, key| companies::store::attached(c, id);
    "companies::store::locations" => |c, id, key| companies::store::locations(c, id);
    "companies::store::feature_overrides" => |c, id, key| companies::store::feature_overrides(c, id);
    "companies::list_store::LOCATIONS" => |c, id, key| ListQuery::everything(&companies::list_store::LOCATIONS)?.run(c, |row| <Location as codex::history::Record>::from_row(row, 0));
    "companies::list_store::COMPANIES" => |c, id, key| ListQuery::everything(&companies::list_store::COMPANIES)?.with_search(key)?.run(c, companies::store::view);
    "billing::store::users" => |c, id, key| billing::store::users(c, &billing::Plan { name: "Gold".to_owned(), term: "1-Year".to_owned(), ..Default::default() });
    "billing::store::unused" => |c, id, key| Ok::<_, codex::error::Error>(billing::store::unused(c, &billing::Plan { name: "Gold".to_owned(), term: "1-Year".to_owned(), ..Default::default() }, "taken").map_or_else(|error| error.to_string().replace("1-Year", ""), |()| String::new()));
    "billing::store::billed" => |c, id, key| billing::store::billed(c).map(|found| found.into_iter().map(|id| companies::store::get_view(c, id)).collect::<Vec<_>>());
    "billing::trueup_store::companies" => |c, id, key| billing::trueup_store::companies(c);
    "billing::trueup_store::people" => |c, id, key| { let then = then(c)?; billing::trueup_store::people(c, &then, &(1..200).collect::<Vec<_>>(), Some(&policy())) };
    "billing::trueup_store::devices" => |c, id, key| { let then = then(c)?; billing::trueup_store::devices(c, &then, &(1..200).collect::<Vec<_>>(), view_context().days) };
    "billing::trueup_store::gear" => |c, id, key| { let then = then(c)?; billing::trueup_store::gear(c, &then, &(1..200).collect::<Vec<_>>()) };
    "billing::trueup_store::tickets" => |c, id, key| { let then = then(c)?; billing::trueup_store::tickets(c, &then, &(1..200).collect::<Vec<_>>()) };
    "billing::trueup_store::names" => |c, id, key| billing::trueup_store::names(c, (1..200).collect(), &policy());
    "billing::snapshot_store::list" => |c, id, key| billing::snapshot_store::list(c, &billing::snapshot_store::Wanted::default(), 100, 0);
    "billing::snapshot_store::get" => |c, id, key| billing::snapshot_store::get(c, id);
    "billing::snapshot_store::file" => |c, id, key| billing::snapshot_store::file(c, id);
    "billing::snapshot_store::last_numbers" => |c, id, key| billing::snapshot_store::last_numbers(c, &billing::month::Month::named("month", "2026-01")?);
    "billing::snapshot_store::last_of_month" => |c, id, key| billing::snapshot_store::last_of_month(c, &billing::month::Month::named("month", "2026-01")?);
    "billing::store::minutes_by_month" => |c, id, key| billing::store::minutes_by_month(c, "2000-01");
    "billing::store::overrides" => |c, id, key| billing::store::overrides(c);
    "billing::store::named_by_companies" => |c, id, key| billing::store::named_by_companies(c);
    "network::topology_store::read" => |c, id, key| network::topology_store::read(c, id);
    "network::check_store::no_circle" => |c, id, key| network::check_store::no_circle(c, 0, Some(id));
    "network::check_store::number_free" => |c, id, key| {
        let vlan = Vlan { company_id: id, number: 20, ..Vlan::default() };
        let told = network::check_store::number_free(c, &vlan).map_or_else(|taken| taken.to_string(), |()| String::new());
        Ok::<_, codex::error::Error>(told.replace("20", ""))
    };
    "network::check_store::overlaps" => |c, id, key| network::check_store::overlaps(c, &Subnet { company_id: id, cidr: "10.20.0.0/16".to_owned(), ..Subnet::default() }).map(|told| told.join(" ").replace(|one: char| one.is_ascii_digit(), ""));
    "network::check_store::address_taken" => |c, id, key| network::check_store::address_taken(c, id, Some("10.20.0.1"), (None, None)).map(|told| told.join(" ").replace("10.20.0.1", ""));
    "network::check_store::address_fits" => |c, id, key| network::check_store::address_fits(c, id, Some("10.20.0.1")).map(|told| told.join(" ").replace("10.20.0.1", ""));
    "network::check_store::ports_taken" => |c, id, key| network::check_store::ports_taken(c, &Connection { a_id: id, a_port: Some(key.to_owned()), b_id: id, b_port: Some(key.to_owned()), ..Connection::default() });
    "entity::noun::Equipment::list" => |c, id, key| ListQuery::everything(noun::list::<Equipment>())?.with_search(key)?.run(c, noun::view::<Equipment>);
    "entity::noun::Interface::list" => |c, id, key| ListQuery::everything(noun::list::<Interface>())?.run(c, noun::view::<Interface>);
    "entity::noun::Connection::list" => |c, id, key| ListQuery::everything(noun::list::<Connection>())?.run(c, noun::view::<Connection>);
    "entity::noun::Subnet::list" => |c, id, key| ListQuery::everything(noun::list::<Subnet>())?.run(c, noun::view::<Subnet>);
    "entity::noun::Vlan::list" => |c, id, key| ListQuery::everything(noun::list::<Vlan>())?.run(c, noun::view::<Vlan>);
    "entity::noun::License::list" => |c, id, key| ListQuery::everything(noun::list::<License>())?.with_search(key)?.run(c, noun::view::<License>).map(|found| format!("{:?}", found.items));
    "entity::noun::Seat::list" => |c, id, key| ListQuery::everything(noun::list::<Seat>())?.run(c, noun::view::<Seat>).map(|found| found.items);
    "licences::store::used" => |c, id, key| licences::store::used(c, id);
    "licences::store::of_holder" => |c, id, key| licences::store::of_holder(c, (Some(id), Some(id)));
    "licences::store::holds_another" => |c, id, key| licences::store::holds_another(c, id, Some(id), Some(id), 0);
    "licences::store::license_of" => |c, id, key| licences::store::license_of(c, &Seat { license_id: id, ..Seat::default() });
    "entity::noun::get" => |c, id, key| noun::get::<Equipment>(c, id);
    "entity::noun::choices" => |c, id, key| noun::references::<Equipment>().map(|(_, to)| noun::choices(c, to, id, 50)).collect::<Result<Vec<_>>>();
    "entity::noun::names" => |c, id, key| noun::references::<Equipment>().map(|(_, to)| noun::names(c, to, (1..50).collect())).collect::<Result<Vec<_>>>();
    "entity::noun::company_of" => |c, id, key| noun::references::<Equipment>().map(|(_, to)| noun::company_of(c, to, id)).collect::<Result<Vec<_>>>().map(|found| found.into_iter().flatten().collect::<Vec<_>>());
    "entity::noun::ids_leading" => |c, id, key| noun::ids_leading::<Equipment>(c, "uplink_id", id);
    "entity::noun::ids_about" => |c, id, key| noun::ids_about::<codex::notes::Note>(c, "company", id);
    "entity::noun::ids_where" => |c, id, key| noun::ids_where::<Equipment>(c, "uplink_id", id);
    "contacts::store::get_view" => |c, id, key| contacts::store::get_view(c, id);
    "contacts::store::of_company" => |c, id, key| contacts::store::of_company(c, id);
    "contacts::store::of_companies" => |c, id, key| contacts::store::of_companies(c, (1..200).collect());
    "contacts::store::each_of_company" => |c, id, key| gathered(|take| contacts::store::each_of_company(c, id, true, take).map(|()| 0));
    "contacts::store::memberships" => |c, id, key| contacts::store::memberships(c, id);
    "assets::pages_store::only_company" => |c, id, key| codex::assets::pages_store::only_company(c, &[id]);
    "contacts::store::companies_then" => |c, id, key| contacts::store::companies_then(c, id, "2999-01-01T00:00:00Z").map(|found| found.into_iter().map(|id| companies::store::get_view(c, id)).collect::<Vec<_>>());
    "contacts::store::members_then" => |c, id, key| contacts::store::members_then(c, id, "2999-01-01T00:00:00Z").map(|found| found.into_iter().map(|id| contacts::store::get_view(c, id)).collect::<Vec<_>>());
    "contacts::store::members" => |c, id, key| contacts::store::members(c, id).map(|found| found.into_iter().map(|id| contacts::store::get_view(c, id)).collect::<Vec<_>>());
    "contacts::store::has_primary" => |c, id, key| contacts::store::has_primary(c, id);
    "contacts::store::companies_of_email" => |c, id, key| contacts::store::companies_of_email(c, &format!("{key}@example.com"));
    "contacts::store::attached_to_company" => |c, id, key| contacts::store::attached_to_company(c, id);
    "contacts::list_store::list" => |c, id, key| contacts::list_store::list(c, &ListQuery::everything(&contacts::list_store::LIST)?, &contacts::list_store::Places::read(&Query::parse(""))?, &policy());
    "contacts::list_store::each" => |c, id, key| gathered(|take| contacts::list_store::each(c, &ListQuery::everything(&contacts::list_store::LIST)?, &contacts::list_store::Places::read(&Query::parse(""))?, &policy(), take));
    "contacts::list_store::LIST" => |c, id, key| contacts::list_store::list(c, &ListQuery::everything(&contacts::list_store::LIST)?.with_search(key)?, &contacts::list_store::Places::read(&Query::parse(""))?, &policy());
    "contacts::list_store::OF_COMPANY" => |c, id, key| contacts::list_store::list(c, &ListQuery::everything(&contacts::list_store::LIST)?, &contacts::list_store::Places::read(&Query::parse(&format!("company_id={key}")))?, &policy());
    "contacts::list_store::seen" => |c, id, key| gathered(|take| contacts::list_store::seen(c, ListQuery::everything(&contacts::list_store::LIST)?, &policy(), take));
    "contacts::list_store::company_counts" => |c, id, key| contacts::list_store::company_counts(c, vec![id]);
    "assets::store::get_view" => |c, id, key| assets::store::get_view(c, id);
    "assets::store::get_detail" => |c, id, key| assets::store::get_detail(c, id);
    "assets::store::of_company" => |c, id, key| assets::store::of_company(c, id);
    "assets::store::of_companies" => |c, id, key| assets::store::of_companies(c, (1..200).collect());
    "assets::store::each_of_company" => |c, id, key| gathered(|take| assets::store::each_of_company(c, id, take).map(|()| 0));
    "assets::store::users_then" => |c, id, key| assets::store::users_then(c, id, "2999-01-01T00:00:00Z").map(|found| found.into_iter().map(|id| contacts::store::get_view(c, id)).collect::<Vec<_>>());
    "assets::store::contacts_of" => |c, id, key| assets::store::contacts_of(c, id);
    "assets::store::of_contact" => |c, id, key| assets::store::of_contact(c, id);
    "assets::store::attached_to_company" => |c, id, key| assets::store::attached_to_company(c, id);
    "tickets::store::get_view" => |c, id, key| tickets::store::get_view(c, id);
    "tickets::store::sizes_of_companies" => |c, id, key| tickets::store::sizes_of_companies(c, (1..200).collect(), None);
    "tickets::store::of_ids" => |c, id, key| tickets::store::of_ids(c, (1..200).collect());
    "tickets::store::newest_of_company" => |c, id, key| tickets::store::newest_of_company(c, id, 100);
    "tickets::store::newest_of_requesters" => |c, id, key| tickets::store::newest_of_requesters(c, "freshservice", (1..200).collect(), 100);
    "tickets::store::requesters" => |c, id, key| tickets::store::requesters(c, "freshservice", (1..200).collect());
    "tickets::store::active" => |c, id, key| gathered(|take| tickets::store::active(c, None, None, take).map(|()| 0));
    "tickets::store::by_external_ids" => |c, id, key| tickets::store::by_external_ids(c, "freshservice", (1..200).collect());
    "tickets::store::company_of_department" => |c, id, key| tickets::store::company_of_department(c, "freshservice", id);
    "tickets::store::neglected" => |c, id, key| tickets::store::neglected(c);
    "tickets::store::open_of_companies" => |c, id, key| tickets::store::open_of_companies(c, (1..200).collect());
    "tickets::store::open_of_requesters" => |c, id, key| tickets::store::open_of_requesters(c, "freshservice", (1..200).collect());
    "tickets::store::of_agents" => |c, id, key| tickets::store::of_agents(c, vec![id]);
    "tickets::store::open" => |c, id, key| tickets::store::open(c);
    "tickets::store::view_unstored" => |c, id, key| tickets::store::view_unstored(c, tickets::Ticket { company_id: Some(id), ..Default::default() }).map(|row| row.inside().company_id.clone());
    "tickets::messages_store::of_tickets" => |c, id, key| tickets::messages_store::of_tickets(c, (1..200).collect());
    "tickets::messages_store::time_entries" => |c, id, key| tickets::messages_store::time_entries(c, id);
    "tickets::list_store::list" => |c, id, key| tickets::list_store::list(c, &ListQuery::everything(&tickets::list_store::LIST)?, &tickets::list_store::Filters { company: Some(key.to_owned()), ..Default::default() }, &policy(), &Default::default());
    "tickets::list_store::each" => |c, id, key| gathered(|take| tickets::list_store::each(c, &ListQuery::everything(&tickets::list_store::LIST)?, &tickets::list_store::Filters { company: Some(key.to_owned()), ..Default::default() }, &policy(), &Default::default(), take));
    "tickets::list_store::LIST" => |c, id, key| tickets::list_store::list(c, &ListQuery::everything(&tickets::list_store::LIST)?.with_search(key)?, &Default::default(), &policy(), &Default::default());
    "tickets::change_store::each" => |c, id, key| gathered(|take| tickets::change_store::each(c, &ListQuery::everything(&tickets::change_store::LIST)?, &policy(), take));
    "tickets::change_store::LIST" => |c, id, key| gathered(|take| tickets::change_store::each(c, &ListQuery::everything(&tickets::change_store::LIST)?.with_search(key)?, &policy(), take));
    "tickets::change_store::get_view" => |c, id, key| tickets::change_store::get_view(c, id);
    "tickets::change_store::by_external_ids" => |c, id, key| tickets::change_store::by_external_ids(c, "freshservice", (1..200).collect());
    "assets::list_store::list" => |c, id, key| assets::list_store::list(c, &ListQuery::everything(&assets::list_store::LIST)?, &assets::list_store::Filters::read(&Query::parse(&format!("company_id={key}")))?, &view_context());
    "assets::list_store::each" => |c, id, key| gathered(|take| assets::list_store::each(c, &ListQuery::everything(&assets::list_store::LIST)?, &assets::list_store::Filters::read(&Query::parse(&format!("company_id={key}")))?, &view_context(), take));
    "assets::list_store::LIST" => |c, id, key| assets::list_store::list(c, &ListQuery::everything(&assets::list_store::LIST)?.with_search(key)?, &assets::list_store::Filters::default(), &view_context());
    "companies::alias_store::keys" => |c, id, key| companies::alias_store::keys(c);
    "companies::alias_store::of" => |c, id, key| companies::alias_store::of(c, id);
    "assets::audit_store::has_other" => |c, id, key| assets::audit_store::has_other(c, id, key);
    "assets::audit_store::inside" => |c, id, key| assets::audit_store::inside(c, id).map(|inside| (inside.software_count.is_some(), inside.disks, inside.network_adapters, inside.hardware.and_then(|found| found.cpu)));
    "assets::audit_store::software" => |c, id, key| assets::audit_store::software(c, id, "");
    "assets::audit_store::collected" => |c, id, key| assets::audit_store::collected(c, vec![id]);
    "monitoring::alert_list_store::list" => |c, id, key| monitoring::alert_list_store::list(c, &ListQuery::everything(&monitoring::alert_list_store::ALERTS)?, &monitoring::alert_list_store::Wanted::read(&Query::parse(&format!("company_id={key}")))?, &policy());
    "monitoring::alert_list_store::each" => |c, id, key| gathered(|take| monitoring::alert_list_store::each(c, &ListQuery::everything(&monitoring::alert_list_store::ALERTS)?, &monitoring::alert_list_store::Wanted::read(&Query::parse(&format!("company_id={key}")))?, &policy(), take));
    "monitoring::alert_list_store::ALERTS" => |c, id, key| monitoring::alert_list_store::list(c, &ListQuery::everything(&monitoring::alert_list_store::ALERTS)?.with_search(key)?, &monitoring::alert_list_store::Wanted::default(), &policy());
    "monitoring::alert_store::open_uids" => |c, id, key| monitoring::alert_store::open_uids(c, "datto");
    "monitoring::alert_store::ids" => |c, id, key| monitoring::alert_store::ids(c, true, id);
    "monitoring::alert_store::open" => |c, id, key| monitoring::alert_store::open(c);
    "assets::staleness_store::in_stages" => |c, id, key| assets::staleness_store::in_stages(c, &["quiet"], view_context().days).map(|(_, values)| values.iter().any(|value| format!("{value:?}").contains(THEIRS)));
    "assets::staleness_store::not_archived" => |c, id, key| assets::staleness_store::not_archived(c, view_context().days).map(|(_, values)| values.iter().any(|value| format!("{value:?}").contains(THEIRS)));
    "records::bulk_store::have_few" => |c, id, key| records::bulk_store::have_few(c, (1..200).collect(), 1);
    "records::bulk_store::locations" => |c, id, key| records::bulk_store::locations(c, (1..200).collect());
    "records::entities::exists" => |c, id, key| ["company", "contact", "asset", "location"].map(|kind| records::entities::exists(c, kind, id).is_ok()).into_iter().map(Ok).collect::<Result<Vec<_>>>();
    "contacts::store::billed_companies" => |c, id, key| contacts::store::billed_companies(c, id);
    "assets::store::assigned_to" => |c, id, key| assets::store::assigned_to(c, id);
    "companies::store::resolve" => |c, id, key| Ok::<_, codex::error::Error>([Reference::Id(id), Reference::Key(key.to_owned())].map(|wanted| companies::store::resolve(c, "company_id", &wanted).is_ok()));
    "companies::store::get_location" => |c, id, key| companies::store::get_location(c, id, id);
    "companies::pages_store::names" => |c, id, key| companies::pages_store::names(c, vec![id]);
    "companies::pages_store::names_by_number" => |c, id, key| companies::pages_store::names_by_number(c, &[key.to_owned()]);
    "companies::pages_store::location_names" => |c, id, key| companies::pages_store::location_names(c, vec![id]);
    "companies::pages_store::billed_contact" => |c, id, key| companies::pages_store::billed_contact(c, id).map(|contact| contact.inside().clone());
    "companies::pages_store::companies_named" => |c, id, key| companies::pages_store::companies_named(c, key);
    "contacts::pages_store::contacts_named" => |c, id, key| contacts::pages_store::contacts_named(c, key, id);
    "assets::pages_store::assets_named" => |c, id, key| assets::pages_store::assets_named(c, key, id);
    "companies::pages_store::contacts_per_company" => |c, id, key| companies::pages_store::contacts_per_company(c, vec![id]);
    "companies::pages_store::assets_per_company" => |c, id, key| companies::pages_store::assets_per_company(c, vec![id]);
    "contacts::pages_store::companies_of" => |c, id, key| contacts::pages_store::companies_of(c, vec![id]);
    "companies::pages_store::company_choices" => |c, id, key| companies::pages_store::company_choices(c);
    "companies::pages_store::contact_choices" => |c, id, key| Ok::<_, codex::error::Error>((companies::pages_store::contact_choices(c, None, &policy())?, companies::pages_store::contact_choices(c, Some(id), &policy())?));
    "home::dashboard_store::counts" => |c, id, key| home::dashboard_store::counts(c);
    "home::dashboard_store::assets_by_type" => |c, id, key| home::dashboard_store::assets_by_type(c);
    "home::dashboard_store::companies_by_plan" => |c, id, key| home::dashboard_store::companies_by_plan(c);
    "home::dashboard_store::contracts" => |c, id, key| home::dashboard_store::contracts(c);
    "home::dashboard_store::needs" => |c, id, key| home::dashboard_store::needs(c);
    "records::leavers::store::held" => |c, id, key| records::leavers::store::held(c);
    "records::leavers::store::count" => |c, id, key| records::leavers::store::count(c);
    "records::leavers::store::people" => |c, id, key| records::leavers::store::people(c, vec![id], &policy());
    "records::leavers::store::successors" => |c, id, key| records::leavers::store::successors(c, id, &policy());
    "records::calendar::store::events" => |c, id, key| records::calendar::store::events(c, &records::calendar::store::Kind::ALL, ("2000-01-01", "2100-01-01"), Some(id));
    "history::store::find" => |c, id, key| Ok::<_, codex::error::Error>((history::find::<Company>(c, id)?, history::find::<Contact>(c, id)?, history::find::<Asset>(c, id)?, history::find::<Location>(c, id)?));
};

type Attempt = fn(&mut Write<'_>, i64, &str) -> Result<()>;

macro_rules! writes {
    ($($name:literal => |$w:ident, $id:ident, $key:ident| $call:expr;)*) => {
        &[$(($name, |$w: &mut Write<'_>, $id: i64, $key: &str| -> Result<()> { let _both = ($id, $key); $call.map(|_| ()) })),*]
    };
}

/// Every store function that writes, tried on the other tenant's rows (by id) and with references to
/// the other tenant's companies (by key).
const WRITES: &[(&str, Attempt)] = writes! {
    "companies::store::create" => |w, id, key| companies::store::create(w, &companies::rules::read(fields(json!({"account_number": "taken", "name": "taken", "parent_id": key})), true)?, None);
    "companies::store::update" => |w, id, key| companies::store::update(w, id, &companies::rules::read(fields(json!({"name": "taken"})), false)?, None, &policy());
    "companies::store::add_location" => |w, id, key| companies::store::add_location(w, &Location { company_id: id, name: "taken".into(), ..Location::default() });
    "companies::store::update_location" => |w, id, key| companies::store::update_location(w, id, id, &companies::rules::read_location(fields(json!({"name": "taken"})), false)?, None);
    "companies::store::remove_location" => |w, id, key| companies::store::remove_location(w, id, id);
    "companies::store::set_feature_overrides" => |w, id, key| companies::store::set_feature_overrides(w, id, &[("taken".to_owned(), "taken".to_owned())].into());
    "billing::trueup_store::save_settings" => |w, id, key| billing::trueup_store::save_settings(w, id, &codex::entity::Patch::read(&mut fields(json!({"count_contacts": "all"})))?, None);
    "contacts::store::create" => |w, id, key| contacts::store::create(w, &contacts::rules::read(fields(json!({"name": "taken", "company_account_numbers": [key]})), true)?, &policy());
    "contacts::store::join" => |w, id, key| contacts::store::join(w, 1, &Membership { company_id: id, is_primary: true, ..Membership::default() });
    "assets::store::create" => |w, id, key| assets::store::create(w, &assets::rules::read(fields(json!({"hostname": "taken", "company_account_number": key})), true)?);
    "licences::store::keep_key" => |w, id, key| licences::store::keep_key(w, id, Some("taken".to_owned()));
    "history::store::update" => |w, id, key| history::update(w, id, None, None, |company: &mut Company| { company.name = "taken".into(); Ok(()) });
    "history::store::retire" => |w, id, key| history::retire::<Company>(w, id, None);
    "history::store::restore" => |w, id, key| history::restore::<Company>(w, id, None);
};

/// The same on contacts and on assets that are nothing of ours.
const CONTACT_WRITES: &[(&str, Attempt)] = writes! {
    "contacts::store::update" => |w, id, key| contacts::store::update(w, id, &contacts::rules::read(fields(json!({"name": "taken"})), false)?, None, &policy());
    "contacts::store::join" => |w, id, key| contacts::store::join(w, id, &Membership { company_id: 1, ..Membership::default() });
    "contacts::store::remember" => |w, id, key| contacts::store::remember(w, id);
    "contacts::store::leave" => |w, id, key| contacts::store::leave(w, id, 2).and_then(|left| if left { Ok(()) } else { Err(codex::error::Error::NotFound { what: "Contact" }) });
    "history::store::retire" => |w, id, key| history::retire::<Contact>(w, id, None);
};
const ASSET_WRITES: &[(&str, Attempt)] = writes! {
    "assets::store::update" => |w, id, key| assets::store::update(w, id, &assets::rules::read(fields(json!({"hostname": "taken"})), false)?, None, &policy());
    "assets::store::assign" => |w, id, key| assets::store::assign(w, id, &[]);
    "assets::store::observe" => |w, id, key| assets::store::observe(w, id, &Observation::default());
    "assets::audit_store::keep" => |w, id, key| assets::audit_store::keep(w, &asked(id), &audit(key), Some(&[]));
    "assets::audit_store::keep_none" => |w, id, key| assets::audit_store::keep_none(w, &asked(id));
    "history::store::retire" => |w, id, key| history::retire::<Asset>(w, id, None);
};

const TICKET_WRITES: &[(&str, Attempt)] = writes! {
    "tickets::store::set_text" => |w, id, key| tickets::store::set_text(w, id, Some("taken"), None);
    "tickets::store::mark" => |w, id, key| tickets::store::mark(w, id, tickets::store::Mark::Local, Some("taken"));
    "tickets::store::set_status" => |w, id, key| tickets::store::set_status(w, id, None, ("taken".to_owned(), None));
    "tickets::store::release_status" => |w, id, key| tickets::store::release_status(w, id);
    "tickets::messages_store::replace_conversations" => |w, id, key| tickets::messages_store::replace_conversations(w, id, &[]);
    "tickets::messages_store::add_note" => |w, id, key| tickets::messages_store::add_note(w, id, "taken", "taken", "taken");
    "tickets::messages_store::note_sent" => |w, id, key| tickets::messages_store::note_sent(w, 2 * id, 1);
    "tickets::messages_store::replace_time_entries" => |w, id, key| tickets::messages_store::replace_time_entries(w, id, &[]);
};

/// Store functions that no tenant's scope applies to, each with its reason.
const EXEMPT: &[(&str, &str)] = &[
    ("records::clear_store::count", "of everybody: administrators clear"),
    ("records::clear_store::some", "of everybody: administrators clear"),
    ("compliance::names_store::protected", "whose names are struck from texts, whoever reads them"),
    ("compliance::forgotten_store::remember", "digests of whoever an administrator forgets"),
    ("compliance::forgotten_store::digests", "by which pulls know forgotten people, for no caller"),
    ("compliance::forgotten_store::present", "whose names stay in what pulls bring, for no caller"),
    ("companies::list_store::by_shown", "narrows a question that is asked within the scope"),
    ("assets::list_store::by_shown", "narrows a question that is asked within the scope"),
    ("billing::trueup_store::keep_settings", "how the provider counts, for no client"),
    ("custom::store::protected", "asked of rows that are read already"),
    ("custom::store::fields", "what the provider adds for its own people, no client's to read"),
    ("custom::store::all_fields", "what the provider adds for its own people, no client's to read"),
    ("custom::store::labels", "what the provider adds for its own people, no client's to read"),
    ("custom::store::values", "what the provider adds for its own people, no client's to read"),
    ("custom::store::values_of_field", "what the provider adds for its own people, no client's to read"),
    ("custom::store::counts", "what the provider adds for its own people, no client's to read"),
    ("custom::store::keep", "what the provider adds for its own people, no client's to read"),
    ("custom::store::record", "what the provider adds for its own people, no client's to read"),
    ("custom::store::exists", "what the provider adds for its own people, no client's to read"),
    ("custom::store::tags", "what the provider adds for its own people, no client's to read"),
    ("custom::store::has_tags", "what the provider adds for its own people, no client's to read"),
    ("custom::store::tagged", "what the provider adds for its own people, no client's to read"),
    ("custom::store::tags_of", "what the provider adds for its own people, no client's to read"),
    ("custom::store::mark", "what the provider adds for its own people, no client's to read"),
    ("custom::store::marked", "what the provider adds for its own people, no client's to read"),
    ("custom::store::found", "what the provider adds for its own people, no client's to read"),
    ("custom::store::has_tag", "what the provider adds for its own people, no client's to read"),
    ("custom::store::has_value", "what the provider adds for its own people, no client's to read"),
    ("custom::store::ordered", "what the provider adds for its own people, no client's to read"),
    ("attachments::store::of_record", "what the provider adds for its own people, no client's to read"),
    ("attachments::store::page", "what the provider adds for its own people, no client's to read"),
    ("attachments::store::contents", "what the provider adds for its own people, no client's to read"),
    ("attachments::store::is_used", "what the provider adds for its own people, no client's to read"),
    ("billing::trueup_store::settings", "how the provider counts, for no client"),
    ("billing::trueup_store::settings_of", "how the provider counts, for no client"),
    ("billing::trueup_store::exclusions_ever", "what the provider leaves out, for no client"),
    ("billing::trueup_store::settings_ever", "how the provider counts, for no client"),
    ("billing::snapshot_store::add", "by administrators alone, who have no tenant's scope"),
    ("billing::trueup_store::exclusions", "what the provider leaves out, for no client"),
    ("billing::trueup_store::exclude", "what the provider leaves out, for no client"),
    ("billing::store::view", "the provider's own catalogue, of no tenant"),
    ("billing::store::option", "the provider's own catalogue, of no tenant"),
    ("companies::pages_store::plan_choices", "the provider's own catalogue, of no tenant"),
    ("billing::store::all", "the provider's own catalogue, of no tenant"),
    ("billing::store::all_ever", "the provider's own catalogue, of no tenant"),
    ("billing::store::restore_option", "the provider's own catalogue, of no tenant"),
    ("billing::store::can_take_back", "the provider's own catalogue, of no tenant"),
    ("billing::store::named", "the provider's own catalogue, of no tenant"),
    ("billing::store::find", "the provider's own catalogue, of no tenant"),
    ("billing::store::of_company", "the provider's own catalogue, of no tenant"),
    ("billing::store::create", "the provider's own catalogue, of no tenant"),
    ("billing::store::update", "the provider's own catalogue, of no tenant"),
    ("billing::store::retire", "the provider's own catalogue, of no tenant"),
    ("billing::store::restore", "the provider's own catalogue, of no tenant"),
    ("billing::store::options", "the provider's own catalogue, of no tenant"),
    ("billing::store::add_option", "the provider's own catalogue, of no tenant"),
    ("billing::store::update_option", "the provider's own catalogue, of no tenant"),
    ("billing::store::categories", "the provider's own catalogue, of no tenant"),
    ("billing::store::name_category", "the provider's own catalogue, of no tenant"),
    ("billing::list_store::PLANS", "the provider's own catalogue, of no tenant"),
    ("billing::list_store::OPTIONS", "the provider's own catalogue, of no tenant"),
    ("network::adopt_store::hand_over", "part of a sync, for every tenant"),
    ("companies::list_store::contract", "reads a parameter"),
    ("network::adopt_store::adopt", "part of a sync, for every tenant"),
    ("network::adopt_store::follow", "part of a sync, for every tenant"),
    ("network::adopt_store::kind_of", "reads words"),
    ("network::check_store::two_ends", "compares what it is given"),
    ("network::check_store::gateway_inside", "compares what it is given"),
    ("monitoring::alert_store::rekey", "makes search keys anew, for every tenant"),
    ("assets::audit_store::rekey_software", "makes search keys anew, for every tenant"),
    ("assets::list_store::traces", "no question to the database"),
    ("assets::traces_store::key", "makes the search key of a row that is being written"),
    ("tickets::store::status_words", "words of the account, of no row"),
    ("tickets::messages_store::view_unstored", "tells what it is given, with how strictly whoever wrote it is protected"),
    ("companies::store::view", "reads a row that is already there"),
    ("companies::store::select", "a text"),
    ("companies::store::free_account_number", "sees all tenants on purpose and tells none of them"),
    ("companies::store::random_account_number", "a number"),
    ("contacts::store::refuse_shared", "counts a contact's companies, of all tenants on purpose, and tells none of them"),
    ("contacts::store::view", "reads a row that is already there"),
    ("contacts::store::select", "a text"),
    ("assets::list_store::ASKING", "what a question may not be about"),
    ("contacts::list_store::ASKING", "what a question may not be about"),
    ("assets::store::view", "reads a row that is already there"),
    ("assets::store::select", "a text"),
    ("tickets::hooks::hook_store::is_new", "knows no rows"),
    ("tickets::list_store::last_sync", "the provider's own jobs"),
    ("tickets::store::view", "reads a row that is already there"),
    ("tickets::store::select", "a text"),
    ("tickets::store::upsert", "made of functions of history, by the vendor's number, for syncs and webhooks"),
    ("tickets::store::reword", "gives every tenant's tickets the same new word for a code"),
    ("tickets::change_store::upsert", "made of functions of history, by the vendor's number, for syncs"),
    ("tickets::statuses_store::learned", "the provider's names for its codes"),
    ("tickets::statuses_store::load", "the provider's names for its codes"),
    ("tickets::statuses_store::learn", "the provider's names for its codes"),
    ("companies::alias_store::hand_over", "part of a merge, by whoever sees every company"),
    ("companies::alias_store::hand_back", "part of a merge, by whoever sees every company"),
    ("monitoring::alert_store::move_some", "part of a merge, by whoever sees every company"),
    ("companies::alias_store::forget", "what the provider's own staff recognised, for its staff alone"),
    ("companies::alias_store::learn", "what the provider's own staff recognised, for its staff alone"),
    ("monitoring::alert_store::keep", "the RMM's events, written by its sync for every tenant"),
    ("monitoring::alert_store::close_gone", "the RMM's events, written by its sync for every tenant"),
    ("monitoring::alert_store::view", "reads a row that is already there"),
    ("monitoring::alert_store::select", "a text"),
    ("assets::staleness_store::as_of", "when the provider last read the RMM"),
    ("assets::staleness_store::stages", "reads a parameter"),
    ("assets::staleness_store::moved", "says that labels moved, and none of them"),
    ("records::forget::store::is_gone", "part of forgetting a person, which administrators do for all tenants"),
    ("records::forget::store::family", "part of forgetting a person, which administrators do for all tenants"),
    ("records::forget::store::with_email", "part of forgetting a person, which administrators do for all tenants"),
    ("records::forget::store::tokens", "part of forgetting a person, which administrators do for all tenants"),
    ("records::forget::store::title", "part of forgetting a person, which administrators do for all tenants"),
    ("records::forget::store::erase", "part of forgetting a person, which administrators do for all tenants"),
    ("records::orphans_store::find", "the operator's own check of the whole database"),
    ("records::undo_store::company", "part of taking a run back, which administrators do for all tenants"),
    ("records::undo_store::created_by", "part of taking a run back, which administrators do for all tenants"),
    ("records::undo_store::mark", "the provider's own jobs"),
    ("records::undo_store::run", "the provider's own jobs"),
    ("status::store::as_of_all", "when the provider last read its vendors; no tenant's row"),
    ("home::dashboard_store::latest", "the change feed, which the dashboard shows to staff only"),
    ("status::store::freshness", "the provider's own jobs; staff only"),
    ("status::store::waiting", "the provider's own jobs; staff only"),
];

/// Everything of the other tenant, as text.
fn theirs(c: &mut Conn) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for table in codex::db::tenant_tables().filter(|table| *table != "contact_companies" && *table != "asset_contacts") {
        let rows = c.all(&format!("SELECT * FROM @{table} tenant ORDER BY 1"), &[])?;
        all.extend(rows.iter().map(|row| format!("{table} {row:?}")).filter(|text| text.contains(THEIRS)));
    }
    Ok(all)
}

/// The ids of a table's rows that are the other tenant's.
async fn theirs_in(world: &World, table: &'static str) -> Vec<i64> {
    let rows = world.db.read(&Scope::All, move |c| {
        let rows = c.all(&format!("SELECT id, name_folded FROM @{table} tenant ORDER BY id"), &[])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<(i64, String)>>>()
    });
    rows.await.unwrap().into_iter().filter(|(_, name)| name.contains(THEIRS)).map(|(id, _)| id).collect()
}

both! {
    async fn nothing_of_the_other_is_read(engine: Engine) {
        for seed in [1, 22, 333] {
            let world = world(&engine, seed).await;
            for scope in [world.ours.clone(), Scope::Companies([].into())] {
                let empty = scope == Scope::Companies([].into());
                let read = world.db.read(&scope, move |c| {
                    let mut found = Vec::new();
                    for (name, ask) in READS {
                        for id in 1..=CONTACTS.max(ASSETS) {
                            for key in [format!("{THEIRS}-{id}"), format!("{THEIRS}{id}"), format!("acorn-{id}"), THEIRS.to_owned()] {
                                let Ok(text) = ask(c, id, &key) else { continue };
                                // Within no company at all, not even a count may be anything but nought.
                                let tells = text.contains("acorn") || text.contains(|c: char| ('1'..='9').contains(&c));
                                if text.contains(THEIRS) || (empty && tells) {
                                    found.push(format!("{name}({id}, {key}): {text}"));
                                }
                            }
                        }
                    }
                    Ok(found)
                });
                let found = read.await.unwrap();
                assert!(found.is_empty(), "seed {seed}: {found:#?}");
            }
        }
    }

    async fn our_own_is_read(engine: Engine) {
        let world = world(&engine, 1).await;
        let silent = world.db.read(&world.ours, |c| {
            let mut silent = Vec::new();
            for name in ["get_view", "all_views", "of_company", "of_companies", "LIST", "COMPANIES", "list"] {
                let asked = READS.iter().filter(|(function, _)| function.ends_with(&format!("::{name}")));
                for (function, ask) in asked {
                    let mut told = false;
                    for id in 1..=ASSETS {
                        for key in ["acorn", "acorn-1"] {
                            told |= ask(c, id, key).is_ok_and(|text| text.contains("acorn"));
                        }
                    }
                    if !told {
                        silent.push(*function);
                    }
                }
            }
            Ok(silent)
        });
        assert_eq!(silent.await.unwrap(), Vec::<&str>::new(), "these tell nothing at all, so the test above proves nothing");
    }

    async fn nothing_of_the_other_is_changed(engine: Engine) {
        let world = world(&engine, 5).await;
        let before = world.db.read(&Scope::All, theirs).await.unwrap();
        assert!(before.len() >= 6, "{before:#?}");
        let (companies, contacts, assets) =
            (theirs_in(&world, "companies").await, theirs_in(&world, "contacts").await, theirs_assets(&world).await);
        let tickets = theirs_tickets(&world).await;
        for (attempts, ids) in [(WRITES, companies), (CONTACT_WRITES, contacts), (ASSET_WRITES, assets), (TICKET_WRITES, tickets)] {
            assert!(!ids.is_empty(), "a world without rows of the other tenant");
            for (name, attempt) in attempts {
                for id in &ids {
                    let (id, key) = (*id, format!("{THEIRS}-{id}"));
                    let done = world.db.write(&world.ours, &Actor::system("test"), move |w| attempt(w, id, &key)).await;
                    assert!(done.is_err(), "{name} on {id} of the other tenant");
                }
            }
        }
        assert_eq!(world.db.read(&Scope::All, theirs).await.unwrap(), before);
    }
}

async fn theirs_assets(world: &World) -> Vec<i64> {
    let read = world.db.read(&Scope::All, |c| {
        let rows = c.all("SELECT id, hostname FROM @assets asset ORDER BY id", &[])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<(i64, String)>>>()
    });
    read.await.unwrap().into_iter().filter(|(_, name)| name.contains(THEIRS)).map(|(id, _)| id).collect()
}

async fn theirs_tickets(world: &World) -> Vec<i64> {
    let read = world.db.read(&Scope::All, |c| {
        let rows = c.all("SELECT id, subject FROM @tickets ticket ORDER BY id", &[])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<(i64, String)>>>()
    });
    read.await.unwrap().into_iter().filter(|(_, subject)| subject.contains(THEIRS)).map(|(id, _)| id).collect()
}

/// The rooms that hold tenants' rows. Syncs and identity act for everybody or for nobody's tenant.
const ROOMS: [&str; 15] = [
    "companies",
    "contacts",
    "assets",
    "monitoring",
    "network",
    "tickets",
    "notes",
    "attachments",
    "custom",
    "billing",
    "licences",
    "records",
    "home",
    "status",
    "compliance",
];

#[test]
fn every_store_function_is_named_here() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    let mut folders: Vec<_> = ROOMS.iter().map(|room| root.join(room)).collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let place = path.strip_prefix(&root).unwrap().with_extension("").to_string_lossy().replace('/', "::");
            if !place.ends_with("store") {
                continue;
            }
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let item = line.strip_prefix("pub fn ").or_else(|| line.strip_prefix("pub static "));
                let name = item.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
                found.extend(name.map(|name| format!("{place}::{name}")));
            }
        }
    }
    let tables = [READS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), EXEMPT.iter().map(|(name, _)| *name).collect()];
    let writes = [WRITES, CONTACT_WRITES, ASSET_WRITES, TICKET_WRITES].into_iter().flatten().map(|(name, _)| *name);
    let named: BTreeSet<String> = tables.concat().into_iter().chain(writes).map(str::to_owned).collect();
    let missing: Vec<_> = found.difference(&named).collect();
    assert!(missing.is_empty(), "store functions that no two-tenant test asks: {missing:#?}");
    let gone: Vec<_> = EXEMPT.iter().map(|(name, _)| *name).filter(|name| !found.contains(*name)).collect();
    assert!(gone.is_empty(), "exempted and not there: {gone:#?}");
}
