//! What can be said of one field.

use super::{Cell, Fielded, address};
use crate::{
    compliance::Personal,
    db::{
        Value,
        list::{Column, Kind as ListKind},
    },
    error::Result,
    web::{Fields, Sent},
};
use serde_json::json;

/// A field of the rows of `E`.
pub struct Field<E> {
    /// What is said of it.
    pub spec: FieldSpec,
    /// Its value in a row.
    pub read: for<'a> fn(&'a E) -> Cell<'a>,
    /// Sets it; fails for a value of another type.
    pub write: fn(&mut E, &Value) -> Result<()>,
}

impl<E: Fielded> std::fmt::Debug for Field<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.spec.sql)
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    /// The same in several lines.
    Long(usize),
    /// The same in Markdown.
    Markdown(usize),
    /// A telephone number of at most so many characters, however it is written.
    Phone(usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `YYYY-MM-DD`.
    Day,
    /// A moment, in at most so many characters.
    Moment(usize),
    /// An address on the web, of at most so many characters.
    Url(usize),
    /// An e-mail address of at most so many characters.
    Email(usize),
    /// A whole number.
    Int,
    /// A number with at most so many decimals, stored as a whole number of its smallest part: money as cents.
    Decimal(u32),
    /// True or false.
    Flag,
    /// Texts, stored as a JSON array: at most so many, of at most so many characters each.
    TextList(usize, usize),
    /// JSON, stored as text, that looks like this.
    Json(Layout),
    /// The id of a row of another noun.
    Reference(&'static Target),
    /// An IP address, written in its usual form.
    Ip,
    /// A network: an address and how many of its bits are the network's, as `10.20.0.0/24`.
    Cidr,
    /// The hardware address of an interface, written `aa:bb:cc:dd:ee:ff`.
    Mac,
}

/// What the JSON of a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A list of texts.
    Texts,
    /// A text for each name.
    NamedTexts,
    /// Check boxes and choices of several, by the names that they have at the vendor.
    Choices,
    /// An object or a list as the vendor sent it.
    AsSent,
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The noun's word in history.
    pub entity: &'static str,
    /// Its word for people.
    pub what: &'static str,
    /// Its table, with a `company_id`.
    pub table: &'static str,
    /// The column by which people know one of its rows.
    pub title: &'static str,
    /// What its pages' addresses begin with, before the id, where it has pages.
    pub page: Option<&'static str>,
    /// Whether its rows are people: they belong to companies by memberships instead of a `company_id`, and their names are
    /// told as far as the policy lets them be.
    pub are_people: bool,
}

/// Where a field stands for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// On the record's page and in its form.
    Everywhere,
    /// On the page alone.
    OnPage,
    /// In the form alone.
    InForm,
}

/// How people read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A key in words: `virtual_machine` as "Virtual machine".
    Word,
    /// A day, as "1 Mar 2027".
    Day,
    /// A moment.
    Moment,
    /// A size in bytes.
    Bytes,
    /// A size in terabytes.
    Terabytes,
    /// How long something took, in minutes.
    Minutes,
}

/// What is said of a field, whosever it is.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its column, which is its name in the struct too.
    pub column: &'static str,
    /// The same behind the name of its table.
    pub sql: &'static str,
    /// Its name in JSON and forms.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Its name in answers.
    pub emitted: &'static str,
    /// Whether it stands in no answer by itself: others are made of it.
    pub is_internal: bool,
    /// What of people it tells.
    pub personal: Option<Personal>,
    /// Under which heading it stands on the record's page and in its form, and on which of the two.
    pub section: Option<(&'static str, Stands)>,
    /// Whether it is to be copied, as a serial number is.
    pub is_code: bool,
    /// Names under which it may be sent as well; its own one wins.
    pub others: &'static [&'static str],
    /// What it holds.
    pub kind: Kind,
    /// How people read it, where its kind does not say that.
    pub format: Option<Format>,
    /// The noun of the row whose id it holds, where it is no reference that callers send as such.
    pub points_to: Option<&'static str>,
    /// Whether callers cannot send it: a vendor tells it, or it follows from something else.
    pub is_told: bool,
    /// Whether it can be without a value.
    pub is_nullable: bool,
    /// Whether a new record must have it.
    pub is_required: bool,
    /// What stands in it when somebody empties it, where its column is never null.
    pub emptied: Option<&'static str>,
    /// The numbers it may be, and what is said of others.
    pub range: Option<(i64, i64, &'static str)>,
    /// Whether a sync may set it.
    pub is_synced: bool,
    /// Whether lists are filtered and sorted by it.
    pub is_listed: bool,
    /// The column with its folded form.
    pub folded: Option<&'static str>,
    /// What it is ordered by, where that is another column.
    pub ordered_by: Option<&'static str>,
    /// Whether a list page shows it unless somebody chooses otherwise.
    pub is_usual: bool,
    /// Whether the record is found by it.
    pub is_searched: bool,
}

