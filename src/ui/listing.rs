//! From a list's address to its page: what is asked, which columns are shown, and every link that asks
//! for something a little different.

use std::borrow::Cow;

use super::{Chip, Choice, Column, Filter, List, ListView, Page, Row, Value, capitalised, list, list::Comparison};
use crate::{
    db::list::{
        ListQuery, ListSpec, Slice,
        beside::{self, Gathered, Shows},
    },
    error::{Error, Result},
    web::{Query, disclosure::Readings},
};

/// The most rows of one page, and how many it has by default.
const PER_PAGE: (i64, i64) = (500, 50);
/// The sizes of pages to choose from.
const SIZES: [i64; 4] = [25, 50, 100, 250];

/// How columns are compared, as the lists' addresses have it; what needs no value stands at the end.
const COMPARISONS: &[Comparison] = &[
    Comparison { suffix: "ic", words: "contains" },
    Comparison { suffix: "is", words: "is" },
    Comparison { suffix: "ne", words: "is not" },
    Comparison { suffix: "in", words: "is one of (a, b, c)" },
    Comparison { suffix: "gte", words: "is from (or after)" },
    Comparison { suffix: "lte", words: "is until (or before)" },
    Comparison { suffix: "empty", words: "is empty" },
    Comparison { suffix: "filled", words: "is not empty" },
];

/// The class of a column that stands only where there is room for every column of a long list.
pub const WIDE: &str = "cell--wide";
/// The class of one that also stands in a window of middle width.
pub const ROOMY: &str = "cell--roomy";

/// The fields of the form for one more comparison.
const ADDED: [&str; 3] = ["where", "test", "value"];

/// A column that a list page can show; its key is the member of the JSON, so that CSV has it too.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Its name in the URL.
    pub key: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// How it is set.
    pub class: &'static str,
    /// Whether it is shown unless somebody chooses.
    pub usual: bool,
}

/// What a room says about its list page.
#[derive(Debug)]
pub struct Shape {
    /// The list behind it.
    pub spec: &'static ListSpec,
    /// The page's path.
    pub path: &'static str,
    /// The path of the same list as JSON and CSV.
    pub api: &'static str,
    /// The path of the page on which several of its records are changed at once and what the way there says, if there is one.
    pub bulk: Option<(&'static str, &'static str)>,
    /// Every column; the first one is the link and always shown.
    pub columns: fn() -> &'static [Shown],
    /// The columns that need a window with room for all, each with [`WIDE`] or [`ROOMY`].
    pub yields: &'static [(&'static str, &'static str)],
    /// What the empty search field says.
    pub placeholder: &'static str,
    /// What it lists.
    pub noun: &'static str,
    /// What to do when there is nothing at all.
    pub when_empty: &'static str,
}

/// A list page that is being asked for.
#[derive(Debug)]
pub struct Listing {
    shape: &'static Shape,
    prefix: String,
    standalone: bool,
    params: Vec<(String, String)>,
    /// Whether the reader may see everything of every row, and what is kept beside the rows.
    sees_all: bool,
    may_write: bool,
    may_share: bool,
    views: Vec<ListView>,
    gathered: Gathered,
}

