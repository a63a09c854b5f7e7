//! How changes read on pages: names of things, days, moments and sizes as elsewhere, nothing as it is stored.

use serde_json::json;

use crate::support::{Api, App, Engine, both};

/// The history card of a page, without markup.
async fn timeline(api: &Api, path: &str) -> String {
    let page = api.get_with(path, "accept", "text/html").await.status(200).text();
    let card = page.split("<ol class=\"timeline\">").nth(1).expect("a timeline").split("</ol>").next().unwrap();
    let mut words = String::new();
    let mut inside = false;
    for letter in card.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => words.push(letter),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

both! {
    async fn history_names_things_and_uses_peoples_units(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("512000", "Juniper Architects").await;
        let tess = app.technician();
        let ava = app.contact("Ava Patel", "ava@example.com", &[]).await;
        let (contact, asset) = (format!("/contacts/{}", ava["id"]), app.asset("LT-12", "512000").await);
        let place = json!({"companies": [{"account_number": "512000", "role": "billing", "is_primary": true}]});
        tess.put(&format!("/api{contact}"), &place).await.status(200);
        tess.put(&format!("/assets/{}/update-contacts", asset["id"]), &json!({"contact_ids": [ava["id"]]})).await.status(200);
        tess.put(&format!("/assets/{}/update-contacts", asset["id"]), &json!({"contact_ids": []})).await.status(200);
        tess.put(&format!("/api{contact}"), &json!({"companies": []})).await.status(200);
        let told = timeline(&tess, &contact).await;
        for words in ["added to Juniper Architects", "Role Billing", "assigned to LT-12", "unassigned from LT-12", "removed from Juniper Architects"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(!told.contains("512000") && !told.contains("yes →"), "{told}");

        let changes = json!({"warranty_expires": "2027-03-01", "backup_usage_tb": "2", "type": "network_device"});
        tess.put(&format!("/api/assets/{}", asset["id"]), &changes).await.status(200);
        tess.delete(&format!("/api/assets/{}", asset["id"])).await.status(200);
        let told = timeline(&tess, &format!("/assets/{}", asset["id"])).await;
        for words in ["1 Mar 2027", "2048 GB", "Network device", "UTC"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let raw = told.split_whitespace().find(|word| word.contains('T') && word.ends_with('Z') && word.contains('-'));
        assert_eq!(raw, None, "a moment as it is stored: {told}");
    }
}
