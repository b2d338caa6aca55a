//! What an event changes in the facts: the part of it that analytics keeps, in words of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an event says, as it waits in the inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Happening {
    /// Something about one feedback.
    Feedback { feedback: Uuid, change: Change },
    /// A message reached its end. It names its work order alone, and perhaps none.
    Message {
        message: Uuid,
        work_order: Option<Uuid>,
        delivered: bool,
    },
}

/// What happened to one feedback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Submitted(Submission),
    /// Merged into another one, or taken apart from it again (001-12).
    Merged {
        merged: bool,
    },
    Classified {
        revision: i32,
        category: String,
        priority: Priority,
        sentiment: i32,
        impact: i32,
    },
    Opened {
        order: Order,
        deadlines: Vec<Deadline>,
    },
    Assigned {
        order: Order,
        assignment: i32,
    },
    Transitioned {
        order: Order,
        to: State,
        working_us: Option<i64>,
    },
    Progressed {
        order: Order,
        note: i32,
    },
    Retargeted {
        order: Order,
        priority: Priority,
        deadlines: Vec<Deadline>,
    },
    Marked {
        order: Order,
        clock: String,
        mark: Mark,
        due_time: Option<Timestamp>,
    },
    Invited {
        episode: i32,
        invitation: String,
    },
    /// The satisfaction is the mean of the scores in millionths, so that sums of it are exact.
    Answered {
        episode: i32,
        invitation: String,
        scores: Vec<Score>,
        satisfaction: i64,
        solved: bool,
    },
}

/// What intake told of a feedback. Channel and tier are the numbers of the proto's enums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Submission {
    pub(crate) number: String,
    pub(crate) channel: i16,
    pub(crate) customer: String,
    pub(crate) tier: i16,
    pub(crate) product_model: String,
    pub(crate) batch: String,
    pub(crate) occur_time: Option<Timestamp>,
    pub(crate) receive_time: Timestamp,
    pub(crate) language: String,
    pub(crate) reachable: bool,
}

/// A level of the tenant's list of priorities.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Priority {
    pub(crate) key: String,
    pub(crate) rank: i32,
}

/// What every event of a work order says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) work_order: Uuid,
    pub(crate) team: String,
    pub(crate) episode: i32,
}

/// When a clock is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deadline {
    pub(crate) clock: String,
    pub(crate) due_time: Timestamp,
}

/// Where a work order stands (C-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    New,
    Active,
    Waiting,
    Verifying,
    Resolved,
    Closed,
    Rejected,
}

/// What happened to an SLA clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    Warned,
    Breached,
    Met,
    StoppedLate,
}

/// One rated dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) dimension: String,
    pub(crate) value: i32,
}
