//! Conditions on the wire.

use huiyin_proto::scheduler::v1;

use super::Condition;

/// A condition that keeps the rules of its proto; one that is not set holds always.
pub(crate) fn from_proto(condition: Option<v1::Condition>) -> Condition {
    let v1::Condition {
        categories,
        priority_ranks,
        channels,
        tiers,
        product_models,
    } = condition.unwrap_or_default();
    Condition {
        categories,
        priority_ranks,
        channels,
        tiers,
        product_models,
    }
}

/// The condition for the wire; not set where it holds always.
pub(crate) fn to_proto(condition: &Condition) -> Option<v1::Condition> {
    let Condition {
        categories,
        priority_ranks,
        channels,
        tiers,
        product_models,
    } = condition.clone();
    (*condition != Condition::default()).then_some(v1::Condition {
        categories,
        priority_ranks,
        channels,
        tiers,
        product_models,
    })
}
