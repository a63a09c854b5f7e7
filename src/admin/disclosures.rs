//! `/admin/disclosures`: who read which protected records, and how often.

use askama::Template;
use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::{record, since, usual},
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    error::{Error, Result},
    types::Scope,
    ui::{Crumb, Page, Section, filters, list::range},
    web::{
        Query, Web,
        disclosures_store::{self as store, Count, DISCLOSURES, Disclosure},
    },
};

/// How many readings one page shows, and how many counts.
const PER_PAGE: i64 = 50;
const COUNTS: usize = 30;
/// How many records of a reading are named.
const NAMED: usize = 5;

#[derive(Template)]
#[template(path = "admin/disclosures.html")]
struct DisclosuresPage {
    page: Page,
    crumbs: Vec<Crumb>,
    fields: Vec<Field>,
    rows: Vec<Row>,
    counts: Vec<Count>,
    more_counts: usize,
    info: String,
    csv: String,
    counts_href: String,
    previous: Option<String>,
    next: Option<String>,
}

/// A field of the page's form: name, label, kind, what stands in it.
struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
}

struct Row {
    reading: Disclosure,
    /// The first records, with their pages.
    records: Vec<Crumb>,
    more: usize,
}

/// What can be asked, as the list behind the page calls it.
const ASKED: [(&str, &str, &str); 7] = [
    ("caller", "Caller", "text"),
    ("caller_kind", "User or service", "text"),
    ("entity", "Kind of record", "text"),
    ("record", "Record ID", "number"),
    ("route__ic", "Route", "text"),
    ("at__gte", "From", "date"),
    ("at__lte", "Until", "date"),
];

/// `GET /admin/disclosures`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let asked: Vec<(&str, &str)> = ASKED
        .iter()
        .filter_map(|(name, ..)| Some((*name, context.query.get(name)?.trim())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let number = context.query.int_or("page", 1).max(1);
    let slice = Slice { limit: PER_PAGE, offset: (number - 1).saturating_mul(PER_PAGE) };
    let query = ListQuery::parse(&DISCLOSURES, asked.iter().map(|(name, value)| (*name, Ok::<_, Error>(*value))))?;
    let query = usual(query.with_slice(Some(slice)));
    let (record, since) = (record(&context.query)?, since(&Query::default())?);
    web.disclosures.flush().await;
    let read = move |c: &mut Conn| {
        let mut found = Vec::new();
        let total = store::each(c, &query, record, |disclosure| {
            found.push(disclosure);
            Ok(())
        })?;
        Ok((found, total, store::counts(c, &since)?))
    };
    let (found, total, mut counts) = web.db.read(&Scope::All, read).await?;
    let page = context.titled(Section::Admin, "Disclosures");
    let shown = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let to = |path: &str, more: &[(&str, &str)]| {
        let query = serde_urlencoded::to_string([asked.as_slice(), more].concat()).unwrap_or_default();
        page.url(&format!("{path}?{query}"))
    };
    let turn = |number: i64| to("/admin/disclosures", &[("page", &number.to_string())]);
    let value = |name: &str| asked.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value).to_owned();
    let more_counts = counts.len().saturating_sub(COUNTS);
    counts.truncate(COUNTS);
    context.show(&DisclosuresPage {
        crumbs: vec![Crumb { href: page.url("/admin/compliance"), text: "Compliance".to_owned() }],
        fields: ASKED.iter().map(|(name, label, kind)| Field { name, label, kind, value: value(name) }).collect(),
        info: range(slice.offset, shown, total, "disclosures"),
        csv: to("/api/disclosures", &[("format", "csv"), ("for", "excel"), ("limit", "10000")]),
        counts_href: page.url("/api/disclosures/counts"),
        previous: (number > 1).then(|| turn(number - 1)),
        next: (slice.offset + shown < total).then(|| turn(number + 1)),
        rows: found.into_iter().map(|reading| row(&page, reading)).collect(),
        counts,
        more_counts,
        page,
    })
}

fn row(page: &Page, reading: Disclosure) -> Row {
    let link = |id: &i64| Crumb { href: page.url(&format!("/records/{}/{id}", reading.entity)), text: id.to_string() };
    let records = reading.record_ids.iter().take(NAMED).map(link).collect();
    let more = reading.record_ids.len().saturating_sub(NAMED);
    Row { reading, records, more }
}
