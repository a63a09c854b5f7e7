//! What an asset is: the row, what vendors observe of it, and its wire shapes.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::audit::Inside;
use super::eyes::Eyes;
use super::{life, secrets};
use crate::compliance::{Lens, Level, Personal, Protected};
use crate::db::{Conn, Value};
use crate::error::Result;
use crate::types::{SearchText, fold};

/// The normalised types (contract §1.2, §5.10).
pub const TYPES: &[&str] =
    &["workstation", "laptop", "server", "network_device", "mobile", "virtual_machine", "printer", "other"];
/// Whether an asset is in use.
pub const STATUSES: &[&str] = &["active", "spare", "repair", "disposed"];

crate::entity! {
    /// A device or any other thing that somebody uses.
    pub struct Asset: "asset", "Asset", "assets", private = traces {
        /// Its name; never null.
        hostname: String = text("Host name", 150).also(&["name"]).required().synced().folded("asset.hostname_folded"),
        /// Whose it is; none until a person decides.
        company_id: Option<i64> = int("Company").told().synced(),
        /// One of [`TYPES`].
        kind: String = choice("Type", TYPES).named("type").synced().listed(),
        /// One of [`STATUSES`].
        status: String = choice("Status", STATUSES).listed(),
        /// The maker's.
        serial_number: Option<String> = text("Serial number", 150).synced().folded("asset.serial_folded"),
        /// The provider's own label.
        asset_tag: Option<String> = text("Asset tag", 100).synced().listed(),
        /// The maker.
        manufacturer: Option<String> = text("Maker", 150).synced().listed(),
        /// The maker's name for it.
        model: Option<String> = text("Model", 150).synced().listed(),
        /// `YYYY-MM-DD`.
        warranty_expires: Option<String> = day("Warranty ends").synced().listed(),
        /// The vendor's category ("Desktop", "ESXI Host").
        hardware_type: Option<String> = text("Category", 100).synced().listed(),
        /// Free text.
        device_type: Option<String> = text("Device type", 50).synced().listed(),
        /// Its operating system, in words.
        operating_system: Option<String> = text("System", 100).synced().listed(),
        /// Its build.
        os_version: Option<String> = text("Build", 100).synced().listed(),
        /// Free text.
        description: Option<String> = long("Description", 10_000).synced(),
        /// The directory it has joined.
        domain: Option<String> = text("Domain", 100).synced().listed(),
        /// Its first network address.
        mac_address: Option<String> = text("MAC address", 50).synced().listed(),
        /// Its protection.
        antivirus_product: Option<String> = text("Antivirus", 100).synced().listed(),
        /// Who may administer it.
        enabled_administrators: Option<String> = long("Administrators", 10_000).synced(),
        /// Two decimals, as text.
        backup_usage_tb: Option<String> = text("Backup", 50).synced(),
        /// The same in bytes.
        backup_data_bytes: i64 = int("Backup size in bytes").told().synced().listed(),
        /// The RMM's site.
        rmm_site_name: Option<String> = text("Site", 150).also(&["datto_site_name"]).synced().listed(),
        /// Its page at the RMM.
        portal_url: Option<String> = url("RMM portal", 255).synced(),
        /// Where to take it over.
        web_remote_url: Option<String> = url("Remote session", 255).synced(),
        /// The vendor's user-defined fields but for the secrets among them: a JSON object as text.
        udf: Option<String> = told("Custom fields").synced(),
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

/// What a vendor saw last; moves without history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Whether it answered.
    pub online: Option<bool>,
    /// When it was last seen.
    pub last_seen: Option<String>,
    /// When it last started.
    pub last_reboot: Option<String>,
    /// When it was last audited.
    pub last_audit_date: Option<String>,
    /// Who used it last.
    pub last_logged_in_user: Option<String>,
    /// Its address outside.
    pub ext_ip_address: Option<String>,
    /// Its address inside.
    pub int_ip_address: Option<String>,
    /// The RMM's word for its updates.
    pub patch_status: Option<String>,
    /// The vendor that saw it.
    pub source: Option<String>,
    /// When that was.
    pub observed_at: Option<String>,
}

/// The asset object of contract §1.1.6 with its recommended superset.
#[derive(Clone, Debug, Serialize)]
pub struct AssetView {
    /// Stable for ever: Ledger's overrides refer to it.
    pub id: i64,
    /// Never null.
    pub hostname: String,
    /// The vendor's category.
    pub hardware_type: Option<String>,
    /// In words.
    pub operating_system: Option<String>,
    /// Free text.
    pub device_type: Option<String>,
    /// Who used it last.
    pub last_logged_in_user: Option<String>,
    /// Its protection.
    pub antivirus_product: Option<String>,
    /// Outside.
    pub ext_ip_address: Option<String>,
    /// Inside.
    pub int_ip_address: Option<String>,
    /// The directory it has joined.
    pub domain: Option<String>,
    /// Whether it answered.
    pub online: Option<bool>,
    /// When it was last seen.
    pub last_seen: Option<String>,
    /// Two decimals, as text.
    pub backup_usage_tb: Option<String>,
    /// The same in bytes; 0 when unknown.
    pub backup_data_bytes: i64,
    /// The same as `hostname`.
    pub name: String,
    /// Normalised.
    pub r#type: String,
    /// `active`, `spare`, `repair` or `disposed`.
    pub status: String,
    /// The maker's.
    pub serial_number: Option<String>,
    /// The provider's own label.
    pub asset_tag: Option<String>,
    /// The maker.
    pub manufacturer: Option<String>,
    /// The maker's name for it.
    pub model: Option<String>,
    /// `YYYY-MM-DD`.
    pub warranty_expires: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The RMM's word for its updates.
    pub patch_status: Option<String>,
    /// When it last started.
    pub last_reboot: Option<String>,
    /// When it was last audited.
    pub last_audit_date: Option<String>,
    /// Its company's key.
    pub company_account_number: Option<String>,
    /// The same: neighbours know companies by their key.
    pub company_id: Option<String>,
    /// Its company's name.
    pub company_name: Option<String>,
    /// The RMM's id of it.
    pub external_id: Option<String>,
    /// Its first network address.
    pub mac_address: Option<String>,
    /// Its build.
    pub os_version: Option<String>,
    /// The RMM's site.
    pub rmm_site_name: Option<String>,
    /// Its page at the RMM.
    pub portal_url: Option<String>,
    /// Where to take it over.
    pub web_remote_url: Option<String>,
    /// Since when.
    pub created_at: String,
    /// Last change.
    pub updated_at: String,
    /// When it was retired.
    pub retired_at: Option<String>,
    /// `active`, `quiet`, `stale` or `archived`; null when the RMM does not watch it.
    pub life: Option<&'static str>,
    /// Since when it is quiet, stale or archived.
    pub life_since: Option<String>,
    /// What `If-Match` compares.
    pub rev: i64,
    /// How strictly its people's data is protected: the strictest level of its companies, present and past.
    pub company_compliance_level: &'static str,
    /// The same, under the name by which an administrator lowers it.
    pub protected_as: &'static str,
    /// The system that watches it.
    #[serde(skip)]
    pub data_source: Option<String>,
    /// When that was last looked at.
    #[serde(skip)]
    pub observed_at: Option<String>,
    /// How strictly its company's people are protected.
    #[serde(skip)]
    pub protection: Level,
    /// What its life follows from.
    #[serde(skip)]
    pub basis: life::Basis,
}

/// Who used a device last is a person of its company, and its addresses lead to them.
impl Protected for AssetView {
    const ENTITY: &'static str = "asset";
    const TELLS: &'static [Personal] = &[Personal::Name, Personal::Device];
    type Eyes = Eyes;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, eyes: &Eyes) -> Self {
        let see = |field, place: &mut Option<String>| *place = eyes.lens.see_option(self.protection, field, place.take());
        see(Personal::Name, &mut self.last_logged_in_user);
        for place in [&mut self.ext_ip_address, &mut self.int_ip_address, &mut self.mac_address, &mut self.description] {
            see(Personal::Device, place);
        }
        if let Some((life, since)) = life::label(&self.basis, self.last_seen.as_deref(), eyes.days) {
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
    pub basis: life::Basis,
    /// The company's key.
    pub account_number: Option<String>,
    /// The company's name.
    pub name: Option<String>,
}

impl AssetView {
    /// The wire shape of a row, what was seen of it, and whose it is.
    #[must_use]
    pub fn new(asset: Asset, seen: Observation, owner: Owner, external_id: Option<String>) -> Self {
        Self {
            id: asset.id,
            name: asset.hostname.clone(),
            hostname: asset.hostname,
            hardware_type: asset.hardware_type,
            operating_system: asset.operating_system,
            device_type: asset.device_type,
            last_logged_in_user: seen.last_logged_in_user,
            antivirus_product: asset.antivirus_product,
            ext_ip_address: seen.ext_ip_address,
            int_ip_address: seen.int_ip_address,
            domain: asset.domain,
            online: seen.online,
            last_seen: seen.last_seen,
            backup_usage_tb: asset.backup_usage_tb,
            backup_data_bytes: asset.backup_data_bytes,
            r#type: asset.kind,
            status: if asset.retired_at.is_some() { "retired".to_owned() } else { asset.status },
            serial_number: asset.serial_number,
            asset_tag: asset.asset_tag,
            manufacturer: asset.manufacturer,
            model: asset.model,
            warranty_expires: asset.warranty_expires,
            description: asset.description,
            patch_status: seen.patch_status,
            last_reboot: seen.last_reboot,
            last_audit_date: seen.last_audit_date,
            company_id: owner.account_number.clone(),
            company_account_number: owner.account_number,
            company_name: owner.name,
            external_id,
            mac_address: asset.mac_address,
            os_version: asset.os_version,
            rmm_site_name: asset.rmm_site_name,
            portal_url: asset.portal_url,
            web_remote_url: asset.web_remote_url,
            created_at: asset.created_at,
            updated_at: asset.updated_at,
            retired_at: asset.retired_at,
            life: None,
            life_since: None,
            rev: asset.rev,
            company_compliance_level: owner.protection.as_str(),
            protected_as: owner.protection.as_str(),
            data_source: seen.source.or_else(|| owner.basis.watched.then(|| "datto".to_owned())),
            observed_at: seen.observed_at,
            protection: owner.protection,
            basis: owner.basis,
        }
    }
}

/// A contact as an asset mentions it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
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
    const TELLS: &'static [Personal] = &[Personal::Name, Personal::Email];
    type Eyes = Lens;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, lens: &Lens) -> Self {
        self.name = lens.see(self.protection, Personal::Name, &self.name).unwrap_or_default();
        self.email = lens.see(self.protection, Personal::Email, &self.email).unwrap_or_default();
        self
    }
}

