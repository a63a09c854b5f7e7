//! A person who signs in here, and the rules for their fields.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    agents::UserView,
    auth::Level,
    error::{Error, FieldError, Result},
};

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Our id.
    pub id: i64,
    /// The subject of their tokens.
    pub subject: String,
    /// Sign-in name, as typed.
    pub username: String,
    /// E-mail, as typed.
    pub email: String,
    /// Full name; may be empty.
    pub name: String,
    /// What they may do.
    pub role: Level,
    /// The company of a client.
    pub company_id: Option<i64>,
    /// Whether they may sign in.
    pub enabled: bool,
    /// When the password was last set; nobody signs in before.
    pub password_changed_at: Option<String>,
    /// When the row was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Counts its changes.
    pub rev: i64,
}

/// An account as administrators see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    #[serde(flatten)]
    pub user: UserView,
    /// Whether they have a password; somebody invited has none yet.
    pub has_password: bool,
    /// Whether a code is asked for besides.
    pub second_factor: bool,
    /// Whether the account is linked with somebody at the provider of single sign-on.
    pub single_sign_on: bool,
    pub created_at: String,
    pub updated_at: String,
    #[serde(skip)]
    pub rev: i64,
}

/// The field of forms that says whose a client is.
pub const COMPANY: &str = "company";

/// What is needed to make a [`User`].
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    pub username: String,
    pub email: String,
    /// Full name; may be empty.
    pub name: String,
    /// What they may do.
    pub role: Level,
    /// The company of a client.
    pub company_id: Option<i64>,
}

impl NewUser {
    /// A person as they are, to be changed.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self {
            username: user.username.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role,
            company_id: user.company_id,
        }
    }

    /// Trims everything and holds it to the rules; lists all that is wrong.
    pub fn checked(self) -> Result<Self> {
        let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let new = Self { username: tidy(&self.username), email: self.email.trim().to_owned(), name: tidy(&self.name), ..self };
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, message: &str| wrong.push(FieldError { field: field.into(), message: message.into() });
        if !(1..=100).contains(&new.username.chars().count()) || new.username.chars().any(char::is_control) {
            refuse("username", "must have 1 to 100 characters");
        } else if new.username.contains('@') && email_key(&new.username) != email_key(&new.email) {
            refuse("username", "must not be another e-mail address than the user's own");
        }
        if !is_email(&new.email) {
            refuse("email", "must be an e-mail address");
        }
        if new.name.chars().count() > 200 || new.name.chars().any(char::is_control) {
            refuse("name", "must not have more than 200 characters");
        }
        if new.role == Level::Client && new.company_id.is_none() {
            refuse(COMPANY, "is required for a client");
        }
        if wrong.is_empty() { Ok(new) } else { Err(Error::Invalid(wrong)) }
    }
}

/// The form in which sign-in names are compared.
#[must_use]
pub fn name_key(name: &str) -> String {
    let lower: String = name.nfkc().flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The form in which e-mail addresses are compared: case does not count, accents do.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

fn is_email(text: &str) -> bool {
    let halves = text.rsplit_once('@');
    let parts = halves.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    parts && clean && text.len() <= 254
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(username: &str, email: &str) -> NewUser {
        NewUser { username: username.into(), email: email.into(), role: Level::Admin, ..NewUser::default() }
    }

    #[test]
    fn tidies_what_people_type() {
        let new = user("  Ada   Byron ", " Ada@Example.com ").checked().unwrap();
        assert_eq!((new.username.as_str(), new.email.as_str()), ("Ada Byron", "Ada@Example.com"));
        assert_eq!((name_key("ＡDA  byron"), email_key(" Ada@Example.COM")), ("ada byron".into(), "ada@example.com".into()));
    }

    #[test]
    fn says_what_is_wrong_with_each_field() {
        for (username, email, field) in [
            ("", "a@b.example", "username"),
            ("a\u{7}b", "a@b.example", "username"),
            ("other@b.example", "a@b.example", "username"),
            ("ada", "", "email"),
            ("ada", "a b@c", "email"),
            ("ada", "@c", "email"),
        ] {
            let Err(Error::Invalid(wrong)) = user(username, email).checked() else { unreachable!("{username} {email}") };
            assert_eq!(wrong[0].field, field);
        }
        assert!(user("A@b.example", "a@B.example").checked().is_ok());
        let client = NewUser { role: Level::Client, ..user("carl", "c@d.example") };
        assert!(client.checked().unwrap_err().to_string().contains("company"));
    }
}
