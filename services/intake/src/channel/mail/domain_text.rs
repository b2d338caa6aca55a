//! The new words of a mail: without what it quotes, which was said before, and without the signature.

use std::sync::LazyLock;

use regex::Regex;

/// A line that is longer is nobody's mark of a quotation.
const LONGEST_MARK: usize = 400;
/// The headers of a quoted mail stand in so many lines.
const HEADER_LINES: usize = 8;

/// `On Monday, Li wrote:`, `在 2026年3月2日，李写道：`, `… 寫道：`, with a date or an address; Gmail breaks it into two lines.
static WROTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"(?i)^(on\b.{6,}\bwrote\s*[:：]|.*[0-9@].*(写道|寫道|来信|來信)\s*[:：]|(le|am)\b.{6,}(a écrit|schrieb)\b.*[:：])\s*$",
    )
});
/// `-----Original Message-----`, `------------------ 原始邮件 ------------------`.
static ORIGINAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(r"(?i)^[-_=\s]{2,}(original message|原始邮件|原始郵件|邮件原件|原邮件)[-_=\s]{2,}$"));
/// The first header of a quoted mail.
static FROM: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(r"(?i)^\*?(from|发件人|寄件者|寄件人)\*?\s*[:：]\*?\s*\S"));
/// One of those that follow.
static FURTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"(?i)^\*?(date|sent|to|subject|发送时间|发送日期|日期|時間|传送时间|傳送日期|收件人|收件者|主题|主旨)\*?\s*[:：]",
    )
});
/// What telephones write below.
static FROM_PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"(?i)^(sent from (my|mail|outlook|yahoo)\b.*|发自我的.*|發自我的.*|从我的.{1,20}发送.*|傳送自我的.*|获取 outlook .*|get outlook for .*)$",
    )
});

/// What a forwarded mail is called: `Fwd:`, `转发：`.
static FORWARDED: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(r"(?i)^\W*(fwd?|转发|轉發|轉寄|转寄|wg|tr)\s*[:：]"));
/// What ends the text and begins the signature (RFC 3676, 4.3); without its blank it is a divider.
const SIGNATURE: &str = "-- ";

/// What a mail is to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It answers one: what it quotes was said before.
    Answer,
    /// It hands one on: what it quotes is what is to be said.
    Forward,
    /// It begins anew. What it quotes was not said to us.
    New,
}

impl Shape {
    /// The shape of a mail with this subject that says, or does not say, which mail it answers.
    pub(crate) fn of(subject: &str, names_another: bool) -> Self {
        if is(&FORWARDED, subject) {
            Self::Forward
        } else if names_another {
            Self::Answer
        } else {
            Self::New
        }
    }
}

/// The text of a mail.
pub(crate) struct Words {
    /// What is new.
    pub(crate) new: String,
    /// All of it, where more was cut than lines that are marked as quoted and the line of a telephone.
    pub(crate) uncut: Option<String>,
}

fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

fn is(pattern: &Option<Regex>, line: &str) -> bool {
    line.len() <= LONGEST_MARK && pattern.as_ref().is_some_and(|pattern| pattern.is_match(line))
}

/// The words that are new. Of a mail that has none of its own, such as a forwarded one, all: nothing is lost.
pub(crate) fn words(text: &str, shape: Shape) -> Words {
    let text = text.replace("\r\n", "\n").replace(['\r', '\0'], "\n");
    let raw: Vec<&str> = text.lines().collect();
    let lines: Vec<&str> = raw.iter().map(|line| line.trim_end()).collect();
    let quotation = (0..lines.len()).find(|at| quotes(&lines, *at));
    let signature = raw.iter().position(|line| *line == SIGNATURE);
    let end = match (shape, quotation) {
        (Shape::Answer, _) => quotation.into_iter().chain(signature).min(),
        (Shape::New, None) => signature,
        // Below a signature stands what is handed on.
        (Shape::Forward, _) | (Shape::New, Some(_)) => None,
    };
    let unmarked = |lines: &[&str]| {
        let is_kept = |line: &&&str| shape == Shape::Forward || !line.trim_start().starts_with('>');
        let mut kept: Vec<&str> = lines.iter().filter(is_kept).copied().collect();
        while let Some(last) = kept.last().map(|line| line.trim())
            && (last.is_empty() || is(&FROM_PHONE, last))
        {
            kept.pop();
        }
        squeezed(&kept)
    };
    let (new, all) = (unmarked(&lines[..end.unwrap_or(lines.len())]), unmarked(&lines));
    if new.is_empty() {
        let new = squeezed(&lines);
        return Words { new, uncut: None };
    }
    let uncut = (new != all).then(|| squeezed(&lines));
    Words { new, uncut }
}

