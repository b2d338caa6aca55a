//! What is known of an operation.

use jiff::Timestamp;
use uuid::Uuid;

/// An operation without its request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) author: String,
    pub(super) progress: Progress,
    /// How often it was begun.
    pub(super) attempts: i32,
    /// True while somebody works on it.
    pub(super) is_leased: bool,
    pub(super) cancel_time: Option<Timestamp>,
    pub(super) create_time: Timestamp,
    pub(super) update_time: Timestamp,
    pub(super) end: Option<End>,
}

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) stage: String,
    pub(super) done: i64,
    /// 0 while it is not known.
    pub(super) total: i64,
}

/// How and when it ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) time: Timestamp,
    pub(super) outcome: Outcome,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// An encoded `Any`.
    Response(Vec<u8>),
    /// An encoded `google.rpc.Status`.
    Error(Vec<u8>),
}

impl Record {
    /// One that waits for its turn.
    pub(super) fn new(id: Uuid, kind: &str, author: &str, now: Timestamp) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            author: author.to_owned(),
            progress: Progress::default(),
            attempts: 0,
            is_leased: false,
            cancel_time: None,
            create_time: now,
            update_time: now,
            end: None,
        }
    }
}
