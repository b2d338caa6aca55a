//! Masking of what names a person in free text: mobile numbers, ID cards, mail addresses, bank cards (001-81).

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What each kind becomes.
const MOBILE: &str = "[手机号]";
const ID_CARD: &str = "[身份证号]";
const MAIL: &str = "[邮箱]";
const BANK_CARD: &str = "[银行卡号]";

static MAIL_ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}"));
/// Runs of digits with single spaces or dashes between, as people write numbers; a last `X` is part of an ID card.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\+?[0-9](?:[ \-]?[0-9]){9,22}[Xx]?"));

#[expect(clippy::expect_used, reason = "the patterns are constants; the tests compile them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// The text without what names a person. What looks like a number of some other kind, such as an order number, stays.
#[must_use]
pub fn mask(text: &str) -> String {
    let text = MAIL_ADDRESS.replace_all(text, MAIL);
    NUMBER
        .replace_all(&text, |found: &Captures<'_>| {
            let written = &found[0];
            let digits: String = written.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
            kind(&digits).map_or_else(|| written.to_owned(), str::to_owned)
        })
        .into_owned()
}

fn kind(digits: &str) -> Option<&'static str> {
    if is_id_card(digits) {
        Some(ID_CARD)
    } else if is_mobile(digits) {
        Some(MOBILE)
    } else if (13..=19).contains(&digits.len()) && passes_luhn(digits) {
        Some(BANK_CARD)
    } else {
        None
    }
}

/// A mobile number of mainland China, with or without its country code.
fn is_mobile(digits: &str) -> bool {
    let national = digits
        .strip_prefix("0086")
        .or_else(|| digits.strip_prefix("86").filter(|rest| rest.len() == 11))
        .unwrap_or(digits);
    national.len() == 11 && national.starts_with('1') && matches!(national.as_bytes()[1], b'3'..=b'9')
}

/// A resident identity card: 18 places, the last being the checksum of GB 11643.
fn is_id_card(digits: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8] = b"10X98765432";
    let bytes = digits.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = bytes[..17]
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECKS[(sum % 11) as usize] == bytes[17].to_ascii_uppercase()
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
        fn masking_twice_is_masking_once(text in "[0-9A-Za-z@. \\-+手机号]{0,120}") {
            let once = mask(&text);
            proptest::prop_assert_eq!(mask(&once), once);
        }
    }
}
