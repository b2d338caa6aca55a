//! Rules beyond single words: phrases with gaps and regular expressions, with the feedback that they hold for.

use std::collections::{BTreeMap, HashSet};

use regex::{Regex, RegexBuilder, RegexSetBuilder};

use super::{fold, sentence::ends_sentence, work};
use crate::taxonomy::domain::{Pattern, Rule};

/// So many matches of one rule count in one text.
const MATCHES: usize = 32;
/// A compiled regular expression takes no more, and all of a version together no more either: how long a text takes goes by it.
const REGEX_BYTES: usize = 256 << 10;
/// Searching with an expression takes so much memory, forwards and backwards.
const SEARCH_BYTES: usize = 2 * REGEX_BYTES;

/// A phrase whose words are in the automaton.
#[derive(Debug)]
struct Phrase {
    /// Index of the lexicon's entry of its rule.
    entry: usize,
    /// How many words it has.
    parts: usize,
    /// Code points between one and the next, at most.
    gap: usize,
}

#[derive(Debug)]
struct Expression {
    entry: usize,
    regex: Regex,
}

/// For which feedback a rule holds.
#[derive(Debug, Default)]
struct Condition {
    /// Folded; empty is no condition.
    product_models: HashSet<String>,
    channels: Vec<i32>,
}

/// All rules of a version.
#[derive(Debug, Default)]
pub(super) struct Rules {
    phrases: Vec<Phrase>,
    expressions: Vec<Expression>,
    /// By the entry of the rule; one without is without conditions.
    conditions: BTreeMap<usize, Condition>,
}

/// Where the words of phrases stand in a text, phrase by phrase and word by word.
#[derive(Debug, Default)]
pub(super) struct Parts(BTreeMap<usize, Vec<Vec<(usize, usize)>>>);

/// A place where a rule holds, in bytes of the folded text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    /// Index of the lexicon's entry of the rule.
    pub(super) entry: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its first word ends.
    pub(super) head: usize,
    /// What stands between its words.
    pub(super) gaps: Vec<(usize, usize)>,
}

/// What of a feedback the conditions of rules ask for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About<'f> {
    pub(crate) product_model: &'f str,
    pub(crate) channel: i32,
}

/// Compiles a regular expression as it is held against folded texts.
///
/// # Errors
/// Why it is none, in words: its syntax, its size, or that it matches the empty text.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let compiled = RegexBuilder::new(&fold::simplify(pattern))
        .case_insensitive(true)
        .size_limit(REGEX_BYTES)
        .dfa_size_limit(REGEX_BYTES)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is too large when it is compiled".to_owned(),
            // The last line says what is wrong, those before it draw where.
            error => format!(
                "is no regular expression: {}",
                error.to_string().lines().last().unwrap_or_default()
            ),
        })?;
    if compiled.is_match("") {
        return Err("must not match the empty text".to_owned());
    }
    Ok(compiled)
}

/// True where regular expressions fit into the bounds of a version together; one that is none counts nothing.
pub(crate) fn fit_together<'p>(patterns: impl Iterator<Item = &'p str>) -> bool {
    let together = RegexSetBuilder::new(patterns.map(fold::simplify))
        .case_insensitive(true)
        .size_limit(REGEX_BYTES)
        .nest_limit(50)
        .build();
    !matches!(together, Err(regex::Error::CompiledTooBig(_)))
}

impl Rules {
    /// True where a text is searched with regular expressions: the time that takes is the author's to choose.
    pub(super) fn has_expressions(&self) -> bool {
        !self.expressions.is_empty()
    }

    /// Bytes of memory that the expressions take at most, about.
    pub(super) fn bytes(&self) -> usize {
        self.expressions.len() * SEARCH_BYTES
    }

