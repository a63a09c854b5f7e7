//! Remembers which sessions stand, as of one state of the database: who asks much is not looked up each time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::store::Session;
use crate::types::now;

/// How long a session counts as standing although nothing was committed.
const REMEMBERED: Duration = Duration::from_secs(5);
/// The most sessions remembered.
const MOST: usize = 4_096;

/// The sessions, by the ids of their tokens.
#[derive(Debug, Default)]
pub struct Standing(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    session: Arc<Session>,
    commits: u64,
    at: Instant,
}

impl Known {
    fn is_recent(&self, commits: u64) -> bool {
        self.commits == commits && self.at.elapsed() < REMEMBERED
    }
}

impl Standing {
    /// A session that stood a moment ago, when the database had so many commits as now; the end of its time is looked at
    /// anew.
    pub fn find(&self, jti: &str, commits: Option<u64>) -> Option<Arc<Session>> {
        let commits = commits?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(jti).filter(|known| known.is_recent(commits) && known.session.expires_at > now())?;
        Some(Arc::clone(&known.session))
    }

    /// Remembers a session, which was read after the commits were counted.
    pub fn remember(&self, jti: &str, commits: Option<u64>, session: &Arc<Session>) {
        let Some(commits) = commits else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, session| session.is_recent(commits));
        }
        if known.len() < MOST {
            known.insert(jti.to_owned(), Known { session: Arc::clone(session), commits, at: Instant::now() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::now_plus;

    fn session(ends_in: i64) -> Arc<Session> {
        let expires_at = now_plus(ends_in);
        Arc::new(Session { subject: "user:1".to_owned(), account: None, last_used_at: None, expires_at })
    }

    #[test]
    fn a_session_stands_until_anything_is_committed_or_its_time_is_over() {
        let standing = Standing::default();
        standing.remember("long", Some(7), &session(60));
        standing.remember("over", Some(7), &session(-1));
        standing.remember("uncounted", None, &session(60));
        assert!(standing.find("long", Some(7)).is_some());
        assert!(standing.find("long", Some(8)).is_none() && standing.find("long", None).is_none());
        assert!(standing.find("over", Some(7)).is_none() && standing.find("uncounted", Some(7)).is_none());
    }
}
