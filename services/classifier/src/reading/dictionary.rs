//! The words of Chinese: a dictionary that is read once, and kept.

use std::sync::LazyLock;

use jieba_rs::Jieba;

static DICTIONARY: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// The dictionary. The first call takes a moment: call it beside the tasks.
pub(crate) fn dictionary() -> &'static Jieba {
    &DICTIONARY
}

/// True for what the words of the dictionary are written with.
pub(crate) fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}
