//! For how long things are kept that are over.

use super::read::Reader;

/// The shortest time for which history is kept: the last month and the one before it can always be counted.
const HISTORY: i64 = 100;
/// The shortest time for which readings of protected records are kept: six years, as HIPAA has it for what is documented
/// (45 CFR 164.316(b)(2)(i)) and for what a person may ask about disclosures (45 CFR 164.528(a)).
const DISCLOSURES: i64 = 2_192;
/// The longest time that makes sense.
const MOST: i64 = 36_500;

/// For how many days things are kept; none for those that are kept for ever, or by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Changes of records.
    pub history: Option<i64>,
    /// Readings of protected records.
    pub disclosures: Option<i64>,
    /// Ended jobs with their logs, runs and plans.
    pub jobs: Option<i64>,
    /// What a failed sync had read.
    pub staging: i64,
    /// What was written to vendors.
    pub outbox: i64,
    /// Delivered messages of outgoing webhooks.
    pub webhooks: i64,
    /// Notices that are over.
    pub notices: i64,
}

impl Retention {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let mut days = |name, usual, least: i64, why: &str| {
            read.parsed(("retention", name), usual, |text| match text {
                "" => Ok(usual),
                _ => match text.parse::<i64>() {
                    Ok(days) if (least..=MOST).contains(&days) => Ok(Some(days)),
                    _ => Err(format!("must be a whole number of days from {least}{why}, not {text:?}")),
                },
            })
        };
        let history = days("history_days", None, HISTORY, " (so that the last two months can be counted), or unset for ever");
        let six_years = " (six years, as HIPAA asks), or unset for ever";
        let disclosures = days("disclosures_days", None, DISCLOSURES, six_years);
        let jobs = days("jobs_days", None, 7, ", or unset");
        let mut whole = |name, usual| days(name, Some(usual), 1, "").unwrap_or(usual);
        Self {
            history,
            disclosures,
            jobs,
            staging: whole("staging_days", 30),
            outbox: whole("outbox_days", 180),
            webhooks: whole("webhooks_days", 7),
            notices: whole("notices_days", 90),
        }
    }
}
