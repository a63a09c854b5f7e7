//! One's own settings, and what Nexus asks about the person in front of it (contract §1.9).

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Agent, Patch, Preferences, store};
use crate::{
    auth::{Anyone, Person},
    error::{Error, Result},
    types::Scope,
    web::{Fields, Query, Web},
};

/// `GET /api/my/settings`
pub async fn show(State(web): State<Web>, person: Person) -> Result<Json<Value>> {
    let user = person.user().clone();
    needs_email(&user.email)?;
    let known = web.db.read(&Scope::All, move |c| store::find(c, &user.sub)).await?;
    let mut body = json!(known.as_ref().map(|agent| agent.preferences.clone().told()).unwrap_or_default());
    body["synced"] = known.is_some().into();
    if let Some(agent) = known {
        body["username"] = agent.username.into();
        body["email"] = agent.email.into();
    }
    Ok(Json(body))
}

/// `PUT /api/my/settings`: whoever has a token is known from then on; nobody needs to be synced first.
pub async fn update(State(web): State<Web>, person: Person, fields: Fields) -> Result<Json<Value>> {
    let user = person.user().clone();
    needs_email(&user.email)?;
    let (patch, actor) = (Patch::read(fields)?, person.0.actor());
    let saved = web.db.write(&Scope::All, &actor, move |w| {
        let wanted = patch.applied_to(&store::preferences(w, &user.sub)?);
        store::save(w, &user, &wanted)
    });
    let mut body = json!({ "success": true, "message": "Settings updated" });
    if let (Some(body), Value::Object(chosen)) = (body.as_object_mut(), json!(saved.await?.preferences.told())) {
        body.extend(chosen);
    }
    Ok(Json(body))
}

/// `GET /api/public/user/theme?email=`
pub async fn theme(_: Anyone, State(web): State<Web>, query: Query) -> Result<Json<Value>> {
    let (chosen, source, email) = asked(&web, &query).await?;
    let mut body = json!({ "theme": chosen.theme_preference, "color_theme": chosen.preferred_color_theme, "source": source });
    if let Some(email) = email {
        body["email"] = email.into();
    }
    Ok(Json(body))
}

/// `GET /api/public/user/home-page?email=`
pub async fn home_page(_: Anyone, State(web): State<Web>, query: Query) -> Result<Json<Value>> {
    let (chosen, source, email) = asked(&web, &query).await?;
    Ok(Json(json!({ "home_page": chosen.home_page_preference, "source": source, "email": email })))
}

/// The preferences behind `?email=`, where they came from, and the e-mail. An unknown one is no error:
/// Nexus asks on every page and must get its answer.
async fn asked(web: &Web, query: &Query) -> Result<(Preferences, &'static str, Option<String>)> {
    let Some(email) = query.get("email").map(str::trim).filter(|email| !email.is_empty()).map(str::to_owned) else {
        return Ok((Preferences::default(), "default", None));
    };
    let asked = email.clone();
    let known: Option<Agent> = web.db.read(&Scope::All, move |c| store::find_by_email(c, &asked)).await?;
    let source = if known.is_some() { "codex" } else { "default" };
    Ok((known.map(|agent| agent.preferences.told()).unwrap_or_default(), source, Some(email)))
}

fn needs_email(email: &str) -> Result<()> {
    if email.trim().is_empty() {
        return Err(Error::BadRequest("The token carries no e-mail address".to_owned()));
    }
    Ok(())
}
