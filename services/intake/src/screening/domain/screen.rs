//! What is not meant as feedback (001-12): test data, spam, and what says nothing. A pure function of the words.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    Finding, FindingKind, Reason,
    phrases::{Found, Phrases, without},
    text::{fold, is_ideograph, letters, weight},
};

/// Longer texts are looked at up to here: what is not meant as feedback shows it early.
const LONGEST: usize = 4000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says that it is a test.
    Test,
    /// Stands beside such words, and means nothing alone.
    Beside,
    /// Fills a page.
    Placeholder,
    /// A word of advertising.
    Advertising,
    /// Asks to get in touch.
    Touch,
    /// Greets, agrees, fills.
    Empty,
    /// Somebody has a matter of their own: complains, asks for something.
    Matter,
}

static PHRASES: LazyLock<Phrases<Kind>> = LazyLock::new(|| {
    Phrases::new(&[
        (
            Kind::Test,
            "测试 测试数据 测试资料 测试用 测试单 测试反馈 测试工单 测试一下 测试测试 测一下 测测 压测 联调 试一下 试试 试试看 试提交 ceshi cs \
             test tests tested testing tester tst test_data testdata test_ticket test_only hello_world foo bar foobar baz qux demo dummy \
             smoke_test uat abc abcd abcde xxx yyy zzz 测试123 test123",
        ),
        (
            Kind::Beside,
            "这是 这 是 一个 一条 一下 一次 我 我在 在 来 请 请忽略 忽略 勿回 勿处理 请勿处理 不用处理 不用管 不用回复 无需处理 无需回复 别管 数据 反馈 \
             工单 提交 功能 环境 内容 随便 写 写点 填 看看 看下 能不能 可以 是否 正常 接口 流程 的 了 吧 啊 哈 呢 用 第 条 号 勿理 仅供 仅 只是 \
             this is a an the just only please pls ignore me it my for of do not don't reply some data ticket feedback message comment \
             if works work to and check checking from in on env environment number no nothing here",
        ),
        (
            Kind::Placeholder,
            "lorem_ipsum dolor_sit_amet placeholder_text sample_text 示例文本 示例内容 此处填写 请在此输入 请在此处输入 此处输入内容 占位文字 占位符文本 placeholder",
        ),
        (
            Kind::Advertising,
            "兼职 日赚 日入 月入过万 月入 轻松赚 赚钱 刷单 返利 返现 免费领 免费领取 领取红包 点击领取 限时优惠 限时特价 优惠多多 低价 批发 厂家直销 厂家直供 \
             货到付款 招代理 诚招代理 招商 加盟 贷款 无抵押 低息 秒到账 秒批 征信 信用卡套现 套现 代开发票 开发票 发票代开 彩票 博彩 赌场 娱乐城 棋牌 真人 \
             下注 投注 私服 外挂 代练 涨粉 刷赞 刷粉 引流 推广 代写 代考 论文代写 办证 刻章 高仿 精仿 一比一 原单 壮阳 减肥 丰胸 成人 约炮 美女 直播 股票 荐股 涨停 \
             内幕 理财 稳赚 不赔 高收益 加群 进群 优惠券 客源 seo 关键词排名 \
             casino viagra cialis payday loan loans bitcoin crypto forex earn_money make_money work_from_home passive_income \
             click_here limited_offer buy_now cheap discount promo promotion free_gift gift_card followers backlinks seo_services \
             ranking escort dating hot_girls lottery winner congratulations guaranteed investment betting jackpot replica wholesale",
        ),
        (
            Kind::Touch,
            "加微信 加我微信 加v 加vx 加薇 加qq 加扣扣 加我 微信号 微信 薇信 威信 vx wx v信 qq qq群 扣扣 扣群 联系我 私聊 私信 咨询 详询 详情咨询 电话咨询 \
             telegram whatsapp wechat line_id contact_me dm_me call_now text_me",
        ),
        (
            Kind::Empty,
            "你好 您好 你好啊 大家好 早上好 中午好 下午好 晚上好 晚安 在吗 在不在 在么 有人吗 有人么 喂 哈喽 嗨 hi hello hey yo 嗯 嗯嗯 哦 哦哦 噢 啊 呃 额 唉 诶 哈 哈哈 \
             呵 呵呵 嘿嘿 嘻嘻 好的 好 好吧 行 行吧 可以 ok okay k 收到 知道了 了解 明白 是 是的 对 对的 谢谢 多谢 感谢 thx thanks thank_you \
             路过 签到 打卡 顶 沙发 占座 占楼 灌水 凑字数 水一下 无 没有 暂无 暂时没有 没了 没有了 没有意见 没意见 无意见 没有建议 没什么 没什么说的 没有什么 none null nil na n/a no nothing \
             no_comment no_comments nope yes test了 不知道 不知道说什么 随便 随便说说 随便写写 随便看看 略 如题 rt 同上 见上 见附件 的 了 吧 呢 吗 呀 哟 嘛 么 and \
             今天天气真好 天气真好 天气不错 吃了吗 吃饭了吗 无聊 好无聊 爱你 么么哒 再见 拜拜 bye goodbye so well um uh lol haha hahaha good_morning good_night how_are_you",
        ),
        (
            Kind::Matter,
            "退款 退货 退钱 退差价 换货 维修 投诉 举报 客服 打不开 闪退 卡顿 卡死 死机 无法 不能 不了 失败 报错 错误 坏 坏了 破损 漏 漏发 少发 发错 没到 没收到 收不到 \
             扣款 扣费 乱扣 多扣 骗 欺诈 骚扰 总是 老是 一直 不准 不对 不灵 没反应 黑屏 白屏 异常 故障 希望 建议 能否 为什么 怎么 请问 质量 问题 垃圾短信 弹窗 广告太多 \
             crash crashes crashed crashing freeze freezes fails failed failing broken doesn't can't cannot won't wrong refund return \
             complain complaint error bug issue problem missing slow keeps please_fix why how_do_i unsubscribe scam fraud",
        ),
    ])
});

