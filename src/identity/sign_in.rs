//! Checks a name and a password: limited, and as slow for an unknown name as for a wrong password.

use std::net::IpAddr;

use super::{
    Identity,
    attempt_store::{self, Attempt},
    factor_store,
    issue::Token,
    model::{User, name_key},
    origin::Origin,
    password,
    session_store::{self, Kind},
    store,
};
use crate::{
    auth::{self, Pending, Reauthentication, secret},
    db::Conn,
    error::{Error, Result},
    types::{Actor, ActorKind, Scope, now_plus},
};

/// What becomes of a right password.
pub enum SignedIn {
    /// That was all.
    Token(Token),
    /// The code of the second factor is still to come, with this.
    NeedsCode(String),
}

/// How long somebody without a password counts as just signed in, in seconds.
const RECENT: i64 = 10 * 60;

impl Reauthentication for Identity {
    fn has_password<'a>(&'a self, user: &'a auth::User) -> Pending<'a, bool> {
        Box::pin(async { Ok(self.own_user(&user.sub).await?.password_changed_at.is_some()) })
    }

    fn prove<'a>(&'a self, user: &'a auth::User, password: Option<String>, from: IpAddr) -> Pending<'a, ()> {
        Box::pin(async move {
            let own = self.own_user(&user.sub).await?;
            self.prove(&own, user, password, from).await
        })
    }
}

impl Identity {
    /// A token for whoever knows the password. Who has a second factor sends its code along, or is asked for it.
    pub async fn sign_in(
        &self,
        login: &str,
        (password, code): (String, Option<String>),
        origin: &Origin,
        wanted: (Kind, i64),
    ) -> Result<SignedIn> {
        let asked = login.to_owned();
        let found = self.db.read(&Scope::All, move |c| store::find(c, &asked)).await?;
        let account = match &found {
            Some(user) => account(user),
            None => format!("name:{}", secret::hash(&name_key(login))),
        };
        let attempt = Attempt { account, address: address(origin.peer.ip) };
        let place = password::place()?;
        Box::pin(self.counted(&attempt, async {
            let (user, hash) = self.check(&place, found, password).await?;
            self.allow_local(&user)?;
            // While the password was computed, somebody may have changed it or shut the person out.
            let id = user.id;
            let stands =
                move |c: &mut Conn| -> Result<bool> { Ok(store::get(c, id)?.enabled && store::password_hash(c, id)? == hash) };
            if self.factor(id).await?.is_none() {
                self.publish_key().await?;
                let (identity, actor, attempt, origin) = (self.clone(), actor(&user), attempt.clone(), origin.clone());
                let opened = self.db.write(&Scope::All, &actor, move |w| {
                    if !stands(w)? || factor_store::is_on(w, id)? {
                        return Err(wrong());
                    }
                    attempt_store::succeeded(w, &attempt)?;
                    identity.issue_user(w, &user, wanted, Some(&origin))
                });
                return opened.await.map(SignedIn::Token);
            }
            let Some(code) = code else { return self.challenge(&user, &attempt).await.map(SignedIn::NeedsCode) };
            let own = attempt.clone();
            let token = self.with_code(&user, &code, origin, move |w, issue, user| {
                if !stands(w)? {
                    return Err(wrong());
                }
                attempt_store::succeeded(w, &own)?;
                issue.issue(w, user, wanted)
            });
            token.await.map(SignedIn::Token)
        }))
        .await
    }

