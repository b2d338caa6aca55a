//! The rules of deadlines: a [`Policy`] says which clocks a work order has and how long they may run, a [`Clock`] is
//! the log of what happened to one, and its deadline is a pure function of that log, its terms and a calendar
//! (docs/architecture.md).

mod clock;
mod explanation;
mod policy;
mod reckoning;
#[cfg(test)]
mod tests;

pub(crate) use clock::{
    Change, Clock, Entry, EntryKind, Happening, Moment, Opening, State, Terms, Versions, apply, open_clocks, retarget,
    state,
};
pub(crate) use explanation::{Explanation, Segment, explain, explain_runs};
pub(crate) use policy::{ClockDefinition, Milestone, Policy, Rule, StateCategory, Target, TimeBasis, WorkingDayRule};
pub(crate) use reckoning::{Outcome, Run, deadline, due, outcome, warn_time};

pub(crate) use crate::condition::Facts;
