//! Telling words: what some feedback says and other feedback does not, by log-odds with an informative Dirichlet prior (Monroe,
//! Colaresi and Quinn, "Fightin' Words", 2008). Words that everybody always says cancel out: there is no list of stop words.

use std::collections::{BTreeSet, HashMap};

/// A feedback says a word once, however often: so nobody makes a topic by repeating it.
#[derive(Debug, Default)]
pub(crate) struct Said {
    texts: u64,
    words: HashMap<String, u64>,
    total: u64,
}

impl Said {
    /// What these texts say.
    pub(crate) fn by<'t>(texts: impl IntoIterator<Item = &'t BTreeSet<String>>) -> Self {
        let mut said = Self::default();
        for text in texts {
            said.texts += 1;
            for word in text {
                *said.words.entry(word.clone()).or_default() += 1;
                said.total += 1;
            }
        }
        said
    }

    /// How many texts there are.
    pub(crate) fn texts(&self) -> u64 {
        self.texts
    }

    /// How many say a word.
    pub(crate) fn saying(&self, word: &str) -> u64 {
        self.words.get(word).copied().unwrap_or(0)
    }
}

/// The words of `here` with the z-score of their log-odds against `there`, the most telling first. The prior is what both say
/// together, as strong as the smaller of them.
#[expect(clippy::cast_precision_loss, reason = "counts of words are far below 2⁵²")]
pub(crate) fn telling(here: &Said, there: &Said) -> Vec<(String, f64)> {
    let (n_here, n_there) = (here.total as f64, there.total as f64);
    let prior = n_here.min(n_there).max(1.0);
    let score = |word: &str, count: u64| {
        let (y_here, y_there) = (count as f64, there.saying(word) as f64);
        let alpha = prior * (y_here + y_there) / (n_here + n_there);
        let odds = |y: f64, n: f64| ((y + alpha) / (n + prior - y - alpha).max(f64::MIN_POSITIVE)).ln();
        let variance = 1.0 / (y_here + alpha) + 1.0 / (y_there + alpha);
        (odds(y_here, n_here) - odds(y_there, n_there)) / variance.sqrt()
    };
    let mut scored: Vec<(String, f64)> = here
        .words
        .iter()
        .map(|(word, count)| (word.clone(), score(word, *count)))
        .filter(|(_, score)| score.is_finite())
        .collect();
    scored.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    scored
}

/// Words that came up together, and the texts that say one of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Topic {
    /// The most telling first.
    pub(crate) words: Vec<(String, f64)>,
    /// Indices of the texts.
    pub(crate) texts: Vec<usize>,
}

/// So many telling words are joined into topics, the most telling: whoever asks for any word at all must not wait for each to be
/// compared with each.
const JOINED: usize = 500;

/// Joins the most telling words into topics: a word belongs to the first topic with which it shares half of the texts that say one of
/// the two. A topic has at most five words.
pub(crate) fn topics(words: Vec<(String, f64)>, texts: &[BTreeSet<String>]) -> Vec<Topic> {
    let words: Vec<(String, f64)> = words.into_iter().take(JOINED).collect();
    let mut saying: HashMap<&str, Vec<usize>> = words.iter().map(|(word, _)| (word.as_str(), Vec::new())).collect();
    for (at, text) in texts.iter().enumerate() {
        for word in text {
            if let Some(saying) = saying.get_mut(word.as_str()) {
                saying.push(at);
            }
        }
    }
    let mut topics: Vec<(Topic, Vec<usize>)> = Vec::new();
    for (word, score) in &words {
        let (word, score) = (word.clone(), *score);
        let saying = saying.remove(word.as_str()).unwrap_or_default();
        let home = topics.iter_mut().find(|(_, first)| share_half(first, &saying));
        match home {
            Some((topic, _)) if topic.words.len() < 5 => {
                topic.words.push((word, score));
                topic.texts.extend(saying);
            }
            Some(_) => {}
            None => {
                let topic = Topic {
                    words: vec![(word, score)],
                    texts: saying.clone(),
                };
                topics.push((topic, saying));
            }
        }
    }
    let sorted = topics.into_iter().map(|(mut topic, _)| {
        topic.texts.sort_unstable();
        topic.texts.dedup();
        topic
    });
    sorted.collect()
}

