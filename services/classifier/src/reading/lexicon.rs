//! A version of a taxonomy, ready to read with: all its words in one automaton, and what categories inherit, resolved.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{
    fold,
    rules::{About, Match, Parts, Rules},
    work,
};
use crate::{
    domain::{Impact, Label},
    taxonomy::domain::Content,
};

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
    /// Begins a rhetorical question: turns the tone of what follows around.
    Rhetorical,
    /// Hints at sarcasm.
    Sarcasm,
    /// Takes the vote of the category of this index, and of those below it, out of its sentence.
    Exclusion(usize),
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
    /// Key of the rule, where it is no word but what a rule finds.
    pub(crate) rule: Option<Arc<str>>,
    /// True for a rule that wins over models and other words.
    pub(crate) overrides: bool,
    /// The phrases that it is a word of, and which one.
    parts: Vec<(usize, usize)>,
    /// Indices of the dimensions in which it is a keyword.
    pub(crate) dimensions: Vec<usize>,
    /// True where the word begins with a letter or digit that must not have another before it.
    pub(crate) bound_before: bool,
    /// True where it ends with one that must not have another behind it.
    pub(crate) bound_behind: bool,
    /// True where it is made of marks alone, as `:(` is: with a letter of any script behind it, it is punctuation.
    emoticon: bool,
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
    /// The entry of each pattern of the automaton: what rules find are entries without a pattern.
    entry_of: Vec<usize>,
    rules: Rules,
    /// Folded.
    negations: HashSet<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) categories: Vec<Resolved>,
    /// Keys, the main one first.
    pub(crate) dimensions: Vec<String>,
    /// Indices of the dimensions of which every feedback must have a category.
    pub(crate) required: Vec<usize>,
    pub(crate) negative_below: f64,
    pub(crate) positive_above: f64,
}

/// Why a taxonomy cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unready {
    /// Its words are more than an automaton holds; the limits of the proto are far below.
    #[error(transparent)]
    Words(#[from] aho_corasick::BuildError),
    /// Refused when a version is made.
    #[error("rule {rule} of {category} {problem}")]
    Rule {
        category: String,
        rule: String,
        problem: String,
    },
}

impl Lexicon {
    /// Makes a version ready.
    ///
    /// # Errors
    /// See [`Unready`]; a version that was checked when it was made has none of them.
    pub(crate) fn new(version: i32, content: &Content) -> Result<Self, Unready> {
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
            for term in &entry.exclusions {
                words.add(term, Role::Exclusion(category));
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
        for term in &content.sentiment.rhetoricals {
            words.add(term, Role::Rhetorical);
        }
        for term in &content.sentiment.sarcasm_cues {
            words.add(term, Role::Sarcasm);
        }
        let rules = words.add_rules(content)?;
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
            .build(words.patterns.iter().map(|(pattern, _)| pattern))?;
        Ok(Self {
            version,
            automaton,
            entry_of: words.patterns.into_iter().map(|(_, entry)| entry).collect(),
            rules,
            negations: content
                .sentiment
                .negations
                .iter()
                .map(|term| fold::fold_term(term))
                .collect(),
            entries: words.entries,
            categories,
            dimensions: content
                .dimensions
                .iter()
                .map(|dimension| dimension.key.clone())
                .collect(),
            required: (0..content.dimensions.len())
                .filter(|index| content.dimensions[*index].required)
                .collect(),
            negative_below: content.sentiment.negative_below,
            positive_above: content.sentiment.positive_above,
        })
    }

    /// Everything of the taxonomy that stands in a folded text, in one pass over it: `word` is called for each word with its entry,
    /// first byte and the byte behind it, whole words where they are Latin; what the rules find comes back.
    pub(crate) fn find(&self, text: &str, about: About<'_>, mut word: impl FnMut(usize, usize, usize)) -> Vec<Match> {
        let mut parts = Parts::default();
        for found in self.automaton.find_overlapping_iter(text) {
            work::count(1);
            let (start, end) = (found.start(), found.end());
            let Some((index, entry)) = self
                .entry_of
                .get(found.pattern().as_usize())
                .and_then(|index| Some((*index, self.entries.get(*index)?)))
            else {
                continue;
            };
            let before = || text[..start].chars().next_back();
            let behind = || text[end..].chars().next();
            if entry.bound_before && before().is_some_and(is_of_word)
                || entry.bound_behind && behind().is_some_and(is_of_word)
                || entry.emoticon && behind().is_some_and(char::is_alphanumeric)
            {
                continue;
            }
            for part in &entry.parts {
                parts.note(&self.rules, *part, (start, end));
            }
            if !entry.roles.is_empty() {
                word(index, start, end);
            }
        }
        self.rules.matches(text, &parts, about)
    }

    /// True for what a rule finds that holds only for some products or channels.
    pub(crate) fn is_conditional(&self, entry: usize) -> bool {
        self.rules.is_conditional(entry)
    }

    /// True where reading takes as long as an author wants it to, within bounds: not for an async task.
    pub(crate) fn has_expressions(&self) -> bool {
        self.rules.has_expressions()
    }

    /// Bytes of memory that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        /// With its roles, the words of them, and what is inherited of categories.
        const ENTRY: usize = 256;
        self.automaton.memory_usage() + (self.entries.len() + self.categories.len()) * ENTRY + self.rules.bytes()
    }

