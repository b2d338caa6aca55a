//! Calendars on the wire.

use huiyin_chassis::{
    Refusal, Tenant,
    shelf::{Edition, Title},
    sql,
};
use huiyin_proto::scheduler::v1;

use super::domain::{Calendar, DayDraft, Draft, HoursDraft, Problems, SpecialDraft};

/// A calendar as a caller sends it; its output-only fields are ignored.
///
/// # Errors
/// FIELDS_INVALID with every entry that does not fit, below `field`.
pub(crate) fn new_edition(calendar: v1::Calendar, field: &str) -> Result<(Title, Calendar), Refusal> {
    let title = Title {
        display_name: calendar.display_name,
        change_reason: calendar.change_reason,
    };
    let weekly = calendar.weekly_hours.into_iter().map(|day| DayDraft {
        day: day.day,
        hours: hours(day.hours),
    });
    let special = calendar.special_days.into_iter().map(|day| SpecialDraft {
        date: day.date,
        display_name: day.display_name,
        hours: hours(day.hours),
    });
    let draft = Draft {
        time_zone: calendar.time_zone,
        weekly_hours: weekly.collect(),
        special_days: special.collect(),
    };
    match Calendar::try_from(draft) {
        Ok(calendar) => Ok((title, calendar)),
        Err(Problems(problems)) => Err(Refusal::invalid(
            problems
                .into_iter()
                .map(|(at, what)| (format!("{field}.{at}"), what))
                .collect(),
        )),
    }
}

fn hours(hours: Vec<v1::WorkingHours>) -> Vec<HoursDraft> {
    hours
        .into_iter()
        .map(|v1::WorkingHours { start, end }| HoursDraft { start, end })
        .collect()
}

fn hours_to_proto(hours: Vec<HoursDraft>) -> Vec<v1::WorkingHours> {
    hours
        .into_iter()
        .map(|HoursDraft { start, end }| v1::WorkingHours { start, end })
        .collect()
}

/// A version for the wire.
pub(crate) fn edition(tenant: &Tenant, edition: &Edition<Calendar>) -> v1::Calendar {
    let Draft {
        time_zone,
        weekly_hours,
        special_days,
    } = edition.content.clone().into();
    let special = special_days.into_iter().map(|day| v1::SpecialDay {
        date: day.date,
        display_name: day.display_name,
        hours: hours_to_proto(day.hours),
    });
    v1::Calendar {
        name: edition.name(tenant),
        version: edition.version,
        display_name: edition.title.display_name.clone(),
        change_reason: edition.title.change_reason.clone(),
        time_zone,
        weekly_hours: weekly_hours
            .into_iter()
            .map(|day| v1::WeeklyHours {
                day: day.day,
                hours: hours_to_proto(day.hours),
            })
            .collect(),
        special_days: special.collect(),
        active: edition.active,
        author: edition.author.clone(),
        etag: edition.revision.to_string(),
        create_time: edition.create_time.map(sql::to_proto),
        activate_time: edition.activate_time.map(sql::to_proto),
    }
}
