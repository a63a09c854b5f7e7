//! From a token to a caller: form and claims first, then the signature, then whether it still stands.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::Method;

use super::{
    ApiKeys, Caller, Claims, Expected, KeyHolder, Level, Reauthentication, User, api_keys::Allowance, authenticate::Rejected,
    jwks::CoreKeys, last_use::LastUse, local::LocalKeys, proved::Proved, revocation::Revocation, signer::Signer,
    snapshot::Snapshot, standing::Standing, store, store::Session, token::Token,
};
use crate::{
    db::{Conn, Db, Write},
    error::{Error, Result},
    types::{Actor, Scope},
};

/// Which companies belong to a client's e-mail. Contacts are a later room, so `app` hands this down; it
/// answers with none when the address is unknown or belongs to more than one person.
pub type CompanyLookup = Arc<dyn Fn(&mut Conn, &str) -> Result<Vec<i64>> + Send + Sync>;

/// What is stored of a person when their token says something new. Agents are a later room, so `app` hands this down.
pub type PersonKeeper = Arc<dyn Fn(&mut Write<'_>, &User) -> Result<()> + Send + Sync>;

/// The most people whose last token is remembered.
const MOST_PEOPLE: usize = 10_000;

/// The people whom tokens have told of, each by a digest of what was told and when that was true.
#[derive(Default)]
struct People {
    keep: Option<PersonKeeper>,
    known: Mutex<HashMap<String, (u64, Option<i64>)>>,
}

/// Whose keys count.
enum Keys {
    /// Core's.
    Core(CoreKeys),
    /// Those of the instances that share our database.
    Local(LocalKeys),
}

/// What differs between the two ways to run Codex.
enum Mode {
    /// Core issues; a client's companies come from the contacts that carry the e-mail.
    Platform { revocation: Option<Revocation>, companies: CompanyLookup },
    /// We issue; sessions and people are rows of our own.
    StandAlone,
}

/// Proves tokens. One for the whole program.
pub struct Verifier {
    db: Db,
    expected: Expected,
    keys: Keys,
    mode: Mode,
    proved: Proved,
    api_keys: ApiKeys,
    people: People,
    last_use: LastUse,
    standing: Standing,
    reauthentication: Option<Arc<dyn Reauthentication>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Verifier")
            .field("expected", &self.expected)
            .field("stand_alone", &self.is_stand_alone())
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// For the platform: tokens of the Core at this address.
    pub fn platform(
        db: Db,
        core_url: &str,
        revocation_check: bool,
        expected: Expected,
        companies: CompanyLookup,
        api_keys: ApiKeys,
    ) -> Result<Self> {
        let revocation = revocation_check.then(|| Revocation::new(core_url)).transpose()?;
        let keys = Keys::Core(CoreKeys::new(core_url)?);
        Ok(Self {
            db,
            expected,
            keys,
            mode: Mode::Platform { revocation, companies },
            proved: Proved::default(),
            api_keys,
            people: People::default(),
            last_use: LastUse::default(),
            standing: Standing::default(),
            reauthentication: None,
        })
    }

    /// For stand-alone mode: our own tokens.
    #[must_use]
    pub fn stand_alone(db: Db, signer: Arc<Signer>, expected: Expected, api_keys: ApiKeys) -> Self {
        let keys = Keys::Local(LocalKeys::new(db.clone(), signer));
        Self {
            db,
            expected,
            keys,
            mode: Mode::StandAlone,
            proved: Proved::default(),
            api_keys,
            people: People::default(),
            last_use: LastUse::default(),
            standing: Standing::default(),
            reauthentication: None,
        }
    }

    /// Whether we issue the tokens ourselves; only then does the session cookie count.
    #[must_use]
    pub fn is_stand_alone(&self) -> bool {
        matches!(self.mode, Mode::StandAlone)
    }

    /// Who carries this token.
    pub async fn caller(&self, token: &str) -> Result<Arc<Caller>, Rejected> {
        let claims = self.claims(token).await?;
        match &self.mode {
            Mode::StandAlone => self.own_caller(&claims).await.map(Arc::new),
            Mode::Platform { revocation, companies } => {
                if let (Some(revocation), Some(session)) = (revocation, &claims.jti)
                    && !claims.caller().is_service()
                    && revocation.is_revoked(session, token).await
                {
                    return Err(Rejected::token("revoked"));
                }
                match claims.caller() {
                    Caller::User(user) => {
                        self.meet(&user);
                        Ok(Arc::new(Caller::User(self.with_companies(user, companies).await?)))
                    }
                    other => Ok(Arc::new(other)),
                }
            }
        }
    }

    /// With what is stored of people whose tokens say something new.
    #[must_use]
    pub fn remembering(mut self, keep: PersonKeeper) -> Self {
        self.people.keep = Some(keep);
        self
    }

    /// Where people sign in here: with a way to ask them again who they are.
    #[must_use]
    pub fn reauthenticating(mut self, by: Arc<dyn Reauthentication>) -> Self {
        self.reauthentication = Some(by);
        self
    }

    /// How people are asked again who they are; none where somebody else signs them in.
    #[must_use]
    pub fn reauthentication(&self) -> Option<&dyn Reauthentication> {
        self.reauthentication.as_deref()
    }

    /// Stores in the background what this token says of a person, unless it was seen already or is older than the last one.
    fn meet(&self, user: &User) {
        let Some(keep) = self.people.keep.clone() else { return };
        let mut hasher = DefaultHasher::new();
        (&user.username, &user.email, &user.name, user.level).hash(&mut hasher);
        let told = (hasher.finish(), user.known_at);
        {
            let mut known = self.people.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.get(&user.sub).is_some_and(|last| *last == told || last.1 > told.1) {
                return;
            }
            if known.len() >= MOST_PEOPLE {
                known.clear();
            }
            known.insert(user.sub.clone(), told);
        }
        let (db, user) = (self.db.clone(), user.clone());
        tokio::spawn(async move {
            let stored = db.write(&Scope::All, &Actor::system("tokens"), move |w| keep(w, &user)).await;
            if let Err(error) = stored {
                tracing::warn!(%error, "what a token says of a person could not be stored");
            }
        });
    }

    /// What API keys can be limited to.
    #[must_use]
    pub fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    /// Who carries this API key, if the request is within its limits, and how often the key may still ask. A key that
    /// stands in an address reads `only` this kind and nothing else: addresses are kept in many places.
    pub async fn caller_of_key(
        &self,
        key: &str,
        method: &Method,
        route: &str,
        only: Option<&str>,
    ) -> (Result<Arc<Caller>, Rejected>, Option<Allowance>) {
        let (found, allowance) = match self.api_keys.find(key, self.is_stand_alone()).await {
            Ok(Some(found)) => found,
            Ok(None) => return (Err(Rejected::token("API key")), None),
            Err(error) => return (Err(error.into()), None),
        };
        if only.is_some_and(|kind| !found.limits.only_read(kind)) {
            let why = "Only an API key that is limited to reading this feed may stand in an address".to_owned();
            return (Err(Rejected::Forbidden(why)), Some(allowance));
        }
        if let Err(why) = self.api_keys.allow(&found, method, route) {
            return (Err(Rejected::Forbidden(why)), Some(allowance));
        }
        let owner = match &self.mode {
            Mode::StandAlone => Ok(found.owner),
            Mode::Platform { companies, .. } => self.with_companies(found.owner, companies).await,
        };
        let name = |owner: &User| format!("{} (key of {})", found.name, owner.called());
        let holder = owner.map(|owner| KeyHolder {
            id: found.id,
            name: name(&owner),
            owner,
            companies: found.limits.companies.map(Into::into),
            types: found.limits.types.map(Into::into),
        });
        (holder.map(|holder| Arc::new(Caller::Key(holder))), Some(allowance))
    }

    /// The claims, proved. Everything that needs no key comes first, so that rubbish neither asks Core
    /// for keys nor is told that there are none.
    pub async fn claims(&self, text: &str) -> Result<Arc<Claims>, Rejected> {
        let token = Token::parse(text).map_err(Rejected::token)?;
        token.claims.check(&self.expected, seconds()).map_err(Rejected::token)?;
        let newest = self.ready().await.map_err(Rejected::from)?;
        if let Some(claims) = self.proved.find(text, newest.generation) {
            return Ok(claims);
        }
        let generation = self.signed_under(&token, &newest).await.ok_or_else(|| Rejected::token("signature"))?;
        let claims = Arc::new(token.claims);
        self.proved.remember(text, generation, claims.clone());
        Ok(claims)
    }

    /// The generation of keys under which the signature holds, after looking for newer keys if need be.
    async fn signed_under(&self, token: &Token<'_>, newest: &Snapshot) -> Option<u64> {
        let holds = |snapshot: &Snapshot| snapshot.keys.iter().any(|key| token.is_signed_by(key));
        if holds(newest) {
            return Some(newest.generation);
        }
        let newer = match &self.keys {
            Keys::Core(keys) => keys.newer_than(newest.generation).await,
            Keys::Local(keys) => keys.newer_than(newest.generation).await,
        }?;
        holds(&newer).then_some(newer.generation)
    }

    async fn ready(&self) -> Result<Arc<Snapshot>> {
        match &self.keys {
            Keys::Core(keys) => keys.ready().await,
            Keys::Local(keys) => keys.ready().await,
        }
    }

    /// A session of ours must stand, and the person's row, not the token, says what they may do.
    async fn own_caller(&self, claims: &Claims) -> Result<Caller, Rejected> {
        let jti = claims.jti.clone().ok_or_else(|| Rejected::token("no session"))?;
        let session = self.session(&jti).await?;
        if !claims.is_about(&session.subject) {
            return Err(Rejected::token("another subject's session"));
        }
        if self.last_use.is_due(&jti, session.last_used_at.as_deref()) {
            let (db, jti) = (self.db.clone(), jti.clone());
            tokio::spawn(async move {
                let noted = db.write(&Scope::All, &Actor::system("sessions"), move |w| store::note_use(w, &jti)).await;
                if let Err(error) = noted {
                    tracing::debug!(%error, "the use of a session could not be noted");
                }
            });
        }
        let Some(account) = session.account.clone() else { return Ok(claims.caller()) };
        Ok(Caller::User(User {
            sub: session.subject.clone(),
            name: account.name,
            email: account.email,
            username: account.username,
            level: account.level,
            jti: Some(jti),
            companies: account.company_id.into_iter().collect(),
            known_at: Some(jiff::Timestamp::now().as_second()),
        }))
    }

    /// A session that stands; the database is asked again as soon as anything was committed to it.
    async fn session(&self, jti: &str) -> Result<Arc<Session>, Rejected> {
        let commits = self.db.change_notifier();
        if let Some(known) = self.standing.find(jti, commits) {
            return Ok(known);
        }
        let lookup = jti.to_owned();
        let found = self.db.read(&Scope::All, move |c| store::find_session(c, &lookup)).await.map_err(Rejected::from)?;
        let session = Arc::new(found.ok_or_else(|| Rejected::token("the session has ended"))?);
        self.standing.remember(jti, commits, &session);
        Ok(session)
    }

    /// On the platform, a client's companies: read anew for every request, so that a contact who was
    /// moved or retired is seen at once.
    async fn with_companies(&self, mut user: User, lookup: &CompanyLookup) -> Result<User, Rejected> {
        let email = user.email.trim().to_owned();
        if user.level == Level::Client && !email.is_empty() {
            let lookup = lookup.clone();
            let companies = self.db.read(&Scope::All, move |c| lookup(c, &email)).await;
            user.companies = companies.map_err(Rejected::from)?.into();
        }
        Ok(user)
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double for the next 285,000 years")]
fn seconds() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Unauthorized => Self::Unauthorized("Invalid or expired token".to_owned()),
            Rejected::Forbidden(why) => Self::Forbidden(why),
            Rejected::Unavailable(reason) => Self::Unavailable(reason),
            Rejected::Failed(cause) => Self::Internal(cause),
        }
    }
}
