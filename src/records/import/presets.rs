//! What other products' exports call their columns, so that their files can be imported as they come.
//!
//! Only what a product's own source, or a program that reads its exports, shows is here (2026):
//! - `ITFlow`: `functions/export.php` of <https://github.com/itflow-org/itflow>, the labels of its exports.
//! - Snipe-IT: the custom asset report (`ReportsController.php`), the tables of users and companies (`UserPresenter.php`,
//!   `CompanyPresenter.php`) of <https://github.com/grokability/snipe-it>, with its English words.
//! - `NetBox`: the tables of tenants, contacts and devices (`tenancy/tables`, `dcim/tables`) of
//!   <https://github.com/netbox-community/netbox>, whose headings its export has.
//! - IT Glue: `organizations.csv` and `configurations.csv` of the account export, as
//!   <https://github.com/digitaltechnologypartners/hudu_migration> reads them.

use std::collections::BTreeSet;

use super::sheet::Sheet;
use crate::{
    error::{Error, Result},
    types::fold,
};

/// Stands for the column with a company's name, which is looked up.
pub const COMPANY: &str = "company name";
/// What `MySQL` writes where there is no day.
const NO_DAY: &str = "0000-00-00";

/// What becomes of a column.
#[derive(Clone, Copy, Debug)]
enum To {
    /// This field; of several columns for one field the first that is not empty.
    Field(&'static str),
    /// Added to this field, with this between.
    Added(&'static str, &'static str),
    /// The same; means nothing where the field is empty.
    Appended(&'static str, &'static str),
    /// The first of these fields, and the second where no column says it.
    Also(&'static str, &'static str),
    /// Nothing: Codex has no such field, or learns it elsewhere.
    Nothing,
}
use To::{Added, Also, Appended, Field, Nothing};

/// An export of another product.
pub struct Preset {
    /// What it is called on the command line.
    pub name: &'static str,
    /// The product.
    pub label: &'static str,
    /// What it is a table of, as imports call it.
    pub kind: &'static str,
    /// By which columns it is known: a file that has all of these, and no other than the preset's, is one.
    known_by: &'static [&'static str],
    columns: &'static [(&'static str, To)],
}

