//! From a clock's log to its deadline.
//!
//! Every target comes down to an amount of time on one basis ([`Budget`]), and the deadline is the moment at which the
//! clock has run for that amount: what it ran before a pause is used up, what it stood still is not. N working days to
//! the end of the last are the working time from the start to that end, so a pause moves that deadline on by the
//! working time that was paused.

use jiff::{SignedDuration, Timestamp};

use super::{
    clock::{Clock, EntryKind, State, state},
    policy::{Target, TimeBasis, WorkingDayRule},
};
use crate::calendar::domain::{Calendar, CalendarError, HORIZON, horizon};

/// Time during which a clock ran; without an end: from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its begin.
    pub(crate) from: Timestamp,
    /// Its end, not before the begin.
    pub(crate) to: Option<Timestamp>,
}

/// How long a clock may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// So long.
    pub(super) amount: SignedDuration,
    /// In this time.
    pub(super) basis: TimeBasis,
}

impl Budget {
    /// What a target allows a clock that started then.
    pub(super) fn of(target: Target, start: Timestamp, calendar: &Calendar) -> Result<Self, CalendarError> {
        Ok(match target {
            Target::Elapsed(amount, basis) => Self { amount, basis },
            Target::WorkingDays(days, WorkingDayRule::ElapsedBusinessTime) => {
                let days = i32::try_from(days).map_err(|_| CalendarError::OutOfReach)?;
                let amount = calendar
                    .usual_day()
                    .checked_mul(days)
                    .ok_or(CalendarError::OutOfReach)?;
                Self {
                    amount,
                    basis: TimeBasis::Business,
                }
            }
            Target::WorkingDays(days, WorkingDayRule::EndOfNthDay) => {
                let end = calendar.nth_working_day_end(start, days)?;
                Self {
                    amount: calendar.working_between(start, end),
                    basis: TimeBasis::Business,
                }
            }
        })
    }

    /// A part of it, in percent, to the microsecond.
    pub(super) fn part(self, percent: i32) -> Self {
        let micros = self.amount.as_micros() * i128::from(percent) / 100;
        Self {
            amount: SignedDuration::from_micros_i128(micros),
            ..self
        }
    }

    /// When it is used up.
    pub(super) fn used_up(self, runs: &[Run], calendar: &Calendar) -> Result<Timestamp, CalendarError> {
        let mut runs = runs.iter();
        let mut run = runs.next().ok_or(CalendarError::OutOfReach)?;
        let mut due = self.after(run.from, self.amount, calendar)?;
        while let Some(paused) = run.to.filter(|to| due > *to) {
            run = runs.next().ok_or(CalendarError::OutOfReach)?;
            due = if self.basis == TimeBasis::Business && run.from < due {
                // What lies between here and there counts still: only the pause is walked, and as far beyond. Reckoned from each
                // run anew, a thousand short pauses would walk the way to the deadline a thousand times.
                let missed = calendar.working_between(paused, run.from);
                calendar.add_working_until(due, missed, horizon(run.from)?)?
            } else {
                self.after(run.from, self.counted(paused, due, calendar), calendar)?
            };
        }
        Ok(due)
    }

    /// When so much of its time has passed since `from`.
    fn after(self, from: Timestamp, amount: SignedDuration, calendar: &Calendar) -> Result<Timestamp, CalendarError> {
        match self.basis {
            TimeBasis::Business => calendar.add_working(from, amount),
            TimeBasis::Calendar if amount <= HORIZON => from.checked_add(amount).map_err(|_| CalendarError::OutOfReach),
            TimeBasis::Calendar => Err(CalendarError::OutOfReach),
        }
    }

    /// What of a time counts.
    pub(super) fn counted(self, from: Timestamp, to: Timestamp, calendar: &Calendar) -> SignedDuration {
        match self.basis {
            TimeBasis::Business => calendar.working_between(from, to),
            TimeBasis::Calendar => from.duration_until(to),
        }
    }
}

