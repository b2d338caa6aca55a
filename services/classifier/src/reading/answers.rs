//! What trained models say of a text, beside what the dictionary says: which of the two labels a dimension.
//!
//! A model that is sure enough gives the label. The dictionary wins where it speaks strongly and with one voice, and carries it
//! where the model abstains; a rule that overrides wins over both; people win over all (`classification::domain`).

use std::collections::BTreeMap;

use super::{
    lexicon::{Lexicon, Role},
    scan::Scanned,
    score::Categories,
};
use crate::domain::{Label, Sentiment};

/// The dictionary speaks strongly from this sum of weights on: three plain words, or one to which the tenant gave as much.
const STRONG: f64 = 3.0;
/// And with one voice where this share of the evidence is for the same category.
const AGREED: f64 = 0.75;

/// What a model was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// A dimension, by its key.
    Dimension(String),
    Sentiment,
}

/// What the active model of a task says of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) about: About,
    pub(crate) label: String,
    /// Calibrated, 0 … 1.
    pub(crate) confidence: f64,
    /// True where that is enough for its task.
    pub(crate) sure: bool,
    /// Name of the version.
    pub(crate) model: String,
}

/// The labels in effect.
pub(super) struct Settled {
    pub(super) labels: Vec<Label>,
    /// Index of the main category.
    pub(super) main: Option<usize>,
    /// How the main category was found, as a basis says it; none where the dictionary found it.
    pub(super) found_by: Option<String>,
}

/// Puts the labels of sure models in the place of the dictionary's, and those of overriding rules in the place of either.
pub(super) fn settle(lexicon: &Lexicon, scanned: &Scanned, found: Categories, answers: &[Answer]) -> Settled {
    let mut settled = Settled {
        labels: found.labels,
        main: found.main,
        found_by: None,
    };
    for answer in answers.iter().filter(|answer| answer.sure) {
        let About::Dimension(dimension) = &answer.about else {
            continue;
        };
        let Some(place) = lexicon.dimensions.iter().position(|key| key == dimension) else {
            continue;
        };
        // A category that the taxonomy no longer has is none.
        let category = lexicon
            .categories
            .iter()
            .position(|category| category.dimension == place && category.key == answer.label);
        let Some(category) = category else { continue };
        let by_words = settled.labels.iter().find(|label| label.dimension == *dimension);
        if by_words.is_some_and(|label| {
            label.confidence >= AGREED && weight(lexicon, scanned, place, &label.category) >= STRONG
        }) {
            continue;
        }
        let label = Label {
            dimension: dimension.clone(),
            category: answer.label.clone(),
            confidence: (answer.confidence * 1e4).round() / 1e4,
            model: answer.model.clone(),
            ..Label::default()
        };
        let found_by = format!("by {}, {:.0} % sure", answer.model, answer.confidence * 100.0);
        settled.put(lexicon, (place, category), label, found_by);
    }
    for (dimension, category, rule) in overriding(lexicon, scanned) {
        let label = Label {
            dimension: lexicon.dimensions[dimension].clone(),
            category: lexicon.categories[category].key.clone(),
            confidence: 1.0,
            rule: rule.to_owned(),
            ..Label::default()
        };
        settled.put(
            lexicon,
            (dimension, category),
            label,
            format!("by its rule {rule}, which overrides"),
        );
    }
    settled
}

impl Settled {
    /// Makes a label the only one of its dimension.
    fn put(&mut self, lexicon: &Lexicon, (dimension, category): (usize, usize), label: Label, found_by: String) {
        self.labels.retain(|known| known.dimension != label.dimension);
        self.labels.insert(lexicon.place_among(&self.labels, dimension), label);
        if dimension == 0 {
            self.main = Some(category);
            self.found_by = Some(found_by);
        }
    }
}

