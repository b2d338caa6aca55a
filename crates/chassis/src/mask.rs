//! Masking of what names a person in free text: mobile numbers, ID cards, mail addresses, bank cards (001-81).

use std::{ops::Range, sync::LazyLock};

use jiff::civil::Date;
use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

/// What each kind becomes.
const MOBILE: &str = "[手机号]";
const ID_CARD: &str = "[身份证号]";
const MAIL: &str = "[邮箱]";
const BANK_CARD: &str = "[银行卡号]";

static MAIL_ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}"));
/// Digits that touch, of either width; a last `X` is part of an ID card.
static GROUP: LazyLock<Regex> = LazyLock::new(|| pattern(r"\+?[0-9０-９]+[XxＸｘ]?"));

#[expect(clippy::expect_used, reason = "the patterns are constants; the tests compile them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// The text without what names a person. What looks like a number of some other kind, such as an order number, stays.
#[must_use]
pub fn mask(text: &str) -> String {
    let text = MAIL_ADDRESS.replace_all(text, MAIL);
    // The certain kinds first: one number in ten passes for a bank card by chance.
    let text = mask_numbers(&text, |groups| {
        let digits = groups.concat();
        if is_id_card(&digits) {
            Some(ID_CARD)
        } else {
            is_mobile(&digits).then_some(MOBILE)
        }
    });
    mask_numbers(&text, |groups| is_bank_card(groups).then_some(BANK_CARD))
}

/// Replaces each number that has a `kind`. People write a number in groups, and one number beside another, so every row
/// of neighbouring groups is tried, the longest first.
fn mask_numbers(text: &str, kind: impl Fn(&[String]) -> Option<&'static str>) -> String {
    /// No kind has more digits, with a country code before it.
    const LONGEST: usize = 19;
    let places: Vec<Range<usize>> = GROUP.find_iter(text).map(|found| found.range()).collect();
    let groups: Vec<String> = places.iter().map(|place| plain(&text[place.clone()])).collect();
    let mut masked = String::with_capacity(text.len());
    let (mut written, mut first) = (0, 0);
    while first < groups.len() {
        let mut digits = groups[first].len();
        let mut end = first + 1;
        while end < groups.len()
            && digits + groups[end].len() <= LONGEST
            && is_separator(&text[places[end - 1].end..places[end].start])
        {
            digits += groups[end].len();
            end += 1;
        }
        let found = (first + 1..=end)
            .rev()
            .find_map(|end| kind(&groups[first..end]).map(|kind| (kind, end)));
        first = match found {
            Some((kind, end)) => {
                masked.push_str(&text[written..places[first].start]);
                masked.push_str(kind);
                written = places[end - 1].end;
                end
            }
            None => first + 1,
        };
    }
    masked.push_str(&text[written..]);
    masked
}

/// The digits of a group in ASCII.
fn plain(group: &str) -> String {
    group.nfkc().filter(char::is_ascii_alphanumeric).collect()
}

/// What stands between two groups of one number.
fn is_separator(between: &str) -> bool {
    matches!(between, " " | "-" | "\u{3000}" | "－")
}

/// A bank card: 13 to 19 digits with a checksum, in one piece or in fours.
fn is_bank_card(groups: &[String]) -> bool {
    let [fours @ .., last] = groups else { return false };
    let digits = groups.concat();
    fours.iter().all(|four| four.len() == 4)
        && (fours.is_empty() || last.len() <= 4)
        && (13..=19).contains(&digits.len())
        && passes_luhn(&digits)
}

/// A mobile number of mainland China, with or without its country code.
fn is_mobile(digits: &str) -> bool {
    let national = digits
        .strip_prefix("0086")
        .or_else(|| digits.strip_prefix("86").filter(|rest| rest.len() == 11))
        .unwrap_or(digits);
    let bytes = national.as_bytes();
    bytes.len() == 11 && bytes[0] == b'1' && bytes[1] >= b'3' && bytes.iter().all(u8::is_ascii_digit)
}

/// A resident identity card: 18 places, among them a date of birth, the last being the checksum of GB 11643.
fn is_id_card(digits: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8] = b"10X98765432";
    let bytes = digits.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    if !birth_date(digits).is_some_and(|date| (1900..2100).contains(&date.year())) {
        return false;
    }
    let sum: u32 = bytes[..17]
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECKS[(sum % 11) as usize] == bytes[17].to_ascii_uppercase()
}

fn birth_date(id_card: &str) -> Option<Date> {
    let (year, month, day) = (&id_card[6..10], &id_card[10..12], &id_card[12..14]);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn passes_luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (place, digit) in digits.bytes().rev().enumerate() {
        if !digit.is_ascii_digit() {
            return false;
        }
        let value = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
        sum += if value > 9 { value - 9 } else { value };
    }
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_name_a_person_are_masked() {
        assert_eq!(mask("我的电话是13800138000，请回电"), "我的电话是[手机号]，请回电");
        assert_eq!(mask("call +86 138-0013-8000 now"), "call [手机号] now");
        assert_eq!(mask("身份证11010519491231002X谢谢"), "身份证[身份证号]谢谢");
        assert_eq!(mask("邮箱li.wei@example.com。"), "邮箱[邮箱]。");
        assert_eq!(mask("卡号 4111 1111 1111 1111"), "卡号 [银行卡号]");
    }

    #[test]
    fn a_number_is_found_among_other_digits() {
        assert_eq!(mask("2026-03-02 13800138000来电"), "2026-03-02 [手机号]来电");
        assert_eq!(mask("13800138000 13900139000"), "[手机号] [手机号]");
        assert_eq!(mask("3 次打 138 0013 8000 2 次无人接"), "3 次打 [手机号] 2 次无人接");
        assert_eq!(mask("2026-03-02 4111 1111 1111 1111"), "2026-03-02 [银行卡号]");
    }

    #[test]
    fn digits_of_double_width_are_digits() {
        assert_eq!(mask("电话１３８００１３８０００。"), "电话[手机号]。");
        assert_eq!(mask("１３８－００１３－８０００"), "[手机号]");
        assert_eq!(mask("１１０１０５１９４９１２３１００２Ｘ"), "[身份证号]");
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "订单号 2026112100012345 未到",
            "型号 12345678901",
            "版本 10.2.3",
            "110105194912310021",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in "[0-9０-９Xx@. \\-+手a]{0,120}") {
            let once = mask(&text);
            proptest::prop_assert_eq!(mask(&once), once);
        }
    }
}