impl Clock {
    /// When it ran. Where it stands still or has stopped, it is taken to run on: from `now`, or from where it stopped.
    pub(super) fn runs(&self, now: Timestamp) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut paused = None;
        for entry in &self.log {
            match entry.kind {
                EntryKind::Start => runs.push(Run {
                    from: entry.at,
                    to: None,
                }),
                EntryKind::Pause => {
                    if let Some(run) = runs.last_mut() {
                        run.to = Some(entry.at);
                    }
                    paused = Some(entry.at);
                }
                EntryKind::Resume => {
                    runs.push(Run {
                        from: entry.at,
                        to: None,
                    });
                    paused = None;
                }
                EntryKind::Stop if paused.take().is_some() => runs.push(Run {
                    from: entry.at,
                    to: None,
                }),
                EntryKind::Stop | EntryKind::Retarget => {}
            }
        }
        if let Some(since) = paused {
            runs.push(Run {
                from: now.max(since),
                to: None,
            });
        }
        runs
    }

    pub(super) fn budget(&self, calendar: &Calendar) -> Result<Option<Budget>, CalendarError> {
        match (self.terms.target, self.start_time()) {
            (Some(target), Some(start)) => Budget::of(target, start, calendar).map(Some),
            _ => Ok(None),
        }
    }

    /// When a part of the target is used up; while it stands still: as if it went on now.
    fn reaches(&self, percent: i32, calendar: &Calendar, now: Timestamp) -> Result<Option<Timestamp>, CalendarError> {
        let Some(budget) = self.budget(calendar)? else {
            return Ok(None);
        };
        budget.part(percent).used_up(&self.runs(now), calendar).map(Some)
    }

    /// As [`Self::reaches`], where that needs no further happening: not while it stands still before it, nor once it
    /// stopped.
    fn will_reach(&self, percent: i32, calendar: &Calendar) -> Result<Option<Timestamp>, CalendarError> {
        let reached = match state(self) {
            State::Pending | State::Stopped => return Ok(None),
            State::Running => self.reaches(percent, calendar, Timestamp::MIN),
            // Out of reach may mean that the last run, taken to begin with the pause, never gets there: then it is no
            // matter now.
            State::Paused => self.reaches(percent, calendar, Timestamp::MIN).or(Ok(None)),
        }?;
        let paused = self
            .log
            .iter()
            .rev()
            .find(|entry| entry.kind != EntryKind::Retarget)
            .filter(|entry| entry.kind == EntryKind::Pause);
        Ok(reached.filter(|reached| paused.is_none_or(|pause| *reached <= pause.at)))
    }
}

/// When a clock is due: what a timer should be set to. `None` before it starts, while it stands still and once it has
/// stopped. Where the deadline had passed before it stood still, it is still that deadline: a late timer must not miss
/// it.
///
/// # Errors
/// Where the calendar has too little working time.
pub(crate) fn deadline(clock: &Clock, calendar: &Calendar) -> Result<Option<Timestamp>, CalendarError> {
    clock.will_reach(100, calendar)
}

/// When a clock warns, as [`deadline`]; `None` also where its rule has no warning.
///
/// # Errors
/// Where the calendar has too little working time.
pub(crate) fn warn_time(clock: &Clock, calendar: &Calendar) -> Result<Option<Timestamp>, CalendarError> {
    if clock.terms.warn_percent == 0 {
        Ok(None)
    } else {
        clock.will_reach(clock.terms.warn_percent, calendar)
    }
}

/// The deadline to show: while the clock stands still, as if it went on now; once it has stopped, the one that was in
/// force. `None` before it starts, and where no rule gives the work order this clock.
///
/// # Errors
/// Where the calendar has too little working time.
pub(crate) fn due(clock: &Clock, calendar: &Calendar, now: Timestamp) -> Result<Option<Timestamp>, CalendarError> {
    clock.reaches(100, calendar, now)
}

/// How a clock that stopped did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It stopped within its time; at the deadline itself is within.
    Met {
        /// The deadline.
        due: Timestamp,
    },
    /// It stopped after its time.
    StoppedLate {
        /// The deadline.
        due: Timestamp,
    },
}

/// How a clock that stopped did; `None` where it has not, never began, or had no target.
///
/// # Errors
/// Where the calendar has too little working time.
pub(crate) fn outcome(clock: &Clock, calendar: &Calendar) -> Result<Option<Outcome>, CalendarError> {
    let Some(stop) = clock.stop_time() else { return Ok(None) };
    let due = due(clock, calendar, stop)?;
    Ok(due.map(|due| {
        if stop <= due {
            Outcome::Met { due }
        } else {
            Outcome::StoppedLate { due }
        }
    }))
}
