//! Which company a site's name means: what a person is offered first, never a decision. Pure.

use std::collections::HashMap;

use super::store::CompanyRef;
use crate::{reconcile::review::Candidate, types::fold};

/// How many companies are offered.
const NAMED: usize = 5;
/// The shortest beginning that says something, in signs.
const SHORTEST: usize = 3;

/// The same name, or one under which the company was recognised before.
pub const EXACT: &str = "exact";
/// One name begins with the other.
pub const BEGINS: &str = "begins";
/// They share a word.
pub const SIMILAR: &str = "similar";

/// What tells the form of a company and not which one it is.
const FORMS: &[&str] = &[
    "ab",
    "ag",
    "aps",
    "as",
    "asa",
    "bhd",
    "bv",
    "bvba",
    "co",
    "company",
    "corp",
    "corporation",
    "doo",
    "ev",
    "gbr",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "kk",
    "limited",
    "llc",
    "lllp",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "ohg",
    "oy",
    "oyj",
    "pa",
    "pc",
    "plc",
    "pllc",
    "pte",
    "pty",
    "sa",
    "sarl",
    "sas",
    "sl",
    "slu",
    "spa",
    "srl",
    "sro",
    "ug",
    "zrt",
];

/// Words that many names have.
const COMMON: &[&str] = &["the", "and", "group", "main", "office", "site", "services", "branch", "headquarters"];

/// Words of which alone no site's name says whose it is.
const PLACES: &[&str] = &[
    "branch",
    "central",
    "cloud",
    "default",
    "demand",
    "depot",
    "downtown",
    "east",
    "factory",
    "group",
    "head",
    "headquarters",
    "home",
    "hq",
    "lab",
    "laptops",
    "location",
    "main",
    "managed",
    "new",
    "north",
    "of",
    "office",
    "offices",
    "old",
    "on",
    "ondemand",
    "plant",
    "remote",
    "servers",
    "shop",
    "site",
    "sites",
    "south",
    "store",
    "temp",
    "test",
    "the",
    "warehouse",
    "west",
    "workstations",
];

/// Whether a site's name says whose it is: "Main Office" does not.
#[must_use]
pub fn tells(name: &str) -> bool {
    words(name).iter().any(|word| word.chars().any(char::is_alphabetic) && !PLACES.contains(&word.as_str()))
}

/// The words of a name, without case, punctuation and the company's form.
fn words(name: &str) -> Vec<String> {
    let plain: String = fold(name).replace('&', " and ").chars().filter(|c| !matches!(c, '.' | '\'' | '’' | '`' | '/')).collect();
    let mut words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.len() > 1 && words.first() == Some(&"the") {
        words.remove(0);
    }
    while words.len() > 1 && words.last().is_some_and(|last| FORMS.contains(last) || *last == "and") {
        words.pop();
    }
    words.into_iter().map(str::to_owned).collect()
}

/// What all spellings of a name have in common.
#[must_use]
pub fn key(name: &str) -> String {
    words(name).concat()
}

/// The live companies by their names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    companies: Vec<(CompanyRef, Vec<String>)>,
    by_key: HashMap<String, Vec<usize>>,
    aliases: HashMap<String, Vec<usize>>,
}

impl Names {
    /// From every company, and the names under which they were recognised.
    #[must_use]
    pub fn new(all: &[CompanyRef], aliases: &[(String, i64)]) -> Self {
        let mut names = Self::default();
        let mut places = HashMap::new();
        for company in all.iter().filter(|company| !company.retired) {
            places.insert(company.id, names.companies.len());
            names.by_key.entry(key(&company.name)).or_default().push(names.companies.len());
            names.companies.push((company.clone(), words(&company.name)));
        }
        for (key, company) in aliases {
            if let Some(at) = places.get(company) {
                names.aliases.entry(key.clone()).or_default().push(*at);
            }
        }
        names
    }

    fn exactly(&self, site: &str) -> Vec<(usize, &'static str)> {
        let key = key(site);
        if key.is_empty() {
            return Vec::new();
        }
        let same = self.by_key.get(&key).map(Vec::as_slice).unwrap_or_default();
        let known = self.aliases.get(&key).map(Vec::as_slice).unwrap_or_default();
        let known = known.iter().filter(|at| !same.contains(at)).map(|at| (*at, "recognised under this name before"));
        same.iter().map(|at| (*at, "the same name")).chain(known).collect()
    }

    /// The one company that has this name.
    #[must_use]
    pub fn exact(&self, site: &str) -> Option<&CompanyRef> {
        match self.exactly(site).as_slice() {
            [(at, _)] => self.companies.get(*at).map(|(company, _)| company),
            _ => None,
        }
    }

