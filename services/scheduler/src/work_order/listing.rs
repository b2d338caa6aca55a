//! What lists of work orders and of their history may be filtered and ordered by.

use huiyin_chassis::listing::{Field, Kind, PageKey};
use jiff::Timestamp;

use super::domain::{Entry, WorkOrder};

/// What a list of work orders may be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("number", Kind::Text),
    Field::of("state", Kind::Enum("huiyin.event.v1.StateCategory")),
    Field::of("stage", Kind::Enum("huiyin.scheduler.v1.WorkOrderStage")),
    Field::of("category", Kind::Path),
    Field::at("priority.key", "priority_key", Kind::Text),
    Field::at("priority.rank", "priority_rank", Kind::Integer),
    Field::of("assignee", Kind::Text),
    Field::of("team", Kind::Text),
    Field::of("first_contact", Kind::Text),
    Field::of("episode", Kind::Integer),
    Field::of("reopen_count", Kind::Integer),
    Field::of("breached", Kind::Bool),
    Field::of("due_time", Kind::Time),
    Field::of("next_due_time", Kind::Time),
    Field::at("feedback.feedback", "feedback", Kind::Text),
    Field::at("feedback.number", "feedback_number", Kind::Text),
    Field::at("feedback.channel", "channel", Kind::Enum("huiyin.type.v1.Channel")),
    Field::at("feedback.customer", "customer", Kind::Text),
    Field::at("feedback.tier", "tier", Kind::Enum("huiyin.type.v1.CustomerTier")),
    Field::at("feedback.product_model", "product_model", Kind::Text),
    Field::at("feedback.batch", "batch", Kind::Text),
    Field::of("create_time", Kind::Time),
    Field::of("update_time", Kind::Time),
    Field::of("resolve_time", Kind::Time),
];

/// Stand in for times that are missing, so that those without one come last, whichever way a list is ordered.
const LATE_SECOND: i64 = 250_000_000_000;
const EARLY_SECOND: i64 = -60_000_000_000;

/// `least` and `greatest` pass over what is missing, and may be looked up in an index behind row-level security, which `coalesce` may
/// not. `work_order_next_due` is an index of the first expression of `next_due_time`, to the letter.
const ASCENDING: &[Field] = &[
    Field::of("create_time", Kind::Time),
    Field::of("update_time", Kind::Time),
    Field::at("due_time", "least(due_time, to_timestamp(250000000000))", Kind::Time),
    Field::at(
        "next_due_time",
        "least(next_due_time, to_timestamp(250000000000))",
        Kind::Time,
    ),
    Field::at("priority.rank", "priority_rank", Kind::Integer),
];
const DESCENDING: &[Field] = &[
    Field::of("create_time", Kind::Time),
    Field::of("update_time", Kind::Time),
    Field::at("due_time", "greatest(due_time, to_timestamp(-60000000000))", Kind::Time),
    Field::at(
        "next_due_time",
        "greatest(next_due_time, to_timestamp(-60000000000))",
        Kind::Time,
    ),
    Field::at("priority.rank", "priority_rank", Kind::Integer),
];

/// True where a list ends with what it otherwise begins with.
fn is_descending(order_by: &str) -> bool {
    order_by.split_whitespace().nth(1) == Some("desc")
}

/// What a list of work orders may be ordered by.
pub(crate) fn orders(order_by: &str) -> &'static [Field] {
    if is_descending(order_by) { DESCENDING } else { ASCENDING }
}

/// The place of a work order in such an order.
pub(crate) fn place(order_by: &str, order: &WorkOrder) -> PageKey {
    let missing = if is_descending(order_by) {
        EARLY_SECOND
    } else {
        LATE_SECOND
    } * 1_000_000;
    let or_missing = |time: Option<Timestamp>| time.map_or(missing, Timestamp::as_microsecond);
    let time = match order_by.split_whitespace().next() {
        Some("update_time") => order.update_time.as_microsecond(),
        Some("due_time") => or_missing(order.due_time),
        Some("next_due_time") => or_missing(order.next_due_time),
        Some("priority.rank") => order.priority.rank.into(),
        _ => order.create_time.as_microsecond(),
    };
    PageKey {
        time,
        id: order.id.into(),
    }
}

/// What a history may be filtered by.
pub(crate) const HISTORY_FIELDS: &[Field] = &[
    Field::of("kind", Kind::Enum("huiyin.scheduler.v1.WorkOrderEventKind")),
    Field::of("actor", Kind::Text),
    Field::of("episode", Kind::Integer),
    Field::of("occur_time", Kind::Time),
];
/// What a history may be ordered by.
pub(crate) const HISTORY_ORDERS: &[Field] = &[Field::of("sequence", Kind::Integer)];

/// The place of an entry in a history.
pub(crate) fn history_place(entry: &Entry) -> PageKey {
    PageKey {
        time: entry.sequence,
        id: entry.sequence.to_string().into(),
    }
}
