//! Why something is due when it is, in one sentence, in the caller's language.

use huiyin_chassis::server::Language;
use jiff::{SignedDuration, Timestamp};

use super::domain::{Clock, Explanation, State, Target, TimeBasis, WorkingDayRule, state};
use crate::calendar::domain::Calendar;

/// The sentence for a clock of a work order.
pub(super) fn of_clock(
    clock: &Clock,
    explanation: Option<&Explanation>,
    calendar: &Calendar,
    language: Language,
) -> String {
    let (Some(explanation), Some(target)) = (explanation, clock.terms.target) else {
        let not_started = clock.terms.target.is_some();
        return match (language, not_started) {
            (Language::English, true) => "The clock has not started.",
            (Language::English, false) => "No rule gives this work order the clock.",
            (Language::Simplified, true) => "计时尚未开始。",
            (Language::Simplified, false) => "没有规则为该工单设置此时限。",
            (Language::Traditional, true) => "計時尚未開始。",
            (Language::Traditional, false) => "沒有規則為該工單設定此時限。",
        }
        .to_owned();
    };
    let mut parts = vec![deadline(explanation, target, calendar, language)];
    parts.extend(pauses(explanation.paused, language));
    if let Some(stop) = clock.stop_time() {
        parts.push(stopped(stop, stop <= explanation.due, calendar, language));
    } else if state(clock) == State::Paused {
        parts.push(standing(language).to_owned());
    }
    let (rule, policy, version) = (
        &clock.terms.rule,
        clock.terms.versions.policy,
        clock.terms.versions.calendar,
    );
    parts.push(match language {
        Language::English => format!("by rule {rule} of SLA policy {policy} and calendar {version}"),
        Language::Simplified => format!("依据 SLA 策略第 {policy} 版规则 {rule} 和工作日历第 {version} 版"),
        Language::Traditional => format!("依據 SLA 策略第 {policy} 版規則 {rule} 和工作日曆第 {version} 版"),
    });
    join(&parts, language)
}

/// The sentence for a deadline that was worked out from a request.
pub(super) fn of_target(explanation: &Explanation, target: Target, calendar: &Calendar, language: Language) -> String {
    let mut parts = vec![deadline(explanation, target, calendar, language)];
    parts.extend(pauses(explanation.paused, language));
    join(&parts, language)
}

fn join(parts: &[String], language: Language) -> String {
    match language {
        Language::English => format!("{}.", parts.join("; ")),
        Language::Simplified | Language::Traditional => format!("{}。", parts.join("；")),
    }
}

fn deadline(explanation: &Explanation, target: Target, calendar: &Calendar, language: Language) -> String {
    let (due, start, zone) = (
        wall(explanation.due, calendar),
        wall(explanation.start, calendar),
        calendar.zone_name(),
    );
    let target = amount(target, language);
    match language {
        Language::English => format!("Due {due} ({zone}): {target} from {start}"),
        Language::Simplified => format!("截止时间 {due}（{zone}）：自 {start} 起 {target}"),
        Language::Traditional => format!("截止時間 {due}（{zone}）：自 {start} 起 {target}"),
    }
}

fn amount(target: Target, language: Language) -> String {
    match (target, language) {
        (Target::Elapsed(time, TimeBasis::Calendar), Language::English) => {
            format!("{} of calendar time", length(time, language))
        }
        (Target::Elapsed(time, TimeBasis::Calendar), Language::Simplified) => {
            format!("{}（自然时间）", length(time, language))
        }
        (Target::Elapsed(time, TimeBasis::Calendar), Language::Traditional) => {
            format!("{}（自然時間）", length(time, language))
        }
        (Target::Elapsed(time, TimeBasis::Business), Language::English) => {
            format!("{} of working time", length(time, language))
        }
        (Target::Elapsed(time, TimeBasis::Business), Language::Simplified) => {
            format!("{}（工作时间）", length(time, language))
        }
        (Target::Elapsed(time, TimeBasis::Business), Language::Traditional) => {
            format!("{}（工作時間）", length(time, language))
        }
        (Target::WorkingDays(days, WorkingDayRule::EndOfNthDay), Language::English) => {
            format!("{days} working day(s), to the end of the last,")
        }
        (Target::WorkingDays(days, WorkingDayRule::EndOfNthDay), Language::Simplified) => {
            format!("{days} 个工作日（至最后一日下班）")
        }
        (Target::WorkingDays(days, WorkingDayRule::EndOfNthDay), Language::Traditional) => {
            format!("{days} 個工作日（至最後一日下班）")
        }
        (Target::WorkingDays(days, WorkingDayRule::ElapsedBusinessTime), Language::English) => {
            format!("{days} working day(s), counted in working time,")
        }
        (Target::WorkingDays(days, WorkingDayRule::ElapsedBusinessTime), Language::Simplified) => {
            format!("{days} 个工作日（按工作时间累计）")
        }
        (Target::WorkingDays(days, WorkingDayRule::ElapsedBusinessTime), Language::Traditional) => {
            format!("{days} 個工作日（按工作時間累計）")
        }
    }
}

fn pauses(paused: SignedDuration, language: Language) -> Option<String> {
    let time = length(paused, language);
    paused.is_positive().then(|| match language {
        Language::English => format!("stood still for {time}"),
        Language::Simplified => format!("其间暂停 {time}"),
        Language::Traditional => format!("其間暫停 {time}"),
    })
}

fn standing(language: Language) -> &'static str {
    match language {
        Language::English => "stands still now, and is told as if it went on now",
        Language::Simplified => "目前暂停，截止时间按即刻恢复计算",
        Language::Traditional => "目前暫停，截止時間按即刻恢復計算",
    }
}

fn stopped(stop: Timestamp, in_time: bool, calendar: &Calendar, language: Language) -> String {
    let stop = wall(stop, calendar);
    match (language, in_time) {
        (Language::English, true) => format!("stopped in time, {stop}"),
        (Language::English, false) => format!("stopped late, {stop}"),
        (Language::Simplified, true) => format!("已于 {stop} 按时停止"),
        (Language::Simplified, false) => format!("已于 {stop} 逾期停止"),
        (Language::Traditional, true) => format!("已於 {stop} 按時停止"),
        (Language::Traditional, false) => format!("已於 {stop} 逾期停止"),
    }
}

fn wall(time: Timestamp, calendar: &Calendar) -> String {
    let wall = calendar.zone().to_datetime(time);
    let format = if wall.second() == 0 {
        "%Y-%m-%d %H:%M"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    wall.strftime(format).to_string()
}

/// A length of time in hours, minutes and seconds; less than a second is said as one.
fn length(time: SignedDuration, language: Language) -> String {
    let seconds = time.as_secs().max(1);
    let units = match language {
        Language::English => ["h", "min", "s"],
        Language::Simplified => ["小时", "分钟", "秒"],
        Language::Traditional => ["小時", "分鐘", "秒"],
    };
    let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60]
        .into_iter()
        .zip(units)
        .filter(|(number, _)| *number > 0);
    parts
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect::<Vec<_>>()
        .join(" ")
}
