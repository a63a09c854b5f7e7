//! People and their passwords.

use serde_json::{Map, Value, json};

use super::{
    factor_store, link_store,
    model::{AccountView, NewUser, User, email_key, name_key},
};
use crate::{
    agents::UserView,
    auth::Level,
    companies,
    db::{Conn, Row, Write},
    error::{Error, Result},
    history, params,
    types::now,
};

const USER: &str = "SELECT account.id, account.subject, account.username, account.email, account.name, account.role,
    account.company_id, account.enabled, account.password_changed_at, account.created_at, account.updated_at, account.rev
    FROM users account";

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        subject: row.get(1)?,
        username: row.get(2)?,
        email: row.get(3)?,
        name: row.get(4)?,
        role: Level::from_claim(Some(&row.get::<String>(5)?)),
        company_id: row.get(6)?,
        enabled: row.get(7)?,
        password_changed_at: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        rev: row.get(11)?,
    })
}

/// The person with this sign-in name or e-mail.
pub fn find(c: &mut Conn, login: &str) -> Result<Option<User>> {
    let sql = format!("{USER} WHERE account.username_folded = ?1 OR account.email_folded = ?2 ORDER BY account.id");
    c.first(&sql, params![name_key(login), email_key(login)])?.as_ref().map(user).transpose()
}

/// The person with exactly this e-mail, whatever its case.
pub fn find_by_email(c: &mut Conn, email: &str) -> Result<Option<User>> {
    let sql = format!("{USER} WHERE account.email_folded = ?1");
    c.first(&sql, params![email_key(email)])?.as_ref().map(user).transpose()
}

/// The person with this id.
pub fn get(c: &mut Conn, id: i64) -> Result<User> {
    let sql = format!("{USER} WHERE account.id = ?1");
    c.first(&sql, params![id])?.as_ref().map(user).transpose()?.ok_or(Error::NotFound { what: "User" })
}

/// The person whose tokens have this subject.
pub fn get_by_subject(c: &mut Conn, subject: &str) -> Result<User> {
    let sql = format!("{USER} WHERE account.subject = ?1");
    c.first(&sql, params![subject])?.as_ref().map(user).transpose()?.ok_or(Error::NotFound { what: "User" })
}

/// Everybody, by sign-in name, as `/api/users` shows them.
pub fn list(c: &mut Conn) -> Result<Vec<UserView>> {
    let rows = c.all(&format!("SELECT {VIEW_COLUMNS} {VIEW} ORDER BY account.username_folded"), params![])?;
    rows.iter().map(view).collect()
}

/// One person, as `/api/users/<id>` shows them.
pub fn show(c: &mut Conn, id: i64) -> Result<UserView> {
    let row = c.first(&format!("SELECT {VIEW_COLUMNS} {VIEW} WHERE account.id = ?1"), params![id])?;
    row.as_ref().map(view).transpose()?.ok_or(Error::NotFound { what: "User" })
}

const VIEW_COLUMNS: &str =
    "account.id, account.username, account.email, company.account_number, account.role, account.name, account.enabled";
const VIEW: &str = "FROM users account LEFT JOIN @companies company ON company.id = account.company_id";

fn view(row: &Row) -> Result<UserView> {
    Ok(UserView {
        id: row.get::<i64>(0)?.into(),
        username: row.get(1)?,
        email: row.get(2)?,
        company_account_number: row.get(3)?,
        permission_level: row.get(4)?,
        name: row.get(5)?,
        enabled: row.get(6)?,
        is_hidden: false,
    })
}

/// Everybody, by sign-in name, or one person, as administrators see their accounts.
pub fn accounts(c: &mut Conn, id: Option<i64>) -> Result<Vec<AccountView>> {
    let sql = format!(
        "SELECT {VIEW_COLUMNS}, secret.user_id IS NOT NULL, account.created_at, account.updated_at, account.rev,
                factor.confirmed_at IS NOT NULL,
                EXISTS (SELECT 1 FROM user_identities identity WHERE identity.user_id = account.id)
         FROM users account
         LEFT JOIN @companies company ON company.id = account.company_id
         LEFT JOIN passwords secret ON secret.user_id = account.id
         LEFT JOIN second_factors factor ON factor.user_id = account.id
         WHERE CAST(?1 AS BIGINT) IS NULL OR account.id = ?1 ORDER BY account.username_folded"
    );
    let account = |row: &Row| {
        Ok(AccountView {
            user: view(row)?,
            has_password: row.get(7)?,
            created_at: row.get(8)?,
            updated_at: row.get(9)?,
            rev: row.get(10)?,
            second_factor: row.get(11)?,
            single_sign_on: row.get(12)?,
        })
    };
    c.all(&sql, params![id])?.iter().map(account).collect()
}

/// Whether somebody can sign in who may do everything: by password, or over the provider.
pub fn has_admin(c: &mut Conn) -> Result<bool> {
    let sql = "SELECT 1 FROM users account WHERE account.role = 'admin' AND account.enabled
               AND (EXISTS (SELECT 1 FROM passwords secret WHERE secret.user_id = account.id)
                 OR EXISTS (SELECT 1 FROM user_identities identity WHERE identity.user_id = account.id))
               LIMIT 1";
    Ok(c.first(sql, params![])?.is_some())
}

