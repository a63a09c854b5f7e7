//! What an asset is: the row, what vendors observe of it, and its wire shapes.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::openapi::{
    RefOr, Schema, Type,
    schema::{ObjectBuilder, SchemaType},
};

use super::{hardware::Inside, secrets, staleness, view_context::AssetViewContext};
use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    db::{Conn, Value},
    entity::{Holds, Members, Target, redact},
    error::Result,
    types::{SearchText, fold},
};

/// An asset as other nouns refer to it.
pub static TARGET: Target =
    Target { entity: "asset", what: "asset", table: "assets", title: "hostname", page: Some("/assets/"), are_people: false };

/// The normalised types (contract §1.2, §5.10).
pub const TYPES: &[&str] =
    &["workstation", "laptop", "server", "network_device", "mobile", "virtual_machine", "printer", "other"];
/// Whether an asset is in use.
pub const STATUSES: &[&str] = &["active", "spare", "repair", "disposed"];

crate::entity! {
    /// A device or any other thing that somebody uses.
    pub struct Asset: "asset", "Asset", "assets", private = traces {
        /// Its name; never null.
        hostname: String = text("Hostname", 150).in_form("Device").also(&["name"]).required().synced().folded("asset.hostname_folded"),
        /// Whose it is; none until a person decides.
        company_id: Option<i64> = int("Company").id_of("company").section("Device").told().internal().synced(),
        /// One of [`TYPES`].
        kind: String = choice("Type", TYPES).section("Device").named("type").synced().listed(),
        /// One of [`STATUSES`].
        status: String = choice("Status", STATUSES).section("Device").listed(),
        /// The maker's.
        serial_number: Option<String> = text("Serial number", 150).section("Device").code().synced().folded("asset.serial_folded"),
        /// The provider's own label.
        asset_tag: Option<String> = text("Asset tag", 100).section("Device").code().synced().listed(),
        /// `YYYY-MM-DD`.
        purchase_date: Option<String> = day("Purchased").section("Device").synced().listed(),
        /// `YYYY-MM-DD`.
        warranty_expires: Option<String> = day("Warranty ends").section("Device").synced().listed(),
        /// The maker.
        manufacturer: Option<String> = text("Manufacturer", 150).section("Device").synced().listed(),
        /// The maker's name for it.
        model: Option<String> = text("Model", 150).section("Device").synced().listed(),
        /// The vendor's category ("Desktop", "ESXI Host").
        hardware_type: Option<String> = text("Category", 100).on_page("Device").synced().listed(),
        device_type: Option<String> = text("Device type", 50).synced().listed(),
        /// Its operating system, in words.
        operating_system: Option<String> = text("OS", 100).section("Device").synced().listed(),
        /// Its build.
        os_version: Option<String> = text("Build", 100).on_page("Device").synced().listed(),
        /// The directory it has joined.
        domain: Option<String> = text("Domain", 100).on_page("Device").synced().listed(),
        /// Its first network address.
        mac_address: Option<String> = text("MAC address", 50).section("Device").code().personal(Personal::Device).synced().listed(),
        /// Its protection.
        antivirus_product: Option<String> = text("Antivirus", 100).section("Device").synced().listed(),
        description: Option<String> = long("Description", 10_000).section("Device").personal(Personal::Device).synced(),
        /// Who may administer it.
        enabled_administrators: Option<String> = long("Administrators", 10_000).personal(Personal::Private).internal().synced(),
        /// Two decimals, as text.
        backup_usage_tb: Option<String> = text("Backup", 50).format(Format::Terabytes).synced(),
        /// The same in bytes.
        backup_data_bytes: i64 = int("Backup size in bytes").format(Format::Bytes).told().synced().listed(),
        /// The RMM's site.
        rmm_site_name: Option<String> = text("Site", 150).also(&["datto_site_name"]).synced().listed(),
        /// Where to take it over.
        web_remote_url: Option<String> = url("Connect link", 255).in_form("Links").synced(),
        /// Its page at the RMM.
        portal_url: Option<String> = url("RMM portal", 255).in_form("Links").synced(),
        /// The vendor's user-defined fields but for the secrets among them: a JSON object as text.
        udf: Option<String> = told("Custom fields").internal().synced(),
        /// What opens its encrypted disk, sealed.
        bitlocker_key: Option<String> = told("BitLocker key").synced(),
        /// The licence key of its Windows, sealed.
        windows_key: Option<String> = told("Windows key").synced(),
    }
    secrets: "bitlocker_key", "windows_key";
}