/// The category of each dimension for which an overriding rule speaks most, and the key of that rule; of equal ones the first.
fn overriding<'l>(lexicon: &'l Lexicon, scanned: &Scanned) -> Vec<(usize, usize, &'l str)> {
    // By category: what its overriding rules weigh, and the first of them.
    let mut found: BTreeMap<usize, (f64, &str)> = BTreeMap::new();
    for hit in scanned.hits.iter().filter(|hit| !hit.negated) {
        let entry = &lexicon.entries[hit.entry];
        let Some(rule) = entry.rule.as_deref().filter(|_| entry.overrides) else {
            continue;
        };
        for (role, _) in &entry.roles {
            if let Role::Keyword { category, weight } = role
                && !scanned.is_excluded(lexicon, *category, hit)
            {
                found.entry(*category).or_insert((0.0, rule)).0 += weight;
            }
        }
    }
    let mut best: BTreeMap<usize, (usize, f64, &str)> = BTreeMap::new();
    for (category, (weight, rule)) in found {
        let dimension = lexicon.categories[category].dimension;
        if best.get(&dimension).is_none_or(|(_, most, _)| weight > *most) {
            best.insert(dimension, (category, weight, rule));
        }
    }
    let best = best.into_iter();
    best.map(|(dimension, (category, _, rule))| (dimension, category, rule))
        .collect()
}