/// One asset in full: the object and who uses it (contract §1.2).
#[derive(Clone, Debug, Serialize)]
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
    pub custom_fields: Vec<CustomField>,
    /// The same under the contract's names, `udf1` to `udf30`; a secret is always null there.
    #[serde(flatten)]
    pub udf: Map<String, Json>,
    /// Which secrets are kept of it.
    #[serde(skip)]
    pub secrets: Vec<secrets::Kind>,
}

/// A user-defined field of the vendor's.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
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

impl Protected for AssetDetail {
    const ENTITY: &'static str = AssetView::ENTITY;
    const TELLS: &'static [Personal] = &[Personal::Name, Personal::Device, Personal::Private];
    type Eyes = Eyes;

    fn record(&self) -> i64 {
        self.asset.id
    }

    fn level(&self) -> Level {
        self.asset.protection
    }

    fn redacted(mut self, eyes: &Eyes) -> Self {
        let lens = &eyes.lens;
        let protection = self.asset.protection;
        self.enabled_administrators = lens.see_option(protection, Personal::Private, self.enabled_administrators);
        let named = self.contacts.iter().filter(|contact| contact.level() > Level::Standard && contact.is_disclosed_to(lens));
        lens.disclose(AssignedContact::ENTITY, named.map(|contact| contact.id));
        self.contacts = self.contacts.into_iter().map(|contact| contact.redacted(lens)).collect();
        // The order of names tells what they begin with.
        self.contacts.sort_by_key(|contact| if lens.shows(contact.protection, Personal::Name) { 0 } else { contact.id });
        self.inside = self.inside.redacted(protection, lens);
        if !eyes.staff {
            self.custom_fields.clear();
        }
        self.custom_fields.retain(|field| lens.see(protection, Personal::Private, &field.value).is_some());
        self.udf = flat(&self.custom_fields);
        self.asset = self.asset.redacted(eyes);
        self
    }
}
