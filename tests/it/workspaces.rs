//! The page of a record as somebody on the telephone needs it: its tabs, its facts, and what belongs to it.

use serde_json::json;

use crate::freshservice::{State, conversation, department, requester, ticket};
use crate::support::{Api, App, Engine, Pull, both};

const OPEN: i64 = 21_000_100_001;
const AVA: i64 = 21_000_300_001;

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

/// The tabs of a page, by what they say, without their counts.
fn tabs(html: &str) -> Vec<String> {
    let bar = html.split("data-tabs>").nth(1).and_then(|rest| rest.split("</nav>").next()).unwrap_or_default();
    let links = bar.split("<a ").skip(1).filter_map(|link| link.split_once('>'));
    links.map(|(_, words)| words.split(['<', ' ']).next().unwrap_or_default().to_owned()).collect()
}

/// The element with this id, as far as the next one of its kind.
fn part<'a>(html: &'a str, id: &str) -> &'a str {
    html.split(&format!("id=\"{id}\"")).nth(1).and_then(|rest| rest.split("</section>").next()).unwrap_or_default()
}

fn head(html: &str) -> &str {
    html.split("class=\"record-top\"").nth(1).and_then(|rest| rest.split("data-tabs").next()).unwrap_or_default()
}

async fn with_a_device(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    app.company("100001", "Acme Dental").await;
    app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
    app.asset("LT-A00001", "100001").await;
    let ada = app.admin();
    ada.put("/api/companies/100001", &json!({"main_number": "+1 555 010 0199 ext. 7", "address": "1 Main Street"}))
        .await
        .status(200);
    ada.put("/api/contacts/1", &json!({"phone": "+1 555 010 0042", "job_title": "Dentist"})).await.status(200);
    ada.put("/api/assets/1", &json!({"web_remote_url": "https://rmm.example/connect/1", "operating_system": "Windows 11"}))
        .await
        .status(200);
    app
}

both! {
    async fn what_one_needs_stands_in_the_head(engine: Engine) {
        let app = with_a_device(&engine).await;
        let tess = app.technician();
        let company = page(&tess, "/companies/100001").await;
        for told in ["href=\"tel:+15550100199\"", "1 Main Street", "Compliance", "href=\"#contacts\">1 contact<", "href=\"#assets\">1 asset<", ">Edit<"] {
            assert!(head(&company).contains(told), "{told}: {}", head(&company));
        }
        assert_eq!(tabs(&company), ["Overview", "Contacts", "Assets", "Tickets", "Network", "Licences", "Billing", "Notes", "Files", "History"]);
        let contact = page(&tess, "/contacts/1").await;
        for told in ["href=\"tel:+15550100042\"", "mailto:ava@example.com", "Acme Dental", "Dentist"] {
            assert!(head(&contact).contains(told), "{told}: {}", head(&contact));
        }
        assert_eq!(tabs(&contact)[..4], ["Overview", "Devices", "Tickets", "Companies"]);
        let asset = page(&tess, "/assets/1").await;
        for told in ["https://rmm.example/connect/1", "Connect", "Windows 11", "Acme Dental"] {
            assert!(head(&asset).contains(told), "{told}: {}", head(&asset));
        }
        assert_eq!(tabs(&asset).first().map(String::as_str), Some("Overview"));
    }

    async fn fields_without_a_value_are_folded_and_a_card_leads_to_its_part_of_the_form(engine: Engine) {
        let app = with_a_device(&engine).await;
        let html = page(&app.technician(), "/contacts/1").await;
        let card = part(&html, "section-contact-details");
        assert!(card.contains("/contacts/1/edit?section=section-contact-details#section-contact-details"), "{card}");
        let (known, folded) = card.split_once("<details class=\"empty-fields\">").expect("empty fields are folded");
        assert!(known.contains("Work phone") && !known.contains("Mobile"), "{known}");
        assert!(folded.contains("Mobile") && folded.contains("empty field"), "{folded}");
        let form = page(&app.technician(), "/contacts/1/edit").await;
        assert!(part(&form, "section-contact-details").contains("name=\"work_phone_number\""), "{form}");
    }

    async fn tickets_people_and_devices_are_found_from_each_other(engine: Engine) {
        let mut state = State {
            departments: vec![department(OPEN, "Open Books", Some(204_001))],
            requesters: vec![requester(AVA, "Ava", Some("Patel"), Some("ava@open.example"), &[OPEN])],
            ..State::default()
        };
        let now = jiff::Timestamp::now().as_second();
        state.tickets = vec![ticket(1, AVA, Some(OPEN), 2, now - 3600)];
        state.tickets[0]["subject"] = json!("Printer on fire");
        state.conversations.insert(1, vec![conversation(71, 1, "It is on now", false, now)]);
        let pull = Pull::pulled(&engine, state).await;
        pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let ada = pull.app.admin();
        let asset = json!({"hostname": "LT-AVA", "company_account_number": "204001", "web_remote_url": "https://rmm.example/connect/2"});
        let asset = ada.post("/api/assets", &asset).await.status(201).json()["id"].clone();
        let ava = ada.get("/api/contacts").await.ok()[0]["id"].clone();
        ada.put(&format!("/api/assets/{asset}"), &json!({"contact_ids": [ava]})).await.status(200);
        let contact = page(&ada, &format!("/contacts/{ava}")).await;
        assert!(part(&contact, "tickets").contains("Printer on fire"), "{contact}");
        let device = page(&ada, &format!("/assets/{asset}")).await;
        assert!(part(&device, "tickets").contains("Printer on fire"), "{device}");
        let html = page(&ada, "/tickets/1").await;
        assert!(head(&html).contains(&format!("/contacts/{ava}")), "{}", head(&html));
        assert!(part(&html, "devices").contains("LT-AVA") && part(&html, "devices").contains("https://rmm.example/connect/2"), "{html}");
        assert!(part(&html, "conversation").contains("It is on now"), "{html}");
        assert_eq!(tabs(&html).first().map(String::as_str), Some("Conversation"));
    }
}