impl Listing {
    /// Reads the address; parameters without a value are as good as absent.
    #[must_use]
    pub fn new(shape: &'static Shape, page: &Page, query: &Query) -> Self {
        let params = query.iter().filter_map(|(name, value)| Some((name.to_owned(), value.ok()?.trim().to_owned())));
        let mut params: Vec<(String, String)> = params.filter(|(_, value)| !value.is_empty()).collect();
        let has_q = params.iter().any(|(name, _)| name == "q");
        for (name, value) in &mut params {
            // Both have an older name.
            if name == "search" && !has_q {
                "q".clone_into(name);
            } else if name == "include_retired" && ["true", "1", "yes", "on"].contains(&value.to_ascii_lowercase().as_str()) {
                "retired".clone_into(name);
                "include".clone_into(value);
            }
        }
        add_comparison(&mut params);
        let sees_all = page.is_staff() && !params.iter().any(|(name, _)| name == "filter");
        Self {
            shape,
            standalone: page.standalone,
            prefix: page.prefix.clone(),
            params,
            sees_all,
            may_write: page.may_write(),
            may_share: page.reader.as_ref().is_some_and(|reader| reader.may_share),
            views: page.views.clone(),
            gathered: Gathered::default(),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn per_page(&self) -> i64 {
        self.get("per_page").and_then(|text| text.parse().ok()).unwrap_or(PER_PAGE.1).clamp(1, PER_PAGE.0)
    }

    fn page(&self) -> i64 {
        self.get("page").and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
    }

    /// What is asked of the list, always a page of it.
    ///
    /// # Errors
    /// When a parameter is wrong, naming it.
    pub fn ask(&self) -> Result<ListQuery> {
        let asked =
            self.params.iter().filter(|(name, _)| !matches!(name.as_str(), "page" | "per_page" | "limit" | "offset" | "view"));
        let query =
            ListQuery::parse(self.shape.spec, asked.map(|(name, value)| (name.as_str(), Ok::<_, Error>(value.as_str()))))?;
        Ok(query.with_slice(Some(self.slice())).gathering(self.sees_all, self.gathered.clone()))
    }

    fn slice(&self) -> Slice {
        Slice { limit: self.per_page(), offset: (self.page() - 1).saturating_mul(self.per_page()) }
    }

    /// The address with one parameter set or taken away; the page starts over.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let kept = self.params.iter().filter(|(known, _)| known != name && known != "page");
        let pairs: Vec<(&str, &str)> =
            kept.map(|(name, value)| (name.as_str(), value.as_str())).chain(value.map(|value| (name, value))).collect();
        self.address(self.shape.path, &pairs)
    }

    fn address(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{query}", self.prefix)
    }

    /// Whether a column is shown when nobody chooses; where no style sheet of ours lets it give way, what needs the whole window
    /// is not.
    fn is_usual(&self, at: usize, column: &Shown) -> bool {
        let needs_window = || self.shape.yields.contains(&(column.key, WIDE));
        at == 0 || column.usual && (self.standalone || !needs_window())
    }

    fn is_shown(&self, at: usize, column: &Shown) -> bool {
        let mut chosen = self.params.iter().filter(|(name, _)| name == "col").peekable();
        if chosen.peek().is_none() {
            return self.is_usual(at, column);
        }
        at == 0 || chosen.any(|(_, value)| value == column.key)
    }

    fn sort(&self) -> &str {
        self.get("sort").unwrap_or(self.usual_sort())
    }

    /// The order when nobody asks: the first column's, or the list's own where that is another.
    fn usual_sort(&self) -> &'static str {
        let first = (self.shape.columns)().first().map_or("", |column| column.key);
        let own = self.shape.spec.default_sort;
        if own.split(',').next() == Some(first) { first } else { own }
    }

    fn can_sort(&self, key: &str) -> bool {
        self.shape.spec.columns.iter().any(|column| column.name == key)
    }

    /// A column of what is kept beside the rows.
    fn beside_column(&self, column: &beside::Column) -> Column {
        let name = column.name.as_str();
        let sorted = match self.sort().split(',').next().unwrap_or_default() {
            by if by == name => "ascending",
            by if by.strip_prefix('-') == Some(name) => "descending",
            _ => "",
        };
        let next = if sorted == "ascending" { format!("-{name}") } else { name.to_owned() };
        Column {
            key: column.name.clone().into(),
            label: column.label.clone().into(),
            sort_href: name.starts_with(beside::PREFIX).then(|| self.with("sort", Some(&next))),
            sorted,
            class: if column.shows == Shows::Number { "cell--number" } else { "" }.into(),
            shown: self.params.iter().any(|(known, value)| known == "col" && value == name),
            usual: false,
        }
    }

    /// Filters by what is kept beside the rows, where that is one of a few.
    fn beside_filters(&self, columns: &[beside::Column]) -> Vec<Filter> {
        let filter = |column: &beside::Column| {
            let name = if column.shows == Shows::Tags { beside::TAG.to_owned() } else { column.name.clone() };
            let label = if column.shows == Shows::Tags { "Tag" } else { &column.label };
            let choice = |value: &String| match (column.shows, value.as_str()) {
                (Shows::Flag, "true") => Choice::new(value, "Yes"),
                (Shows::Flag, _) => Choice::new(value, "No"),
                _ => Choice::word(value),
            };
            self.filter(name, label.to_owned(), column.choices.iter().map(choice).collect())
        };
        columns.iter().filter(|column| !column.choices.is_empty()).map(filter).collect()
    }

