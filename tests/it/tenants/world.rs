//! Two tenants with some of everything, and things across the border wherever the model allows that.

use std::collections::BTreeSet;

use codex::assets::audit::{Audit, Software};
use codex::assets::audit_store;
use codex::assets::audit_store::Asked;
use codex::assets::hardware::{Disk, Hardware, Nic};
use codex::assets::{self, Observation};
use codex::billing::{
    snapshot::{Content, Label},
    snapshot_store,
};
use codex::companies::{self, Location};
use codex::contacts;
use codex::db::{Db, Target, Write};
use codex::error::Result;
use codex::history;
use codex::licences::{License, Seat};
use codex::monitoring::alert::Alert;
use codex::monitoring::alert_store;
use codex::network::{Connection, Equipment, Interface, Subnet, Vlan};
use codex::tickets::{self, Message, Ticket, TimeEntry};
use codex::types::{Actor, Scope};
use codex::web::Fields;
use serde_json::{Value, json};

use crate::support::{Database, Engine};

/// In every text of the other tenant and in no text of ours.
pub(super) const THEIRS: &str = "zebra";
/// Companies in a world.
pub(super) const COMPANIES: i64 = 6;
/// Contacts in a world.
pub(super) const CONTACTS: i64 = 14;
/// Assets in a world.
pub(super) const ASSETS: i64 = 14;
/// Tickets in a world.
pub(super) const TICKETS: i64 = 14;

/// Small, seeded and the same everywhere.
pub(super) struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % u64::try_from(limit).unwrap()).unwrap()
    }
}

pub(super) struct World {
    pub(super) db: Db,
    pub(super) ours: Scope,
    _folder: tempfile::TempDir,
    _database: Database,
}

pub(super) fn fields(map: Value) -> Fields {
    let Value::Object(map) = map else { unreachable!("an object") };
    Fields::new(map)
}

pub(super) fn account(n: i64, mine: &[bool]) -> String {
    format!("{}-{n}", whose(mine[usize::try_from(n).unwrap() - 1]))
}

pub(super) fn whose(ours: bool) -> &'static str {
    if ours { "acorn" } else { THEIRS }
}

/// Companies 1 to 6, at least one of each tenant, with trees, people and things across the border
/// wherever the model allows that.
pub(super) async fn world(engine: &Engine, seed: u64) -> World {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.database(folder.path(), None);
    let target = Target::parse(database.url().as_deref(), folder.path()).unwrap();
    let db = std::thread::spawn(move || Db::open(target, 64)).join().unwrap().unwrap();
    let mut dice = Dice(seed);
    let mut mine: Vec<bool> = (0..COMPANIES).map(|_| dice.below(2) == 0).collect();
    (mine[0], mine[1]) = (true, false);
    let kept = mine.clone();
    db.write(&Scope::All, &Actor::system("test"), move |w| fill(w, &mut dice, &kept)).await.unwrap();
    let ids: Vec<i64> = (1..=COMPANIES).filter(|n| mine[usize::try_from(*n).unwrap() - 1]).collect();
    World { db, ours: Scope::Companies(ids.into()), _folder: folder, _database: database }
}

pub(super) fn fill(w: &mut Write<'_>, dice: &mut Dice, mine: &[bool]) -> Result<()> {
    for n in 1..=COMPANIES {
        let name = account(n, mine);
        let mut body = json!({"account_number": name, "name": format!("{name} ltd"), "description": name, "address": name});
        if n > 1 {
            body["parent_id"] = account(1 + dice.below(n - 1), mine).into();
        }
        body["plan"] = "Gold".into();
        body["contract_term"] = "1-Year".into();
        let company = companies::store::create(w, &companies::rules::read(fields(body), true)?, None)?;
        assert_eq!(company.id, n);
        history::links::link(w, "company", n, "freshservice", &name)?;
        let location = Location { company_id: n, name: name.clone(), address: Some(name.clone()), ..Location::default() };
        companies::store::add_location(w, &location)?;
        companies::store::set_feature_overrides(w, n, &[(name.clone(), name)].into())?;
    }
    for n in 1..=CONTACTS {
        let places: BTreeSet<i64> = (0..=dice.below(3)).map(|_| 1 + dice.below(COMPANIES)).collect();
        let known = places.iter().any(|place| mine[usize::try_from(*place).unwrap() - 1]);
        let name = format!("{} person {n}", whose(known));
        let list: Vec<Value> = places.iter().map(|place| json!({"account_number": account(*place, mine)})).collect();
        let body = json!({"name": name, "email": format!("{}{n}@example.com", whose(known)), "companies": list});
        let contact = contacts::store::create(w, &contacts::rules::read(fields(body), true)?, &super::policy())?;
        assert_eq!(contact.id, n);
    }
    for n in 1..=ASSETS {
        let name = account(1 + dice.below(COMPANIES), mine);
        let users: Vec<i64> = (0..dice.below(4)).map(|_| 1 + dice.below(CONTACTS)).collect();
        let body = json!({"hostname": format!("{name}-pc{n}"), "serial_number": format!("{name}{n}"), "company_account_number": name, "contact_ids": users});
        let asset = assets::store::create(w, &assets::rules::read(fields(body), true)?)?;
        assert_eq!(asset.id, n);
        let seen = Observation { last_logged_in_user: Some(name.clone()), ext_ip_address: Some(name), ..Observation::default() };
        assets::store::observe(w, n, &seen)?;
        let programs = [Software { name: asset.hostname.clone(), version: None }];
        audit_store::keep(w, &asked(n), &audit(&asset.hostname), Some(&programs))?;
        let alert = Alert { alert_uid: asset.hostname.clone(), message: asset.hostname, ..Alert::default() };
        alert_store::keep(w, "datto", &alert, Some(n), None)?;
    }
    for n in 1..=COMPANIES {
        network(w, dice, n, mine)?;
        let name = account(n, mine);
        let content = Content { account_number: name.clone(), company: name, ..Content::default() };
        let label = Label {
            month: "2026-01".to_owned(),
            number: 1,
            adjusts: None,
            is_partial: false,
            frozen_at: "2026-02-01T06:00:00Z".to_owned(),
        };
        snapshot_store::add(w, n, label, &content)?;
    }
    (1..=TICKETS).try_for_each(|n| ticket(w, n, 1 + dice.below(COMPANIES), mine))
}

