//! What the day on which something ends means today: one of four states, said once in Rust and once in SQL.

use crate::{
    db::{Value, list::ListQuery},
    error::{Error, Result},
    types::{self, office},
    ui::Choice,
    web::Query,
};

/// For how many days before its end something is ending.
pub const DAYS: i64 = 90;

/// How it stands with something that ends on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It ends later than within [`DAYS`].
    In,
    /// It ends within [`DAYS`], today included.
    Ending,
    /// It has ended.
    Expired,
    /// Nobody has said when it ends.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::In, Self::Ending, Self::Expired, Self::Unknown];

    /// Its word in questions and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Ending => "ending",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// Its word for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::In => "Active",
            Self::Ending => "Ending within 90 days",
            Self::Expired => "Expired",
            Self::Unknown => "Unknown",
        }
    }
}

/// The states to choose from.
#[must_use]
pub fn choices() -> Vec<Choice> {
    State::ALL.map(|state| Choice::new(state.as_str(), state.label())).to_vec()
}

/// The days that tell the states apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    today: String,
    last: String,
}

impl Days {
    /// As seen from the office today.
    #[must_use]
    pub fn now() -> Self {
        Self { today: office::today(), last: office::day_from_today(DAYS) }
    }

    /// The state of what ends on this day.
    #[must_use]
    pub fn state(&self, ends: Option<&str>) -> State {
        match ends.and_then(types::day) {
            None => State::Unknown,
            Some(day) if day < self.today => State::Expired,
            Some(day) if day <= self.last => State::Ending,
            Some(_) => State::In,
        }
    }
}

/// The same in SQL: that the day in a column means one of these states, with `{}` for each parameter.
#[must_use]
pub fn condition(column: &str, states: &[State], days: &Days) -> (String, Vec<Value>) {
    let is_day = format!("{column} LIKE '____-__-__'");
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for state in states {
        let (today, last) = (Value::from(&days.today), Value::from(&days.last));
        match state {
            State::In => {
                parts.push(format!("{is_day} AND {column} > {{}}"));
                values.push(last);
            }
            State::Ending => {
                parts.push(format!("{is_day} AND {column} >= {{}} AND {column} <= {{}}"));
                values.extend([today, last]);
            }
            State::Expired => {
                parts.push(format!("{is_day} AND {column} < {{}}"));
                values.push(today);
            }
            State::Unknown => parts.push(format!("{column} IS NULL OR NOT ({is_day})")),
        }
    }
    let any = parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" OR ");
    (if any.is_empty() { "1 = 0".to_owned() } else { format!("({any})") }, values)
}

/// That a list is asked for some states, and of which column. The days are part of it: what keeps answers by the question
/// asks anew on the next day.
#[derive(Clone, Debug)]
pub struct Asked {
    column: &'static str,
    states: Vec<State>,
    days: Days,
}

/// What may be asked: one state or several, as a pattern of the API description.
pub const ASKED: &str = "^((in|ending|expired|unknown)(,(in|ending|expired|unknown))*)?$";

impl Asked {
    /// Reads `name=ending`, or several with commas, also as `name__in=`.
    ///
    /// # Errors
    /// When one of the words is no state, naming those that there are.
    pub fn read(query: &Query, name: &str, column: &'static str) -> Result<Option<Self>> {
        let several = format!("{name}__in");
        let text = match query.text(name)? {
            Some(text) => Some((name, text)),
            None => query.text(&several)?.map(|text| (several.as_str(), text)),
        };
        let Some((name, text)) = text else { return Ok(None) };
        let known = |word: &str| State::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(word));
        let wrong = || Error::field(name, "must be in, ending, expired or unknown, or several of them with commas between");
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let states = words.map(|word| known(word).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
        Ok((!states.is_empty()).then(|| Self { column, states, days: Days::now() }))
    }

    /// Those that are in one state.
    #[must_use]
    pub fn of(column: &'static str, state: State) -> Self {
        Self { column, states: vec![state], days: Days::now() }
    }

    /// The question, narrowed to them.
    #[must_use]
    pub fn narrow(&self, query: ListQuery) -> ListQuery {
        let (condition, values) = condition(self.column, &self.states, &self.days);
        query.and(&condition, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_still_counts_and_what_is_no_day_is_unknown() {
        let days = Days { today: "2027-01-10".to_owned(), last: "2027-04-10".to_owned() };
        for (ends, state) in [
            (Some("2027-01-09"), State::Expired),
            (Some("2027-01-10"), State::Ending),
            (Some("2027-04-10"), State::Ending),
            (Some("2027-04-11"), State::In),
            (Some("soon"), State::Unknown),
            (Some(""), State::Unknown),
            (None, State::Unknown),
        ] {
            assert_eq!(days.state(ends), state, "{ends:?}");
        }
    }
}
