//! Rules of an answer: every dimension is rated once, and what of it has the work order reopened (003-51, 003-52).

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{invitation::domain::Resolution, survey::domain::Definition};

/// The scores that there are (003-52).
pub(crate) const SCORES: RangeInclusive<i32> = 1..=5;

/// One rated dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) dimension: String,
    pub(crate) value: i32,
}

/// What a customer sent, its words masked already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) scores: Vec<Score>,
    pub(crate) solved: bool,
    pub(crate) comment: String,
    pub(crate) reason: String,
}

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// In the order of the survey.
    pub(crate) scores: Vec<Score>,
    /// Mean of the scores, 1 … 5 (001-76).
    pub(crate) satisfaction: f64,
    pub(crate) solved: bool,
    pub(crate) comment: String,
    /// True where the work order is to be reopened (003-51).
    pub(crate) reopen: bool,
    /// Why; empty where it is not.
    pub(crate) reason: String,
}

/// An answer as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) id: Uuid,
    pub(crate) survey: String,
    pub(crate) survey_version: i32,
    pub(crate) invitation: Uuid,
    pub(crate) work_order: String,
    pub(crate) episode: i32,
    pub(crate) feedback: String,
    pub(crate) verdict: Verdict,
    pub(crate) create_time: Timestamp,
}

impl Response {
    /// The answer to an invitation about a resolution.
    pub(crate) fn new(
        id: Uuid,
        (survey, survey_version): (String, i32),
        invitation: Uuid,
        about: &Resolution,
        verdict: Verdict,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            survey,
            survey_version,
            invitation,
            work_order: about.work_order.clone(),
            episode: about.episode,
            feedback: about.feedback.clone(),
            verdict,
            create_time: now,
        }
    }
}

/// Checks an answer against what was asked, and judges it.
///
/// # Errors
/// Every violated field with what is wrong about it.
pub(crate) fn judge(answer: Answer, asked: &Definition) -> Result<Verdict, Vec<(String, String)>> {
    let violations = violations(&answer, asked);
    if !violations.is_empty() {
        return Err(violations);
    }
    let Answer {
        scores,
        solved,
        comment,
        reason,
    } = answer;
    let place = |score: &Score| {
        asked
            .dimensions
            .iter()
            .position(|dimension| dimension.key == score.dimension)
    };
    let mut scores = scores;
    scores.sort_by_key(place);

    let satisfaction = mean(&scores);
    let low = satisfaction < asked.reopen_threshold;
    let reopen = !solved || low;
    let (comment, reason) = match (reopen, reason.trim().is_empty(), comment.trim().is_empty()) {
        (true, false, _) => (comment, reason),
        (true, true, false) => (comment.clone(), comment),
        (true, true, true) => (comment, low_score(&scores, asked.reopen_threshold)),
        // Nothing is reopened, so there is no reason for it; what the customer wrote there is not lost.
        (false, false, true) => (reason, String::new()),
        (false, false, false) => (format!("{comment}\n{reason}"), String::new()),
        (false, true, _) => (comment, String::new()),
    };
    Ok(Verdict {
        scores,
        satisfaction,
        solved,
        comment,
        reopen,
        reason,
    })
}

fn violations(answer: &Answer, asked: &Definition) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (index, score) in answer.scores.iter().enumerate() {
        let field = format!("scores[{index}]");
        if !asked
            .dimensions
            .iter()
            .any(|dimension| dimension.key == score.dimension)
        {
            let known: Vec<&str> = asked
                .dimensions
                .iter()
                .map(|dimension| dimension.key.as_str())
                .collect();
            found.push((
                format!("{field}.dimension"),
                format!("is not one that is asked; those are {}", known.join(", ")),
            ));
        } else if answer.scores[..index]
            .iter()
            .any(|earlier| earlier.dimension == score.dimension)
        {
            found.push((
                format!("{field}.dimension"),
                format!("{} has a score already", score.dimension),
            ));
        }
        if !SCORES.contains(&score.value) {
            found.push((
                format!("{field}.value"),
                format!("must be from {} to {}", SCORES.start(), SCORES.end()),
            ));
        }
    }
    for dimension in &asked.dimensions {
        if !answer.scores.iter().any(|score| score.dimension == dimension.key) {
            found.push(("scores".to_owned(), format!("{} has no score", dimension.key)));
        }
    }
    if !answer.solved && answer.reason.trim().is_empty() {
        found.push(("reason".to_owned(), "is required where it is not solved".to_owned()));
    }
    for (field, text) in [("comment", &answer.comment), ("reason", &answer.reason)] {
        if text.contains('\0') {
            found.push((field.to_owned(), "must not hold the character U+0000".to_owned()));
        }
    }
    found
}

fn sum(scores: &[Score]) -> i64 {
    scores.iter().map(|score| i64::from(score.value)).sum()
}

/// Mean of the scores; 0 where there are none, which no survey allows.
fn mean(scores: &[Score]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most twelve scores of at most 5")]
    let (sum, count) = (sum(scores) as f64, scores.len().max(1) as f64);
    sum / count
}

