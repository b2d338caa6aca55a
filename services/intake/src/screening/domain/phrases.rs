//! Lists of phrases, found in one pass over a folded text.

use aho_corasick::{AhoCorasick, MatchKind};

/// Phrases of several kinds; the longest that begins first counts.
pub(crate) struct Phrases<K> {
    automaton: AhoCorasick,
    kinds: Vec<K>,
    /// True where the phrase begins and ends with Latin letters or digits, and therefore must stand as a word.
    bounded: Vec<bool>,
}

/// A phrase that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found<K> {
    pub(crate) kind: K,
    /// Bytes of the text.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl<K: Copy> Phrases<K> {
    /// From lists, each phrase folded already, separated by white space; `_` stands for a space within a phrase.
    pub(crate) fn new(lists: &[(K, &str)]) -> Self {
        let mut patterns: Vec<String> = Vec::new();
        let mut kinds = Vec::new();
        for (kind, list) in lists {
            for phrase in list.split_whitespace() {
                patterns.push(phrase.replace('_', " "));
                kinds.push(*kind);
            }
        }
        let is_latin = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let bounded = patterns
            .iter()
            .map(|phrase| is_latin(phrase.bytes().next()) && is_latin(phrase.bytes().last()))
            .collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns);
        #[expect(
            clippy::expect_used,
            reason = "the lists are part of the code, and far below the automaton's limits"
        )]
        let automaton = automaton.expect("phrases make an automaton");
        Self {
            automaton,
            kinds,
            bounded,
        }
    }

    /// The phrases in a folded text, in order, none over another.
    pub(crate) fn find(&self, text: &str) -> Vec<Found<K>> {
        let bytes = text.as_bytes();
        let is_word = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        self.automaton
            .find_iter(text)
            .filter(|found| {
                !self.bounded[found.pattern().as_usize()]
                    || !(is_word(found.start().checked_sub(1)) || is_word(Some(found.end())))
            })
            .map(|found| Found {
                kind: self.kinds[found.pattern().as_usize()],
                start: found.start(),
                end: found.end(),
            })
            .collect()
    }
}

/// The text without these pieces, a space in the place of each.
pub(crate) fn without<K>(text: &str, found: &[Found<K>]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for piece in found {
        rest.push_str(&text[at..piece.start]);
        rest.push(' ');
        at = piece.end;
    }
    rest.push_str(&text[at..]);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latin_phrase_is_found_as_a_word_alone() {
        let phrases = Phrases::new(&[(1, "app not_working"), (2, "问题 没问题")]);
        let kinds = |text: &str| phrases.find(text).iter().map(|found| found.kind).collect::<Vec<_>>();
        assert_eq!(kinds("happy app"), [1]);
        assert_eq!(kinds("not working"), [1]);
        assert_eq!(kinds("app没问题"), [1, 2]);
        assert_eq!(without("app没问题吧", &phrases.find("app没问题吧")), "  吧");
    }
}