/// All of them.
pub static ALL: &[Preset] = &[
    Preset {
        name: "itflow",
        label: "ITFlow",
        kind: "companies",
        known_by: &["Client Name"],
        columns: &[
            ("Client Name", Field("name")),
            ("Industry", Nothing),
            ("Referral", Nothing),
            ("Website", Nothing),
            ("Primary Location Name", Nothing),
            ("Location Phone", Field("main_number")),
            ("Location Address", Field("address")),
            ("City", Added("address", ", ")),
            ("State", Added("address", ", ")),
            ("Postal Code", Added("address", " ")),
            ("Country", Added("address", ", ")),
            ("Primary Contact Name", Field("primary_contact_name")),
            ("Title", Nothing),
            ("Contact Phone", Nothing),
            ("Extension", Nothing),
            ("Contact Mobile", Nothing),
            ("Contact Email", Nothing),
            ("Hourly Rate", Nothing),
            ("Currency", Nothing),
            ("Payment Terms", Nothing),
            ("Tax ID", Nothing),
            ("Abbreviation", Nothing),
        ],
    },
    Preset {
        name: "itflow",
        label: "ITFlow",
        kind: "contacts",
        known_by: &["Name", "Email", "Mobile"],
        columns: &[
            ("Name", Field("name")),
            ("Title", Field("job_title")),
            ("Department", Nothing),
            ("Email", Field("email")),
            ("Phone", Field("work_phone_number")),
            ("Ext", Appended("work_phone_number", " ext. ")),
            ("Mobile", Field("mobile_phone_number")),
            ("Location", Field("location_name")),
        ],
    },
    Preset {
        name: "itflow",
        label: "ITFlow",
        kind: "assets",
        known_by: &["Name", "Make", "Serial Number", "Operating System"],
        columns: &[
            ("Name", Field("hostname")),
            ("Description", Field("description")),
            ("Type", Field("hardware_type")),
            ("Make", Field("manufacturer")),
            ("Model", Field("model")),
            ("Serial Number", Field("serial_number")),
            ("Operating System", Field("operating_system")),
            ("Purchase Date", Field("purchase_date")),
            ("Warranty Expire", Field("warranty_expires")),
            ("Install Date", Nothing),
            ("Assigned To", Nothing),
            ("Location", Nothing),
            ("Physical Location", Nothing),
            ("Notes", Added("description", "\n")),
            ("Client", Field(COMPANY)),
            ("Primary IP", Nothing),
            ("Primary MAC", Field("mac_address")),
        ],
    },
    Preset {
        name: "snipe-it",
        label: "Snipe-IT",
        kind: "companies",
        known_by: &["Company Name"],
        columns: &[
            ("ID", Nothing),
            ("Company Name", Field("name")),
            ("Phone", Field("main_number")),
            ("Fax", Nothing),
            ("Email", Nothing),
            ("Notes", Field("description")),
            ("Created At", Nothing),
            ("Updated At", Nothing),
        ],
    },
    Preset {
        name: "snipe-it",
        label: "Snipe-IT",
        kind: "contacts",
        known_by: &["First Name", "Last Name", "Username"],
        columns: &[
            ("ID", Nothing),
            ("Company", Field(COMPANY)),
            ("Name", Field("name")),
            ("First Name", Field("first_name")),
            ("Last Name", Field("last_name")),
            ("Title", Field("job_title")),
            ("VIP user", Nothing),
            ("Email", Field("email")),
            ("Phone", Field("work_phone_number")),
            ("Address", Field("address")),
            ("City", Added("address", ", ")),
            ("State", Added("address", ", ")),
            ("Country", Added("address", ", ")),
            ("Username", Nothing),
            ("Employee Number", Nothing),
            ("Department", Nothing),
            ("Location", Field("location_name")),
            ("Manager", Nothing),
            ("Notes", Field("background_information")),
            ("Created At", Nothing),
            ("Updated At", Nothing),
        ],
    },
    Preset {
        name: "snipe-it",
        label: "Snipe-IT",
        kind: "assets",
        known_by: &["Asset Tag", "Serial", "Model"],
        columns: &[
            ("ID", Nothing),
            ("Company", Field(COMPANY)),
            ("Asset Name", Field("hostname")),
            // Devices without a name are known by their label there.
            ("Asset Tag", Also("asset_tag", "hostname")),
            ("Model", Field("model")),
            ("Model No.", Nothing),
            ("Category", Field("hardware_type")),
            ("Manufacturer", Field("manufacturer")),
            ("Serial", Field("serial_number")),
            ("Purchased", Field("purchase_date")),
            ("Purchase Date", Field("purchase_date")),
            ("Purchase Cost", Nothing),
            ("EOL", Nothing),
            ("Warranty", Nothing),
            ("Warranty Expires", Field("warranty_expires")),
            ("Order Number", Nothing),
            ("Supplier", Nothing),
            ("Location", Nothing),
            ("Checked Out", Nothing),
            ("Type", Nothing),
            ("Username", Nothing),
            ("Employee No.", Nothing),
            ("Manager", Nothing),
            ("Department", Nothing),
            ("Title", Nothing),
            ("Phone", Nothing),
            ("Status", Nothing),
            ("Created At", Nothing),
            ("Last Audit", Nothing),
            ("Notes", Field("description")),
            ("URL", Nothing),
        ],
    },
    Preset {
        name: "netbox",
        label: "NetBox",
        kind: "companies",
        known_by: &["Name", "Slug"],
        columns: &[
            ("ID", Nothing),
            ("Name", Field("name")),
            ("Slug", Nothing),
            ("Group", Nothing),
            ("Description", Field("description")),
            ("Comments", Added("description", "\n")),
            ("Contacts", Nothing),
            ("Tags", Nothing),
            ("Owner", Nothing),
            ("Owner Group", Nothing),
            ("Created", Nothing),
            ("Last updated", Nothing),
        ],
    },
    Preset {
        name: "netbox",
        label: "NetBox",
        kind: "contacts",
        known_by: &["Name", "Groups", "Title", "Phone", "Email"],
        columns: &[
            ("ID", Nothing),
            ("Name", Field("name")),
            ("Groups", Nothing),
            ("Title", Field("job_title")),
            ("Phone", Field("work_phone_number")),
            ("Email", Field("email")),
            ("Address", Field("address")),
            ("Link", Nothing),
            ("Description", Field("background_information")),
            ("Comments", Added("background_information", "\n")),
            ("Assignments", Nothing),
            ("Tags", Nothing),
            ("Owner", Nothing),
            ("Owner Group", Nothing),
            ("Created", Nothing),
            ("Last updated", Nothing),
        ],
    },
    Preset {
        name: "netbox",
        label: "NetBox",
        kind: "assets",
        known_by: &["Name", "Tenant", "Role", "Manufacturer"],
        columns: &[
            ("ID", Nothing),
            ("Name", Field("hostname")),
            ("Status", Nothing),
            ("Tenant", Field(COMPANY)),
            ("Tenant Group", Nothing),
            ("Role", Field("hardware_type")),
            ("Manufacturer", Field("manufacturer")),
            ("Type", Field("model")),
            ("Serial number", Field("serial_number")),
            ("Asset tag", Field("asset_tag")),
            ("Platform", Field("operating_system")),
            ("Region", Nothing),
            ("Site Group", Nothing),
            ("Site", Nothing),
            ("Location", Nothing),
            ("Rack", Nothing),
            ("Position", Nothing),
            ("IP Address", Nothing),
            ("IPv4 Address", Nothing),
            ("IPv6 Address", Nothing),
            ("OOB IP", Nothing),
            ("Cluster", Nothing),
            ("Virtual Chassis", Nothing),
            ("VC Position", Nothing),
            ("VC Priority", Nothing),
            ("Description", Field("description")),
            ("Comments", Added("description", "\n")),
            ("Contacts", Nothing),
            ("Tags", Nothing),
            ("Created", Nothing),
            ("Last updated", Nothing),
        ],
    },
    Preset {
        name: "itglue",
        label: "IT Glue",
        kind: "companies",
        known_by: &["name", "organization_type", "organization_status"],
        columns: &[
            ("id", Nothing),
            ("name", Field("name")),
            ("organization_type", Nothing),
            ("organization_status", Nothing),
            ("short_name", Nothing),
            ("quick_notes", Nothing),
            ("alert", Nothing),
        ],
    },
    Preset {
        name: "itglue",
        label: "IT Glue",
        kind: "assets",
        known_by: &["name", "organization", "configuration_type"],
        columns: &[
            ("id", Nothing),
            ("archived", Nothing),
            ("organization", Field(COMPANY)),
            ("name", Field("hostname")),
            ("hostname", Nothing),
            ("configuration_type", Field("hardware_type")),
            ("configuration_status", Nothing),
            ("manufacturer", Field("manufacturer")),
            ("model", Field("model")),
            ("serial_number", Field("serial_number")),
            ("mac_address", Field("mac_address")),
            ("primary_ip", Nothing),
            ("location", Nothing),
            ("position", Nothing),
            ("configuration_interfaces", Nothing),
            ("notes", Nothing),
        ],
    },
];