    /// The cells of what is kept beside a row.
    fn beside_cells(&self, columns: &[beside::Column], id: i64) -> Vec<Value> {
        let kept = self.gathered.take(id);
        if let Some(entity) = kept.protected {
            Readings::current().note(entity, [id]);
        }
        let cell = |column: &beside::Column| {
            if column.shows == Shows::Tags {
                return Value::tags(kept.tags.clone());
            }
            let key = column.name.strip_prefix(beside::PREFIX).unwrap_or(&column.name);
            kept.json
                .get(beside::OWN)
                .and_then(|own| own.get(key))
                .map_or(Value::None, |value| Value::beside(column.shows, value))
        };
        columns.iter().map(cell).collect()
    }

    fn column(&self, at: usize, shown: &Shown) -> Column {
        let sorted = match self.sort().split(',').next().unwrap_or_default() {
            by if by == shown.key => "ascending",
            by if by.strip_prefix('-') == Some(shown.key) => "descending",
            _ => "",
        };
        let next = if sorted == "ascending" { format!("-{}", shown.key) } else { shown.key.to_owned() };
        Column {
            key: shown.key.into(),
            label: shown.label.into(),
            sort_href: self.can_sort(shown.key).then(|| self.with("sort", Some(&next))),
            sorted,
            class: self.class(shown),
            shown: self.is_shown(at, shown),
            usual: self.is_usual(at, shown),
        }
    }