    /// True where a folded piece of a text is a negation.
    pub(crate) fn is_negation(&self, piece: &str) -> bool {
        self.negations.contains(piece)
    }

    /// The index of a category of a dimension.
    pub(crate) fn category_of(&self, dimension: usize, key: &str) -> Option<usize> {
        let mut categories = self.categories.iter();
        categories.position(|category| category.dimension == dimension && category.key == key)
    }

    /// Where a label of a dimension belongs among labels: before the first one of a later dimension.
    pub(crate) fn place_among(&self, labels: &[Label], dimension: usize) -> usize {
        let is_later = |label: &Label| {
            let of_label = self.dimensions.iter().position(|key| *key == label.dimension);
            of_label > Some(dimension)
        };
        labels.iter().position(is_later).unwrap_or(labels.len())
    }

    /// A category, then those above it up to its root.
    pub(crate) fn lineage(&self, category: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(category), |category| self.categories[*category].parent)
    }
}

#[derive(Default)]
struct Words {
    /// What the automaton looks for, with its entry.
    patterns: Vec<(String, usize)>,
    entries: Vec<Entry>,
    known: HashMap<String, usize>,
}

impl Words {
    /// The entry of a word; none where nothing of it remains, which is refused when a version is made.
    fn entry(&mut self, term: &str) -> Option<usize> {
        let folded = fold::fold_term(term);
        if folded.is_empty() {
            return None;
        }
        let index = *self.known.entry(folded.clone()).or_insert_with(|| {
            self.entries.push(Entry {
                roles: Vec::new(),
                rule: None,
                overrides: false,
                parts: Vec::new(),
                dimensions: Vec::new(),
                bound_before: folded.chars().next().is_some_and(is_of_word),
                bound_behind: folded.chars().next_back().is_some_and(is_of_word),
                emoticon: folded.chars().all(|character| character.is_ascii_punctuation()),
                short: folded.chars().count() == 1,
            });
            self.patterns.push((folded, self.entries.len() - 1));
            self.entries.len() - 1
        });
        Some(index)
    }

    /// Takes the rules of all categories in: an entry for each, and the words of phrases among the patterns.
    fn add_rules(&mut self, content: &Content) -> Result<Rules, Unready> {
        let mut rules = Rules::default();
        for (category, owner) in content.categories.iter().enumerate() {
            for rule in &owner.rules {
                let entry = self.entries.len();
                let role = Role::Keyword {
                    category,
                    weight: rule.weight,
                };
                self.entries.push(Entry {
                    roles: vec![(role, Arc::from(rule.pattern.shown()))],
                    rule: Some(Arc::from(rule.key.as_str())),
                    overrides: rule.overrides,
                    parts: Vec::new(),
                    dimensions: Vec::new(),
                    bound_before: false,
                    bound_behind: false,
                    emoticon: false,
                    short: false,
                });
                let phrase = rules.add(rule, entry).map_err(|problem| Unready::Rule {
                    category: owner.key.clone(),
                    rule: rule.key.clone(),
                    problem,
                })?;
                let Some((phrase, parts)) = phrase else {
                    continue;
                };
                for (part, term) in parts.iter().enumerate() {
                    if let Some(word) = self.entry(term) {
                        self.entries[word].parts.push((phrase, part));
                    }
                }
            }
        }
        Ok(rules)
    }

    fn add(&mut self, term: &str, role: Role) {
        let Some(index) = self.entry(term) else {
            return;
        };
        let roles = &mut self.entries[index].roles;
        // 閃退 and 闪退 are one word and count once.
        let again = roles.iter().any(|(known, _)| match (known, role) {
            (Role::Keyword { category: one, .. }, Role::Keyword { category: other, .. })
            | (Role::Exclusion(one), Role::Exclusion(other)) => *one == other,
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
pub(crate) fn is_without_spaces(character: char) -> bool {
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
