//! What a work order is, and how one is told about.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use crate::sla::domain::StateCategory as State;
use crate::sla::domain::{Clock, Facts, Versions};

/// Who is said to have done what a rule or a timer did.
pub(crate) const SYSTEM: &str = "system";
/// The queue for what no rule places; a supervisor empties it by hand (003-31).
pub(crate) const FALLBACK: &str = "fallback";

/// The name of a state in the proto, without its prefix.
pub(crate) fn state_name(state: State) -> &'static str {
    match state {
        State::New => "NEW",
        State::Active => "ACTIVE",
        State::Waiting => "WAITING",
        State::Verifying => "VERIFYING",
        State::Resolved => "RESOLVED",
        State::Closed => "CLOSED",
        State::Rejected => "REJECTED",
    }
}

/// The number of a state in `huiyin.event.v1.StateCategory`.
pub(crate) fn state_number(state: State) -> i16 {
    match state {
        State::New => 1,
        State::Active => 2,
        State::Waiting => 3,
        State::Verifying => 4,
        State::Resolved => 5,
        State::Closed => 6,
        State::Rejected => 7,
    }
}

/// The state of a number.
pub(crate) fn state_of(number: i16) -> Option<State> {
    State::ALL.into_iter().find(|state| state_number(*state) == number)
}

/// How far the work has come (003-40); the numbers are those of `WorkOrderStage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Stage {
    /// Nothing was noted.
    #[default]
    None = 0,
    /// The customer was contacted (已联系客户).
    Contacted = 1,
    /// Looking into it from afar (远程排查中).
    RemoteCheck = 2,
    /// Somebody must go there (需现场维修).
    OnSite = 3,
    /// Research and development must confirm (待研发确认).
    WaitingRnd = 4,
}

impl Stage {
    /// The stage of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [
            Self::None,
            Self::Contacted,
            Self::RemoteCheck,
            Self::OnSite,
            Self::WaitingRnd,
        ]
        .into_iter()
        .find(|stage| *stage as i32 == number)
    }

    /// Its name in events; empty where nothing was noted.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Contacted => "CONTACTED",
            Self::RemoteCheck => "REMOTE_CHECK",
            Self::OnSite => "ON_SITE",
            Self::WaitingRnd => "WAITING_RND",
        }
    }
}

/// One level of the tenant's priorities (C-01): code compares ranks alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Priority {
    /// The tenant's own key.
    pub(crate) key: String,
    /// 0 is the most urgent.
    pub(crate) rank: i32,
}

/// What the room knows of the feedback; frozen when the work order is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Feedback {
    /// Resource name.
    pub(crate) name: String,
    /// Display number.
    pub(crate) number: String,
    /// Number of the channel.
    pub(crate) channel: i32,
    /// Resource name of the pseudonymous customer.
    pub(crate) customer: String,
    /// Number of the customer's tier.
    pub(crate) tier: i32,
    /// Product model.
    pub(crate) product_model: String,
    /// Batch.
    pub(crate) batch: String,
    /// When it happened.
    pub(crate) occur_time: Option<Timestamp>,
    /// When it reached us.
    pub(crate) receive_time: Option<Timestamp>,
    /// Language of the answer.
    pub(crate) language: String,
    /// True where the customer can be told the result.
    pub(crate) reachable: bool,
    /// The trace of the call by which it was taken in; empty where there was none.
    pub(crate) traceparent: String,
}

/// What the classifier says of a feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Classification {
    /// The feedback.
    pub(crate) feedback: Feedback,
    /// One more with every correction.
    pub(crate) revision: i32,
    /// Main category.
    pub(crate) category: String,
    /// Priority.
    pub(crate) priority: Priority,
    /// Skills that the category calls for.
    pub(crate) skills: Vec<String>,
    /// Why this priority.
    pub(crate) basis: String,
    /// First sentence of the masked text.
    pub(crate) excerpt: String,
}

/// The solution (处理结果, 003-50).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    /// Numbers of the measures (003-41).
    pub(crate) measures: Vec<i32>,
    /// In words for the customer.
    pub(crate) text: String,
    /// Parts that were replaced.
    pub(crate) replaced_parts: Vec<String>,
}

/// The handling of one feedback. Fields mean what they mean in the proto.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorkOrder {
    pub(crate) id: Uuid,
    pub(crate) number: String,
    pub(crate) feedback: Feedback,
    /// The highest revision of the classification that was seen.
    pub(crate) classification_revision: i32,
    pub(crate) category: String,
    pub(crate) priority: Priority,
    pub(crate) skills: Vec<String>,
    pub(crate) excerpt: String,
    pub(crate) state: State,
    /// Since when it is in this state.
    pub(crate) state_time: Timestamp,
    pub(crate) stage: Stage,
    pub(crate) state_reason: String,
    pub(crate) episode: i32,
    /// The last episode in which somebody acknowledged it; 0 for none.
    pub(crate) acknowledged_episode: i32,
    pub(crate) assignee: String,
    pub(crate) team: String,
    pub(crate) first_contact: String,
    pub(crate) assignment_count: i32,
    pub(crate) progress_count: i32,
    pub(crate) resolution_count: i32,
    pub(crate) reopen_count: i32,
    pub(crate) due_time: Option<Timestamp>,
    pub(crate) next_due_time: Option<Timestamp>,
    pub(crate) breached: bool,
    /// The versions that this episode goes by.
    pub(crate) versions: Versions,
    pub(crate) resolution: Option<Resolution>,
    pub(crate) promise_time: Option<Timestamp>,
    /// Working time over all episodes up to `state_time`, waiting left out.
    pub(crate) worked: SignedDuration,
    /// The same up to the last resolution.
    pub(crate) working_duration: Option<SignedDuration>,
    /// The earliest timer that is set.
    pub(crate) timer_time: Option<Timestamp>,
    /// How many timers were set so far.
    pub(crate) timer_count: i64,
    pub(crate) revision: i64,
    /// How many entries its history has.
    pub(crate) entry_count: i64,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
    pub(crate) acknowledge_time: Option<Timestamp>,
    pub(crate) first_response_time: Option<Timestamp>,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) resolve_time: Option<Timestamp>,
    pub(crate) close_time: Option<Timestamp>,
}

