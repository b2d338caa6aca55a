//! The sentence of a text that says most of what it is about, for messages and lists (标准化提炼, 001-17).

use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    sentence,
    span::{Span, Spoken},
};

/// As many characters as a person would count, at most.
const LONGEST: usize = 120;

/// The sentence in which most of the words that decided stand, of equal ones the first; at most 120 characters (grapheme clusters), and
/// where it is longer the last one is `…`.
pub(crate) fn excerpt(text: &str, spans: &[Span]) -> String {
    let mut best: Option<(u32, &str)> = None;
    let mut start = 0;
    let mut rest = spans;
    for piece in sentence::sentences(text) {
        let sentence = &text[piece];
        let end = start + u32::try_from(sentence.chars().count()).unwrap_or(u32::MAX);
        // Spans come in the order of the text.
        let (within, behind) = rest.split_at(rest.partition_point(|span| span.start < end));
        rest = behind;
        start = end;
        let says = within.iter().map(says).sum();
        if !sentence.trim().is_empty() && best.is_none_or(|(most, _)| says > most) {
            best = Some((says, sentence));
        }
    }
    let sentence = best.map_or("", |(_, sentence)| sentence);
    let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    match sentence.grapheme_indices(true).nth(LONGEST) {
        None => sentence,
        Some(_) => sentence.graphemes(true).take(LONGEST - 1).chain(["…"]).collect(),
    }
}

/// What it is about weighs more than how it sounds.
fn says(span: &Span) -> u32 {
    match span.spoken {
        _ if span.weight == 0.0 => 0,
        Spoken::Category { .. } => 3,
        Spoken::Impact => 2,
        Spoken::Sentiment => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reading::{
            lexicon::Lexicon,
            verdict::{Statement, read},
        },
        taxonomy::builtin::Builtin,
    };

    fn first(text: &str) -> String {
        excerpt(text, &[])
    }

    #[test]
    fn where_nothing_speaks_an_excerpt_is_the_first_sentence() {
        assert_eq!(first("  登录失败！请尽快处理。"), "登录失败！");
        assert_eq!(first("標題\n內文"), "標題");
        assert_eq!(first("\n\n標題\n內文"), "標題");
        assert_eq!(first("v2.5  crashes. Always"), "v2.5 crashes.");
        assert_eq!(first(""), "");
    }

    /// 001-17: not the greeting but the matter.
    #[test]
    fn an_excerpt_is_the_sentence_that_decided() {
        let lexicon = Lexicon::new(0, &Builtin::load().unwrap().content).unwrap();
        for (text, matter) in [
            (
                "你好。我是老客户了。昨天更新后APP一打开就闪退。麻烦看一下。",
                "昨天更新后APP一打开就闪退。",
            ),
            (
                "Hi team. I have used it for years. The app crashes on startup! Regards.",
                "The app crashes on startup!",
            ),
            (
                "物流很快，没有破损！但是客服態度惡劣，一直推諉。謝謝",
                "但是客服態度惡劣，一直推諉。",
            ),
        ] {
            let verdict = read(&lexicon, Statement::of(text));
            assert_eq!(excerpt(text, &verdict.spans), matter);
        }
    }

    #[test]
    fn a_long_one_is_cut_between_characters_as_people_count_them() {
        let family = "👨‍👩‍👧";
        let cut = first(&family.repeat(200));
        assert_eq!(cut.graphemes(true).count(), 120);
        assert!(cut.ends_with("👧…"));
        assert_eq!(first(&"字".repeat(120)), "字".repeat(120));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_long_or_too_strange(text in "\\PC{0,400}") {
            proptest::prop_assert!(first(&text).graphemes(true).count() <= 120);
        }
    }
}