    /// The companies that a site's name may mean, the likeliest first.
    #[must_use]
    pub fn suggest(&self, site: &str) -> Vec<Candidate> {
        let exact = self.exactly(site);
        let site = words(site);
        let mut found: Vec<(usize, usize, i64, Candidate)> = Vec::new();
        for (at, (company, name)) in self.companies.iter().enumerate() {
            let shared =
                name.iter().filter(|word| word.chars().count() > 2 && !COMMON.contains(&word.as_str()) && site.contains(word));
            let shared = shared.count();
            let (rank, weight, fit, why) = match exact.iter().find(|(same, _)| *same == at) {
                Some((_, why)) => (0, 0, EXACT, *why),
                None if begins(&site, name) => (1, name.concat().len(), BEGINS, "its name begins with the company's"),
                None if begins(name, &site) => (2, usize::MAX - name.len(), BEGINS, "the company's name begins with it"),
                None if shared > 0 => (3, shared, SIMILAR, "a similar name"),
                None => continue,
            };
            let candidate = Candidate {
                id: company.id,
                account_number: Some(company.number.clone()),
                name: company.name.clone(),
                why: why.to_owned(),
                fit: Some(fit.to_owned()),
            };
            found.push((rank, usize::MAX - weight, company.id, candidate));
        }
        found.sort_by_key(|(rank, weight, id, _)| (*rank, *weight, *id));
        found.into_iter().take(NAMED).map(|(_, _, _, candidate)| candidate).collect()
    }
}

/// Whether a name begins with the whole of another one.
fn begins(long: &[String], short: &[String]) -> bool {
    long.len() > short.len() && short.concat().chars().count() >= SHORTEST && long.starts_with(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Names {
        let company =
            |(id, name): (i64, &&str)| CompanyRef { id, number: format!("N{id}"), name: (*name).to_owned(), retired: false };
        let all: Vec<CompanyRef> = (1..).zip(all).map(company).collect();
        Names::new(&all, &[(key("Acme Uptown"), 1)])
    }

    #[test]
    fn a_name_has_many_spellings() {
        for same in [
            "Acme Dental",
            "ACME  DENTAL",
            "acme-dental",
            "Acme Dental, Inc.",
            "The Acme Dental LLC",
            "Acme Dental L.L.C.",
            "AcmeDental",
        ] {
            assert_eq!(key(same), "acmedental", "{same}");
        }
        assert_eq!(key("Müller GmbH & Co. KG"), key("muller"));
        assert_eq!(key("O’Neil & Sons Ltd"), key("ONeil and Sons"));
        assert_ne!(key("Acme Dental"), key("Acme Legal"));
        assert_eq!(key("LLC"), "llc", "what is all of a name stays");
    }

    #[test]
    fn exact_before_beginning_before_similar() {
        let names = names(&["Acme Dental Inc", "Acme", "Birch Legal", "Cedar Dental", "Acme Dental Group West"]);
        let fits = |site: &str| -> Vec<(i64, String)> {
            names.suggest(site).into_iter().map(|one| (one.id, one.fit.unwrap_or_default())).collect()
        };
        let of = |all: &[(i64, &str)]| -> Vec<(i64, String)> { all.iter().map(|(id, fit)| (*id, (*fit).to_owned())).collect() };
        assert_eq!(fits("ACME DENTAL"), of(&[(1, EXACT), (2, BEGINS), (5, BEGINS), (4, SIMILAR)]));
        assert_eq!(fits("Acme Dental - Main Office"), of(&[(1, BEGINS), (2, BEGINS), (5, SIMILAR), (4, SIMILAR)]));
        assert_eq!(fits("acme uptown").first(), Some(&(1, EXACT.to_owned())), "recognised before");
        assert_eq!(fits("Zebra"), of(&[]));
        assert_eq!(names.exact("Acme Dental LLC").map(|company| company.id), Some(1));
        assert_eq!(names.exact("Acme Dental - Main Office"), None);
    }

    #[test]
    fn two_companies_of_one_name_are_not_exact() {
        let names = names(&["Birch Legal", "Birch Legal, LLC"]);
        assert_eq!(names.exact("birch legal"), None);
        assert_eq!(names.suggest("birch legal").len(), 2);
        let company = |id: i64, name: &str| CompanyRef { id, number: format!("N{id}"), name: name.to_owned(), retired: false };
        let uptown = |companies: &[i64]| {
            let aliases: Vec<(String, i64)> = companies.iter().map(|id| (key("Uptown Clinic"), *id)).collect();
            Names::new(&[company(1, "Acme Dental"), company(2, "Birch Legal")], &aliases)
        };
        assert_eq!(uptown(&[2]).exact("uptown clinic").map(|one| one.id), Some(2));
        assert_eq!(uptown(&[1, 2]).exact("uptown clinic"), None, "two companies have been recognised by it");
        for nothing in ["Main Office", "HQ", "Warehouse 2", "Managed", "Site 12"] {
            assert!(!tells(nothing), "{nothing}");
        }
        assert!(tells("Acme - Main Office"));
    }
}
