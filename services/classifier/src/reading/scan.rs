//! Which words of a lexicon stand in a text, which of them count, and which are turned around or strengthened.

use std::collections::HashSet;

use super::{
    fold::Folded,
    lexicon::{Lexicon, Role, is_without_spaces},
    rules::{About, Match},
    sentence, work,
};

/// How far a negation or a word of degree reaches, in units: a character of Chinese is one, a Latin word two.
const REACH: usize = 6;
/// How far one of a single character (不, 没) reaches.
const SHORT_REACH: usize = 3;

/// How far the beginning of a rhetorical question reaches.
const RHETORICAL_REACH: usize = 12;
/// Marks and spaces in between count nothing, so that many of them end a reach, and so do that many words.
const LOOKED_AT: usize = 64;

/// A negation works on so many words that are joined, at most.
const JOINED: usize = 8;
/// A taxonomy has at most so many dimensions.
const DIMENSIONS: usize = 16;
/// Words of degree one behind the other do not make more than this of a tone.
const STRONGEST: f64 = 4.0;

/// What joins two words of which a negation means both (没有卡顿和闪退).
const JOINTS: [&str; 11] = ["", "、", "和", "与", "或", "或者", "及", "以及", "and", "or", "nor"];

/// A word in the text.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// Index of the lexicon's entry.
    pub(super) entry: usize,
    /// First byte in the folded text.
    pub(super) start: usize,
    /// The byte behind it.
    pub(super) end: usize,
    /// Where its first word ends; the same for all but phrases.
    head: usize,
    /// What stands between the words of a phrase.
    gaps: Vec<(usize, usize)>,
    /// Which sentence of the text it stands in.
    pub(super) sentence: usize,
    /// True where a negation turns it around.
    pub(super) negated: bool,
    /// True where a rhetorical question turns its tone around.
    pub(super) asked: bool,
    /// What words of degree make of its tone.
    pub(super) factor: f64,
    /// The dimensions in which it counts as a keyword here, one bit each: a taxonomy has at most 16.
    keyword: u16,
    /// Which of its other roles count here.
    tone: bool,
    impact: bool,
    modifier: bool,
    cue: bool,
    exclusion: bool,
}

/// What stands in a text.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The words, in its order; of several that begin alike the longest first.
    pub(super) hits: Vec<Hit>,
    /// Categories that are excluded, with the sentence in which they are.
    excluded: HashSet<(usize, usize)>,
}

impl Scanned {
    /// True where the keywords of a category count nothing at this place.
    pub(super) fn is_excluded(&self, lexicon: &Lexicon, category: usize, hit: &Hit) -> bool {
        !self.excluded.is_empty()
            && lexicon
                .lineage(category)
                .any(|category| self.excluded.contains(&(category, hit.sentence)))
    }
}

impl Hit {
    /// True where this role of the entry counts at this place.
    pub(super) fn counts(&self, lexicon: &Lexicon, role: &Role) -> bool {
        match role {
            Role::Keyword { category, .. } => self.keyword & bit(lexicon.categories[*category].dimension) != 0,
            Role::Tone(_) => self.tone,
            Role::Impact(_) => self.impact,
            Role::Negation | Role::Degree(_) | Role::Rhetorical => self.modifier,
            Role::Sarcasm => self.cue,
            Role::Exclusion(_) => self.exclusion,
        }
    }

    fn is_target(&self) -> bool {
        self.keyword != 0 || self.tone || self.impact || self.exclusion
    }

    fn of_word(lexicon: &Lexicon, entry: usize, start: usize, end: usize) -> Self {
        let has = |wanted: fn(&Role) -> bool| lexicon.entries[entry].roles.iter().any(|(role, _)| wanted(role));
        Self {
            entry,
            start,
            end,
            head: end,
            gaps: Vec::new(),
            sentence: 0,
            negated: false,
            asked: false,
            factor: 1.0,
            keyword: lexicon.entries[entry]
                .dimensions
                .iter()
                .fold(0, |bits, dimension| bits | bit(*dimension)),
            tone: has(|role| matches!(role, Role::Tone(_))),
            impact: has(|role| matches!(role, Role::Impact(_))),
            modifier: has(|role| matches!(role, Role::Negation | Role::Degree(_) | Role::Rhetorical)),
            cue: has(|role| matches!(role, Role::Sarcasm)),
            exclusion: has(|role| matches!(role, Role::Exclusion(_))),
        }
    }

    fn of_rule(lexicon: &Lexicon, found: Match) -> Self {
        Self {
            head: found.head,
            gaps: found.gaps,
            ..Self::of_word(lexicon, found.entry, found.start, found.end)
        }
    }
}

