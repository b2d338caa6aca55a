//! When problems are proposed, and what fits one: a tenant's policy, and the built-in one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::domain::About;

/// The policy; the proto says what each means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) propose_groups: bool,
    pub(crate) propose_topics: bool,
    pub(crate) window_days: i32,
    pub(crate) min_feedbacks: i32,
    pub(crate) min_customers: i32,
    pub(crate) by_product_model: bool,
    pub(crate) by_batch: bool,
    pub(crate) near_text_similarity: f64,
    pub(crate) fit_share: f64,
    pub(crate) regrowth_factor: f64,
    pub(crate) topic_days: i32,
    pub(crate) topic_baseline_days: i32,
    pub(crate) topic_min_score: f64,
    pub(crate) topic_min_feedbacks: i32,
}

impl Default for Policy {
    /// The built-in one: ten feedbacks of five customers in a month are a group complaint (群体性投诉, 002-21).
    fn default() -> Self {
        Self {
            propose_groups: true,
            propose_topics: true,
            window_days: 30,
            min_feedbacks: 10,
            min_customers: 5,
            by_product_model: true,
            by_batch: false,
            near_text_similarity: 0.1,
            fit_share: 0.25,
            regrowth_factor: 2.0,
            topic_days: 7,
            topic_baseline_days: 28,
            topic_min_score: 3.0,
            topic_min_feedbacks: 5,
        }
    }
}

/// A policy as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) policy: Policy,
    /// The etag; 0 for the built-in one.
    pub(crate) revision: i32,
    pub(crate) author: String,
    /// None for the built-in one.
    pub(crate) update_time: Option<Timestamp>,
}

impl Policy {
    /// From when on feedback counts for a proposal.
    pub(crate) fn since(&self, now: Timestamp) -> Timestamp {
        days_before(now, self.window_days)
    }

    /// The group of a feedback.
    pub(crate) fn group(&self, category: &str, product_model: &str, batch: &str) -> About {
        let part = |by: bool, text: &str| if by { text.to_owned() } else { String::new() };
        About {
            category: category.to_owned(),
            product_model: part(self.by_product_model, product_model),
            batch: part(self.by_batch, batch),
            of_model: self.by_product_model,
            of_batch: self.by_batch,
        }
    }

    /// Whether category, product and batch alone make a group.
    pub(crate) fn whole_groups(&self) -> bool {
        self.near_text_similarity <= 0.0
    }

    /// Whether so many feedbacks of so many customers are a problem.
    pub(crate) fn is_passed(&self, feedbacks: usize, customers: usize) -> bool {
        let least = |least: i32| usize::try_from(least).unwrap_or(usize::MAX);
        feedbacks >= least(self.min_feedbacks) && customers >= least(self.min_customers)
    }
}

/// So many days before a time; the beginning of all times where there are fewer.
pub(crate) fn days_before(time: Timestamp, days: i32) -> Timestamp {
    time.checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::MIN)
}