/// True where a quotation begins.
fn quotes(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if line.is_empty() {
        return false;
    }
    if is(&ORIGINAL, line) || is(&WROTE, line) {
        return true;
    }
    if let Some(next) = lines.get(at + 1).map(|next| next.trim())
        && (line.starts_with("On ") || line.starts_with('在'))
        && !next.is_empty()
        && line.len() + next.len() < LONGEST_MARK
        && is(&WROTE, &format!("{line} {next}"))
    {
        return true;
    }
    is(&FROM, line)
        && lines[at + 1..]
            .iter()
            .take(HEADER_LINES)
            .filter(|line| is(&FURTHER, line.trim()))
            .count()
            >= 2
}

/// The lines as one text, no more than one of them empty in a row.
fn squeezed(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut empty = 0;
    for line in lines {
        if line.trim().is_empty() {
            empty += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        text.push_str(line);
        empty = 0;
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an answer.
    fn new_words(mail: &str) -> String {
        words(mail, Shape::Answer).new
    }

    #[test]
    fn the_patterns_are_patterns() {
        for pattern in [&WROTE, &ORIGINAL, &FROM, &FURTHER, &FROM_PHONE, &FORWARDED] {
            assert!(pattern.is_some());
        }
    }

    /// 003-12: what the customer says now, not what was said before.
    #[test]
    fn quotations_and_signatures_are_cut() {
        for (mail, words) in [
            ("还是不行。\r\n\r\n> 请重启\r\n> 再试\r\n", "还是不行。"),
            (
                "还是不行。\n\n在 2026年3月1日，回音客服 <a@b.cn> 写道：\n> 请重启\n",
                "还是不行。",
            ),
            (
                "还是不行。\n\n在 2026年3月1日，\n回音客服 <a@b.cn> 写道：\n\n请重启",
                "还是不行。",
            ),
            (
                "還是不行。\n\n回音客服 <a@b.tw> 於 2026年3月1日 寫道：\n\n請重啟",
                "還是不行。",
            ),
            (
                "Still broken.\n\nOn Sun, 1 Mar 2026 at 10:00, Huiyin\n<a@b.cn> wrote:\n\nrestart it",
                "Still broken.",
            ),
            (
                "仍然异响\n\n------------------ 原始邮件 ------------------\n发件人: x\n请重启",
                "仍然异响",
            ),
            ("Broken\n-----Original Message-----\nFrom: x", "Broken"),
            (
                "坏了\n\n发件人: 客服 <a@b.cn>\n发送时间: 2026年3月1日\n收件人: 李\n主题: 回复\n\n请重启",
                "坏了",
            ),
            (
                "坏了\n\nFrom: Huiyin <a@b.cn>\nSent: Sunday\nTo: Li\nSubject: Re\n\nrestart",
                "坏了",
            ),
            ("坏了\n-- \n李伟\n某公司", "坏了"),
            ("坏了\n\n发自我的iPhone\n", "坏了"),
            ("It broke\n\nSent from my iPhone\n\n> older", "It broke"),
            // Answers between the lines of a quotation.
            ("> 重启了吗？\n重启了\n> 型号？\nX1\n", "重启了\nX1"),
        ] {
            assert_eq!(new_words(mail), words, "{mail}");
        }
    }

    #[test]
    fn what_only_looks_like_a_quotation_stays() {
        for mail in [
            "客服说：“请重启”，没用。",
            "From: the first day on it was loud.",
            "On Monday it broke again",
            "温度 -- 太高",
            "---------- Forwarded message ---------\nFrom: Li\nIt broke",
            "发自我的iPhone的邮件发不出去，请修复\n谢谢",
            "说明书上写道：\n请先关机\n可是关不了机",
            "外壳\n--\n还有遥控器也坏了",
        ] {
            assert_eq!(new_words(mail), mail);
        }
    }

    #[test]
    fn a_mail_without_words_of_its_own_is_kept_whole() {
        assert_eq!(new_words("> 坏了\n> 请修"), "> 坏了\n> 请修");
        assert_eq!(
            new_words("发件人: a\n日期: b\n主题: c\n\n坏了"),
            "发件人: a\n日期: b\n主题: c\n\n坏了"
        );
        assert_eq!(new_words(" \r\n\r\n"), "");
    }

    /// 003-12: what is forwarded is the complaint, however it is quoted below a word or two; as Outlook, Gmail, QQ and Apple do it.
    #[test]
    fn what_is_forwarded_is_kept() {
        let outlook = "请处理\n\n发件人: 李伟 <li@example.com>\n发送时间: 2026年3月1日 9:00\n收件人: 王芳 <w@acme.cn>\n主题: 空调\n\n空调漏水";
        let gmail = "FYI\n\n-- \n王芳\n\n---------- Forwarded message ---------\nFrom: Li <li@example.com>\nDate: Sun, 1 Mar 2026\nSubject: AC\nTo: <w@acme.cn>\n\n空调漏水";
        let qq = "麻烦看下\n\n------------------\u{a0}原始邮件\u{a0}------------------\n发件人:\"李伟\" <li@example.com>;\n发送时间:2026年3月1日\n收件人:\"w\";\n主题:空调\n\n空调漏水";
        let apple =
            "请处理\n\n> Begin forwarded message:\n>\n> From: Li <li@example.com>\n> Subject: AC\n>\n> 空调漏水";
        for (subject, mail) in [
            ("转发: 空调", outlook),
            ("Fwd: AC", gmail),
            ("转发：空调", qq),
            ("FW: AC", apple),
            ("轉寄: 空調", outlook),
            // Handed on under a subject of its own.
            ("空调", outlook),
            ("空调", gmail),
            ("空调", qq),
        ] {
            // Most programs name the mail that they forward.
            for names_another in [false, Shape::of(subject, true) == Shape::Forward] {
                let words = words(mail, Shape::of(subject, names_another));
                assert!(words.new.ends_with("空调漏水"), "{subject}: {}", words.new);
                assert_eq!(words.uncut, None);
            }
        }
    }

    #[test]
    fn what_is_cut_is_kept_beside_but_for_marked_lines() {
        let uncut = |mail: &str| words(mail, Shape::Answer).uncut;
        assert_eq!(uncut("还是不行\n> 请重启\n\n发自我的iPhone"), None);
        assert_eq!(
            uncut("还是不行\n> 请重启\n\n于 2026年3月1日 写道：\n> 请重启"),
            Some("还是不行\n> 请重启\n\n于 2026年3月1日 写道：\n> 请重启".to_owned())
        );
        assert_eq!(
            uncut("外壳\n-- \n还有遥控器也坏了"),
            Some("外壳\n-- \n还有遥控器也坏了".replace("-- ", "--"))
        );
    }

    mod hostile {
        use huiyin_testkit::grows_no_faster;
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn no_text_grows_or_panics(text in "(On |在|wrote:|写道：|From: |>|--|\\PC|\r|\n|\0){0,200}") {
                prop_assert!(new_words(&text).len() <= text.len());
            }
        }

        /// Two million characters that look like beginnings of quotations, in lines and in one.
        #[test]
        fn time_grows_with_the_text_and_no_faster() {
            for part in [
                "On a b c d e f ",
                "On x\n",
                "From: a\nDate: b\n",
                "> \n",
                "在写道\n",
                "\n",
                "发自我的 ",
            ] {
                grows_no_faster(part, 2_000_000, |size| {
                    new_words(&part.repeat(size / part.chars().count()));
                });
            }
        }
    }
}
