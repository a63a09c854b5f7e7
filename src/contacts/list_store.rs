//! What the list of contacts can be asked.

use super::{
    model::{Contact, ContactView},
    store,
};
use crate::{
    companies::store as companies,
    compliance::{Asking, Personal, Protected as _, RedactionPolicy},
    db::{
        Conn, Value,
        list::{Column, Kind, ListQuery, ListSpec, Page, Search},
    },
    entity::Shaped as _,
    error::Result,
    history::ranks,
    list_columns, params,
    types::fold,
    web::Query,
};

/// What contacts are filtered and sorted by.
const COLUMNS: &[Column] = list_columns![
    Contact;
    Column::new("id", "contact.id", Kind::Int).required(),
    Column::text("title", "contact.job_title"),
    Column::text("role", "place.role"),
    Column::text("designation", "place.designation"),
    Column::new("is_primary", "place.is_primary", Kind::Bool),
    Column::text("company_id", "company.account_number"),
    Column::text("company_name", "company.name").folded("company.name_folded"),
    Column::new("created_at", "contact.created_at", Kind::Time).required(),
    Column::new("updated_at", "contact.updated_at", Kind::Time).required(),
];

const SEARCH: Search = Search { fts: "contacts_fts", text: "contact.search_text", private: None };

const LIST_OF_ALL: ListSpec = ListSpec {
    entities: &["contact", "company"],
    select: store::select,
    from: store::FROM,
    key: "contact.id",
    columns: COLUMNS,
    default_sort: "name",
    search: Some(SEARCH),
    retired: Some("contact.retired_at"),
    own: &["company_id", "company_account_number", "email", "role", "designation", "is_primary"],
    fields: ContactView::names,
};

/// Contacts by name, each beside its first company.
pub static LIST: ListSpec = LIST_OF_ALL;

/// Contacts by name, each beside the company that the question names.
pub static OF_COMPANY: ListSpec = ListSpec {
    from: "@contact_companies place
        JOIN @companies company ON company.id = place.company_id
        JOIN @contacts contact ON contact.id = place.contact_id",
    own: &[],
    ..LIST_OF_ALL
};

/// The filters that look at a contact's place in any of its companies, not only in the first.
#[derive(Clone, Debug, Default)]
pub struct Places {
    company: Option<String>,
    email: Option<String>,
    role: Option<String>,
    designation: Option<String>,
    is_primary: Option<bool>,
}

impl Places {
    /// Reads them from a query string.
    ///
    /// # Errors
    /// When one of them cannot be read, naming it.
    pub fn read(query: &Query) -> Result<Self> {
        let text = |name: &str| query.text(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            company: text("company_account_number")?.or(text("company_id")?),
            email: query.get("email").map(|email| email.trim().to_owned()).or(text("email")?),
            role: text("role")?,
            designation: text("designation")?,
            is_primary: text("is_primary")?.map(|_| query.is_on("is_primary")).transpose()?,
        })
    }

    /// A stable text of them, for cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{self:?}")
    }

    fn add(&self, conn: &mut Conn, mut query: ListQuery) -> Result<ListQuery> {
        if let Some(email) = &self.email {
            // An empty e-mail matches nobody, not those without one.
            if email.is_empty() {
                return Ok(query.and("1 = 0", Vec::new()));
            }
            query = query.and("contact.email_folded = {}", vec![fold(email).into()]);
        }
        let mut conditions = vec!["member.contact_id = contact.id".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        if let Some(company) = &self.company {
            let Some(id) = companies::find_standing_id(conn, company)? else { return Ok(query.and("1 = 0", Vec::new())) };
            conditions.push("member.company_id = {}".to_owned());
            values.push(id.into());
        }
        for (column, value) in [("role", &self.role), ("designation", &self.designation)] {
            if let Some(value) = value {
                conditions.push(format!("member.{column} = {{}}"));
                values.push(value.to_lowercase().into());
            }
        }
        if self.is_primary == Some(true) {
            conditions.push("member.is_primary = {}".to_owned());
            values.push(true.into());
        }
        let condition = format!("EXISTS (SELECT 1 FROM @contact_companies member WHERE {})", conditions.join(" AND "));
        if !values.is_empty() {
            query = query.and(&condition, values);
        }
        if self.is_primary == Some(false) {
            let primary = "NOT EXISTS (SELECT 1 FROM @contact_companies member WHERE member.contact_id = contact.id AND member.is_primary = {})";
            query = query.and(primary, vec![true.into()]);
        }
        Ok(query)
    }
}

/// What of contacts tells of people.
pub static ASKING: Asking = Asking {
    rank: ranks::CONTACT,
    columns: ContactView::TELLS,
    text: &[Personal::Name, Personal::Email, Personal::Phone, Personal::Title, Personal::Private],
    always: &[("contact.name_folded", Some(Personal::Name)), ("contact.email_folded", Some(Personal::Email))],
};

/// Contacts as asked, each beside its first company, as this caller may see them.
pub fn list(conn: &mut Conn, query: &ListQuery, places: &Places, policy: &RedactionPolicy) -> Result<Page<ContactView>> {
    let mut items = Vec::new();
    let total = each(conn, query, places, policy, |contact| {
        items.push(contact);
        Ok(())
    })?;
    Ok(Page { items, total })
}

/// The same one by one, with how many there are on all pages.
pub fn each(
    conn: &mut Conn,
    query: &ListQuery,
    places: &Places,
    policy: &RedactionPolicy,
    take: impl FnMut(ContactView) -> Result<()>,
) -> Result<i64> {
    let mut query = places.add(conn, query.clone())?;
    if places.email.is_some() {
        query = ASKING.filtered_by(query, Personal::Email, policy);
    }
    seen(conn, query, policy, take)
}

/// The answer to a question that has been narrowed already, as this caller may see it.
pub fn seen(
    conn: &mut Conn,
    query: ListQuery,
    policy: &RedactionPolicy,
    mut take: impl FnMut(ContactView) -> Result<()>,
) -> Result<i64> {
    ASKING.allowed(query, policy).each(conn, |row| take(store::view(row)?.redact(policy)))
}

/// How many companies each of these contacts has.
pub fn company_counts(conn: &mut Conn, ids: Vec<i64>) -> Result<std::collections::HashMap<i64, i64>> {
    let sql = "SELECT place.contact_id, count(*) FROM @contact_companies place WHERE place.contact_id IN ids(?1) GROUP BY place.contact_id";
    conn.all(sql, params![ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
