//! SLA policies, clocks and explanations on the wire.

use huiyin_chassis::{
    Refusal, Tenant,
    server::Language,
    shelf::{Edition, Title},
    sql,
};
use huiyin_proto::{
    event::v1 as event,
    scheduler::v1::{self, SlaClockAction, SlaClockState, SlaMilestone},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    domain::{
        self, Clock, ClockDefinition, EntryKind, Explanation, Milestone, Policy, Rule, Run, Segment, State,
        StateCategory, Target, TimeBasis, WorkingDayRule,
    },
    sentence,
    service::{Answer, Question},
};
use crate::{
    calendar::domain::{Calendar, CalendarError},
    condition::convert::{from_proto, to_proto},
};

/// The longest target, 366 days, in microseconds.
const MAX_TARGET: i64 = 366 * 24 * 3600 * 1_000_000;

/// A policy as a caller sends it; its output-only fields are ignored.
///
/// # Errors
/// FIELDS_INVALID with every entry that does not fit, below `field`.
pub(crate) fn new_edition(policy: v1::SlaPolicy, field: &str) -> Result<(Title, Policy), Refusal> {
    let title = Title {
        display_name: policy.display_name,
        change_reason: policy.change_reason,
    };
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    for (index, rule) in policy.rules.into_iter().enumerate() {
        let target = target_from_proto(rule.target.as_ref()).unwrap_or_else(|(at, what)| {
            problems.push((format!("rules[{index}].target{at}"), what.to_owned()));
            Target::WorkingDays(1, WorkingDayRule::EndOfNthDay)
        });
        let condition = from_proto(rule.condition);
        rules.push(Rule {
            key: rule.key,
            condition,
            clock: rule.clock,
            target,
            warn_percent: rule.warn_percent,
        });
    }
    let policy = Policy {
        clocks: policy.clocks.into_iter().map(definition).collect(),
        rules,
    };
    problems.extend(policy.problems());
    if problems.is_empty() {
        return Ok((title, policy));
    }
    Err(Refusal::invalid(
        problems
            .into_iter()
            .map(|(at, what)| (format!("{field}.{at}"), what))
            .collect(),
    ))
}

fn definition(clock: v1::SlaClockDefinition) -> ClockDefinition {
    ClockDefinition {
        start_in: clock.start_in().filter_map(category).collect(),
        pause_in: clock.pause_in().filter_map(category).collect(),
        stop_in: clock.stop_in().filter_map(category).collect(),
        stop_on: clock.stop_on().filter_map(milestone).collect(),
        every_episode: clock.every_episode,
        key: clock.key,
        display_name: clock.display_name,
    }
}

fn category(category: event::StateCategory) -> Option<StateCategory> {
    StateCategory::ALL
        .into_iter()
        .find(|found| category_to_proto(*found) == category)
}

fn category_to_proto(category: StateCategory) -> event::StateCategory {
    match category {
        StateCategory::New => event::StateCategory::New,
        StateCategory::Active => event::StateCategory::Active,
        StateCategory::Waiting => event::StateCategory::Waiting,
        StateCategory::Verifying => event::StateCategory::Verifying,
        StateCategory::Resolved => event::StateCategory::Resolved,
        StateCategory::Closed => event::StateCategory::Closed,
        StateCategory::Rejected => event::StateCategory::Rejected,
    }
}

fn milestone(milestone: SlaMilestone) -> Option<Milestone> {
    match milestone {
        SlaMilestone::Unspecified => None,
        SlaMilestone::Acknowledged => Some(Milestone::Acknowledged),
        SlaMilestone::Assigned => Some(Milestone::Assigned),
        SlaMilestone::CustomerInformed => Some(Milestone::CustomerInformed),
    }
}

fn milestone_to_proto(milestone: Milestone) -> SlaMilestone {
    match milestone {
        Milestone::Acknowledged => SlaMilestone::Acknowledged,
        Milestone::Assigned => SlaMilestone::Assigned,
        Milestone::CustomerInformed => SlaMilestone::CustomerInformed,
    }
}

/// A target as a caller sends it, to the microsecond, or what is wrong below it.
pub(crate) fn target_from_proto(target: Option<&v1::SlaTarget>) -> Result<Target, (&'static str, &'static str)> {
    match target.map(|target| (&target.elapsed, &target.working_days)) {
        Some((Some(elapsed), None)) => {
            let basis = match elapsed.basis() {
                v1::TimeBasis::Calendar => TimeBasis::Calendar,
                v1::TimeBasis::Business => TimeBasis::Business,
                v1::TimeBasis::Unspecified => return Err((".elapsed.basis", "must be CALENDAR or BUSINESS")),
            };
            let duration = elapsed.duration.unwrap_or_default();
            let micros = duration
                .seconds
                .saturating_mul(1_000_000)
                .saturating_add((i64::from(duration.nanos) + 999).div_euclid(1000));
            if (1..=MAX_TARGET).contains(&micros) {
                Ok(Target::Elapsed(SignedDuration::from_micros(micros), basis))
            } else {
                Err((".elapsed.duration", "must be more than 0 and at most 366 days"))
            }
        }
        Some((None, Some(days))) => {
            let rule = match days.rule() {
                v1::WorkingDayRule::ElapsedBusinessTime => WorkingDayRule::ElapsedBusinessTime,
                v1::WorkingDayRule::Unspecified | v1::WorkingDayRule::EndOfNthDay => WorkingDayRule::EndOfNthDay,
            };
            let number = u32::try_from(days.days).ok().filter(|days| (1..=366).contains(days));
            number
                .map(|days| Target::WorkingDays(days, rule))
                .ok_or((".working_days.days", "must be 1 to 366"))
        }
        _ => Err(("", "must be either a stretch of time or working days")),
    }
}

