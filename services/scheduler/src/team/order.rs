//! The orders that agents and teams are listed in: by name, by what people call them, by age.

use huiyin_chassis::listing::{Field, Kind, PageKey};
use jiff::Timestamp;

/// What such a list may be ordered by. Texts are compared in the second part of a place, see [`Order::by`].
pub(crate) const FIELDS: &[Field] = &[
    Field::at("name", "0::bigint", Kind::Integer),
    Field::at("display_name", "0::bigint", Kind::Integer),
    Field::of("create_time", Kind::Time),
];

/// An `order_by` that says something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'r>(&'r str);

impl<'r> Order<'r> {
    /// As a caller wrote it.
    pub(crate) fn of(order_by: &'r str) -> Self {
        Self(order_by)
    }

    fn field(self) -> &'r str {
        self.0.split_whitespace().next().unwrap_or_default()
    }

    /// What entries are compared by after the field: the id, before it the display name where they are ordered by that.
    pub(crate) fn by(self, id: &'static str) -> &'static str {
        match (self.field(), id) {
            ("display_name", "agent_id") => "(display_name || chr(31) || agent_id)",
            ("display_name", _) => "(display_name || chr(31) || team_id)",
            (_, id) => id,
        }
    }

    /// The place of an entry.
    pub(crate) fn place(self, id: &str, display_name: &str, create_time: Timestamp) -> PageKey {
        let (time, id) = match self.field() {
            "display_name" => (0, format!("{display_name}\u{1f}{id}")),
            "create_time" => (create_time.as_microsecond(), id.to_owned()),
            _ => (0, id.to_owned()),
        };
        PageKey { time, id: id.into() }
    }
}