fn bit(dimension: usize) -> u16 {
    1 << (dimension % DIMENSIONS)
}

/// Finds what stands in a text, and lets its words work on one another.
pub(super) fn scan(lexicon: &Lexicon, folded: &Folded, about: About<'_>) -> Scanned {
    let text = folded.text();
    let mut hits = Vec::new();
    let rules = lexicon.find(text, about, |entry, start, end| {
        hits.push(Hit::of_word(lexicon, entry, start, end));
    });
    hits.extend(rules.into_iter().map(|found| Hit::of_rule(lexicon, found)));
    hits.sort_by(|one, other| one.start.cmp(&other.start).then(other.end.cmp(&one.end)));
    longest_only(lexicon, &mut hits);
    modify(lexicon, text, &mut hits);
    negate_in_gaps(lexicon, text, &mut hits);
    number_sentences(text, &mut hits);
    let mut excluded = HashSet::new();
    for hit in hits.iter().filter(|hit| hit.exclusion && !hit.negated) {
        for (role, _) in &lexicon.entries[hit.entry].roles {
            if let Role::Exclusion(category) = role {
                excluded.insert((*category, hit.sentence));
            }
        }
    }
    Scanned { hits, excluded }
}

/// Says of each word which sentence it stands in.
fn number_sentences(text: &str, hits: &mut [Hit]) {
    let sentences = sentence::sentences(text);
    let mut at = 0;
    for hit in hits {
        while sentences.get(at).is_some_and(|sentence| sentence.end <= hit.start) {
            at += 1;
        }
        hit.sentence = at;
    }
}

/// A word inside a longer one of the same kind does not count: 不错 is no 错, 无法登录 no 登录. Keywords are of one kind where
/// they are of one dimension. What a rule finds hides nothing and is not hidden: its gaps hold words of others.
fn longest_only(lexicon: &Lexicon, hits: &mut Vec<Hit>) {
    // Where the words so far end, by kind. They come in the order of their beginnings, so a word lies within an earlier one
    // exactly where it ends no later.
    let (mut any, mut impacts, mut tones) = (0, 0, 0);
    let mut keywords = [0; DIMENSIONS];
    for hit in hits.iter_mut().filter(|hit| lexicon.entries[hit.entry].rule.is_none()) {
        let inside_longer = hit.end <= any;
        for (dimension, end) in keywords.iter_mut().enumerate() {
            if hit.end <= *end {
                hit.keyword &= !bit(dimension);
            } else if hit.keyword & bit(dimension) != 0 {
                *end = hit.end;
            }
        }
        hit.impact &= hit.end > impacts;
        // Tones and modifiers share their characters with no other of them.
        hit.tone &= hit.start >= tones;
        hit.modifier &= hit.start >= tones && !inside_longer;
        hit.cue &= !inside_longer;
        any = any.max(hit.end);
        if hit.impact {
            impacts = hit.end;
        }
        if hit.tone || hit.modifier {
            tones = hit.end;
        }
    }
    hits.retain(|hit| hit.is_target() || hit.modifier || hit.cue);
}

/// What a word does to those that follow it.
struct Modifier {
    negates: bool,
    asks: bool,
    factor: Option<f64>,
    reach: usize,
}

impl Modifier {
    fn of(lexicon: &Lexicon, hit: &Hit) -> Self {
        let entry = &lexicon.entries[hit.entry];
        let mut modifier = Self {
            negates: false,
            asks: false,
            factor: None,
            reach: if entry.short { SHORT_REACH } else { REACH },
        };
        for (role, _) in &entry.roles {
            match role {
                Role::Negation => modifier.negates = true,
                Role::Degree(factor) => modifier.factor = Some(*factor),
                Role::Rhetorical => {
                    modifier.asks = true;
                    modifier.reach = RHETORICAL_REACH;
                }
                _ => {}
            }
        }
        modifier
    }

    /// A rhetorical question is about a tone, and passes over what has none, or says what is broken (难道闪退也正常吗).
    fn works_on(&self, hit: &Hit) -> bool {
        hit.is_target() && (!self.asks || hit.tone && !hit.impact)
    }

    fn work(&self, hit: &mut Hit) {
        if self.negates {
            hit.negated = !hit.negated;
        }
        if self.asks {
            hit.asked = !hit.asked;
        }
        if let Some(factor) = self.factor {
            hit.factor = (hit.factor * factor).min(STRONGEST);
        }
    }
}