fn target_to_proto(target: Target) -> v1::SlaTarget {
    match target {
        Target::Elapsed(duration, basis) => {
            let basis = match basis {
                TimeBasis::Calendar => v1::TimeBasis::Calendar,
                TimeBasis::Business => v1::TimeBasis::Business,
            };
            v1::SlaTarget {
                elapsed: Some(v1::Elapsed {
                    duration: Some(duration_to_proto(duration)),
                    basis: basis.into(),
                }),
                working_days: None,
            }
        }
        Target::WorkingDays(days, rule) => {
            let rule = match rule {
                WorkingDayRule::ElapsedBusinessTime => v1::WorkingDayRule::ElapsedBusinessTime,
                WorkingDayRule::EndOfNthDay => v1::WorkingDayRule::EndOfNthDay,
            };
            let days = i32::try_from(days).unwrap_or(i32::MAX);
            v1::SlaTarget {
                elapsed: None,
                working_days: Some(v1::WorkingDays {
                    days,
                    rule: rule.into(),
                }),
            }
        }
    }
}

fn duration_to_proto(duration: SignedDuration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: duration.as_secs(),
        nanos: duration.subsec_nanos(),
    }
}

/// A version for the wire.
pub(crate) fn edition(tenant: &Tenant, edition: &Edition<Policy>) -> v1::SlaPolicy {
    let clocks = edition.content.clocks.iter().map(|clock| {
        let categories = |list: &[StateCategory]| {
            list.iter()
                .map(|category| category_to_proto(*category).into())
                .collect()
        };
        v1::SlaClockDefinition {
            key: clock.key.clone(),
            display_name: clock.display_name.clone(),
            start_in: categories(&clock.start_in),
            pause_in: categories(&clock.pause_in),
            stop_in: categories(&clock.stop_in),
            stop_on: clock
                .stop_on
                .iter()
                .map(|milestone| milestone_to_proto(*milestone).into())
                .collect(),
            every_episode: clock.every_episode,
        }
    });
    let rules = edition.content.rules.iter().map(|rule| v1::SlaRule {
        key: rule.key.clone(),
        condition: to_proto(&rule.condition),
        clock: rule.clock.clone(),
        target: Some(target_to_proto(rule.target)),
        warn_percent: rule.warn_percent,
    });
    v1::SlaPolicy {
        name: edition.name(tenant),
        version: edition.version,
        display_name: edition.title.display_name.clone(),
        change_reason: edition.title.change_reason.clone(),
        clocks: clocks.collect(),
        rules: rules.collect(),
        active: edition.active,
        author: edition.author.clone(),
        etag: edition.revision.to_string(),
        create_time: edition.create_time.map(sql::to_proto),
        activate_time: edition.activate_time.map(sql::to_proto),
    }
}

/// A clock as it stands at `now`, with the marks that it got. A deadline out of the calendar's reach is left out.
pub(crate) fn clock(
    clock: &Clock,
    calendar: &Calendar,
    work_order: &str,
    marks: Vec<v1::SlaClockMark>,
    now: Timestamp,
) -> v1::SlaClock {
    let state = match domain::state(clock) {
        State::Pending => SlaClockState::Pending,
        State::Running => SlaClockState::Running,
        State::Paused => SlaClockState::Paused,
        State::Stopped => SlaClockState::Stopped,
    };
    let shown = |time: Result<Option<Timestamp>, CalendarError>| time.ok().flatten().map(sql::to_proto);
    v1::SlaClock {
        name: format!("{work_order}/slaClocks/{}", clock.key),
        key: clock.key.clone(),
        state: state.into(),
        target: clock.terms.target.map(target_to_proto),
        start_time: clock.start_time().map(sql::to_proto),
        warn_time: if state == SlaClockState::Running {
            shown(domain::warn_time(clock, calendar))
        } else {
            None
        },
        due_time: shown(domain::due(clock, calendar, now)),
        stop_time: clock.stop_time().map(sql::to_proto),
        marks,
        rule: clock.terms.rule.clone(),
        policy_version: clock.terms.versions.policy,
        calendar_version: clock.terms.versions.calendar,
    }
}