impl Asset {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let about = [
            &self.manufacturer,
            &self.model,
            &self.hardware_type,
            &self.device_type,
            &self.operating_system,
            &self.domain,
            &self.rmm_site_name,
        ];
        let key = SearchText::new()
            .words([&self.hostname])
            .ids([&self.serial_number, &self.asset_tag].into_iter().flatten())
            .words(about.into_iter().flatten());
        vec![
            ("hostname_folded", fold(&self.hostname).into()),
            ("serial_folded", self.serial_number.as_deref().map(fold).into()),
            ("search_text", key.finish().into()),
        ]
    }

    /// What it is found by by those who may see it: addresses, who uses it, what is written about it.
    fn traces(&self, c: &mut Conn) -> Result<String> {
        Ok(super::traces_store::key(c, self.id)?.ids(&self.mac_address).words(&self.description).finish())
    }
}

/// The normalised type of a vendor's category (contract §5.10).
#[must_use]
pub fn type_of_category(category: &str) -> &'static str {
    match fold(category).as_str() {
        "workstation" | "desktop" => "workstation",
        "laptop" | "notebook" => "laptop",
        "server" | "esxi host" => "server",
        "virtual machine" => "virtual_machine",
        "network device" | "router" | "switch" | "firewall" => "network_device",
        "mobile device" | "mobile" | "smartphone" | "tablet" => "mobile",
        "printer" => "printer",
        _ => "other",
    }
}

/// Terabytes in the vendor's words as bytes (contract §1.1.6); 0 for what is no number.
#[must_use]
pub fn backup_bytes(terabytes: &str) -> i64 {
    const TERABYTE: f64 = 1_099_511_627_776.0;
    let number = terabytes.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "the contract cuts fractions off, and `as` stays within bounds")]
    number.map_or(0, |number| (number * TERABYTE) as i64)
}

crate::facet! {
    /// What a vendor saw last; moves without history.
    pub struct Observation: "seen", "asset_observations", "asset_id" {
        /// Whether it answered.
        online: Option<bool> = flag("Online").listed(),
        /// When it was last seen.
        last_seen: Option<String> = moment("Last seen", 50).listed(),
        /// When it last started.
        last_reboot: Option<String> = moment("Last reboot", 50).listed(),
        /// When it was last audited.
        last_audit_date: Option<String> = moment("Last audit", 50),
        /// Who used it last.
        last_logged_in_user: Option<String> = text("Last user", 150).personal(Personal::Name).listed(),
        /// Its address outside.
        ext_ip_address: Option<String> = text("WAN IP", 50).code().personal(Personal::Device).listed(),
        /// Its address inside.
        int_ip_address: Option<String> = text("LAN IP", 50).code().personal(Personal::Device).listed(),
        /// The RMM's word for its updates.
        patch_status: Option<String> = text("Patches", 50).listed(),
        /// The vendor that saw it.
        source: Option<String> = told("Vendor").internal(),
        /// When that was.
        observed_at: Option<String> = told("Looked at").internal(),
    }
}

/// What tells of people in an asset and in what is seen of it.
pub const PERSONAL: &[(&str, Personal)] = crate::personal_fields![Asset, Observation];

/// An asset as it is told: the row, what was seen of it, and whose it is.
#[derive(Clone, Debug)]
pub struct AssetView {
    /// The row; its `status` is `retired` once it is.
    pub row: Asset,
    /// What was seen of it.
    pub seen: Observation,
    /// Whose it is.
    pub owner: Owner,
    /// The RMM's id of it.
    pub external_id: Option<String>,
    /// `active`, `quiet`, `stale` or `archived`; none when the RMM does not watch it.
    pub life: Option<&'static str>,
    /// Since when it is quiet, stale or archived.
    pub life_since: Option<String>,
    /// The system that watches it.
    pub data_source: Option<String>,
}

