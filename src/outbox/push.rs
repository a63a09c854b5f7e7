//! A person's decision to write a value of a company or a contact to Freshservice.

use super::{
    fields,
    model::{Operation, Values, Write as Wish},
    store,
};
use crate::{
    companies::Company,
    contacts::Contact,
    db::{Conn, Write},
    error::{Error, Result},
    history::{self, Record, links, pins},
    vendors,
};

/// How a kind of row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A company, which is a department there.
    Company,
    /// A contact, who is a requester there.
    Contact,
}

impl What {
    /// The kind of a word in history.
    #[must_use]
    pub fn parse(entity: &str) -> Option<Self> {
        match entity {
            Company::ENTITY => Some(Self::Company),
            Contact::ENTITY => Some(Self::Contact),
            _ => None,
        }
    }

    fn entity(self) -> &'static str {
        match self {
            Self::Company => Company::ENTITY,
            Self::Contact => Contact::ENTITY,
        }
    }

    fn operation(self) -> Operation {
        match self {
            Self::Company => Operation::Department,
            Self::Contact => Operation::Requester,
        }
    }

    /// The columns that can be written so.
    #[must_use]
    pub fn columns(self) -> Vec<&'static str> {
        let all = match self {
            Self::Company => Company::COLUMNS,
            Self::Contact => Contact::COLUMNS,
        };
        all.iter().copied().filter(|column| self.takes(column)).collect()
    }

    /// Whether a column can be written so. Account numbers have commands of their own, which know whose
    /// numbers are taken.
    #[must_use]
    pub fn takes(self, column: &str) -> bool {
        column != fields::ACCOUNT_NUMBER.column && !fields::behind(self.operation(), column).is_empty()
    }
}

/// Queues these columns of a row, or all that are pinned and can be written; returns the entries' ids. Run
/// it inside the write of whoever decides.
///
/// # Errors
/// `NotFound`; `Conflict` when Freshservice does not know the row; `Invalid` for columns that cannot be written.
pub fn enqueue(w: &mut Write<'_>, what: What, id: i64, columns: &[String]) -> Result<Vec<i64>> {
    let (label, row) = read(w, what, id)?;
    let takes = |system: &str| vendors::find(system).is_some_and(|vendor| vendor.takes_records);
    let links = links::of(w, what.entity(), id)?.into_iter().filter(|link| takes(&link.system));
    let targets: Vec<String> = links.map(|link| link.external_id).collect();
    if targets.is_empty() {
        return Err(Error::conflict(format!("{} {id} is not in Freshservice", what.entity())));
    }
    let columns = if columns.is_empty() { pinned(w, what, id)? } else { columns.to_vec() };
    if let Some(column) = columns.iter().find(|column| !what.takes(column)) {
        return Err(Error::field("fields", format!("{column} cannot be written to Freshservice")));
    }
    if columns.is_empty() {
        return Err(Error::field("fields", "must name at least one field; nothing that can be written is pinned"));
    }
    let by = w.actor().name.clone();
    let mut ids = Vec::new();
    for column in &columns {
        for target in &targets {
            let wish = Wish {
                operation: what.operation(),
                target: target.clone(),
                key: String::new(),
                entity: Some((what.entity(), id)),
                label: label.clone(),
                reason: format!("decided by {by}"),
                wanted: row.wanted(column)?,
                expected: None,
                conflict: None,
                run_id: None,
            };
            ids.push(store::enqueue(w, &wish)?);
        }
    }
    Ok(ids)
}

enum Stored {
    Company(Box<Company>),
    Contact(Box<Contact>),
}

impl Stored {
    fn wanted(&self, column: &str) -> Result<Values> {
        match self {
            Self::Company(company) => fields::of_company(company, column),
            Self::Contact(contact) => fields::of_contact(contact, column),
        }
    }
}

fn read(c: &mut Conn, what: What, id: i64) -> Result<(String, Stored)> {
    Ok(match what {
        What::Company => {
            let company = history::get::<Company>(c, id)?;
            (company.name.clone(), Stored::Company(Box::new(company)))
        }
        What::Contact => {
            let contact = history::get::<Contact>(c, id)?;
            (contact.name.clone(), Stored::Contact(Box::new(contact)))
        }
    })
}

fn pinned(c: &mut Conn, what: What, id: i64) -> Result<Vec<String>> {
    Ok(pins::fields(c, what.entity(), id)?.into_iter().filter(|column| what.takes(column)).collect())
}
