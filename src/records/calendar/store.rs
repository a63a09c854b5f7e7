//! What ends between two days: warranties of assets, contracts of companies, licences.

use crate::{
    assets::list_store::WARRANTY,
    companies::list_store::CONTRACT,
    db::{Conn, Value},
    entity::Noun as _,
    error::Result,
    licences::License,
    web::encode_segment,
};

/// What can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The warranty of an asset.
    Warranty,
    /// The contract of a company.
    Contract,
    /// A licence, or its term.
    License,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Warranty, Self::Contract, Self::License];

    /// Its word in questions, and in the ids of events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warranty => "warranty",
            Self::Contract => "contract",
            Self::License => "license",
        }
    }

    /// Its word for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Warranty => "Warranty",
            Self::Contract => "Contract",
            Self::License => "Licence",
        }
    }

    /// What is read of it: id, name, company's name, day, when it was changed last, what its page is called, whether it goes
    /// on by itself; from which table; its day; and whose it is.
    fn sql(self) -> [&'static str; 4] {
        match self {
            Self::Warranty => [
                "asset.id, asset.hostname, company.name, asset.warranty_expires, asset.updated_at, CAST(asset.id AS TEXT), FALSE",
                "@assets asset LEFT JOIN @companies company ON company.id = asset.company_id WHERE asset.retired_at IS NULL",
                WARRANTY,
                "asset.company_id",
            ],
            Self::Contract => [
                "company.id, company.name, CAST(NULL AS TEXT), company.contract_end_date, company.updated_at, company.account_number, FALSE",
                "@companies company WHERE company.retired_at IS NULL",
                CONTRACT,
                "company.id",
            ],
            Self::License => [
                "license.id, license.product, company.name, license.expires_on, license.updated_at, CAST(license.id AS TEXT), license.auto_renews",
                "@licenses license JOIN @companies company ON company.id = license.company_id WHERE license.retired_at IS NULL",
                "license.expires_on",
                "license.company_id",
            ],
        }
    }

    fn page(self, key: &str) -> String {
        let room = match self {
            Self::Warranty => "/assets",
            Self::Contract => "/companies",
            Self::License => License::DOOR.page,
        };
        format!("{room}/{}", encode_segment(key))
    }
}

/// One end.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: Kind,
    /// The row.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Whose it is, where that is another one.
    pub company: Option<String>,
    /// `YYYY-MM-DD`.
    pub day: String,
    /// When its row was changed last.
    pub changed_at: String,
    /// Its page.
    pub path: String,
    /// Whether it goes on by itself.
    pub renews: bool,
}

/// The ends of these kinds between two days, of one company or of all.
pub fn events(c: &mut Conn, kinds: &[Kind], (from, until): (&str, &str), company: Option<i64>) -> Result<Vec<Event>> {
    let mut all = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)) {
        let [read, table, day, whose] = kind.sql();
        let mut params: Vec<Value> = vec![from.into(), until.into()];
        let mut sql = format!("SELECT {read} FROM {table} AND {day} >= ?1 AND {day} <= ?2 AND {day} LIKE '____-__-__'");
        if let Some(company) = company {
            params.push(company.into());
            sql = format!("{sql} AND {whose} = ?3");
        }
        let found = c.map(&format!("{sql} ORDER BY {day}, 1"), &params, |row| {
            let key: String = row.get(5)?;
            Ok(Event {
                kind,
                id: row.get(0)?,
                name: row.get(1)?,
                company: row.get(2)?,
                day: row.get(3)?,
                changed_at: row.get(4)?,
                path: kind.page(&key),
                renews: row.get(6)?,
            })
        })?;
        all.extend(found);
    }
    Ok(all)
}
