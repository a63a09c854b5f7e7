//! The flows: first run, search, edit, assign, sync, approve.

use serde_json::json;

use crate::driver::{Browser, flow};
use crate::freshservice::{Freshservice, Plan, State, department, requester};
use crate::support::{App, Engine, PASSWORD, both};

/// Signs in by the login page.
pub async fn sign_in(browser: &Browser, name: &str) {
    browser.go("/login").await;
    browser.fill("#username", name).await;
    browser.fill("#password", PASSWORD).await;
    browser.click("form button.btn--primary").await;
    browser.find(".rail").await;
}

async fn with_people(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    app.company("100001", "Acme Dental").await;
    app.company("100002", "Beta Law").await;
    app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
    app.contact("Noah Lindqvist", "noah@example.com", &["100001"]).await;
    app.asset("LT-A00001", "100001").await;
    app
}

both! {
    async fn the_sign_in_link_makes_an_administrator(engine: Engine) {
        let app = App::builder(&engine).fresh().start().await;
        let line = app.line("/first-run?token=").expect("a sign-in link");
        let link = line.rsplit(' ').next().expect("an address").to_owned();
        flow("first-run", app.base(), |browser| async move {
            browser.go(&link).await;
            browser.fill("#username", "ada").await;
            browser.fill("#email", "ada@example.com").await;
            browser.fill("#password", PASSWORD).await;
            browser.click("form button.btn--primary").await;
            browser.find(".rail").await;
            browser.shows("ada").await;
            browser.click("[aria-label='Sign out']").await;
            browser.find("#password").await;
            sign_in(&browser, "ada").await;
            browser.shows("Dashboard").await;
        })
        .await;
    }

    async fn a_note_is_written_and_a_table_imported(engine: Engine) {
        let app = with_people(&engine).await;
        flow("note-and-import", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/contacts/1").await;
            browser.click("a[href='#notes']").await;
            browser.fill("#note-body", "Prefers **calls**").await;
            browser.click("#record-notes form button.btn--primary").await;
            browser.shows("Note added").await;
            browser.find("#record-notes strong").await;
            browser.go("/assets/").await;
            browser.click("a[href='/import?kind=assets']").await;
            browser.fill("#text", "hostname,company_account_number\nLT-NEW,100002").await;
            browser.click("[data-import] button.btn--primary").await;
            browser.shows("1 new, 0 changed").await;
            browser.click("#plan form button.btn--primary").await;
            browser.shows("Imported in run").await;
            browser.go("/assets/?q=LT-NEW").await;
            browser.shows("Beta Law").await;
        })
        .await;
    }

    async fn wrong_passwords_are_said_and_protected_pages_lead_back(engine: Engine) {
        let app = with_people(&engine).await;
        flow("sign-in", app.base(), |browser| async move {
            browser.go("/companies/100001").await;
            browser.fill("#username", "tess").await;
            browser.fill("#password", "wrong").await;
            browser.click("form button.btn--primary").await;
            browser.find(".alert--error").await;
            browser.forget_console().await;
            browser.fill("#username", "tess").await;
            browser.fill("#password", PASSWORD).await;
            browser.click("form button.btn--primary").await;
            browser.shows("Acme Dental").await;
            assert_eq!(browser.path().await, "/companies/100001", "back to where the person was going");
        })
        .await;
    }

    async fn people_search_as_they_type(engine: Engine) {
        let app = with_people(&engine).await;
        flow("search", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/contacts/").await;
            browser.shows("Noah Lindqvist").await;
            browser.fill("[data-search]", "ava").await;
            browser.hides("Noah Lindqvist").await;
            browser.shows("Ava Patel").await;
            assert!(browser.path().await.contains("q=ava"), "the search is in the address");
            browser.fill("[data-search]", "nobody like this").await;
            browser.shows("Nothing matches").await;
            browser.go("/search?q=acme").await;
            browser.shows("Acme Dental").await;
            browser.go("/").await;
            browser.press("\u{e009}k").await;
            let field = browser.find(".modal.active input").await;
            field.send_keys("beta").await.expect("typing");
            browser.shows("Beta Law").await;
        })
        .await;
    }

    async fn enter_opens_what_the_words_find(engine: Engine) {
        let app = with_people(&engine).await;
        flow("palette", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            for (words, path) in [("beta", "/companies/100002"), ("patel", "/contacts/1"), ("LT-A00001", "/assets/1"), ("law beta", "/companies/100002")] {
                browser.go("/contacts/").await;
                browser.find(".rail").await;
                // Ctrl-K, one list shown, then other words and Enter in the same moment.
                browser.script("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))").await;
                browser.fill("input.palette", "acme").await;
                browser.shows("company · 100001").await;
                browser
                    .script(&format!(
                        "const field = document.querySelector('input.palette'); field.value = '{words}'; field.dispatchEvent(new Event('input', {{ bubbles: true }}));
                         field.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true, cancelable: true }}))"
                    ))
                    .await;
                crate::support::eventually(&format!("{words} opens {path}"), 10, async || browser.path().await == path).await;
            }
            // What is typed after Enter is another question: nothing opens by itself.
            browser.go("/contacts/").await;
            browser.script("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))").await;
            browser.fill("input.palette", "acme").await;
            browser.shows("company · 100001").await;
            browser
                .script(
                    "const field = document.querySelector('input.palette');
                     const type = (words) => { field.value = words; field.dispatchEvent(new Event('input', { bubbles: true })); };
                     type('beta'); field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true })); type('ava');",
                )
                .await;
            browser.shows("ava@example.com").await;
            assert_eq!(browser.path().await, "/contacts/");
        })
        .await;
    }

    async fn a_filter_of_the_address_stays_while_somebody_searches(engine: Engine) {
        let app = with_people(&engine).await;
        app.admin().post("/api/assets", &json!({"hostname": "LT-B00002", "company_account_number": "100001", "warranty_expires": "2030-01-01"})).await.status(201);
        flow("filters", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/assets/?warranty_expires__empty=true").await;
            browser.shows("LT-A00001").await;
            browser.hides("LT-B00002").await;
            browser.fill("[data-search]", "lt").await;
            crate::support::eventually("the search is in the address", 10, async || browser.path().await.contains("q=lt")).await;
            assert!(browser.path().await.contains("warranty_expires__empty=true"), "{}", browser.path().await);
            browser.hides("LT-B00002").await;
            browser.click(".chip").await;
            browser.shows("LT-B00002").await;
            // The form for one more comparison still says how to compare.
            assert_eq!(browser.script("return document.querySelector('#filter-test').value").await, "ic");
        })
        .await;
    }

    async fn a_company_is_added_edited_and_retired(engine: Engine) {
        let app = with_people(&engine).await;
        flow("edit", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            browser.go("/companies/new").await;
            browser.fill("#name", "Gamma Foods").await;
            browser.click("[data-save]").await;
            browser.shows("Gamma Foods").await;
            browser.click("[data-edit]").await;
            browser.fill("#name", "Gamma Foods & Co <b>").await;
            browser.fill("#description", "Sells <script>alert(1)</script> cheese").await;
            browser.click("[data-save]").await;
            browser.shows("Gamma Foods & Co <b>").await;
            browser.shows("Sells <script>alert(1)</script> cheese").await;
            browser.click("a[href='#history']").await;
            let history = browser.find("#history").await.text().await.expect("the history");
            assert!(history.contains("Gamma Foods") && history.contains("ada"), "{history}");
            browser.click("[data-more] summary").await;
            browser.click_words("Retire").await;
            browser.agree().await;
            browser.shows("Restore").await;
            browser.click_words("Restore").await;
            browser.find("[data-edit]").await;
        })
        .await;
        let list = app.service().get("/api/companies?name__ic=gamma").await.ok();
        assert_eq!(list[0]["description"], "Sells <script>alert(1)</script> cheese");
    }

    async fn tabs_follow_the_address_the_keys_and_the_form(engine: Engine) {
        let app = with_people(&engine).await;
        flow("tabs", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            let shown = "return [...document.querySelectorAll('[data-tab]')].filter((part) => !part.hidden).map((part) => part.getAttribute('aria-labelledby')).join()";
            browser.go("/companies/100001").await;
            browser.find("[role=tablist]").await;
            assert_eq!(browser.script(shown).await, "tab-overview");
            browser.click("[data-tabs] a[href='#contacts']").await;
            assert_eq!(browser.script(shown).await, "tab-contacts");
            browser.shows("Ava Patel").await;
            assert!(browser.script("return location.hash").await == "#contacts");
            browser.script("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }))").await;
            assert_eq!(browser.script(shown).await, "tab-assets");
            browser.script("history.back()").await;
            crate::support::eventually("back shows the tab before", 10, async || browser.script(shown).await == "tab-contacts").await;
            // A link to a card opens the tab that holds it.
            browser.go("/contacts/1#record-notes").await;
            crate::support::eventually("the notes are shown", 10, async || browser.script(shown).await == "tab-notes").await;
            // An address that is not well-formed shows the first tab, and the rest of the page works.
            browser.go("/companies/100001#50%").await;
            browser.find("[data-favourite]:not([hidden])").await;
            assert_eq!(browser.script(shown).await, "tab-overview");
            browser.go("/contacts/1#record-notes").await;
            // Whoever sends a form comes back to its tab.
            browser.fill("#note-body", "Once").await;
            browser.click("#record-notes form button.btn--primary").await;
            browser.shows("Note added").await;
            assert_eq!(browser.script(shown).await, "tab-notes");
            assert_eq!(browser.script("return location.hash").await, "");
        })
        .await;
    }

    async fn a_view_is_saved_chosen_changed_and_deleted(engine: Engine) {
        let app = with_people(&engine).await;
        app.asset("SRV-1", "100002").await;
        flow("views", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/assets/").await;
            browser.click(".search-form .menu summary").await;
            browser.choose("#filter-where", "Hostname").await;
            browser.choose("#filter-test", "contains").await;
            browser.fill("[name=value]", "srv").await;
            browser.click_words("Add filter").await;
            browser.hides("LT-A00001").await;
            assert!(browser.path().await.contains("hostname__ic=srv"), "{}", browser.path().await);
            browser.go("/assets/?hostname__ic=srv").await;
            browser.click("[data-views] summary").await;
            browser.fill("#new-view", "Servers").await;
            browser.click_words("Save view").await;
            browser.shows("View saved: Servers").await;
            browser.go("/assets/").await;
            browser.shows("LT-A00001").await;
            browser.click_words("Servers").await;
            browser.hides("LT-A00001").await;
            browser.shows("SRV-1").await;
            browser.click("[data-views] summary").await;
            browser.click_words("Delete this view").await;
            browser.agree().await;
            browser.shows("View deleted: Servers").await;
            browser.shows("LT-A00001").await;
        })
        .await;
    }

    async fn the_palette_knows_actions_pages_and_what_was_looked_at(engine: Engine) {
        let app = with_people(&engine).await;
        flow("palette-actions", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            let open = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))";
            let enter = |words: &str| format!(
                "const field = document.querySelector('input.palette'); field.value = '{words}'; field.dispatchEvent(new Event('input', {{ bubbles: true }}));
                 field.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true, cancelable: true }}))"
            );
            for (words, path) in [("new contact at beta", "/contacts/new?company=100002"), ("subnets", "/network/subnets/"), ("new asset", "/assets/new")] {
                browser.go("/contacts/").await;
                browser.find(".rail").await;
                browser.script(open).await;
                browser.find("input.palette").await;
                browser.script(&enter(words)).await;
                crate::support::eventually(&format!("{words} opens {path}"), 10, async || browser.path().await == path).await;
            }
            browser.go("/companies/100002").await;
            browser.click("[data-favourite]").await;
            browser.go("/contacts/1").await;
            browser.find("[data-favourite]:not([hidden])").await;
            browser.go("/").await;
            browser.find(".rail").await;
            browser.script(open).await;
            browser.shows("Favourite · Companies").await;
            browser.shows("Recent · Contacts").await;
            let first = browser.script("return document.querySelector('.palette__item span').textContent").await;
            assert_eq!(first, "Beta Law");
            browser.go("/").await;
            browser.find(".rail").await;
            for (key, path) in [("t", "/tickets/"), ("c", "/companies/"), ("s", "/admin/")] {
                browser.script(&format!("for (const key of ['g', '{key}']) document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key, bubbles: true, cancelable: true }}))")).await;
                crate::support::eventually(&format!("g {key} opens {path}"), 10, async || browser.path().await == path).await;
                browser.find(".rail").await;
            }
        })
        .await;
    }

    async fn a_wrong_field_is_marked_and_nothing_typed_is_lost(engine: Engine) {
        let app = with_people(&engine).await;
        flow("wrong-field", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/contacts/new").await;
            browser.fill("#name, #first_name", "Typed Name").await;
            browser.fill("#email", "ava@example.com").await;
            browser.click("[data-save]").await;
            browser.find("[aria-invalid='true'], .alert--error").await;
            let typed = browser.find("#name, #first_name").await.prop("value").await.expect("a value");
            assert_eq!(typed.as_deref(), Some("Typed Name"));
            browser.forget_console().await;
        })
        .await;
    }

    async fn an_asset_is_assigned_and_taken_back(engine: Engine) {
        let app = with_people(&engine).await;
        let asset = app.service().get("/api/assets").await.ok()[0]["id"].clone();
        let path = format!("/assets/{asset}");
        flow("assign", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go(&path).await;
            browser.click_words("Assign a contact").await;
            browser.choose("#contact_id", "Noah Lindqvist").await;
            browser.click("form[action$='assign-user'] button").await;
            browser.find("#contacts form[action*='unassign'] button, #contacts [data-unassign]").await;
            let assigned = browser.find("#contacts").await.text().await.expect("the card");
            assert!(assigned.contains("Noah Lindqvist"), "{assigned}");
        })
        .await;
        let read = app.service().get(&format!("/api/assets/{asset}")).await.ok();
        assert_eq!(read["contacts"].as_array().map(Vec::len), Some(1));
    }

    async fn a_sync_is_started_watched_and_finished(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(12, 80).build()).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        let service = app.service();
        flow("sync", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            browser.go("/admin/").await;
            browser.click_words("Run now").await;
            // The number is told while the changes are still being made.
            browser.shows("101").await;
            crate::support::eventually("the sync is done", 60, async || service.get("/sync/last/freshservice").await.json()["status"] == "completed").await;
            browser.go("/companies/").await;
            browser.shows("of 12").await;
            browser.go("/contacts/").await;
            browser.shows("of 80").await;
        })
        .await;
    }

    async fn a_held_plan_is_looked_at_and_approved(engine: Engine) {
        let people = (0..30).map(|n| requester(39_000 + n, "Person", Some(&format!("Number{n}")), Some(&format!("p{n}@example.com")), &[21_001])).collect();
        let world = State { departments: vec![department(21_001, "Acme Dental", Some(204_729))], requesters: people, ..State::default() };
        let vendor = Freshservice::start(world).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.success();
        vendor.world(|state| state.requesters.truncate(10));
        app.cli().run_beside(&["sync", "freshservice"]).await.code(7);
        flow("approve", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            browser.shows("approval").await;
            browser.go("/admin/").await;
            browser.click_words("Review plan").await;
            browser.shows("Deleted there (checked").await;
            browser.click_words("Approve").await;
            browser.agree().await;
            browser.hides("Held").await;
        })
        .await;
        assert_eq!(app.service().get("/api/contacts").await.ok().as_array().map(Vec::len), Some(10));
        assert_eq!(json!(app.database.number("SELECT count(*) FROM contacts")), json!(30));
    }
}
