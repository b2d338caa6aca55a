//! What a team is.

use jiff::Timestamp;

/// A group of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) display_name: String,
    /// Key of the department; may be empty.
    pub(crate) department: String,
    /// Work orders that it has and that are not at an end.
    pub(crate) open_count: i64,
    pub(crate) revision: i64,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

/// The fields of a team that can be edited.
pub(crate) const FIELDS: &[&str] = &["display_name", "department"];

/// What the queue for what no rule places is called until somebody calls it otherwise (003-31).
pub(crate) const FALLBACK_NAME: &str = "待分派队列";