/// Why a low mean alone has the work order reopened, e.g. `satisfaction 1.5 below 2.5`.
fn low_score(scores: &[Score], threshold: f64) -> String {
    // Rounded down: what is below the threshold must not look like it.
    let hundredths = sum(scores) * 100 / i64::try_from(scores.len().max(1)).unwrap_or(1);
    let mean = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let mean = mean.trim_end_matches('0').trim_end_matches('.');
    format!("satisfaction {mean} below {threshold}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::survey::domain::{RESOLUTION, built_in};

    fn asked() -> Definition {
        built_in(RESOLUTION).unwrap().definition
    }

    fn answer(values: [i32; 4], solved: bool) -> Answer {
        let keys = ["response_speed", "professionalism", "effect", "attitude"];
        let scores = keys
            .iter()
            .zip(values)
            .map(|(key, value)| Score {
                dimension: (*key).to_owned(),
                value,
            })
            .collect();
        Answer {
            scores,
            solved,
            comment: String::new(),
            reason: if solved {
                String::new()
            } else {
                "仍然闪退".to_owned()
            },
        }
    }

    /// 001-76, 003-51.
    #[test]
    fn a_good_answer_reopens_nothing_and_a_bad_one_says_why() {
        let good = judge(answer([5, 4, 4, 5], true), &asked()).unwrap();
        assert_eq!((good.satisfaction, good.reopen, good.reason.as_str()), (4.5, false, ""));
        let low = judge(answer([1, 2, 1, 2], true), &asked()).unwrap();
        assert_eq!(
            (low.satisfaction, low.reopen, low.reason.as_str()),
            (1.5, true, "satisfaction 1.5 below 2.5")
        );
        let unsolved = judge(answer([5, 5, 5, 5], false), &asked()).unwrap();
        assert_eq!((unsolved.reopen, unsolved.reason.as_str()), (true, "仍然闪退"));
    }

    #[test]
    fn a_mean_at_the_threshold_does_not_reopen() {
        assert!(!judge(answer([2, 3, 2, 3], true), &asked()).unwrap().reopen);
        assert!(judge(answer([2, 3, 2, 2], true), &asked()).unwrap().reopen);
    }

    #[test]
    fn the_customers_own_words_come_before_ours_and_none_are_lost() {
        let commented = Answer {
            comment: "slow".to_owned(),
            ..answer([1, 1, 1, 1], true)
        };
        assert_eq!(judge(commented, &asked()).unwrap().reason, "slow");
        let kept = Answer {
            comment: "fine".to_owned(),
            reason: "but late".to_owned(),
            ..answer([5, 5, 5, 5], true)
        };
        let kept = judge(kept, &asked()).unwrap();
        assert_eq!((kept.comment.as_str(), kept.reason.as_str()), ("fine\nbut late", ""));
    }

    #[test]
    fn every_violated_field_is_named() {
        let mut broken = answer([0, 6, 3, 3], false);
        broken.scores[2].dimension = "response_speed".to_owned();
        broken.scores[3].dimension = "taste".to_owned();
        broken.reason = "  ".to_owned();
        broken.comment = "a\0".to_owned();
        let fields: Vec<String> = judge(broken, &asked())
            .unwrap_err()
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(
            fields,
            [
                "scores[0].value",
                "scores[1].value",
                "scores[2].dimension",
                "scores[3].dimension",
                "scores",
                "scores",
                "reason",
                "comment"
            ]
        );
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_the_scores_and_the_threshold_alone_decides(
            values in prop::collection::vec(1i32..=5, 1..=12),
            threshold in 1.0f64..=5.0,
            solved in any::<bool>(),
            turn in 0usize..12,
        ) {
            let mut asked = asked();
            let label = asked.dimensions[0].label.clone();
            asked.reopen_threshold = threshold;
            asked.dimensions = (0..values.len()).map(|index| crate::survey::domain::Dimension { key: format!("d{index}"), label: label.clone() }).collect();
            let mut scores: Vec<Score> = values.iter().enumerate().map(|(index, value)| Score { dimension: format!("d{index}"), value: *value }).collect();
            let in_order = scores.clone();
            scores.rotate_left(turn % values.len());

            let given = Answer { scores, solved, comment: String::new(), reason: if solved { String::new() } else { "no".to_owned() } };
            let verdict = judge(given, &asked).unwrap();
            let (least, most) = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
            prop_assert_eq!(&verdict.scores, &in_order, "the order of the survey");
            prop_assert!(f64::from(least) <= verdict.satisfaction && verdict.satisfaction <= f64::from(most));
            let exact: i32 = values.iter().sum();
            prop_assert!((verdict.satisfaction * values.len() as f64 - f64::from(exact)).abs() < 1e-9);
            prop_assert_eq!(verdict.reopen, !solved || verdict.satisfaction < threshold);
            prop_assert_eq!(verdict.reason.is_empty(), !verdict.reopen);
            if verdict.reopen && solved {
                let said: f64 = verdict.reason.split_whitespace().nth(1).unwrap().parse().unwrap();
                prop_assert!(said < threshold && (said - verdict.satisfaction).abs() < 0.01);
            }
        }
    }
}
