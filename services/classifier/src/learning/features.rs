//! A text as what the learner counts: hashed n-grams of words and ideographs, and of the letters within words; its `words`, and its
//! `signs`.

use std::ops::Range;

use super::{signs::each_sign, vocabulary::Row, words::each_word};
use crate::reading::fold::{Folded, fold};

/// Longest run of tokens that is one feature; a token is an ideograph, a word or a symbol.
const TOKENS: usize = 3;
/// Longest run of letters within a word that is a feature, from two on; the word's borders count as letters.
const LETTERS: usize = 5;
/// How many tokens after a negation it turns; each is also counted as turned.
const REACH: usize = 3;
/// Marks of features that are more than their tokens.
const BEGIN: u64 = 1;
const END: u64 = 2;
const NEGATED: u64 = 3;
const HINT: u64 = 4;
/// What is read of a text, in tokens; more of it says nothing new, and a text of any length must cost a bounded time.
pub(super) const READ_AT_MOST: usize = 4_000;

/// Kinds of features; each kind is normalised by itself, so that the many letters of a text do not drown its words.
pub(super) const FAMILIES: usize = 5;
const TOKEN_RUNS: usize = 0;
const LETTER_RUNS: usize = 1;
/// What others found in the text, see [`hint`].
const HINTS: usize = 2;
pub(super) const WORDS: usize = 3;
pub(super) const SIGNS: usize = 4;

/// Room to work in, kept from text to text so that reading allocates next to nothing.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) tokens: Vec<Token>,
    /// Feature keys of each family, with repetitions, sorted.
    pub(super) keys: [Vec<u32>; FAMILIES],
    /// What the vocabulary knows of them.
    pub(super) row: Row,
    pub(super) margins: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) hash: u64,
    /// Bytes of the folded text.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) word: bool,
}

impl Token {
    /// What is written there, in the text that it is of.
    pub(super) fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

impl Scratch {
    /// Fills `keys` with the features of a folded text, and with what others found in it; `with_words` with its words and signs, too.
    pub(super) fn read(&mut self, folded: &Folded, hints: &[u32], with_words: bool) {
        self.tokenize(folded.text());
        let Self { tokens, keys, .. } = self;
        for family in keys.iter_mut() {
            family.clear();
        }
        each_feature(folded.text(), tokens, with_words, |family, key, _| {
            keys[family].push(key)
        });
        if with_words {
            each_sign(folded.text(), tokens.len(), |key| keys[SIGNS].push(key));
        }
        keys[HINTS].extend_from_slice(hints);
        for family in keys.iter_mut() {
            family.sort_unstable();
        }
    }

    /// Says each feature of a text with the tokens that it covers, and gives the places of the tokens in the text.
    pub(super) fn places(
        &mut self,
        text: &str,
        with_words: bool,
        mut visit: impl FnMut(u32, Range<usize>),
    ) -> Vec<Range<u32>> {
        let folded = fold(text);
        self.tokenize(folded.text());
        each_feature(folded.text(), &self.tokens, with_words, |_, key, tokens| {
            visit(key, tokens)
        });
        let place = |token: &Token| folded.original(&(token.start as usize..token.end as usize));
        self.tokens.iter().map(place).collect()
    }

    pub(super) fn tokenize(&mut self, text: &str) {
        self.tokens.clear();
        let mut characters = text.char_indices().peekable();
        while let Some((start, first)) = characters.next() {
            if first.is_whitespace() {
                continue;
            }
            let mut hash = join(0, u64::from(first));
            let mut end = start + first.len_utf8();
            let word = in_word(first);
            while let Some((at, next)) = characters.next_if(|(_, next)| word && in_word(*next)) {
                hash = join(hash, u64::from(next));
                end = at + next.len_utf8();
            }
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
                break;
            };
            self.tokens.push(Token { hash, start, end, word });
            if self.tokens.len() == READ_AT_MOST {
                break;
            }
        }
    }
}

/// The key of something that was found in a text beside its words, by what it is made of: the same for ever.
pub(crate) fn hint(parts: &[&str]) -> u32 {
    let hash_of = |part: &&str| part.bytes().fold(0, |hash, byte| join(hash, u64::from(byte)));
    key(parts.iter().map(hash_of).fold(HINT, join))
}