/// A link, or what looks like one.
#[expect(clippy::expect_used, reason = "a fixed pattern, compiled by every test")]
static LINK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:https?://|www\.)[^\s\u{4e00}-\u{9fff}]+|(?-u:\b)[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,62})*\.(?:com|cn|net|org|top|xyz|vip|cc|shop|info|club|site|online|me|ru|io|link)(?-u:\b)(?:/[^\s\u{4e00}-\u{9fff}]*)?",
    )
    .expect("a link has a pattern")
});

/// How to get in touch, with an account behind it.
#[expect(clippy::expect_used, reason = "a fixed pattern, compiled by every test")]
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:微信|薇信|威信|v信|vx|wx|qq|扣扣|扣群|telegram|whatsapp|wechat|line id|电话|手机)号?群?[\s:：=是为+]{0,4}\+?[a-z0-9_-]{5,}|(?-u:\b)t\.me/[a-z0-9_]+|(?-u:\b)wa\.me/\d+",
    )
    .expect("an account has a pattern")
});

/// What screening finds in a text, at most one finding of each kind.
pub(crate) fn screen(text: &str) -> Vec<Finding> {
    let short: String = text.chars().take(LONGEST).collect();
    let folded = fold(&short);
    let phrases = PHRASES.find(&folded);
    let mut findings = Vec::new();
    let mut found = |kind, reasons: Vec<Reason>| {
        if !reasons.is_empty() {
            findings.push(Finding {
                kind,
                reasons,
                feedback: None,
            });
        }
    };
    let is_test = test_data(&folded, &phrases);
    let is_spam = spam(&folded, &phrases);
    let says_nothing = if is_test.is_empty() && is_spam.is_empty() {
        irrelevant(&folded, &phrases)
    } else {
        Vec::new()
    };
    found(FindingKind::TestData, is_test);
    found(FindingKind::Spam, is_spam);
    found(FindingKind::Irrelevant, says_nothing);
    findings
}

fn test_data(folded: &str, found: &[Found<Kind>]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let says_test = found.iter().any(|piece| piece.kind == Kind::Test);
    let fills: Vec<_> = found
        .iter()
        .copied()
        .filter(|piece| matches!(piece.kind, Kind::Test | Kind::Beside | Kind::Empty))
        .collect();
    let rest = without(folded, &fills);
    let words = rest
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let means_something =
        |word: &&str| !word.chars().all(char::is_numeric) && !is_keyboard(word) && !is_numbered_test(word);
    let left: usize = words.filter(means_something).map(weight).sum();
    if (says_test || is_numbered(folded)) && left <= 1 {
        reasons.push(Reason::TestWords);
    }
    let whole = letters(folded);
    let tokens: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if whole.chars().count() >= 3
        && tokens
            .iter()
            .all(|word| is_keyboard(word) || (tokens.len() > 1 && word.len() < 3 && word.is_ascii()))
    {
        reasons.push(Reason::Keyboard);
    }
    if found.iter().any(|piece| piece.kind == Kind::Placeholder) {
        reasons.push(Reason::Placeholder);
    }
    reasons
}

/// `test1`, `abc123`, `ceshi02`: a word of tests with a number at its end.
fn is_numbered_test(word: &str) -> bool {
    let stem = word.trim_end_matches(|c: char| c.is_numeric());
    stem.len() < word.len()
        && matches!(
            stem,
            "test"
                | "tests"
                | "testing"
                | "tst"
                | "abc"
                | "ceshi"
                | "demo"
                | "foo"
                | "user"
                | "aaa"
                | "测试"
                | "测试数据"
        )
}

fn is_numbered(folded: &str) -> bool {
    folded
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| is_numbered_test(word) && !word.starts_with("user"))
}