    /// How a column is set; one that somebody chose does not give way. Long values of a list are cut without being told so.
    fn class(&self, shown: &Shown) -> Cow<'static, str> {
        let class = shown.class.trim_end_matches("cell--cut").trim_end();
        let needs = self.shape.yields.iter().find(|(key, _)| *key == shown.key);
        match needs.filter(|_| !self.params.iter().any(|(name, _)| name == "col")) {
            Some((_, room)) => format!("{class} {room}").trim_start().to_owned().into(),
            None => class.into(),
        }
    }

    fn sorts(&self) -> Vec<Choice> {
        let columns = (self.shape.columns)().iter().filter(|column| self.can_sort(column.key));
        let both = |column: &Shown| {
            [
                Choice::new(column.key, column.label),
                Choice::new(format!("-{}", column.key), format!("{} (descending)", column.label)),
            ]
        };
        let mut sorts: Vec<Choice> = columns.flat_map(both).collect();
        if !sorts.iter().any(|choice| choice.value == self.sort()) {
            let label = if self.sort() == self.usual_sort() { "Usual order" } else { self.sort() };
            sorts.push(Choice::new(self.sort(), label));
        }
        sorts
    }

    /// Whether a parameter says which rows are listed.
    fn narrows(&self, name: &str) -> bool {
        let plain = name.split_once("__").map_or(name, |(plain, _)| plain);
        let spec = self.shape.spec;
        spec.columns.iter().any(|column| column.name == plain)
            || spec.own.contains(&name)
            || spec.own.contains(&plain)
            || self.gathered.is_used() && beside::is_beside(plain)
            || name == "filter"
    }

    /// What the address asks for and the form has no field for: it stays when the form is used.
    fn kept(&self, filters: &[Filter]) -> Vec<(String, String)> {
        let has_field =
            |name: &str| filters.iter().any(|filter| filter.name == name) || matches!(name, "q" | "sort" | "retired" | "col");
        let kept = self
            .params
            .iter()
            .filter(|(name, _)| (self.narrows(name) || matches!(name.as_str(), "per_page" | "view")) && !has_field(name));
        kept.cloned().collect()
    }

    /// A filter in words: `Warranty ends: none`.
    fn words(&self, name: &str, value: &str) -> String {
        let (plain, test) = name.split_once("__").unwrap_or((name, ""));
        let beside = self.gathered.columns().into_iter().find(|column| column.name == plain).map(|column| column.label);
        let label = match (self.shape.columns)().iter().find(|column| column.key == plain) {
            _ if beside.is_some() => beside.unwrap_or_default(),
            Some(column) => column.label.to_owned(),
            None => capitalised(&plain.replace('_', " ")),
        };
        let yes = ["true", "1", "yes", "on"].contains(&value.to_ascii_lowercase().as_str());
        match test {
            "gte" => format!("{label} from {value}"),
            "lte" => format!("{label} until {value}"),
            "ne" => format!("{label} is not {value}"),
            "ic" => format!("{label} contains {value}"),
            "in" => format!("{label}: {}", value.split(',').map(str::trim).collect::<Vec<_>>().join(" or ")),
            "empty" if yes => format!("{label}: none"),
            "empty" => format!("{label}: any"),
            _ => format!("{label}: {value}"),
        }
    }

    fn chips(&self, filters: &[Filter]) -> Vec<Chip> {
        let mut chips = Vec::new();
        for (name, value) in &self.params {
            let text = if let Some(filter) = filters.iter().find(|filter| filter.name == **name) {
                let choice = filter.choices.iter().find(|choice| choice.value == *value);
                format!("{}: {}", filter.label, choice.map_or(value.as_str(), |choice| choice.label.as_str()))
            } else if name == "retired" {
                match value.as_str() {
                    "hide" => continue,
                    "only" => "Retired only".to_owned(),
                    _ => "With retired".to_owned(),
                }
            } else if self.narrows(name) {
                self.words(name, value)
            } else {
                continue;
            };
            chips.push(Chip { text, href: self.with(name, None) });
        }
        chips
    }

    /// The same rows as CSV: `extra` is put at the end of the address.
    fn csv(&self, keep_filters: bool, extra: &str) -> String {
        let shown = (self.shape.columns)().iter().enumerate().filter(|(at, column)| self.is_shown(*at, column));
        let keys: Vec<&str> =
            shown.map(|(_, column)| column.key).filter(|key| (self.shape.spec.fields)().contains(key)).collect();
        let beside = self.gathered.columns().into_iter().map(|column| column.name);
        let beside = beside.filter(|name| self.params.iter().any(|(known, value)| known == "col" && value == name));
        let fields = keys.into_iter().map(str::to_owned).chain(beside).collect::<Vec<_>>().join(",");
        let kept =
            self.params.iter().filter(|(name, _)| keep_filters && !matches!(name.as_str(), "page" | "per_page" | "col" | "view"));
        let mut pairs: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // Whoever presses this reads it in a spreadsheet.
        pairs.extend([("format", "csv"), ("for", "excel"), ("fields", &fields)]);
        format!("{}{extra}", self.address(self.shape.api, &pairs))
    }

    /// The filter of this name as a choice of words.
    #[must_use]
    pub fn filter(
        &self,
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        mut choices: Vec<Choice>,
    ) -> Filter {
        let (name, label) = (name.into(), label.into());
        choices.insert(0, Choice::new("", "Any"));
        let value = self.get(&name).unwrap_or_default().to_owned();
        if !choices.iter().any(|choice| choice.value == value) {
            choices.push(Choice::word(&value));
        }
        Filter { name, label, value, choices }
    }

    /// Where chosen rows are tagged, and the tags there are.
    fn taggable(&self, columns: &[beside::Column]) -> Option<(String, Vec<String>)> {
        let tags = columns.iter().find(|column| column.shows == Shows::Tags)?;
        let entity = self.shape.spec.entities.first()?;
        self.may_write.then(|| (format!("{}/records/{entity}/tags", self.prefix), tags.choices.clone()))
    }

    /// The view that the address names.
    fn view(&self) -> Option<&ListView> {
        let id: i64 = self.get("view")?.parse().ok()?;
        self.views.iter().find(|view| view.id == id)
    }

    /// The list without any filter; whoever opens it with a view of theirs must say that they want all of it.
    fn clear(&self) -> String {
        let has_default = self.views.iter().any(|view| view.is_default);
        self.address(self.shape.path, if has_default { &[("view", "all")] } else { &[] })
    }

    /// What is asked, as a view keeps it.
    fn asked(&self) -> String {
        let kept = self.params.iter().filter(|(name, _)| !matches!(name.as_str(), "page" | "limit" | "offset" | "view"));
        serde_urlencoded::to_string(kept.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// The columns that can be compared, in the order of the page's columns.
    fn comparable(&self, beside: &[beside::Column]) -> Vec<Choice> {
        let own = (self.shape.columns)().iter().filter(|column| self.can_sort(column.key));
        let own = own.map(|column| Choice::new(column.key, column.label));
        let beside = beside.iter().filter(|column| column.name.starts_with(beside::PREFIX));
        own.chain(beside.map(|column| Choice::new(column.name.clone(), column.label.clone()))).collect()
    }

    fn sizes(&self) -> Vec<(i64, bool)> {
        let mut sizes = SIZES.to_vec();
        if let Err(at) = sizes.binary_search(&self.per_page()) {
            sizes.insert(at, self.per_page());
        }
        sizes.into_iter().map(|size| (size, size == self.per_page())).collect()
    }

    /// The page's list, with these rows of so many.
    #[must_use]
    pub fn list(&self, mut filters: Vec<Filter>, mut rows: Vec<Row>, total: i64) -> List {
        let beside = self.gathered.columns();
        filters.extend(self.beside_filters(&beside));
        if !beside.is_empty() {
            for row in &mut rows {
                row.cells.extend(self.beside_cells(&beside, row.id));
            }
        }
        let own = (self.shape.columns)().iter().enumerate().map(|(at, shown)| self.column(at, shown));
        let slice = self.slice();
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let number = self.page();
        let turn = |number: i64| self.with("page", Some(&number.to_string()));
        List {
            action: format!("{}{}", self.prefix, self.shape.path),
            q: self.get("q").unwrap_or_default().to_owned(),
            placeholder: self.shape.placeholder,
            columns: own.chain(beside.iter().map(|column| self.beside_column(column))).collect(),
            tags: self.taggable(&beside),
            bulk: self.shape.bulk.filter(|_| self.may_write).map(|(path, words)| (format!("{}{path}", self.prefix), words)),
            chips: self.chips(&filters),
            kept: self.kept(&filters),
            clear: self.clear(),
            sort: self.sort().to_owned(),
            sorts: self.sorts(),
            usual_sort: self.usual_sort(),
            per_page: self.per_page(),
            info: list::range(slice.offset, count, total, self.shape.noun),
            previous: (number > 1).then(|| turn(number - 1)),
            next: (slice.offset + count < total).then(|| turn(number + 1)),
            csv: self.csv(true, ""),
            csv_chosen: self.csv(false, "&retired=include&id__in="),
            noun: self.shape.noun,
            when_empty: self.shape.when_empty.to_owned(),
            retired: self.get("retired").is_some_and(|value| value != "hide"),
            views_at: format!("{}/views", self.prefix),
            list: self.shape.path.trim_matches('/').to_owned(),
            view: self.view().cloned(),
            is_changed: self.view().is_some_and(|view| sorted(&view.query) != sorted(&self.asked())),
            asked: self.asked(),
            may_share: self.may_share,
            comparable: self.comparable(&beside),
            comparisons: COMPARISONS,
            page: number,
            pages: (total + self.per_page() - 1).div_euclid(self.per_page()).max(1),
            sizes: self.sizes(),
            beside_page: self.params.iter().filter(|(name, _)| !matches!(name.as_str(), "page" | "per_page")).cloned().collect(),
            views: self.views.clone(),
            filters,
            rows,
        }
    }
}

/// The parts of a query, whatever their order.
fn sorted(query: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    parts.sort_unstable();
    parts
}

/// Turns the form for one more comparison into the parameter that it means.
fn add_comparison(params: &mut Vec<(String, String)>) {
    let sent = ADDED.map(|name| params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
    params.retain(|(name, _)| !ADDED.contains(&name.as_str()));
    let [Some(column), test, value] = sent else { return };
    let (suffix, value) = match (test.as_deref().unwrap_or("ic"), value) {
        ("empty", _) => ("__empty", "true".to_owned()),
        ("filled", _) => ("__empty", "false".to_owned()),
        (_, None) => return,
        ("is", Some(value)) => ("", value),
        (test, Some(value)) => match COMPARISONS.iter().find(|known| known.suffix == test) {
            Some(known) => (known.suffix, value),
            None => return,
        },
    };
    let mark = if suffix.is_empty() || suffix.starts_with('_') { "" } else { "__" };
    let name = format!("{column}{mark}{suffix}");
    params.retain(|(known, _)| *known != name);
    params.push((name, value));
}
