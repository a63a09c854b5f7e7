//! Clients' networks: equipment, what joins it, the ranges of its addresses, and its picture.

use serde_json::{Value, json};

use crate::datto::{self, Datto};
use crate::freshservice::{self, Freshservice};
use crate::support::{Api, App, Engine, Reply, both};

async fn make(api: &Api, list: &str, body: Value) -> Value {
    api.post(&format!("/api/{list}"), &body).await.status(201).json()
}

async fn equipment(api: &Api, name: &str, kind: &str, more: Value) -> Value {
    let mut body = json!({"company_id": "100001", "name": name, "type": kind});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    make(api, "network_equipment", body).await
}

/// Two companies, and in the first a firewall with a switch behind it.
async fn world(engine: &Engine) -> (App, Api, Value, Value) {
    let app = App::start_on(engine).await;
    app.company("100001", "Acme").await;
    app.company("100002", "Bolt").await;
    let api = app.technician();
    let firewall =
        equipment(&api, "fw-1", "firewall", json!({"ip_address": "10.20.0.1", "mac_address": "00-1A-2B-3C-4D-5E"})).await;
    let switch = equipment(&api, "sw-1", "switch", json!({"uplink_id": firewall["id"]})).await;
    (app, api, firewall, switch)
}

async fn send_form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    api.send(reqwest::Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

both! {
    async fn the_contract_s_calls_on_equipment(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        for (body, field) in [
            (json!({"name": "x", "type": "router"}), "company_id"),
            (json!({"company_id": "100001", "type": "router"}), "name"),
            (json!({"company_id": "100001", "name": "x"}), "type"),
            (json!({"company_id": "100001", "name": "x", "type": "toaster"}), "type"),
            (json!({"company_id": "nobody", "name": "x", "type": "router"}), "company_id"),
        ] {
            assert_eq!(api.post("/api/network_equipment", &body).await.status(400).fields(), [field], "{body}");
        }
        let service = app.service();
        let list = service.get("/api/network_equipment").await.ok();
        assert_eq!(names(&list), ["fw-1", "sw-1"], "an array, by name");
        for key in ["id", "company_id", "company_account_number", "name", "type", "ip_address", "model", "firmware_version", "serial_number", "subnet", "uplink_id", "location_id"] {
            assert!(list[0].get(key).is_some(), "{key}");
        }
        assert_eq!((&list[0]["company_id"], &list[0]["mac_address"]), (&json!("100001"), &json!("00:1a:2b:3c:4d:5e")));
        assert_eq!((&list[1]["uplink_id"], &list[1]["uplink_name"]), (&firewall["id"], &json!("fw-1")));
        let company = app.admin().get("/api/companies/100001").await.ok();
        for query in ["?type=switch", "?company_id=100001&type=switch", "?company_account_number=100001&q=sw", &format!("?uplink_id={}", firewall["id"])] {
            assert_eq!(names(&service.get(&format!("/api/network_equipment{query}")).await.ok()), ["sw-1"], "{query}");
        }
        assert_eq!(service.get("/api/network_equipment?company_id=100002").await.ok(), json!([]));
        let _company_has_an_id = company["id"].as_i64().unwrap();
        assert_eq!(service.get(&format!("/api/network_equipment?company_id={}", company["id"])).await.ok().as_array().unwrap().len(), 2);
        let one = format!("/api/network_equipment/{}", switch["id"]);
        let changed = api.put(&one, &json!({"model": "USW 24", "ip_address": "10.20.0.2"})).await.status(200).json();
        assert_eq!((&changed["model"], &changed["name"]), (&json!("USW 24"), &json!("sw-1")));
        assert_eq!(api.send(reqwest::Method::PUT, &one, |request| request.header("if-match", "\"1-1\"").json(&json!({"model": "x"}))).await.status, 412);
        assert_eq!(api.delete(&one).await.status(200).json()["message"], "Network equipment retired");
        assert_eq!(names(&service.get("/api/network_equipment").await.ok()), ["fw-1"]);
        api.post(&format!("{one}/restore"), &json!({})).await.status(200);
        assert_eq!(names(&service.get("/api/companies/100001/network_equipment").await.ok()), ["fw-1", "sw-1"]);
        let csv = service.get("/api/network_equipment?format=csv&fields=name,uplink_name").await.status(200).text();
        assert_eq!(csv.lines().collect::<Vec<_>>(), ["name,uplink_name", "fw-1,", "sw-1,fw-1"]);
        let past = app.admin().get(&format!("/api/history/equipment/{}", switch["id"])).await.ok();
        let actions: Vec<&str> = past["changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["restore", "retire", "update", "create"]);
        let undone = past["changes"][2]["seq"].clone();
        app.admin().post(&format!("/api/changes/{undone}/undo"), &json!({})).await.status(200);
        assert_eq!(service.get(&one).await.ok()["model"], Value::Null);
        service.get("/api/network_equipment/999").await.status(404);
        assert_eq!(api.post("/api/network_equipment?dry_run=true", &json!({"company_id": "100001", "name": "x", "type": "router"})).await.status(200).json()["dry_run"], true);
        assert_eq!(names(&service.get("/api/network_equipment").await.ok()).len(), 2);
    }

    async fn what_equipment_refers_to_is_there_and_of_its_company(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        let place = json!({"name": "Elsewhere", "address": "2 Elm Street"});
        let theirs = app.admin().post("/api/companies/100002/locations", &place).await.status(201).json()["id"].clone();
        let one = format!("/api/network_equipment/{}", firewall["id"]);
        for (body, field, says) in [
            (json!({"location_id": theirs}), "location_id", "another company's"),
            (json!({"location_id": 999}), "location_id", "there is no location 999"),
            (json!({"asset_id": 999}), "asset_id", "there is no asset 999"),
            (json!({"uplink_id": firewall["id"]}), "uplink_id", "cannot be itself"),
            (json!({"uplink_id": switch["id"]}), "uplink_id", "its own uplink"),
            (json!({"ip_address": "10.20.0"}), "ip_address", "must be an IP address"),
            (json!({"mac_address": "00:1a"}), "mac_address", "must be a MAC address"),
        ] {
            let refused = api.put(&one, &body).await.status(400);
            assert_eq!(refused.fields(), [field], "{body}");
            assert!(refused.error().contains(says), "{body}: {}", refused.error());
        }
        let moved = api.put(&format!("/api/network_equipment/{}", switch["id"]), &json!({"company_id": "100002"})).await.status(400);
        assert_eq!(moved.fields(), ["uplink_id"], "its uplink stays where it is: {}", moved.text());
        let cable = json!({"a_id": firewall["id"], "b_id": firewall["id"]});
        assert_eq!(api.post("/api/network_connections", &cable).await.status(400).fields(), ["b_id"]);
        let cable = json!({"a_id": firewall["id"], "a_port": "lan1", "b_id": firewall["id"], "b_port": "lan2"});
        let made = make(&api, "network_connections", cable).await;
        assert_eq!((&made["company_id"], &made["name"]), (&json!("100001"), &json!("fw-1 – fw-1")), "whose it is follows from what it joins");
        let again = make(&api, "network_connections", json!({"a_id": switch["id"], "b_id": firewall["id"], "b_port": "lan1"})).await;
        assert_eq!(again["warnings"], json!(["Port lan1 of fw-1 has another connection."]));
    }

    async fn ranges_of_addresses(engine: Engine) {
        let (_app, api, firewall, switch) = world(&engine).await;
        let made = make(&api, "subnets", json!({"company_id": "100001", "cidr": "10.20.0.0/16", "gateway": "10.20.0.1"})).await;
        assert_eq!(made.get("warnings"), None);
        let inner = make(&api, "subnets", json!({"company_id": "100001", "cidr": "10.20.0.0/24", "vlan": 20, "purpose": "Office"})).await;
        assert_eq!(inner["warnings"], json!(["10.20.0.0/24 shares addresses with 10.20.0.0/16 of the same company."]));
        let elsewhere = make(&api, "subnets", json!({"company_id": "100002", "cidr": "10.20.0.0/24"})).await;
        assert_eq!(elsewhere.get("warnings"), None, "another company's addresses are its own");
        make(&api, "subnets", json!({"company_id": "100001", "cidr": "2001:DB8::/32", "gateway": "2001:db8::1"})).await;
        for (body, field) in [
            (json!({"company_id": "100001", "cidr": "10.20.0.5/24"}), "cidr"),
            (json!({"company_id": "100001", "cidr": "10.20.0.0"}), "cidr"),
            (json!({"company_id": "100001", "cidr": "10.30.0.0/24", "gateway": "10.31.0.1"}), "gateway"),
            (json!({"company_id": "100001", "cidr": "10.30.0.0/24", "gateway": "2001:db8::1"}), "gateway"),
            (json!({"company_id": "100001", "cidr": "10.30.0.0/24", "vlan": 4095}), "vlan"),
        ] {
            assert_eq!(api.post("/api/subnets", &body).await.status(400).fields(), [field], "{body}");
        }
        let subnet = async |device: &Value| api.get(&format!("/api/network_equipment/{}", device["id"])).await.ok()["subnet"].clone();
        assert_eq!(subnet(&firewall).await, "10.20.0.0/24", "the narrowest that has the address");
        assert_eq!(subnet(&switch).await, Value::Null);
        for (ip, network) in [("10.20.7.7", json!("10.20.0.0/16")), ("192.0.2.1", Value::Null), ("2001:db8:0:1::5", json!("2001:db8::/32"))] {
            let moved = api.put(&format!("/api/network_equipment/{}", switch["id"]), &json!({"ip_address": ip})).await.status(200).json();
            assert_eq!(moved["subnet"], network, "{ip}");
        }
        let twice = equipment(&api, "fw-2", "firewall", json!({"ip_address": "10.20.0.1"})).await;
        assert_eq!(twice["warnings"], json!(["fw-1 has the address 10.20.0.1 too."]));
        make(&api, "vlans", json!({"company_id": "100001", "number": 20, "name": "Office"})).await;
        let taken = api.post("/api/vlans", &json!({"company_id": "100001", "number": 20, "name": "Again"})).await.status(409);
        assert!(taken.error().contains("VLAN 20"), "{}", taken.error());
        make(&api, "vlans", json!({"company_id": "100002", "number": 20, "name": "Office elsewhere"})).await;
        assert_eq!(api.get(&format!("/api/subnets/{}", inner["id"])).await.ok()["vlan_name"], "Office");
    }

    async fn an_address_is_checked_against_its_network(engine: Engine) {
        let (_app, api, firewall, _) = world(&engine).await;
        let one = format!("/api/network_equipment/{}", firewall["id"]);
        let said = async |ip: &str| {
            let body = api.put(&one, &json!({"ip_address": ip})).await.status(200).json();
            body.get("warnings").cloned().unwrap_or(Value::Null)
        };
        assert_eq!(said("10.20.0.7").await, Value::Null, "nothing is documented yet");
        for cidr in ["10.20.0.0/24", "10.21.0.0/31"] {
            make(&api, "subnets", json!({"company_id": "100001", "cidr": cidr})).await;
        }
        make(&api, "vlans", json!({"company_id": "100001", "number": 20, "name": "Office"})).await;
        for (ip, want) in [
            ("10.20.0.1", Value::Null),
            ("10.20.0.0", json!(["10.20.0.0 is the network's own address in 10.20.0.0/24: no device can have it."])),
            ("10.20.0.255", json!(["10.20.0.255 is the broadcast address in 10.20.0.0/24: no device can have it."])),
            ("10.21.0.0", Value::Null),
            ("10.30.0.1", json!(["10.30.0.1 is in none of the company's documented networks."])),
            ("2001:db8::1", Value::Null),
        ] {
            assert_eq!(said(ip).await, want, "{ip}");
        }
        let port = json!({"equipment_id": firewall["id"], "name": "1", "ip_address": "10.20.0.255", "vlan": 20});
        let port = make(&api, "network_interfaces", port).await;
        assert_eq!((&port["subnet"], &port["vlan_name"]), (&json!("10.20.0.0/24"), &json!("Office")));
        assert_eq!(port["warnings"], json!(["10.20.0.255 is the broadcast address in 10.20.0.0/24: no device can have it."]));
    }

    async fn what_leads_to_a_device_stands_in_the_way_of_retiring_it(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        make(&api, "network_connections", json!({"a_id": firewall["id"], "b_id": switch["id"]})).await;
        make(&api, "network_interfaces", json!({"equipment_id": firewall["id"], "name": "lan1"})).await;
        let one = format!("/api/network_equipment/{}", firewall["id"]);
        let refused = api.delete(&one).await.status(409).json();
        assert_eq!(refused["attached"], json!({"network_connections": 1, "network_equipment": 1, "network_interfaces": 1}));
        api.delete(&format!("{one}?force=true")).await.status(200);
        for list in ["network_connections", "network_interfaces"] {
            assert_eq!(api.get(&format!("/api/{list}")).await.ok(), json!([]), "{list} cannot be without it");
        }
        let left = api.get(&format!("/api/network_equipment/{}", switch["id"])).await.ok();
        assert_eq!((&left["uplink_id"], &left["retired_at"]), (&Value::Null, &Value::Null), "what can be without it lets it go");
        // The same for all of a company.
        let refused = app.admin().delete("/api/companies/100001").await.status(409).json();
        assert_eq!(refused["attached"], json!({"network_equipment": 1}));
        app.admin().delete("/api/companies/100001?force=true").await.status(200);
        assert_eq!(api.get("/api/network_equipment").await.ok(), json!([]));
    }

    async fn what_comes_back_must_fit_again(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        let port = make(&api, "network_interfaces", json!({"equipment_id": switch["id"], "name": "48"})).await;
        let vlan = make(&api, "vlans", json!({"company_id": "100001", "number": 20, "name": "Office"})).await;
        let refused = api.put(&format!("/api/network_equipment/{}", switch["id"]), &json!({"company_id": "100002", "uplink_id": null})).await;
        assert_eq!(refused.status(409).json()["attached"], json!({"network_interfaces": 1}), "it would leave its port behind");
        api.delete(&format!("/api/vlans/{}", vlan["id"])).await.status(200);
        make(&api, "vlans", json!({"company_id": "100001", "number": 20, "name": "Again"})).await;
        api.post(&format!("/api/vlans/{}/restore", vlan["id"]), &json!({})).await.status(409);
        let gone = app.database.number("SELECT max(seq) FROM changes WHERE entity = 'vlan' AND action = 'retire'");
        app.admin().post(&format!("/api/changes/{gone}/undo"), &json!({})).await.status(409);
        let made = app.database.number("SELECT min(seq) FROM changes WHERE entity = 'equipment' AND action = 'create'");
        assert!(app.admin().post(&format!("/api/changes/{made}/undo"), &json!({})).await.status(409).error().contains("attached"), "sw-1 hangs on fw-1");
        api.delete(&format!("/api/network_equipment/{}?force=true", switch["id"])).await.status(200);
        let refused = api.post(&format!("/api/network_interfaces/{}/restore", port["id"]), &json!({})).await;
        assert_eq!(refused.status(400).fields(), ["equipment_id"]);
        app.admin().delete("/api/companies/100002").await.status(200);
        let one = format!("/api/network_equipment/{}", firewall["id"]);
        assert_eq!(api.put(&one, &json!({"company_id": "100002"})).await.status(400).fields(), ["company_id"]);
    }

    async fn what_stood_at_a_location_that_is_removed_stands_nowhere(engine: Engine) {
        let (app, api, firewall, _) = world(&engine).await;
        let place = json!({"name": "Head office", "address": "1 Alder Street"});
        let place = app.admin().post("/api/companies/100001/locations", &place).await.status(201).json()["id"].clone();
        let one = format!("/api/network_equipment/{}", firewall["id"]);
        let stands = api.put(&one, &json!({"location_id": place})).await.status(200).json();
        assert_eq!(stands["location_name"], "Head office");
        app.admin().delete(&format!("/api/companies/100001/locations/{place}")).await.status(200);
        assert_eq!(api.get(&one).await.ok()["location_id"], Value::Null);
    }

    async fn history_names_what_a_field_referred_to(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        let place = json!({"name": "Head office", "address": "1 Alder Street"});
        let place = app.admin().post("/api/companies/100001/locations", &place).await.status(201).json()["id"].clone();
        let one = format!("/api/network_equipment/{}", switch["id"]);
        assert_eq!(switch["uplink_id"], firewall["id"]);
        api.put(&one, &json!({"location_id": place})).await.status(200);
        api.put(&one, &json!({"location_id": null, "uplink_id": null})).await.status(200);
        // Neither stands among the facts any more, so that only the history can tell them.
        let html = api.get_with(&format!("/network/equipment/{}", switch["id"]), "accept", "text/html").await.status(200).text();
        assert!(html.contains("Head office") && html.contains("fw-1"), "{html}");
    }

    async fn addresses_are_ordered_as_addresses(engine: Engine) {
        let (_app, api, ..) = world(&engine).await;
        for cidr in ["10.10.0.0/16", "10.2.0.0/16", "192.0.2.0/24", "9.0.0.0/8"] {
            make(&api, "subnets", json!({"company_id": "100001", "cidr": cidr})).await;
        }
        let list = api.get("/api/subnets?sort=cidr").await.ok();
        let order: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["cidr"].as_str().unwrap()).collect();
        assert_eq!(order, ["9.0.0.0/8", "10.2.0.0/16", "10.10.0.0/16", "192.0.2.0/24"]);
        let mapped = equipment(&api, "v6", "router", json!({"ip_address": "::ffff:10.2.0.1"})).await;
        assert_eq!((&mapped["ip_address"], &mapped["subnet"]), (&json!("10.2.0.1"), &json!("10.2.0.0/16")));
    }

    async fn clients_read_their_own_network_and_write_nothing(engine: Engine) {
        let (app, api, firewall, _) = world(&engine).await;
        make(&api, "subnets", json!({"company_id": "100001", "cidr": "10.20.0.0/24"})).await;
        let (ours, theirs) = (app.client_of("cleo", "100001").await, app.client_of("carl", "100002").await);
        for (list, rows) in [("network_equipment", 2), ("subnets", 1)] {
            assert_eq!(ours.get(&format!("/api/{list}")).await.ok().as_array().unwrap().len(), rows);
            assert_eq!(theirs.get(&format!("/api/{list}")).await.ok(), json!([]));
            theirs.get(&format!("/api/companies/100001/{list}")).await.status(404);
        }
        let one = format!("/api/network_equipment/{}", firewall["id"]);
        theirs.get(&one).await.status(404);
        ours.put(&one, &json!({"name": "mine"})).await.status(403);
        theirs.get("/api/companies/100001/topology").await.status(404);
        assert_eq!(ours.get("/api/companies/100001/topology").await.ok()["nodes"].as_array().unwrap().len(), 2);
        assert_eq!(theirs.get("/api/search?q=fw-1").await.ok()["network_equipment"], json!([]));
    }

    async fn a_network_is_found_by_any_mark(engine: Engine) {
        let (app, api, _, switch) = world(&engine).await;
        make(&api, "network_interfaces", json!({"equipment_id": switch["id"], "name": "48", "mac_address": "0200.5e10.00ff"})).await;
        for (text, kind, name) in [
            ("001A2B3C4D5E", "network_equipment", "fw-1"), ("00:1a:2b", "network_equipment", "fw-1"),
            ("10.20.0.1", "network_equipment", "fw-1"), ("02005e1000ff", "network_interfaces", "sw-1 48"),
        ] {
            let found = api.get(&format!("/api/search?q={text}")).await.ok();
            assert_eq!(names(&found[kind]), [name], "{text}: {found}");
        }
        let html = api.get_with("/search?q=10.20.0.1", "accept", "text/html").await.status(200).text();
        assert!(html.contains("href=\"/network/equipment/1\"") && html.contains("fw-1"), "{html}");
        assert_eq!(app.anonymous().get("/api/network_equipment").await.status, 401);
    }

    async fn forms_write_what_json_writes(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        let page = async |path: &str| api.get_with(path, "accept", "text/html").await.status(200).text();
        let form = page("/network/equipment/new?company=100001").await;
        assert!(form.contains("<option value=\"100001\" selected") && form.contains(">fw-1</option>"), "{form}");
        let sent = [("company_id", "100001"), ("name", "ap-1"), ("type", "ap"), ("uplink_id", "2"), ("mac_address", ""), ("ip_address", "10.20.0.9")];
        let done = send_form(&api, "/network/equipment/new", &sent).await;
        assert_eq!((done.status, done.header("location")), (303, "/network/equipment/3"));
        let made = api.get("/api/network_equipment/3").await.ok();
        assert_eq!((&made["name"], &made["type"], &made["uplink_id"], &made["mac_address"]), (&json!("ap-1"), &json!("ap"), &switch["id"], &Value::Null));
        let refused = send_form(&api, "/network/equipment/new", &[("company_id", "100001"), ("name", ""), ("type", "ap"), ("ip_address", "10.20")]).await.status(400).text();
        assert!(refused.contains("must be an IP address") && refused.contains("value=\"10.20\""), "{refused}");
        // Sent back untouched, nothing changes, whatever today's rules say of what stands there.
        app.database.execute("UPDATE network_equipment SET mac_address = 'odd' WHERE id = 3");
        let untouched = [("rev", "1"), ("name", "ap-1"), ("type", "ap"), ("uplink_id", "2"), ("mac_address", "odd"), ("ip_address", "10.20.0.9")];
        assert_eq!(send_form(&api, "/network/equipment/3/edit", &untouched).await.status, 303);
        assert_eq!(api.get("/api/network_equipment/3").await.ok()["rev"], 1);
        let changed = [("rev", "1"), ("name", "ap-one"), ("type", "ap"), ("uplink_id", ""), ("mac_address", "odd"), ("ip_address", "10.20.0.9")];
        assert_eq!(send_form(&api, "/network/equipment/3/edit", &changed).await.status, 303);
        let now = api.get("/api/network_equipment/3").await.ok();
        assert_eq!((&now["name"], &now["uplink_id"], &now["mac_address"]), (&json!("ap-one"), &Value::Null, &json!("odd")));
        assert_eq!(send_form(&api, "/network/equipment/3/edit", &changed).await.status, 409, "somebody else's change in between");
        // Pages of others show it, lead to it, and offer to add more.
        let company = page("/companies/100001").await;
        assert!(company.contains("href=\"/network/equipment/1\"") && company.contains("/network/subnets/new?company=100001"), "{company}");
        assert!(company.contains("href=\"/companies/100001/topology\""));
        let device = page(&format!("/network/equipment/{}", firewall["id"])).await;
        assert!(device.contains("with this uplink") && device.contains("href=\"/network/equipment/2\""), "{device}");
        assert_eq!(send_form(&api, &format!("/network/equipment/{}/retire", firewall["id"]), &[]).await.status, 409);
        for list in ["equipment", "interfaces", "connections", "subnets", "vlans"] {
            page(&format!("/network/{list}/")).await;
            page(&format!("/network/{list}/new")).await;
        }
    }

    async fn the_picture_in_every_form(engine: Engine) {
        let (app, api, firewall, switch) = world(&engine).await;
        let evil = "<img src=x onerror=alert(1)> \"quoted\"";
        let odd = equipment(&api, evil, "other", json!({})).await;
        make(&api, "network_connections", json!({"a_id": switch["id"], "a_port": "48", "b_id": odd["id"], "b_port": "eth0", "type": "copper", "speed_mbps": 2500})).await;
        let picture = api.get("/api/companies/100001/topology").await.ok();
        let nodes = picture["nodes"].as_array().unwrap();
        let layer = |id: &Value| nodes.iter().find(|node| node["id"] == *id).unwrap()["layer"].clone();
        assert_eq!([layer(&firewall["id"]), layer(&switch["id"]), layer(&odd["id"])], [0, 1, 2]);
        let edges = picture["edges"].as_array().unwrap();
        assert_eq!(edges.len(), 2, "the uplink that no connection describes joins, too");
        assert!(edges.iter().any(|edge| edge["connection_id"].is_null() && edge["a_id"] == firewall["id"] && edge["b_id"] == switch["id"]));
        for (format, kind, has) in [
            ("svg", "image/svg+xml", "2.5 Gbit/s"), ("dot", "text/vnd.graphviz", "n2 -- n3"), ("mermaid", "text/plain; charset=utf-8", "n2 ---|"),
            ("drawio", "application/xml", "source=\"n2\" target=\"n3\""), ("csv", "text/csv; charset=utf-8", "sw-1,switch,"),
        ] {
            let file = api.get(&format!("/api/companies/100001/topology?format={format}")).await.status(200);
            assert_eq!(file.header("content-type"), kind);
            assert!(file.header("content-disposition").starts_with("attachment"), "{format}");
            assert!(file.text().contains(has), "{format}: {}", file.text());
            assert!(!file.text().contains("<img") || matches!(format, "csv" | "dot"), "{format}: {}", file.text());
        }
        assert_eq!(api.get("/api/companies/100001/topology?format=png").await.status(400).fields(), ["format"]);
        let html = api.get_with("/companies/100001/topology", "accept", "text/html").await.status(200).text();
        assert!(html.contains("<svg") && html.contains("&#60;img") && !html.contains("<img src=x"), "{html}");
        let empty = app.admin().get_with("/companies/100002/topology", "accept", "text/html").await.status(200).text();
        assert!(empty.contains("Nothing is documented yet"));
    }

    async fn gear_follows_its_asset_and_stays_joined_to_what_comes_along(engine: Engine) {
        let psa = Freshservice::start(freshservice::Plan::sized(1, 1).build()).await;
        let vendor = Datto::start(datto::Plan::sized(1, 1, 0).build()).await;
        let app = App::builder(&engine).freshservice(&psa).datto(&vendor).start().await;
        let api = app.admin();
        for (number, name) in [("900001", "From"), ("900002", "To")] {
            app.company(number, name).await;
        }
        let mut devices = Vec::new();
        for name in ["edge-router", "core-switch", "old-switch"] {
            let asset = json!({"hostname": name, "company_account_number": "900001", "type": "network_device"});
            let asset = api.post("/api/assets", &asset).await.status(201).json()["id"].clone();
            app.cli().run_beside(&["sync", "datto"]).await.code(0);
            let found = api.get(&format!("/api/network_equipment?asset_id={asset}")).await.ok();
            devices.push((asset, found[0]["id"].clone()));
        }
        let [(_, router), (_, core), (_, old)] = devices.as_slice() else { unreachable!("three of them") };
        for device in [core, old] {
            api.put(&format!("/api/network_equipment/{device}"), &json!({"uplink_id": router})).await.status(200);
        }
        let kept = make(&api, "network_connections", json!({"a_id": router, "b_id": core})).await["id"].clone();
        let cut = make(&api, "network_connections", json!({"a_id": old, "b_id": core})).await["id"].clone();
        let port = make(&api, "network_interfaces", json!({"equipment_id": core, "name": "1"})).await["id"].clone();
        for (asset, _) in &devices[..2] {
            api.put(&format!("/api/assets/{asset}"), &json!({"company_account_number": "900002"})).await.status(200);
        }
        app.cli().run_beside(&["sync", "datto"]).await.code(0);
        let read = async |list: &str, id: &Value| api.get(&format!("/api/{list}/{id}")).await.ok();
        let (core, old) = (read("network_equipment", core).await, read("network_equipment", old).await);
        assert_eq!((&core["company_id"], &core["uplink_id"]), (&json!("900002"), router), "both go, so one stays above the other");
        assert_eq!((&old["company_id"], &old["uplink_id"]), (&json!("900001"), &Value::Null), "what stays lets go");
        let (kept, cut) = (read("network_connections", &kept).await, read("network_connections", &cut).await);
        assert_eq!((&kept["company_id"], &kept["retired_at"]), (&json!("900002"), &Value::Null));
        assert!(cut["retired_at"].is_string());
        assert_eq!(read("network_interfaces", &port).await["company_id"], "900002");
    }

    async fn network_gear_that_the_rmm_sees_becomes_equipment(engine: Engine) {
        let psa = Freshservice::start(freshservice::Plan::sized(3, 5).build()).await;
        let vendor = Datto::start(datto::Plan::sized(3, 60, 0).build()).await;
        let app = App::builder(&engine).freshservice(&psa).datto(&vendor).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        let said = app.cli().run_beside(&["sync", "datto"]).await.code(0);
        let api = app.admin();
        let assets = api.get("/api/assets?type=network_device").await.ok();
        let owned: Vec<&Value> = assets.as_array().unwrap().iter().filter(|asset| asset["company_id"].is_string()).collect();
        assert!(!owned.is_empty(), "the stand-in has network gear");
        let seen = api.get("/api/network_equipment").await.ok();
        assert_eq!(seen.as_array().unwrap().len(), owned.len());
        assert!(said.stdout.contains(&format!("network equipment: {} new", owned.len())), "{}", said.stdout);
        for asset in &owned {
            let device = seen.as_array().unwrap().iter().find(|device| device["asset_id"] == asset["id"]).expect("its equipment");
            assert_eq!((&device["name"], &device["company_id"], &device["online"]), (&asset["hostname"], &asset["company_id"], &asset["online"]));
            assert_eq!(device["asset_name"], asset["hostname"]);
        }
        // What the RMM sees of a device is not copied: it follows the protection of the asset.
        let of_standard = seen.as_array().unwrap().iter().find(|device| device["seen_ip_address"].is_string());
        assert!(of_standard.is_some() && seen.as_array().unwrap().iter().all(|device| device["ip_address"].is_null()), "{seen}");
        let number = of_standard.unwrap()["company_id"].as_str().unwrap();
        api.put(&format!("/api/companies/{number}"), &json!({"compliance_level": "hipaa"})).await.status(200);
        let hidden = api.get(&format!("/api/network_equipment/{}", of_standard.unwrap()["id"])).await.ok();
        assert_eq!(hidden["seen_ip_address"], Value::Null, "the asset is protected now");
        // A person pins where something is, and unlinks something else: no loop, no second one.
        let (pinned, unlinked) = (&seen[0], &seen[1]);
        api.put(&format!("/api/pins/equipment/{}/company_id", pinned["id"]), &json!({})).await.status(200);
        let other = if pinned["company_id"] == "X" { "Y" } else { "999001" };
        app.company(other, "Elsewhere").await;
        api.put(&format!("/api/assets/{}", pinned["asset_id"]), &json!({"company_account_number": other})).await.status(200);
        api.put(&format!("/api/network_equipment/{}", unlinked["id"]), &json!({"asset_id": null})).await.status(200);
        let third = app.cli().run_beside(&["sync", "datto"]).await.code(0);
        assert!(!third.stdout.contains("network equipment:"), "{}", third.stdout);
        assert_eq!(api.get("/api/network_equipment").await.ok().as_array().unwrap().len(), owned.len());
        // Again: no second one. What a person has changed or retired stays as it is.
        let first = format!("/api/network_equipment/{}", seen[0]["id"]);
        api.put(&first, &json!({"name": "core"})).await.status(200);
        api.delete(&first).await.status(200);
        let again = app.cli().run_beside(&["sync", "datto"]).await.code(0);
        assert!(!again.stdout.contains("network equipment:"), "{}", again.stdout);
        assert_eq!(api.get("/api/network_equipment").await.ok().as_array().unwrap().len(), owned.len() - 1);
        assert_eq!(api.get(&first).await.ok()["name"], "core");
    }
}
