//! A calendar as people write it: checked whole, with every entry that does not fit, before it becomes one.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::{civil::Date, tz::TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::{Calendar, Hours, SpecialDay};

/// The time zones that came with this version: every replica works out the same deadline, whatever its machine has
/// installed.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Working hours within a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursDraft {
    /// `HH:MM`.
    pub(crate) start: String,
    /// `HH:MM`, or `24:00`.
    pub(crate) end: String,
}

/// The working hours of a day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DayDraft {
    /// 1 Monday … 7 Sunday.
    pub(crate) day: i32,
    /// Its hours, in order.
    pub(crate) hours: Vec<HoursDraft>,
}

/// A date that differs from its day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpecialDraft {
    /// `YYYY-MM-DD`.
    pub(crate) date: String,
    /// What it is, e.g. `国庆节`.
    pub(crate) display_name: String,
    /// Its hours, in order; empty: no work.
    pub(crate) hours: Vec<HoursDraft>,
}

/// A calendar as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    /// IANA time zone.
    pub(crate) time_zone: String,
    /// The usual week; a day that is not named is free.
    pub(crate) weekly_hours: Vec<DayDraft>,
    /// The dates that differ from it.
    pub(crate) special_days: Vec<SpecialDraft>,
}

/// Every field that does not fit, with what is wrong about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the calendar has entries that do not fit: {0:?}")]
pub(crate) struct Problems(pub(crate) Vec<(String, String)>);

impl TryFrom<Draft> for Calendar {
    type Error = Problems;

    fn try_from(draft: Draft) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let zone = ZONES.get(&draft.time_zone).ok();
        if zone.is_none() {
            problems.push((
                "time_zone".to_owned(),
                format!("{} is not a time zone of the IANA database", draft.time_zone),
            ));
        }
        let mut week: [Vec<Hours>; 7] = Default::default();
        for (index, day) in draft.weekly_hours.iter().enumerate() {
            let field = format!("weekly_hours[{index}]");
            let hours = read_hours(&day.hours, &field, &mut problems);
            match usize::try_from(day.day)
                .ok()
                .and_then(|day| week.get_mut(day.wrapping_sub(1)))
            {
                None => problems.push((format!("{field}.day"), "is not a day of the week".to_owned())),
                Some(found) if !found.is_empty() => problems.push((format!("{field}.day"), "comes twice".to_owned())),
                Some(_) if hours.is_empty() && day.hours.is_empty() => {
                    problems.push((
                        format!("{field}.hours"),
                        "a free day is one that is not named".to_owned(),
                    ));
                }
                Some(found) => *found = hours,
            }
        }
        if problems.is_empty() && week.iter().all(Vec::is_empty) {
            problems.push(("weekly_hours".to_owned(), "there is no working time at all".to_owned()));
        }
        let mut special = BTreeMap::new();
        for (index, day) in draft.special_days.into_iter().enumerate() {
            let field = format!("special_days[{index}]");
            let hours = read_hours(&day.hours, &field, &mut problems);
            match read_date(&day.date) {
                None => problems.push((format!("{field}.date"), format!("there is no date {}", day.date))),
                Some(date) => {
                    if special
                        .insert(
                            date,
                            SpecialDay {
                                display_name: day.display_name,
                                hours,
                            },
                        )
                        .is_some()
                    {
                        problems.push((format!("{field}.date"), format!("{date} comes twice")));
                    }
                }
            }
        }
        match zone {
            Some(zone) if problems.is_empty() => {
                let zone_name = zone.iana_name().map_or(draft.time_zone, str::to_owned);
                Ok(Self {
                    zone_name,
                    zone,
                    week,
                    special,
                })
            }
            _ => Err(Problems(problems)),
        }
    }
}

/// `YYYY-MM-DD` and nothing else: the parser of dates takes more forms than we do.
fn read_date(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|date| date.to_string() == text)
}

fn read_hours(drafts: &[HoursDraft], field: &str, problems: &mut Vec<(String, String)>) -> Vec<Hours> {
    let mut all: Vec<Hours> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let mut problem =
            |name: &str, what: &str| problems.push((format!("{field}.hours[{index}].{name}"), what.to_owned()));
        let (from, to) = (read_time(&draft.start), read_time(&draft.end));
        match (from, to) {
            (Some(from), Some(to)) if from >= to => problem("end", "must be later than the begin"),
            (Some(from), Some(_)) if all.last().is_some_and(|before| from < before.to) => {
                problem("start", "must not be before the end of the hours before it");
            }
            (Some(from), Some(to)) => all.push(Hours { from, to }),
            _ => {
                if from.is_none() {
                    problem("start", "must be a time such as 09:00");
                }
                if to.is_none() {
                    problem("end", "must be a time such as 18:00, or 24:00");
                }
            }
        }
    }
    all
}

/// Minutes since midnight of `HH:MM`.
fn read_time(text: &str) -> Option<u16> {
    let (hour, minute) = text
        .split_once(':')
        .filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    let (hour, minute) = (digits(hour)?, digits(minute)?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

impl From<Calendar> for Draft {
    fn from(calendar: Calendar) -> Self {
        let week = (1..).zip(&calendar.week).filter(|(_, hours)| !hours.is_empty());
        let special = calendar.special.iter().map(|(date, day)| SpecialDraft {
            date: date.to_string(),
            display_name: day.display_name.clone(),
            hours: write_hours(&day.hours),
        });
        Self {
            time_zone: calendar.zone_name.clone(),
            weekly_hours: week
                .map(|(day, hours)| DayDraft {
                    day,
                    hours: write_hours(hours),
                })
                .collect(),
            special_days: special.collect(),
        }
    }
}

fn write_hours(hours: &[Hours]) -> Vec<HoursDraft> {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    hours
        .iter()
        .map(|hours| HoursDraft {
            start: time(hours.from),
            end: time(hours.to),
        })
        .collect()
}
