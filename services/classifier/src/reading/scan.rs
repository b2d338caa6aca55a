//! Which words of a lexicon stand in a text, which of them count, and which are turned around or strengthened.

use super::{
    fold::Folded,
    lexicon::{Lexicon, Role, is_without_spaces},
};

/// How far a negation or a word of degree reaches, in units: a character of Chinese is one, a Latin word two.
const REACH: usize = 6;
/// How far one of a single character (不, 没) reaches.
const SHORT_REACH: usize = 3;

/// A negation works on so many words that are joined, at most.
const JOINED: usize = 8;
/// A taxonomy has at most so many dimensions.
const DIMENSIONS: usize = 16;
/// Words of degree one behind the other do not make more than this of a tone.
const STRONGEST: f64 = 4.0;

/// What ends a clause; nothing reaches past it. A full stop between digits does not.
const BREAKS: &str = ",.!?;:。;…~\n()[]【】《》「」、";
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
    /// True where a negation turns it around.
    pub(super) negated: bool,
    /// What words of degree make of its tone.
    pub(super) factor: f64,
    /// The dimensions in which it counts as a keyword here, one bit each: a taxonomy has at most 16.
    keyword: u16,
    /// Which of its other roles count here.
    tone: bool,
    impact: bool,
    modifier: bool,
}

impl Hit {
    /// True where this role of the entry counts at this place.
    pub(super) fn counts(&self, lexicon: &Lexicon, role: &Role) -> bool {
        match role {
            Role::Keyword { category, .. } => self.keyword & bit(lexicon.categories[*category].dimension) != 0,
            Role::Tone(_) => self.tone,
            Role::Impact(_) => self.impact,
            Role::Negation | Role::Degree(_) => self.modifier,
        }
    }

    fn is_target(&self) -> bool {
        self.keyword != 0 || self.tone || self.impact
    }
}

fn bit(dimension: usize) -> u16 {
    1 << (dimension % DIMENSIONS)
}

/// The words of a text, in its order; of several that begin alike the longest first.
pub(super) fn scan(lexicon: &Lexicon, folded: &Folded) -> Vec<Hit> {
    let mut hits: Vec<Hit> = lexicon
        .occurrences(folded.text())
        .map(|(entry, start, end)| {
            let has = |wanted: fn(&Role) -> bool| lexicon.entries[entry].roles.iter().any(|(role, _)| wanted(role));
            Hit {
                entry,
                start,
                end,
                negated: false,
                factor: 1.0,
                keyword: lexicon.entries[entry]
                    .dimensions
                    .iter()
                    .fold(0, |bits, dimension| bits | bit(*dimension)),
                tone: has(|role| matches!(role, Role::Tone(_))),
                impact: has(|role| matches!(role, Role::Impact(_))),
                modifier: has(|role| matches!(role, Role::Negation | Role::Degree(_))),
            }
        })
        .collect();
    hits.sort_by(|one, other| one.start.cmp(&other.start).then(other.end.cmp(&one.end)));
    longest_only(&mut hits);
    modify(lexicon, folded.text(), &mut hits);
    hits
}

/// A word inside a longer one of the same kind does not count: 不错 is no 错, 无法登录 no 登录. Keywords are of one kind where
/// they are of one dimension.
fn longest_only(hits: &mut Vec<Hit>) {
    // Where the words so far end, by kind. They come in the order of their beginnings, so a word lies within an earlier one
    // exactly where it ends no later.
    let (mut any, mut impacts, mut tones) = (0, 0, 0);
    let mut keywords = [0; DIMENSIONS];
    for hit in hits.iter_mut() {
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
        any = any.max(hit.end);
        if hit.impact {
            impacts = hit.end;
        }
        if hit.tone || hit.modifier {
            tones = hit.end;
        }
    }
    hits.retain(|hit| hit.is_target() || hit.modifier);
}

/// Lets negations and words of degree work on what follows them.
fn modify(lexicon: &Lexicon, text: &str, hits: &mut [Hit]) {
    for index in 0..hits.len() {
        if !hits[index].modifier {
            continue;
        }
        let entry = &lexicon.entries[hits[index].entry];
        let negates = entry.roles.iter().any(|(role, _)| matches!(role, Role::Negation));
        let factor = entry.roles.iter().find_map(|(role, _)| {
            if let Role::Degree(factor) = role {
                Some(*factor)
            } else {
                None
            }
        });
        let reach = if entry.short { SHORT_REACH } else { REACH };
        let from = hits[index].end;
        // 好 before 快 is a degree and not praise of its own.
        let mut worked_on_next = false;
        // Where the last word ends that it worked on, and on how many it did.
        let mut last: Option<usize> = None;
        let mut worked_on = 0;
        #[expect(clippy::needless_range_loop, reason = "the hit is changed at the end")]
        for target in index + 1..hits.len() {
            let hit = &hits[target];
            if hit.start < from {
                continue;
            }
            let within = match last {
                None => reaches(&text[from..hit.start], reach),
                Some(end) => hit.start < end || (negates && JOINTS.contains(&text[end..hit.start].trim())),
            };
            if !within || worked_on == JOINED || ends_reach(lexicon, hit) {
                break;
            }
            if !hit.is_target() {
                continue;
            }
            if last.is_none() {
                worked_on_next = hit.start == from;
            }
            last = Some(last.map_or(hit.end, |end| end.max(hit.end)));
            worked_on += 1;
            let hit = &mut hits[target];
            if negates {
                hit.negated = !hit.negated;
            }
            if let Some(factor) = factor {
                hit.factor = (hit.factor * factor).min(STRONGEST);
            }
        }
        if worked_on_next && factor.is_some() {
            hits[index].tone = false;
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
    let mut in_word = false;
    let mut characters = between.chars().peekable();
    while let Some(character) = characters.next() {
        if is_without_spaces(character) && !BREAKS.contains(character) {
            units += 1;
            in_word = false;
        } else if character.is_alphanumeric() || character == '\'' {
            if !in_word {
                units += 2;
            }
            in_word = true;
        } else {
            let decimal = character == '.' && in_word && characters.peek().is_some_and(char::is_ascii_digit);
            if BREAKS.contains(character) && !decimal {
                return false;
            }
            in_word = false;
        }
        if units > reach {
            return false;
        }
    }
    true
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
