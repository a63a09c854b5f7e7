//! A morning's work, task by task, as somebody does it who knows the program: each says how many clicks and choices it takes,
//! beyond which it is a fault. What is typed and keys such as Ctrl-K and Enter do not count.

use serde_json::json;

use crate::datto::{self, Datto};
use crate::driver::{Browser, flow};
use crate::flows::sign_in;
use crate::freshservice::{Freshservice, Plan, State, department, requester};
use crate::support::{App, Engine, both, eventually};

/// A client with a person, who has a telephone and a laptop that one can connect to, and another client.
async fn office(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    app.company("100001", "Acme Dental").await;
    app.company("100002", "Beta Law").await;
    let ava = app.contact("Ava Patel", "ava@example.com", &["100001"]).await["id"].clone();
    let laptop = app.asset("LT-A00001", "100001").await["id"].clone();
    app.asset("LT-A00002", "100001").await;
    let tess = app.technician();
    tess.put(&format!("/api/contacts/{ava}"), &json!({"mobile_phone_number": "+1 (253) 555-0114"})).await.status(200);
    let remote =
        json!({"contact_ids": [ava], "web_remote_url": "https://remote.example/LT-A00001", "warranty_expires": "2030-01-01"});
    tess.put(&format!("/api/assets/{laptop}"), &remote).await.status(200);
    app
}

async fn at(browser: &Browser, path: &str) {
    eventually(&format!("{path} is open"), 15, async || browser.path().await == path).await;
    browser.find(".rail").await;
}

/// Scripts may still be on their way when a page's text is there.
async fn scripted(browser: &Browser) {
    browser.find("html.scripted").await;
}

