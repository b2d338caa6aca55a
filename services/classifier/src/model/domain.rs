//! Tasks, their examples, and versions of their models.

use std::collections::BTreeSet;

use huiyin_chassis::secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reading::answers::About;

/// Where a new task abstains unless it is said otherwise.
pub(super) const DEFAULT_THRESHOLD: f64 = 0.6;
/// What a new task holds out unless it is said otherwise.
pub(super) const DEFAULT_HOLD_OUT: f64 = 0.2;
/// A task holds so many examples, and is trained and judged on so many.
pub(super) const MOST_EXAMPLES: i64 = 500_000;
/// And on so many bytes of text.
pub(super) const MOST_BYTES: i64 = 256 << 20;
/// Sides are dealt in ten thousandths.
pub(crate) const BUCKETS: i32 = 10_000;

/// The labels of a task of sentiment.
pub(crate) const SENTIMENTS: [&str; 3] = ["NEGATIVE", "NEUTRAL", "POSITIVE"];

/// What the labels of a task are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Labels,
    Dimension,
    Sentiment,
}

/// Something that is learnt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) target: Target,
    /// Empty but for a target of a dimension.
    pub(crate) dimension: String,
    pub(crate) threshold: f64,
    pub(crate) hold_out_share: f64,
    /// Of what is in no doubt.
    pub(crate) review_share: f64,
    /// Of what is reviewed.
    pub(crate) double_coding_share: f64,
    pub(crate) last_version: i32,
    /// 0 for none.
    pub(crate) active_version: i32,
    /// Those that were active before, the latest last; 0 for none.
    pub(crate) previous_versions: Vec<i32>,
    pub(crate) shadow_version: i32,
    /// The etag.
    pub(crate) revision: i32,
    pub(crate) author: String,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

impl Task {
    /// The buckets below this one are held out.
    pub(super) fn first_training_bucket(&self) -> i32 {
        #[expect(clippy::cast_possible_truncation, reason = "a share lies between 0 and 1")]
        let bucket = (self.hold_out_share * f64::from(BUCKETS)).round() as i32;
        bucket
    }

    /// What its models are asked about a feedback; nothing where the labels are the tenant's own.
    pub(crate) fn about(&self) -> Option<About> {
        match self.target {
            Target::Labels => None,
            Target::Dimension => Some(About::Dimension(self.dimension.clone())),
            Target::Sentiment => Some(About::Sentiment),
        }
    }

    /// Makes a version decide (0: none) and remembers the one that did; it leaves the shadow.
    pub(super) fn activate(&mut self, version: i32, now: Timestamp) {
        /// Nobody goes back further.
        const REMEMBERED: usize = 100;
        self.previous_versions.push(self.active_version);
        if self.previous_versions.len() > REMEMBERED {
            self.previous_versions.remove(0);
        }
        self.active_version = version;
        if self.shadow_version == version {
            self.shadow_version = 0;
        }
        self.touch(now);
    }

    /// Goes back to the version that was active before; false where none is active.
    pub(super) fn roll_back(&mut self, now: Timestamp) -> bool {
        if self.active_version == 0 {
            return false;
        }
        self.active_version = self.previous_versions.pop().unwrap_or(0);
        if self.shadow_version == self.active_version {
            self.shadow_version = 0;
        }
        self.touch(now);
        true
    }

    /// The next revision.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.revision += 1;
        self.update_time = now;
    }
}

/// Where an example comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Import,
    Correction,
    Review,
}

/// On which side an example stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// By its bucket.
    ByHash,
    Training,
    HoldOut,
}

/// A text whose label is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Example {
    pub(crate) id: String,
    /// Masked.
    pub(crate) text: String,
    pub(crate) label: String,
    pub(crate) side: Side,
    pub(crate) source: Source,
    /// Empty for one that was imported.
    pub(crate) feedback: String,
    pub(crate) author: String,
    pub(crate) create_time: Timestamp,
}

