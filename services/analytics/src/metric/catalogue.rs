//! The catalogue: what every metric counts, in one place. To add a metric, add an entry here; where no measure holds what it
//! needs, add that to `rollup/domain.rs` first. A definition that changes gets a higher version.

use super::dimension::Dimension;
use crate::rollup::domain::Measure;

/// What a number means.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) key: &'static str,
    pub(crate) display_name: Text,
    pub(crate) definition: Text,
    pub(crate) formula: &'static str,
    pub(crate) cohort: Cohort,
    pub(crate) unit: Unit,
    pub(crate) value: Value,
    pub(crate) version: i32,
    pub(crate) requirement: &'static str,
}

/// The same in three languages: English, simplified and traditional Chinese.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

/// Which things an interval selects. Numbers are those of the proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Cohort {
    /// What happened within it.
    Flow = 1,
    /// The feedback received within it.
    Cohort = 2,
}

/// What values are measured in. Numbers are those of the proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Unit {
    Count = 1,
    Ratio = 2,
    Seconds = 3,
    Score = 4,
}

/// How a value is made from measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// How many.
    Count(Measure),
    /// How many, of those in the group that all but the last dimension make.
    Share(Measure),
    /// How many of the first, for each of all the others together.
    Ratio(Measure, &'static [Measure]),
    /// The sum for each, in millionths of the unit.
    Mean(Measure),
    /// The value at a percentile, in millionths of the unit.
    Percentile(Measure, f64),
}

impl Metric {
    /// The metric of this key.
    pub(crate) fn find(key: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|metric| metric.key == key)
    }

    /// The measures that its values are made of.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        match self.value {
            Value::Count(measure) | Value::Share(measure) | Value::Mean(measure) | Value::Percentile(measure, _) => {
                vec![measure]
            }
            Value::Ratio(part, whole) => {
                let mut measures = whole.to_vec();
                if !whole.contains(&part) {
                    measures.push(part);
                }
                measures
            }
        }
    }

    /// By what it can be divided.
    pub(crate) fn dimensions(&self) -> &'static [Dimension] {
        if self.measures().contains(&Measure::ClockMet) {
            &Dimension::ALL
        } else {
            &Dimension::OF_FEEDBACK
        }
    }

    /// The percentile that it gives, where it gives one.
    pub(crate) fn percentile(&self) -> Option<f64> {
        match self.value {
            Value::Percentile(_, percentile) => Some(percentile),
            _ => None,
        }
    }
}

const WORKING_TIME: Text = Text(
    "Working time by the calendar, pauses left out, from the opening of the work order to the resolution that stands, over all \
     episodes. One sample per feedback, at the time of that resolution: exactly the feedback that resolution_rate counts as \
     resolved. What was reopened and is not resolved again, and what was rejected, is left out. The nearest rank over all samples; \
     where one answer rests on more than 50,000 of them (the default), within 1 %: its formula then says so.",
    "从工单开启到当前有效的解决为止的工作时间（按工作日历，扣除暂停，跨所有轮次累计）。每条反馈一个样本，归入该次解决的时间，\
     与「问题解决率」计为已解决的反馈完全相同。重开后尚未再次解决的、被驳回的不计入。分位数按最近序位法取全部样本；\
     单次查询超过五万个样本（默认值）时误差在 1 % 以内，此时公式中会注明。",
    "從工單開啟到目前有效的解決為止的工作時間（按工作日曆，扣除暫停，跨所有輪次累計）。每則回饋一個樣本，歸入該次解決的時間，\
     與「問題解決率」計為已解決的回饋完全相同。重開後尚未再次解決的、被駁回的不計入。分位數按最近序位法取全部樣本；\
     單次查詢超過五萬個樣本（預設值）時誤差在 1 % 以內，此時公式中會註明。",
);

