//! The platform's list of services, `services.json`: who is where.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::read::web_address;

/// The address of a service, from the first of these lists that names it.
pub fn address(lists: &[PathBuf], service: &str) -> Option<String> {
    let told = lists.iter().filter_map(|list| fs::read_to_string(list).ok());
    let mut lists = told.filter_map(|text| serde_json::from_str::<Value>(&text).ok());
    lists.find_map(|list| web_address(list.get(service)?.get("url")?.as_str()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_a_service_or_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        let lists = [PathBuf::from("/nowhere/services.json"), file.clone()];
        assert_eq!(address(&lists, "helm"), None);
        let list =
            r#"{"core": {"url": "x", "more": 1}, "helm": {"url": "http://localhost:5004/", "path": "../hivematrix-helm"}}"#;
        fs::write(file, list).unwrap();
        assert_eq!(address(&lists, "helm").as_deref(), Some("http://localhost:5004"));
        assert_eq!(address(&lists, "core"), None);
        assert_eq!(address(&lists, "ledger"), None);
    }
}