both! {
    async fn a_caller_is_found_with_their_device_and_one_connects(engine: Engine) {
        let app = office(&engine).await;
        flow("morning-caller", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            scripted(&browser).await;
            browser.clicks();
            browser.palette("2535550114").await;
            at(&browser, "/contacts/1").await;
            assert_eq!(browser.clicks(), 0, "the number that the telephone shows");
            scripted(&browser).await;
            browser.click("[data-tabs] a[href='#devices'], [data-tabs] a[href='#assets']").await;
            browser.shows("LT-A00001").await;
            assert_eq!(browser.clicks(), 1, "their devices");
            // One click more; the vendor's page is not opened here.
            browser.find("a[href='https://remote.example/LT-A00001']").await;
        })
        .await;
    }

    async fn somebody_moves_to_another_company_with_their_device(engine: Engine) {
        let app = office(&engine).await;
        flow("morning-move", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/contacts/1").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click("[data-more] summary").await;
            browser.click_words("Move to another company").await;
            browser.choose("#company", "Beta Law").await;
            browser.click("[data-save]").await;
            browser.shows("Moved with 1 device").await;
            assert_eq!(browser.clicks(), 4);
        })
        .await;
        let tess = app.technician();
        assert_eq!(tess.get("/api/assets/1").await.ok()["company_account_number"], "100002");
        let places = tess.get("/api/contacts/1").await.ok()["companies"].clone();
        assert_eq!((places.as_array().map(Vec::len), &places[0]["account_number"]), (Some(1), &json!("100002")), "{places}");
        // It was one deed, and one undo takes it back.
        let history = tess.get("/api/history/contact/1").await.ok();
        let batch = history["changes"].as_array().expect("a list").iter().find_map(|change| change["batch_id"].as_i64()).expect("a batch");
        tess.post(&format!("/api/batches/{batch}/undo"), &json!({})).await.status(200);
        assert_eq!(tess.get("/api/assets/1").await.ok()["company_account_number"], "100001");
        assert_eq!(tess.get("/api/contacts/1").await.ok()["companies"][0]["account_number"], "100001");
    }

    async fn a_company_with_two_locations_is_added(engine: Engine) {
        let app = office(&engine).await;
        flow("morning-company", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            scripted(&browser).await;
            browser.clicks();
            browser.palette("new company").await;
            at(&browser, "/companies/new").await;
            browser.fill("#name", "Gamma Foods").await;
            browser.click("[data-save]").await;
            browser.shows("Gamma Foods").await;
            for name in ["Main office", "Warehouse"] {
                scripted(&browser).await;
                browser.click_words("Add location").await;
                browser.fill("form[action$='/locations/add'] #name", name).await;
                browser.fill("form[action$='/locations/add'] #address", "1 Main Street").await;
                browser.click("form[action$='/locations/add'] button").await;
                browser.shows(name).await;
            }
            assert_eq!(browser.clicks(), 5);
        })
        .await;
        let found = app.service().get("/api/companies?name__ic=gamma").await.ok();
        let account = found[0]["account_number"].as_str().expect("a number").to_owned();
        let places = app.service().get(&format!("/api/companies/{account}/locations")).await.ok();
        assert_eq!(places.as_array().map(Vec::len), Some(2), "{places}");
    }

    async fn an_asset_is_added_and_assigned(engine: Engine) {
        let app = office(&engine).await;
        flow("morning-asset", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            scripted(&browser).await;
            browser.clicks();
            browser.palette("new asset at acme").await;
            eventually("the form is open", 15, async || browser.path().await.starts_with("/assets/new?company=100001")).await;
            browser.fill("#hostname", "LT-NEW").await;
            browser.click("[data-save]").await;
            browser.shows("LT-NEW").await;
            browser.click_words("Assign a contact").await;
            browser.choose("#contact_id", "Ava Patel").await;
            browser.click("form[action$='assign-user'] button").await;
            browser.shows("Ava Patel").await;
            assert_eq!(browser.clicks(), 4);
        })
        .await;
        let found = app.service().get("/api/assets?hostname=LT-NEW").await.ok();
        assert_eq!(found[0]["company_account_number"], "100001");
    }

    async fn a_record_is_retired_restored_and_a_change_undone(engine: Engine) {
        let app = office(&engine).await;
        app.technician().put("/api/contacts/1", &json!({"job_title": "Wrong"})).await.status(200);
        flow("morning-undo", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/assets/2").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click("[data-more] summary").await;
            browser.click("[data-more] form[action$='/retire'] button").await;
            browser.agree().await;
            browser.click_words("Restore").await;
            browser.find("[data-edit]").await;
            assert_eq!(browser.clicks(), 4, "retired and restored");
            browser.go("/contacts/1").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click("[data-tabs] a[href='#history']").await;
            browser.click(".timeline__undo button").await;
            browser.shows("Undone").await;
            assert_eq!(browser.clicks(), 2, "undone");
        })
        .await;
        assert_eq!(app.technician().get("/api/contacts/1").await.ok()["job_title"], json!(null));
    }

    async fn the_assets_without_a_warranty_are_listed_and_exported(engine: Engine) {
        let app = office(&engine).await;
        flow("morning-warranty", app.base(), |browser| async move {
            sign_in(&browser, "tess").await;
            browser.go("/assets/").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click(".search-form .menu summary").await;
            browser.choose("#filter-where", "Warranty").await;
            browser.choose("#filter-test", "is empty").await;
            browser.click_words("Add filter").await;
            browser.hides("LT-A00001").await;
            browser.shows("LT-A00002").await;
            assert_eq!(browser.clicks(), 4, "which lack a warranty");
            // One click exports what is shown.
            let href = browser.script("return document.querySelector('a[download]').getAttribute('href')").await;
            assert!(href.as_str().is_some_and(|href| href.contains("format=csv") && href.contains("warranty_expires__empty")), "{href}");
        })
        .await;
    }

    async fn ten_sites_are_matched_at_once_and_others_by_keys(engine: Engine) {
        let names: Vec<String> = (0..10).map(|n| format!("Practice {n}")).collect();
        let departments = names.iter().enumerate().map(|(at, name)| department(21_001 + i64::try_from(at).unwrap_or_default(), name, None)).collect();
        let psa = Freshservice::start(State { departments, ..State::default() }).await;
        let mut world = datto::State::default();
        for (at, name) in names.iter().map(String::as_str).chain(["Practice 0 North", "Unheard Of"]).enumerate() {
            world.add_site(at, name, None);
        }
        let rmm = Datto::start(world).await;
        let app = App::builder(&engine).freshservice(&psa).datto(&rmm).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.success();
        app.cli().run_beside(&["sync", "datto"]).await.success();
        let admin = app.admin();
        flow("morning-sites", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            browser.go("/admin/review").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click_words("Link selected sites").await;
            browser.shows("10 sites linked").await;
            assert_eq!(browser.clicks(), 1);
            scripted(&browser).await;
            browser.find("[data-review] li.is-current").await;
            // Two are left. What is likely is accepted with a key; the next one is left as it is.
            let first = browser.script("return document.querySelector('[data-review] li.is-current b').textContent").await;
            browser.press(if first == "Practice 0 North" { "y" } else { "n" }).await;
            eventually("one is left", 15, async || browser.script("return document.querySelectorAll('[data-review] > li').length").await == 1).await;
            scripted(&browser).await;
            browser.find("[data-review] li.is-current").await;
            browser.press(if first == "Practice 0 North" { "n" } else { "y" }).await;
            browser.shows("Nothing to review").await;
            assert_eq!(browser.clicks(), 0);
        })
        .await;
        let decided = admin.get("/api/sync/review?state=all").await.ok();
        let of = |name: &str| decided.as_array().expect("a list").iter().find(|entry| entry["label"] == name).expect(name)["state"].clone();
        assert_eq!((of("Practice 0 North"), of("Unheard Of"), of("Practice 3")), (json!("linked"), json!("ignored"), json!("linked")));
    }

    async fn a_part_of_a_plan_is_approved(engine: Engine) {
        let people = |from: i64, company: i64| (0..15).map(move |n| requester(from + n, "Person", Some(&format!("N{}", from + n)), Some(&format!("p{}@example.com", from + n)), &[company]));
        let world = State {
            departments: vec![department(21_001, "Acme Dental", Some(204_729)), department(21_002, "Beta Law", Some(204_730))],
            requesters: people(39_000, 21_001).chain(people(40_000, 21_002)).collect(),
            ..State::default()
        };
        let vendor = Freshservice::start(world).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.success();
        // Both lose ten of their fifteen people.
        vendor.world(|state| state.requesters.retain(|person| person["id"].as_i64().is_some_and(|id| id % 1_000 < 5)));
        app.cli().run_beside(&["sync", "freshservice"]).await.code(7);
        flow("morning-plan", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            browser.go("/admin/").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click_words("Review plan").await;
            browser.shows("Deleted there (checked").await;
            scripted(&browser).await;
            // Scrolling is no click.
            browser.script("document.querySelector(\"input[aria-label='All of Beta Law']\").scrollIntoView({ block: 'center' })").await;
            browser.click("input[aria-label='All of Beta Law']").await;
            browser.shows("Approve 10 selected").await;
            browser.click_words("Approve 10 selected").await;
            browser.shows("10 applied").await;
            browser.shows("Approve 10 changes").await;
            assert_eq!(browser.clicks(), 3);
        })
        .await;
        let left = |account: &str| format!("/api/companies/{account}/contacts");
        let acme = app.service().get(&left("204729")).await.ok();
        let beta = app.service().get(&left("204730")).await.ok();
        assert_eq!((acme.as_array().map(Vec::len), beta.as_array().map(Vec::len)), (Some(15), Some(5)));
    }

    async fn why_a_sync_failed_is_said_where_one_looks(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(3, 5).build()).await;
        let app = App::builder(&engine).freshservice(&vendor).env("CODEX_FRESHSERVICE_API_KEY", "withdrawn").start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await;
        flow("morning-failure", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            scripted(&browser).await;
            browser.clicks();
            browser.click(".rail a[href='/admin/']").await;
            browser.shows("Failing").await;
            browser.shows("did not accept the API key").await;
            browser.shows("Enter a working key").await;
            assert_eq!(browser.clicks(), 1);
        })
        .await;
    }

    async fn the_theme_is_changed_and_a_colleague_invited(engine: Engine) {
        let app = office(&engine).await;
        flow("morning-settings", app.base(), |browser| async move {
            sign_in(&browser, "ada").await;
            browser.click(".rail a[href='/settings']").await;
            scripted(&browser).await;
            browser.click("input[name='theme_preference'][value='dark']").await;
            browser.click_words("Save settings").await;
            browser.find("html[data-theme='dark']").await;
            assert!(browser.clicks() <= 4, "with the one that signs in");
            scripted(&browser).await;
            browser.palette("invite user").await;
            at(&browser, "/admin/users/new").await;
            browser.fill("#username", "noor").await;
            browser.fill("#email", "noor@example.com").await;
            browser.click("[data-save]").await;
            browser.shows("noor").await;
            assert_eq!(browser.clicks(), 1, "a technician by default");
        })
        .await;
        let users = app.admin().get("/api/users").await.ok();
        assert!(users.as_array().expect("a list").iter().any(|user| user["username"] == "noor"), "{users}");
    }
}
