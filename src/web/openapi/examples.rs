//! Examples in the API description, of what stands in paths and bodies and of what is answered: made from the schemas themselves,
//! so that none shows a member that is not there.

use serde_json::{Map, Value, json};

use crate::db::list::beside;

/// How deep objects are shown within one another.
const DEEPEST: usize = 6;
/// How many members the example of a body has beside those that must be there.
const MORE: usize = 3;
/// Members that are there only when something is odd, or only tried.
const SELDOM: [&str; 2] = ["warnings", "dry_run"];
/// Members of bodies that are of use only beside others, or once somebody has added what they name.
const SPECIAL: [&str; 4] = [beside::OWN, beside::CUSTOM, "tags", "choices"];
/// A member of bodies that people who sign in here must send.
const PROOF: &str = "current_password";

/// What members of these names hold in examples, as far as their schemas let them: one small world.
const KNOWN: &[(&str, &str)] = &[
    ("a_id", "42"),
    ("a_port", "1"),
    ("account_number", "100001"),
    ("acct", "100001"),
    ("action", "update"),
    ("actor", "tess"),
    ("actor_kind", "user"),
    ("address", "12 Harbour Street, Springfield"),
    ("agent_name", "Riley Stone"),
    ("antivirus_product", "Defender"),
    ("asset_name", "ACME-LT-014"),
    ("assigned_to", "tess"),
    ("author", "tess"),
    ("b_id", "43"),
    ("b_port", "24"),
    ("billing_plan", "Gold"),
    ("body", "It prints again."),
    ("cadence", "0 2 * * *"),
    ("calling_service", "ledger"),
    ("cidr", "10.20.0.0/24"),
    ("client_secret", "k3Jx0yQ2m8Zt"),
    ("code", "123456"),
    ("color", "#1d4ed8"),
    ("companies", "100001"),
    ("company", "100001"),
    ("company_account_number", "100001"),
    ("company_account_numbers", "100001"),
    ("company_compliance_level", "standard"),
    ("company_id", "100001"),
    ("company_main_number", "+1 555 0100"),
    ("company_name", "Acme Dental"),
    ("compliance_level", "standard"),
    ("contract_term_length", "1-Year"),
    ("count", "1"),
    ("current_password", "a long enough passphrase"),
    ("cursor", "4711"),
    ("description", "Front desk"),
    ("device_type", "Laptop"),
    ("digest_at", "07:30"),
    ("display_name", "Security operations"),
    ("domain", "acme.example"),
    ("domains", "acme.example"),
    ("email", "jane@acme.example"),
    ("email_system", "Microsoft 365"),
    ("entity", "asset"),
    ("error", "Company not found"),
    ("ext_ip_address", "203.0.113.14"),
    ("feature_category", "soc"),
    ("feature_type", "soc"),
    ("field", "name"),
    ("first_name", "Jane"),
    ("from", "2025-10"),
    ("from_email", "jane@acme.example"),
    ("full_name", "Jane Cooper"),
    ("gateway", "10.20.0.1"),
    ("hardware_type", "Laptop"),
    ("help", "Where it stands"),
    ("hostname", "ACME-LT-014"),
    ("int_ip_address", "10.20.0.14"),
    ("ip_address", "10.20.0.14"),
    ("job", "freshservice"),
    ("job_id", "0b7c7e0a-3c55-4a5e-9d0a-2f6a1c9e8d41"),
    ("job_title", "Practice manager"),
    ("key", "rack"),
    ("kind", "companies"),
    ("label", "Rack"),
    ("last_logged_in_user", "ACME\\jane"),
    ("last_name", "Cooper"),
    ("limit", "50"),
    ("list", "assets"),
    ("mac_address", "00:1A:2B:3C:4D:5E"),
    ("main_number", "+1 555 0100"),
    ("manufacturer", "Lenovo"),
    ("message", "Done"),
    ("mobile_phone_number", "+1 555 0100"),
    ("model", "ThinkPad T14"),
    ("month", "2025-11"),
    ("new_password", "another long passphrase"),
    ("note", "On the second floor"),
    ("notes", "On the second floor"),
    ("number", "20"),
    ("offset", "0"),
    ("operating_system", "Windows 11 Pro"),
    ("option_value", "Managed SOC"),
    ("password", "a long enough passphrase"),
    ("patch_status", "Up to Date"),
    ("per_user_cost", "55.5"),
    ("permission_level", "technician"),
    ("phone", "+1 555 0100"),
    ("phone_number", "+1 555 0100"),
    ("plan", "Gold"),
    ("plan_name", "Gold"),
    ("plan_selected", "Gold"),
    ("priority", "medium"),
    ("priority_text", "Medium"),
    ("product", "Microsoft 365 Business Premium"),
    ("purpose", "Telephones"),
    ("query", "type=server"),
    ("reason", "Said by the client"),
    ("requester_email", "jane@acme.example"),
    ("requester_name", "Jane Cooper"),
    ("rev", "1"),
    ("role", "technician"),
    ("script", "freshservice"),
    ("seats", "25"),
    ("seq", "4711"),
    ("serial_number", "PF3ABCDE"),
    ("service", "codex"),
    ("sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    ("source", "freshservice"),
    ("state", "in"),
    ("status", "open"),
    ("status_text", "Open"),
    ("subject", "The printer prints nothing"),
    ("support_level", "Billed Hourly"),
    ("system", "freshservice"),
    ("tags", "VIP"),
    ("target_service", "codex"),
    ("term", "1-Year"),
    ("term_length", "1-Year"),
    ("text", "It prints again."),
    ("ticket_number", "4711"),
    ("time_zone", "America/New_York"),
    ("title", "Practice manager"),
    ("to", "2025-11"),
    ("token", "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"),
    ("total", "1"),
    ("url", "https://hooks.example.com/codex"),
    ("username", "tess"),
    ("vendor", "Microsoft"),
    ("vlan", "20"),
    ("work_phone_number", "+1 555 0101"),
];

/// What records of a kind are called: by a word in the name of their schema, or in their path.
const CALLED: [(&str, &str); 8] = [
    ("compan", "Acme Dental"),
    ("contact", "Jane Cooper"),
    ("agent", "Riley Stone"),
    ("user", "Jane Cooper"),
    ("asset", "ACME-LT-014"),
    ("device", "ACME-LT-014"),
    ("equipment", "Core switch"),
    ("plan", "Gold"),
];

/// Gives every operation its examples.
pub fn give(document: &mut Value) {
    let mut shown = Map::new();
    let mut paths = document["paths"].take();
    let whole: &Value = document;
    let methods =
        paths.as_object_mut().into_iter().flatten().filter_map(|(path, methods)| Some((path, methods.as_object_mut()?)));
    for (path, operation) in methods.flat_map(|(path, methods)| methods.values_mut().map(move |operation| (path, operation))) {
        let maker = |is_body| Maker { document: whole, is_body };
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if parameter["required"] == true {
                let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                parameter["example"] = maker(true).value(&name, path, &parameter["schema"], 0);
            }
        }
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let bodies = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        for (_, content) in bodies.into_iter().flatten().filter(|(media, _)| media.ends_with("json")) {
            show(&mut shown, content, &format!("{id}_body"), &maker(true));
        }
        let answers = operation["responses"].as_object_mut().into_iter().flatten();
        for (_, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
            if let Some(content) = answer.pointer_mut("/content/application~1json") {
                show(&mut shown, content, &id, &maker(false));
            }
        }
    }
    shown.sort_keys();
    document["paths"] = paths;
    document["components"]["examples"] = Value::Object(shown);
}

