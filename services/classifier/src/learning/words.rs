//! The words of a text as features, alone and in pairs: Chinese by the dictionary, English by its stems, numbers by their length.

use std::{ops::Range, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};

use super::features::{Token, join, key};
use crate::reading::dictionary::{dictionary, is_ideograph};

/// Marks of features that are made of words.
const WORD: u64 = 5;
const NUMBER: u64 = 6;

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// A word: what it is known by, and the tokens that it covers.
type Word = (u64, Range<usize>);

/// Says the key of each feature, and the tokens that it covers.
pub(super) fn each_word(text: &str, tokens: &[Token], mut visit: impl FnMut(u32, Range<usize>)) {
    let mut before: Option<Word> = None;
    each(text, tokens, |hash, covers| {
        let alone = join(WORD, hash);
        visit(key(alone), covers.clone());
        if let Some((hash_before, covers_before)) = before.replace((hash, covers.clone())) {
            visit(
                key(join(join(WORD, hash_before), hash)),
                covers_before.start..covers.end,
            );
        }
    });
}

fn each(text: &str, tokens: &[Token], mut visit: impl FnMut(u64, Range<usize>)) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let run = run_of_ideographs(text, &tokens[at..]);
        if run == 0 {
            visit(stem(token, token.of(text)), at..at + 1);
            at += 1;
            continue;
        }
        let written = &text[token.start as usize..tokens[at + run - 1].end as usize];
        // What the dictionary does not have it takes apart into ideographs.
        for word in dictionary().cut(written, false) {
            let length = word.word.chars().count();
            visit(hash_of(word.word), at..at + length);
            at += length;
        }
    }
}

/// How many ideographs stand side by side from the first token on; each is a token of its own.
fn run_of_ideographs(text: &str, tokens: &[Token]) -> usize {
    let is_one = |token: &Token| token.of(text).chars().next().is_some_and(is_ideograph);
    let joined = tokens
        .array_windows()
        .take_while(|[a, b]| a.end == b.start && is_one(b));
    match tokens.first() {
        Some(first) if is_one(first) => 1 + joined.count(),
        _ => 0,
    }
}

fn stem(token: &Token, word: &str) -> u64 {
    if !token.word {
        token.hash
    } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
        // Whether it is a year, a price or a flight is seen from its length; no two texts have the same one.
        join(NUMBER, word.len() as u64)
    } else {
        hash_of(&STEMMER.stem(word))
    }
}

fn hash_of(word: &str) -> u64 {
    word.chars().fold(0, |hash, character| join(hash, u64::from(character)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{learning::Scratch, reading::fold::fold};

    /// What stands in the text of each word and pair.
    fn words(text: &str) -> Vec<String> {
        let folded = fold(text);
        let mut scratch = Scratch::default();
        scratch.tokenize(folded.text());
        let mut found = Vec::new();
        each_word(folded.text(), &scratch.tokens, |_, covers| {
            let (first, last) = (&scratch.tokens[covers.start], &scratch.tokens[covers.end - 1]);
            found.push(folded.text()[first.start as usize..last.end as usize].to_owned());
        });
        found
    }

    fn key_of(text: &str) -> u32 {
        let folded = fold(text);
        let mut scratch = Scratch::default();
        scratch.tokenize(folded.text());
        let mut keys = Vec::new();
        each_word(folded.text(), &scratch.tokens, |key, _| keys.push(key));
        keys[0]
    }

    #[test]
    fn words_stand_alone_and_with_the_one_before() {
        assert_eq!(words("APP打開相冊"), ["app", "打开", "app打开", "相册", "打开相册"]);
        assert_eq!(words("it crashed!"), ["it", "crashed", "it crashed", "!", "crashed!"]);
        assert_eq!(words("闪 退"), ["闪", "退", "闪 退"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn a_word_is_known_in_every_form_and_a_number_by_its_length() {
        assert_eq!(key_of("crashes"), key_of("CRASHED"));
        assert_eq!(key_of("1234"), key_of("9876"));
        assert_ne!(key_of("1234"), key_of("123"));
        assert_eq!(key_of("閃退"), key_of("闪退"));
    }
}
