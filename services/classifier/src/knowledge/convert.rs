//! Between articles of the domain and those of the proto.

use std::ops::Range;

use huiyin_chassis::{Caller, Tenant, sql};
use huiyin_proto::classifier::v1;

pub(super) use huiyin_proto::classifier::v1::Article as Answer;

use super::{
    domain::{Article, Content, Outcome, Sees, State, Uses},
    finding::Hit,
};

/// The part of a name behind `tenants/{tenant}/`.
pub(super) const ARTICLES: &str = "articles";
/// Who holds it sees all; others what is for customers.
const READS: &str = "classifier.articles.read";

/// A state; none where the number is none of ours.
pub(super) fn state(number: i32) -> Option<State> {
    match v1::ArticleState::try_from(number) {
        Ok(v1::ArticleState::Draft) => Some(State::Draft),
        Ok(v1::ArticleState::Published) => Some(State::Published),
        Ok(v1::ArticleState::Archived) => Some(State::Archived),
        Ok(v1::ArticleState::Unspecified) | Err(_) => None,
    }
}

/// The number of a state.
pub(super) fn state_number(state: State) -> i32 {
    match state {
        State::Draft => v1::ArticleState::Draft,
        State::Published => v1::ArticleState::Published,
        State::Archived => v1::ArticleState::Archived,
    }
    .into()
}

/// An outcome; none where the number is none of ours.
pub(super) fn outcome(number: i32) -> Option<Outcome> {
    match v1::ArticleOutcome::try_from(number) {
        Ok(v1::ArticleOutcome::Used) => Some(Outcome::Used),
        Ok(v1::ArticleOutcome::Helped) => Some(Outcome::Helped),
        Ok(v1::ArticleOutcome::NotHelped) => Some(Outcome::NotHelped),
        Ok(v1::ArticleOutcome::Unspecified) | Err(_) => None,
    }
}

/// The number of an outcome.
pub(super) fn outcome_number(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Used => v1::ArticleOutcome::Used,
        Outcome::Helped => v1::ArticleOutcome::Helped,
        Outcome::NotHelped => v1::ArticleOutcome::NotHelped,
    }
    .into()
}

/// True for an audience with customers in it.
pub(super) fn is_for_customers(audience: i32) -> bool {
    audience == audience_number(true)
}

/// The number of an audience.
pub(super) fn audience_number(for_customers: bool) -> i32 {
    if for_customers {
        v1::ArticleAudience::Customers
    } else {
        v1::ArticleAudience::Agents
    }
    .into()
}

/// What a caller may be shown, where it asks for an audience.
pub(super) fn sees(caller: &Caller, audience: i32) -> Sees {
    if caller.may(READS) && !is_for_customers(audience) {
        Sees::All
    } else {
        Sees::ForCustomers
    }
}

/// What a person writes.
pub(super) fn content(article: v1::Article) -> Content {
    Content {
        kind: article.kind,
        locale: article.locale,
        title: article.title,
        body: article.body,
        categories: article.categories,
        product_models: article.product_models,
        keywords: article.keywords,
        for_customers: is_for_customers(article.audience),
        change_reason: article.change_reason,
    }
}

fn uses(uses: Uses) -> v1::ArticleUses {
    v1::ArticleUses {
        used: uses.used,
        helped: uses.helped,
        not_helped: uses.not_helped,
    }
}

/// An article for the wire.
pub(super) fn article(tenant: &Tenant, article: &Article) -> v1::Article {
    let version = &article.version;
    let content = version.content.clone();
    v1::Article {
        name: tenant.child(ARTICLES, article.id),
        version: version.version,
        kind: content.kind,
        locale: content.locale,
        title: content.title,
        body: content.body,
        categories: content.categories,
        product_models: content.product_models,
        keywords: content.keywords,
        audience: audience_number(content.for_customers),
        change_reason: content.change_reason,
        state: state_number(version.state),
        author: version.author.clone(),
        publisher: version.publisher.clone(),
        published_versions: article.published.clone(),
        uses: Some(uses(article.uses)),
        version_uses: Some(uses(version.uses)),
        etag: article.revision.to_string(),
        create_time: Some(sql::to_proto(article.create_time)),
        update_time: Some(sql::to_proto(article.update_time)),
        version_create_time: Some(sql::to_proto(version.create_time)),
        publish_time: version.publish_time.map(sql::to_proto),
    }
}

fn range(range: &Range<u32>) -> v1::TextRange {
    // A body has 50,000 code points at most.
    let place = |place: u32| i32::try_from(place).unwrap_or(i32::MAX);
    v1::TextRange {
        start: place(range.start),
        end: place(range.end),
    }
}

/// What was found, for the wire.
pub(super) fn hit(tenant: &Tenant, hit: Hit) -> v1::ArticleHit {
    v1::ArticleHit {
        article: Some(article(tenant, &hit.article)),
        score: hit.score,
        title_highlights: hit.title.iter().map(range).collect(),
        excerpt_start: i32::try_from(hit.excerpt.start).unwrap_or(i32::MAX),
        excerpt_highlights: hit.excerpt.highlights.iter().map(range).collect(),
        excerpt: hit.excerpt.text,
    }
}
