//! Where backups go, which are kept, and who can read them.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use age::x25519::Recipient;

use super::read::Reader;

/// What the operator decided about backups.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The folder that they go to.
    pub to: PathBuf,
    /// Which are kept in it.
    pub keep: Keep,
    /// To whom they are encrypted; to nobody when there is none.
    pub encrypt_to: Vec<Recipient>,
}

impl Backup {
    pub(super) fn read(read: &mut Reader<'_>, instance: &Path) -> Self {
        let to = read.optional("backup", "to").unwrap_or_else(|| "backups".to_owned());
        Self {
            to: instance.join(to),
            keep: read.parsed(("backup", "keep"), Keep::default(), Keep::parse),
            encrypt_to: read.parsed(("backup", "encrypt_to"), Vec::new(), recipients),
        }
    }
}

/// Which backups are kept: the newest of each of so many days, weeks and months in which there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    pub days: usize,
    pub weeks: usize,
    pub months: usize,
}

/// The largest number of each.
const MOST: usize = 10_000;

impl Keep {
    /// Understands `7d,4w,12m`, or some of these.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "must be numbers of days, weeks and months such as 7d,4w,12m, at least one of them".to_owned();
        let mut keep = Self::default();
        for part in text.split(',').map(str::trim) {
            let (number, unit) = part.split_at_checked(part.len().saturating_sub(1)).ok_or_else(wrong)?;
            let number = number.parse().ok().filter(|number| (0..=MOST).contains(number)).ok_or_else(wrong)?;
            match unit {
                "d" => keep.days = number,
                "w" => keep.weeks = number,
                "m" => keep.months = number,
                _ => return Err(wrong()),
            }
        }
        if keep == Self::default() { Err(wrong()) } else { Ok(keep) }
    }

    /// For people: `7 days, 4 weeks and 12 months`.
    #[must_use]
    pub fn words(&self) -> String {
        let all = [(self.days, "day"), (self.weeks, "week"), (self.months, "month")];
        let some = all.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> =
            some.map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" })).collect();
        match parts.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => parts.concat(),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}d,{}w,{}m", self.days, self.weeks, self.months)
    }
}

/// The recipients of a list with commas.
///
/// # Errors
/// What would be right.
pub fn recipients(text: &str) -> Result<Vec<Recipient>, String> {
    let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            // Who mixes the two up has given a secret, which nobody repeats.
            let part_shown = if part.starts_with("age1") { part } else { "something" };
            part.parse().map_err(|_| format!("has {part_shown} which is no recipient: age-keygen prints one, age1…"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_said_in_days_weeks_and_months() {
        let keep = |days, weeks, months| Ok(Keep { days, weeks, months });
        assert_eq!(Keep::parse("7d,4w,12m"), keep(7, 4, 12));
        assert_eq!(Keep::parse(" 3w , 1d"), keep(1, 3, 0));
        for wrong in ["", "0d", "7", "7y", "d", "-1d", "7d;4w", "é"] {
            assert!(Keep::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_key_is_no_recipient() {
        let identity = age::x25519::Identity::generate();
        assert_eq!(recipients(&format!("{0}, {0}", identity.to_public())).unwrap().len(), 2);
        assert!(recipients("").unwrap().is_empty());
        for wrong in ["age1abc", "AGE-SECRET-KEY-1QQQ", "ann@example.com"] {
            assert!(recipients(wrong).unwrap_err().contains("no recipient"), "{wrong}");
        }
    }
}
