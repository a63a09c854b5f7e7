//! The page on which an administrator forgets a person.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{Forgotten, confirmed, forget};
use crate::{
    agents::PageContext,
    auth::Admin,
    contacts::Contact,
    error::{Error, Result},
    history,
    types::Scope,
    ui::{Crumb, Page, Section, filters, link_to, words},
    web::{Fields, Path, Routes, Web},
};

#[derive(Template)]
#[template(path = "records/forget.html")]
struct ForgetPage {
    page: Page,
    crumbs: Vec<Crumb>,
    problem: Option<String>,
    back: String,
    action: String,
    name: String,
    texts: Vec<(String, usize)>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/contacts/{id}/forget", show).post("/contacts/{id}/forget", save)
}

async fn show(State(web): State<Web>, _admin: Admin, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    page(&web, &context, id, StatusCode::OK, None).await
}

async fn save(
    State(web): State<Web>,
    _admin: Admin,
    context: PageContext,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let typed = fields.text("name").max(300).get().value();
    match confirmed(&web.db, id, typed.as_deref()).await {
        Ok(()) => {}
        Err(error @ Error::Invalid(_)) => {
            return page(&web, &context, id, StatusCode::BAD_REQUEST, Some(error.to_string())).await;
        }
        Err(other) => return Err(other),
    }
    let (db, config, actor) = (web.db.clone(), web.config.clone(), context.actor());
    let work = tokio::spawn(async move { forget(&db, &config, &actor, id, false).await });
    let done = work.await.map_err(Error::internal)??;
    let told = done.residue.map_or_else(|| "Forgotten.".to_owned(), |residue| format!("Forgotten. {residue}."));
    context.go(&format!("/contacts/{id}"), &told)
}

async fn page(web: &Web, context: &PageContext, id: i64, status: StatusCode, problem: Option<String>) -> Result<Response> {
    let contact = web.db.read(&context.scope(), move |c| history::get::<Contact>(c, id)).await?;
    let Forgotten { texts, .. } = forget(&web.db, &web.config, &context.actor(), id, true).await?;
    web.db.read(&Scope::All, move |c| history::forgotten::refuse::<Contact>(c, id)).await?;
    let back = context.page.url(&format!("/contacts/{id}"));
    let page = ForgetPage {
        page: context.titled(Section::Contacts, format!("Forget {}", contact.name)),
        crumbs: vec![link_to(back.clone(), contact.name.clone())],
        problem,
        action: format!("{back}/forget"),
        back,
        name: contact.name,
        texts: texts.into_iter().map(|(table, count)| (words(&table), count)).collect(),
    };
    context.show_as(status, &page)
}
