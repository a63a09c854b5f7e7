//! Pages as a browser without scripts gets them: lists, records, forms that come back, refusals.

use reqwest::Method;
use serde_json::json;

use crate::support::{Api, App, Engine, Reply, both};

async fn page(api: &Api, path: &str) -> Reply {
    api.get_with(path, "accept", "text/html").await
}

async fn post(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    let body = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
    let dress = |request: reqwest::RequestBuilder| {
        request.header("accept", "text/html").header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    api.send(Method::POST, path, dress).await
}

fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn shows(reply: &Reply, words: &[&str]) {
    let text = reply.text();
    for word in words {
        assert!(text.contains(word), "{} does not show {word}: {text}", reply.asked);
    }
}

both! {
    async fn a_list_page_is_searched_sorted_filtered_and_paged_by_its_address(engine: Engine) {
        let app = App::start_on(&engine).await;
        for (number, name) in [("100001", "Acme Dental"), ("100002", "Bluebird Law"), ("100003", "Zebra & Sons")] {
            app.company(number, name).await;
        }
        let admin = app.admin();
        let all = page(&admin, "/companies/").await.status(200);
        shows(&all, &["Acme Dental", "Bluebird Law", "Zebra &#38; Sons", "1–3 of 3", "aria-sort=\"ascending\"", "format=csv"]);
        let found = page(&admin, "/companies/?q=blue&kind=&col=name").await.status(200);
        assert!(found.text().contains("Bluebird Law") && !found.text().contains("Acme Dental"), "{}", found.text());
        let second = page(&admin, "/companies/?per_page=2&page=2&sort=-name").await.status(200);
        shows(&second, &["Acme Dental", "3–3 of 3", "rel=\"prev\""]);
        assert_eq!(page(&admin, "/companies/?sort=bogus").await.status, 400);
        assert_eq!(page(&admin, "/companies").await.status, 308);
        shows(&page(&admin, "/companies/?q=nobody").await.status(200), &["No companies here", "Clear search and filters"]);
    }
}

both! {
    async fn a_form_that_is_wrong_comes_back_with_what_was_typed_and_the_error_beside_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        let admin = app.admin();
        let typed = [("name", "Über & Söhne"), ("kind", "client"), ("datto_portal_url", "ftp://x"), ("domains", "a.example\nb.example")];
        let back = post(&admin, "/companies/new", &typed).await.status(400);
        shows(&back, &["value=\"Über &#38; Söhne\"", "id=\"datto_portal_url-error\"", "aria-invalid=\"true\"", "a.example\nb.example"]);
        assert_eq!(app.service().get("/api/companies").await.ok().as_array().map(Vec::len), Some(0));
        let fixed: Vec<_> = typed.iter().map(|(name, value)| (*name, if *name == "datto_portal_url" { "" } else { *value })).collect();
        let done = post(&admin, "/companies/new", &fixed).await.status(303);
        let place = done.header("location").to_owned();
        assert!(place.starts_with("/companies/"), "{place}");
        assert!(done.header("set-cookie").starts_with("codex_flash="), "{}", done.header("set-cookie"));
        let company = app.service().get(&format!("/api{place}")).await.ok();
        assert_eq!((&company["name"], &company["domains"]), (&json!("Über & Söhne"), &json!("[\"a.example\",\"b.example\"]")));
        shows(&page(&admin, &place).await.status(200), &["Über &#38; Söhne", "a.example, b.example", "added"]);
    }
}

both! {
    async fn two_people_who_edit_one_record_do_not_overwrite_each_other(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        let admin = app.admin();
        let form = page(&admin, "/companies/100001/edit").await.status(200).text();
        let rev = form.split("name=\"rev\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a revision").to_owned();
        app.service().put("/api/companies/100001", &json!({"description": "meanwhile"})).await.ok();
        let late = post(&admin, "/companies/100001/edit", &[("rev", &rev), ("name", "Mine")]).await.status(409);
        shows(&late, &["Somebody else has changed this record", "value=\"Mine\""]);
        assert_eq!(app.service().get("/api/companies/100001").await.ok()["name"], "Acme Dental");
    }
}