/// The kinds of fields, by which their lines in the table begin.
pub mod kinds {
    use super::{FieldSpec, Kind, Target};

    pub use super::{Format, Layout};

    /// Text in one line.
    #[must_use]
    pub const fn text(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Text(most))
    }

    /// Text in several lines.
    #[must_use]
    pub const fn long(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Long(most))
    }

    /// Text in Markdown.
    #[must_use]
    pub const fn markdown(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Markdown(most))
    }

    /// A telephone number.
    #[must_use]
    pub const fn phone(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Phone(most))
    }

    /// One of these words.
    #[must_use]
    pub const fn choice(label: &'static str, words: &'static [&'static str]) -> FieldSpec {
        FieldSpec::new(label, Kind::Choice(words))
    }

    /// A day.
    #[must_use]
    pub const fn day(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Day)
    }

    /// A web address.
    #[must_use]
    pub const fn url(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Url(most))
    }

    /// An e-mail address.
    #[must_use]
    pub const fn email(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Email(most))
    }

    /// A whole number.
    #[must_use]
    pub const fn int(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Int)
    }

    /// A number from 0 on with at most so many decimals, whose column holds its smallest parts.
    #[must_use]
    pub const fn decimal(label: &'static str, places: u32) -> FieldSpec {
        FieldSpec::new(label, Kind::Decimal(places))
    }

    /// An amount of money, whose column holds cents.
    #[must_use]
    pub const fn money(label: &'static str) -> FieldSpec {
        decimal(label, 2)
    }

    /// Yes or no.
    #[must_use]
    pub const fn flag(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Flag)
    }

    /// So many texts, of so many characters each.
    #[must_use]
    pub const fn text_list(label: &'static str, items: usize, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::TextList(items, most))
    }

    /// A moment.
    #[must_use]
    pub const fn moment(label: &'static str, most: usize) -> FieldSpec {
        FieldSpec::new(label, Kind::Moment(most))
    }

    /// JSON, which no caller sends.
    #[must_use]
    pub const fn json(label: &'static str, layout: Layout) -> FieldSpec {
        FieldSpec::new(label, Kind::Json(layout)).told()
    }

    /// A row of another noun, of the same company.
    #[must_use]
    pub const fn reference(label: &'static str, to: &'static Target) -> FieldSpec {
        FieldSpec::new(label, Kind::Reference(to))
    }

    /// An IP address.
    #[must_use]
    pub const fn ip(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Ip).code()
    }

    /// A network.
    #[must_use]
    pub const fn cidr(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Cidr)
    }

    /// A hardware address.
    #[must_use]
    pub const fn mac(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Mac).code()
    }

    /// Text that no caller sends.
    #[must_use]
    pub const fn told(label: &'static str) -> FieldSpec {
        FieldSpec::new(label, Kind::Text(usize::MAX)).told()
    }
}

/// What a Rust type means for its column.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    holds: Holds,
    is_nullable: bool,
}

#[derive(Clone, Copy, Debug)]
enum Holds {
    Text,
    Int,
    Flag,
}

/// The Rust types of fields.
pub trait Stored {
    /// How they are stored.
    const AS: Storage;
    /// A value of theirs.
    fn cell(&self) -> Cell<'_>;
}

impl Stored for String {
    const AS: Storage = Storage { holds: Holds::Text, is_nullable: false };
    fn cell(&self) -> Cell<'_> {
        self.into()
    }
}

impl Stored for i64 {
    const AS: Storage = Storage { holds: Holds::Int, is_nullable: false };
    fn cell(&self) -> Cell<'_> {
        (*self).into()
    }
}

impl Stored for bool {
    const AS: Storage = Storage { holds: Holds::Flag, is_nullable: false };
    fn cell(&self) -> Cell<'_> {
        (*self).into()
    }
}

impl Stored for Vec<String> {
    const AS: Storage = Storage { holds: Holds::Text, is_nullable: false };
    fn cell(&self) -> Cell<'_> {
        Cell::Json(json!(self).to_string().into())
    }
}

impl<T: Stored> Stored for Option<T> {
    const AS: Storage = Storage { is_nullable: true, ..T::AS };
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, Stored::cell)
    }
}

impl FieldSpec {
    const fn new(label: &'static str, kind: Kind) -> Self {
        Self {
            column: "",
            sql: "",
            name: "",
            emitted: "",
            is_internal: false,
            personal: None,
            section: None,
            is_code: false,
            label,
            others: &[],
            kind,
            format: None,
            points_to: None,
            is_told: false,
            is_nullable: true,
            is_required: false,
            emptied: None,
            range: None,
            is_synced: false,
            is_listed: false,
            folded: None,
            ordered_by: None,
            is_usual: false,
            is_searched: false,
        }
    }