/// The bucket of what has a key, 0 … 9999. An example is kept with that of its folded text as it was first imported, so it stands on one side
/// for ever, and the same text under another id beside it.
pub(crate) fn bucket(task: &str, key: &str) -> i32 {
    let hash = secret::hash(format!("{task}\u{1f}{key}").as_bytes());
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    i32::try_from(number % BUCKETS.unsigned_abs()).unwrap_or(0)
}

/// How many examples a task has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) training: i64,
    pub(super) hold_out: i64,
}

/// A text and its label.
pub(super) type Labelled = (String, String);

/// A version without its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) version: i32,
    pub(crate) change_reason: String,
    pub(crate) labels: Vec<String>,
    pub(crate) training_examples: i64,
    /// It has learnt nothing from the buckets below; none in versions of before.
    pub(crate) first_training_bucket: Option<i32>,
    pub(crate) judgement: Option<Judgement>,
    pub(crate) train_seconds: f64,
    /// The version of the taxonomy whose rules are features of it; none where none are.
    pub(crate) rules_version: Option<i32>,
    pub(crate) size_bytes: i64,
    pub(crate) digest: String,
    pub(crate) author: String,
    pub(crate) create_time: Timestamp,
}

/// How good a version is on texts that it has not learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Judgement {
    pub(crate) texts: i64,
    pub(crate) accuracy: f64,
    pub(crate) macro_f1: f64,
    pub(crate) ece: f64,
    pub(crate) labels: Vec<LabelJudgement>,
    /// Row by row: how many texts of a label were given each label. Kept for itself: nobody reads it with the rest.
    #[serde(default, skip_serializing)]
    pub(crate) confusion: Vec<u32>,
    pub(crate) texts_per_cpu_second: f64,
    pub(crate) coverage: f64,
    pub(crate) covered_accuracy: f64,
    pub(crate) unknown_texts: i64,
}

/// How good a version is at one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LabelJudgement {
    pub(crate) label: String,
    pub(crate) precision: f64,
    pub(crate) recall: f64,
    pub(crate) f1: f64,
    pub(crate) texts: i64,
}

/// The labels of some texts, each once, in order.
pub(super) fn labels_of(texts: &[Labelled]) -> Vec<String> {
    let labels: BTreeSet<&str> = texts.iter().map(|(_, label)| label.as_str()).collect();
    labels.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        Task {
            id: "nature".to_owned(),
            display_name: String::new(),
            target: Target::Labels,
            dimension: String::new(),
            threshold: DEFAULT_THRESHOLD,
            hold_out_share: DEFAULT_HOLD_OUT,
            review_share: 0.0,
            double_coding_share: 0.0,
            last_version: 3,
            active_version: 0,
            previous_versions: Vec::new(),
            shadow_version: 0,
            revision: 1,
            author: String::new(),
            create_time: Timestamp::UNIX_EPOCH,
            update_time: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn rolling_back_undoes_activations_one_by_one() {
        let now = Timestamp::UNIX_EPOCH;
        let mut task = task();
        for version in [1, 3, 2] {
            task.activate(version, now);
        }
        for before in [3, 1, 0] {
            assert!(task.roll_back(now));
            assert_eq!(task.active_version, before);
        }
        assert!(!task.roll_back(now));
        assert_eq!(task.revision, 7);
    }

    proptest::proptest! {
        /// The share held out is the one that was asked for, and a greater share only adds to it.
        #[test]
        fn a_hash_deals_the_sides(share in 0.0..0.5_f64, more in 0.0..0.5_f64) {
            let count = |share: f64| {
                let task = Task { hold_out_share: share, ..task() };
                (0..4000).filter(|id| bucket("t", &id.to_string()) < task.first_training_bucket()).count()
            };
            let held_out = count(share) as f64 / 4000.0;
            proptest::prop_assert!((held_out - share).abs() < 0.05, "{held_out} of {share}");
            proptest::prop_assert!(count(share.max(more)) >= count(share));
        }
    }
}
