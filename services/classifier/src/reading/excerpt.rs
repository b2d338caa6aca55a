//! The first sentence of a text, for messages and lists.

use unicode_segmentation::UnicodeSegmentation as _;

/// As many characters as a person would count, at most.
const LONGEST: usize = 120;

/// The first sentence, at most 120 characters (grapheme clusters); where it is longer the last one is `…`.
pub(crate) fn excerpt(text: &str) -> String {
    let text = text.trim();
    let sentence = text.find(ends_sentence).map_or(text, |end| &text[..end]);
    // The mark that ends it belongs to it; a line break does not.
    let mark = text[sentence.len()..]
        .chars()
        .next()
        .filter(|mark| !mark.is_whitespace());
    let sentence = &text[..sentence.len() + mark.map_or(0, char::len_utf8)];
    let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    match sentence.grapheme_indices(true).nth(LONGEST) {
        None => sentence,
        Some(_) => sentence.graphemes(true).take(LONGEST - 1).chain(["…"]).collect(),
    }
}

fn ends_sentence(character: char) -> bool {
    matches!(character, '。' | '！' | '？' | '!' | '?' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_the_first_sentence() {
        assert_eq!(excerpt("  登录失败！请尽快处理。"), "登录失败！");
        assert_eq!(excerpt("標題\n內文"), "標題");
        assert_eq!(excerpt("v2.5  crashes"), "v2.5 crashes");
        assert_eq!(excerpt(""), "");
    }

    #[test]
    fn a_long_one_is_cut_between_characters_as_people_count_them() {
        let family = "👨‍👩‍👧";
        let cut = excerpt(&family.repeat(200));
        assert_eq!(cut.graphemes(true).count(), 120);
        assert!(cut.ends_with("👧…"));
        assert_eq!(excerpt(&"字".repeat(120)), "字".repeat(120));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_long_or_too_strange(text in "\\PC{0,400}") {
            proptest::prop_assert!(excerpt(&text).graphemes(true).count() <= 120);
        }
    }
}
