//! Impacts, tiers and tendencies as the numbers of the wire, which the tables keep too.

use huiyin_proto::r#type::v1 as shared;

use crate::domain::{Impact, Sentiment, Tier};

/// An impact; none where it was not said or is not one of ours.
pub(crate) fn impact(number: i32) -> Option<Impact> {
    match shared::Impact::try_from(number) {
        Ok(shared::Impact::Minor) => Some(Impact::Minor),
        Ok(shared::Impact::Serious) => Some(Impact::Serious),
        Ok(shared::Impact::Fatal) => Some(Impact::Fatal),
        Ok(shared::Impact::Unspecified) | Err(_) => None,
    }
}

/// The number of an impact.
pub(crate) fn impact_number(impact: Impact) -> i32 {
    match impact {
        Impact::Minor => shared::Impact::Minor,
        Impact::Serious => shared::Impact::Serious,
        Impact::Fatal => shared::Impact::Fatal,
    }
    .into()
}

/// A tier; none where it was not said or is not one of ours.
pub(crate) fn tier(number: i32) -> Option<Tier> {
    match shared::CustomerTier::try_from(number) {
        Ok(shared::CustomerTier::New) => Some(Tier::New),
        Ok(shared::CustomerTier::Existing) => Some(Tier::Existing),
        Ok(shared::CustomerTier::Vip) => Some(Tier::Vip),
        Ok(shared::CustomerTier::Unspecified) | Err(_) => None,
    }
}

/// The number of a tier.
pub(crate) fn tier_number(tier: Tier) -> i32 {
    match tier {
        Tier::New => shared::CustomerTier::New,
        Tier::Existing => shared::CustomerTier::Existing,
        Tier::Vip => shared::CustomerTier::Vip,
    }
    .into()
}

/// A tendency; none where it was not said or is not one of ours.
pub(crate) fn sentiment(number: i32) -> Option<Sentiment> {
    match shared::Sentiment::try_from(number) {
        Ok(shared::Sentiment::Negative) => Some(Sentiment::Negative),
        Ok(shared::Sentiment::Neutral) => Some(Sentiment::Neutral),
        Ok(shared::Sentiment::Positive) => Some(Sentiment::Positive),
        Ok(shared::Sentiment::Unspecified) | Err(_) => None,
    }
}

/// The number of a tendency.
pub(crate) fn sentiment_number(sentiment: Sentiment) -> i32 {
    match sentiment {
        Sentiment::Negative => shared::Sentiment::Negative,
        Sentiment::Neutral => shared::Sentiment::Neutral,
        Sentiment::Positive => shared::Sentiment::Positive,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_enum_survives_the_wire() {
        for found in Impact::ALL {
            assert_eq!(impact(impact_number(found)), Some(found));
        }
        for found in Tier::ALL {
            assert_eq!(tier(tier_number(found)), Some(found));
        }
        for found in [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive] {
            assert_eq!(sentiment(sentiment_number(found)), Some(found));
        }
        assert_eq!(
            (impact(0), tier(0), sentiment(0), impact(9), tier(-1), sentiment(7)),
            (None, None, None, None, None, None)
        );
    }
}
