//! The rules of working time: time zone, several intervals a day, holidays, make-up working days (调休), half days.

mod draft;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
pub(crate) mod tests;
mod working;

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

pub(crate) use draft::{DayDraft, Draft, HoursDraft, Problems, SpecialDraft};

/// A deadline that lies further away than this is taken as out of reach: ten years, leap days included.
pub(crate) const HORIZON: SignedDuration = SignedDuration::from_hours(3653 * 24);

/// Why a moment cannot be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CalendarError {
    /// The calendar has too little working time to get there within [`HORIZON`].
    #[error("the calendar has too little working time to reach a deadline")]
    OutOfReach,
}

/// A stretch of working time within a day, in minutes of the wall clock since midnight; `to` may be 1440.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours {
    from: u16,
    to: u16,
}

/// A date that differs from its day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SpecialDay {
    display_name: String,
    /// Empty: a holiday.
    hours: Vec<Hours>,
}

/// A tenant's business calendar. It has working time in every week without special days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub(crate) struct Calendar {
    zone_name: String,
    zone: TimeZone,
    /// Monday first.
    week: [Vec<Hours>; 7],
    special: BTreeMap<Date, SpecialDay>,
}

impl Calendar {
    /// Version 0 of every tenant: Shanghai, Monday to Friday 09:00–12:00 and 13:00–18:00. Clocks of the past go by it:
    /// it never changes.
    pub(crate) fn built_in() -> Self {
        let hours = |start: &str, end: &str| HoursDraft {
            start: start.to_owned(),
            end: end.to_owned(),
        };
        let day = |day| DayDraft {
            day,
            hours: vec![hours("09:00", "12:00"), hours("13:00", "18:00")],
        };
        let draft = Draft {
            time_zone: "Asia/Shanghai".to_owned(),
            weekly_hours: (1..=5).map(day).collect(),
            special_days: vec![],
        };
        #[expect(clippy::expect_used, reason = "a constant draft, which the tests build")]
        Self::try_from(draft).expect("the built-in calendar has no problem")
    }

    /// Its time zone.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// IANA name of its time zone.
    pub(crate) fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The earliest moment at which `working` time has passed since `from`; `from` itself for none. The inverse of
    /// [`Self::working_between`].
    ///
    /// # Errors
    /// Where it lies beyond [`HORIZON`].
    pub(crate) fn add_working(&self, from: Timestamp, working: SignedDuration) -> Result<Timestamp, CalendarError> {
        if working.is_positive() {
            self.add_working_until(from, working, horizon(from)?)
        } else {
            Ok(from)
        }
    }

    /// As [`Self::add_working`], with an end of its own in place of the horizon.
    ///
    /// # Errors
    /// Where it lies beyond `end`.
    pub(crate) fn add_working_until(
        &self,
        from: Timestamp,
        working: SignedDuration,
        end: Timestamp,
    ) -> Result<Timestamp, CalendarError> {
        if !working.is_positive() {
            return Ok(from);
        }
        let mut left = working;
        for stretch in self.working(from) {
            if stretch.from >= end {
                break;
            }
            let length = stretch.length();
            if length >= left {
                return stretch
                    .from
                    .checked_add(left)
                    .ok()
                    .filter(|due| *due <= end)
                    .ok_or(CalendarError::OutOfReach);
            }
            left -= length;
        }
        Err(CalendarError::OutOfReach)
    }

    /// The working time between two moments; none where `to` is not after `from`.
    pub(crate) fn working_between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let stretches = self.working(from).take_while(|stretch| stretch.from < to);
        stretches.fold(SignedDuration::ZERO, |sum, stretch| {
            sum.saturating_add(stretch.from.duration_until(stretch.to.min(to)))
        })
    }

    /// The end of work on the `n`-th working day, from 1, after the day of `from`, which itself does not count.
    ///
    /// # Errors
    /// Where it lies beyond [`HORIZON`].
    pub(crate) fn nth_working_day_end(&self, from: Timestamp, n: u32) -> Result<Timestamp, CalendarError> {
        let end = horizon(from)?;
        let (mut day, mut days) = (self.zone.to_datetime(from).date(), 0);
        let mut due = Err(CalendarError::OutOfReach);
        for stretch in self.working(from).take_while(|stretch| stretch.from < end) {
            if stretch.date > day {
                (day, days) = (stretch.date, days + 1);
            }
            match days.cmp(&n) {
                Ordering::Less => {}
                Ordering::Equal => due = Ok(stretch.to),
                Ordering::Greater => break,
            }
        }
        due
    }

    /// The working time of a usual day: what most days of the week that have any have; among equally many the most.
    pub(crate) fn usual_day(&self) -> SignedDuration {
        let mut found: BTreeMap<i64, u32> = BTreeMap::new();
        for day in self.week.iter().filter(|day| !day.is_empty()) {
            *found
                .entry(day.iter().map(|hours| i64::from(hours.to - hours.from)).sum())
                .or_default() += 1;
        }
        let minutes = found
            .into_iter()
            .max_by_key(|(minutes, days)| (*days, *minutes))
            .map_or(0, |(minutes, _)| minutes);
        SignedDuration::from_mins(minutes)
    }

    /// What a stretch without working time is: the holidays in it, or simply not working time.
    pub(crate) fn idle_note(&self, from: Timestamp, to: Timestamp) -> String {
        let dates = self.zone.to_datetime(from).date()..=self.zone.to_datetime(to).date();
        let mut names: Vec<&str> = Vec::new();
        if dates.start() <= dates.end() {
            for day in self.special.range(dates).map(|(_, day)| day) {
                let name = day.display_name.as_str();
                if day.hours.is_empty() && !name.is_empty() && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if names.is_empty() {
            "not working time".to_owned()
        } else {
            names.join("、")
        }
    }

    fn hours(&self, date: Date) -> &[Hours] {
        match self.special.get(&date) {
            Some(day) => &day.hours,
            None => &self.week[weekday_index(date.weekday())],
        }
    }
}

fn weekday_index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()
}

/// [`HORIZON`] after a moment.
///
/// # Errors
/// Where time ends before.
pub(crate) fn horizon(from: Timestamp) -> Result<Timestamp, CalendarError> {
    from.checked_add(HORIZON).map_err(|_| CalendarError::OutOfReach)
}
