//! One ticket straight from the vendor, for somebody who asks for one that is not stored yet.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{messages, pages_store::vendor_link, record::Record};
use crate::{
    compliance::forgotten::ForgottenPeople,
    config::Config,
    db::{Conn, Db},
    error::{Error, Result},
    tickets::{TicketView, messages::Message, messages_store, service_desk::Live, statuses_store, store},
    types::{Scope, now},
    vendors::{
        credentials,
        fault::Fault,
        freshservice::{NAME, SYSTEM, client::Freshservice},
    },
};

/// How long somebody who asks is kept waiting.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pages of conversations that are read for an answer.
const PAGES: u32 = 10;

/// A ticket as the vendor tells it, with what was said; `None` when there is no such ticket, or no account.
///
/// # Errors
/// `Upstream` when the vendor fails us or takes too long.
pub async fn fetch(db: &Db, config: &Arc<Config>, number: i64) -> Result<Option<Live>> {
    let config = credentials::effective(db, config).await?;
    if config.freshservice.credentials().is_none() || number <= 0 {
        return Ok(None);
    }
    let client = Freshservice::open(db, &config)?;
    let told = tokio::time::timeout(PATIENCE, ask(&client, number)).await;
    let late = |_| Error::Upstream { service: NAME, message: format!("no answer about ticket {number} in time") };
    let Some(told) = told.map_err(late)?? else { return Ok(None) };
    let base = config.freshservice.web_url.clone();
    let read = move |c: &mut Conn| {
        let mut told = told;
        if let Some(forgotten) = ForgottenPeople::read(c, &config)? {
            told.blank(&forgotten);
        }
        row(c, &told, &config.freshservice.statuses, base.as_deref())
    };
    db.read(&Scope::All, read).await
}

/// What the vendor said about one ticket.
struct Answer {
    record: serde_json::Map<String, Value>,
    conversations: Vec<Value>,
    sheet: Option<Vec<Value>>,
}

impl Answer {
    /// Takes out what names somebody who was forgotten here.
    fn blank(&mut self, forgotten: &ForgottenPeople) {
        let mut record = Value::Object(std::mem::take(&mut self.record));
        forgotten.blank(SYSTEM, &mut record);
        if let Value::Object(record) = record {
            self.record = record;
        }
        self.conversations.iter_mut().chain(self.sheet.iter_mut().flatten()).for_each(|one| forgotten.blank(SYSTEM, one));
    }
}

async fn ask(client: &Freshservice, number: i64) -> Result<Option<Answer>, Fault> {
    let id = number.to_string();
    let Some(record) = client.ticket(&id, "requester,stats").await? else { return Ok(None) };
    if record.get("deleted") == Some(&Value::Bool(true)) {
        return Ok(None);
    }
    let mut conversations = Vec::new();
    for page in 1..=PAGES {
        let told = client.conversations(&id, page).await?;
        let last = told.records.is_empty() || !told.next && told.records.len() < 30;
        conversations.extend(told.records);
        if last {
            break;
        }
    }
    // Some accounts keep time sheets to themselves; the ticket is worth telling without.
    let sheet = client.time_entries(&id, 1).await.ok().filter(|page| !page.next).map(|page| page.records);
    Ok(Some(Answer { record, conversations, sheet }))
}

fn row(c: &mut Conn, told: &Answer, configured: &BTreeMap<i64, String>, base: Option<&str>) -> Result<Option<Live>> {
    let at = now();
    let statuses = statuses_store::load(c, SYSTEM, configured)?;
    let Some(record) = Record::read(&told.record, &statuses, &at) else { return Ok(None) };
    let mut ticket = record.blank(&at);
    let company = match record.department() {
        Some(Some(department)) => store::company_of_department(c, SYSTEM, department)?,
        _ => None,
    };
    record.apply(&mut ticket, company);
    if let Some(sheet) = &told.sheet {
        ticket.minutes_spent = messages::time_sheet(sheet).records.iter().map(|entry| entry.minutes).sum();
        ticket.time_known = true;
    }
    let link = base.map(|base| vendor_link(base, record.id));
    let (description, description_text) = record.words((None, None), link.as_deref());
    let spoken: Vec<Message> = messages::conversations(&told.conversations, &ticket.last_updated_at, link.as_deref()).records;
    let views = spoken.into_iter().map(|one| messages_store::view_unstored(c, &ticket, one)).collect::<Result<_>>()?;
    let around = store::view_unstored(c, ticket)?;
    let whole = around.within(|around| TicketView { description_text, description, ..around });
    Ok(Some((whole, views)))
}