/// Lets negations, words of degree and rhetorical questions work on what follows them.
fn modify(lexicon: &Lexicon, text: &str, hits: &mut [Hit]) {
    for index in 0..hits.len() {
        if !hits[index].modifier {
            continue;
        }
        let modifier = Modifier::of(lexicon, &hits[index]);
        let from = hits[index].end;
        // 好 before 快 is a degree and not praise of its own.
        let mut worked_on_next = false;
        // Where the last word ends that it worked on, and on how many it did.
        let mut last: Option<usize> = None;
        let mut worked_on = 0;
        let nearest = hits.len().min(index + 1 + LOOKED_AT);
        for target in index + 1..nearest {
            work::count(1);
            let hit = &hits[target];
            let shares = shares_its_end(lexicon, text, &hits[index], hit);
            if hit.start < from && !shares {
                continue;
            }
            let within = match last {
                None => shares || reaches(&text[from..hit.start], modifier.reach),
                Some(end) if shares => hit.start < end,
                Some(end) => hit.start < end || (modifier.negates && JOINTS.contains(&text[end..hit.start].trim())),
            };
            if !within || worked_on == JOINED || ends_reach(lexicon, hit) {
                break;
            }
            if !modifier.works_on(hit) {
                continue;
            }
            if last.is_none() {
                worked_on_next = hit.start == from;
            }
            last = Some(last.map_or(hit.head, |end| end.max(hit.head)));
            worked_on += 1;
            modifier.work(&mut hits[target]);
        }
        if worked_on_next && modifier.factor.is_some() {
            hits[index].tone = false;
        }
    }
}

/// True where a word begins with what a modifier ends with (没有 and 有异味), unless that is a negation of the word's own (一点都不 and
/// 不好用).
fn shares_its_end(lexicon: &Lexicon, text: &str, modifier: &Hit, hit: &Hit) -> bool {
    modifier.start < hit.start
        && hit.start < modifier.end
        && modifier.end < hit.end
        && !lexicon.is_negation(&text[hit.start..modifier.end])
}

/// A negation between the words of a phrase (屏幕没有碎) turns it around as one before it does.
fn negate_in_gaps(lexicon: &Lexicon, text: &str, hits: &mut [Hit]) {
    for phrase in 0..hits.len() {
        for (from, to) in std::mem::take(&mut hits[phrase].gaps) {
            let begins = hits.partition_point(|hit| hit.start < from);
            let mut negated = false;
            let before_end = hits[begins..].iter().take(LOOKED_AT).take_while(|hit| hit.start < to);
            for hit in before_end.filter(|hit| hit.end <= to) {
                work::count(1);
                let modifier = Modifier::of(lexicon, hit);
                if ends_reach(lexicon, hit) {
                    negated = false;
                } else if hit.modifier && modifier.negates && reaches(&text[hit.end..to], modifier.reach) {
                    negated = !negated;
                }
            }
            hits[phrase].negated ^= negated;
        }
    }
}

/// A word of degree with factor 1 (但是, but) ends the reach of what stands before it.
fn ends_reach(lexicon: &Lexicon, hit: &Hit) -> bool {
    #[expect(clippy::float_cmp, reason = "the factor is data: exactly 1 has a meaning of its own")]
    let is_stop = |role: &Role| matches!(role, Role::Degree(factor) if *factor == 1.0);
    hit.modifier && lexicon.entries[hit.entry].roles.iter().any(|(role, _)| is_stop(role))
}

/// True where no clause ends in between and it is no further than `reach` units.
fn reaches(between: &str, reach: usize) -> bool {
    let mut units = 0;
    let mut before = None;
    let mut characters = between.chars().peekable();
    let mut looked_at = 0;
    while let Some(character) = characters.next() {
        looked_at += 1;
        if looked_at > LOOKED_AT || sentence::ends_clause(before, character, characters.peek().copied()) {
            work::count(looked_at);
            return false;
        }
        if is_without_spaces(character) {
            units += 1;
        } else if is_of_latin_word(character) && !before.is_some_and(is_of_latin_word) {
            units += 2;
        }
        before = Some(character);
        if units > reach {
            work::count(looked_at);
            return false;
        }
    }
    work::count(looked_at);
    true
}

fn is_of_latin_word(character: char) -> bool {
    (character.is_alphanumeric() || character == '\'') && !is_without_spaces(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_ends_with_its_clause_or_its_length() {
        assert!(reaches("出现过任何", REACH));
        assert!(reaches(" really that ", REACH));
        assert!(reaches(" 2.5 ", REACH));
        assert!(!reaches("问题,但是", REACH));
        assert!(!reaches("出现过任何这样的", REACH));
        assert!(!reaches(" a b c d ", REACH));
        assert!(!reaches("好。", REACH));
    }
}
