//! What an asset's fields must be: stated once for JSON, forms and imports.

use super::model::{Asset, Observation, STATUSES, TYPES, backup_bytes, type_of_category};
use crate::compliance::Level;
use crate::error::Result;
use crate::history::protection::LEVELS;
use crate::web::{Fields, Reference, Sent};

/// What was sent for an asset, checked; references are resolved by the store.
#[derive(Debug)]
pub struct AssetInput {
    asset: Asset,
    sent: Vec<&'static str>,
    /// Whose it is.
    pub company: Sent<Reference>,
    /// Replaces the assigned contacts, when sent.
    pub contacts: Sent<Vec<i64>>,
    /// What was seen of it, when the sender watches it: kept without history, as a vendor's sight is.
    pub seen: SeenInput,
    /// How strictly its people's data is to be protected, when a person decides that.
    pub protected_as: Option<Level>,
}

/// What a caller saw of an asset.
#[derive(Debug, Default)]
pub struct SeenInput {
    online: Sent<bool>,
    texts: Vec<(&'static str, Sent<String>)>,
}

/// The observed texts that a caller may send, and their longest lengths.
const SEEN_TEXTS: &[(&str, usize)] = &[
    ("last_seen", 50),
    ("last_reboot", 50),
    ("last_audit_date", 50),
    ("last_logged_in_user", 150),
    ("ext_ip_address", 50),
    ("int_ip_address", 50),
    ("patch_status", 50),
];

impl SeenInput {
    fn read(fields: &mut Fields) -> Self {
        let texts = SEEN_TEXTS.iter().map(|(name, most)| (*name, fields.text(name).max(*most).get())).collect();
        Self { online: fields.bool("online").get(), texts }
    }

    /// Whether any of it was sent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.online.is_sent() || self.texts.iter().any(|(_, text)| text.is_sent())
    }

    /// Puts what was sent over what was seen before.
    pub fn apply(&self, seen: &mut Observation) {
        self.online.clone().store(&mut seen.online);
        for (name, text) in &self.texts {
            let place = match *name {
                "last_seen" => &mut seen.last_seen,
                "last_reboot" => &mut seen.last_reboot,
                "last_audit_date" => &mut seen.last_audit_date,
                "last_logged_in_user" => &mut seen.last_logged_in_user,
                "ext_ip_address" => &mut seen.ext_ip_address,
                "int_ip_address" => &mut seen.int_ip_address,
                _ => &mut seen.patch_status,
            };
            text.clone().store(place);
        }
    }
}

/// Reads the fields of a write.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<AssetInput> {
    fields.set_creating(creating);
    fields.alias("hostname", "name");
    fields.alias("rmm_site_name", "datto_site_name");
    let mut asset = Asset::default();
    let mut sent: Vec<&'static str> = Vec::new();
    macro_rules! take {
        ($($name:ident: $read:expr),+ $(,)?) => {$(
            let value = $read;
            if value.is_sent() { sent.push(stringify!($name)); }
            value.store(&mut asset.$name);
        )+};
    }
    take! {
        serial_number: fields.text("serial_number").max(150).get(),
        asset_tag: fields.text("asset_tag").max(100).get(),
        manufacturer: fields.text("manufacturer").max(150).get(),
        model: fields.text("model").max(150).get(),
        warranty_expires: fields.text("warranty_expires").date().get(),
        hardware_type: fields.text("hardware_type").max(100).get(),
        device_type: fields.text("device_type").max(50).get(),
        operating_system: fields.text("operating_system").max(100).get(),
        os_version: fields.text("os_version").max(100).get(),
        description: fields.text("description").max(10_000).get(),
        domain: fields.text("domain").max(100).get(),
        mac_address: fields.text("mac_address").max(50).get(),
        antivirus_product: fields.text("antivirus_product").max(100).get(),
        enabled_administrators: fields.text("enabled_administrators").max(10_000).get(),
        rmm_site_name: fields.text("rmm_site_name").max(150).get(),
        backup_usage_tb: fields.text("backup_usage_tb").max(50).get(),
        portal_url: fields.text("portal_url").max(255).url().get(),
        web_remote_url: fields.text("web_remote_url").max(255).url().get(),
    }
    if sent.contains(&"backup_usage_tb") {
        asset.backup_data_bytes = asset.backup_usage_tb.as_deref().map_or(0, backup_bytes);
        sent.push("backup_data_bytes");
    }
    let hostname = fields.text("hostname").required().max(150).get();
    if hostname.is_sent() {
        sent.push("hostname");
    }
    hostname.store_value(&mut asset.hostname);
    let kind = fields.text("type").not_null().one_of(TYPES).get();
    if kind.is_sent() {
        sent.push("kind");
    }
    kind.store_value(&mut asset.kind);
    if creating && asset.kind.is_empty() {
        asset.kind = asset.hardware_type.as_deref().map_or("other", type_of_category).to_owned();
        sent.push("kind");
    }
    let status = fields.text("status").not_null().one_of(STATUSES).get();
    if status.is_sent() {
        sent.push("status");
    }
    status.store_value(&mut asset.status);
    let company = if fields.has("company_account_number") || !fields.has("company_id") {
        fields.key("company_account_number").max(50).required().get().map(Reference::Key)
    } else {
        fields.reference("company_id").max(50).required().get()
    };
    let contacts = fields.int_list("contact_ids").max_items(500).get();
    let seen = SeenInput::read(&mut fields);
    let protected_as = fields.text("protected_as").not_null().one_of(LEVELS).value().as_deref().map(Level::parse);
    fields.finish()?;
    Ok(AssetInput { asset, sent, company, contacts, seen, protected_as })
}

impl AssetInput {
    /// Whether this field was sent.
    #[must_use]
    pub fn sends(&self, name: &str) -> bool {
        self.sent.contains(&name) || self.seen.texts.iter().any(|(text, value)| *text == name && value.is_sent())
    }

    /// Puts what was sent into a row.
    pub fn apply(&self, to: &mut Asset) {
        macro_rules! copy {
            ($($name:ident),+ $(,)?) => {
                for name in &self.sent {
                    match *name {
                        $(stringify!($name) => to.$name.clone_from(&self.asset.$name),)+
                        _ => {}
                    }
                }
            };
        }
        copy!(
            hostname,
            kind,
            status,
            serial_number,
            asset_tag,
            manufacturer,
            model,
            warranty_expires,
            hardware_type,
            device_type,
            operating_system,
            os_version,
            description,
            domain,
            mac_address,
            antivirus_product,
            enabled_administrators,
            rmm_site_name,
            backup_usage_tb,
            backup_data_bytes,
            portal_url,
            web_remote_url,
        );
    }
}