/// Every metric, in the order of their keys.
pub(crate) const CATALOGUE: &[Metric] = &[
    Metric {
        key: "on_time_rate",
        display_name: Text("On-time rate", "按时率", "按時率"),
        definition: Text(
            "Of the SLA clocks that were decided within the interval, the part that stopped in time. A clock is decided when it \
             stops in time, or when its deadline passes; one that still runs past its deadline counts as breached from that moment \
             on. The deadline in force when it stops decides, pauses and changes of priority taken into account. Clocks that still \
             run in time, stand still, or stopped without a mark because the work order was rejected are not counted. Each episode \
             of a reopened work order has clocks of its own. Group by clock for each clock's own rate.",
            "区间内有结果的 SLA 时钟中按时停止的比例。时钟在按时停止时、或截止时间到达时有结果；超过截止时间仍在运行的，自该时刻起计为超时。\
             以停止时生效的截止时间为准（已计入暂停与优先级变更）。仍在时限内运行、暂停中、或因工单被驳回而无标记停止的时钟不计入。\
             重开的工单每一轮次的时钟单独计算。按 clock 分组可得各时钟的按时率。",
            "區間內有結果的 SLA 時鐘中按時停止的比例。時鐘在按時停止時、或截止時間到達時有結果；超過截止時間仍在運行的，自該時刻起計為逾時。\
             以停止時生效的截止時間為準（已計入暫停與優先級變更）。仍在時限內運行、暫停中、或因工單被駁回而無標記停止的時鐘不計入。\
             重開的工單每一輪次的時鐘單獨計算。按 clock 分組可得各時鐘的按時率。",
        ),
        formula: "met ÷ (met + breached)",
        cohort: Cohort::Flow,
        unit: Unit::Ratio,
        value: Value::Ratio(Measure::ClockMet, &[Measure::ClockMet, Measure::ClockBreached]),
        version: 1,
        requirement: "C-04",
    },
    Metric {
        key: "reopen_rate",
        display_name: Text("Reopen rate", "重开率", "重開率"),
        definition: Text(
            "Of the resolutions that happened within the interval, the part that was reopened since, whenever that was. Every episode's \
             resolution counts, whether or not it stands. The reopening of a rejected work order is none of a resolution and is left out.",
            "区间内发生的解决中，此后被重开的比例（不论何时重开）。每一轮次的解决都计入，无论是否仍然有效。被驳回工单的重开不属于解决的重开，不计入。",
            "區間內發生的解決中，此後被重開的比例（不論何時重開）。每一輪次的解決都計入，無論是否仍然有效。被駁回工單的重開不屬於解決的重開，不計入。",
        ),
        formula: "resolutions reopened ÷ resolutions",
        cohort: Cohort::Flow,
        unit: Unit::Ratio,
        value: Value::Ratio(Measure::Reopened, &[Measure::Resolution]),
        version: 1,
        requirement: "003-51",
    },
    Metric {
        key: "resolution_rate",
        display_name: Text(
            "Resolution rate (flow)",
            "问题解决率（流量口径）",
            "問題解決率（流量口徑）",
        ),
        definition: Text(
            "Feedback resolved within the interval, whenever it was received, divided by feedback received within the interval. \
             Feedback counts as resolved while its work order is resolved or closed: once, at its last resolution. A reopened one is \
             taken out again until it is resolved anew. Rejected feedback is in neither number. The two numbers are about different \
             feedback, so the rate exceeds 1 while a backlog is worked off; resolution_rate_cohort follows the same feedback.",
            "区间内解决的反馈数（不论何时收到）除以区间内收到的反馈数。工单处于已解决或已关闭时计为已解决：每条一次，归入最后一次解决的时间；\
             重开后移出，再次解决后重新计入。被驳回的反馈在分子分母中均不计。两数所指的反馈不同，处理积压时比率可超过 1；\
             同一批反馈的解决情况见 resolution_rate_cohort。",
            "區間內解決的回饋數（不論何時收到）除以區間內收到的回饋數。工單處於已解決或已關閉時計為已解決：每則一次，歸入最後一次解決的時間；\
             重開後移出，再次解決後重新計入。被駁回的回饋在分子分母中均不計。兩數所指的回饋不同，處理積壓時比率可超過 1；\
             同一批回饋的解決情況見 resolution_rate_cohort。",
        ),
        formula: "resolved in the interval ÷ received in the interval and not rejected",
        cohort: Cohort::Flow,
        unit: Unit::Ratio,
        value: Value::Ratio(Measure::Resolved, &[Measure::Eligible]),
        version: 1,
        requirement: "001-75",
    },
    Metric {
        key: "resolution_rate_cohort",
        display_name: Text(
            "Resolution rate (cohort)",
            "问题解决率（同批口径）",
            "問題解決率（同批口徑）",
        ),
        definition: Text(
            "Of the feedback received within the interval, the part that is resolved by now, whenever that was. Feedback counts as \
             resolved while its work order is resolved or closed; a reopened one does not until it is resolved anew. Rejected feedback \
             is in neither number.",
            "区间内收到的反馈中，目前已解决的比例（不论何时解决）。工单处于已解决或已关闭时计为已解决；重开后不计，再次解决后重新计入。\
             被驳回的反馈在分子分母中均不计。",
            "區間內收到的回饋中，目前已解決的比例（不論何時解決）。工單處於已解決或已關閉時計為已解決；重開後不計，再次解決後重新計入。\
             被駁回的回饋在分子分母中均不計。",
        ),
        formula: "resolved by now, of those received in the interval ÷ received in the interval and not rejected",
        cohort: Cohort::Cohort,
        unit: Unit::Ratio,
        value: Value::Ratio(Measure::EligibleResolved, &[Measure::Eligible]),
        version: 1,
        requirement: "001-75",
    },
    Metric {
        key: "resolution_time_mean",
        display_name: Text("Mean resolution time", "平均解决时长", "平均解決時長"),
        definition: WORKING_TIME,
        formula: "sum of working time ÷ resolved in the interval",
        cohort: Cohort::Flow,
        unit: Unit::Seconds,
        value: Value::Mean(Measure::WorkingTime),
        version: 1,
        requirement: "003-60",
    },
    Metric {
        key: "resolution_time_p50",
        display_name: Text("Median resolution time", "解决时长中位数", "解決時長中位數"),
        definition: WORKING_TIME,
        formula: "working time at rank ⌈0.5 n⌉ of n",
        cohort: Cohort::Flow,
        unit: Unit::Seconds,
        value: Value::Percentile(Measure::WorkingTime, 50.0),
        version: 1,
        requirement: "003-60",
    },
    Metric {
        key: "resolution_time_p90",
        display_name: Text(
            "90th percentile of resolution time",
            "解决时长 90 分位",
            "解決時長 90 分位",
        ),
        definition: WORKING_TIME,
        formula: "working time at rank ⌈0.9 n⌉ of n",
        cohort: Cohort::Flow,
        unit: Unit::Seconds,
        value: Value::Percentile(Measure::WorkingTime, 90.0),
        version: 1,
        requirement: "003-60",
    },
    Metric {
        key: "satisfaction_mean",
        display_name: Text("Mean satisfaction", "平均满意度", "平均滿意度"),
        definition: Text(
            "Mean over the survey answers that came within the interval; each answer is the mean of its rated dimensions, 1 … 5. Every \
             episode's answer counts, those of resolutions that were reopened too. Invitations without an answer are left out.",
            "区间内收到的调查答复的平均分；每份答复为其各维度评分的平均值（1～5 分）。每一轮次的答复都计入，包括其后被重开的。未答复的邀请不计入。",
            "區間內收到的調查答覆的平均分；每份答覆為其各維度評分的平均值（1～5 分）。每一輪次的答覆都計入，包括其後被重開的。未答覆的邀請不計入。",
        ),
        formula: "sum of satisfaction ÷ answers",
        cohort: Cohort::Flow,
        unit: Unit::Score,
        value: Value::Mean(Measure::Answer),
        version: 1,
        requirement: "003-52",
    },
    Metric {
        key: "satisfaction_on_target",
        display_name: Text("Satisfaction on target", "满意度达标率", "滿意度達標率"),
        definition: Text(
            "Of the survey answers that came within the interval, the part with a mean of at least 4 (≥4分为达标). Every episode's answer \
             counts, those of resolutions that were reopened too. Invitations without an answer are left out.",
            "区间内收到的调查答复中，平均分不低于 4 分（≥4分为达标）的比例。每一轮次的答复都计入，包括其后被重开的。未答复的邀请不计入。",
            "區間內收到的調查答覆中，平均分不低於 4 分（≥4分為達標）的比例。每一輪次的答覆都計入，包括其後被重開的。未答覆的邀請不計入。",
        ),
        formula: "answers of at least 4 ÷ answers",
        cohort: Cohort::Flow,
        unit: Unit::Ratio,
        value: Value::Ratio(Measure::AnswerOnTarget, &[Measure::Answer]),
        version: 1,
        requirement: "001-76",
    },
    Metric {
        key: "share",
        display_name: Text("Share", "占比", "占比"),
        definition: Text(
            "Feedback received within the interval as a part of the group that all dimensions but the last make; with one dimension or \
             none, of all that the filter selects. Nested shares: group by two dimensions, or filter by a category with all below it \
             (category:function) and group by category. Everything that was accepted counts once, rejected, reopened and unclassified \
             feedback too.",
            "区间内收到的反馈占上级分组的比例；上级分组由除最后一个维度外的所有维度构成，只有一个或没有维度时为筛选出的全部。\
             嵌套占比：按两个维度分组，或筛选某类别及其下级（category:function）后按 category 分组。凡已受理的均计一次，被驳回、被重开、未分类的也计入。",
            "區間內收到的回饋占上級分組的比例；上級分組由除最後一個維度外的所有維度構成，只有一個或沒有維度時為篩選出的全部。\
             巢狀占比：按兩個維度分組，或篩選某類別及其下級（category:function）後按 category 分組。凡已受理的均計一次，被駁回、被重開、未分類的也計入。",
        ),
        formula: "received in the group ÷ received in the group above",
        cohort: Cohort::Cohort,
        unit: Unit::Ratio,
        value: Value::Share(Measure::Received),
        version: 1,
        requirement: "000-40",
    },
    Metric {
        key: "volume",
        display_name: Text("Volume", "反馈量", "回饋量"),
        definition: Text(
            "Feedback received within the interval. Everything that was accepted counts once, whatever became of it: rejected, reopened \
             and unclassified feedback too.",
            "区间内收到的反馈数。凡已受理的均计一次，无论后续如何：被驳回、被重开、未分类的也计入。",
            "區間內收到的回饋數。凡已受理的均計一次，無論後續如何：被駁回、被重開、未分類的也計入。",
        ),
        formula: "received",
        cohort: Cohort::Cohort,
        unit: Unit::Count,
        value: Value::Count(Measure::Received),
        version: 1,
        requirement: "003-60",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_says_what_it_means_in_every_language() {
        for metric in CATALOGUE {
            let Text(en, zh_cn, zh_tw) = metric.definition;
            for text in [
                en,
                zh_cn,
                zh_tw,
                metric.display_name.0,
                metric.display_name.1,
                metric.display_name.2,
                metric.formula,
            ] {
                assert!(!text.is_empty(), "{}", metric.key);
            }
            assert!(metric.version >= 1);
            assert!(metric.requirement.contains('-'), "{}", metric.key);
        }
    }

    #[test]
    fn keys_are_in_order_and_come_once() {
        assert!(CATALOGUE.windows(2).all(|pair| pair[0].key < pair[1].key));
    }
}
