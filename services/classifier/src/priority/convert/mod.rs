//! Between the priority models of the proto and those of the domain; [`read`] is the way in.

mod read;

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::{classifier::v1, r#type::v1 as shared};

pub(crate) use huiyin_proto::classifier::v1::PriorityModel;

pub(crate) use read::given;
pub(in crate::priority) use read::{asked, facts, new_model};

use super::{
    domain::{
        Aggregator, Anchor, Band, Cell, Condition, Content, Decision, Dimension, Direction, Effect, Gate, Head, Hit,
        Level, Override, ReviewMode, ScoreRule, Scored, Source, UsedFor,
    },
    presets::Preset,
};
use crate::{
    classification::convert::{impact_number, sentiment_number, tier_number},
    domain::Priority,
    taxonomy::domain::LocalName,
};

/// A use; none where it was not said or is not one of ours.
pub(crate) fn used_for(number: i32) -> Option<UsedFor> {
    match v1::PriorityUse::try_from(number) {
        Ok(v1::PriorityUse::Case) => Some(UsedFor::Case),
        Ok(v1::PriorityUse::Improvement) => Some(UsedFor::Improvement),
        Ok(v1::PriorityUse::Unspecified) | Err(_) => None,
    }
}

/// The number of a use.
pub(crate) fn used_for_number(used: UsedFor) -> i32 {
    match used {
        UsedFor::Case => v1::PriorityUse::Case,
        UsedFor::Improvement => v1::PriorityUse::Improvement,
    }
    .into()
}

fn effect(number: i32) -> Option<Effect> {
    match v1::OverrideEffect::try_from(number) {
        Ok(v1::OverrideEffect::AtLeast) => Some(Effect::AtLeast),
        Ok(v1::OverrideEffect::AtMost) => Some(Effect::AtMost),
        Ok(v1::OverrideEffect::Exactly) => Some(Effect::Exactly),
        Ok(v1::OverrideEffect::Unspecified) | Err(_) => None,
    }
}

fn effect_number(effect: Effect) -> i32 {
    match effect {
        Effect::AtLeast => v1::OverrideEffect::AtLeast,
        Effect::AtMost => v1::OverrideEffect::AtMost,
        Effect::Exactly => v1::OverrideEffect::Exactly,
    }
    .into()
}

fn aggregator(number: i32) -> Option<Aggregator> {
    match v1::PriorityAggregator::try_from(number) {
        Ok(v1::PriorityAggregator::Sum) => Some(Aggregator::Sum),
        Ok(v1::PriorityAggregator::WeightedSum) => Some(Aggregator::WeightedSum),
        Ok(v1::PriorityAggregator::Product) => Some(Aggregator::Product),
        Ok(v1::PriorityAggregator::GeometricMean) => Some(Aggregator::GeometricMean),
        Ok(v1::PriorityAggregator::Max) => Some(Aggregator::Max),
        Ok(v1::PriorityAggregator::LookupMatrix) => Some(Aggregator::LookupMatrix),
        Ok(v1::PriorityAggregator::Unspecified) | Err(_) => None,
    }
}

fn aggregator_number(aggregator: Aggregator) -> i32 {
    match aggregator {
        Aggregator::Sum => v1::PriorityAggregator::Sum,
        Aggregator::WeightedSum => v1::PriorityAggregator::WeightedSum,
        Aggregator::Product => v1::PriorityAggregator::Product,
        Aggregator::GeometricMean => v1::PriorityAggregator::GeometricMean,
        Aggregator::Max => v1::PriorityAggregator::Max,
        Aggregator::LookupMatrix => v1::PriorityAggregator::LookupMatrix,
    }
    .into()
}

/// Whose approval is waited for, as its number.
pub(crate) fn review_mode_number(mode: ReviewMode) -> i32 {
    match mode {
        ReviewMode::All => v1::ReviewMode::All,
        ReviewMode::Any => v1::ReviewMode::Any,
    }
    .into()
}

/// A priority for the wire.
pub(crate) fn priority(priority: &Priority) -> shared::Priority {
    shared::Priority {
        key: priority.key.clone(),
        rank: priority.rank,
    }
}

fn local_name(name: &LocalName) -> v1::LocalName {
    v1::LocalName {
        zh_cn: name.zh_cn.clone(),
        zh_tw: name.zh_tw.clone(),
        en: name.en.clone(),
    }
}

/// A version for the wire; without its content in lists.
pub(in crate::priority) fn model(tenant: &Tenant, head: &Head, content: Option<&Content>) -> PriorityModel {
    PriorityModel {
        name: tenant.child(
            "priorityModels",
            format_args!("{}-{}", head.used_for.key(), head.version),
        ),
        r#use: used_for_number(head.used_for),
        version: head.version,
        preset: head.preset.clone(),
        display_name: head.display_name.clone(),
        change_reason: head.change_reason.clone(),
        active: head.active,
        author: head.author.clone(),
        etag: head.revision.to_string(),
        create_time: Some(sql::to_proto(head.create_time)),
        activate_time: head.activate_time.map(sql::to_proto),
        ..content.map(whole).unwrap_or_default()
    }
}

/// A preset for the wire.
pub(in crate::priority) fn preset(preset: &Preset) -> PriorityModel {
    PriorityModel {
        r#use: used_for_number(preset.used_for),
        preset: preset.key.to_owned(),
        display_name: preset.display_name.clone(),
        change_reason: preset.change_reason.clone(),
        author: crate::domain::SYSTEM.to_owned(),
        create_time: Some(sql::to_proto(preset.made)),
        ..whole(&preset.content)
    }
}

fn whole(content: &Content) -> PriorityModel {
    let level = |level: &Level| v1::PriorityLevel {
        key: level.key.clone(),
        rank: level.rank,
        label: Some(local_name(&level.label)),
    };
    let cell = |cell: &Cell| v1::LookupCell {
        scores: cell.scores.clone(),
        composite: cell.composite,
    };
    let band = |band: &Band| v1::PriorityBand {
        priority: band.priority.clone(),
        min_score: band.min_score,
    };
    let rule = |rule: &Override| v1::PriorityOverride {
        key: rule.key.clone(),
        effect: effect_number(rule.effect),
        priority: rule.priority.clone(),
        reason: rule.reason.clone(),
        condition: Some(condition(&rule.condition)),
    };
    let gate = |gate: &Gate| v1::ReviewGate {
        priority: gate.priority.clone(),
        roles: gate.roles.clone(),
        mode: review_mode_number(gate.mode),
        timeout: gate
            .timeout_seconds
            .map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
    };
    PriorityModel {
        levels: content.levels.iter().map(level).collect(),
        overrides: content.overrides.iter().map(rule).collect(),
        dimensions: content.dimensions.iter().map(dimension).collect(),
        aggregator: aggregator_number(content.aggregator),
        cells: content.cells.iter().map(cell).collect(),
        bands: content.bands.iter().map(band).collect(),
        unscored_priority: content.unscored_priority.clone(),
        reviews: content.gates.iter().map(gate).collect(),
        manual: Some(v1::ManualMode {
            allowed: content.manual.allowed,
            reason_required: content.manual.reason_required,
        }),
        same_problem_days: content.same_problem_days,
        ..PriorityModel::default()
    }
}

fn dimension(dimension: &Dimension) -> v1::ScoringDimension {
    let direction = match dimension.direction {
        Direction::HigherIsMore => v1::ScoreDirection::HigherIsMore,
        Direction::LowerIsMore => v1::ScoreDirection::LowerIsMore,
    };
    let source = match dimension.source {
        Source::Manual => v1::ScoreSource::Manual,
        Source::Rule => v1::ScoreSource::Rule,
        Source::Classifier => v1::ScoreSource::Classifier,
    };
    let anchor = |anchor: &Anchor| v1::ScoreAnchor {
        score: anchor.score,
        text: anchor.text.clone(),
    };
    let rule = |rule: &ScoreRule| v1::ScoreRule {
        condition: Some(condition(&rule.condition)),
        score: rule.score,
    };
    v1::ScoringDimension {
        key: dimension.key.clone(),
        display_name: Some(local_name(&dimension.display_name)),
        min: dimension.min,
        max: dimension.max,
        weight: dimension.weight,
        direction: direction.into(),
        anchors: dimension.anchors.iter().map(anchor).collect(),
        source: source.into(),
        rules: dimension.rules.iter().map(rule).collect(),
        default_score: dimension.default_score,
    }
}

fn condition(condition: &Condition) -> v1::PriorityCondition {
    v1::PriorityCondition {
        categories: condition.categories.clone(),
        tiers: condition.tiers.iter().copied().map(tier_number).collect(),
        impacts: condition.impacts.iter().copied().map(impact_number).collect(),
        channels: condition.channels.clone(),
        urgencies: condition.urgencies.clone(),
        product_models: condition.product_models.clone(),
        terms: condition.terms.clone(),
        sentiments: condition.sentiments.iter().copied().map(sentiment_number).collect(),
        min_emotion_level: condition.min_emotion_level,
        min_customers: condition.min_customers,
    }
}

/// A decision for the wire.
pub(crate) fn decision(decision: &Decision) -> v1::PriorityDecision {
    let scored = |scored: &Scored| v1::ScoredDimension {
        dimension: scored.dimension.clone(),
        score: scored.score,
        said: scored.said.clone(),
    };
    let hit = |hit: &Hit| v1::OverrideHit {
        key: hit.key.clone(),
        effect: effect_number(hit.effect),
        priority: Some(priority(&hit.priority)),
        reason: hit.reason.clone(),
        decided: hit.decided,
    };
    v1::PriorityDecision {
        model_version: decision.model_version,
        scores: decision.scores.iter().map(scored).collect(),
        composite: decision.composite,
        banded: Some(priority(&decision.banded)),
        overrides: decision.overrides.iter().map(hit).collect(),
        priority: Some(priority(&decision.priority)),
        steps: decision.steps.clone(),
        review_roles: decision.review_roles.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::priority::presets;

    /// What ListPriorityPresets answers can be changed a little and given to CreatePriorityModel.
    #[test]
    fn every_preset_survives_the_wire() {
        for shipped in presets::load().unwrap() {
            let read = new_model(preset(&shipped), "priority_model").unwrap();
            assert_eq!(
                (read.used_for, read.content),
                (shipped.used_for, shipped.content),
                "{}",
                shipped.key
            );
        }
    }
}
