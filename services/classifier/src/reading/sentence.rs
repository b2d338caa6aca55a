//! Where sentences and clauses of a text end, folded or as it was written.

use std::ops::Range;

use super::lexicon::is_without_spaces;

/// What ends a clause; nothing reaches past it. A full stop between digits does not.
const BREAKS: &str = ",.!?;:。;…~\n()[]【】《》「」、，！？；：．～（）\r";

/// True where a clause ends with this character, between these two.
pub(super) fn ends_clause(before: Option<char>, character: char, behind: Option<char>) -> bool {
    let decimal = character == '.'
        && before.is_some_and(|before| before.is_alphanumeric() && !is_without_spaces(before))
        && behind.is_some_and(|behind| behind.is_ascii_digit());
    BREAKS.contains(character) && !decimal
}

/// True where a sentence ends with this character; a full stop of Latin text does where white space or nothing is behind it.
pub(super) fn ends_sentence(character: char, behind: Option<char>) -> bool {
    match character {
        '。' | '！' | '？' | '!' | '?' | '\n' | '\r' => true,
        '.' => behind.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// The sentences of a text, each with the mark that ends it; together they are the whole text.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    pieces(text, |_, character, behind| ends_sentence(character, behind))
}

/// The clauses of a text, as sentences are.
pub(super) fn clauses(text: &str) -> Vec<Range<usize>> {
    pieces(text, ends_clause)
}

fn pieces(text: &str, ends: impl Fn(Option<char>, char, Option<char>) -> bool) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let behind = characters.peek().map(|(_, behind)| *behind);
        let end = at + character.len_utf8();
        // Marks that follow one another (？！) end one piece.
        let goes_on = behind.is_some_and(|behind| matches!(behind, '！' | '？' | '!' | '?' | '。'));
        if ends(before, character, behind) && !goes_on {
            pieces.push(start..end);
            start = end;
        }
        before = Some(character);
    }
    if start < text.len() {
        pieces.push(start..text.len());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, pieces: Vec<Range<usize>>) -> Vec<&str> {
        pieces.into_iter().map(|piece| &text[piece]).collect()
    }

    #[test]
    fn a_sentence_ends_with_its_mark_and_a_number_has_none() {
        let text = "退款呢？！v2.5 crashes. 很慢。\n没人理";
        assert_eq!(
            shown(text, sentences(text)),
            ["退款呢？！", "v2.5 crashes.", " 很慢。", "\n", "没人理"]
        );
        let text = "快，2.5秒,好";
        assert_eq!(shown(text, clauses(text)), ["快，", "2.5秒,", "好"]);
    }

    proptest::proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "[\\PC。！？.!?\n ,]{0,80}") {
            for pieces in [sentences(&text), clauses(&text)] {
                let joined: String = pieces.into_iter().map(|piece| &text[piece]).collect();
                proptest::prop_assert_eq!(&joined, &text);
            }
        }
    }
}
