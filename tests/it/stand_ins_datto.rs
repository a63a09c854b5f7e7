//! The stand-in Datto, and what Freshservice's has beside companies and people, must behave as the
//! vendors' documentation says, or the tests prove nothing.

use serde_json::{Value, json};
use std::time::Duration;

use crate::datto::{AfterWrite, Datto, Limits, ListFault, PUBLIC_KEY, Plan, SECRET_KEY, uid};
use crate::freshservice;
use crate::stand_ins::get;

struct Client {
    http: reqwest::Client,
    token: String,
    base: String,
}

async fn signed_in(vendor: &Datto) -> Client {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [("grant_type", "password"), ("username", PUBLIC_KEY), ("password", SECRET_KEY)];
    let asked = http.post(format!("{}/auth/oauth/token", vendor.url())).basic_auth("public-client", Some("public")).form(&form);
    let body: Value = asked.send().await.unwrap().json().await.unwrap();
    Client { http, token: body["access_token"].as_str().unwrap().to_owned(), base: vendor.url() }
}

impl Client {
    async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.http.get(format!("{}/api/v2/{path}", self.base)).bearer_auth(&self.token).send().await
    }

    async fn json(&self, path: &str) -> Value {
        self.get(path).await.unwrap().json().await.unwrap()
    }

    async fn put(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        self.http.put(format!("{}/api/v2/{path}", self.base)).bearer_auth(&self.token).json(body).send().await
    }
}

#[tokio::test]
async fn pages_begin_at_zero_and_forget_their_parameters() {
    let vendor = Datto::start(Plan::sized(12, 600, 90).build()).await;
    let client = signed_in(&vendor).await;
    let mut seen = 0;
    let mut page = 0;
    loop {
        let body = client.json(&format!("account/devices?max=250&page={page}")).await;
        seen += body["devices"].as_array().unwrap().len();
        assert_eq!(body["pageDetails"]["totalCount"], 603);
        if body["pageDetails"]["nextPageUrl"].is_null() {
            break;
        }
        page += 1;
    }
    assert_eq!((seen, page), (603, 2));
    let sites = client.json("account/sites?siteName=site&max=5").await;
    assert_eq!(sites["sites"].as_array().unwrap().len(), 5);
    assert!(!sites["pageDetails"]["nextPageUrl"].as_str().unwrap().contains("siteName"));
    let open = client.json("account/alerts/open").await["alerts"].as_array().unwrap().len();
    let resolved = client.json("account/alerts/resolved").await["alerts"].as_array().unwrap().len();
    assert_eq!((open, resolved), (30, 60));
    assert_eq!(client.get(&format!("audit/printer/{}", uid(2, 0))).await.unwrap().status(), 400);
    assert_eq!(client.get(&format!("audit/printer/{}", uid(2, 6))).await.unwrap().status(), 200);
    assert_eq!(client.get("site/nobody/devices").await.unwrap().status(), 404);
    vendor.world(|state| state.faults.add("account/devices", ListFault::Thin(3, true)));
    let thin = client.json("account/devices?max=250").await;
    assert_eq!(thin["pageDetails"]["totalCount"], 603, "the total is honest, the list is not");
}

#[tokio::test]
async fn tokens_end_and_bad_credentials_are_400() {
    let mut world = Plan::sized(2, 2, 0).build();
    world.tokens.uses = Some(2);
    let vendor = Datto::start(world).await;
    let client = signed_in(&vendor).await;
    for status in [200, 200, 401] {
        assert_eq!(client.get("account").await.unwrap().status(), status);
    }
    let form = [("grant_type", "password"), ("username", PUBLIC_KEY), ("password", "wrong")];
    let asked =
        client.http.post(format!("{}/auth/oauth/token", vendor.url())).basic_auth("public-client", Some("public")).form(&form);
    assert_eq!(asked.send().await.unwrap().status(), 400);
    assert_eq!(vendor.world(|state| (state.tokens.grants, state.tokens.refused)), (1, 1));
}

