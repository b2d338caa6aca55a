//! Customers and segments: from the wire, checked, and back.

use huiyin_chassis::{Refusal, Tenant, mask::mask, server::Language, sql};
use huiyin_proto::intake::v1;
use jiff::Timestamp;
use uuid::Uuid;

use super::domain::{Attributes, Condition, Customer, Holds, Segment, Segments};
use crate::{
    events::CUSTOMERS,
    feedback::domain::{Contact, ContactKind, identity_of},
    validation::{domain::rulebook::malformed, sentence},
    vault::Vault,
};

pub(crate) use v1::{Customer as Answer, SegmentPolicy as SegmentAnswer};

/// The token of an identity.
///
/// # Errors
/// INVALID_ARGUMENT where it is none or two, or its address is malformed.
pub(crate) fn token(
    vault: &Vault,
    tenant: &Tenant,
    identity: v1::Identity,
    path: &str,
    language: Language,
) -> Result<Uuid, Refusal> {
    let reference = identity.reference.trim().to_owned();
    let contact = match identity.contact {
        Some(contact) => match ContactKind::of(contact.kind) {
            Some(kind) => Some(Contact {
                kind,
                address: contact.address,
            }),
            None => return Err(Refusal::invalid_field(&format!("{path}.contact.kind"), "must be said")),
        },
        None => None,
    };
    if reference.is_empty() == contact.is_none() {
        return Err(Refusal::invalid_field(
            path,
            "must say exactly one of reference and contact",
        ));
    }
    if let Some(problem) = contact.as_ref().and_then(malformed) {
        return Err(Refusal::invalid_field(
            &format!("{path}.contact.address"),
            sentence::problem(&problem, language),
        ));
    }
    let (kind, normal) =
        identity_of(&reference, contact.as_ref()).ok_or_else(|| Refusal::invalid_field(path, "must name somebody"))?;
    Ok(vault.customer(tenant, kind, &normal))
}

/// What is said of a customer.
///
/// # Errors
/// INVALID_ARGUMENT where a time is none, or a text holds what no database keeps.
pub(crate) fn attributes(customer: v1::Customer) -> Result<Attributes, Refusal> {
    let since = sql::from_proto(customer.since_time.as_ref());
    if customer.since_time.is_some() && since.is_none() {
        return Err(Refusal::invalid_field(
            "customer.since_time",
            "is not a moment of this calendar",
        ));
    }
    let mut custom = std::collections::BTreeMap::new();
    for (key, value) in customer.custom {
        if value.contains('\0') {
            return Err(Refusal::invalid_field(
                &format!("customer.custom[\"{key}\"]"),
                "must not contain the character U+0000",
            ));
        }
        custom.insert(key, mask(&value));
    }
    Ok(Attributes {
        tier: customer.tier,
        payment: customer.payment,
        since,
        region: customer.region,
        age_band: customer.age_band,
        industry: customer.industry,
        custom,
    })
}

/// A customer for the wire.
pub(crate) fn customer(tenant: &Tenant, customer: Customer) -> Answer {
    let Attributes {
        tier,
        payment,
        since,
        region,
        age_band,
        industry,
        custom,
    } = customer.attributes;
    Answer {
        name: tenant.child(CUSTOMERS, customer.id),
        tier,
        payment,
        since_time: since.map(sql::to_proto),
        region,
        age_band,
        industry,
        custom,
        segments: customer.segments,
        feedback_count: customer.history.count,
        first_feedback_time: customer.history.first.map(sql::to_proto),
        last_feedback_time: customer.history.last.map(sql::to_proto),
        identity_count: i32::try_from(customer.identities).unwrap_or(i32::MAX),
        etag: customer.revision.to_string(),
        update_time: customer.update_time.map(sql::to_proto),
    }
}

