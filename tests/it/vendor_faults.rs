//! The ways in which a vendor can go wrong, switched on and off while its stand-in runs.

use std::collections::VecDeque;
use std::time::Duration;

use crate::http_server::{Answer, Response};

const HTML: &str = "<!DOCTYPE html><html><head><title>Vendor</title></head><body>Down for maintenance</body></html>";
const LOGIN: &str = "<html><body><form action=\"/login\"><input name=\"user\"><input type=\"password\"></form></body></html>";

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
    /// Each n-th record is missing from every page; where totals are told, true means that they tell it.
    Thin(usize, bool),
    /// The connection is reset.
    Reset,
}

impl ListFault {
    /// The answer where this fault needs no data; `None` when it only bends the page.
    pub fn plain(&self, page: usize) -> Option<Answer> {
        let error = |status: u16| Response::json(status, &serde_json::json!({"code": "error", "message": "as the test wished"}));
        Some(match self {
            Self::Html => Answer::Whole(Response::new(200, "text/html; charset=utf-8", HTML)),
            Self::EmptyBody => Answer::Whole(Response::new(200, "application/json", "")),
            Self::Status(status) => Answer::Whole(error(*status)),
            Self::StatusFrom(from, status) if page >= *from => Answer::Whole(error(*status)),
            Self::TooMany(None) => Answer::Whole(error(429)),
            Self::TooMany(Some(seconds)) => Answer::Whole(error(429).with("retry-after", seconds)),
            Self::Shape(text) => Answer::Whole(Response::new(200, "application/json", *text)),
            Self::Reset => Answer::Reset,
            _ => return None,
        })
    }
}

/// A fault, where, and for how long.
#[derive(Clone, Debug)]
pub struct Fault {
    /// A resource's name; `*` for all lists; a name that ends in `/` for single records; a part of a
    /// path when it begins with `/`.
    pub resource: String,
    /// What happens.
    pub kind: ListFault,
    /// How many more requests it hits; `None` is for ever.
    pub times: Option<u32>,
}

/// One way in which any request may end badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flake {
    ServerError,
    BadGateway,
    Unavailable,
    TooMany(Option<u32>),
    Cut,
    Reset,
    /// A whole body whose JSON stops in the middle.
    Truncated,
    EmptyBody,
    Html,
    Login,
}

impl Flake {
    /// What every client must survive.
    pub const USUAL: [Self; 4] = [Self::BadGateway, Self::Cut, Self::Reset, Self::ServerError];
    /// Everything that has been seen; the waits are short.
    pub const ALL: [Self; 11] = [
        Self::ServerError,
        Self::BadGateway,
        Self::Unavailable,
        Self::TooMany(Some(0)),
        Self::TooMany(Some(1)),
        Self::Cut,
        Self::Reset,
        Self::Truncated,
        Self::EmptyBody,
        Self::Html,
        Self::Login,
    ];

    /// What the client gets instead of the good answer.
    pub fn answer(self, good: &Response) -> Answer {
        let html = "<html><body><h1>Something went wrong</h1></body></html>";
        let plain = |status: u16| Response::new(status, "text/html", html);
        Answer::Whole(match self {
            Self::ServerError => plain(500),
            Self::BadGateway => plain(502),
            Self::Unavailable => plain(503),
            Self::TooMany(None) => plain(429),
            Self::TooMany(Some(seconds)) => plain(429).with("retry-after", seconds),
            Self::Cut => return Answer::Cut(good.clone(), good.body.len() / 2),
            Self::Reset => return Answer::Reset,
            Self::Truncated => Response::new(200, "application/json", &good.body[..good.body.len() / 2]),
            Self::EmptyBody => Response::new(200, "application/json", ""),
            Self::Html => Response::new(200, "text/html; charset=utf-8", HTML),
            Self::Login => Response::new(200, "text/html; charset=utf-8", LOGIN),
        })
    }
}

/// What happens to the answer of a write that was accepted and done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterWrite {
    /// The client gets it.
    Answer,
    /// The connection is reset: the client cannot know.
    Reset,
    /// It comes after this time: the client can be killed meanwhile.
    Hold(Duration),
    /// A proxy's word comes instead.
    Status(u16),
}

/// Every fault that is on.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Faults of particular lists; the first that matches wins.
    pub lists: Vec<Fault>,
    /// Percentage of requests that end as one of `flakes`.
    pub flaky_percent: u64,
    /// Percentages for paths that contain a text, in place of `flaky_percent`.
    pub flaky_paths: Vec<(String, u64)>,
    /// The ways in which flaky requests end.
    pub flakes: Vec<Flake>,
    /// How long every answer takes.
    pub latency: Duration,
    /// What happens to the answers of the next accepted writes, one for each.
    pub after_writes: VecDeque<AfterWrite>,
    /// Texts in the bodies that stand for bytes which no JSON value can hold.
    pub raw: Vec<(&'static str, &'static [u8])>,
    /// Drives the dice.
    pub seed: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            lists: Vec::new(),
            flaky_percent: 0,
            flaky_paths: Vec::new(),
            flakes: Flake::USUAL.to_vec(),
            latency: Duration::ZERO,
            after_writes: VecDeque::new(),
            raw: Vec::new(),
            seed: 0,
        }
    }
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
    pub fn hit(&mut self, resource: &str, path: &str) -> Option<ListFault> {
        let list = !resource.ends_with('/');
        let names = |fault: &Fault| {
            fault.resource == resource
                || (list && fault.resource == "*")
                || (fault.resource.starts_with('/') && path.contains(&fault.resource))
        };
        let fault = self.lists.iter_mut().find(|fault| fault.times != Some(0) && names(fault))?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.kind.clone())
    }

    /// Rolls the dice; some requests end here. What stands for raw bytes becomes them.
    pub fn flake(&mut self, path: &str, good: &Response) -> Option<Answer> {
        let mut bent = good.clone();
        for (mark, bytes) in &self.raw {
            while let Some(at) = bent.body.windows(mark.len()).position(|part| part == mark.as_bytes()) {
                bent.body.splice(at..at + mark.len(), bytes.iter().copied());
            }
        }
        self.roll_flake(path, &bent).or_else(|| (bent.body != good.body).then_some(Answer::Whole(bent)))
    }

    fn roll_flake(&mut self, path: &str, good: &Response) -> Option<Answer> {
        let of_path = self.flaky_paths.iter().find(|(part, _)| path.contains(part)).map(|(_, percent)| *percent);
        let percent = of_path.unwrap_or(self.flaky_percent);
        if percent == 0 || self.flakes.is_empty() || self.roll() % 100 >= percent {
            return None;
        }
        let which = usize::try_from(self.roll()).unwrap_or_default() % self.flakes.len();
        Some(self.flakes[which].answer(good))
    }

    /// The answer of a write that was done, as the next of `after_writes` has it.
    pub fn after_write(&mut self, good: Response) -> Answer {
        match self.after_writes.pop_front().unwrap_or(AfterWrite::Answer) {
            AfterWrite::Answer => Answer::Whole(good),
            AfterWrite::Reset => Answer::Reset,
            AfterWrite::Hold(time) => Answer::Whole(Response { delay: time, ..good }),
            AfterWrite::Status(status) => Answer::Whole(Response::new(status, "text/html", HTML)),
        }
    }

    fn roll(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33
    }
}
