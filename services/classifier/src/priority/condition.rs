//! When a rule is for a case, and how a basis says what held.

use huiyin_chassis::enums;

use super::domain::{Condition, Facts};
use crate::domain::Sentiment;

impl Condition {
    /// True where it asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True where it asks only for what was read from the text.
    pub(crate) fn is_of_text(&self) -> bool {
        self.tiers.is_empty()
            && self.channels.is_empty()
            && self.urgencies.is_empty()
            && self.product_models.is_empty()
            && self.min_emotion_level == 0
            && self.min_customers == 0
    }

    /// What held, in words; none where it does not hold.
    pub(crate) fn held(&self, facts: &Facts) -> Option<String> {
        let mut words = Vec::new();
        if !self.impacts.is_empty() {
            self.impacts.contains(&facts.impact).then_some(())?;
            words.push(format!("impact {}", facts.impact_words));
        }
        if !self.tiers.is_empty() {
            self.tiers.contains(&facts.tier).then_some(())?;
            words.push(format!("tier {}", facts.tier.word()));
        }
        if !self.categories.is_empty() {
            let found = facts
                .categories
                .iter()
                .find(|category| self.categories.iter().any(|wanted| is_at_or_below(category, wanted)))?;
            words.push(format!("category {found}"));
        }
        if !self.channels.is_empty() {
            self.channels.contains(&facts.channel).then_some(())?;
            words.push(format!(
                "channel {}",
                enums::name("huiyin.type.v1.Channel", facts.channel).unwrap_or("unknown")
            ));
        }
        if !self.urgencies.is_empty() {
            self.urgencies.contains(&facts.urgency).then_some(())?;
            words.push(urgency_words(facts.urgency).to_owned());
        }
        if !self.product_models.is_empty() {
            self.product_models.contains(&facts.product_model).then_some(())?;
            words.push(format!("product {}", facts.product_model));
        }
        if !self.terms.is_empty() {
            let found = facts.terms.iter().find(|term| self.terms.contains(term))?;
            words.push(format!("“{found}”"));
        }
        if !self.sentiments.is_empty() {
            self.sentiments.contains(&facts.sentiment).then_some(())?;
            words.push(format!("sentiment {}", sentiment_word(facts.sentiment)));
        }
        if self.min_emotion_level > 0 {
            (facts.emotion_level >= self.min_emotion_level).then_some(())?;
            words.push(format!("emotion level {}", facts.emotion_level));
        }
        if self.min_customers > 0 {
            (facts.customers >= self.min_customers).then_some(())?;
            words.push(format!("{} customers", facts.customers));
        }
        Some(words.join(" and "))
    }
}

fn is_at_or_below(category: &str, parent: &str) -> bool {
    category
        .strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn urgency_words(urgency: i32) -> &'static str {
    match urgency {
        1 => "stated urgency normal",
        2 => "stated urgency urgent",
        3 => "stated urgency critical",
        _ => "no stated urgency",
    }
}

fn sentiment_word(sentiment: Sentiment) -> &'static str {
    match sentiment {
        Sentiment::Negative => "negative",
        Sentiment::Neutral => "neutral",
        Sentiment::Positive => "positive",
    }
}
