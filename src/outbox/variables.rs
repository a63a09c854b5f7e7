//! A Datto site's variables, and the one among them that holds the account number.

use serde_json::Value;

use super::model::Values;
use crate::vendors::{
    datto::{NAME, client::Datto, same_name},
    fault::{Cause, Fault},
};

/// Pages beyond which a list of variables is not believed to end.
const MOST_PAGES: u32 = 200;
/// What stands for a value that the vendor does not tell.
pub const MASKED: &str = "(masked)";

/// All variables of a site. A list that comes empty is asked for again: a number that is there but was not
/// shown would be written a second time.
pub async fn all(datto: &Datto, site: &str) -> Result<Vec<Value>, Fault> {
    let listed = listed(datto, site).await?;
    if listed.is_empty() { self::listed(datto, site).await } else { Ok(listed) }
}

async fn listed(datto: &Datto, site: &str) -> Result<Vec<Value>, Fault> {
    let mut variables = Vec::new();
    for number in 0..MOST_PAGES {
        let page = datto.site_variables(site, number).await?;
        let (empty, total) = (page.records.is_empty(), page.total);
        variables.extend(page.records);
        if !empty && page.next {
            continue;
        }
        let promised = total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
        if variables.len() < promised {
            let why = format!("the list of variables broke off: {} of {promised}", variables.len());
            return Err(broken(site, why));
        }
        return Ok(variables);
    }
    Err(broken(site, format!("the list of variables has no end: {MOST_PAGES} pages were read")))
}

fn broken(site: &str, why: String) -> Fault {
    Fault { service: NAME, method: "GET", path: format!("/site/{site}/variables"), cause: Cause::Broken(why), attempts: 1 }
}

/// Those that hold an account number, whatever their spelling; the one that is called exactly `name` first.
#[must_use]
pub fn account_numbers(variables: &[Value], name: &str) -> Vec<Value> {
    let mut found: Vec<Value> = variables.iter().filter(|v| same_name(called(v), name)).cloned().collect();
    found.sort_by_key(|variable| called(variable) != name);
    found
}

fn called(variable: &Value) -> &str {
    variable.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// What a variable says; `None` when it is empty, [`MASKED`] when the vendor does not tell.
#[must_use]
pub fn said(variable: &Value) -> Option<String> {
    let text = match variable.get("value") {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let masked = variable.get("masked").and_then(Value::as_bool).unwrap_or_default();
    if masked && text.chars().all(|c| matches!(c, '*' | '•' | 'x' | 'X')) {
        return Some(MASKED.to_owned());
    }
    (!text.is_empty()).then_some(text)
}

/// What they say together: one value, or all the different ones.
#[must_use]
pub fn values(found: &[Value]) -> Values {
    let mut told: Vec<String> = Vec::new();
    for text in found.iter().filter_map(said) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    let value = if told.is_empty() { Value::Null } else { told.join(" and ").into() };
    Values::from_iter([("value".to_owned(), value)])
}

/// Creates the variable, or changes those that say something else.
pub async fn write(datto: &Datto, site: &str, name: &str, value: &str, found: &[Value]) -> Result<(), Fault> {
    if found.is_empty() {
        return datto.set_variable(site, name, value).await;
    }
    for variable in found.iter().filter(|variable| said(variable).as_deref() != Some(value)) {
        let id = match variable.get("id") {
            Some(Value::Number(id)) => id.to_string(),
            Some(Value::String(id)) => id.clone(),
            _ => {
                let cause = Cause::Refused(200, "a variable without an id, which cannot be changed".to_owned());
                return Err(Fault { service: NAME, method: "POST", path: format!("/site/{site}/variable"), cause, attempts: 1 });
            }
        };
        datto.update_variable(site, &id, called(variable), value).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_variables_say_together() {
        let of = |list: &[Value]| values(&account_numbers(list, "AccountNumber")).get("value").cloned().unwrap_or_default();
        let one = |name: &str, value: Value| json!({ "id": 1, "name": name, "value": value, "masked": false });
        assert_eq!(of(&[one("Other", json!("5"))]), Value::Null);
        assert_eq!(of(&[one("AccountNumber", json!(" 204729 "))]), json!("204729"));
        assert_eq!(of(&[one("AccountNumber", json!(204_729)), one("account number", json!("204729"))]), json!("204729"));
        assert_eq!(of(&[one("account number", json!("7")), one("AccountNumber", json!("5"))]), json!("5 and 7"));
        assert_eq!(of(&[one("AccountNumber", json!(""))]), Value::Null);
        assert_eq!(of(&[json!({ "name": "AccountNumber", "value": null, "masked": true })]), json!(MASKED));
        assert_eq!(of(&[json!({ "name": "AccountNumber", "value": "****", "masked": true })]), json!(MASKED));
    }
}
