//! A text to read, with what was stated beside it.

use crate::domain::{Impact, Tier};

/// From this level on, what an agent heard weighs more than the wording (000-11).
const ANGRY: i32 = 4;

/// A text and what was stated with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<'t> {
    pub(crate) text: &'t str,
    pub(crate) tier: Tier,
    /// As the customer or agent said (000-26).
    pub(crate) impact: Option<Impact>,
    /// 0 not stated, 1 normal, 2 urgent, 3 critical (003-21).
    pub(crate) urgency: i32,
    /// 0 not stated, 1 calm … 5 furious (000-11).
    pub(crate) emotion_level: i32,
    /// For rules with that condition; may be empty.
    pub(crate) product_model: &'t str,
    /// Number of its channel, for rules with that condition; 0 where it is not known.
    pub(crate) channel: i32,
}

impl<'t> Statement<'t> {
    /// A text with which nothing was stated.
    pub(crate) fn of(text: &'t str) -> Self {
        Self {
            text,
            tier: Tier::Existing,
            impact: None,
            urgency: 0,
            emotion_level: 0,
            product_model: "",
            channel: 0,
        }
    }

    /// True where an agent's ear decides the tendency, whatever the wording.
    pub(crate) fn tells_tendency(&self) -> bool {
        self.emotion_level >= ANGRY
    }
}