/// Keys beside each other, or one key over and over; at least three of them.
fn is_keyboard(word: &str) -> bool {
    const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
    const COLUMNS: &str = "1qaz2wsx3edc4rfv5tgb6yhn7ujm";
    let bytes = word.as_bytes();
    if bytes.len() < 3 || !word.is_ascii() {
        return false;
    }
    if bytes.len() >= 4 && (COLUMNS.contains(word) || "qazwsxedcrfvtgb".contains(word)) {
        return true;
    }
    let place = |byte: u8| {
        (0i32..)
            .zip(ROWS)
            .find_map(|(row, keys)| Some((row, i32::try_from(keys.find(char::from(byte))?).unwrap_or(0))))
    };
    let near = |pair: &[u8]| match (place(pair[0]), place(pair[1])) {
        (Some((row, left)), Some((other, right))) => row == other && (left - right).abs() <= 2,
        _ => false,
    };
    let is_same = bytes.iter().all(|byte| *byte == bytes[0]);
    let is_counted = bytes
        .windows(2)
        .all(|pair| pair[1] == pair[0] + 1 || (pair[0] == b'9' && pair[1] == b'0'));
    let is_run = bytes.len() >= 4 && bytes.windows(2).all(near) && (bytes.len() >= 6 || is_straight(bytes, place));
    is_same && bytes.len() >= 3 && bytes[0] != b'6' && bytes[0] != b'8' || is_counted || is_run
}

/// Along a row in one direction, as nobody's word is.
fn is_straight(bytes: &[u8], place: impl Fn(u8) -> Option<(i32, i32)>) -> bool {
    let columns: Vec<i32> = bytes
        .iter()
        .filter_map(|byte| place(*byte))
        .map(|(_, column)| column)
        .collect();
    columns.windows(2).all(|pair| pair[1] - pair[0] == 1) || columns.windows(2).all(|pair| pair[0] - pair[1] == 1)
}

fn spam(folded: &str, found: &[Found<Kind>]) -> Vec<Reason> {
    let distinct = |kind: Kind| {
        let mut pieces: Vec<&str> = found
            .iter()
            .filter(|piece| piece.kind == kind)
            .map(|piece| &folded[piece.start..piece.end])
            .collect();
        pieces.sort_unstable();
        pieces.dedup();
        pieces.len()
    };
    let links = LINK.find_iter(folded).count();
    let advertising = distinct(Kind::Advertising);
    let touch = distinct(Kind::Touch);
    let has_account = ACCOUNT.is_match(folded);
    let repeats = repeats(folded);
    // Whoever has a matter of their own may well name a link, a loan or a chat.
    let needed = if distinct(Kind::Matter) > 0 { 4 } else { 2 };
    let rest = LINK.replace_all(folded, " ");
    let bare_link = links > 0 && weight(&rest) <= 4;
    let score = advertising.min(3)
        + usize::from(touch > 0)
        + 2 * usize::from(has_account)
        + links.min(1)
        + usize::from(bare_link)
        + 2 * usize::from(repeats);
    let mut reasons = Vec::new();
    if score >= needed {
        if advertising > 0 {
            reasons.push(Reason::Advertising);
        }
        if links > 0 {
            reasons.push(Reason::Link);
        }
        if touch > 0 || has_account {
            reasons.push(Reason::Solicitation);
        }
        if repeats {
            reasons.push(Reason::Repetition);
        }
    }
    reasons
}

/// The same phrase of four characters and more, four times and more, and nothing else to speak of.
fn repeats(folded: &str) -> bool {
    let letters: Vec<char> = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    // A text that repeats with a period has it in its first quarter; a few periods are tried, each in one pass.
    (4..=40usize).any(|period| {
        letters.len() >= period * 4 && {
            let same = letters
                .iter()
                .zip(letters.iter().skip(period))
                .filter(|(a, b)| a == b)
                .count();
            let distinct = letters[..period].iter().any(|c| *c != letters[0]);
            distinct && same * 10 >= (letters.len() - period) * 9
        }
    })
}

fn irrelevant(folded: &str, found: &[Found<Kind>]) -> Vec<Reason> {
    let whole = letters(folded);
    if whole.is_empty() {
        return vec![Reason::NoWords];
    }
    if found.iter().any(|piece| piece.kind == Kind::Matter) {
        return Vec::new();
    }
    let empty: Vec<_> = found
        .iter()
        .copied()
        .filter(|piece| piece.kind == Kind::Empty)
        .collect();
    let rest = letters(&without(folded, &empty));
    if rest.chars().all(char::is_numeric) || is_one_character(&whole) {
        return vec![Reason::NoMeaning];
    }
    let is_gibberish = |word: &str| {
        word.len() >= 5 && word.bytes().all(|b| b.is_ascii_alphanumeric()) && {
            let vowels = word.bytes().filter(|b| b"aeiouy".contains(b)).count();
            let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
            letters >= 5 && vowels * 8 < letters
        }
    };
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if !folded.chars().any(is_ideograph) && !words.is_empty() && words.iter().all(|word| is_gibberish(word)) {
        return vec![Reason::Gibberish];
    }
    Vec::new()
}

/// One Chinese character over and over.
fn is_one_character(whole: &str) -> bool {
    let mut characters = whole.chars();
    let Some(first) = characters.next() else { return false };
    whole.chars().count() >= 3 && characters.all(|character| character == first)
}

#[cfg(test)]
mod tests;
