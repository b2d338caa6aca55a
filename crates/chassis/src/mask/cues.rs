//! What can only be told by the word before it: passports and other papers, accounts of messengers, landlines without an area code.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use super::{ACCOUNT, BANK_CARD, ID_CARD, LANDLINE, MOBILE, PASSPORT, pattern, replace_group};

/// What may stand between a cue and its number: 是, 为, a colon, blanks.
const LINK: &str = r"(?:\s|号码|号|账号|帐号|賬號|帳號|ID|id|是|为|為|[:：=＝\-]){0,4}";

static PAPERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i:护照|護照|通行证|通行證|台胞证|军官证|士官证|居留证|驾驶证|驾照|证件|證件|passport(?:\s*(?:no\.?|number))?){LINK}([A-Za-z]{{0,3}}[0-9０-９]{{6,12}}[A-Za-z]?)"
    ))
});
static MESSENGERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i:微信|威信|薇信|加v|扣扣|企鹅号|支付宝|支付寶|抖音|小红书|微博|账号|帐号|賬號|帳號|(?:^|[^A-Za-z0-9])(?:vx|v信|wechat|weixin|qq|alipay|telegram|whatsapp|line\s?id)){LINK}([A-Za-z0-9][A-Za-z0-9_\-]{{4,29}}|[0-9０-９]{{5,12}})"
    ))
});
static TELEPHONES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i:座机|固话|固定电话|家里电话|办公电话|联系电话|聯絡電話|电话|電話|传真|(?:^|[^A-Za-z0-9])(?:tel|phone|fax)){LINK}([2-9２-９][0-9０-９]{{2,3}}[\s\-－]?[0-9０-９]{{4}}|[0０][0-9０-９]{{9,11}})(?:[^0-9０-９]|$)"
    ))
});

/// ID cards whose checksum does not hold, for somebody mistyped them, and those of Taiwan.
static ID_CARDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:身份证|身份證|身分證){LINK}([0-9０-９]{{14,17}}[0-9０-９XxＸｘ]|[A-Za-z][1289][0-9]{{8}})"
    ))
});
/// Cards without a checksum that holds.
static CARDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:卡号|卡號){LINK}([0-9０-９](?:[ \-]?[0-9０-９]){{11,18}})"
    ))
});
/// Mobile numbers of Taiwan in one piece.
static MOBILES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:手机|手機|行動電話|行动电话){LINK}([0０][9９][0-9０-９]{{8}})(?:[^0-9０-９]|$)"
    ))
});

/// The cues in ASCII, wherever they stand.
pub(super) static ASCII: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:vx|wechat|weixin|qq|alipay|telegram|whatsapp|line|tel|phone|fax)|_|passport"));

/// Numbers of papers, accounts and telephones that a word before them gives away.
pub(super) fn accounts(text: &str) -> String {
    let text = replace_group(text, &ID_CARDS, |_| Some(ID_CARD));
    let text = replace_group(&text, &CARDS, |_| Some(BANK_CARD)).into_owned();
    let text = replace_group(&text, &MOBILES, |_| Some(MOBILE)).into_owned();
    let text = replace_group(&text, &PAPERS, |_| Some(PASSPORT)).into_owned();
    let text = masked_accounts(&text).into_owned();
    replace_group(&text, &TELEPHONES, |_| Some(LANDLINE)).into_owned()
}

/// An account has a digit, a `_` or a `-`, or was introduced as one: "微信 wechat" and "qq music" name no person.
fn masked_accounts(text: &str) -> Cow<'_, str> {
    let names_somebody = |account: &str| account.chars().any(|c| c.is_numeric() || c == '_') && !is_version(account);
    replace_group(text, &MESSENGERS, |account| names_somebody(account).then_some(ACCOUNT))
}

/// `v8-0-50` and its like: the version of an app.
fn is_version(account: &str) -> bool {
    let rest = account.trim_start_matches(['v', 'V']);
    rest.len() < account.len() && rest.chars().all(|c| c.is_ascii_digit() || c == '-')
}
