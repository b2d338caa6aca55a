//! What one fact adds to the totals that the audit reads.

use crate::fact::{change::Mark, domain::Fact};

/// What is counted over all time. The clock is empty where the kind has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Total {
    pub(crate) kind: Kind,
    pub(crate) clock: String,
}

/// The kinds of totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Feedbacks,
    /// Of them, those that say what another one says.
    Merged,
    Classified,
    WorkOrders,
    ResolvedEpisodes,
    Reopened,
    Invitations,
    Answers,
    MessagesDelivered,
    MessagesDead,
    ClockWarned,
    ClockBreached,
    ClockMet,
    ClockStoppedLate,
}

impl Kind {
    /// As it is stored.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Feedbacks => "feedbacks",
            Self::Merged => "merged",
            Self::Classified => "classified",
            Self::WorkOrders => "work_orders",
            Self::ResolvedEpisodes => "resolved_episodes",
            Self::Reopened => "reopened",
            Self::Invitations => "invitations",
            Self::Answers => "answers",
            Self::MessagesDelivered => "messages_delivered",
            Self::MessagesDead => "messages_dead",
            Self::ClockWarned => "clock_warned",
            Self::ClockBreached => "clock_breached",
            Self::ClockMet => "clock_met",
            Self::ClockStoppedLate => "clock_stopped_late",
        }
    }

    /// The total without a clock.
    pub(crate) const fn alone(self) -> Total {
        Total {
            kind: self,
            clock: String::new(),
        }
    }
}

/// Everything that a fact adds. Messages are not among it: some belong to no feedback, and they are counted one by one.
pub(crate) fn of(fact: &Fact) -> Vec<(Total, i64)> {
    let among = |holds: &dyn Fn(&crate::fact::domain::Episode) -> bool| {
        i64::try_from(fact.episodes.iter().filter(|episode| holds(episode)).count()).unwrap_or(i64::MAX)
    };
    let is_opened = fact.work_order.as_ref().is_some_and(|order| order.open_time.is_some());
    let mut found = vec![
        (Kind::Feedbacks.alone(), i64::from(fact.submission.is_some())),
        (
            Kind::Merged.alone(),
            i64::from(fact.merged && fact.submission.is_some()),
        ),
        (Kind::Classified.alone(), i64::from(fact.classification.is_some())),
        (Kind::WorkOrders.alone(), i64::from(is_opened)),
        (
            Kind::ResolvedEpisodes.alone(),
            among(&|episode| episode.resolve_time.is_some()),
        ),
        (Kind::Reopened.alone(), among(&|episode| episode.reopen_time.is_some())),
        (
            Kind::Invitations.alone(),
            among(&|episode| episode.invite_time.is_some()),
        ),
        (Kind::Answers.alone(), among(&|episode| episode.answer.is_some())),
    ];
    for clock in &fact.clocks {
        let stopped = clock.stop_time.is_some();
        for (kind, marked) in [
            (Kind::ClockWarned, clock.warn_time.is_some()),
            (Kind::ClockBreached, clock.breach_time.is_some()),
            (Kind::ClockMet, stopped && clock.mark == Some(Mark::Met)),
            (Kind::ClockStoppedLate, stopped && clock.mark == Some(Mark::StoppedLate)),
        ] {
            found.push((
                Total {
                    kind,
                    clock: clock.clock.clone(),
                },
                i64::from(marked),
            ));
        }
    }
    found
}
