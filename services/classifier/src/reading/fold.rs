//! One spelling for all: NFKC, lower case, simplified characters, single spaces; with the way back to the original text.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, char::canonical_combining_class, is_nfkc_quick};
use zhconv::{Variant, get_builtin_converter};

/// So many marks belong to one letter, as in the stream-safe format of Unicode (UAX 15): no writing needs more, and a tower of marks
/// must not make normalisation slow.
const MARKS: usize = 30;

/// A folded text that knows where each of its bytes comes from.
#[derive(Debug)]
pub(crate) struct Folded {
    text: String,
    /// For each byte of `text`: the code points of the original that it stands for, from and to.
    places: Vec<(u32, u32)>,
}

impl Folded {
    /// The folded text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The code points of the original that a piece of the folded text stands for.
    pub(crate) fn original(&self, bytes: &Range<usize>) -> Range<u32> {
        let start = self.places.get(bytes.start).map_or(0, |place| place.0);
        let end = bytes
            .end
            .checked_sub(1)
            .and_then(|last| self.places.get(last))
            .map_or(start, |place| place.1);
        start..end
    }

    fn push(&mut self, character: char, place: (u32, u32)) {
        self.text.push(character);
        self.places.resize(self.text.len(), place);
    }

    /// White space is one space, or one line break where a line ends in it.
    fn push_space(&mut self, character: char, place: (u32, u32)) {
        let space = if matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
            '\n'
        } else {
            ' '
        };
        match self.text.as_bytes().last() {
            Some(b' ') if space == '\n' => {
                self.text.pop();
                self.places.pop();
                self.push('\n', place);
            }
            Some(b' ' | b'\n') => {}
            _ => self.push(space, place),
        }
    }
}

/// Folds a text.
pub(crate) fn fold(text: &str) -> Folded {
    let mut folded = Folded {
        text: String::with_capacity(text.len()),
        places: Vec::with_capacity(text.len()),
    };
    let mut characters = text.chars().peekable();
    let mut at = 0;
    while let Some(first) = characters.next() {
        let start = at;
        at += 1;
        if stands_alone(first) && !characters.peek().copied().is_some_and(joins) {
            push_folded(&mut folded, first, (start, at));
            continue;
        }
        // A letter with the marks that belong to it is normalised as one.
        let mut group = String::from(first);
        let mut marks = 0;
        while marks < MARKS
            && let Some(mark) = characters.next_if(|next| joins(*next))
        {
            group.push(mark);
            at += 1;
            marks += 1;
        }
        for character in group.nfkc() {
            push_folded(&mut folded, character, (start, at));
        }
    }
    folded
}

/// Folds a term of a dictionary; empty where nothing remains of it.
pub(crate) fn fold_term(term: &str) -> String {
    fold(term).text.trim().to_owned()
}

/// The traditional characters of a regular expression as simplified ones, which folded texts have; nothing else of it changes, since
/// NFKC or lower case would give it another meaning.
pub(super) fn simplify(pattern: &str) -> String {
    pattern
        .chars()
        .map(|character| SIMPLIFIED.get(&character).copied().unwrap_or(character))
        .collect()
}

fn push_folded(folded: &mut Folded, character: char, place: (u32, u32)) {
    if character.is_ascii() && !character.is_ascii_whitespace() {
        folded.push(character.to_ascii_lowercase(), place);
    } else if character.is_whitespace() {
        folded.push_space(character, place);
    } else if let Some(simplified) = SIMPLIFIED.get(&character) {
        folded.push(*simplified, place);
    } else if is_ideograph(character) {
        folded.push(character, place);
    } else if !is_invisible(character) {
        for lower in character.to_lowercase() {
            folded.push(
                if matches!(lower, '\u{2018}' | '\u{2019}') {
                    '\''
                } else {
                    lower
                },
                place,
            );
        }
    }
}

/// Characters that NFKC leaves as they are, whatever stands before them.
fn stands_alone(character: char) -> bool {
    character.is_ascii() || is_ideograph(character)
}

fn is_ideograph(character: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&character)
}

/// Marks that may melt into the character before them.
fn joins(character: char) -> bool {
    !stands_alone(character)
        && (canonical_combining_class(character) != 0
            || is_nfkc_quick(std::iter::once(character)) == IsNormalized::Maybe)
}

/// What nobody sees must not tell two words apart.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Traditional → simplified, character by character: the same character must fold alike in a term and in any text, so
/// conversion by phrases, which looks at the neighbours, is of no use here. Only what differs is kept.
static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let converter = get_builtin_converter(Variant::ZhHans);
    let mut table = HashMap::new();
    for character in ('\u{3400}'..='\u{9fff}')
        .chain('\u{f900}'..='\u{faff}')
        .chain('\u{20000}'..='\u{2fa1f}')
    {
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
    fn case_width_script_and_spaces_make_no_difference() {
        for (written, folded) in [
            ("ＡＰＰ　閃退！", "app 闪退!"),
            ("Can’t  log\tin", "can't log in"),
            ("這個軟體讓電腦當機", "这个软体让电脑当机"),
            ("起\u{200b}火", "起火"),
            ("cafe\u{301}", "café"),
            ("一行 \r\n\n 二行", "一行\n二行"),
            ("㎏", "kg"),
        ] {
            assert_eq!(fold(written).text(), folded);
        }
    }

    #[test]
    fn every_piece_finds_its_way_back() {
        let text = "㎏ ＡＰＰ cafe\u{301} 起\u{200b}火 閃退";
        let folded = fold(text);
        let original = |piece: &str| {
            let at = folded.text().find(piece).unwrap();
            let range = folded.original(&(at..at + piece.len()));
            text.chars()
                .skip(range.start as usize)
                .take(range.len())
                .collect::<String>()
        };
        assert_eq!(original("kg"), "㎏");
        assert_eq!(original("app"), "ＡＰＰ");
        assert_eq!(original("café"), "cafe\u{301}");
        assert_eq!(original("起火"), "起\u{200b}火");
        assert_eq!(original("闪退"), "閃退");
    }

    proptest::proptest! {
        #[test]
        fn places_rise_and_stay_within_the_text(text in "[\\PC\u{4e00}-\u{9fff}\u{300}-\u{36f}\u{1100}-\u{11ff}]{0,200}") {
            let folded = fold(&text);
            let length = u32::try_from(text.chars().count()).unwrap();
            proptest::prop_assert_eq!(folded.text.len(), folded.places.len());
            for pair in folded.places.windows(2) {
                proptest::prop_assert!(pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1);
            }
            for (start, end) in &folded.places {
                proptest::prop_assert!(start < end && *end <= length);
            }
        }
    }
}
