//! The context of a page for the person who asks for it: their rights, their theme, what the last form did.

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse as _, Response},
};
use std::sync::Arc;

use super::{model::SYSTEM, store, views};
use crate::{
    auth::{Caller, Person},
    error::{Error, Result},
    status,
    types::{Actor, Scope},
    ui::{Flash, Page, Reader, Section, Theme},
    web::{Prefix, Query, Web, answers::Keepable, settings_store},
};

/// Carries one sentence over a redirect.
const FLASH: &str = "codex_flash";
/// How long it waits to be read, in seconds.
const FLASH_SECONDS: u32 = 60;

/// What every page handler asks for first: it lets people in and nobody else.
#[derive(Clone, Debug)]
pub struct PageContext {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The page, still without a title.
    pub page: Page,
    /// The query string.
    pub query: Query,
    /// The person's look, when the browser does not remember it yet.
    unseen: Option<Theme>,
}

impl FromRequestParts<Web> for PageContext {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self> {
        let person = Person::from_request_parts(parts, web).await?;
        let Ok(mut query) = Query::from_request_parts(parts, web).await;
        let Ok(prefix) = Prefix::from_request_parts(parts, web).await;
        let user = person.user().clone();
        let subject = user.sub.clone();
        let (is_admin, caller) = (person.0.is_admin(), person.0.clone());
        // Only lists have views, and only theirs are addresses that end like this.
        let list = Some(parts.uri.path().to_owned()).filter(|path| path.len() > 1 && path.ends_with('/'));
        let (known, waiting, demo, fresh, views) = web
            .db
            .read(&Scope::All, move |c| {
                let waiting = if is_admin { status::waiting(c)?.len() } else { 0 };
                let demo = settings_store::find(c, settings_store::DEMO)?.is_some();
                let views = list.map_or_else(|| Ok(Vec::new()), |list| views::of_list(c, &caller, &list))?;
                Ok((store::find(c, &subject)?, waiting, demo, status::lines(&status::freshness(c)?), views))
            })
            .await?;
        let chosen = known.map(|agent| agent.preferences);
        let mut page = Page::outside(prefix.as_str(), !web.config.on_platform(), "");
        if let Some(chosen) = chosen {
            page.theme = Some(chosen.theme_preference).filter(|theme| theme != SYSTEM).unwrap_or_default();
            page.color_theme = chosen.preferred_color_theme;
        }
        page.waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        page.demo = demo;
        page.fresh = fresh;
        if let Some(chosen) = views.iter().find(|view| view.is_default).filter(|_| query.is_empty()) {
            query = Query::parse(&chosen.address_query());
        }
        page.views = views;
        page.flash = flash(&parts.headers);
        page.reader = Reader::of(&person.0);
        let look = Theme { theme: page.theme.clone(), color_theme: page.color_theme.clone() };
        let unseen = (page.standalone && Theme::of(&parts.headers) != look).then_some(look);
        Ok(Self { caller: person.0.clone(), page, query, unseen })
    }
}

impl PageContext {
    /// The tenant boundary of what the page shows.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.caller.scope()
    }

    /// The hand to write beside what a form changes.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// The page under its title.
    #[must_use]
    pub fn titled(&self, section: Section, title: impl Into<String>) -> Page {
        self.page.clone().titled(section, title)
    }

    /// The page as an answer.
    pub fn show(&self, template: &impl Template) -> Result<Response> {
        self.show_as(StatusCode::OK, template)
    }

    /// The page as an answer with another status, for forms that come back.
    pub fn show_as(&self, status: StatusCode, template: &impl Template) -> Result<Response> {
        let html = template.render().map_err(Error::internal)?;
        let mut response = (status, [(header::CACHE_CONTROL, "private, no-cache")], Html(html)).into_response();
        response.extensions_mut().insert(Keepable);
        if let Some(look) = &self.unseen {
            let cookie = HeaderValue::from_str(&look.cookie(&self.page.prefix)).map_err(Error::internal)?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        if self.page.flash.is_some() {
            self.set_flash(&mut response, "", 0)?;
        }
        Ok(response)
    }

    /// Leads on after a form, with a sentence about what it did.
    ///
    /// # Errors
    /// When the address is no header value.
    pub fn go(&self, path: &str, done: &str) -> Result<Response> {
        self.lead(path, &format!("success:{done}"))
    }

    /// Leads on after a form that could not do it, with the reason.
    ///
    /// # Errors
    /// When the address is no header value.
    pub fn go_sorry(&self, path: &str, why: &str) -> Result<Response> {
        self.lead(path, &format!("error:{why}"))
    }

    fn lead(&self, path: &str, words: &str) -> Result<Response> {
        let location = HeaderValue::from_str(&self.page.url(path)).map_err(Error::internal)?;
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
        self.set_flash(&mut response, words, FLASH_SECONDS)?;
        Ok(response)
    }

    fn set_flash(&self, response: &mut Response, words: &str, seconds: u32) -> Result<()> {
        let value = percent_encoding::utf8_percent_encode(words, percent_encoding::NON_ALPHANUMERIC);
        let path = if self.page.prefix.is_empty() { "/" } else { &self.page.prefix };
        let cookie = format!("{FLASH}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax");
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(Error::internal)?);
        Ok(())
    }
}

fn flash(headers: &HeaderMap) -> Option<Flash> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().strip_prefix(FLASH)?.strip_prefix('='));
    let value = cookies.find(|value| !value.is_empty())?;
    let words = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    let (kind, text) = words.split_once(':')?;
    let kind = if kind == "error" { "error" } else { "success" };
    Some(Flash { kind, text: text.to_owned() })
}
