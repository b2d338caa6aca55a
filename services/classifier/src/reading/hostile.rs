//! Hostile and random texts: nothing panics, and no text takes more than time in proportion to its length.

use proptest::strategy::Strategy as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    excerpt::excerpt,
    lexicon::Lexicon,
    verdict::{Statement, read},
    work,
};
use crate::taxonomy::{
    builtin::Builtin,
    domain::{Content, DegreeTerm, Pattern, Rule},
};

/// What hostile texts are made of: words that work on one another, marks that melt or count nothing, pieces of rules, odd planes.
const PIECES: [&str; 48] = [
    "不",
    "没有",
    "一点都不",
    "难道",
    "这也叫",
    "很",
    "但是",
    "闪退",
    "卡顿",
    "好",
    "不好",
    "呵呵",
    "屏幕",
    "碎",
    "退",
    "钱",
    "没",
    "退款",
    "3天",
    "aaaa",
    "aab",
    "not ",
    "never ",
    "crash ",
    "screen ",
    "cracked ",
    "打电话",
    "没人",
    "，",
    "。",
    "！",
    "\n",
    " ",
    ".",
    "…",
    "★",
    "\u{301}",
    "\u{200b}",
    "ﬁ",
    "ﷺ",
    "①",
    "👨‍👩‍👧",
    "😡",
    ":(",
    "“好”",
    "𠀀",
    "\u{1100}\u{1161}\u{11a8}",
    "ＡＢＣ",
];

/// The built-in taxonomy with rules that a careless or ill-willed author might write.
fn content() -> Content {
    let mut content = Builtin::load().unwrap().content;
    let rule = |key: &str, pattern| Rule {
        key: key.to_owned(),
        pattern,
        weight: 1.0,
        product_models: Vec::new(),
        channels: Vec::new(),
        overrides: false,
    };
    let phrase = |parts: &[&str]| Pattern::Phrase {
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        gap: 40,
    };
    content.categories[0].rules = vec![
        rule("same-words", phrase(&["a", "a", "a", "a"])),
        rule("one-character", phrase(&["不", "好", "不", "好"])),
        rule("nested", Pattern::Regex("(a|aa)+b".to_owned())),
        rule("anything", Pattern::Regex(".*[^a-z]|[a-z]".to_owned())),
        rule("many", Pattern::Regex("(不.{0,30}){3}好".to_owned())),
    ];
    content.categories[0].exclusions = vec!["★".to_owned(), "不".to_owned()];
    content.sentiment.degrees.push(DegreeTerm {
        term: "▲".to_owned(),
        factor: 2.0,
    });
    content
}

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

/// A text of so many characters: pieces, repeated pieces, and characters of any plane.
fn random_text(dice: &mut Dice, length: usize) -> String {
    let mut text = String::new();
    let mut count = 0;
    while count < length {
        let piece = match dice.throw(8) {
            0 => char::from_u32(u32::try_from(dice.throw(0x0011_0000)).unwrap()).map_or_else(String::new, String::from),
            1 => PIECES[dice.throw(PIECES.len())].repeat(dice.throw(400)),
            _ => PIECES[dice.throw(PIECES.len())].to_owned(),
        };
        count += piece.chars().count();
        text.push_str(&piece);
    }
    text
}

/// "Must be shown" 6: ten million characters through folding and rules.
#[test]
fn ten_million_characters_are_read_and_every_span_lies_in_its_text() {
    let lexicon = Lexicon::new(0, &content()).unwrap();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut characters = 0;
    while characters < 10_000_000 {
        let text = random_text(&mut dice, 50_000);
        let length = text.chars().count();
        characters += length;
        let verdict = read(&lexicon, Statement::of(&text));
        assert!((-1.0..=1.0).contains(&verdict.sentiment_score));
        for (start, end) in verdict
            .spans
            .iter()
            .map(|span| (span.start, span.end))
            .chain(verdict.aspects.iter().map(|aspect| (aspect.start, aspect.end)))
        {
            assert!(start < end && end as usize <= length, "{start} {end} {length}");
        }
        assert!(excerpt(&text, &verdict.spans).graphemes(true).count() <= 120);
    }
}

/// Four times the text is four times the work, whatever is repeated: nothing is counted by the clock.
#[test]
fn work_grows_with_the_length_and_no_faster() {
    let lexicon = Lexicon::new(0, &content()).unwrap();
    let work_on = |text: &str| {
        let before = work::steps();
        read(&lexicon, Statement::of(text));
        work::steps() - before
    };
    let shapes = PIECES.iter().map(|piece| (*piece).to_owned()).chain(
        [
            "▲",
            "不★",
            "不▲好",
            "好★★★★★★★★",
            "没有a",
            "屏幕屏幕碎",
            "aa aa ",
            "不好",
            "难道好",
            "e\u{301}\u{301}\u{301}",
        ]
        .map(str::to_owned),
    );
    for piece in shapes {
        let (once, four_times) = (work_on(&piece.repeat(1_000)), work_on(&piece.repeat(4_000)));
        assert!(
            four_times <= once * 4 + once / 4 + 2_000,
            "{piece}: {once} steps, then {four_times}"
        );
    }
}

proptest::proptest! {
    /// Any text at all, and any of it in one spelling or another.
    #[test]
    fn random_texts_are_read(text in proptest::collection::vec(proptest::prop_oneof![
        proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
        "\\PC{0,12}",
    ], 0..40)) {
        let lexicon = SHARED.get_or_init(|| Lexicon::new(0, &content()).unwrap());
        let text = text.concat();
        let verdict = read(lexicon, Statement::of(&text));
        let length = text.chars().count();
        for span in &verdict.spans {
            proptest::prop_assert!(span.start < span.end && span.end as usize <= length);
        }
    }
}

static SHARED: std::sync::OnceLock<Lexicon> = std::sync::OnceLock::new();