crate::shaped! { AssetView: Members::first(CONTRACT)
    .record(|view: &AssetView| &view.row)
    .part(|view| &view.seen)
    .member("name", Holds::TEXT, |view| (&view.row.hostname).into())
    .member("company_account_number", Holds::TEXT.or_null(), |view| (&view.owner.account_number).into())
    // Neighbours know companies by their key.
    .member("company_id", Holds::TEXT.or_null(), |view| (&view.owner.account_number).into())
    .member("company_name", Holds::TEXT.or_null(), |view| (&view.owner.name).into())
    .member("external_id", Holds::TEXT.or_null(), |view| (&view.external_id).into())
    .member("life", Holds::TEXT.or_null(), |view| view.life.into())
    .member("life_since", Holds::TEXT.or_null(), |view| (&view.life_since).into())
    .member("company_compliance_level", Holds::TEXT, |view| view.owner.protection.as_str().into())
    .member("protected_as", Holds::TEXT, |view| view.owner.protection.as_str().into())
}

/// The order of contract §1.1.6.
const CONTRACT: &[&str] = &[
    "id",
    "hostname",
    "hardware_type",
    "operating_system",
    "device_type",
    "last_logged_in_user",
    "antivirus_product",
    "ext_ip_address",
    "int_ip_address",
    "domain",
    "online",
    "last_seen",
    "backup_usage_tb",
    "backup_data_bytes",
];

/// Who used a device last is a person of its company, and its addresses lead to them.
impl Protected for AssetView {
    const ENTITY: &'static str = "asset";
    const TELLS: &'static [(&'static str, Personal)] = PERSONAL;
    type Viewer = AssetViewContext;

    fn record(&self) -> i64 {
        self.row.id
    }

    fn level(&self) -> Level {
        self.owner.protection
    }

    fn redacted(mut self, view_context: &AssetViewContext) -> Self {
        let see = |field, text: &str| view_context.policy.reveal(self.owner.protection, field, text);
        redact(&mut self.row, see);
        redact(&mut self.seen, see);
        self.row.description = self.row.description.map(|text| view_context.policy.screen(&text));
        if let Some((life, since)) = staleness::label(&self.owner.basis, self.seen.last_seen.as_deref(), view_context.days) {
            (self.life, self.life_since) = (Some(life), since);
        }
        self
    }
}

/// The company of an asset, as its row names it.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// How strictly its people are protected.
    pub protection: Level,
    /// What the asset's life follows from.
    pub basis: staleness::Basis,
    /// The company's key.
    pub account_number: Option<String>,
    /// The company's name.
    pub name: Option<String>,
}

impl AssetView {
    /// A row, what was seen of it, and whose it is.
    #[must_use]
    pub fn new(mut row: Asset, seen: Observation, owner: Owner, external_id: Option<String>) -> Self {
        if row.retired_at.is_some() {
            "retired".clone_into(&mut row.status);
        }
        let data_source = seen.source.clone().or_else(|| owner.basis.watched.then(|| crate::config::datto::SYSTEM.to_owned()));
        Self { row, seen, owner, external_id, life: None, life_since: None, data_source }
    }
}

/// A contact as an asset mentions it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct AssignedContact {
    /// The contact's row.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// Their e-mail, maybe empty.
    pub email: String,
    /// The strictest level among their companies.
    #[serde(skip)]
    pub protection: Level,
}

impl Protected for AssignedContact {
    const ENTITY: &'static str = "contact";
    const TELLS: &'static [(&'static str, Personal)] = &[("name", Personal::Name), ("email", Personal::Email)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        self.name = policy.reveal(self.protection, Personal::Name, &self.name).unwrap_or_default();
        self.email = policy.reveal(self.protection, Personal::Email, &self.email).unwrap_or_default();
        self
    }
}

/// One asset in full: the object and who uses it (contract §1.2).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AssetDetail {
    /// The object itself.
    #[serde(flatten)]
    pub asset: AssetView,
    /// Who may administer it.
    pub enabled_administrators: Option<String>,
    /// Who uses it.
    pub contacts: Vec<AssignedContact>,
    /// What an audit found inside it.
    #[serde(flatten)]
    pub inside: Inside,
    /// The vendor's user-defined fields that say something, but for the secrets among them; for staff.
    pub user_defined_fields: Vec<CustomField>,
    /// The same under the contract's names, `udf1` to `udf30`; a secret is always null there.
    #[schema(value_type = Udfs)]
    #[serde(flatten)]
    pub udf: Map<String, Json>,
    /// Which secrets are kept of it.
    #[serde(skip)]
    pub secrets: Vec<secrets::Kind>,
}

