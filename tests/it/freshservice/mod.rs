//! A stand-in Freshservice: a small world of departments, requesters and agents behind real HTTP.
//! Tests edit the world, let Codex pull from it, then look at Codex and at what the world saw.

mod assets;
mod generate;
mod limits;
mod routes;
mod ticket_records;
mod tickets;
mod writes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub use assets::asset;
pub use generate::{HOSTILE_VALUES, Plan, department, requester};
pub use limits::Limits;
pub use ticket_records::{change, conversation, form_fields, ticket, time_entry};
pub use writes::PutHabit;

pub use crate::vendor_faults::{AfterWrite, Faults, Flake, ListFault};

use crate::http_server::{Answer, Answers, Request, Server};

/// The API key that the world accepts.
pub const API_KEY: &str = "test-key-of-the-stand-in";

/// Everything that the vendor knows, and how it misbehaves.
#[derive(Clone, Debug)]
pub struct State {
    /// Companies, in the order in which lists give them.
    pub departments: Vec<Value>,
    /// People of the companies.
    pub requesters: Vec<Value>,
    /// People whose own address answers although no list has them.
    pub hidden: Vec<Value>,
    /// The vendor's own users.
    pub agents: Vec<Value>,
    /// `{"id", "name", "primary"}`; the first is the primary one.
    pub workspaces: Vec<Value>,
    /// Definitions of the departments' custom fields.
    pub department_fields: Vec<Value>,
    /// Freshservice for MSPs: lists give the primary workspace only, unless asked for others.
    pub msp: bool,
    /// The lists are called companies and contacts, and have no other name.
    pub msp_names: bool,
    /// Tickets of every state; those in the trash say `deleted`, spam says `spam`, both stay here.
    pub tickets: Vec<Value>,
    /// The conversations, by ticket.
    pub conversations: BTreeMap<i64, Vec<Value>>,
    /// The time entries, by ticket.
    pub time_entries: BTreeMap<i64, Vec<Value>>,
    /// How many conversations a page has, however many are asked for.
    pub conversation_page: usize,
    /// The fields of the ticket form; the status field has the choices.
    pub ticket_form_fields: Vec<Value>,
    /// Whether `order_by` is ignored, as in the vendor's own list of parameters.
    pub ignores_order_by: bool,
    /// Whether a new note moves the ticket's `updated_at`.
    pub notes_move_tickets: bool,
    /// Whether the account has changes and assets.
    pub itil: bool,
    /// Change requests.
    pub changes: Vec<Value>,
    /// Assets with their `type_fields`, which lists give only when asked for.
    pub assets: Vec<Value>,
    /// The tree of asset types.
    pub asset_types: Vec<Value>,
    /// What PUT does with what is not sent.
    pub put: PutHabit,
    /// What goes wrong.
    pub faults: Faults,
    /// Calls allowed in a window, by bucket.
    pub limits: Limits,
    /// Every request in order, as `METHOD /path?query`.
    pub requests: Vec<String>,
    /// Every write that was accepted: path and body.
    pub writes: Vec<(String, Value)>,
    /// The time of the world's clock, in seconds, from which `updated_at` is made.
    pub clock: i64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            departments: Vec::new(),
            requesters: Vec::new(),
            hidden: Vec::new(),
            agents: vec![generate::agent(21_000_900_001, "Riley", "Stone")],
            workspaces: vec![json!({"id": 2, "name": "IT", "primary": true, "state": "active"})],
            department_fields: generate::department_fields(),
            msp: false,
            msp_names: false,
            tickets: Vec::new(),
            conversations: BTreeMap::new(),
            time_entries: BTreeMap::new(),
            conversation_page: 30,
            ticket_form_fields: ticket_records::form_fields(),
            ignores_order_by: false,
            notes_move_tickets: true,
            itil: true,
            changes: Vec::new(),
            assets: Vec::new(),
            asset_types: assets::asset_types(),
            put: PutHabit::default(),
            faults: Faults::default(),
            limits: Limits::generous(),
            requests: Vec::new(),
            writes: Vec::new(),
            clock: jiff::Timestamp::now().as_second(),
        }
    }
}

impl State {
    /// The list behind a resource's name; companies and contacts are the MSP edition's words.
    pub fn list(&self, resource: &str) -> Option<&Vec<Value>> {
        match resource {
            "departments" if !self.msp_names => Some(&self.departments),
            "requesters" if !self.msp_names => Some(&self.requesters),
            "agents" => Some(&self.agents),
            "workspaces" => Some(&self.workspaces),
            "department_fields" => Some(&self.department_fields),
            "tickets" => Some(&self.tickets),
            "ticket_form_fields" => Some(&self.ticket_form_fields),
            "changes" if self.itil => Some(&self.changes),
            "assets" if self.itil => Some(&self.assets),
            "asset_types" if self.itil => Some(&self.asset_types),
            "companies" if self.msp_names => Some(&self.departments),
            "contacts" if self.msp_names => Some(&self.requesters),
            _ => None,
        }
    }

    /// Moves the clock to the present, and at least a second on; gives the time as the vendor writes it.
    pub fn tick(&mut self) -> String {
        self.clock = (self.clock + 1).max(jiff::Timestamp::now().as_second());
        generate::time(self.clock)
    }

    /// Changes one record wherever it is, and moves its `updated_at`.
    pub fn change(&mut self, id: i64, change: impl FnOnce(&mut Value)) {
        let stamp = self.tick();
        let people = self.departments.iter_mut().chain(&mut self.requesters).chain(&mut self.agents);
        for record in people.chain(&mut self.tickets).chain(&mut self.changes).chain(&mut self.assets) {
            if record["id"] == id {
                change(record);
                record["updated_at"] = json!(stamp);
                return;
            }
        }
        panic!("the world has no record {id}");
    }

    /// Makes a record vanish for good.
    pub fn remove(&mut self, id: i64) {
        let people = [&mut self.departments, &mut self.requesters, &mut self.agents];
        for list in people.into_iter().chain([&mut self.tickets, &mut self.changes, &mut self.assets]) {
            list.retain(|record| record["id"] != id);
        }
        self.conversations.remove(&id);
        self.time_entries.remove(&id);
    }

    /// The ids of the departments, the requesters, the tickets or the assets.
    pub fn ids(&self, resource: &str) -> Vec<i64> {
        let list = match resource {
            "departments" => &self.departments,
            "tickets" => &self.tickets,
            "assets" => &self.assets,
            _ => &self.requesters,
        };
        list.iter().filter_map(|record| record["id"].as_i64()).collect()
    }
}

/// The running stand-in.
pub struct Freshservice {
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

impl Freshservice {
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

    /// The account's address, as `[freshservice] domain` takes it.
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
