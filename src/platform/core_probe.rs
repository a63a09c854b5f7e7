//! Asks Core how it is, seldom and briefly, because Helm waits two seconds for our own answer.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Mutex;

use crate::error::{Error, Result};

/// The longest that Core may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer is good for.
const KEEP: Duration = Duration::from_secs(10);

/// What Core said, in the reference's words.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Answer {
    /// `healthy` or `unhealthy`.
    pub status: &'static str,
    /// Time it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_time_ms: Option<u64>,
    /// The status when it was not 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

/// Asks one Core, one question at a time.
#[derive(Debug)]
pub struct CoreProbe {
    http: reqwest::Client,
    address: String,
    last: Mutex<Option<(Instant, Answer)>>,
}

impl CoreProbe {
    /// For the Core at this address.
    pub fn new(core_url: &str) -> Result<Self> {
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = builder.build().map_err(Error::internal)?;
        Ok(Self { http, address: format!("{core_url}/health"), last: Mutex::new(None) })
    }

    /// What Core said last, or says now when that is too long ago.
    pub async fn ask(&self) -> Answer {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < KEEP
        {
            return answer.clone();
        }
        let answer = self.request().await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    async fn request(&self) -> Answer {
        let started = Instant::now();
        let nothing = Answer { status: "unhealthy", response_time_ms: None, http_status: None, error: None };
        match self.http.get(&self.address).send().await {
            Ok(reply) if reply.status().is_success() => {
                let taken = u64::try_from(started.elapsed().as_millis()).ok();
                Answer { status: "healthy", response_time_ms: taken, ..nothing }
            }
            Ok(reply) => Answer { http_status: Some(reply.status().as_u16()), ..nothing },
            Err(error) if error.is_timeout() => Answer { error: Some("timeout"), ..nothing },
            Err(_) => Answer { error: Some("not reachable"), ..nothing },
        }
    }
}
