//! Why a clock is due when it is: every stretch of time from its start to its deadline, and what of it counted.

use jiff::{SignedDuration, Timestamp};

use super::{
    clock::Clock,
    policy::{Target, TimeBasis},
    reckoning::{Budget, Run},
};
use crate::calendar::domain::{Calendar, CalendarError};

/// At most this many segments are given.
const MAX_SEGMENTS: usize = 1000;

/// A stretch of time on the way to the deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its begin.
    pub(crate) from: Timestamp,
    /// Its end, after the begin.
    pub(crate) to: Timestamp,
    /// What of it counts towards the target.
    pub(crate) counted: SignedDuration,
    /// What it is.
    pub(crate) why: String,
}

/// Why something is due when it is: a deadline with the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// When the clock started.
    pub(crate) start: Timestamp,
    /// When it is due.
    pub(crate) due: Timestamp,
    /// When it warns; `None` without a warning.
    pub(crate) warn: Option<Timestamp>,
    /// From start to deadline without a hole, the first thousand.
    pub(crate) segments: Vec<Segment>,
    /// How long it stands still on the way.
    pub(crate) paused: SignedDuration,
}

/// Explains a clock: while it stands still, as if it went on now; once it has stopped, as if it had run on. `None`
/// before it starts, and where no rule gives the work order this clock.
///
/// # Errors
/// Where the calendar has too little working time.
pub(crate) fn explain(
    clock: &Clock,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Option<Explanation>, CalendarError> {
    let Some(target) = clock.terms.target else {
        return Ok(None);
    };
    explain_runs(&clock.runs(now), target, clock.terms.warn_percent, calendar)
}

/// Explains when something is due that ran like this; `None` where it never began. The last run has no end.
///
/// # Errors
/// Where the calendar has too little working time.
pub(crate) fn explain_runs(
    runs: &[Run],
    target: Target,
    warn_percent: i32,
    calendar: &Calendar,
) -> Result<Option<Explanation>, CalendarError> {
    let Some(first) = runs.first() else { return Ok(None) };
    let budget = Budget::of(target, first.from, calendar)?;
    let due = budget.used_up(runs, calendar)?;
    let warn = if warn_percent == 0 {
        None
    } else {
        Some(budget.part(warn_percent).used_up(runs, calendar)?)
    };
    let mut way = Way {
        calendar,
        segments: Vec::new(),
        paused: SignedDuration::ZERO,
    };
    let mut at = first.from;
    for run in runs.iter().take_while(|run| run.from < due) {
        way.pause(at, run.from);
        at = run.to.unwrap_or(due).min(due);
        way.run(run.from, at, budget.basis);
    }
    Ok(Some(Explanation {
        start: first.from,
        due,
        warn,
        segments: way.segments,
        paused: way.paused,
    }))
}

/// The way to a deadline, as far as it has been written down.
struct Way<'c> {
    calendar: &'c Calendar,
    segments: Vec<Segment>,
    paused: SignedDuration,
}

impl Way<'_> {
    fn push(&mut self, from: Timestamp, to: Timestamp, counted: SignedDuration, why: impl FnOnce() -> String) {
        if from < to && self.segments.len() < MAX_SEGMENTS {
            self.segments.push(Segment {
                from,
                to,
                counted,
                why: why(),
            });
        }
    }

    fn pause(&mut self, from: Timestamp, to: Timestamp) {
        self.paused = self.paused.saturating_add(from.duration_until(to));
        self.push(from, to, SignedDuration::ZERO, || "paused".to_owned());
    }

    fn run(&mut self, from: Timestamp, to: Timestamp, basis: TimeBasis) {
        if basis == TimeBasis::Calendar {
            return self.push(from, to, from.duration_until(to), || "calendar time".to_owned());
        }
        let calendar = self.calendar;
        let idle = |from, to| move || calendar.idle_note(from, to);
        let mut at = from;
        for stretch in calendar.working(from).take_while(|stretch| stretch.from < to) {
            if self.segments.len() >= MAX_SEGMENTS {
                return;
            }
            let end = stretch.to.min(to);
            self.push(at, stretch.from, SignedDuration::ZERO, idle(at, stretch.from));
            self.push(stretch.from, end, stretch.from.duration_until(end), || {
                "working time".to_owned()
            });
            at = end;
        }
        self.push(at, to, SignedDuration::ZERO, idle(at, to));
    }
}
