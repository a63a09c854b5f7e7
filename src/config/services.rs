//! The platform's list of services, where Helm puts it: `services.json` in the folder of the service.

use std::{fs, path::Path};

use serde_json::Value;

use super::read::web_address;

/// The address of a service, from the first of these folders that has a list which names it.
pub fn address(folders: &[&Path], service: &str) -> Option<String> {
    let told = folders.iter().filter_map(|folder| fs::read_to_string(folder.join("services.json")).ok());
    let mut lists = told.filter_map(|text| serde_json::from_str::<Value>(&text).ok());
    lists.find_map(|list| web_address(list.get(service)?.get("url")?.as_str()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_a_service_or_does_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(address(&[folder.path()], "helm"), None);
        let list =
            r#"{"core": {"url": "x", "more": 1}, "helm": {"url": "http://localhost:5004/", "path": "../hivematrix-helm"}}"#;
        fs::write(folder.path().join("services.json"), list).unwrap();
        assert_eq!(address(&[Path::new("/nowhere"), folder.path()], "helm").as_deref(), Some("http://localhost:5004"));
        assert_eq!(address(&[folder.path()], "core"), None);
        assert_eq!(address(&[folder.path()], "ledger"), None);
    }
}