/// The products, each once.
#[must_use]
pub fn products() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<(&str, &str)> = ALL.iter().map(|preset| (preset.name, preset.label)).collect();
    all.dedup();
    all
}

/// The preset of this name for a kind of table.
///
/// # Errors
/// `Invalid`, naming those that there are.
pub fn named(name: &str, kind: &str) -> Result<&'static Preset> {
    if let Some(found) = ALL.iter().find(|preset| preset.name == name && preset.kind == kind) {
        return Ok(found);
    }
    let of_kind: Vec<&str> = ALL.iter().filter(|preset| preset.kind == kind).map(|preset| preset.name).collect();
    Err(Error::field("preset", format!("must be one that there is for {kind}: {}", of_kind.join(", "))))
}

/// The preset that a file of this kind certainly is; none when it could be two, or ours.
#[must_use]
pub fn recognised(kind: &str, heads: &[String]) -> Option<&'static Preset> {
    let mut fit = ALL.iter().filter(|preset| preset.kind == kind && preset.is(heads));
    fit.next().filter(|_| fit.next().is_none())
}

/// A file with our names for its columns.
pub struct Translated {
    pub sheet: Sheet,
    /// Columns that are not imported.
    pub ignored: Vec<String>,
}

impl Preset {
    fn find(&self, head: &str) -> Option<To> {
        let head = fold(head);
        self.columns.iter().find(|(known, _)| fold(known) == head).map(|(_, to)| *to)
    }

