//! The rules of customers: what is said of one, and which segments hold.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is said of a customer. Numbers of enums are those of the wire.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attributes {
    pub(crate) tier: i32,
    pub(crate) payment: i32,
    pub(crate) since: Option<Timestamp>,
    pub(crate) region: String,
    pub(crate) age_band: String,
    pub(crate) industry: String,
    pub(crate) custom: BTreeMap<String, String>,
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    pub(crate) id: Uuid,
    pub(crate) attributes: Attributes,
    pub(crate) segments: Vec<String>,
    pub(crate) history: History,
    pub(crate) identities: i64,
    /// 0 where nothing was ever said.
    pub(crate) revision: i64,
    pub(crate) update_time: Option<Timestamp>,
}

/// What came from a customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) count: i64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
}

/// A segment: all conditions hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) key: String,
    pub(crate) display_name: String,
    pub(crate) conditions: Vec<Condition>,
}

/// Something that must hold, or must not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) negated: bool,
    pub(crate) holds: Holds,
}

/// What holds of a customer at a time. What is not known does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holds {
    Tier(Vec<i32>),
    Payment(i32),
    Attribute { name: String, values: Vec<String> },
    Tenure { at_least: i32, at_most: i32 },
    Frequent { at_least: i64, within_days: i32 },
}

/// The tenant's segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Segments(pub(crate) Vec<Segment>);

/// Numbers of `CustomerTier`.
const NEW: i32 = 1;
const EXISTING: i32 = 2;
const VIP: i32 = 3;
/// Numbers of `Payment`.
const PAYING: i32 = 1;
const FREE: i32 = 2;
/// 004-53: a new customer uses the product for a month at most.
const NEW_DAYS: i32 = 31;

impl Segments {
    /// What holds until a tenant says otherwise: 000-32, 001-20, 004-53.
    pub(crate) fn built_in() -> Self {
        let segment = |key: &str, display_name: &str, conditions: Vec<Holds>| Segment {
            key: key.to_owned(),
            display_name: display_name.to_owned(),
            conditions: conditions
                .into_iter()
                .map(|holds| Condition { negated: false, holds })
                .collect(),
        };
        let tenure = |at_least, at_most| Holds::Tenure { at_least, at_most };
        Self(vec![
            segment("new", "新客户", vec![tenure(0, NEW_DAYS)]),
            segment("existing", "老客户", vec![tenure(NEW_DAYS + 1, 0)]),
            segment("vip", "VIP客户", vec![Holds::Tier(vec![VIP])]),
            segment("paying", "付费用户", vec![Holds::Payment(PAYING)]),
            segment("free", "免费用户", vec![Holds::Payment(FREE)]),
        ])
    }

    /// The keys of those that hold of a customer at a time; `counts` says how many feedbacks came within so many days.
    pub(crate) fn of(&self, attributes: &Attributes, at: Timestamp, counts: &BTreeMap<i32, i64>) -> Vec<String> {
        let holds = |condition: &Condition| condition.holds.of(attributes, at, counts) != condition.negated;
        self.0
            .iter()
            .filter(|segment| segment.conditions.iter().all(holds))
            .map(|segment| segment.key.clone())
            .collect()
    }

    /// The spans of days for which feedbacks have to be counted, and up to how many: more makes no difference.
    pub(crate) fn spans(&self) -> BTreeMap<i32, i64> {
        let mut spans = BTreeMap::new();
        for condition in self.0.iter().flat_map(|segment| &segment.conditions) {
            if let Holds::Frequent { at_least, within_days } = condition.holds {
                let most = spans.entry(within_days).or_insert(at_least);
                *most = at_least.max(*most);
            }
        }
        spans
    }
}

impl Holds {
    fn of(&self, attributes: &Attributes, at: Timestamp, counts: &BTreeMap<i32, i64>) -> bool {
        match self {
            Self::Tier(tiers) => tiers.contains(&attributes.tier),
            Self::Payment(payment) => attributes.payment == *payment,
            Self::Attribute { name, values } => {
                let value = match name.as_str() {
                    "region" => Some(&attributes.region),
                    "age_band" => Some(&attributes.age_band),
                    "industry" => Some(&attributes.industry),
                    custom => attributes.custom.get(custom.trim_start_matches("custom.")),
                };
                value.is_some_and(|value| !value.is_empty() && values.contains(value))
            }
            Self::Tenure { at_least, at_most } => match attributes.since {
                Some(since) => {
                    let days = at
                        .duration_since(since)
                        .as_secs()
                        .div_euclid(SignedDuration::from_hours(24).as_secs());
                    days >= i64::from(*at_least) && (*at_most == 0 || days <= i64::from(*at_most))
                }
                // Nobody said since when; the tier may.
                None if *at_least == 0 && *at_most == NEW_DAYS => attributes.tier == NEW,
                None if *at_least == NEW_DAYS + 1 && *at_most == 0 => attributes.tier == EXISTING,
                None => false,
            },
            Self::Frequent { at_least, within_days } => counts.get(within_days).is_some_and(|count| count >= at_least),
        }
    }
}

