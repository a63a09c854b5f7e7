//! Single sign-on by `OpenID` Connect, where people sign in here.

use super::{Secret, read::Reader};

/// Who may still sign in with a password that is kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalSignIn {
    Everybody,
    Admins,
    Nobody,
}

/// The levels that a role at the provider can stand for, in the words of tokens, the most powerful first; and the setting that
/// names the roles.
const ROLES: [(&str, &str); 4] =
    [("admin", "role_admin"), ("technician", "role_technician"), ("billing", "role_billing"), ("client", "role_client")];

/// The provider, and what its word counts for.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Its issuer, without a slash at the end.
    pub issuer: String,
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<Secret>,
    pub scopes: String,
    /// What people call it.
    pub name: String,
    /// The claim with somebody's roles, from the outside in; none leaves roles to Codex.
    pub role_claim: Vec<String>,
    /// For each level, the most powerful first, the roles that stand for it.
    pub roles: Vec<(&'static str, Vec<String>)>,
    /// The level of who has none of those roles.
    pub default_role: Option<&'static str>,
    /// Whether somebody is added who is not known here.
    pub creates: bool,
    /// Domains that an e-mail address must have; none for any.
    pub domains: Vec<String>,
    /// Whether an address counts that the provider does not call verified.
    pub trusts_email: bool,
    pub local_sign_in: LocalSignIn,
}

impl Oidc {
    /// The provider, if one is configured.
    pub(super) fn read(read: &mut Reader<'_>) -> Option<Self> {
        let issuer = read.parsed(("oidc", "issuer"), None, |text| match text {
            "" => Ok(None),
            _ => secure(text).map(Some),
        });
        let local_sign_in = read.parsed(("oidc", "local_sign_in"), LocalSignIn::Everybody, |text| match text {
            "everybody" => Ok(LocalSignIn::Everybody),
            "admins" => Ok(LocalSignIn::Admins),
            "nobody" => Ok(LocalSignIn::Nobody),
            _ => Err(format!("must be everybody, admins or nobody, not {text:?}")),
        });
        let default_role = read.parsed(("oidc", "default_role"), None, |text| {
            let known = ROLES.iter().find(|(level, _)| *level == text).map(|(level, _)| *level);
            match (text, known) {
                ("", _) => Ok(None),
                (_, Some(level)) => Ok(Some(level)),
                _ => Err("must be admin, technician, billing or client".to_owned()),
            }
        });
        let oidc = Self {
            issuer: issuer.clone().unwrap_or_default(),
            client_id: read.text("oidc", "client_id").to_owned(),
            client_secret: read.secret("oidc", "client_secret"),
            scopes: read
                .text("oidc", "scopes")
                .split([',', ' ', '\n'])
                .filter(|scope| !scope.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            name: read.text("oidc", "name").to_owned(),
            role_claim: read.text("oidc", "role_claim").split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            roles: ROLES.map(|(level, key)| (level, read.list("oidc", key))).into(),
            default_role,
            creates: read.flag("oidc", "create_users"),
            domains: read
                .list("oidc", "email_domains")
                .iter()
                .map(|domain| domain.trim_start_matches('@').to_lowercase())
                .collect(),
            trusts_email: read.flag("oidc", "trust_email"),
            local_sign_in,
        };
        if issuer.is_none() {
            if local_sign_in != LocalSignIn::Everybody {
                read.wrong("oidc", "local_sign_in", "needs oidc.issuer: nobody could sign in");
            }
            return None;
        }
        oidc.check(read);
        Some(oidc)
    }

    fn check(&self, read: &mut Reader<'_>) {
        if self.client_id.is_empty() {
            read.wrong("oidc", "client_id", "is required beside oidc.issuer");
        }
        if !self.scopes.split(' ').any(|scope| scope == "openid") {
            read.wrong("oidc", "scopes", "must contain openid");
        }
        if self.role_claim.is_empty() && self.roles.iter().any(|(_, roles)| !roles.is_empty()) {
            read.wrong("oidc", "role_claim", "must name the claim that holds the roles of oidc.role_…");
        }
        if self.trusts_email && self.domains.is_empty() {
            read.wrong(
                "oidc",
                "trust_email",
                "needs oidc.email_domains: else whoever has an account there chooses whose address it has",
            );
        }
        if self.creates && self.role_claim.is_empty() && self.default_role.is_none() {
            read.wrong("oidc", "default_role", "is required with oidc.create_users, unless oidc.role_claim gives roles");
        }
    }
}

/// An https address; http for a provider on this machine alone.
fn secure(text: &str) -> Result<String, String> {
    let address = super::read::web_address(text)?;
    let url = url::Url::parse(&address).map_err(|_| "must be an address".to_owned())?;
    let here = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "https" || here { Ok(address) } else { Err("must begin with https://".to_owned()) }
}
