//! Masking of what names a person in free text, before it leaves intake (001-81): telephone numbers, ID cards, passports, mail
//! addresses, bank cards, street addresses, licence plates, accounts of messengers.
//!
//! Certain kinds (a checksum, a shape that nothing else has) are masked wherever they stand; uncertain ones only behind a word that
//! says what follows (a cue such as 护照). Every rule is linear: patterns of the `regex` crate, and rows of digits no longer than
//! the longest kind.

mod cues;
mod numbers;
mod places;

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// What each kind becomes.
const MOBILE: &str = "[手机号]";
const LANDLINE: &str = "[电话]";
const ID_CARD: &str = "[身份证号]";
const PASSPORT: &str = "[证件号]";
const MAIL: &str = "[邮箱]";
const BANK_CARD: &str = "[银行卡号]";
const ADDRESS: &str = "[地址]";
const PLATE: &str = "[车牌号]";
const ACCOUNT: &str = "[账号]";

static MAIL_ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+\-]{1,64}[@＠][A-Za-z0-9\-]{1,63}(?:[.．][A-Za-z0-9\-]{1,63}){1,8}"));

#[expect(clippy::expect_used, reason = "the patterns are constants; the tests compile them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// The text without what names a person. What looks like a number of some other kind, such as an order number, stays.
#[must_use]
pub fn mask(text: &str) -> String {
    if names_nobody(text) {
        return text.to_owned();
    }
    searched(text)
}

/// True where a look at the characters shows that no rule finds anything, as in most names of products: each rule wants a digit, an `@`,
/// a `_` or the word for a house, and in a text of ASCII alone eight digits or a cue.
fn names_nobody(text: &str) -> bool {
    let mut digits = 0;
    for c in text.chars() {
        if places::HOUSES.contains(&c) || matches!(c, '@' | '＠' | '_') {
            return false;
        }
        digits += usize::from(c.is_numeric());
    }
    digits == 0 || (digits < 8 && text.is_ascii() && !cues::ASCII.is_match(text))
}

fn searched(text: &str) -> String {
    // The certain kinds first: one number in ten passes for a bank card by chance, and a cue may stand before any of them.
    let text = MAIL_ADDRESS.replace_all(text, MAIL);
    let text = numbers::certain(&text);
    let text = cues::accounts(&text);
    let text = numbers::bank_cards(&text);
    let text = places::plates(&text);
    places::addresses(&text).into_owned()
}

/// Replaces the first group of every match, where `kind` says by what; the rest of the match stays.
fn replace_group<'t>(text: &'t str, pattern: &Regex, kind: impl Fn(&str) -> Option<&'static str>) -> Cow<'t, str> {
    let mut masked = String::new();
    let mut written = 0;
    for found in pattern.captures_iter(text) {
        let Some(group) = found.get(1) else { continue };
        let Some(kind) = kind(group.as_str()) else { continue };
        masked.push_str(&text[written..group.start()]);
        masked.push_str(kind);
        written = group.end();
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[written..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests;
