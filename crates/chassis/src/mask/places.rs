//! Where somebody lives, by rule: 省, 市, 区, a road and a number; and the plates of vehicles.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use super::{ADDRESS, PLATE, pattern};

/// A word of an address: what names a place before its 市 or 路. Short, so that a sentence is not taken for one.
const WORD: &str = r"[\p{Han}A-Za-z0-9０-９]{1,8}?";
/// A number of a house, a building, a room.
const NUMBER: &str = r"[0-9０-９A-Za-z一二三四五六七八九十百零〇]{1,6}";

/// A road with a house, or an estate with a building or room: that alone leads to a door. A province, city and district before it
/// belong to it, and so do floor and room behind it.
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    let area = format!(
        "(?:{WORD}(?:省|自治区|自治區|特别行政区))?(?:{WORD}市)?(?:{WORD}(?:区|區|县|縣|旗|市))?(?:{WORD}(?:街道|镇|鎮|乡|鄉|村))?"
    );
    let road = format!(
        r"(?:{WORD}(?:路|大街|街|大道|巷|弄|胡同)){{1,2}}\s?{NUMBER}(?:[-－之]{NUMBER})?\s?(?:号院|號院|号楼|號樓|号|號|弄)"
    );
    let estate = format!(
        r"{WORD}(?:小区|小區|社区|社區|花园|花園|公寓|家园|家園|嘉园|新村|苑|村|大厦|大廈|工业园|科技园)\s?{NUMBER}(?:[-－]{NUMBER})?\s?(?:号院|號院|号楼|號樓|栋|棟|幢|单元|單元|室|房|座)"
    );
    let inside = r"(?:\s?[0-9０-９A-Za-z一二三四五六七八九十\-－]{1,6}\s?(?:号楼|號樓|号|號|栋|棟|幢|座|单元|單元|楼|樓|层|層|室|房|户|戶))";
    pattern(&format!(
        r"{area}(?:{road}(?:{estate})?|{estate}){inside}{{0,4}}(?:[0-9０-９]{{3,4}})?"
    ))
});

/// Words that end like a road and are none; behind them a number counts something.
const NO_ROADS: &[&str] = &[
    "走路", "线路", "線路", "电路", "電路", "网路", "短路", "思路", "半路", "铁路", "公路", "道路", "套路", "回路",
    "链路", "马路", "逛街", "上街", "门路", "销路",
];
/// One of these ends every address that leads to a door.
pub(super) const HOUSES: [char; 10] = ['号', '號', '弄', '栋', '棟', '幢', '元', '室', '房', '座'];
/// What makes something else of a 号 than a house: 3号线, 5号机.
const NO_HOUSES: &[char] = &[
    '线', '線', '机', '機', '店', '款', '色', '码', '柜', '仓', '厅', '窗', '球', '种',
];
/// Where an address begins within a sentence: behind these.
const BEFORE: &[char] = &[
    '在', '到', '于', '址', '是', '为', '為', '往', '从', '去', '寄', '送', '住', '给', '至',
];
/// Where the first of its words ends.
const MARKS: &[char] = &[
    '省', '市', '区', '區', '县', '縣', '旗', '路', '街', '道', '巷', '弄', '胡', '镇', '鎮', '乡', '鄉', '村', '园',
    '園', '苑', '寓', '厦', '廈', '自', '特',
];

/// A plate: the province's sign, a letter, five places or six for an electric vehicle.
static VEHICLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z][·•\-\s]?(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[学警港澳挂试超])",
    )
});

/// Without plates of vehicles. At least one digit is in each.
pub(super) fn plates(text: &str) -> String {
    VEHICLE
        .replace_all(text, |found: &regex::Captures<'_>| {
            let plate = &found[0];
            if plate.chars().any(|c| c.is_ascii_digit()) {
                PLATE.to_owned()
            } else {
                plate.to_owned()
            }
        })
        .into_owned()
}

/// Without addresses that lead to a door; what the sentence says before them stays.
pub(super) fn addresses(text: &str) -> Cow<'_, str> {
    // Most texts name no door, and are told so by a look at their characters.
    if !text.contains(HOUSES) {
        return Cow::Borrowed(text);
    }
    let mut masked = String::new();
    let mut written = 0;
    for found in STREET.find_iter(text) {
        let address = found.as_str();
        let in_a_place = address.contains(['省', '市', '区', '區', '县', '縣', '镇', '鎮']);
        if text[found.end()..].starts_with(NO_HOUSES)
            || (!in_a_place && NO_ROADS.iter().any(|word| address.contains(word)))
        {
            continue;
        }
        let first_word = address.find(MARKS).unwrap_or(0);
        let begin = address[..first_word]
            .char_indices()
            .rev()
            .find(|(_, c)| BEFORE.contains(c))
            .map_or(0, |(at, c)| at + c.len_utf8());
        masked.push_str(&text[written..found.start() + begin]);
        masked.push_str(ADDRESS);
        written = found.end();
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[written..]);
    Cow::Owned(masked)
}
