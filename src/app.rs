//! Where the rooms are joined into one program.

use std::sync::{Arc, LazyLock};

use axum::{Extension, Router, middleware, response::Response};
use serde_json::Value;

use crate::{
    admin, agents, assets,
    auth::{self, ApiKeys, CompanyLookup, Expected, PersonKeeper, Verifier, api_key},
    backups, billing, companies,
    compliance::{
        self,
        screen::{self, Screens},
    },
    config::Config,
    contacts, custom,
    db::{
        Db,
        list::{ListSpec, beside},
    },
    error::Result,
    home,
    identity::{self, Identity},
    jobs::{live, scheduler},
    licences, monitoring, network, notices, outgoing_webhooks,
    plan::{self, OtherKind},
    platform::{Health, health, metrics},
    pulls, reconcile, records,
    resource::{dependents, links, panel, record_history, ways},
    status::{self, notice},
    tickets,
    types::office,
    ui::error_page,
    vendors::credentials,
    web::{
        ReadRequest, RouteInfo, Routes, Web, disclosure, disclosures_store, middleware::wrap, openapi, server, shares,
        static_files,
    },
};

/// What hangs on records of other rooms, in the order in which it is let go.
const DEPENDENTS: &[&dyn dependents::Dependent] = &[
    // Before who belongs to which company: a seat that comes back asks for that.
    &licences::Held,
    &assets::Owned,
    &companies::Within,
    &billing::Billed,
    &contacts::Belonging,
    &monitoring::Alerts,
    &reconcile::sites::Sites,
    &records::custom::Beside,
    &records::nouns::Leading,
];

/// The links that one room keeps and another one takes.
const LINKS: &[&dyn links::Links] = &[&assets::Used];

/// What rooms show on the pages of records of other rooms, in the order in which it stands.
const PANELS: &[&dyn panel::Panels] = &[
    &records::custom::panel::OfCustom,
    &billing::company_plan::OfPlan,
    &contacts::panels::OfContacts,
    &assets::panels::OfAssets,
    &licences::panels::OfLicenses,
    &records::nouns::panel::OfNouns,
    &tickets::panels::OfTickets,
    &monitoring::panels::OfAlerts,
    &records::attachments::panel::OfAttachments,
    &reconcile::assets::panel::OfVendors,
];

/// What people are told when it goes wrong, in the order in which they see it.
const NOTICES: &[&notice::Kind] = &[
    &notices::kinds::SOURCE,
    &notices::kinds::PLAN,
    &backups::NOTICE,
    &notices::kinds::REVIEW,
    &notices::kinds::WARRANTY,
    &notices::kinds::CONTRACT,
    &notices::kinds::LICENSE,
    &notices::kinds::WEBHOOK,
];

/// Tells rooms of each other what they must not know by name; before anything else runs.
pub fn register() {
    let nouns = records::entities::nouns().map(|noun| OtherKind { name: noun.name(), plural: noun.door().many });
    plan::register(nouns.collect());
    jobs::register();
    dependents::register(DEPENDENTS);
    links::register(LINKS);
    panel::register(PANELS);
    ways::register(&[tickets::service_desk::new_ticket]);
    tickets::service_desk::register(&pulls::freshservice::service_desk::Desk);
    record_history::register(records::pages::record::past);
    notice::register(NOTICES);
    api_key::register(records::reach::reach().types);
    assets::other_types::register(&[records::nouns::license_assets::LICENSES]);
    disclosure::register(records::entities::ENTITIES.iter().map(|noun| noun.name()));
    custom::register(records::custom::nouns());
    beside::register(&custom::OfRecords);
    beside::register_strike(screen::strike);
}

/// Every route of every room. Only in stand-alone mode do people sign in here.
#[must_use]
pub fn routes(stand_alone: bool) -> Routes {
    let sign_in = if stand_alone { identity::routes() } else { identity::platform_routes() };
    Routes::new()
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(static_files::routes())
        .merge(reference::routes())
        .merge(compliance::routes())
        .merge(agents::routes(stand_alone))
        .merge(sign_in)
        .merge(companies::routes())
        .merge(contacts::routes())
        .merge(assets::routes())
        .merge(monitoring::routes())
        .merge(network::routes())
        .merge(tickets::routes())
        .merge(licences::routes())
        .merge(billing::routes())
        .merge(records::routes())
        .merge(backups::routes())
        .merge(home::routes())
        .merge(admin::api::routes())
        .merge(pulls::freshservice::service_desk::routes())
        .merge(pulls::keycloak::routes())
        .merge(reconcile::review::api::routes())
        .merge(reconcile::assets::field_sources::routes())
        .merge(scheduler::api::routes())
        .merge(credentials::api::routes())
        .merge(live::routes())
        .merge(outgoing_webhooks::routes())
        .merge(notices::routes())
        .merge(admin::routes())
}

mod freezing;
pub mod jobs;
#[cfg(test)]
mod plan_tests;
mod reference;

/// Every route as (path, method), for the tables in the tests and the documents made from it.
#[must_use]
pub fn route_table() -> Vec<RouteInfo> {
    let (_, mut table) = routes(true).into_parts();
    table.sort_by_key(|route| (route.path, route.method));
    table
}