/// Whether half of what is in one of two rising lists is in both.
fn share_half(one: &[usize], other: &[usize]) -> bool {
    if one.len().min(other.len()) * 2 < one.len().max(other.len()) {
        return false;
    }
    let (mut left, mut right, mut both) = (0, 0, 0);
    while let (Some(here), Some(there)) = (one.get(left), other.get(right)) {
        both += usize::from(here == there);
        left += usize::from(here <= there);
        right += usize::from(here >= there);
    }
    both * 2 >= one.len() + other.len() - both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::words::words_of;

    /// What customers say every week, in sentences that are put together anew each time.
    fn usual(parts: [&[&str]; 3], joint: &str, count: usize) -> Vec<String> {
        let sentence = |at: usize| {
            [
                parts[0][at % parts[0].len()],
                parts[1][at / 2 % parts[1].len()],
                parts[2][at / 3 % parts[2].len()],
            ]
            .join(joint)
        };
        (0..count).map(sentence).collect()
    }

    fn planted(usual: &[String], planted: &[&str], baseline: usize) -> Vec<Topic> {
        let read = |texts: &[String]| texts.iter().map(|text| words_of(text)).collect::<Vec<_>>();
        let mut recent: Vec<String> = usual[baseline..].to_vec();
        recent.extend(planted.iter().map(|text| (*text).to_owned()));
        let (baseline, recent) = (read(&usual[..baseline]), read(&recent));
        let scored = telling(&Said::by(&recent), &Said::by(&baseline));
        let scored = scored.into_iter().filter(|(_, score)| *score >= 2.5).collect();
        topics(scored, &recent)
    }

    const CHINESE: [&[&str]; 3] = [
        &["昨天买的手机", "我的订单", "这个软件", "你们的客服", "新到的包裹"],
        &[
            "一直没有收到",
            "打开就卡顿",
            "屏幕不太清楚",
            "等了很久",
            "颜色有点不一样",
        ],
        &[
            "希望尽快处理",
            "什么时候可以解决",
            "麻烦给个说法",
            "已经联系过客服",
            "请退款",
        ],
    ];
    const ENGLISH: [&[&str]; 3] = [
        &[
            "the phone i bought",
            "my order",
            "this app",
            "your support desk",
            "the parcel",
        ],
        &[
            "has not arrived yet",
            "is very slow",
            "does not look right",
            "took a long time",
            "was the wrong colour",
        ],
        &[
            "please fix it",
            "when will it be solved",
            "i would like an answer",
            "i have called already",
            "i want a refund",
        ],
    ];

    /// FEATURES 38: a planted topic is the only one, whatever else everybody says.
    #[test]
    fn a_planted_topic_is_found_in_chinese() {
        let planted_texts = [
            "充电的时候充电器冒烟了，吓死人",
            "充电器冒烟，插座都黑了",
            "刚充上电充电器就冒烟",
            "我的充电器也冒烟，希望尽快处理",
            "充电器冒烟还有焦味，请退款",
            "半夜充电器冒烟，太危险",
            "充电器冒烟，什么时候可以解决",
            "新的充电器冒烟",
        ];
        let found = planted(&usual(CHINESE, "，", 200), &planted_texts, 160);
        let [topic] = found.as_slice() else { panic!("{found:?}") };
        let words: Vec<&str> = topic.words.iter().map(|(word, _)| word.as_str()).collect();
        assert!(words.contains(&"冒烟") && words.contains(&"充电器"), "{words:?}");
        assert_eq!(topic.texts, (40..48).collect::<Vec<_>>(), "and the texts that say it");
    }

    #[test]
    fn a_planted_topic_is_found_in_english() {
        let planted_texts = [
            "The charger started smoking on my desk",
            "smoking charger, please fix it",
            "my charger is smoking!",
            "Charger was smoking, i want a refund",
            "the charger is smoking when plugged in",
            "again a smoking charger",
            "Smoking charger, when will it be solved",
            "CHARGER SMOKING",
        ];
        let found = planted(&usual(ENGLISH, " ", 200), &planted_texts, 160);
        let [topic] = found.as_slice() else { panic!("{found:?}") };
        let words: Vec<&str> = topic.words.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(
            words
                .iter()
                .filter(|word| ["charger", "smoking"].contains(*word))
                .count(),
            2,
            "{words:?}"
        );
        assert_eq!(topic.texts.len(), 8);
    }

    #[test]
    fn without_a_new_topic_there_is_none() {
        assert_eq!(planted(&usual(CHINESE, "，", 200), &[], 160), []);
        assert_eq!(planted(&usual(ENGLISH, " ", 200), &[], 160), []);
        assert!(telling(&Said::default(), &Said::default()).is_empty());
    }

    #[test]
    fn one_who_repeats_a_word_says_it_once() {
        let text = words_of(&"冒烟 ".repeat(50));
        assert_eq!(Said::by([&text]).saying("冒烟"), 1);
    }
}