both! {
    async fn retiring_says_what_is_attached_and_restoring_brings_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        let admin = app.admin();
        post(&admin, "/companies/100001/locations/add", &[("name", "Annex"), ("address", "1 New Street")]).await.status(303);
        let wrong = post(&admin, "/companies/100001/locations/add", &[("name", "Shed")]).await.status(400);
        shows(&wrong, &["value=\"Shed\"", "id=\"address-error\""]);
        let refused = post(&admin, "/companies/100001/retire", &[]).await.status(409);
        shows(&refused, &["cannot be retired yet", "1 location"]);
        let text = page(&admin, "/companies/100001").await.text();
        let remove = text.split("action=\"").find(|rest| rest.contains("/remove\"")).and_then(|rest| rest.split('"').next()).expect("a button");
        post(&admin, remove, &[]).await.status(303);
        post(&admin, "/companies/100001/retire", &[]).await.status(303);
        assert!(!page(&admin, "/companies/").await.text().contains("Acme Dental"));
        shows(&page(&admin, "/companies/?retired=include").await, &["Acme Dental", "Retired"]);
        post(&admin, "/companies/100001/restore", &[]).await.status(303);
        shows(&page(&admin, "/companies/").await, &["Acme Dental"]);
    }
}

both! {
    async fn contacts_are_assigned_to_companies_and_assets_to_contacts(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        let staff = app.technician();
        let contact = post(&staff, "/contacts/new", &[("name", "Ada Byron"), ("email", "ada@acme.example")]).await.status(303);
        let contact = contact.header("location").to_owned();
        let place = [("company_id", "100001"), ("role", "billing"), ("designation", "primary"), ("is_primary", "true")];
        post(&staff, &format!("{contact}/companies/assign"), &place).await.status(303);
        shows(&page(&staff, &contact).await, &["Acme Dental", "Primary contact", "Billing"]);
        let other = [("company_id", "999999")];
        shows(&post(&staff, &format!("{contact}/companies/assign"), &other).await.status(400), &["there is no company 999999"]);
        let asset = [("hostname", "ACME-1"), ("company_account_number", "100001"), ("type", "laptop")];
        let asset = post(&staff, "/assets/new", &asset).await.status(303).header("location").to_owned();
        let id = contact.rsplit('/').next().unwrap_or_default();
        post(&staff, &format!("{asset}/assign-user"), &[("contact_id", id)]).await.status(303);
        shows(&page(&staff, &asset).await, &["Ada Byron", "assigned"]);
        shows(&page(&staff, &contact).await, &["ACME-1"]);
        post(&staff, &format!("{asset}/unassign-user/{id}"), &[]).await.status(303);
        shows(&page(&staff, &asset).await, &["Nobody is assigned"]);
        let twin = [("name", "Twin"), ("email", "ada@acme.example")];
        shows(&post(&staff, "/contacts/new", &twin).await.status(409), &["id=\"email-error\"", "value=\"Twin\""]);
    }
}

both! {
    async fn who_may_not_edit_sees_neither_buttons_nor_history(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        let seen = page(&app.billing(), "/companies/100001").await.status(200).text();
        for hidden in ["data-edit", "/retire\"", "class=\"timeline", "locations/add"] {
            assert!(!seen.contains(hidden), "{hidden}: {seen}");
        }
        assert_eq!(page(&app.billing(), "/companies/100001/edit").await.status, 403);
        assert_eq!(page(&app.anonymous(), "/companies/").await.status, 303);
        assert_eq!(page(&app.service(), "/companies/").await.status, 403);
    }
}

both! {
    async fn every_link_of_a_page_carries_the_prefix_it_was_reached_by(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        for path in ["/codex/", "/codex/companies/", "/codex/companies/100001", "/codex/companies/100001/edit", "/codex/search?q=acme"] {
            let text = page(&app.admin(), path).await.status(200).text();
            for mark in ["href=\"/", "action=\"/", "src=\"/"] {
                for rest in text.split(mark).skip(1) {
                    assert!(rest.starts_with("codex/"), "{path}: {mark}{}", rest.split('"').next().unwrap_or_default());
                }
            }
        }
    }
}
