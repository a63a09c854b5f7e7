//! The stand-ins must behave as the vendor's documentation says, or the tests prove nothing.

use crate::core::Core;
use crate::freshservice::{API_KEY, Freshservice, Limits, ListFault, Plan};
use serde_json::Value;

pub async fn get(vendor: &Freshservice, path: &str) -> reqwest::Result<reqwest::Response> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    client.get(format!("{}/api/v2/{path}", vendor.url())).basic_auth(API_KEY, Some("X")).send().await
}

#[tokio::test]
async fn pages_follow_the_link_and_end_in_an_empty_page() {
    let vendor = Freshservice::start(Plan::sized(120, 205).build()).await;
    let mut ids = Vec::new();
    let mut page = 1;
    loop {
        let answer = get(&vendor, &format!("requesters?per_page=100&page={page}")).await.unwrap();
        let link = answer.headers().get("link").cloned();
        let body: Value = answer.json().await.unwrap();
        ids.extend(body["requesters"].as_array().unwrap().iter().map(|person| person["id"].as_i64().unwrap()));
        let Some(link) = link else { break };
        page += 1;
        assert!(link.to_str().unwrap().contains(&format!("page={page}>; rel=\"next\"")));
    }
    ids.dedup();
    assert_eq!((ids.len(), page), (205, 3));
    let past: Value = get(&vendor, "requesters?page=9").await.unwrap().json().await.unwrap();
    assert_eq!(past, serde_json::json!({"requesters": []}));
    assert_eq!(get(&vendor, "requesters?per_page=101").await.unwrap().status(), 400);
    assert_eq!(vendor.seen("GET /api/v2/requesters?"), 5);
}

#[tokio::test]
async fn limits_refuse_with_retry_after() {
    let mut state = Plan::sized(3, 3).build();
    state.limits = Limits::new(std::time::Duration::from_secs(60), 100, 2);
    let vendor = Freshservice::start(state).await;
    for remaining in ["1", "0"] {
        let answer = get(&vendor, "requesters").await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["x-ratelimit-remaining"].to_str().unwrap()), (200, remaining));
    }
    let refused = get(&vendor, "requesters").await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(get(&vendor, "departments").await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_reach_the_wire() {
    let vendor = Freshservice::start(Plan::sized(50, 3).build()).await;
    vendor.world(|state| state.faults.add_times("departments", ListFault::Cut, 1));
    assert!(get(&vendor, "departments").await.unwrap().bytes().await.is_err());
    assert!(get(&vendor, "departments").await.unwrap().bytes().await.is_ok());
    vendor.world(|state| state.faults.add_times("departments", ListFault::Reset, 1));
    assert!(get(&vendor, "departments").await.is_err());
    vendor.world(|state| state.faults.flaky_percent = 30);
    let mut bad = 0;
    for _ in 0..60 {
        let fine = match get(&vendor, "departments").await {
            Ok(answer) => answer.status() == 200 && answer.json::<Value>().await.is_ok(),
            Err(_) => false,
        };
        bad += usize::from(!fine);
    }
    assert!((5..=35).contains(&bad), "{bad} of 60");
}

#[tokio::test]
async fn cores_tokens_verify_against_its_key_set() {
    let core = Core::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let set = |client: reqwest::Client, url: String| async move {
        let body = client.get(format!("{url}/.well-known/jwks.json")).send().await.unwrap().json::<Value>().await.unwrap();
        serde_json::from_value::<jsonwebtoken::jwk::JwkSet>(body).unwrap()
    };
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_issuer(&[crate::core::ISSUER]);
    let token = core.user("ada", "ada@example.com", "admin");
    let key =
        |keys: &jsonwebtoken::jwk::JwkSet| jsonwebtoken::DecodingKey::from_jwk(keys.find(crate::core::KID).unwrap()).unwrap();
    let before = set(client.clone(), core.url()).await;
    assert!(jsonwebtoken::decode::<Value>(&token, &key(&before), &rules).is_ok());
    core.change_key();
    let after = set(client, core.url()).await;
    assert!(jsonwebtoken::decode::<Value>(&token, &key(&after), &rules).is_err());
}
