//! Passwords: Argon2id, computed off the async threads, a few at a time, at the same cost whether the
//! user exists or not.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    error::{Error, Result},
    web::memory,
};

/// The shortest password that we accept.
pub const SHORTEST: usize = 8;
/// The same, for people.
pub const RULE: &str = "At least 8 characters.";
/// The longest, in bytes: nobody types more, and hashing must stay cheap.
pub const LONGEST: usize = 1_000;
/// How many are computed at once; each takes 19 MB and a core.
const AT_ONCE: usize = 2;
/// How many may wait for their turn before the next is told to come back.
const WAITING: usize = 64;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
static QUEUE: Semaphore = Semaphore::const_new(AT_ONCE + WAITING);

/// What an unknown user's password is compared with.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

/// Whether a new password may be used for an account with this sign-in name; says why not.
pub fn check(field: &str, password: &str, username: &str) -> Result<()> {
    let problem = if password.chars().count() < SHORTEST {
        format!("must have at least {SHORTEST} characters")
    } else if password.len() > LONGEST {
        format!("must not have more than {LONGEST} bytes")
    } else if password.eq_ignore_ascii_case(username) {
        "must not be the user name".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::field(field, problem))
}

/// The hash to store.
pub async fn hash(password: String) -> Result<String> {
    off_thread(&place()?, move || hash_now(&password)).await?
}

/// A place among those whose passwords are computed or wait for it.
pub struct Place(#[expect(dead_code, reason = "held until it is dropped")] SemaphorePermit<'static>);

/// Takes a place.
///
/// # Errors
/// `Unavailable` when too many wait already.
pub fn place() -> Result<Place> {
    let busy = |_| Error::Unavailable("too many people are signing in; try again".to_owned());
    QUEUE.try_acquire().map(Place).map_err(busy)
}

/// The hash to store, computed here and now: for the command line.
pub fn hash_now(password: &str) -> Result<String> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(Error::internal)?.to_string())
}

/// Whether the password belongs to the hash; with no hash (an unknown user) it never does, after as long.
pub async fn verify(place: &Place, password: String, stored: Option<String>) -> Result<bool> {
    if password.len() > LONGEST {
        return Ok(false);
    }
    off_thread(place, move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.clone());
        let matches =
            PasswordHash::new(&text).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && matches
    })
    .await
}

async fn off_thread<T: Send + 'static>(_place: &Place, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _turn = TURNS.acquire().await.map_err(Error::internal)?;
    memory::tidy_later();
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
