//! How a text is written, as features: how long it is, how many signs and digits it has; whoever is upset writes otherwise.

use super::features::{join, key};

/// Marks these features.
const SIGN: u64 = 7;

/// Says the key of each feature of a text that has so many tokens.
pub(super) fn each_sign(text: &str, tokens: usize, mut visit: impl FnMut(u32)) {
    let mut counts = [tokens, 0, 0, 0, 0, 0];
    for character in text.chars() {
        match character {
            '!' => counts[1] += 1,
            '?' => counts[2] += 1,
            '.' | '。' | '…' | '~' => counts[3] += 1,
            ',' | '、' | ';' => counts[4] += 1,
            '0'..='9' => counts[5] += 1,
            _ => {}
        }
    }
    for (sign, count) in (0..).zip(counts) {
        // About how many: 0, 1 or 2, up to 6, up to 14 …
        visit(key(join(join(SIGN, sign), u64::from((count + 1).ilog2()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(text: &str) -> Vec<u32> {
        let mut keys = Vec::new();
        each_sign(text, text.chars().count(), |key| keys.push(key));
        keys
    }

    #[test]
    fn what_is_written_alike_has_the_same_signs_and_what_is_not_has_others() {
        assert_eq!(signs("坏了!!!"), signs("好呀!!!"));
        let differing = signs("坏了!!!").into_iter().zip(signs("坏了~~~"));
        assert_eq!(differing.filter(|(a, b)| a != b).count(), 2);
    }
}
