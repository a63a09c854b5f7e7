//! The second factor of people who sign in here: a code of an app, or one of ten recovery codes.

use aws_lc_rs::rand;

use super::{
    Identity,
    attempt_store::{self, Attempt},
    factor_store::{self, Factor},
    issue::Token,
    model::User,
    origin::Origin,
    session_store::{self, Kind},
    sign_in, store, totp,
};
use crate::{
    auth::secret,
    db::Write,
    encryption::Encryption,
    error::{Error, Result},
    types::{Actor, Scope, now_plus},
};

/// How long somebody has to type the code after the password, in seconds.
const CHALLENGE: i64 = 5 * 60;
/// How long a secret that was begun can be confirmed, in seconds.
const BEGUN: i64 = 15 * 60;
/// How many recovery codes there are.
const CODES: usize = 10;
/// Bytes of one: nobody can try so many, so a plain digest does.
const CODE: usize = 10;

/// What is needed to set an app up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// For typing.
    pub secret: String,
    /// For the picture.
    pub address: String,
}

fn purpose(user_id: i64) -> String {
    format!("second factor:{user_id}")
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// A code as people may type it: with blanks and hyphens, in any case.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// The same as what is wrong with the field of a form.
fn wrong_code(error: Error) -> Error {
    match error {
        Error::Unauthorized(_) => Error::field("code", "is wrong; is the clock of your phone right?"),
        other => other,
    }
}

fn wrong() -> Error {
    Error::Unauthorized("Wrong code".to_owned())
}

impl Identity {
    /// A person's second factor, once it is asked for.
    pub(super) async fn factor(&self, user_id: i64) -> Result<Option<Factor>> {
        let found = self.db.read(&Scope::All, move |c| factor_store::find(c, user_id)).await?;
        Ok(found.filter(|factor| factor.confirmed_at.is_some()))
    }

    /// Remembers a sign-in whose password was right; what the browser sends along with the code.
    pub(super) async fn challenge(&self, user: &User, attempt: &Attempt) -> Result<String> {
        let token = secret::random()?;
        let (hash, id, attempt, actor) = (secret::hash(&token), user.id, attempt.clone(), sign_in::actor(user));
        let stored = self.db.write(&Scope::All, &actor, move |w| {
            attempt_store::take_back(w, &attempt)?;
            factor_store::put_challenge(w, &hash, id, CHALLENGE)
        });
        stored.await?;
        Ok(token)
    }

    /// The second step of signing in: the code for the sign-in that was remembered.
    pub async fn sign_in_with_code(&self, challenge: &str, code: &str, origin: &Origin, wanted: (Kind, i64)) -> Result<Token> {
        let hash = secret::hash(challenge);
        let found = self.db.read(&Scope::All, move |c| {
            let id = factor_store::challenged(c, &hash)?;
            id.map(|id| store::get(c, id)).transpose()
        });
        let user = found.await?.filter(|user| user.enabled).ok_or_else(too_late)?;
        let hash = secret::hash(challenge);
        let password = Attempt { account: sign_in::account(&user), address: sign_in::address(origin.peer.ip) };
        self.with_code(&user, code, origin, move |w, identity, user| {
            // Meanwhile the password may have changed, or the person been disabled.
            if factor_store::challenged(w, &hash)? != Some(user.id) || !store::get(w, user.id)?.enabled {
                return Err(too_late());
            }
            factor_store::forget_challenges(w, user.id)?;
            // The password was right as well: its wrong attempts are forgotten, as they are without a second factor.
            attempt_store::succeeded(w, &password)?;
            identity.issue(w, user, wanted)
        })
        .await
    }

    /// Does something in the transaction that uses a code up; as limited as passwords are.
    pub(super) async fn with_code<T: Send + 'static>(
        &self,
        user: &User,
        code: &str,
        origin: &Origin,
        work: impl FnOnce(&mut Write<'_>, &Issue, &User) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.publish_key().await?;
        let attempt = Attempt { account: format!("code:{}", user.id), address: sign_in::address(origin.peer.ip) };
        let (code, id) = (plain(code), user.id);
        let done = self.counted(&attempt, async {
            let factor = self.db.read(&Scope::All, move |c| factor_store::find(c, id)).await?.ok_or_else(wrong)?;
            let step = if code.len() == 6 { Some(self.step(id, &factor, &code)?.ok_or_else(wrong)?) } else { None };
            let (issue, person, attempt) = (Issue(self.clone(), origin.clone()), user.clone(), attempt.clone());
            let actor = sign_in::actor(user);
            let used = self.db.write(&Scope::All, &actor, move |w| {
                let good = match step {
                    Some(step) => factor_store::use_step(w, id, &factor.secret, step)?,
                    None => factor_store::use_code(w, id, &secret::hash(&code))?,
                };
                if !good {
                    return Err(wrong());
                }
                attempt_store::succeeded(w, &attempt)?;
                work(w, &issue, &person)
            });
            used.await
        });
        done.await
    }

    fn step(&self, id: i64, factor: &Factor, code: &str) -> Result<Option<i64>> {
        let opened = Encryption::open(&self.config)?.open_sealed(&purpose(id), &factor.secret);
        let secret = opened.and_then(|secret| totp::from_base32(secret.expose()));
        let lost = || Error::Unavailable("the key that protects second factors is another one (credentials.key)".to_owned());
        let now = jiff::Timestamp::now().as_second();
        Ok(totp::step_of(&secret.ok_or_else(lost)?, code, now, factor.last_step))
    }

    /// A fresh secret for a person who has proved their password; asked for once a code has confirmed it.
    pub(super) async fn begin_factor(&self, user: &User) -> Result<Setup> {
        if user.password_changed_at.is_none() {
            return Err(Error::conflict(
                "You have no password in Codex: a second factor belongs to your account at the provider",
            ));
        }
        let secret = totp::base32(&random::<{ totp::SECRET }>()?);
        let sealed = Encryption::create(&self.config)?.seal(&purpose(user.id), &secret)?;
        let id = user.id;
        self.db.write(&Scope::All, &sign_in::actor(user), move |w| factor_store::begin(w, id, &sealed, BEGUN)).await?;
        Ok(setup(user, secret))
    }

    /// Turns the second factor on, and ends the sessions that were opened without it but for the one that asks; the recovery
    /// codes, which are shown this once.
    pub(super) async fn confirm_factor(
        &self,
        user: &User,
        code: &str,
        origin: &Origin,
        own: Option<String>,
    ) -> Result<Vec<String>> {
        let id = user.id;
        let found = self.db.read(&Scope::All, move |c| factor_store::find(c, id)).await?;
        let begun = found.filter(|factor| factor.confirmed_at.is_none()).ok_or(Error::NotFound { what: "Second factor" })?;
        if begun.created_at < now_plus(-BEGUN) {
            let message = "This took too long. Begin again with setting up your second factor.".to_owned();
            return Err(Error::Gone { message, details: serde_json::Map::new() });
        }
        if plain(code).len() != 6 {
            return Err(Error::field("code", "must be the six digits that the app shows"));
        }
        let codes = recovery_codes()?;
        let digests: Vec<String> = codes.iter().map(|code| secret::hash(&plain(code))).collect();
        let confirmed = self.with_code(user, code, origin, move |w, _, user| {
            factor_store::confirm(w, user.id)?;
            factor_store::put_codes(w, user.id, &digests)?;
            session_store::revoke_user(w, user.id, own.as_deref())?;
            store::note_factor(w, user.id, true)
        });
        confirmed.await.map_err(wrong_code)?;
        Ok(codes)
    }

    /// Ten new recovery codes in place of the old ones, for a code that stands.
    pub(super) async fn new_codes(&self, user: &User, code: &str, origin: &Origin) -> Result<Vec<String>> {
        let codes = recovery_codes()?;
        let digests: Vec<String> = codes.iter().map(|code| secret::hash(&plain(code))).collect();
        let made = self.with_code(user, code, origin, move |w, _, user| factor_store::put_codes(w, user.id, &digests));
        made.await.map_err(wrong_code)?;
        Ok(codes)
    }

    /// Turns one's own second factor off, for a code that stands.
    pub(super) async fn drop_factor(&self, user: &User, code: &str, origin: &Origin) -> Result<()> {
        let dropped = self.with_code(user, code, origin, |w, _, user| {
            factor_store::remove(w, user.id)?;
            store::note_factor(w, user.id, false)
        });
        dropped.await.map_err(wrong_code)
    }

    /// Turns a person's second factor off.
    ///
    /// # Errors
    /// `NotFound` when they have none.
    pub async fn remove_factor(&self, actor: &Actor, id: i64) -> Result<()> {
        let removed = self.db.write(&Scope::All, actor, move |w| {
            let was_on = factor_store::find(w, id)?.is_some_and(|factor| factor.confirmed_at.is_some());
            let removed = factor_store::remove(w, id)?;
            if was_on {
                store::note_factor(w, id, false)?;
            }
            Ok(removed)
        });
        if removed.await? { Ok(()) } else { Err(Error::NotFound { what: "Second factor" }) }
    }
}

/// What a transaction that has used a code up can issue tokens with.
pub(super) struct Issue(Identity, Origin);

impl Issue {
    pub(super) fn issue(&self, w: &mut Write<'_>, user: &User, wanted: (Kind, i64)) -> Result<Token> {
        self.0.issue_user(w, user, wanted, Some(&self.1))
    }
}

fn setup(user: &User, secret: String) -> Setup {
    Setup { address: totp::address(&secret, &user.username), secret }
}

fn recovery_codes() -> Result<Vec<String>> {
    let code = || {
        let text = totp::base32(&random::<CODE>()?).to_lowercase();
        let parts: Vec<String> = text.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        Ok(parts.join("-"))
    };
    (0..CODES).map(|_| code()).collect()
}

fn too_late() -> Error {
    Error::Gone { message: "This took too long. Sign in again with your password.".to_owned(), details: serde_json::Map::new() }
}
