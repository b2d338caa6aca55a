//! Between the priority models of the proto and those of the domain.

use huiyin_chassis::{Refusal, Tenant, sql};
use huiyin_proto::{classifier::v1, r#type::v1 as shared};

pub(crate) use huiyin_proto::classifier::v1::PriorityModel;

use super::{
    domain::{
        Aggregator, Anchor, Band, Cell, Condition, Content, Decision, Dimension, Direction, Effect, Facts, Gate, Given,
        Head, Hit, Level, Manual, NewModel, Override, ReviewMode, ScoreRule, Scored, Scores, Source, UsedFor,
    },
    presets::{Preset, SAME_PROBLEM_DAYS},
};
use crate::{
    classification::convert::{impact, impact_number, sentiment, sentiment_number, tier, tier_number},
    domain::{Impact, Priority, Sentiment, Tier},
    reading::fold,
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
pub(super) fn model(tenant: &Tenant, head: &Head, content: Option<&Content>) -> PriorityModel {
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
pub(super) fn preset(preset: &Preset) -> PriorityModel {
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

/// A model that a caller wants to make or to try. The rules of the proto hold already; where an enum is none of ours all the same,
/// every such field is named, below `field`.
pub(super) fn new_model(proto: PriorityModel, field: &str) -> Result<NewModel, Refusal> {
    let mut reader = Reader {
        root: field,
        found: Vec::new(),
    };
    let used = reader.read("use", used_for(proto.r#use), UsedFor::Case);
    let content = reader.content(&proto);
    if reader.found.is_empty() {
        Ok(NewModel {
            used_for: used,
            preset: String::new(),
            display_name: proto.display_name,
            change_reason: proto.change_reason,
            content,
        })
    } else {
        Err(Refusal::invalid(reader.found))
    }
}

/// Reads enums and notes every one that is none.
struct Reader<'f> {
    root: &'f str,
    found: Vec<(String, String)>,
}

impl Reader<'_> {
    fn read<T>(&mut self, field: &str, value: Option<T>, otherwise: T) -> T {
        value.unwrap_or_else(|| {
            self.found.push((
                format!("{}.{field}", self.root),
                "is not a value of its enum".to_owned(),
            ));
            otherwise
        })
    }

    fn content(&mut self, proto: &PriorityModel) -> Content {
        let level = |level: &v1::PriorityLevel| Level {
            key: level.key.clone(),
            rank: level.rank,
            label: name(level.label.as_ref()),
        };
        let cell = |cell: &v1::LookupCell| Cell {
            scores: cell.scores.clone(),
            composite: cell.composite,
        };
        let band = |band: &v1::PriorityBand| Band {
            priority: band.priority.clone(),
            min_score: band.min_score,
        };
        let manual = proto.manual.unwrap_or(v1::ManualMode {
            allowed: true,
            reason_required: true,
        });
        Content {
            levels: proto.levels.iter().map(level).collect(),
            dimensions: proto
                .dimensions
                .iter()
                .enumerate()
                .map(|(index, dimension)| self.dimension(index, dimension))
                .collect(),
            aggregator: self.read("aggregator", aggregator(proto.aggregator), Aggregator::Sum),
            cells: proto.cells.iter().map(cell).collect(),
            bands: proto.bands.iter().map(band).collect(),
            unscored_priority: proto.unscored_priority.clone(),
            overrides: proto
                .overrides
                .iter()
                .enumerate()
                .map(|(index, rule)| self.override_rule(index, rule))
                .collect(),
            gates: proto
                .reviews
                .iter()
                .enumerate()
                .map(|(index, gate)| self.gate(index, gate))
                .collect(),
            manual: Manual {
                allowed: manual.allowed,
                reason_required: manual.reason_required,
            },
            same_problem_days: match proto.same_problem_days {
                0 => SAME_PROBLEM_DAYS,
                days => days,
            },
        }
    }

    fn dimension(&mut self, index: usize, proto: &v1::ScoringDimension) -> Dimension {
        let field = |name: &str| format!("dimensions[{index}].{name}");
        let direction = match proto.direction() {
            v1::ScoreDirection::Unspecified => None,
            v1::ScoreDirection::HigherIsMore => Some(Direction::HigherIsMore),
            v1::ScoreDirection::LowerIsMore => Some(Direction::LowerIsMore),
        };
        let source = match proto.source() {
            v1::ScoreSource::Unspecified => None,
            v1::ScoreSource::Manual => Some(Source::Manual),
            v1::ScoreSource::Rule => Some(Source::Rule),
            v1::ScoreSource::Classifier => Some(Source::Classifier),
        };
        let anchor = |anchor: &v1::ScoreAnchor| Anchor {
            score: anchor.score,
            text: anchor.text.clone(),
        };
        Dimension {
            key: proto.key.clone(),
            display_name: name(proto.display_name.as_ref()),
            min: proto.min,
            max: proto.max,
            weight: if proto.weight == 0.0 { 1.0 } else { proto.weight }, // 0 is taken as 1
            direction: self.read(&field("direction"), direction, Direction::HigherIsMore),
            anchors: proto.anchors.iter().map(anchor).collect(),
            source: self.read(&field("source"), source, Source::Manual),
            rules: proto
                .rules
                .iter()
                .enumerate()
                .map(|(place, rule)| ScoreRule {
                    condition: self.condition(&field(&format!("rules[{place}]")), rule.condition.as_ref()),
                    score: rule.score,
                })
                .collect(),
            default_score: proto.default_score,
        }
    }

    fn override_rule(&mut self, index: usize, proto: &v1::PriorityOverride) -> Override {
        let field = format!("overrides[{index}]");
        Override {
            key: proto.key.clone(),
            condition: self.condition(&field, proto.condition.as_ref()),
            effect: self.read(&format!("{field}.effect"), effect(proto.effect), Effect::Exactly),
            priority: proto.priority.clone(),
            reason: proto.reason.clone(),
        }
    }

    fn gate(&mut self, index: usize, proto: &v1::ReviewGate) -> Gate {
        let mode = match proto.mode() {
            v1::ReviewMode::Unspecified => None,
            v1::ReviewMode::All => Some(ReviewMode::All),
            v1::ReviewMode::Any => Some(ReviewMode::Any),
        };
        Gate {
            priority: proto.priority.clone(),
            roles: proto.roles.clone(),
            mode: self.read(&format!("reviews[{index}].mode"), mode, ReviewMode::All),
            // A part of a second counts as a whole one: nothing is escalated before its time.
            timeout_seconds: proto
                .timeout
                .map(|timeout| timeout.seconds.saturating_add(i64::from(timeout.nanos > 0))),
        }
    }

    fn condition(&mut self, field: &str, proto: Option<&v1::PriorityCondition>) -> Condition {
        let Some(proto) = proto else {
            return Condition::default();
        };
        let at = |name: &str| format!("{field}.condition.{name}");
        Condition {
            categories: proto.categories.clone(),
            tiers: proto
                .tiers
                .iter()
                .map(|number| self.read(&at("tiers"), tier(*number), Tier::Existing))
                .collect(),
            impacts: proto
                .impacts
                .iter()
                .map(|number| self.read(&at("impacts"), impact(*number), Impact::Minor))
                .collect(),
            channels: proto.channels.clone(),
            urgencies: proto.urgencies.clone(),
            product_models: proto.product_models.clone(),
            terms: proto.terms.clone(),
            sentiments: proto
                .sentiments
                .iter()
                .map(|number| self.read(&at("sentiments"), sentiment(*number), Sentiment::Neutral))
                .collect(),
            min_emotion_level: proto.min_emotion_level,
            min_customers: proto.min_customers,
        }
    }
}

fn name(proto: Option<&v1::LocalName>) -> LocalName {
    let v1::LocalName { zh_cn, zh_tw, en } = proto.cloned().unwrap_or_default();
    LocalName { zh_cn, zh_tw, en }
}

/// Facts that a caller gives.
pub(super) fn facts(proto: v1::PriorityFacts) -> Facts {
    let impact = impact(proto.impact).unwrap_or(Impact::Minor);
    Facts {
        categories: proto.categories,
        tier: tier(proto.tier).unwrap_or(Tier::Existing),
        impact,
        impact_words: impact.word().to_owned(),
        channel: proto.channel,
        urgency: proto.stated_urgency,
        emotion_level: proto.emotion_level,
        sentiment: sentiment(proto.sentiment).unwrap_or(Sentiment::Neutral),
        product_model: proto.product_model,
        terms: proto.terms.iter().map(|term| fold::fold_term(term)).collect(),
        customers: proto.customers,
    }
}

/// Scores as a caller gives them: key of the dimension and score, in their order.
pub(crate) fn given(proto: &[v1::DimensionScore]) -> Vec<(String, i32)> {
    proto
        .iter()
        .map(|given| (given.dimension.clone(), given.score))
        .collect()
}

/// The same by dimension, for the engine.
pub(super) fn asked(given: Vec<(String, i32)>) -> Scores {
    let asked = |score| Given {
        score,
        said: String::new(),
    };
    given.into_iter().map(|(key, score)| (key, asked(score))).collect()
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
