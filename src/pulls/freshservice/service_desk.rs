//! Freshservice as the service desk of the tickets here, and where its clients find it.

use axum::{extract::State, response::Response};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::tickets;
use crate::web::openapi::schema as json;
use crate::{
    auth::Reader,
    config::Config,
    db::Write,
    error::Result,
    outbox,
    tickets::{
        Ticket,
        codes::SOURCE,
        service_desk::{Live, ServiceDesk},
    },
    vendors::{credentials, freshservice},
    web::{ReadRequest, Routes, Web},
};

/// The service desk.
pub struct Desk;

impl ServiceDesk for Desk {
    fn fetch<'a>(&'a self, web: &'a Web, number: i64) -> BoxFuture<'a, Result<Option<Live>>> {
        Box::pin(tickets::fetch(&web.db, &web.config, number))
    }

    fn enqueue(&self, w: &mut Write<'_>, ticket: &Ticket, status: bool, note: Option<(i64, &str)>) -> Result<bool> {
        Ok(!outbox::tickets::enqueue(w, ticket, status, note)?.is_empty())
    }

    fn deliver<'a>(&'a self, web: &'a Web, by: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(outbox::api::deliver(web, by))
    }

    fn new_page<'a>(&'a self, web: &'a Web) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let config = credentials::effective(&web.db, &web.config).await?;
            Ok(config.freshservice.web_url.as_ref().map(|url| format!("{url}/a/tickets/new")))
        })
    }

    fn page<'a>(&'a self, web: &'a Web, number: i64) -> BoxFuture<'a, Result<Option<(String, &'static str)>>> {
        Box::pin(async move {
            let config = credentials::effective(&web.db, &web.config).await?;
            let url = config.freshservice.web_url.as_ref();
            Ok(url.map(|url| (format!("{url}/a/tickets/{number}"), freshservice::NAME)))
        })
    }
}

/// What programs ask about the account.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/psa/config", providers)
        .tells("Tell where tickets are found at their vendor", |_| {
            let groups = ["professional_services", "helpdesk"].map(|name| (name, json::or_null(json::int())));
            let provider = json::object(&[
                ("name", json::text()),
                ("ticket_url_template", json::text()),
                ("company_url_template", json::text()),
                ("contact_url_template", json::text()),
                ("group_ids", json::object(&groups)),
            ]);
            json::object(&[("providers", json::map(provider)), ("default_provider", json::or_null(json::text()))])
        })
        .get("/api/config/freshservice_domain", domain)
        .tells("Tell the host of the Freshservice account", |_| json::object(&[("value", json::or_null(json::text()))]))
}

/// `GET /api/psa/config`: where tickets are at the vendors; the places to fill in stay as they are.
async fn providers(State(web): State<Web>, _caller: Reader, request: ReadRequest) -> Result<Response> {
    let config = credentials::effective(&web.db, &web.config).await?;
    request.value(&links_to_vendors(&config))
}

/// Where tickets, companies and people are at the vendors that are set up.
fn links_to_vendors(config: &Config) -> Value {
    let Some(web) = config.freshservice.web_url.as_deref() else {
        return json!({"providers": {}, "default_provider": null});
    };
    json!({
        "providers": {SOURCE: {
            "name": freshservice::NAME,
            "ticket_url_template": format!("{web}/a/tickets/{{ticket_id}}"),
            "company_url_template": format!("{web}/a/admin/departments/{{company_id}}"),
            "contact_url_template": format!("{web}/a/requesters/{{contact_id}}"),
            "group_ids": {
                "professional_services": config.freshservice.professional_services_group_id,
                "helpdesk": config.freshservice.helpdesk_group_id,
            },
        }},
        "default_provider": SOURCE,
    })
}

/// `GET /api/config/freshservice_domain`
async fn domain(State(web): State<Web>, _caller: Reader, request: ReadRequest) -> Result<Response> {
    let config = credentials::effective(&web.db, &web.config).await?;
    let url = config.freshservice.url.as_deref();
    request.value(&json!({"value": url.map(|url| url.split_once("://").map_or(url, |(_, host)| host))}))
}
