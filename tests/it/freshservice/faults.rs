//! The ways in which the vendor can go wrong, switched on and off while it runs.

use std::time::Duration;

use crate::http_server::{Answer, Response};

/// What happens to one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// A maintenance page with status 200.
    Html,
    /// Status 200 and an empty array, whatever is asked.
    Empty,
    /// Status 200 and not a byte.
    EmptyBody,
    /// This status with a small JSON error.
    Status(u16),
    /// Status 429; with this `Retry-After` when there is one.
    TooMany(Option<u32>),
    /// Page one for every page, with a next link for ever.
    RepeatedPage,
    /// At most this many records on a page, however many were asked for; the next link is right.
    Short(usize),
    /// At most this many records on a page, and no next link at all.
    ShortWithoutLink(usize),
    /// From page two on, everything has moved up by this many records: some are never shown.
    Shift(usize),
    /// From page two on, everything has moved down by this many records: some are shown twice.
    Repeat(usize),
    /// The body stops in the middle.
    Cut,
    /// Valid JSON of another shape.
    Shape(&'static str),
    /// A hundred megabytes are not needed to be too deep: this many nested arrays in a field.
    Deep(usize),
    /// From this page on: the answer is an empty array although records remain.
    EmptyFrom(usize),
    /// From this page on: this status.
    StatusFrom(usize, u16),
    /// The connection is reset.
    Reset,
}

/// A fault, where, and for how long.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `departments`, `requesters`, `agents`, `workspaces`; `*` for all lists; `departments/` for single records.
    pub resource: String,
    /// What happens.
    pub kind: ListFault,
    /// How many more requests it hits; `None` is for ever.
    pub times: Option<u32>,
}

/// Every fault that is on.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Faults of particular lists; the first that matches wins.
    pub lists: Vec<Fault>,
    /// Percentage of requests that fail with 500, 502 in HTML, a cut body or a reset.
    pub flaky_percent: u64,
    /// How long every answer takes.
    pub latency: Duration,
    /// Drives the dice of `flaky_percent`.
    pub seed: u64,
}

impl Faults {
    /// Switches a fault on for ever.
    pub fn add(&mut self, resource: &str, kind: ListFault) {
        self.lists.push(Fault { resource: resource.to_owned(), kind, times: None });
    }

    /// Switches a fault on for this many requests.
    pub fn add_times(&mut self, resource: &str, kind: ListFault, times: u32) {
        self.lists.push(Fault { resource: resource.to_owned(), kind, times: Some(times) });
    }

    /// The fault that hits this request, used up by one.
    pub fn hit(&mut self, resource: &str) -> Option<ListFault> {
        let list = !resource.ends_with('/');
        let matches =
            |fault: &&mut Fault| (fault.resource == resource || (list && fault.resource == "*")) && fault.times != Some(0);
        let fault = self.lists.iter_mut().find(matches)?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.kind.clone())
    }

    /// Rolls the dice; some requests end here.
    pub fn flake(&mut self, good: &Response) -> Option<Answer> {
        if self.flaky_percent == 0 || self.roll() % 100 >= self.flaky_percent {
            return None;
        }
        let html = "<html><body><h1>Something went wrong</h1></body></html>";
        Some(match self.roll() % 4 {
            0 => Answer::Whole(Response::new(502, "text/html", html)),
            1 => Answer::Cut(good.clone(), good.body.len() / 2),
            2 => Answer::Reset,
            _ => Answer::Whole(Response::new(500, "text/html", html)),
        })
    }

    fn roll(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33
    }
}