/// Why a clock is due when it is; `shown` is the same clock from [`clock`].
///
/// # Errors
/// DEADLINE_OUT_OF_REACH where the calendar has too little working time.
pub(crate) fn explanation(
    clock: &Clock,
    shown: v1::SlaClock,
    calendar: &Calendar,
    now: Timestamp,
    language: Language,
) -> Result<v1::DeadlineExplanation, Refusal> {
    let explained = domain::explain(clock, calendar, now)?;
    let sentence = sentence::of_clock(clock, explained.as_ref(), calendar, language);
    Ok(v1::DeadlineExplanation {
        clock: Some(shown),
        episode: clock.episode,
        log: clock.log.iter().map(entry).collect(),
        segments: explained.map(segments).unwrap_or_default(),
        sentence,
    })
}

fn entry(entry: &domain::Entry) -> v1::SlaClockLogEntry {
    let action = match entry.kind {
        EntryKind::Start => SlaClockAction::Start,
        EntryKind::Pause => SlaClockAction::Pause,
        EntryKind::Resume => SlaClockAction::Resume,
        EntryKind::Stop => SlaClockAction::Stop,
        EntryKind::Retarget => SlaClockAction::Retarget,
    };
    let terms = entry.terms.as_ref();
    v1::SlaClockLogEntry {
        action: action.into(),
        action_time: Some(sql::to_proto(entry.at)),
        actor: entry.actor.clone(),
        cause: entry.cause.clone(),
        target: terms.and_then(|terms| terms.target).map(target_to_proto),
        rule: terms.map(|terms| terms.rule.clone()).unwrap_or_default(),
        policy_version: terms.map_or(0, |terms| terms.versions.policy),
        calendar_version: terms.map_or(0, |terms| terms.versions.calendar),
    }
}

/// The way to a deadline for the wire.
pub(crate) fn segments(explanation: Explanation) -> Vec<v1::DeadlineSegment> {
    let segment = |Segment { from, to, counted, why }| v1::DeadlineSegment {
        start_time: Some(sql::to_proto(from)),
        end_time: Some(sql::to_proto(to)),
        counted: Some(duration_to_proto(counted)),
        note: why,
    };
    explanation.segments.into_iter().map(segment).collect()
}

/// Pauses are walked day by day: millennia of them would hold up whoever else asks.
const LONGEST: SignedDuration = SignedDuration::from_hours(36_525 * 24);

/// A deadline to work out, as a caller sends it.
///
/// # Errors
/// FIELDS_INVALID for times that are none, and for pauses out of order or too far away.
pub(super) fn question(request: &v1::ComputeDeadlineRequest) -> Result<Question, Refusal> {
    let mut problems = Vec::new();
    let mut time =
        |time: Option<&prost_types::Timestamp>, field: &dyn Fn() -> String, not_before: Option<Timestamp>| {
            let read = sql::from_proto(time);
            match (read, not_before) {
                (None, _) => problems.push((field(), "must be a moment of the years 1 to 9999".to_owned())),
                (Some(read), Some(not_before)) if read < not_before => {
                    problems.push((field(), format!("must not be before {not_before}")))
                }
                _ => {}
            }
            read
        };
    let mut last = time(request.start_time.as_ref(), &|| "start_time".to_owned(), None);
    let mut runs: Vec<Run> = last.iter().map(|from| Run { from: *from, to: None }).collect();
    for (index, pause) in request.pauses.iter().enumerate() {
        let from = time(
            pause.start_time.as_ref(),
            &|| format!("pauses[{index}].start_time"),
            last,
        );
        let to = time(pause.end_time.as_ref(), &|| format!("pauses[{index}].end_time"), from);
        if let (Some(from), Some(to), Some(run)) = (from, to, runs.last_mut()) {
            run.to = Some(from);
            runs.push(Run { from: to, to: None });
        }
        last = to.or(last);
    }
    let start = runs.first().map(|run| run.from);
    if start
        .zip(last)
        .is_some_and(|(start, last)| start.duration_until(last) > LONGEST)
    {
        problems.push((
            "pauses".to_owned(),
            "must end within a hundred years of the start".to_owned(),
        ));
    }
    let target = target_from_proto(request.target.as_ref())
        .map_err(|(at, what)| problems.push((format!("target{at}"), what.to_owned())));
    match target {
        Ok(target) if problems.is_empty() => Ok(Question {
            runs,
            target,
            warn_percent: request.warn_percent,
        }),
        _ => Err(Refusal::invalid(problems)),
    }
}

/// A deadline that was worked out, for the wire.
pub(super) fn answer(question: &Question, answer: Answer, language: Language) -> v1::ComputeDeadlineResponse {
    let Answer {
        explanation,
        calendar,
        calendar_version,
    } = answer;
    v1::ComputeDeadlineResponse {
        due_time: Some(sql::to_proto(explanation.due)),
        warn_time: explanation.warn.map(sql::to_proto),
        calendar_version,
        sentence: sentence::of_target(&explanation, question.target, &calendar, language),
        segments: segments(explanation),
    }
}
