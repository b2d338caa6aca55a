//! What the rules find in a text, as features of a trained model beside its words: categories with their weight, what is negated, the tone.

use super::{answers::About, lexicon::Role, scan::Hit, score, verdict::Scan};
use crate::learning::hint;

/// Weights are told apart up to so many plain words.
const HEAVIEST: f64 = 4.0;

impl Scan<'_> {
    /// The features for what a model is asked about; a pure function of the text and the version of the taxonomy. Rules that hold only for
    /// some products or channels are left out: what a model learnt from says neither.
    pub(crate) fn hints(&self, about: &About) -> Vec<u32> {
        let (lexicon, scanned) = (self.lexicon, &self.scanned);
        let dimension = match about {
            About::Sentiment => Some(0),
            About::Dimension(key) => lexicon.dimensions.iter().position(|known| known == key),
        };
        let counts = |hit: &Hit| !lexicon.is_conditional(hit.entry);
        let mut hints = Vec::new();
        if let Some(dimension) = dimension {
            let votes = score::votes(lexicon, scanned, counts);
            for (place, (category, _)) in score::best(lexicon, &votes, dimension).into_iter().enumerate() {
                let key = lexicon.categories[category].key.as_str();
                hints.push(hint(&["found", key]));
                if place == 0 {
                    let weight = votes[category].min(HEAVIEST).floor();
                    hints.push(hint(&["best", key]));
                    hints.push(hint(&["weight", key, &weight.to_string()]));
                }
            }
            for hit in scanned.hits.iter().filter(|hit| hit.negated && counts(hit)) {
                for (role, _) in &lexicon.entries[hit.entry].roles {
                    if let Role::Keyword { category, .. } = role
                        && lexicon.categories[*category].dimension == dimension
                        && hit.counts(lexicon, role)
                    {
                        hints.push(hint(&["negated", &lexicon.categories[*category].key]));
                    }
                }
            }
        }
        self.tone(&mut hints);
        hints.sort_unstable();
        hints.dedup();
        hints
    }

    /// How it sounds, where a word of it has a tone.
    fn tone(&self, hints: &mut Vec<u32>) {
        let (lexicon, hits) = (self.lexicon, &self.scanned.hits);
        let has_tone = |hit: &&Hit| {
            let mut roles = lexicon.entries[hit.entry].roles.iter();
            roles.any(|(role, _)| matches!(role, Role::Tone(_)) && hit.counts(lexicon, role))
        };
        let mut toned = hits.iter().filter(has_tone).peekable();
        if toned.peek().is_none() {
            return;
        }
        if toned.any(|hit| hit.negated != hit.asked) {
            hints.push(hint(&["turned"]));
        }
        let (score, tendency) = score::sentiment(lexicon, hits);
        hints.push(hint(&["tendency", tendency.key()]));
        hints.push(hint(&["tone", &(score * HEAVIEST).round().to_string()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reading::{lexicon::Lexicon, verdict::Statement},
        taxonomy::builtin::Builtin,
    };

    fn lexicon() -> Lexicon {
        Lexicon::new(0, &Builtin::load().unwrap().content).unwrap()
    }

    #[test]
    fn what_the_rules_find_weigh_and_turn_is_told_apart() {
        let lexicon = lexicon();
        let nature = About::Dimension("nature".to_owned());
        let hints = |text| Scan::new(&lexicon, Statement::of(text)).hints(&nature);
        let found = hint(&["best", "function.crash"]);
        let negated = hint(&["negated", "function.crash"]);
        assert!(hints("应用闪退").contains(&found) && !hints("应用闪退").contains(&negated));
        assert!(!hints("没有闪退").contains(&found) && hints("没有闪退").contains(&negated));
        assert_ne!(hints("应用闪退"), hints("应用闪退，总是闪退，一直闪退"), "its weight");
        assert!(hints("谢谢，很好").contains(&hint(&["tendency", "POSITIVE"])));
        assert!(hints("今天下雨").is_empty());
    }

    proptest::proptest! {
        /// Training and reading agree: the same text has the same features, whatever was stated with it.
        #[test]
        fn features_depend_on_the_text_alone(text in "(\\PC{0,10}|不|没有|闪退|起火|好吃|crash|not|,|。| ){0,8}", channel in 0..9_i32) {
            let lexicon = SHARED.get_or_init(lexicon);
            let stated = Statement { product_model: "X1", channel, emotion_level: 5, ..Statement::of(&text) };
            for about in [About::Sentiment, About::Dimension("nature".to_owned()), About::Dimension("none".to_owned())] {
                proptest::prop_assert_eq!(
                    Scan::new(lexicon, stated).hints(&about),
                    Scan::new(lexicon, Statement::of(&text)).hints(&about)
                );
            }
        }
    }

    static SHARED: std::sync::OnceLock<Lexicon> = std::sync::OnceLock::new();
}
