//! A version of a taxonomy, ready to read with: all its words in one automaton, and what categories inherit, resolved.

use std::{collections::HashMap, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::fold;
use crate::{domain::Impact, taxonomy::domain::Content};

/// What a word does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// Speaks for the category of this index.
    Keyword { category: usize, weight: f64 },
    /// Sounds good or bad.
    Tone(f64),
    /// Says how bad it is.
    Impact(Impact),
    /// Turns around what follows.
    Negation,
    /// Strengthens or weakens what follows.
    Degree(f64),
}

impl Role {
    fn category(&self) -> Option<usize> {
        if let Self::Keyword { category, .. } = self {
            Some(*category)
        } else {
            None
        }
    }
}

/// A word, found once, with everything that it does.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Each role with the spelling under which the taxonomy has it.
    pub(crate) roles: Vec<(Role, Arc<str>)>,
    /// Indices of the dimensions in which it is a keyword.
    pub(crate) dimensions: Vec<usize>,
    /// True where the word begins with a letter or digit that must not have another before it.
    pub(crate) bound_before: bool,
    /// True where it ends with one that must not have another behind it.
    pub(crate) bound_behind: bool,
    /// True for a word of a single character: its negation reaches less far.
    pub(crate) short: bool,
}

/// A category with what it inherits.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) key: String,
    /// Index of its dimension.
    pub(crate) dimension: usize,
    /// Index of its parent.
    pub(crate) parent: Option<usize>,
    pub(crate) skills: Vec<String>,
    pub(crate) department: String,
    pub(crate) default_impact: Impact,
}

/// A taxonomy, ready.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(crate) version: i32,
    automaton: AhoCorasick,
    pub(crate) entries: Vec<Entry>,
    pub(crate) categories: Vec<Resolved>,
    /// Keys, the main one first.
    pub(crate) dimensions: Vec<String>,
    pub(crate) negative_below: f64,
    pub(crate) positive_above: f64,
}

impl Lexicon {
    /// Makes a version ready.
    ///
    /// # Errors
    /// Where its words are more than an automaton holds; the limits of the proto are far below.
    pub(crate) fn new(version: i32, content: &Content) -> Result<Self, aho_corasick::BuildError> {
        let mut words = Words::default();
        for (category, entry) in content.categories.iter().enumerate() {
            for keyword in &entry.keywords {
                words.add(
                    &keyword.term,
                    Role::Keyword {
                        category,
                        weight: keyword.weight,
                    },
                );
            }
        }
        for term in &content.sentiment.terms {
            words.add(&term.term, Role::Tone(term.weight));
        }
        for term in &content.impact_terms {
            words.add(&term.term, Role::Impact(term.impact));
        }
        for term in &content.sentiment.negations {
            words.add(term, Role::Negation);
        }
        for term in &content.sentiment.degrees {
            words.add(&term.term, Role::Degree(term.factor));
        }
        let categories = resolve(content);
        for entry in &mut words.entries {
            entry.dimensions = entry
                .roles
                .iter()
                .filter_map(|(role, _)| role.category())
                .map(|category| categories[category].dimension)
                .collect();
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard) // all occurrences, overlapping ones too: which of them count is decided by role
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&words.patterns)?;
        Ok(Self {
            version,
            automaton,
            entries: words.entries,
            categories,
            dimensions: content
                .dimensions
                .iter()
                .map(|dimension| dimension.key.clone())
                .collect(),
            negative_below: content.sentiment.negative_below,
            positive_above: content.sentiment.positive_above,
        })
    }

    /// Every occurrence of a word in a folded text, as whole words where they are Latin: entry, first byte, byte behind it.
    pub(crate) fn occurrences(&self, text: &str) -> impl Iterator<Item = (usize, usize, usize)> {
        self.automaton.find_overlapping_iter(text).filter_map(move |found| {
            let index = found.pattern().as_usize();
            let entry = self.entries.get(index)?;
            let clear_before =
                !entry.bound_before || !text[..found.start()].chars().next_back().is_some_and(is_of_word);
            let clear_behind = !entry.bound_behind || !text[found.end()..].chars().next().is_some_and(is_of_word);
            (clear_before && clear_behind).then_some((index, found.start(), found.end()))
        })
    }
}

#[derive(Default)]
struct Words {
    patterns: Vec<String>,
    entries: Vec<Entry>,
    known: HashMap<String, usize>,
}

impl Words {
    fn add(&mut self, term: &str, role: Role) {
        let folded = fold::fold_term(term);
        if folded.is_empty() {
            return; // refused when a version is made
        }
        let index = *self.known.entry(folded.clone()).or_insert_with(|| {
            self.entries.push(Entry {
                roles: Vec::new(),
                dimensions: Vec::new(),
                bound_before: folded.chars().next().is_some_and(is_of_word),
                bound_behind: folded.chars().next_back().is_some_and(is_of_word),
                short: folded.chars().count() == 1,
            });
            self.patterns.push(folded);
            self.entries.len() - 1
        });
        let roles = &mut self.entries[index].roles;
        // 閃退 and 闪退 are one word and count once.
        let again = roles.iter().any(|(known, _)| match (known, role) {
            (Role::Keyword { category: one, .. }, Role::Keyword { category: other, .. }) => *one == other,
            (known, role) => std::mem::discriminant(known) == std::mem::discriminant(&role),
        });
        if !again {
            roles.push((role, Arc::from(term)));
        }
    }
}

/// Letters and digits of scripts that put spaces between words.
fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() && !is_without_spaces(character)
}

/// Han, kana, Bopomofo: words stand in them without spaces, so a term may be found anywhere.
pub(super) fn is_without_spaces(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn resolve(content: &Content) -> Vec<Resolved> {
    let index_of = |key: &str| content.categories.iter().position(|category| category.key == key);
    content
        .categories
        .iter()
        .map(|category| Resolved {
            key: category.key.clone(),
            dimension: content
                .dimensions
                .iter()
                .position(|dimension| dimension.key == category.dimension)
                .unwrap_or(0),
            parent: category.key.rsplit_once('.').and_then(|(parent, _)| index_of(parent)),
            skills: content.skills(&category.key),
            department: content.department(&category.key),
            default_impact: content.default_impact(&category.key),
        })
        .collect()
}