    /// The same of this column.
    ///
    /// # Panics
    /// When the program is compiled and the field's kind is not its type's.
    #[must_use]
    pub const fn of(mut self, column: &'static str, sql: &'static str, storage: Storage) -> Self {
        assert!(
            matches!(
                (self.kind, storage.holds),
                (Kind::Int | Kind::Decimal(_) | Kind::Reference(_), Holds::Int)
                    | (Kind::Flag, Holds::Flag)
                    | (
                        Kind::Text(_)
                            | Kind::Long(_)
                            | Kind::Markdown(_)
                            | Kind::Phone(_)
                            | Kind::Choice(_)
                            | Kind::Day
                            | Kind::Moment(_)
                            | Kind::Url(_)
                            | Kind::Email(_)
                            | Kind::TextList(..)
                            | Kind::Json(_)
                            | Kind::Ip
                            | Kind::Cidr
                            | Kind::Mac,
                        Holds::Text
                    )
            ),
            "a field is of the kind that its type can hold"
        );
        (self.column, self.sql, self.is_nullable) = (column, sql, storage.is_nullable);
        if self.name.is_empty() {
            self.name = column;
        }
        if self.emitted.is_empty() {
            self.emitted = self.name;
        }
        assert!(self.personal.is_none() || matches!(storage.holds, Holds::Text), "what tells of people is text");
        assert!(!self.is_listed || !matches!(self.kind, Kind::Decimal(_)), "lists would compare its smallest parts");
        self
    }

    /// Called so in JSON, where that is another name than its column's.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Called so in answers, where that is another name than the one under which it is sent.
    #[must_use]
    pub const fn emitted(mut self, name: &'static str) -> Self {
        self.emitted = name;
        self
    }

    /// Stands in no answer by itself.
    #[must_use]
    pub const fn internal(mut self) -> Self {
        self.is_internal = true;
        self
    }

    /// Tells this of people: whoever may not see that is shown what the policy leaves of it, and asks by it in vain.
    #[must_use]
    pub const fn personal(mut self, personal: Personal) -> Self {
        self.personal = Some(personal);
        self
    }

    /// Stands under this heading on the record's page and in its form.
    #[must_use]
    pub const fn section(mut self, title: &'static str) -> Self {
        self.section = Some((title, Stands::Everywhere));
        self
    }

    /// Stands under this heading on the record's page alone.
    #[must_use]
    pub const fn on_page(mut self, title: &'static str) -> Self {
        self.section = Some((title, Stands::OnPage));
        self
    }

    /// Stands under this heading in the record's form alone.
    #[must_use]
    pub const fn in_form(mut self, title: &'static str) -> Self {
        self.section = Some((title, Stands::InForm));
        self
    }

    /// Is to be copied, as a serial number is.
    #[must_use]
    pub const fn code(mut self) -> Self {
        self.is_code = true;
        self
    }