/// What the words of a text weigh for a category and those above it; those of an excluded one weigh nothing.
fn weight(lexicon: &Lexicon, scanned: &Scanned, dimension: usize, key: &str) -> f64 {
    let speaks_for = |category: usize| {
        let category = &lexicon.categories[category];
        category.dimension == dimension
            && key
                .strip_prefix(category.key.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut sum = 0.0;
    for hit in scanned.hits.iter().filter(|hit| !hit.negated) {
        for (role, _) in &lexicon.entries[hit.entry].roles {
            if let Role::Keyword { category, weight } = role
                && speaks_for(*category)
                && hit.counts(lexicon, role)
                && !scanned.is_excluded(lexicon, *category, hit)
            {
                sum += weight;
            }
        }
    }
    sum
}

/// The sentiment that a sure model gives, and its name.
pub(super) fn sentiment(answers: &[Answer]) -> Option<(Sentiment, &str)> {
    let answer = answers
        .iter()
        .find(|answer| answer.sure && answer.about == About::Sentiment)?;
    Some((Sentiment::of_key(&answer.label)?, &answer.model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::UNCLASSIFIED,
        reading::verdict::{Statement, Verdict, read_with},
        taxonomy::{
            builtin::Builtin,
            domain::{Pattern, Rule},
        },
    };

    const MODEL: &str = "tenants/acme/tasks/nature/models/3";

    fn lexicon() -> Lexicon {
        Lexicon::new(0, &Builtin::load().unwrap().content).unwrap()
    }

    fn verdict(text: &str, answers: &[Answer]) -> Verdict {
        read_with(&lexicon(), Statement::of(text), answers)
    }

    fn nature(label: &str, confidence: f64) -> Answer {
        Answer {
            about: About::Dimension("nature".to_owned()),
            label: label.to_owned(),
            confidence,
            sure: confidence >= 0.6,
            model: MODEL.to_owned(),
        }
    }

    #[test]
    fn a_sure_model_labels_its_dimension_and_the_basis_says_so() {
        let said = verdict("今天下雨", &[nature("logistics.damage", 0.934)]);
        assert_eq!(said.category, "logistics.damage");
        assert_eq!(
            (said.labels[0].model.as_str(), said.labels[0].confidence),
            (MODEL, 0.934)
        );
        assert!(
            said.found_by
                .contains("by tenants/acme/tasks/nature/models/3, 93 % sure"),
            "{}",
            said.found_by
        );
        // Over a single word of the dictionary too; the other dimensions stay the dictionary's.
        let (by_words, by_model) = (
            verdict("应用闪退", &[]),
            verdict("应用闪退", &[nature("logistics.damage", 0.9)]),
        );
        assert_eq!(
            (by_words.category.as_str(), by_model.category.as_str()),
            ("function.crash", "logistics.damage")
        );
        let others = |said: &Verdict| {
            let labels = said.labels.iter().filter(|label| label.dimension != "nature");
            labels.cloned().collect::<Vec<Label>>()
        };
        assert_eq!(others(&by_words), others(&by_model));
    }

    #[test]
    fn a_model_that_abstains_leaves_it_to_the_words() {
        assert_eq!(
            verdict("应用闪退", &[nature("logistics.damage", 0.59)]),
            verdict("应用闪退", &[])
        );
        assert_eq!(
            verdict("今天下雨", &[nature("logistics.damage", 0.3)]).category,
            UNCLASSIFIED
        );
    }

    #[test]
    fn words_that_speak_strongly_win_over_a_model() {
        let text = "应用闪退，一打开就崩溃，总是死机";
        let by_words = verdict(text, &[]);
        assert_eq!(by_words.category, "function.crash");
        assert_eq!(verdict(text, &[nature("logistics.damage", 0.99)]), by_words);
    }

    #[test]
    fn words_of_an_excluded_sentence_weigh_nothing_against_a_model() {
        let mut content = Builtin::load().unwrap().content;
        let crash = content
            .categories
            .iter_mut()
            .find(|category| category.key == "function.crash");
        crash.unwrap().exclusions.push("无人机".to_owned());
        let lexicon = Lexicon::new(0, &content).unwrap();
        // Three words for it, and two of them count nothing.
        let text = "无人机闪退崩溃。应用死机";
        let said = read_with(&lexicon, Statement::of(text), &[nature("logistics.damage", 0.99)]);
        assert_eq!(said.category, "logistics.damage");
    }

    #[test]
    fn a_category_that_the_taxonomy_does_not_have_is_no_answer() {
        assert_eq!(
            verdict("应用闪退", &[nature("no.such", 0.99)]),
            verdict("应用闪退", &[])
        );
        let foreign = Answer {
            about: About::Dimension("no_such".to_owned()),
            ..nature("function.crash", 0.99)
        };
        assert_eq!(verdict("今天下雨", &[foreign]), verdict("今天下雨", &[]));
    }

    /// A rule that overrides wins over the surest model and over other words, and is named.
    #[test]
    fn a_rule_that_overrides_wins_over_model_and_words() {
        let mut content = Builtin::load().unwrap().content;
        let damage = content
            .categories
            .iter_mut()
            .find(|category| category.key == "logistics.damage");
        damage.unwrap().rules.push(Rule {
            key: "box".to_owned(),
            pattern: Pattern::Regex("箱子.{0,4}压扁".to_owned()),
            weight: 0.5,
            product_models: Vec::new(),
            channels: Vec::new(),
            overrides: true,
        });
        let lexicon = Lexicon::new(1, &content).unwrap();
        let sure = [nature("function.crash", 0.99)];
        let said = |text| read_with(&lexicon, Statement::of(text), &sure);
        let text = "箱子被压扁，应用闪退、崩溃、死机";
        let found = said(text);
        assert_eq!(found.category, "logistics.damage");
        let label = &found.labels[0];
        assert_eq!(
            (label.rule.as_str(), label.model.as_str(), label.confidence),
            ("box", "", 1.0)
        );
        assert!(found.found_by.contains("box"), "{}", found.found_by);
        let others = |found: &Verdict| found.labels.iter().filter(|label| label.dimension == "nature").count();
        assert_eq!(others(&found), 1);
        // Turned around it says nothing.
        let turned = said("没有箱子被压扁");
        assert_eq!(
            (turned.category.as_str(), turned.labels[0].model.as_str()),
            ("function.crash", MODEL)
        );
    }

    #[test]
    fn a_sure_model_gives_the_sentiment_and_is_named() {
        let said = Answer {
            about: About::Sentiment,
            label: "NEGATIVE".to_owned(),
            ..nature("", 0.8)
        };
        let found = verdict("谢谢，服务很好", &[said]);
        assert_eq!(
            (found.sentiment, found.sentiment_model.as_str()),
            (Sentiment::Negative, MODEL)
        );
        assert_eq!(verdict("谢谢，服务很好", &[]).sentiment_model, "");
    }
}
