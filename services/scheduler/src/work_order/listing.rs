//! What lists of work orders and of their history may be filtered and ordered by.

use huiyin_chassis::listing::{Field, Kind, PageKey};
use jiff::Timestamp;

use super::domain::{Entry, WorkOrder};

const STATES: &[(&str, i32)] = &[
    ("NEW", 1),
    ("ACTIVE", 2),
    ("WAITING", 3),
    ("VERIFYING", 4),
    ("RESOLVED", 5),
    ("CLOSED", 6),
    ("REJECTED", 7),
];
const STAGES: &[(&str, i32)] = &[
    ("CONTACTED", 1),
    ("REMOTE_CHECK", 2),
    ("ON_SITE", 3),
    ("WAITING_RND", 4),
];
const CHANNELS: &[(&str, i32)] = &[
    ("WEB_FORM", 1),
    ("IN_APP", 2),
    ("PHONE", 3),
    ("ONLINE_SERVICE", 4),
    ("EMAIL", 5),
    ("SOCIAL_MEDIA", 6),
    ("ECOMMERCE_REVIEW", 7),
    ("STORE", 8),
    ("PAPER", 9),
    ("ACCOUNT_MANAGER", 10),
    ("COMMUNITY", 11),
    ("ENTERPRISE_IM", 12),
    ("API", 13),
];
const TIERS: &[(&str, i32)] = &[("NEW", 1), ("EXISTING", 2), ("VIP", 3)];
const KINDS: &[(&str, i32)] = &[
    ("OPENED", 1),
    ("ACKNOWLEDGED", 2),
    ("ASSIGNED", 3),
    ("TRANSITIONED", 4),
    ("PROGRESSED", 5),
    ("RETARGETED", 6),
    ("CLOCK_MARKED", 7),
];

const fn field(name: &'static str, column: &'static str, kind: Kind) -> Field {
    Field { name, column, kind }
}

/// What a list of work orders may be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    field("number", "number", Kind::Text),
    field("state", "state", Kind::Enum(STATES)),
    field("stage", "stage", Kind::Enum(STAGES)),
    field("category", "category", Kind::Path),
    field("priority.key", "priority_key", Kind::Text),
    field("priority.rank", "priority_rank", Kind::Integer),
    field("assignee", "assignee", Kind::Text),
    field("team", "team", Kind::Text),
    field("first_contact", "first_contact", Kind::Text),
    field("episode", "episode", Kind::Integer),
    field("reopen_count", "reopen_count", Kind::Integer),
    field("breached", "breached", Kind::Bool),
    field("due_time", "due_time", Kind::Time),
    field("next_due_time", "next_due_time", Kind::Time),
    field("feedback.feedback", "feedback", Kind::Text),
    field("feedback.number", "feedback_number", Kind::Text),
    field("feedback.channel", "channel", Kind::Enum(CHANNELS)),
    field("feedback.customer", "customer", Kind::Text),
    field("feedback.tier", "tier", Kind::Enum(TIERS)),
    field("feedback.product_model", "product_model", Kind::Text),
    field("feedback.batch", "batch", Kind::Text),
    field("create_time", "create_time", Kind::Time),
    field("update_time", "update_time", Kind::Time),
    field("resolve_time", "resolve_time", Kind::Time),
];

/// Stand in for times that are missing, so that those without one come last, whichever way a list is ordered.
const LATE_SECOND: i64 = 250_000_000_000;
const EARLY_SECOND: i64 = -60_000_000_000;

const ASCENDING: &[Field] = &[
    field("create_time", "create_time", Kind::Time),
    field("update_time", "update_time", Kind::Time),
    field("due_time", "coalesce(due_time, to_timestamp(250000000000))", Kind::Time),
    field(
        "next_due_time",
        "coalesce(next_due_time, to_timestamp(250000000000))",
        Kind::Time,
    ),
    field("priority.rank", "priority_rank", Kind::Integer),
];
const DESCENDING: &[Field] = &[
    field("create_time", "create_time", Kind::Time),
    field("update_time", "update_time", Kind::Time),
    field("due_time", "coalesce(due_time, to_timestamp(-60000000000))", Kind::Time),
    field(
        "next_due_time",
        "coalesce(next_due_time, to_timestamp(-60000000000))",
        Kind::Time,
    ),
    field("priority.rank", "priority_rank", Kind::Integer),
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
        id: order.id.to_string(),
    }
}

/// What a history may be filtered by.
pub(crate) const HISTORY_FIELDS: &[Field] = &[
    field("kind", "kind", Kind::Enum(KINDS)),
    field("actor", "actor", Kind::Text),
    field("episode", "episode", Kind::Integer),
    field("occur_time", "occur_time", Kind::Time),
];
/// What a history may be ordered by.
pub(crate) const HISTORY_ORDERS: &[Field] = &[field("sequence", "sequence", Kind::Integer)];

/// The place of an entry in a history.
pub(crate) fn history_place(entry: &Entry) -> PageKey {
    PageKey {
        time: entry.sequence,
        id: entry.sequence.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use huiyin_proto::{event::v1::StateCategory, scheduler::v1, r#type::v1 as shared};

    use super::*;

    #[test]
    fn the_names_in_filters_are_those_of_the_protos() {
        for (name, number) in STATES {
            assert_eq!(
                StateCategory::try_from(*number).unwrap().as_str_name(),
                format!("STATE_CATEGORY_{name}")
            );
        }
        for (name, number) in STAGES {
            assert_eq!(
                v1::WorkOrderStage::try_from(*number).unwrap().as_str_name(),
                format!("WORK_ORDER_STAGE_{name}")
            );
        }
        for (name, number) in CHANNELS {
            assert_eq!(
                shared::Channel::try_from(*number).unwrap().as_str_name(),
                format!("CHANNEL_{name}")
            );
        }
        for (name, number) in TIERS {
            assert_eq!(
                shared::CustomerTier::try_from(*number).unwrap().as_str_name(),
                format!("CUSTOMER_TIER_{name}")
            );
        }
        for (name, number) in KINDS {
            assert_eq!(
                v1::WorkOrderEventKind::try_from(*number).unwrap().as_str_name(),
                format!("WORK_ORDER_EVENT_KIND_{name}")
            );
        }
        let next = CHANNELS.len() + 1;
        assert!(
            shared::Channel::try_from(i32::try_from(next).unwrap()).is_err(),
            "a channel was added that filters do not know"
        );
    }
}