    fn is(&self, heads: &[String]) -> bool {
        let there: BTreeSet<String> = heads.iter().map(|head| fold(head)).collect();
        self.known_by.iter().all(|known| there.contains(&fold(known))) && heads.iter().all(|head| self.find(head).is_some())
    }

    /// Gives the columns our names; `company` is that of the column which says whose a row is.
    ///
    /// # Errors
    /// `Invalid` when none of its columns is there.
    pub fn translate(&self, sheet: &Sheet, company: Option<&'static str>) -> Result<Translated> {
        let (mut heads, mut ignored) = (Vec::<&'static str>::new(), Vec::new());
        let mut places: Vec<Option<(usize, To)>> = Vec::new();
        let mut also = Vec::new();
        // An extension means nothing in a file without numbers.
        let is_filled = |field: &str| {
            sheet.heads.iter().filter_map(|head| self.find(head)).any(|to| match to {
                Field(name) | Added(name, _) | Also(name, _) => name == field,
                Appended(..) | Nothing => false,
            })
        };
        for head in &sheet.heads {
            let to = match self.find(head) {
                Some(Appended(name, _)) if !is_filled(name) => Nothing,
                found => found.unwrap_or(Nothing),
            };
            let name = match to {
                Field(name) | Added(name, _) | Appended(name, _) => name,
                Also(name, other) => {
                    also.push((name, other));
                    name
                }
                Nothing => {
                    ignored.push(head.clone());
                    places.push(None);
                    continue;
                }
            };
            let name = if name == COMPANY { company.unwrap_or(name) } else { name };
            let at = heads.iter().position(|known| *known == name).unwrap_or_else(|| {
                heads.push(name);
                heads.len() - 1
            });
            places.push(Some((at, to)));
        }
        let mut place = |name: &'static str| {
            heads.iter().position(|known| *known == name).unwrap_or_else(|| {
                heads.push(name);
                heads.len() - 1
            })
        };
        let also: Vec<(usize, usize)> = also.into_iter().map(|(name, other)| (place(name), place(other))).collect();
        if heads.is_empty() {
            return Err(Error::field(
                "file",
                format!("has none of the columns of an export of {} from {}", self.kind, self.label),
            ));
        }
        let rows = sheet.rows.iter().map(|(line, record)| {
            let mut cells = vec![String::new(); heads.len()];
            let cells_said = record.iter().zip(&places).filter_map(|(value, place)| {
                let (at, to) = (*place)?;
                (!value.is_empty() && value != NO_DAY).then_some((at, to, value))
            });
            let mut said: Vec<(usize, To, &str)> = cells_said.collect();
            // Whatever the order of the columns, what something is appended to comes first.
            said.sort_by_key(|(_, to, _)| matches!(to, Appended(..)));
            for (at, to, value) in said {
                match (cells[at].is_empty(), to) {
                    (true, Appended(..)) => {}
                    (true, _) => value.clone_into(&mut cells[at]),
                    (false, Added(_, between) | Appended(_, between)) => {
                        cells[at].push_str(between);
                        cells[at].push_str(value);
                    }
                    (false, _) => {}
                }
            }
            for (from, to) in &also {
                if cells[*to].is_empty() {
                    let known = cells[*from].clone();
                    cells[*to] = known;
                }
            }
            (*line, csv::StringRecord::from(cells))
        });
        // What is ignored is told by the names of the file, which may be those of our own fields.
        ignored.retain(|head| !heads.contains(&head.as_str()));
        let sheet = Sheet { rows: rows.collect(), heads: heads.iter().map(|head| (*head).to_owned()).collect() };
        Ok(Translated { sheet, ignored })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::import::target;

    #[test]
    fn every_column_leads_to_a_field_that_can_be_imported() {
        for preset in ALL {
            let takes = target::named(preset.kind).unwrap().takes();
            for (head, to) in preset.columns {
                if let Field(name) | Added(name, _) | Appended(name, _) | Also(name, _) = to {
                    assert!(*name == COMPANY || takes.contains(name), "{} {}: {head}", preset.name, preset.kind);
                }
            }
            assert!(preset.known_by.iter().all(|head| preset.find(head).is_some()), "{} {}", preset.name, preset.kind);
        }
    }

    #[test]
    fn a_full_export_of_each_is_recognised_as_it_alone() {
        for preset in ALL {
            let heads: Vec<String> = preset.columns.iter().map(|(head, _)| (*head).to_owned()).collect();
            let found = recognised(preset.kind, &heads).unwrap_or_else(|| panic!("{} {}", preset.name, preset.kind));
            assert_eq!((found.name, found.kind), (preset.name, preset.kind));
        }
        assert!(recognised("assets", &["hostname".to_owned(), "model".to_owned()]).is_none());
    }

    #[test]
    fn an_extension_without_a_number_is_no_number() {
        let sheet =
            super::super::sheet::read(b"Name,Email,Phone,Ext,Mobile\nAda,a@b.example,555 0100,12,\nBo,b@b.example,,12,\n");
        let done = named("itflow", "contacts").unwrap().translate(&sheet.unwrap(), None).unwrap();
        let at = done.sheet.heads.iter().position(|head| head == "work_phone_number").unwrap();
        let phones: Vec<&str> = done.sheet.rows.iter().map(|(_, cells)| &cells[at]).collect();
        assert_eq!(phones, ["555 0100 ext. 12", ""]);
        let before = super::super::sheet::read(b"Name,Email,Ext,Phone,Mobile\nAda,a@b.example,12,555 0100,\n").unwrap();
        let done = named("itflow", "contacts").unwrap().translate(&before, None).unwrap();
        assert!(done.sheet.rows[0].1.iter().any(|cell| cell == "555 0100 ext. 12"), "{:?}", done.sheet.rows);
        let alone = super::super::sheet::read(b"Name,Email,Ext,Mobile\nAda,a@b.example,12,555 0199\n").unwrap();
        let done = named("itflow", "contacts").unwrap().translate(&alone, None).unwrap();
        assert_eq!(done.sheet.heads, ["name", "email", "mobile_phone_number"]);
        assert_eq!(done.ignored, ["Ext"]);
    }

    #[test]
    fn parts_are_joined_and_empty_days_left_out() {
        let sheet = super::super::sheet::read(
            b"Client Name,Location Address,City,Postal Code,Odd\nAcme,1 Main St,Olympia,98501,x\nBolt,,Tacoma,,\n",
        )
        .unwrap();
        let done = named("itflow", "companies").unwrap().translate(&sheet, None).unwrap();
        assert_eq!((done.sheet.heads.join("|"), done.ignored.join("|")), ("name|address".to_owned(), "Odd".to_owned()));
        let rows: Vec<Vec<&str>> = done.sheet.rows.iter().map(|(_, cells)| cells.iter().collect()).collect();
        assert_eq!(rows, [["Acme", "1 Main St, Olympia 98501"], ["Bolt", "Tacoma"]]);
        let sheet =
            super::super::sheet::read(b"Name,Make,Serial Number,Operating System,Purchase Date\nPC,Dell,S1,,0000-00-00\n")
                .unwrap();
        let done = named("itflow", "assets").unwrap().translate(&sheet, Some("company_account_number")).unwrap();
        assert_eq!(done.sheet.rows[0].1.iter().next_back(), Some(""));
    }
}
