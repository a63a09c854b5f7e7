//! A stand-in Datto RMM: a small world of sites, devices, alerts and audits behind real HTTP.
//! Tests edit the world, let Codex pull from it, then look at Codex and at what the world saw.

mod edit;
mod generate;
mod limits;
mod lists;
mod records;
mod routes;
mod tokens;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use crate::vendor_faults::{AfterWrite, Faults, Flake, ListFault};
pub use generate::{Plan, account_number};
pub use limits::{Limits, Quota};
pub use records::{DELETED_DEVICES, NEVER, alert, audit, device, site, uid, variable};
pub use tokens::Tokens;

use crate::http_server::{Answer, Answers, Request, Server};

/// The API key that the world accepts.
pub const PUBLIC_KEY: &str = "STANDINKEY";
/// The secret that belongs to it.
pub const SECRET_KEY: &str = "stand-in-secret-of-datto";

/// Everything that the vendor knows, and how it misbehaves.
#[derive(Clone, Debug)]
pub struct State {
    /// The sites, in the order in which lists give them.
    pub sites: Vec<Value>,
    /// The devices of all sites.
    pub devices: Vec<Value>,
    /// Open and resolved alerts.
    pub alerts: Vec<Value>,
    /// A site's variables, by its uid.
    pub variables: BTreeMap<String, Vec<Value>>,
    /// The audits, by the device's uid.
    pub audits: BTreeMap<String, Value>,
    /// The installed programs, by the device's uid.
    pub software: BTreeMap<String, Vec<Value>>,
    /// Whose requests are answered.
    pub tokens: Tokens,
    /// The largest page.
    pub page_max: usize,
    /// The largest page of alerts.
    pub alert_page_max: usize,
    /// Whether a larger `max` is refused with 400; otherwise it is clamped.
    pub refuses_large_pages: bool,
    /// Whether PUT of a variable that exists makes a second one; otherwise it is a 409.
    pub doubles_variables: bool,
    /// Whether lists say how many records there are.
    pub tells_totals: bool,
    /// What goes wrong.
    pub faults: Faults,
    /// Calls allowed in a window.
    pub limits: Limits,
    /// Every request in order, as `METHOD /path?query`.
    pub requests: Vec<String>,
    /// Every write that was accepted: `METHOD /path` and body.
    pub writes: Vec<(String, Value)>,
    /// The time of the world's clock, in seconds.
    pub clock: i64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            sites: Vec::new(),
            devices: Vec::new(),
            alerts: Vec::new(),
            variables: BTreeMap::new(),
            audits: BTreeMap::new(),
            software: BTreeMap::new(),
            tokens: Tokens::default(),
            page_max: 250,
            alert_page_max: 250,
            refuses_large_pages: false,
            doubles_variables: false,
            tells_totals: true,
            faults: Faults { flakes: Flake::ALL.to_vec(), ..Faults::default() },
            limits: Limits::generous(),
            requests: Vec::new(),
            writes: Vec::new(),
            clock: jiff::Timestamp::now().as_second(),
        }
    }
}

/// The running stand-in.
pub struct Datto {
    world: Arc<World>,
    server: Option<Server>,
    port: u16,
}

struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for World {
    fn answer(&self, request: &Request) -> Answer {
        routes::answer(&mut self.state(), request)
    }
}

impl Datto {
    /// Serves this world on a free port.
    pub async fn start(state: State) -> Self {
        Self::start_on(0, state).await
    }

    /// Serves this world on a chosen port.
    pub async fn start_on(port: u16, state: State) -> Self {
        let world = Arc::new(World(Mutex::new(state)));
        let server = Server::start(port, Arc::clone(&world) as Arc<dyn Answers>).await.expect("the stand-in's port");
        let port = server.port();
        Self { world, server: Some(server), port }
    }

    /// The account's address, as `[datto] api_endpoint` takes it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Looks at the world or changes it.
    pub fn world<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.world.state())
    }

    /// Takes the whole vendor off the net.
    pub fn go_away(&mut self) {
        self.server = None;
    }

    /// Brings it back on the same port.
    pub async fn come_back(&mut self) {
        let world = Arc::clone(&self.world) as Arc<dyn Answers>;
        self.server = Some(Server::start(self.port, world).await.expect("the stand-in's old port"));
    }

    /// How many requests so far had this text in `METHOD /path?query`.
    pub fn seen(&self, text: &str) -> usize {
        self.world(|state| state.requests.iter().filter(|line| line.contains(text)).count())
    }
}