/// Says the family and key of each feature that has a place, and the tokens that it covers.
fn each_feature(text: &str, tokens: &[Token], with_words: bool, mut visit: impl FnMut(usize, u32, Range<usize>)) {
    if with_words {
        each_word(text, tokens, |key, covers| visit(WORDS, key, covers));
    }
    let mut negation = None;
    for (at, first) in tokens.iter().enumerate() {
        let mut hash = 0;
        for (end, token) in (at + 1..).zip(&tokens[at..]).take(TOKENS) {
            hash = join(hash, token.hash);
            visit(TOKEN_RUNS, key(hash), at..end);
            // A border of the text counts as a token.
            if at == 0 && end < TOKENS {
                visit(TOKEN_RUNS, key(join(hash, BEGIN)), at..end);
            }
            if end == tokens.len() && end - at < TOKENS {
                visit(TOKEN_RUNS, key(join(hash, END)), at..end);
            }
        }
        let word = first.of(text);
        if first.word {
            each_letter_run(word, |key| visit(LETTER_RUNS, key, at..at + 1));
        }
        if ends_clause(word) {
            negation = None;
        }
        if let Some(negation) = negation.filter(|negation| at - negation <= REACH) {
            let turned = join(NEGATED, first.hash);
            visit(TOKEN_RUNS, key(turned), negation..at + 1);
            if at - negation > 1 {
                let turned = join(join(NEGATED, tokens[at - 1].hash), first.hash);
                visit(TOKEN_RUNS, key(turned), negation..at + 1);
            }
        }
        if negates(word) || (word == "t" && at > 0 && text[..first.start as usize].ends_with('\'')) {
            negation = Some(at);
        }
    }
}

/// 不, 没, 无, 别, 未 and what English says; the t of “don't” is a token of its own.
fn negates(word: &str) -> bool {
    matches!(
        word,
        "不" | "没"
            | "无"
            | "别"
            | "未"
            | "not"
            | "no"
            | "never"
            | "cannot"
            | "cant"
            | "dont"
            | "didnt"
            | "doesnt"
            | "wont"
            | "isnt"
            | "without"
            | "nothing"
    )
}

fn ends_clause(word: &str) -> bool {
    matches!(word, "," | "." | "!" | "?" | ";" | "。" | "、" | "~" | "…")
}

fn each_letter_run(word: &str, mut visit: impl FnMut(u32)) {
    let border = || std::iter::once(' ');
    let mut rest = border().chain(word.chars()).chain(border());
    while let Some(first) = rest.next() {
        let mut hash = join(1, u64::from(first));
        for letter in rest.clone().take(LETTERS - 1) {
            hash = join(hash, u64::from(letter));
            visit(key(hash));
        }
    }
}

/// Letters and digits of scripts that put spaces between words; every other character is a token of its own.
fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || (character.is_alphanumeric()
            && !matches!(character, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'))
}

/// One step of the hash over what a feature consists of.
pub(super) fn join(hash: u64, next: u64) -> u64 {
    (hash.rotate_left(23) ^ next.wrapping_add(0x9e37_79b9)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The name by which a feature is known: 32 bits, in which a million features hardly ever meet.
pub(super) fn key(hash: u64) -> u32 {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<u32> {
        let mut scratch = Scratch::default();
        scratch.read(&fold(text), &[], true);
        scratch.keys[0].clone()
    }

    #[test]
    fn a_negation_turns_three_tokens_and_nothing_beyond_a_comma() {
        let turned = |word: &str| {
            let mut scratch = Scratch::default();
            scratch.tokenize(word);
            key(join(NEGATED, scratch.tokens[0].hash))
        };
        for text in ["不好", "不是很好", "not 好", "don't 好", "別太好"] {
            assert!(keys(text).contains(&turned("好")), "{text}");
        }
        for text in ["好", "好不", "不，好", "不是那么好", "hot 好", "t 好"] {
            assert!(!keys(text).contains(&turned("好")), "{text}");
        }
    }

    #[test]
    fn where_a_text_begins_and_ends_counts() {
        let shared = |a: &str, b: &str| keys(a).iter().filter(|key| keys(b).contains(key)).count();
        // 好, and that it ends there; or only 好.
        assert_eq!(shared("真好", "很好"), 2);
        assert_eq!(shared("真好", "很好吗"), 1);
        assert_eq!(shared("好吗", "好吧"), 2);
    }
}
