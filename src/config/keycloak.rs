//! Keycloak, whose users are mirrored as agents.

use super::{Secret, read::Reader};

/// The word for it among systems.
pub const SYSTEM: &str = "keycloak";

/// Where it is, and as whom its users are read.
#[derive(Clone, Debug)]
pub struct Keycloak {
    url: Option<String>,
    realm: String,
    admin_user: String,
    admin_password: Option<Secret>,
}

/// All that is needed to read the users.
#[derive(Clone, Debug)]
pub struct Account {
    /// Without a slash at its end.
    pub url: String,
    /// The realm with the users.
    pub realm: String,
    /// An administrator of the master realm.
    pub user: String,
    pub password: Secret,
}

impl Keycloak {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        Self {
            url: read.address("keycloak", "url"),
            realm: read.text("keycloak", "realm").to_owned(),
            admin_user: read.text("keycloak", "admin_user").to_owned(),
            admin_password: read.secret("keycloak", "admin_password"),
        }
    }

    /// The account, or what is missing.
    ///
    /// # Errors
    /// With the setting that is missing.
    pub fn account(&self) -> Result<Account, String> {
        let missing = |what: &str| format!("Keycloak is not configured: set {what}");
        Ok(Account {
            url: self.url.clone().ok_or_else(|| missing("keycloak.url (KEYCLOAK_BACKEND_URL)"))?,
            realm: self.realm.clone(),
            user: self.admin_user.clone(),
            password: self.admin_password.clone().ok_or_else(|| missing("keycloak.admin_password (KEYCLOAK_ADMIN_PASS)"))?,
        })
    }
}
