//! Articles, their versions, and what counts when they are found and used.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::reading::fold::fold_term;

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Draft,
    Published,
    Archived,
}

/// What came of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Used,
    Helped,
    NotHelped,
}

/// What a caller may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    /// All of it.
    All,
    /// What is published, and for customers too.
    ForCustomers,
}

impl Sees {
    /// True where an article, as one of its versions has it, may be shown.
    pub(super) fn shows(self, article: &Article) -> bool {
        let version = &article.version;
        self == Self::All || (version.state == State::Published && version.content.for_customers)
    }
}

/// What a person writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    /// Number of its `ArticleKind`: nothing here makes a difference between kinds.
    pub(super) kind: i32,
    /// BCP 47 tag.
    pub(super) locale: String,
    pub(super) title: String,
    /// Markdown; empty where it was left out of a list.
    pub(super) body: String,
    pub(super) categories: Vec<String>,
    /// Empty for all.
    pub(super) product_models: Vec<String>,
    pub(super) keywords: Vec<String>,
    /// True where customers may be shown it too.
    pub(super) for_customers: bool,
    pub(super) change_reason: String,
}

impl Content {
    /// The product models, as they are compared.
    pub(super) fn product_keys(&self) -> Vec<String> {
        self.product_models.iter().map(|model| fold_term(model)).collect()
    }
}

/// A version; it never changes but for where it stands and how often it was used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Version {
    pub(super) version: i32,
    pub(super) content: Content,
    pub(super) state: State,
    pub(super) author: String,
    /// Empty where it was never published.
    pub(super) publisher: String,
    pub(super) uses: Uses,
    pub(super) create_time: Timestamp,
    pub(super) publish_time: Option<Timestamp>,
}

/// An article, as one of its versions has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Article {
    pub(super) id: Uuid,
    /// The etag.
    pub(super) revision: i32,
    /// The published version of each language.
    pub(super) published: BTreeMap<String, i32>,
    pub(super) uses: Uses,
    pub(super) create_time: Timestamp,
    pub(super) update_time: Timestamp,
    pub(super) version: Version,
}

/// An article that is held for a change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) id: Uuid,
    /// Language of its first version.
    pub(super) locale: String,
    pub(super) last_version: i32,
    pub(super) revision: i32,
}

/// A publication, or a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Publication {
    /// The article's revision that it made.
    pub(super) revision: i32,
    /// 0 where one was withdrawn.
    pub(super) version: i32,
    /// 0 where none was published.
    pub(super) replaced_version: i32,
}

/// How often something was used; or by how much that changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Uses {
    pub(super) used: i64,
    pub(super) helped: i64,
    pub(super) not_helped: i64,
}

/// What is known of a use after something more is said of it, and how the counts change. That it was used says nothing new of a use
/// whose outcome is known.
pub(super) fn said_of_use(before: Option<Outcome>, said: Outcome) -> (Outcome, Uses) {
    let after = match (before, said) {
        (Some(known), Outcome::Used) => known,
        _ => said,
    };
    let count = |of: Outcome| i64::from(after == of) - i64::from(before == Some(of));
    let change = Uses {
        used: i64::from(before.is_none()),
        helped: count(Outcome::Helped),
        not_helped: count(Outcome::NotHelped),
    };
    (after, change)
}

/// What an article is looked for by.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) asked: Vec<super::terms::Asked>,
    /// Language, or the beginning of one; empty for all.
    pub(super) locale: String,
    /// Preferred; may be empty.
    pub(super) categories: Vec<String>,
    /// Preferred, as it is compared; may be empty.
    pub(super) product_key: String,
    pub(super) sees: Sees,
    /// True where what is about the categories is wanted although it holds none of the words.
    pub(super) by_category: bool,
    pub(super) at_most: i64,
}

/// What an answer holds where the caller does not say, and at most.
const FEW: i32 = 10;
const MANY: i32 = 50;

/// How many a caller wants.
pub(super) fn at_most(asked: i32) -> i64 {
    match asked {
        0 => FEW,
        asked => asked.clamp(1, MANY),
    }
    .into()
}

/// How what was found is ranked. The text that holds most of the words has 1, every other its share of that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranking {
    /// A text with a smaller share is taken for a chance hit.
    pub(super) least_share: f64,
    /// Added for a category that is wanted.
    pub(super) category: f64,
    /// Factor for the product model that is wanted.
    pub(super) product: f64,
    /// Factor for other product models; what is about all of them has 1.
    pub(super) other_product: f64,
    /// Factor for what never helped; for what always helped it is as much above 1. What was never judged has 1.
    pub(super) never_helped: f64,
}

/// The ranking of all tenants.
pub(super) const RANKING: Ranking = Ranking {
    least_share: 0.2,
    category: 0.3,
    product: 1.3,
    other_product: 0.6,
    never_helped: 0.8,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_counted_once_and_its_last_outcome_counts() {
        let change = |used, helped, not_helped| Uses {
            used,
            helped,
            not_helped,
        };
        for (before, said, wanted) in [
            (None, Outcome::Used, (Outcome::Used, change(1, 0, 0))),
            (None, Outcome::Helped, (Outcome::Helped, change(1, 1, 0))),
            (
                Some(Outcome::Used),
                Outcome::NotHelped,
                (Outcome::NotHelped, change(0, 0, 1)),
            ),
            (
                Some(Outcome::NotHelped),
                Outcome::Helped,
                (Outcome::Helped, change(0, 1, -1)),
            ),
            (Some(Outcome::Helped), Outcome::Used, (Outcome::Helped, change(0, 0, 0))),
            (
                Some(Outcome::Helped),
                Outcome::Helped,
                (Outcome::Helped, change(0, 0, 0)),
            ),
        ] {
            assert_eq!(said_of_use(before, said), wanted);
        }
    }
}
