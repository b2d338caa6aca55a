//! What a text is found by: pairs of neighbouring characters where words stand without spaces, whole words elsewhere; and what a query
//! asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::domain::Content;
use crate::reading::{
    fold::{Folded, fold},
    lexicon::is_without_spaces,
};

/// A longer word is taken as this many characters of it.
const LONGEST_WORD: usize = 32;
/// A Latin word of so many characters is found at the beginning of longer ones.
const SHORTEST_BEGINNING: usize = 3;
/// So many terms of a query are looked for.
const MOST_ASKED: usize = 200;

/// What a term counts in the title, and among the keywords; in the body it counts below 1.
const IN_TITLE: f32 = 3.0;
const IN_KEYWORDS: f32 = 2.0;

/// Phrases that say nothing of what is asked for; folded, longer ones before those that they begin with.
const EMPTY_PHRASES: &[&str] = &[
    "怎么办",
    "怎么样",
    "怎么",
    "怎样",
    "如何",
    "为什么",
    "为何",
    "什么",
    "请问",
    "可以",
    "能否",
    "是否",
    "我的",
    "我们",
    "你们",
    "这个",
    "那个",
    "一下",
];
const EMPTY_WORDS: &[&str] = &[
    "a", "an", "and", "are", "can", "do", "does", "for", "how", "i", "in", "is", "it", "my", "of", "on", "or",
    "please", "the", "to", "what", "why", "with", "you", "your",
];

/// A term of a folded text, with its bytes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
}

/// Letters of one kind without anything between them.
struct Run<'t> {
    text: &'t str,
    start: usize,
    /// Words stand in it without spaces.
    dense: bool,
}

fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = characters.find(|(_, character)| character.is_alphanumeric())?;
        let dense = is_without_spaces(first);
        let belongs = |next: char| next.is_alphanumeric() && is_without_spaces(next) == dense;
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = characters.next_if(|(_, next)| belongs(*next)) {
            end = at + next.len_utf8();
        }
        Some(Run {
            text: &text[start..end],
            start,
            dense,
        })
    })
}

/// The first so many characters.
fn beginning(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters);
    end.map_or(text, |(end, _)| &text[..end])
}

/// The terms of a folded text, in its order. In a dense run there is one at every character: it and the next, at the end it alone; so a word
/// is found wherever it stands, and a single character is the beginning of some term.
pub(super) fn terms(folded: &str) -> Vec<Term<'_>> {
    let mut found = Vec::new();
    for run in runs(folded) {
        if run.dense {
            let pairs = run.text.char_indices().map(|(at, _)| Term {
                text: beginning(&run.text[at..], 2),
                start: run.start + at,
            });
            found.extend(pairs);
        } else {
            found.push(Term {
                text: beginning(run.text, LONGEST_WORD),
                start: run.start,
            });
        }
    }
    found
}

/// The terms of a version, each with what it counts.
pub(super) fn weighed(content: &Content) -> BTreeMap<String, f32> {
    let mut weights = BTreeMap::new();
    let mut once = |text: &str, weight: f32| {
        let folded = fold(text);
        let distinct: BTreeSet<&str> = terms(folded.text()).into_iter().map(|term| term.text).collect();
        for term in distinct {
            *weights.entry(term.to_owned()).or_insert(0.0) += weight;
        }
    };
    once(&content.title, IN_TITLE);
    once(&content.keywords.join("\n"), IN_KEYWORDS);
    let folded = fold(&content.body);
    let body = terms(folded.text());
    let length = count(body.len());
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for term in body {
        *times.entry(term.text).or_insert(0) += 1;
    }
    // As BM25 has it: what is said again counts ever less, and less in a long text than in a short one.
    for (term, times) in times {
        let times = count(times);
        *weights.entry(term.to_owned()).or_insert(0.0) += times / (times + 0.4 + length / 600.0);
    }
    weights
}

#[expect(clippy::cast_precision_loss, reason = "a body has 50,000 characters at most")]
fn count(count: usize) -> f32 {
    count as f32
}

/// What a query asks for: the terms from `low` on, `high` not included, in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) low: String,
    pub(super) high: String,
}

impl Asked {
    /// The term alone: no term goes on with a control character.
    fn term(term: &str) -> Self {
        Self {
            low: term.to_owned(),
            high: format!("{term}\u{1}"),
        }
    }

    /// Every term that begins so.
    fn beginning(term: &str) -> Self {
        Self {
            low: term.to_owned(),
            high: format!("{term}{}", char::MAX),
        }
    }

    /// True where it asks for this term.
    pub(super) fn finds(&self, term: &str) -> bool {
        (self.low.as_str()..self.high.as_str()).contains(&term)
    }
}

/// What a query asks for, each once, 200 at most; of a query of empty phrases alone, those.
pub(super) fn asked(query: &str) -> Vec<Asked> {
    let folded = fold(query);
    let said = asked_of(folded.text(), true);
    if said.is_empty() {
        asked_of(folded.text(), false)
    } else {
        said
    }
}