    /// Takes a rule in, whose matches are those of `entry`; the words of a phrase come back, to be looked for.
    ///
    /// # Errors
    /// See [`compile`].
    pub(super) fn add(&mut self, rule: &Rule, entry: usize) -> Result<Option<(usize, Vec<String>)>, String> {
        if !rule.product_models.is_empty() || !rule.channels.is_empty() {
            let condition = Condition {
                product_models: rule.product_models.iter().map(|model| fold::fold_term(model)).collect(),
                channels: rule.channels.clone(),
            };
            self.conditions.insert(entry, condition);
        }
        match &rule.pattern {
            Pattern::Phrase { parts, gap } => {
                self.phrases.push(Phrase {
                    entry,
                    parts: parts.len(),
                    gap: *gap,
                });
                Ok(Some((self.phrases.len() - 1, parts.clone())))
            }
            Pattern::Regex(pattern) => {
                let regex = compile(pattern)?;
                self.expressions.push(Expression { entry, regex });
                Ok(None)
            }
        }
    }

    /// True where the rule of this entry has a condition.
    pub(super) fn is_conditional(&self, entry: usize) -> bool {
        self.conditions.contains_key(&entry)
    }

    /// Every place in a folded text where a rule holds.
    pub(super) fn matches(&self, text: &str, parts: &Parts, about: About<'_>) -> Vec<Match> {
        let mut found = Vec::new();
        let model = if self.conditions.is_empty() {
            String::new()
        } else {
            fold::fold_term(about.product_model)
        };
        let holds = |entry: usize| {
            self.conditions.get(&entry).is_none_or(|condition| {
                (condition.product_models.is_empty() || condition.product_models.contains(&model))
                    && (condition.channels.is_empty() || condition.channels.contains(&about.channel))
            })
        };
        for (phrase, places) in &parts.0 {
            let phrase = &self.phrases[*phrase];
            if holds(phrase.entry) && places.iter().all(|places| !places.is_empty()) {
                phrase.matches(text, places, &mut found);
            }
        }
        for expression in &self.expressions {
            if !holds(expression.entry) {
                continue;
            }
            // One search is linear, and looks through all of the text where it finds nothing; there are so many at most.
            work::count(text.len());
            for place in expression.regex.find_iter(text).take(MATCHES) {
                work::count(place.len());
                if !place.is_empty() {
                    found.push(Match {
                        entry: expression.entry,
                        start: place.start(),
                        end: place.end(),
                        head: place.end(),
                        gaps: Vec::new(),
                    });
                }
            }
        }
        found
    }

    /// How many words a phrase has.
    pub(super) fn parts(&self, phrase: usize) -> usize {
        self.phrases[phrase].parts
    }
}

impl Parts {
    /// A word of a phrase stands here.
    pub(super) fn note(&mut self, rules: &Rules, (phrase, part): (usize, usize), place: (usize, usize)) {
        let places = self
            .0
            .entry(phrase)
            .or_insert_with(|| vec![Vec::new(); rules.parts(phrase)]);
        places[part].push(place);
    }
}

impl Phrase {
    /// Chains the places of its words. Those of one word are of one length, so that they rise in their beginnings and their ends;
    /// of the chains that a word may go on, the one that ends last is as good as any.
    fn matches(&self, text: &str, places: &[Vec<(usize, usize)>], found: &mut Vec<Match>) {
        let Some((first, others)) = places.split_first() else {
            return;
        };
        let mut chains: Vec<Match> = first
            .iter()
            .map(|(start, end)| Match {
                entry: self.entry,
                start: *start,
                end: *end,
                head: *end,
                gaps: Vec::new(),
            })
            .collect();
        for places in others {
            let mut longer = Vec::new();
            let mut next = 0;
            for (start, end) in places {
                work::count(1);
                while next < chains.len() && chains[next].end <= *start {
                    next += 1;
                }
                let Some(chain) = next.checked_sub(1).map(|last| &chains[last]) else {
                    continue;
                };
                if self.spans(text, chain.end, *start) {
                    let mut gaps = chain.gaps.clone();
                    gaps.push((chain.end, *start));
                    longer.push(Match {
                        end: *end,
                        gaps,
                        ..chain.clone()
                    });
                }
            }
            chains = longer;
        }
        // One beginning counts once: with the nearest end.
        chains.dedup_by_key(|chain| chain.start);
        chains.truncate(MATCHES);
        found.append(&mut chains);
    }

