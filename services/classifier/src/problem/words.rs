//! The words of a text: Chinese by jieba (dictionary, and a hidden Markov model for words that it does not have), any other writing by
//! the word boundaries of Unicode (UAX 29).

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::reading::{
    dictionary::{dictionary, is_ideograph},
    fold::fold,
};

/// What is read of a text, in characters: more of it says nothing new, and a text of any length must cost a bounded time.
const READ_AT_MOST: usize = 4_000;
/// A word has so many characters at least in Chinese …
const SHORTEST_CHINESE: usize = 2;
/// … and in other writing.
const SHORTEST: usize = 3;
/// What is longer is no word.
const LONGEST: usize = 32;

/// The words of a text, each once, folded as the classifier reads. The first call takes a moment: call it beside the tasks.
pub(crate) fn words_of(text: &str) -> BTreeSet<String> {
    let folded = fold(text);
    let text = match folded.text().char_indices().nth(READ_AT_MOST) {
        Some((end, _)) => &folded.text()[..end],
        None => folded.text(),
    };
    let mut words = BTreeSet::new();
    for (run, chinese) in runs(text) {
        if chinese {
            let cut = dictionary().cut(run, true);
            let cut = cut.iter().map(|token| token.word);
            words.extend(
                cut.filter(|word| is_long_enough(word, SHORTEST_CHINESE))
                    .map(str::to_owned),
            );
        } else {
            let cut = run.unicode_words().filter(|word| word.chars().any(char::is_alphabetic));
            words.extend(cut.filter(|word| is_long_enough(word, SHORTEST)).map(str::to_owned));
        }
    }
    words
}

fn is_long_enough(word: &str, shortest: usize) -> bool {
    (shortest..=LONGEST).contains(&word.chars().count())
}

/// Stretches of ideographs, and what stands between them.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let chinese = is_ideograph(rest.chars().next()?);
        let end = rest
            .find(|character| is_ideograph(character) != chinese)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some((run, chinese))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_writing_come_apart_into_words() {
        let of = |text: &str| words_of(text).into_iter().collect::<Vec<_>>();
        assert_eq!(of("APP一打開相冊就閃退"), ["app", "打开", "相册", "闪退"]);
        assert_eq!(
            of("The app's CRASHING, 3 times: it is 12345!"),
            ["app's", "crashing", "the", "times"]
        );
        assert_eq!(of("Das Gerät läuft heiß"), ["das", "gerät", "heiß", "läuft"]);
        assert_eq!(of(""), [""; 0]);
        assert_eq!(
            of(&"长".repeat(1_000_000))
                .iter()
                .filter(|word| word.chars().count() > LONGEST)
                .count(),
            0
        );
    }
}