/// The hash of a person's password.
pub fn password_hash(c: &mut Conn, user_id: i64) -> Result<Option<String>> {
    c.first("SELECT hash FROM passwords WHERE user_id = ?1", params![user_id])?.map(|row| row.get(0)).transpose()
}

/// The id of the company with this account number (or, failing that, this id).
pub fn company_id(c: &mut Conn, key: &str) -> Result<i64> {
    companies::store::find_id(c, key)?.ok_or_else(|| Error::field("company", "there is no such company"))
}

/// Stores a new person.
pub fn create(w: &mut Write<'_>, new: NewUser) -> Result<User> {
    let subject = uuid::Uuid::new_v4().to_string();
    let row = w.one(
        "INSERT INTO users (subject, username, username_folded, email, email_folded, name, role, company_id, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) RETURNING id",
        params![
            subject,
            &new.username,
            name_key(&new.username),
            &new.email,
            email_key(&new.email),
            &new.name,
            new.role.as_str(),
            new.company_id,
            now()
        ],
    )?;
    let user = get(w, row.get(0)?)?;
    let fields = json!({
        "username": [null, user.username], "email": [null, user.email], "name": [null, user.name], "role": [null, user.role],
        "company_id": [null, user.company_id], "enabled": [null, user.enabled],
    });
    note(w, user.id, "create", fields)?;
    Ok(user)
}

/// Stores who a person is and what they may do; what stays the same leaves no trace.
pub fn update(w: &mut Write<'_>, id: i64, new: &NewUser) -> Result<User> {
    let before = get(w, id)?;
    let both = [
        ("username", json!(before.username), json!(new.username)),
        ("email", json!(before.email), json!(new.email)),
        ("name", json!(before.name), json!(new.name)),
        ("role", json!(before.role), json!(new.role)),
        ("company_id", json!(before.company_id), json!(new.company_id)),
    ];
    let moved: Map<String, Value> = both
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| (name.to_owned(), json!([old, new])))
        .collect();
    if moved.is_empty() {
        return Ok(before);
    }
    w.run(
        "UPDATE users SET username = ?2, username_folded = ?3, email = ?4, email_folded = ?5, name = ?6, role = ?7, company_id = ?8,
                updated_at = ?9, rev = rev + 1 WHERE id = ?1",
        params![
            id,
            &new.username,
            name_key(&new.username),
            &new.email,
            email_key(&new.email),
            &new.name,
            new.role.as_str(),
            new.company_id,
            now()
        ],
    )?;
    if before.email != new.email {
        // A link that was sent to the old address must not open the account.
        link_store::forget(w, id)?;
    }
    note(w, id, "update", Value::Object(moved))?;
    get(w, id)
}

/// Account number and name of the companies that a client can belong to.
pub fn company_choices(c: &mut Conn) -> Result<Vec<(String, String)>> {
    let sql = "SELECT company.account_number, company.name FROM @companies company WHERE company.retired_at IS NULL
               ORDER BY company.name_folded, company.id LIMIT 2000";
    c.all(sql, params![])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Stores the hash of a person's new password. History learns when, and nothing else.
pub fn set_password(w: &mut Write<'_>, id: i64, hash: &str) -> Result<User> {
    let (before, at) = (get(w, id)?, now());
    w.run(
        "INSERT INTO passwords (user_id, hash) VALUES (?1, ?2) ON CONFLICT (user_id) DO UPDATE SET hash = ?2",
        params![id, hash],
    )?;
    link_store::forget(w, id)?;
    factor_store::forget_challenges(w, id)?;
    w.run("UPDATE users SET password_changed_at = ?2, updated_at = ?2, rev = rev + 1 WHERE id = ?1", params![id, &at])?;
    note(w, id, "update", json!({ "password_changed_at": [before.password_changed_at, at] }))?;
    get(w, id)
}

/// Stores whether a person may sign in. Who is shut out comes back by none of the ways that were open before.
pub fn set_enabled(w: &mut Write<'_>, id: i64, enabled: bool) -> Result<User> {
    let before = get(w, id)?;
    if before.enabled == enabled {
        return Ok(before);
    }
    w.run("UPDATE users SET enabled = ?2, updated_at = ?3, rev = rev + 1 WHERE id = ?1", params![id, enabled, now()])?;
    if !enabled {
        link_store::forget(w, id)?;
        factor_store::forget_challenges(w, id)?;
    }
    note(w, id, "update", json!({ "enabled": [before.enabled, enabled] }))?;
    get(w, id)
}

/// Notes that a person's second factor was turned on or off.
pub fn note_factor(w: &mut Write<'_>, id: i64, on: bool) -> Result<()> {
    note(w, id, "update", json!({ "second_factor": [!on, on] }))
}

/// Notes that a person's account was linked with the provider of single sign-on, or is so no longer.
pub fn note_sso(w: &mut Write<'_>, id: i64, linked: bool) -> Result<()> {
    note(w, id, "update", json!({ "single_sign_on": [!linked, linked] }))
}

/// Notes that somebody was given a link with which this person sets their password.
pub fn note_link(w: &mut Write<'_>, id: i64, kind: &str, expires_at: &str) -> Result<()> {
    note(w, id, "link", json!({ kind: [null, { "expires_at": expires_at }] }))
}

fn note(w: &mut Write<'_>, id: i64, action: &str, fields: Value) -> Result<()> {
    let Value::Object(fields) = fields else { return Err(Error::internal("a change is an object")) };
    history::record_change(w, "user", id, action, None, fields)
}