/// The routes that answer lists, and what those can be asked.
fn lists() -> Vec<(&'static str, &'static ListSpec)> {
    let (people, devices) = (&contacts::list_store::OF_COMPANY, &assets::list_store::LIST);
    let lists = [
        ("/api/companies", &companies::list_store::COMPANIES),
        ("/api/contacts", &contacts::list_store::LIST),
        ("/api/assets", devices),
        ("/api/tickets", &tickets::list_store::LIST),
        ("/api/freshservice/tickets", &tickets::list_store::LIST),
        ("/api/psa/tickets", &tickets::list_store::LIST),
        ("/api/psa/tickets/active", &tickets::list_store::LIST),
        ("/api/change_requests", &tickets::change_store::LIST),
        ("/api/alerts", &monitoring::alert_list_store::ALERTS),
        ("/api/disclosures", &disclosures_store::DISCLOSURES),
        ("/api/billing-plans", &billing::list_store::PLANS),
        ("/api/feature-options", &billing::list_store::OPTIONS),
        ("/api/companies/{acct}/contacts", people),
        ("/api/companies/{acct}/users", people),
        ("/api/companies/{acct}/assets", devices),
    ];
    let nouns = records::entities::nouns();
    lists
        .into_iter()
        .chain(nouns.flat_map(|noun| [noun.paths().list, noun.paths().of_company].map(|path| (path, noun.list()))))
        .collect()
}

/// The description of this API (OpenAPI 3.1), made from what is routed.
#[must_use]
pub fn description() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        register();
        openapi::document(&route_table(), &lists())
    });
    &DOCUMENT
}

/// `GET /api/openapi.json`, and under the name that flask programs give it (contract §1.0).
async fn document(request: ReadRequest) -> Result<Response> {
    request.value(description())
}

/// The whole program: what the rooms share, joined once.
#[derive(Clone)]
pub struct App {
    web: Web,
    health: Arc<Health>,
    verifier: Arc<Verifier>,
    identity: Option<Identity>,
}

impl App {
    /// Over this configuration and database.
    pub fn new(config: Arc<Config>, db: Db) -> Result<Self> {
        register();
        office::keep_time_of(&config.display.time_zone);
        let health = Arc::new(Health::new(&config, db.clone())?);
        let (issuers, service) = (config.core.issuers.clone(), config.core.service_name.clone());
        let expected = Expected { issuers, service, ours: config.core.url.is_none() };
        let api_keys = ApiKeys::new(db.clone(), records::reach::reach(), config.limits.key_requests);
        let (verifier, identity) = if let Some(url) = &config.core.url {
            let check = config.core.revocation_check;
            (
                Verifier::platform(db.clone(), url, check, expected, companies_of_client(), api_keys)?
                    .remembering(agents_of_tokens()),
                None,
            )
        } else {
            let identity = open_identity(config.clone(), db.clone())?;
            let verifier = Verifier::stand_alone(db.clone(), identity.signer(), expected, api_keys);
            (verifier.reauthenticating(Arc::new(identity.clone())), Some(identity))
        };
        Ok(Self { web: Web::new(config, db), health, verifier: Arc::new(verifier), identity })
    }

    /// Waits until it is stored who read what.
    pub async fn flush(&self) {
        self.web.disclosures.flush().await;
    }

    /// The people who sign in here; none on the platform.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// What callers may take of the server.
    #[must_use]
    pub fn limits(&self) -> server::Limits {
        self.web.limits()
    }

    /// Everything as one service, at `/…` and at `/codex/…`. Around every handler: who is asking;
    /// around that: whether another site's page made the request.
    pub fn router(&self) -> Router {
        let Self { web, health, verifier, identity } = self.clone();
        let ages = status::Ages::new(web.db.clone());
        let public_url: Option<Arc<str>> = web.config.server.public_url.as_deref().map(Into::into);
        let (reads, screens, db_readers) = (web.clone(), Screens::new(web.clone()), web.db.readers());
        wrap(routes(identity.is_some()), web, error_page::render, |mut router| {
            if let Some(identity) = identity {
                router = router.layer(Extension(identity));
            }
            router
                .layer(middleware::from_fn_with_state(ages, status::freshness::stamp))
                .layer(middleware::from_fn_with_state(screens, screen::follow))
                .layer(middleware::from_fn_with_state(reads, disclosure::follow))
                .layer(middleware::from_fn_with_state(shares::Shares::of(db_readers), shares::wait))
                .layer(Extension(health))
                .layer(Extension(verifier.clone()))
                .layer(middleware::from_fn_with_state(verifier, auth::authenticate))
                .layer(middleware::from_fn_with_state(public_url, auth::csrf::protect))
        })
    }
}

/// The people in this database, with the keys of this instance.
pub fn open_identity(config: Arc<Config>, db: Db) -> Result<Identity> {
    let issuer = config.core.issuers.first().map_or("hivematrix-core", String::as_str).to_owned();
    let service = config.core.service_name.clone();
    Identity::open(db, config, &issuer, &service)
}

/// On the platform whoever comes with a token is an agent from then on.
fn agents_of_tokens() -> PersonKeeper {
    Arc::new(agents::store::remember)
}

/// On the platform a client belongs to the companies of the contact who carries their e-mail.
#[must_use]
pub fn companies_of_client() -> CompanyLookup {
    Arc::new(contacts::store::companies_of_email)
}