    /// Asks a person who is signed in for their password again, as limited as signing in; who has none must have signed in a
    /// moment ago.
    pub(super) async fn prove(&self, user: &User, person: &auth::User, password: Option<String>, from: IpAddr) -> Result<()> {
        if user.password_changed_at.is_none() {
            return self.prove_recent(person).await;
        }
        let password = password.filter(|text| !text.is_empty()).ok_or_else(|| Error::field("current_password", "is required"))?;
        let attempt = Attempt { account: account(user), address: address(from) };
        let place = password::place()?;
        let proved = self.counted(&attempt, async {
            self.check(&place, Some(user.clone()), password).await?;
            let attempt = attempt.clone();
            self.db.write(&Scope::All, &actor(user), move |w| attempt_store::succeeded(w, &attempt)).await
        });
        proved.await.map_err(|error| match error {
            Error::Unauthorized(_) => Error::field("current_password", "is wrong"),
            other => other,
        })
    }

    async fn prove_recent(&self, person: &auth::User) -> Result<()> {
        let jti = person.jti.clone().unwrap_or_default();
        let opened = self.db.read(&Scope::All, move |c| session_store::single_sign_on(c, &jti)).await?;
        if opened.is_some_and(|at| at > now_plus(-RECENT)) {
            return Ok(());
        }
        let message = "is none for you: sign out, sign in again, and do this within 10 minutes";
        Err(Error::field("current_password", message))
    }

    /// The person and their hash, if the password is theirs and they may come in.
    async fn check(&self, place: &password::Place, found: Option<User>, password: String) -> Result<(User, Option<String>)> {
        let id = found.as_ref().map_or(0, |user| user.id);
        let hash = self.db.read(&Scope::All, move |c| store::password_hash(c, id)).await?;
        let matches = password::verify(place, password, hash.clone()).await?;
        let user = found.filter(|user| matches && user.enabled).ok_or_else(wrong)?;
        Ok((user, hash))
    }

    /// A token for a service that knows its secret.
    pub async fn sign_in_service(&self, name: &str, given: &str, target: &str, from: IpAddr) -> Result<Token> {
        let attempt = Attempt { account: format!("service:{}", secret::hash(name)), address: address(from) };
        self.counted(&attempt, async {
            let asked = name.to_owned();
            let stored = self.db.read(&Scope::All, move |c| session_store::client_secret(c, &asked)).await?;
            if !secret::matches(given, &stored.unwrap_or_default()) {
                return Err(Error::Unauthorized("Unknown service or wrong client secret".to_owned()));
            }
            let (actor, attempt) = (Actor { kind: ActorKind::Service, ..Actor::system(name) }, attempt.clone());
            self.db.write(&Scope::All, &actor, move |w| attempt_store::succeeded(w, &attempt)).await?;
            self.issue_service(&actor, name, target, super::issue::SERVICE_SECONDS).await
        })
        .await
    }

    /// Does what an attempt is about, once it is counted. One that fails for a reason of ours was no guess.
    pub(super) async fn counted<T>(&self, attempt: &Attempt, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (actor, begun) = (Actor::system("sign-in"), attempt.clone());
        if let Some(seconds) = self.db.write(&Scope::All, &actor, move |w| attempt_store::begin(w, &begun)).await? {
            return Err(Error::TooMany { retry_after: u64::try_from(seconds).unwrap_or(1) });
        }
        let outcome = work.await;
        if outcome.as_ref().is_err_and(|cause| !matches!(cause, Error::Unauthorized(_))) {
            let failed = attempt.clone();
            if let Err(error) = self.db.write(&Scope::All, &actor, move |w| attempt_store::take_back(w, &failed)).await {
                tracing::warn!(%error, "an attempt to sign in that could not be judged stays counted");
            }
        }
        outcome
    }
}

fn wrong() -> Error {
    Error::Unauthorized("Wrong user name or password".to_owned())
}

/// Under which name a person's failed attempts are counted.
pub(super) fn account(user: &User) -> String {
    format!("user:{}", user.id)
}

/// The hand behind what a person does to their own account.
pub(super) fn actor(user: &User) -> Actor {
    Actor { kind: ActorKind::User, ..Actor::system(&user.username) }
}

/// An address as it is counted: one IPv6 customer has a whole /64.
pub(super) fn address(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => format!("address:{v4}"),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("address:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
