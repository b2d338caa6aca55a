//! One spelling for all: NFKC, lower case, simplified characters, nothing that nobody sees.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization as _;
use zhconv::{Variant, get_builtin_converter};

/// Folds a text: what differs in width, case, script (繁/简) or kind of space alone is the same afterwards.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfkc().filter(|character| !is_invisible(*character)) {
        if character.is_whitespace() || character.is_control() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if is_ideograph(character) {
            folded.push(SIMPLIFIED.get(&character).copied().unwrap_or(character));
        } else if matches!(character, '\u{2018}' | '\u{2019}') {
            folded.push('\'');
        } else {
            folded.extend(character.to_lowercase());
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// What remains of a folded text without punctuation, symbols and spaces.
pub(crate) fn letters(folded: &str) -> String {
    folded.chars().filter(|character| character.is_alphanumeric()).collect()
}

/// A Chinese character.
pub(crate) fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{2fa1f}')
}

/// How much a piece of a folded text says: 1 for each Chinese character, 2 for each word of other letters, 1 for each number.
pub(crate) fn weight(folded: &str) -> usize {
    let mut weight = 0;
    let mut word: Option<bool> = None;
    for character in folded.chars() {
        if is_ideograph(character) {
            weight += 1;
            word = None;
        } else if character.is_numeric() {
            if word.is_none() {
                weight += 1;
                word = Some(false);
            }
        } else if character.is_alphabetic() {
            match word {
                None => weight += 2,
                Some(false) => weight += 1, // a number that turned out to begin a word
                Some(true) => {}
            }
            word = Some(true);
        } else {
            word = None;
        }
    }
    weight
}

/// What nobody sees must not tell two texts apart.
fn is_invisible(character: char) -> bool {
    matches!(character, '\0' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Traditional → simplified, character by character, so that the same character always folds alike. Only what differs is kept.
static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let converter = get_builtin_converter(Variant::ZhHans);
    let mut table = HashMap::new();
    for character in ('\u{3400}'..='\u{9fff}').chain('\u{20000}'..='\u{2fa1f}') {
        let converted = converter.convert(character.encode_utf8(&mut [0; 4]));
        let mut converted = converted.chars();
        if let (Some(simplified), None) = (converted.next(), converted.next())
            && simplified != character
        {
            table.insert(character, simplified);
        }
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_case_script_and_spaces_make_no_difference() {
        for (written, folded) in [
            ("ＡＰＰ　閃退！", "app 闪退!"),
            ("  Can’t  log\tin ", "can't log in"),
            ("起\u{200b}火\0", "起火"),
        ] {
            assert_eq!(fold(written), folded);
        }
        assert_eq!(letters(&fold("屏幕，碎 了！ A-1")), "屏幕碎了a1");
    }

    #[test]
    fn words_weigh_more_than_characters() {
        for (text, expected) in [("登录", 2), ("export pdf", 4), ("iphone15", 2), ("15 天", 2), ("…", 0)] {
            assert_eq!(weight(text), expected, "{text}");
        }
    }
}