impl WorkOrder {
    /// One that is being opened: NEW, in nobody's hands. Its display number is its feedback's, `WO` for `FB`: one feedback has
    /// one work order, and a counter of its own would make all that open one wait for each other.
    pub(crate) fn opened(id: Uuid, classification: Classification, versions: Versions, now: Timestamp) -> Self {
        Self {
            id,
            number: format!("WO{}", classification.feedback.number.trim_start_matches("FB")),
            feedback: classification.feedback,
            classification_revision: classification.revision,
            category: classification.category,
            priority: classification.priority,
            skills: classification.skills,
            excerpt: classification.excerpt,
            state: State::New,
            state_time: now,
            stage: Stage::None,
            state_reason: String::new(),
            episode: 1,
            acknowledged_episode: 0,
            assignee: String::new(),
            team: FALLBACK.to_owned(),
            first_contact: String::new(),
            assignment_count: 0,
            progress_count: 0,
            resolution_count: 0,
            reopen_count: 0,
            due_time: None,
            next_due_time: None,
            breached: false,
            versions,
            resolution: None,
            promise_time: None,
            worked: SignedDuration::ZERO,
            working_duration: None,
            timer_time: None,
            timer_count: 0,
            revision: 0,
            entry_count: 0,
            create_time: now,
            update_time: now,
            acknowledge_time: None,
            first_response_time: None,
            start_time: None,
            resolve_time: None,
            close_time: None,
        }
    }

    /// What rules may look at.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            priority_rank: self.priority.rank,
            category: self.category.clone(),
            channel: self.feedback.channel,
            tier: self.feedback.tier,
            product_model: self.feedback.product_model.clone(),
        }
    }

    /// Whose load it is: the assignee's, while it is not at an end.
    pub(crate) fn carried_by(&self) -> Option<&str> {
        (!self.assignee.is_empty() && !self.state.ends_episode()).then_some(self.assignee.as_str())
    }
}

/// What happened to a clock; the numbers are those of `huiyin.event.v1.SlaMark`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The warning fraction of the time has passed.
    Warned = 1,
    /// The deadline has passed while it ran.
    Breached = 2,
    /// It stopped within its time.
    Met = 3,
    /// It stopped after its time.
    StoppedLate = 4,
}

impl Mark {
    /// The mark of a number.
    pub(crate) fn of(number: i16) -> Option<Self> {
        [Self::Warned, Self::Breached, Self::Met, Self::StoppedLate]
            .into_iter()
            .find(|mark| *mark as i16 == number)
    }

    /// Its name, for metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warned => "warned",
            Self::Breached => "breached",
            Self::Met => "met",
            Self::StoppedLate => "stopped_late",
        }
    }
}

/// A mark that a clock got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marked {
    /// When.
    pub(crate) at: Timestamp,
    /// The deadline that was in force.
    pub(crate) due: Option<Timestamp>,
}

/// A clock of a work order with the marks that it got: each at most once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptClock {
    /// Its log.
    pub(crate) clock: Clock,
    /// Its place among the clocks of the policy.
    pub(crate) place: i32,
    /// When it is due, as reckoned when it last changed; of one that stopped, when it was due then.
    pub(crate) due_time: Option<Timestamp>,
    /// It warned.
    pub(crate) warned: Option<Marked>,
    /// It breached.
    pub(crate) breached: Option<Marked>,
    /// It stopped with a mark.
    pub(crate) stopped: Option<(Mark, Marked)>,
}

/// What an entry of the history says; the numbers are those of `WorkOrderEventKind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// It was opened.
    Opened = 1,
    /// It was acknowledged.
    Acknowledged = 2,
    /// It got an assignee or a team.
    Assigned = 3,
    /// It moved from one state to another.
    Transitioned = 4,
    /// Progress was noted.
    Progressed = 5,
    /// Category or priority changed.
    Retargeted = 6,
    /// A clock warned, breached or stopped.
    ClockMarked = 7,
}

impl EntryKind {
    /// The kind of a number.
    pub(crate) fn of(number: i16) -> Option<Self> {
        let all = [
            Self::Opened,
            Self::Acknowledged,
            Self::Assigned,
            Self::Transitioned,
            Self::Progressed,
            Self::Retargeted,
            Self::ClockMarked,
        ];
        all.into_iter().find(|kind| *kind as i16 == number)
    }
}

/// One entry of a work order's history; never changed once written. Fields that say nothing of its kind are empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) sequence: i64,
    pub(crate) kind: EntryKind,
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) episode: i32,
    pub(crate) state: State,
    pub(crate) previous_state: Option<State>,
    pub(crate) stage: Stage,
    pub(crate) reason: String,
    pub(crate) note: String,
    pub(crate) customer_text: String,
    pub(crate) promise_time: Option<Timestamp>,
    pub(crate) assignee: String,
    pub(crate) team: String,
    pub(crate) category: String,
    pub(crate) priority: Option<Priority>,
    pub(crate) resolution: Option<Resolution>,
    pub(crate) clock: String,
    pub(crate) mark: Option<Mark>,
    pub(crate) due_time: Option<Timestamp>,
}
