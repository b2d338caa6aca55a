//! From priority models, facts and scores of the proto to those of the domain.

use huiyin_chassis::Refusal;
use huiyin_proto::classifier::v1::{self, PriorityModel};

use super::{aggregator, effect, used_for};
use crate::{
    classification::convert::{impact, sentiment, tier},
    domain::{Impact, Sentiment, Tier},
    priority::{
        domain::{
            Aggregator, Anchor, Band, Cell, Condition, Content, Dimension, Direction, Effect, Facts, Gate, Given,
            Level, Manual, NewModel, Override, ReviewMode, ScoreRule, Scores, Source, UsedFor,
        },
        presets::SAME_PROBLEM_DAYS,
    },
    reading::fold,
    taxonomy::domain::LocalName,
};

/// A model that a caller wants to make or to try. The rules of the proto hold already; where an enum is none of ours all the same,
/// every such field is named, below `field`.
pub(in crate::priority) fn new_model(proto: PriorityModel, field: &str) -> Result<NewModel, Refusal> {
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
pub(in crate::priority) fn facts(proto: v1::PriorityFacts) -> Facts {
    let impact = impact(proto.impact).unwrap_or(Impact::Minor);
    Facts {
        categories: proto.categories,
        main_categories: Vec::new(),
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
pub(in crate::priority) fn asked(given: Vec<(String, i32)>) -> Scores {
    let asked = |score| Given {
        score,
        said: String::new(),
    };
    given.into_iter().map(|(key, score)| (key, asked(score))).collect()
}