/// The fields of a customer that people set.
pub(crate) const FIELDS: [&str; 7] = [
    "tier",
    "payment",
    "since_time",
    "region",
    "age_band",
    "industry",
    "custom",
];

impl Attributes {
    /// Takes these fields over.
    pub(crate) fn set(&mut self, fields: &[&str], said: Self) {
        for field in fields {
            match *field {
                "tier" => self.tier = said.tier,
                "payment" => self.payment = said.payment,
                "since_time" => self.since = said.since,
                "region" => self.region.clone_from(&said.region),
                "age_band" => self.age_band.clone_from(&said.age_band),
                "industry" => self.industry.clone_from(&said.industry),
                "custom" => self.custom.clone_from(&said.custom),
                _ => {}
            }
        }
    }

    /// The fields that are not empty.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        [
            ("tier", self.tier != 0),
            ("payment", self.payment != 0),
            ("since_time", self.since.is_some()),
            ("region", !self.region.is_empty()),
            ("age_band", !self.age_band.is_empty()),
            ("industry", !self.industry.is_empty()),
            ("custom", !self.custom.is_empty()),
        ]
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(field, _)| field)
        .collect()
    }
}

/// The fields of a mask: all of them for `*`, those that are given where there is no mask.
///
/// # Errors
/// The path that is none.
pub(crate) fn masked<'f>(paths: Option<&'f [String]>, given: Vec<&'f str>) -> Result<Vec<&'f str>, String> {
    let Some(paths) = paths else { return Ok(given) };
    if paths.iter().any(|path| path == "*") {
        return Ok(FIELDS.to_vec());
    }
    match paths.iter().find(|path| !FIELDS.contains(&path.as_str())) {
        Some(unknown) => Err(unknown.clone()),
        None => Ok(paths.iter().map(String::as_str).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_772_413_200, 0);

    fn days(days: i64) -> SignedDuration {
        SignedDuration::from_hours(24 * days)
    }

    /// 004-53, 000-32, 001-20.
    #[test]
    fn the_built_in_segments_are_those_of_the_documents() {
        let of = |attributes: Attributes| Segments::built_in().of(&attributes, NOW, &BTreeMap::new());
        let since = |ago: i64| Attributes {
            since: Some(NOW - days(ago)),
            ..Attributes::default()
        };
        assert_eq!(of(since(0)), ["new"]);
        assert_eq!(of(since(31)), ["new"]);
        assert_eq!(of(since(32)), ["existing"]);
        assert_eq!(of(since(-2)), [""; 0], "it begins later");
        assert_eq!(of(Attributes::default()), [""; 0]);
        let said = |tier, payment| Attributes {
            tier,
            payment,
            ..Attributes::default()
        };
        assert_eq!(of(said(NEW, PAYING)), ["new", "paying"]);
        assert_eq!(of(said(EXISTING, FREE)), ["existing", "free"]);
        assert_eq!(of(said(VIP, 0)), ["vip"]);
    }

    /// C-12: what "high value" means is data.
    #[test]
    fn a_segment_holds_where_all_its_conditions_do() {
        let segments = Segments(vec![Segment {
            key: "high_value".to_owned(),
            display_name: "高价值用户".to_owned(),
            conditions: vec![
                Condition {
                    negated: false,
                    holds: Holds::Attribute {
                        name: "custom.plan".to_owned(),
                        values: vec!["pro".to_owned(), "max".to_owned()],
                    },
                },
                Condition {
                    negated: true,
                    holds: Holds::Frequent {
                        at_least: 3,
                        within_days: 90,
                    },
                },
            ],
        }]);
        assert_eq!(segments.spans(), [(90, 3)].into());
        let of = |plan: &str, count: i64| {
            let attributes = Attributes {
                custom: [("plan".to_owned(), plan.to_owned())].into(),
                ..Attributes::default()
            };
            segments.of(&attributes, NOW, &[(90, count)].into()).len()
        };
        assert_eq!((of("pro", 2), of("pro", 3), of("basic", 0), of("", 0)), (1, 0, 0, 0));
    }

    #[test]
    fn a_mask_names_fields_of_a_customer_alone() {
        let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        assert_eq!(masked(None, vec!["tier"]), Ok(vec!["tier"]));
        assert_eq!(masked(Some(&paths(&["*"])), vec![]).unwrap().len(), FIELDS.len());
        assert_eq!(masked(Some(&paths(&["region"])), vec!["tier"]), Ok(vec!["region"]));
        assert_eq!(masked(Some(&paths(&["segments"])), vec![]), Err("segments".to_owned()));
    }
}
