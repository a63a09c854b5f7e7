//! Walking a vendor's list to its end, page by page, from where an interrupted run left off.

use super::{
    paginator::{Paginator, Shown, Step},
    staged_store,
};
use crate::{
    db::Write,
    error::Result,
    jobs::Job,
    types::{Actor, Scope, now_plus},
    vendors::retry,
};

/// Staged pages fewer than these are not worth taking up again.
const WORTH_RESUMING: usize = 4;
/// How old a staged page of another run may be and still be used.
const STAGED_SECONDS: i64 = 600;

/// A list of a vendor's, as far as walking it needs to know.
pub trait List: Send {
    /// One page, as it is kept.
    type Page: Send + Sync;
    /// The number of the first page.
    const FIRST: u32;

    /// Asks for a page.
    fn page(&mut self, number: u32) -> impl Future<Output = Result<Self::Page>> + Send;
    /// What the walk needs of a page.
    fn shown(&self, page: &Self::Page) -> Shown;
    /// Keeps a page; the last one may be empty.
    fn keep(&mut self, number: u32, page: Self::Page) -> impl Future<Output = Result<()>> + Send;
    /// What is said of a list that cannot be trusted.
    fn broken(&self, why: String) -> crate::error::Error;
}

/// A list whose pages are staged, so that a run which is interrupted has not read them for nothing.
pub trait Staged: List {
    /// A page as it was staged.
    fn read(&self, body: &str) -> Option<Self::Page>;
    /// Which of so many staged pages are compared with what the vendor shows now; `at_end` when the last of them ends the list.
    fn compared(&self, count: u32, at_end: bool) -> Vec<u32>;
    /// Whether the vendor still shows the same.
    fn is_same(&self, staged: &Self::Page, now: &Self::Page) -> bool;
    /// Takes a staged page over.
    fn take_over(&mut self, number: u32, page: Self::Page);
}

/// Walks on from a page to the end.
pub async fn walk<L: List>(list: &mut L, mut walk: Paginator, from: u32) -> Result<Paginator> {
    let (mut number, mut repeated) = (from, 0);
    loop {
        let page = list.page(number).await?;
        match walk.take(number, &list.shown(&page)) {
            Step::Next(next) => {
                repeated = 0;
                list.keep(number, page).await?;
                number = next;
            }
            Step::Again(next) => {
                repeated += 1;
                number = next;
                tokio::time::sleep(retry::backoff(repeated)).await;
            }
            Step::Confirm(next) => number = next,
            Step::Done => {
                list.keep(number, page).await?;
                return Ok(walk);
            }
            Step::Broken(why) => return Err(list.broken(why)),
        }
    }
}

/// Walks a list whole, from where the run `from` broke off when there is one; `to` is the run that walks.
pub async fn go_on<L: Staged>(list: &mut L, job: &Job, from: Option<i64>, to: i64, name: &'static str) -> Result<Paginator> {
    let Some(from) = from else { return walk(list, Paginator::default(), L::FIRST).await };
    let since = now_plus(-STAGED_SECONDS);
    let staged = job.db.read(&Scope::All, move |c| staged_store::of(c, from, name, &since)).await?;
    let resumed = if staged.len() < WORTH_RESUMING { None } else { resume(list, Paginator::default(), &staged).await? };
    let Some((paginator, Some(next))) = resumed else { return walk(list, Paginator::default(), L::FIRST).await };
    let inherit = move |w: &mut Write<'_>| staged_store::inherit_list(w, from, to, name, i64::from(next) - 1);
    job.write(&Actor::system("sync"), inherit).await?;
    tracing::info!(list = name, pages = staged.len(), "going on where an interrupted run left off");
    walk(list, paginator, next).await
}

/// Takes over staged pages, if they are the beginning of the list and the vendor still shows them as they were. Says at
/// which page to go on, none when they are the whole list.
pub async fn resume<L: Staged>(
    list: &mut L,
    mut walk: Paginator,
    staged: &[(i64, String)],
) -> Result<Option<(Paginator, Option<u32>)>> {
    let is_gapless = staged.iter().zip(i64::from(L::FIRST)..).all(|((page, _), want)| *page == want);
    let pages: Option<Vec<L::Page>> = staged.iter().map(|(_, body)| list.read(body)).collect();
    let Some(pages) = pages.filter(|pages| is_gapless && !pages.is_empty()) else { return Ok(None) };
    let mut at_end = false;
    for (number, page) in (L::FIRST..).zip(&pages) {
        match walk.take(number, &list.shown(page)) {
            Step::Next(_) => at_end = false,
            Step::Done => at_end = true,
            Step::Again(_) | Step::Confirm(_) | Step::Broken(_) => return Ok(None),
        }
    }
    let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    for number in list.compared(count, at_end) {
        let now = list.page(number).await?;
        let is_same = pages.get((number - L::FIRST) as usize).is_some_and(|staged| list.is_same(staged, &now));
        if !is_same {
            return Ok(None);
        }
    }
    for (number, page) in (L::FIRST..).zip(pages) {
        list.take_over(number, page);
    }
    Ok(Some((walk, (!at_end).then_some(L::FIRST + count))))
}