/// Lets a content refer to its example, which stands in the document once for all that have the same schema.
fn show(shown: &mut Map<String, Value>, content: &mut Value, own_name: &str, maker: &Maker<'_>) {
    let value = maker.value("", "", &content["schema"], 0);
    let schema = content["schema"]["$ref"].as_str().and_then(named);
    let is_free = |name: &&str| shown.get(*name).is_none_or(|known| known["value"] == value);
    let name = schema.filter(is_free).unwrap_or(own_name).to_owned();
    content["examples"] = json!({"usual": {"$ref": format!("#/components/examples/{name}")}});
    shown.insert(name, json!({"value": value}));
}

/// What a reference names.
fn named(reference: &str) -> Option<&str> {
    reference.rsplit('/').next()
}

/// Makes examples of schemas.
struct Maker<'a> {
    document: &'a Value,
    /// Whether for a body: then some of what may be sent is shown, else all that is answered.
    is_body: bool,
}

impl Maker<'_> {
    /// A value of this schema, in a member of this name, within what is called `context`.
    fn value(&self, name: &str, context: &str, schema: &Value, depth: usize) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let whole = self.document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            return self.value(name, named(reference).unwrap_or(context), whole, depth);
        }
        if let Some(shown) = schema["examples"].as_array().and_then(|all| all.first()) {
            return shown.clone();
        }
        if let Some(words) = schema["enum"].as_array() {
            let known = known(name).map(Value::from).filter(|word| words.contains(word));
            return known.or_else(|| words.first().cloned()).unwrap_or_default();
        }
        let has_parts = schema.get("allOf").is_some();
        if let Some(one) = either(schema).filter(|_| !has_parts && schema.get("properties").is_none()) {
            return self.value(name, context, one, depth);
        }
        let kinds = kinds(schema);
        match kinds.first().copied() {
            Some("array") => {
                let one = || self.value(name, context, &schema["items"], depth + 1);
                if depth >= DEEPEST { json!([]) } else { Value::Array(vec![one()]) }
            }
            Some("string") => text(name, context, schema),
            Some("integer") => whole(name, schema).into(),
            Some("number") => known(name).and_then(|text| text.parse::<f64>().ok()).map_or(json!(1.5), Value::from),
            Some("boolean") => (!name.starts_with("is_")).into(),
            Some("null") => Value::Null,
            None if !has_parts && schema.get("properties").is_none() => text(name, context, schema),
            _ => self.object(name, context, schema, depth),
        }
    }

    fn object(&self, name: &str, context: &str, schema: &Value, depth: usize) -> Value {
        let mut made = Map::new();
        self.fill(&mut made, context, schema, depth);
        let each = &schema["additionalProperties"];
        if made.is_empty() && each.is_object() && depth < DEEPEST {
            let key = if matches!(name, beside::OWN | beside::CUSTOM) { "rack" } else { "soc" };
            made.insert(key.to_owned(), self.value(key, context, each, depth + 1));
        }
        Value::Object(made)
    }

    /// Adds the members of an object, and of those of which it is made.
    fn fill(&self, made: &mut Map<String, Value>, context: &str, schema: &Value, depth: usize) {
        if let Some(reference) = schema["$ref"].as_str() {
            let whole = self.document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            return self.fill(made, named(reference).unwrap_or(context), whole, depth);
        }
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let parts = schema["allOf"].as_array().into_iter().flatten();
        // Of which members one at least must be there.
        let groups: Vec<&str> =
            parts.clone().filter_map(|part| part.pointer("/anyOf/0/required/0").and_then(Value::as_str)).collect();
        let members: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
        let mut more = if depth > 0 || !self.is_body { usize::MAX } else { MORE };
        let mut before = &Value::Null;
        for (name, member) in members {
            let is_needed = required.contains(&name.as_str()) || groups.contains(&name.as_str()) || name == PROOF;
            // The same field under another of its names stands behind it.
            let is_other_name = self.is_body && !before.is_null() && member["description"] == *before;
            before = &member["description"];
            // A company is told by its number, other records by ids that nobody can guess.
            let refers = member.get("x-refers-to").is_some() && !kinds(member).contains(&"string");
            let is_left_out =
                SELDOM.contains(&name.as_str()) || is_other_name || self.is_body && (refers || SPECIAL.contains(&name.as_str()));
            if is_needed || !is_left_out && more > 0 && depth < DEEPEST {
                more = more.saturating_sub(usize::from(!is_needed));
                made.insert(name.clone(), self.value(name, context, member, depth + 1));
            }
        }
        for part in parts {
            self.fill(made, context, part, depth);
            // What the first way of several makes of members that are there.
            for (name, rule) in part.pointer("/anyOf/0/properties").and_then(Value::as_object).into_iter().flatten() {
                if rule.get("enum").is_some()
                    && let Some(value) = made.get_mut(name)
                {
                    *value = self.value(name, context, rule, depth + 1);
                }
            }
        }
    }
}