/// A company's network, with uplinks, cables and devices across the border, and addresses that all have.
fn network(w: &mut Write<'_>, dice: &mut Dice, n: i64, mine: &[bool]) -> Result<()> {
    let name = account(n, mine);
    let equipment = Equipment {
        company_id: n,
        name: name.clone(),
        kind: "switch".to_owned(),
        ip_address: Some("10.20.0.1".to_owned()),
        uplink_id: (n > 1).then(|| 1 + dice.below(n - 1)),
        asset_id: Some(1 + dice.below(ASSETS)),
        location_id: Some(1 + dice.below(n)),
        ..Equipment::default()
    };
    let own = history::create(w, &equipment, None)?.id;
    let (cidr, purpose) = ("10.20.0.0/24".to_owned(), Some(name.clone()));
    history::create(w, &Subnet { company_id: n, cidr, purpose: purpose.clone(), ..Subnet::default() }, None)?;
    history::create(w, &Vlan { company_id: n, number: 20, name: name.clone(), purpose, ..Vlan::default() }, None)?;
    let ip_address = Some("10.20.0.1".to_owned());
    let port = Interface { company_id: n, equipment_id: own, name: name.clone(), ip_address, ..Interface::default() };
    history::create(w, &port, None)?;
    let (a_port, b_id) = (Some(name.clone()), 1 + dice.below(n));
    let cable = Connection { company_id: n, a_id: own, a_port, b_id, b_port: Some(name.clone()), ..Connection::default() };
    history::create(w, &cable, None)?;
    let license = License { company_id: n, product: name.clone(), vendor: Some(name), seats: Some(n), ..License::default() };
    let license_id = history::create(w, &license, None)?.id;
    let seat = Seat { company_id: n, license_id, asset_id: Some(1 + dice.below(ASSETS)), ..Seat::default() };
    history::create(w, &seat, None).map(|_| ())
}

pub(super) fn ticket(w: &mut Write<'_>, n: i64, company: i64, mine: &[bool]) -> Result<()> {
    let name = account(company, mine);
    let ticket = Ticket {
        external_source: "freshservice".to_owned(),
        external_id: n,
        company_id: Some(company),
        ticket_number: n.to_string(),
        subject: Some(format!("{name} is on fire")),
        status: "open".to_owned(),
        last_updated_at: "2026-11-21T12:00:00Z".to_owned(),
        ..Ticket::default()
    };
    let stored = tickets::store::upsert(w, &ticket, None)?;
    assert_eq!(stored.ticket.id, n);
    tickets::store::set_text(w, n, Some(&name), Some(&name))?;
    let message = |external_id, private| Message {
        external_id: Some(external_id),
        body_text: name.clone(),
        private,
        created_at: name.clone(),
        ..Message::default()
    };
    tickets::messages_store::replace_conversations(w, n, &[message(2 * n, false), message(2 * n + 1, true)])?;
    tickets::messages_store::replace_time_entries(
        w,
        n,
        &[TimeEntry { minutes: 15, note: Some(name.clone()), ..TimeEntry::default() }],
    )?;
    let change = tickets::ChangeRequest {
        external_source: "freshservice".to_owned(),
        external_id: n,
        company_id: Some(company),
        subject: Some(name),
        vendor_updated_at: "2026-11-21T12:00:00Z".to_owned(),
        ..tickets::ChangeRequest::default()
    };
    tickets::change_store::upsert(w, &change, None).map(|_| ())
}

pub(super) fn asked(asset_id: i64) -> Asked {
    let at = "2026-11-20T12:00:00Z".to_owned();
    Asked { asset_id, source: "datto".to_owned(), external_id: "x".to_owned(), device_class: None, audited_at: at }
}

pub(super) fn audit(name: &str) -> Audit {
    let (nic, disk) =
        (Nic { name: Some(name.to_owned()), ..Nic::default() }, Disk { name: Some(name.to_owned()), ..Disk::default() });
    let hardware = Hardware { cpu: Some(name.to_owned()), ..Hardware::default() };
    Audit { hardware, nics: vec![nic], disks: vec![disk], ..Audit::default() }
}