fn asked_of(folded: &str, without_empty: bool) -> Vec<Asked> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut ask = |asked: Asked| {
        if found.len() < MOST_ASKED && seen.insert(asked.clone()) {
            found.push(asked);
        }
    };
    for run in runs(folded) {
        if !run.dense {
            let word = beginning(run.text, LONGEST_WORD);
            if without_empty && EMPTY_WORDS.contains(&word) {
                continue;
            }
            let is_beginning = word.chars().nth(SHORTEST_BEGINNING - 1).is_some();
            ask(if is_beginning {
                Asked::beginning(word)
            } else {
                Asked::term(word)
            });
            continue;
        }
        let pieces = if without_empty {
            pieces(run.text)
        } else {
            vec![run.text]
        };
        for piece in pieces {
            let mut pairs = terms(piece);
            if pairs.len() > 1 {
                pairs.pop(); // the last character alone
                pairs.iter().for_each(|pair| ask(Asked::term(pair.text)));
            } else {
                ask(Asked::beginning(piece));
            }
        }
    }
    found
}

/// What is left of a run where empty phrases are cut out.
fn pieces(run: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(next) = run[at..].chars().next() {
        let rest = &run[at..];
        match EMPTY_PHRASES.iter().find(|phrase| rest.starts_with(**phrase)) {
            Some(phrase) => {
                found.push(&run[start..at]);
                at += phrase.len();
                start = at;
            }
            None => at += next.len_utf8(),
        }
    }
    found.push(&run[start..]);
    found.retain(|piece| !piece.is_empty());
    found
}

/// Where a text holds what is asked for, in its own code points, with the index of what asks for it; in the order of the text.
pub(super) fn places(text: &str, asked: &[Asked]) -> Vec<(Range<u32>, usize)> {
    let folded: Folded = fold(text);
    let mut by_first: BTreeMap<char, Vec<usize>> = BTreeMap::new();
    for (index, asked) in asked.iter().enumerate() {
        if let Some(first) = asked.low.chars().next() {
            by_first.entry(first).or_default().push(index);
        }
    }
    let mut found = Vec::new();
    for term in terms(folded.text()) {
        let asking = term.text.chars().next().and_then(|first| by_first.get(&first));
        for index in asking.into_iter().flatten() {
            if asked[*index].finds(term.text) {
                let bytes = term.start..term.start + asked[*index].low.len();
                found.push((folded.original(&bytes), *index));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(text: &str) -> Vec<String> {
        let folded = fold(text);
        terms(folded.text()).iter().map(|term| term.text.to_owned()).collect()
    }

    fn asks(query: &str) -> Vec<String> {
        asked(query).into_iter().map(|asked| asked.low).collect()
    }

    #[test]
    fn a_text_is_found_by_pairs_and_words() {
        assert_eq!(found_in("APP閃退了！"), ["app", "闪退", "退了", "了"]);
        assert_eq!(found_in("iPhone15 的USB-C口"), ["iphone15", "的", "usb", "c", "口"]);
        assert_eq!(found_in("——…"), Vec::<String>::new());
    }

    #[test]
    fn a_query_asks_for_what_it_says_and_not_for_how_it_says_it() {
        assert_eq!(asks("閃退怎麼辦"), ["闪退"]);
        assert_eq!(asks("How to reset my X1"), ["reset", "x1"]);
        assert_eq!(asks("怎么办"), ["怎么", "么办"], "and nothing else to go by");
        assert_eq!(asks("保修 保修"), ["保修"]);
        assert!(asked("?!").is_empty());
        assert_eq!(asked(&"一二三四五六七八九十".repeat(40)).len(), 10);
    }

    #[test]
    fn a_single_character_and_a_long_word_find_what_begins_with_them() {
        let one = |query| asked(query).remove(0);
        assert!(one("退").finds("退货") && one("退").finds("退") && !one("退").finds("闪退"));
        assert!(one("crash").finds("crashes") && one("crash").finds("crash") && !one("crash").finds("cras"));
        assert!(one("x1").finds("x1") && !one("x1").finds("x10"));
    }

    #[test]
    fn the_title_counts_most_then_keywords_then_what_is_said_often() {
        let content = Content {
            kind: 1,
            locale: "zh-CN".to_owned(),
            title: "充电".to_owned(),
            body: "屏幕，屏幕，电池".to_owned(),
            categories: Vec::new(),
            product_models: Vec::new(),
            keywords: vec!["续航".to_owned()],
            for_customers: false,
            change_reason: String::new(),
        };
        let weights = weighed(&content);
        let rank = ["充电", "续航", "屏幕", "电池"].map(|term| weights[term]);
        assert!(rank.windows(2).all(|pair| pair[0] > pair[1]), "{rank:?}");
    }

    proptest::proptest! {
        /// Words within words: whatever piece of a text is asked for, the text is found, whatever its script.
        #[test]
        fn every_piece_of_a_text_finds_it(text in "[\u{4e00}-\u{9fff}a-z ]{1,40}", from in 0usize..40, length in 1usize..6) {
            let characters: Vec<char> = text.chars().collect();
            let piece: String = characters.iter().skip(from).take(length).filter(|character| !character.is_ascii()).collect();
            let held: String = characters.iter().collect();
            if !piece.is_empty() && held.contains(&piece) {
                let folded = fold(&text);
                for asked in asked(&piece) {
                    proptest::prop_assert!(terms(folded.text()).iter().any(|term| asked.finds(term.text)), "{asked:?}");
                }
            }
        }
    }
}
