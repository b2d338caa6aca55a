//! Rows of digits: mobile and landline numbers, ID cards, bank cards.

use std::{ops::Range, sync::LazyLock};

use jiff::civil::Date;
use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::{BANK_CARD, ID_CARD, LANDLINE, MOBILE, pattern};

/// Digits that touch, of either width; a last `X` is part of an ID card.
static GROUP: LazyLock<Regex> = LazyLock::new(|| pattern(r"[+＋]?[0-9０-９]+[XxＸｘ]?"));

/// Area codes of mainland China: 010, 02x for the great cities, 03xx–09xx for the others.
const GREAT_AREAS: &[&str] = &["010", "020", "021", "022", "023", "024", "025", "027", "028", "029"];

/// Mobile and landline numbers and ID cards: kinds that hardly anything else is taken for.
pub(super) fn certain(text: &str) -> String {
    mask_numbers(text, |groups, between| {
        let digits = groups.concat();
        if is_id_card(&digits) || is_old_id_card(groups) {
            Some(ID_CARD)
        } else if is_mobile(&digits) {
            Some(MOBILE)
        } else {
            is_landline(groups, between).then_some(LANDLINE)
        }
    })
}

/// Bank cards: 13 to 19 digits with a checksum, in one piece or in fours.
pub(super) fn bank_cards(text: &str) -> String {
    mask_numbers(text, |groups, _| is_bank_card(groups).then_some(BANK_CARD))
}

/// Replaces each number that has a `kind`, given its groups and what stands between the first two. People write a number in
/// groups, and one number beside another, so every row of neighbouring groups is tried, the longest first.
fn mask_numbers(text: &str, kind: impl Fn(&[String], &str) -> Option<&'static str>) -> String {
    /// No kind has more digits, with a country code before it.
    const LONGEST: usize = 19;
    let places: Vec<Range<usize>> = GROUP.find_iter(text).map(|found| found.range()).collect();
    let groups: Vec<String> = places.iter().map(|place| plain(&text[place.clone()])).collect();
    let between = |first: usize| match places.get(first + 1) {
        Some(next) => &text[places[first].end..next.start],
        None => "",
    };
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
            .find_map(|end| kind(&groups[first..end], between(first)).map(|kind| (kind, end)));
        first = match found {
            // Letters or a point right before or behind say that it is a part of something longer, such as a serial number.
            Some((kind, end)) if kind != LANDLINE || stands_alone(text, places[first].start, places[end - 1].end) => {
                masked.push_str(&text[written..places[first].start]);
                masked.push_str(kind);
                written = places[end - 1].end;
                end
            }
            _ => first + 1,
        };
    }
    masked.push_str(&text[written..]);
    masked
}

/// True where neither a letter, a point nor a hyphen touches the stretch.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '－');
    !text[..start].ends_with(joins) && !text[end..].starts_with(joins)
}

/// The digits of a group in ASCII.
fn plain(group: &str) -> String {
    group.nfkc().filter(char::is_ascii_alphanumeric).collect()
}

/// What stands between two groups of one number.
fn is_separator(between: &str) -> bool {
    matches!(
        between,
        " " | "-" | "\u{3000}" | "－" | "–" | "—" | ")" | "）" | ") " | "） "
    )
}

fn is_bank_card(groups: &[String]) -> bool {
    let [fours @ .., last] = groups else { return false };
    let digits = groups.concat();
    fours.iter().all(|four| four.len() == 4)
        && (fours.is_empty() || last.len() <= 4)
        && is_issued(&digits)
        && passes_luhn(&digits)
}

/// The beginnings and lengths that cards have: order numbers, which mostly begin with a year, have others.
fn is_issued(digits: &str) -> bool {
    let beginning: u32 = digits.get(..2).and_then(|two| two.parse().ok()).unwrap_or(0);
    match digits.len() {
        13 => beginning / 10 == 4,
        14 => matches!(beginning, 30 | 36 | 38 | 39),
        15 => matches!(beginning, 34 | 37),
        16 => matches!(beginning, 35 | 40..=49 | 51..=69 | 90..=99),
        // UnionPay and the older cards of Chinese banks.
        17..=19 => matches!(beginning, 40..=49 | 60..=69 | 90..=99),
        _ => false,
    }
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

/// A landline number: an area code, a separator, seven or eight digits, perhaps an extension; or a 400 or 800 number's shape
/// stays, since it names a company. Without a separator only where the area code is certain and the length is right.
fn is_landline(groups: &[String], between: &str) -> bool {
    let local = |number: &str| {
        (7..=8).contains(&number.len()) && !number.starts_with(['0', '1']) && number.bytes().all(|b| b.is_ascii_digit())
    };
    match groups {
        [area, number] => is_area(area) && local(number) && !between.is_empty(),
        [country, area, number] if country == "86" => is_area(&format!("0{area}")) && local(number),
        [area, number, extension] => {
            let in_halves = [number.as_str(), extension.as_str()].concat();
            is_area(area)
                && !between.is_empty()
                && ((local(number) && (1..=5).contains(&extension.len()))
                    || (number.len() >= 3 && extension.len() == 4 && local(&in_halves)))
        }
        _ => false,
    }
}

fn is_area(code: &str) -> bool {
    GREAT_AREAS.contains(&code)
        || (code.len() == 4
            && code.starts_with('0')
            && matches!(code.as_bytes().get(1), Some(b'3'..=b'9'))
            && code.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A resident identity card: 18 places, among them a date of birth, the last being the checksum of GB 11643.
fn is_id_card(digits: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8] = b"10X98765432";
    let bytes = digits.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    if !birth_date(&digits[6..10], &digits[10..12], &digits[12..14]).is_some_and(|d| (1900..2100).contains(&d.year())) {
        return false;
    }
    let sum: u32 = bytes[..17]
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECKS[(sum % 11) as usize] == bytes[17].to_ascii_uppercase()
}

/// A card of the first generation: 15 digits in one piece, without a checksum. A province and a date of birth have to stand in
/// their places; of other numbers of 15 digits one in 130 passes, which is why card numbers with a checksum are left to their kind.
fn is_old_id_card(groups: &[String]) -> bool {
    let [digits] = groups else { return false };
    digits.len() == 15
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && is_province(&digits[..2])
        && birth_date(&format!("19{}", &digits[6..8]), &digits[8..10], &digits[10..12]).is_some()
        && !passes_luhn(digits)
}

/// The first two digits of an ID card, after GB/T 2260.
fn is_province(code: &str) -> bool {
    matches!(
        code.parse(),
        Ok(11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
    )
}

fn birth_date(year: &str, month: &str, day: &str) -> Option<Date> {
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