    /// True where the gap is short enough and no sentence ends in it.
    fn spans(&self, text: &str, from: usize, to: usize) -> bool {
        let gap = &text[from..to];
        if gap.len() > self.gap * 4 {
            return false; // a code point has four bytes at most
        }
        work::count(gap.len());
        let mut characters = gap.chars().peekable();
        let mut length = 0;
        while let Some(character) = characters.next() {
            length += 1;
            if ends_sentence(character, characters.peek().copied()) {
                return false;
            }
        }
        length <= self.gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reading::{
            lexicon::Lexicon,
            verdict::{Statement, read},
        },
        taxonomy::builtin::Builtin,
    };

    #[test]
    fn a_regular_expression_is_checked_before_it_is_kept() {
        assert!(compile("订单号?\\d{6,}").is_ok());
        assert_eq!(compile("a*").unwrap_err(), "must not match the empty text");
        assert_eq!(compile("\\w{500}{50}").unwrap_err(), "is too large when it is compiled");
        assert!(compile("(").unwrap_err().starts_with("is no regular expression"));
        assert!(compile("(?=x)y").unwrap_err().contains("look-around"));
        assert!(compile("訂單").unwrap().is_match("订单"), "as folded texts are");
    }

    fn phrase(key: &str, parts: [&str; 2]) -> Rule {
        Rule {
            key: key.to_owned(),
            pattern: Pattern::Phrase {
                parts: parts.map(str::to_owned).to_vec(),
                gap: 4,
            },
            weight: 1.0,
            product_models: Vec::new(),
            channels: Vec::new(),
            overrides: false,
        }
    }

    #[test]
    fn a_negation_in_a_gap_is_seen_behind_a_phrase_that_goes_beyond_it() {
        let mut content = Builtin::load().unwrap().content;
        content.categories[0].rules = vec![phrase("broken", ["屏幕", "裂"]), phrase("sure", ["真的", "裂"])];
        let lexicon = Lexicon::new(0, &content).unwrap();
        let spans = read(&lexicon, Statement::of("屏幕真的没裂")).spans;
        for key in ["broken", "sure"] {
            let span = spans.iter().find(|span| span.rule == key);
            assert!(span.is_some_and(|span| span.negated), "{key}: {span:?}");
        }
    }

    fn matched(parts: &[&str], gap: usize, text: &str) -> Vec<String> {
        let mut rules = Rules::default();
        let rule = Rule {
            key: "r".to_owned(),
            pattern: Pattern::Phrase {
                parts: parts.iter().map(|part| (*part).to_owned()).collect(),
                gap,
            },
            weight: 1.0,
            product_models: Vec::new(),
            channels: Vec::new(),
            overrides: false,
        };
        let (phrase, words) = rules.add(&rule, 7).unwrap().unwrap();
        let mut places = Parts::default();
        for (part, word) in words.iter().enumerate() {
            for (start, _) in text.match_indices(word.as_str()) {
                places.note(&rules, (phrase, part), (start, start + word.len()));
            }
        }
        rules
            .matches(text, &places, About::default())
            .into_iter()
            .map(|found| text[found.start..found.end].to_owned())
            .collect()
    }

    #[test]
    fn a_phrase_spans_its_gap_and_no_more() {
        assert_eq!(matched(&["屏幕", "碎"], 4, "屏幕摔了就碎了"), ["屏幕摔了就碎"]);
        assert!(matched(&["屏幕", "碎"], 2, "屏幕摔了就碎了").is_empty());
        assert!(
            matched(&["屏幕", "碎"], 9, "屏幕好。心碎").is_empty(),
            "a sentence ends"
        );
        assert!(matched(&["屏幕", "碎"], 9, "碎了屏幕").is_empty(), "the order counts");
        assert_eq!(matched(&["屏幕", "碎"], 3, "屏幕屏幕碎碎"), ["屏幕碎"]);
        assert_eq!(matched(&["a", "b", "c"], 1, "a b c, a b x c"), ["a b c"]);
        assert_eq!(matched(&["碎"], 0, "碎了又碎"), ["碎", "碎"]);
    }
}