    /// May be sent under these names too.
    #[must_use]
    pub const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.others = names;
        self
    }

    /// No caller sends it.
    #[must_use]
    pub const fn told(mut self) -> Self {
        self.is_told = true;
        self
    }

    /// People read it so.
    #[must_use]
    pub const fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Holds the id of a row of this noun.
    #[must_use]
    pub const fn id_of(mut self, entity: &'static str) -> Self {
        self.points_to = Some(entity);
        self
    }

    /// How people read it, where it is not read as it is stored.
    #[must_use]
    pub const fn read_as(&self) -> Option<Format> {
        match self.kind {
            _ if self.format.is_some() => self.format,
            Kind::Choice(_) => Some(Format::Word),
            Kind::Day => Some(Format::Day),
            Kind::Moment(_) => Some(Format::Moment),
            _ => None,
        }
    }

    /// The noun of the row whose id it holds.
    #[must_use]
    pub const fn leads_to(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Reference(target) => Some(target.entity),
            _ => self.points_to,
        }
    }

    /// A new record must have it, and none can lose it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Emptied, it holds this.
    #[must_use]
    pub const fn emptied(mut self, text: &'static str) -> Self {
        self.emptied = Some(text);
        self
    }

    /// From one number to another; `why` is said of others.
    #[must_use]
    pub const fn range(mut self, least: i64, most: i64, why: &'static str) -> Self {
        self.range = Some((least, most, why));
        self
    }

    /// A sync may set it.
    #[must_use]
    pub const fn synced(mut self) -> Self {
        self.is_synced = true;
        self
    }

    /// Lists are filtered and sorted by it.
    #[must_use]
    pub const fn listed(mut self) -> Self {
        self.is_listed = true;
        self
    }

    /// The same, and a list page shows it unless somebody chooses otherwise.
    #[must_use]
    pub const fn usual(mut self) -> Self {
        self.is_usual = true;
        self.listed()
    }

    /// Lists are ordered by this column where they are asked to be by it: addresses are, by their keys.
    #[must_use]
    pub const fn ordered_by(mut self, sql: &'static str) -> Self {
        self.ordered_by = Some(sql);
        self
    }

    /// Its record is found by it.
    #[must_use]
    pub const fn searched(mut self) -> Self {
        self.is_searched = true;
        self
    }

    /// The same, by a column with its folded form.
    #[must_use]
    pub const fn folded(mut self, sql: &'static str) -> Self {
        self.folded = Some(sql);
        self.listed()
    }

    /// The column of a list.
    #[must_use]
    pub const fn list_column(&self) -> Column {
        let kind = match self.kind {
            Kind::Day | Kind::Moment(_) => ListKind::Time,
            Kind::Int | Kind::Decimal(_) | Kind::Reference(_) => ListKind::Int,
            Kind::Flag => ListKind::Bool,
            _ => ListKind::Text,
        };
        let (name, sql, folded, nullable, ordered_by) = (self.name, self.sql, self.folded, self.is_nullable, self.ordered_by);
        Column { name, sql, kind, folded, nullable, ordered_by }
    }

    /// What was sent for it, as its column holds it; what breaks its rules is noted in `fields`.
    pub fn read(&self, fields: &mut Fields) -> Sent<Value> {
        if self.is_told {
            return Sent::Absent;
        }
        self.others.iter().for_each(|other| fields.alias(self.name, other));
        let sent = match self.kind {
            Kind::Int | Kind::Reference(_) => self.read_int(fields),
            // Emptied, an amount is nothing.
            Kind::Decimal(places) => match fields.decimal(self.name, places).get() {
                Sent::Null if !self.is_nullable => Sent::Value(Value::Int(0)),
                sent => sent.map(Value::Int),
            },
            Kind::Flag => {
                let field = fields.bool(self.name);
                if self.is_nullable { field } else { field.not_null() }.get().map(Value::Bool)
            }
            Kind::TextList(items, most) => {
                let list = fields.text_list(self.name).max_items(items).max_each(most).get();
                list.map(|list| Value::Text(json!(list).to_string()))
            }
            Kind::Json(_) => Sent::Absent,
            Kind::Text(_)
            | Kind::Long(_)
            | Kind::Markdown(_)
            | Kind::Phone(_)
            | Kind::Choice(_)
            | Kind::Day
            | Kind::Moment(_)
            | Kind::Url(_)
            | Kind::Email(_) => self.read_text(fields),
            Kind::Ip | Kind::Cidr | Kind::Mac => self.read_text(fields).map(|text| match text {
                Value::Text(text) => Value::Text(address::written(self.kind, &text).unwrap_or(text)),
                other => other,
            }),
        };
        match (sent, self.emptied) {
            (Sent::Null, Some(text)) => Sent::Value(text.into()),
            (Sent::Null, None) => Sent::Value(Value::Null),
            (sent, _) => sent,
        }
    }

    fn read_int(&self, fields: &mut Fields) -> Sent<Value> {
        let in_range = |number: &i64| match self.range {
            Some((least, most, why)) if !(least..=most).contains(number) => Err(why.to_owned()),
            _ => Ok(()),
        };
        let mut field = fields.int(self.name);
        if self.is_required {
            field = field.required();
        }
        field.check(in_range).get().map(Value::Int)
    }

    fn read_text(&self, fields: &mut Fields) -> Sent<Value> {
        let mut field = fields.text(self.name);
        if self.is_required {
            field = field.required();
        } else if !self.is_nullable && self.emptied.is_none() {
            field = field.not_null();
        }
        let field = match self.kind {
            Kind::Text(most) | Kind::Long(most) | Kind::Markdown(most) | Kind::Phone(most) | Kind::Moment(most) => {
                field.max(most)
            }
            Kind::Choice(words) => field.one_of(words),
            Kind::Day => field.date(),
            Kind::Url(most) => field.max(most).url(),
            Kind::Email(most) => field.max(most).email(),
            kind @ (Kind::Ip | Kind::Cidr | Kind::Mac) => field.check(|text| address::written(kind, text).map(|_| ())),
            Kind::Int | Kind::Decimal(_) | Kind::Flag | Kind::TextList(..) | Kind::Json(_) | Kind::Reference(_) => field,
        };
        field.get().map(Value::Text)
    }
}