/// The first of several schemas of which one must fit.
fn either(schema: &Value) -> Option<&Value> {
    ["anyOf", "oneOf"].iter().find_map(|way| schema[*way].as_array()?.first())
}

/// What a value may be, null last.
fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(several) => {
            let mut kinds: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            kinds.sort_by_key(|kind| (*kind == "null", *kind == "integer"));
            kinds
        }
        _ => Vec::new(),
    }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn whole(name: &str, schema: &Value) -> i64 {
    let value = known(name).and_then(|text| text.parse().ok()).unwrap_or(if name.ends_with("id") { 42 } else { 1 });
    let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    value.clamp(least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))
}

fn text(name: &str, context: &str, schema: &Value) -> Value {
    let by_format = match schema["format"].as_str().unwrap_or_default() {
        "date" => Some("2026-11-30"),
        "uri" => Some("https://acme.example/portal"),
        "email" => Some("jane@acme.example"),
        "ipv4" => Some("10.20.0.14"),
        "ipv6" => Some("2001:db8:7::14"),
        _ => None,
    };
    let by_end = || match name.rsplit_once('_').map(|(_, end)| end) {
        Some("at" | "seen" | "by") if !name.ends_with("ed_by") => Some("2026-11-30T09:15:00Z"),
        Some("by") => Some("tess"),
        Some("on" | "date" | "expires") => Some("2026-11-30"),
        Some("url") => Some("https://acme.example/portal"),
        _ => None,
    };
    let called = || {
        let context = context.to_lowercase();
        let kind = CALLED.iter().find(|(kind, _)| context.contains(kind)).map(|(_, called)| *called);
        kind.filter(|_| name == "name")
    };
    let by_pattern = || match schema["pattern"].as_str()? {
        "^device-[0-9]{1,18}$" => Some("device-42"),
        _ => None,
    };
    let told = by_pattern().or_else(|| known(name)).or(by_format).or_else(called).or_else(by_end).unwrap_or("Example");
    let most = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    Value::String(told.chars().take(most).collect())
}