/// A user-defined field of the vendor's.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct CustomField {
    /// The vendor's name: `udf3`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it says.
    pub value: String,
}

/// How many of the vendor's fields the contract knows.
const UDFS: usize = 30;

/// What [`flat`] makes, as the API description says it.
#[derive(Debug)]
enum Udfs {}

impl utoipa::PartialSchema for Udfs {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
        let names = (1..=UDFS).map(|number| format!("udf{number}"));
        names.fold(ObjectBuilder::new(), |all, name| all.property(&name, text()).required(name)).into()
    }
}

impl utoipa::ToSchema for Udfs {}

/// What the platform calls the vendor's fields, as far as their use is agreed on.
fn udf_label(name: &str) -> String {
    match name.to_lowercase().as_str() {
        "udf1" => "Entra ID tenant".to_owned(),
        "udf3" => "Disk information".to_owned(),
        "udf4" => "Enabled administrators".to_owned(),
        "udf5" => "Windows 11".to_owned(),
        "udf6" => "Backup size (bytes)".to_owned(),
        "udf7" => "Device type".to_owned(),
        other => match other.strip_prefix("udf") {
            Some(number) => format!("Custom field {number}"),
            None => name.to_owned(),
        },
    }
}

impl CustomField {
    /// The fields of a stored row, in the vendor's order.
    #[must_use]
    pub fn of(asset: &Asset) -> Vec<Self> {
        let stored: Map<String, Json> = asset.udf.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let said = stored.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        said.map(|(name, value)| Self { label: udf_label(&name), name, value }).collect()
    }
}

/// The fields under the contract's names.
fn flat(fields: &[CustomField]) -> Map<String, Json> {
    let said = |name: &str| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.clone());
    (1..=UDFS).map(|number| format!("udf{number}")).map(|name| (name.clone(), said(&name).into())).collect()
}

impl AssetDetail {
    /// An asset with who uses it and what an audit found inside.
    #[must_use]
    pub fn new(asset: AssetView, contacts: Vec<AssignedContact>, inside: Inside) -> Self {
        let row = &asset.row;
        Self {
            enabled_administrators: row.enabled_administrators.clone(),
            user_defined_fields: CustomField::of(row),
            udf: Map::new(),
            secrets: secrets::KINDS.into_iter().filter(|kind| row.sealed(*kind).is_some()).collect(),
            contacts,
            inside,
            asset,
        }
    }
}

impl Protected for AssetDetail {
    const ENTITY: &'static str = AssetView::ENTITY;
    const TELLS: &'static [(&'static str, Personal)] = PERSONAL;
    type Viewer = AssetViewContext;

    fn record(&self) -> i64 {
        self.asset.record()
    }

    fn level(&self) -> Level {
        self.asset.level()
    }

    fn redacted(mut self, view_context: &AssetViewContext) -> Self {
        let policy = &view_context.policy;
        let protection = self.asset.level();
        let named = self.contacts.iter().filter(|contact| contact.level() > Level::Standard && contact.is_disclosed_to(policy));
        policy.log_disclosure(AssignedContact::ENTITY, named.map(|contact| contact.id));
        self.contacts = self.contacts.into_iter().map(|contact| contact.redacted(policy)).collect();
        // The order of names tells what they begin with.
        self.contacts.sort_by_key(|contact| if policy.shows(contact.protection, Personal::Name) { 0 } else { contact.id });
        self.inside = self.inside.redacted(protection, policy);
        if !view_context.staff {
            self.user_defined_fields.clear();
        }
        self.user_defined_fields.retain(|field| policy.reveal(protection, Personal::Private, &field.value).is_some());
        self.udf = flat(&self.user_defined_fields);
        self.asset = self.asset.redacted(view_context);
        self.enabled_administrators.clone_from(&self.asset.row.enabled_administrators);
        self
    }
}