/// Segments as people set them.
///
/// # Errors
/// INVALID_ARGUMENT with every condition that is not exactly one, and every key that is there twice.
pub(crate) fn segments(policy: v1::SegmentPolicy) -> Result<Segments, Refusal> {
    let mut violations = Vec::new();
    let mut segments: Vec<Segment> = Vec::new();
    for (place, segment) in policy.segments.into_iter().enumerate() {
        let path = format!("segment_policy.segments[{place}]");
        if segments.iter().any(|other| other.key == segment.key) {
            violations.push((format!("{path}.key"), format!("{} is there twice", segment.key)));
        }
        if segment.display_name.contains('\0') {
            violations.push((
                format!("{path}.display_name"),
                "must not contain the character U+0000".to_owned(),
            ));
        }
        let mut conditions = Vec::new();
        for (place, condition) in segment.conditions.into_iter().enumerate() {
            match holds(condition) {
                Ok(condition) => conditions.push(condition),
                Err(problem) => violations.push((format!("{path}.conditions[{place}]"), problem.to_owned())),
            }
        }
        segments.push(Segment {
            key: segment.key,
            display_name: segment.display_name,
            conditions,
        });
    }
    if violations.is_empty() {
        Ok(Segments(segments))
    } else {
        Err(Refusal::invalid(violations))
    }
}

fn holds(condition: v1::SegmentCondition) -> Result<Condition, &'static str> {
    let mut found = Vec::new();
    if !condition.tiers.is_empty() {
        found.push(Holds::Tier(condition.tiers));
    }
    if condition.payment != 0 {
        found.push(Holds::Payment(condition.payment));
    }
    if condition.attribute.is_empty() != condition.values.is_empty() {
        return Err("attribute and values go together");
    }
    if condition.values.iter().any(|value| value.contains('\0')) {
        return Err("a value must not contain the character U+0000");
    }
    if !condition.attribute.is_empty() {
        found.push(Holds::Attribute {
            name: condition.attribute,
            values: condition.values,
        });
    }
    if let Some(days) = condition.tenure {
        if days.at_most != 0 && days.at_most < days.at_least {
            return Err("tenure.at_most must not be below at_least");
        }
        found.push(Holds::Tenure {
            at_least: days.at_least,
            at_most: days.at_most,
        });
    }
    if let Some(frequent) = condition.frequent {
        found.push(Holds::Frequent {
            at_least: i64::from(frequent.at_least),
            within_days: frequent.within_days,
        });
    }
    let only = found.len() == 1;
    match (found.pop(), only) {
        (Some(holds), true) => Ok(Condition {
            negated: condition.negated,
            holds,
        }),
        _ => Err("must say exactly one of tiers, payment, attribute, tenure and frequent"),
    }
}

/// Segments for the wire.
pub(crate) fn segment_policy(
    tenant: &Tenant,
    segments: Segments,
    revision: i64,
    update_time: Option<Timestamp>,
) -> SegmentAnswer {
    let segment = |segment: Segment| v1::Segment {
        key: segment.key,
        display_name: segment.display_name,
        conditions: segment.conditions.into_iter().map(condition).collect(),
    };
    SegmentAnswer {
        name: format!("{}/segmentPolicy", tenant.name()),
        segments: segments.0.into_iter().map(segment).collect(),
        etag: revision.to_string(),
        update_time: update_time.map(sql::to_proto),
    }
}

fn condition(condition: Condition) -> v1::SegmentCondition {
    let mut said = v1::SegmentCondition {
        negated: condition.negated,
        ..Default::default()
    };
    match condition.holds {
        Holds::Tier(tiers) => said.tiers = tiers,
        Holds::Payment(payment) => said.payment = payment,
        Holds::Attribute { name, values } => {
            said.attribute = name;
            said.values = values;
        }
        Holds::Tenure { at_least, at_most } => said.tenure = Some(v1::Days { at_least, at_most }),
        Holds::Frequent { at_least, within_days } => {
            said.frequent = Some(v1::Frequent {
                at_least: i32::try_from(at_least).unwrap_or(i32::MAX),
                within_days,
            });
        }
    }
    said
}