#[tokio::test]
async fn beyond_the_window_comes_429_and_then_the_block() {
    let mut world = Plan::sized(2, 2, 0).build();
    world.limits = Limits::new(Duration::from_secs(1), 5, 1);
    (world.limits.patience, world.limits.block) = (3, Duration::from_millis(1500));
    let vendor = Datto::start(world).await;
    let client = signed_in(&vendor).await;
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(client.get("account").await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429, 429, 403, 403]);
    tokio::time::sleep(Duration::from_millis(1700)).await;
    let rate = client.json("system/request_rate").await;
    assert_eq!(
        (&rate["accountRateLimit"], &rate["accountCount"], &rate["accountWriteRateLimit"]),
        (&json!(5), &json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_write_can_be_done_and_its_answer_lost() {
    let vendor = Datto::start(Plan::sized(3, 2, 0).build()).await;
    let client = signed_in(&vendor).await;
    let site = uid(1, 2);
    let path = format!("site/{site}/variable");
    vendor.world(|state| {
        state.variables.insert(uid(1, 2), Vec::new());
        state.faults.after_writes.push_back(AfterWrite::Reset);
    });
    let body = json!({"name": "AccountNumber", "value": "123456", "masked": false});
    assert!(client.put(&path, &body).await.is_err());
    assert_eq!(vendor.world(|state| (state.writes.len(), state.account_of(&site))), (1, Some("123456".to_owned())));
    assert_eq!(client.put(&path, &body).await.unwrap().status(), 409, "it is there already");
    assert_eq!(client.put(&path, &json!({"name": "AccountNumber", "value": 1})).await.unwrap().status(), 400);
}

#[tokio::test]
async fn garbage_is_always_the_same() {
    let plan = Plan::sized(20, 200, 40).with_garbage(8);
    let (one, other) = (plan.build(), plan.build());
    assert_eq!((&one.devices, &one.alerts, &one.variables), (&other.devices, &other.alerts, &other.variables));
    let clean = Plan { garbage_percent: 0, ..plan }.build();
    let spoilt = one.devices.iter().zip(&clean.devices).filter(|(one, other)| one != other).count();
    assert!((14..=18).contains(&spoilt), "{spoilt} of 203");
}

async fn tickets(vendor: &freshservice::Freshservice, query: &str) -> Value {
    get(vendor, &format!("tickets?{query}")).await.unwrap().json().await.unwrap()
}

fn count(body: &Value) -> usize {
    body["tickets"].as_array().unwrap_or_else(|| panic!("{body}")).len()
}

#[tokio::test]
async fn ticket_lists_leave_out_what_the_vendors_do() {
    let vendor =
        freshservice::Freshservice::start(freshservice::Plan::sized(10, 40).with_tickets(300).with_assets(5).build()).await;
    assert!(count(&tickets(&vendor, "per_page=100").await) < 90, "thirty days only");
    let since = "updated_since=2000-01-01T00:00:00Z&per_page=100";
    let mut all = 0;
    for page in 1..=4 {
        all += count(&tickets(&vendor, &format!("{since}&page={page}")).await);
    }
    let deleted = count(&tickets(&vendor, &format!("{since}&filter=deleted")).await);
    let spam = count(&tickets(&vendor, &format!("{since}&filter=spam")).await);
    assert_eq!((all, deleted, spam), (288, 6, 6));
    assert_eq!(get(&vendor, "tickets?per_page=101").await.unwrap().status(), 400);
    let first = tickets(&vendor, &format!("{since}&order_type=asc&include=stats,requester")).await["tickets"][0].clone();
    assert_eq!(first["id"], 1);
    assert!(first["stats"]["first_responded_at"].is_string() && first["requester"]["id"].is_i64() && first.get("tags").is_none());
    let trashed: Value = get(&vendor, "tickets/12").await.unwrap().json().await.unwrap();
    assert_eq!(trashed["ticket"]["deleted"], true);
    let many: Value = get(&vendor, "tickets/8/conversations?per_page=100").await.unwrap().json().await.unwrap();
    assert_eq!(many["conversations"].as_array().unwrap().len(), 30);
    let assets: Value = get(&vendor, "assets?include=type_fields").await.unwrap().json().await.unwrap();
    assert!(assets["assets"][0]["type_fields"].as_object().unwrap().keys().any(|key| key.starts_with("serial_number_")));
}

#[tokio::test]
async fn departments_refuse_what_the_vendor_refuses() {
    let mut world = freshservice::Plan::sized(3, 3).build();
    world.put = freshservice::PutHabit { nulls_unsent_custom_fields: true, refuses_partial_objects: true };
    let vendor = freshservice::Freshservice::start(world).await;
    let id = vendor.world(|state| state.ids("departments")[0]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let put = |body: Value| {
        let request =
            client.put(format!("{}/api/v2/departments/{id}", vendor.url())).basic_auth(freshservice::API_KEY, Some("X"));
        async move { request.json(&body).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(put(json!({"name": "A", "custom_fields": {"account_number": "123456"}})).await, 400);
    assert_eq!(put(json!({"custom_fields": {"account_number": 123_456}})).await, 400);
    assert_eq!(put(json!({"name": "A", "custom_fields": {"account_number": 123_456}})).await, 200);
    let fields = vendor.world(|state| state.departments[0]["custom_fields"].clone());
    assert_eq!((&fields["account_number"], &fields["plan_selected"]), (&json!(123_456), &Value::Null));
    assert_eq!(vendor.world(|state| state.writes.len()), 1);
}
