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

/// Neighbouring groups that may be one number.
struct Row<'r> {
    groups: &'r [String],
    /// What stands between the first two.
    between: &'r str,
    /// It begins with `+`.
    has_plus: bool,
    /// A point stands between some of them.
    is_dotted: bool,
}

/// Mobile and landline numbers and ID cards: kinds that hardly anything else is taken for.
pub(super) fn certain(text: &str) -> String {
    mask_numbers(text, |row| {
        let digits = row.groups.concat();
        if row.is_dotted {
            // So are versions, amounts and addresses of computers; none of them has places like these.
            return (is_mobile(&digits) && has_places(row.groups, &[3, 4, 4])).then_some(MOBILE);
        }
        // +1 650… is no mobile number of 165….
        let abroad = row.has_plus && is_abroad(&digits);
        if is_id_card(&digits) || is_old_id_card(row.groups) {
            Some(ID_CARD)
        } else if abroad {
            Some(LANDLINE)
        } else if is_mobile(&digits) || is_taiwan_mobile(row.groups) {
            Some(MOBILE)
        } else {
            is_landline(row.groups, row.between).then_some(LANDLINE)
        }
    })
}

/// Bank cards: 13 to 19 digits with a checksum, in one piece or in fours.
pub(super) fn bank_cards(text: &str) -> String {
    mask_numbers(text, |row| {
        (!row.is_dotted && is_bank_card(row.groups)).then_some(BANK_CARD)
    })
}

/// Replaces each number that has a `kind`. People write a number in groups, and one number beside another, so every row of
/// neighbouring groups is tried, the longest first.
fn mask_numbers(text: &str, kind: impl Fn(&Row<'_>) -> Option<&'static str>) -> String {
    /// No kind has more digits, with a country code before it.
    const LONGEST: usize = 19;
    let places: Vec<Range<usize>> = GROUP.find_iter(text).map(|found| group(text, found.range())).collect();
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
        let mut first_point = None;
        while end < groups.len() && digits + groups[end].len() <= LONGEST && is_separator(between(end - 1)) {
            if first_point.is_none() && between(end - 1) == "." {
                first_point = Some(end);
            }
            digits += groups[end].len();
            end += 1;
        }
        let found = (first + 1..=end).rev().find_map(|end| {
            let row = Row {
                groups: &groups[first..end],
                between: between(first),
                has_plus: text[places[first].start..].starts_with(['+', '＋']),
                is_dotted: first_point.is_some_and(|point| point < end),
            };
            kind(&row).map(|kind| (kind, end))
        });
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

/// A group without an `x` that cannot be the last place of an ID card, written whole or in parts: before an extension, say.
fn group(text: &str, found: Range<usize>) -> Range<usize> {
    let Some(digits) = text[found.clone()].strip_suffix(['X', 'x', 'Ｘ', 'ｘ']) else {
        return found;
    };
    match digits.chars().filter(|c| c.is_numeric()).count() {
        0..=8 | 17 => found,
        _ => found.start..found.start + digits.len(),
    }
}

/// True where neither a letter, a point nor a hyphen touches the stretch; before a `+` anything may stand.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '－');
    let begins = text[start..].starts_with(['+', '＋']) || !text[..start].ends_with(joins);
    begins && !text[end..].starts_with(joins)
}

/// The digits of a group in ASCII.
fn plain(group: &str) -> String {
    group.nfkc().filter(char::is_ascii_alphanumeric).collect()
}

/// What stands between two groups of one number: one or two blanks, a stroke, a point, a bracket.
fn is_separator(between: &str) -> bool {
    let rest = between.trim_end_matches([' ', '\u{a0}', '\u{3000}']);
    let blanks = between[rest.len()..].chars().count();
    match rest {
        "" => (1..=2).contains(&blanks),
        "-" | "－" | "–" | "—" | "." => blanks == 0,
        ")" | "）" => blanks <= 1,
        "(" | " (" | "（" | " （" => blanks == 0,
        _ => false,
    }
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

/// True where the last of the groups have so many places each.
fn has_places(groups: &[String], places: &[usize]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(String::len).collect();
    lengths.ends_with(places)
}

/// A mobile number of mainland China, with or without its country code or the 0 that is dialled from another city.
fn is_mobile(digits: &str) -> bool {
    let national = digits
        .strip_prefix("0086")
        .or_else(|| {
            digits
                .strip_prefix("86")
                .or_else(|| digits.strip_prefix('0'))
                .filter(|rest| rest.len() == 11)
        })
        .unwrap_or(digits);
    let bytes = national.as_bytes();
    bytes.len() == 11 && bytes[0] == b'1' && bytes[1] >= b'3' && bytes.iter().all(u8::is_ascii_digit)
}

/// A mobile number of Taiwan, in groups: in one piece ten digits are many things.
fn is_taiwan_mobile(groups: &[String]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(String::len).collect();
    (lengths == [4, 3, 3] || lengths == [4, 6])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_digit()))
        && groups[0].starts_with("09")
}

/// A number of another country (E.164), of which `+` was said. Chinese ones have rules of their own.
fn is_abroad(digits: &str) -> bool {
    let fits = match digits.as_bytes().first() {
        Some(b'1') => digits.len() == 11,
        Some(b'2'..=b'9') => (8..=15).contains(&digits.len()) && !digits.starts_with("86"),
        _ => false,
    };
    fits && digits.bytes().all(|byte| byte.is_ascii_digit())
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
