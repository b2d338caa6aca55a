//! Near texts: which feedbacks of a group stand together, by the words that they share.

use std::collections::{BTreeSet, HashMap};

/// How rare each word is: `ln(1 + texts / texts that say it)`, never 0.
#[derive(Debug, Default)]
pub(crate) struct Rarity {
    texts: usize,
    saying: HashMap<String, usize>,
}

impl Rarity {
    /// Of the words of these texts.
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t BTreeSet<String>>) -> Self {
        let mut rarity = Self::default();
        for text in texts {
            rarity.texts += 1;
            for word in text {
                *rarity.saying.entry(word.clone()).or_default() += 1;
            }
        }
        rarity
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of texts are far below 2⁵²")]
    fn weight(&self, word: &str) -> f64 {
        let saying = self.saying.get(word).copied().unwrap_or(1);
        (self.texts.max(saying) as f64 / saying as f64).ln_1p()
    }
}

/// Texts as sorted words, each with its weight.
struct Weighed {
    words: Vec<(u32, f64)>,
    weight: f64,
}

/// The texts that stand together, as indices, the largest cluster first: two do where the weight of the words that they share is at
/// least `similarity` of the weight of all their words, or where others lead from the one to the other so. A text without words stands
/// alone. Compares each with each: the caller sees to it that they are at most some thousands.
pub(crate) fn clusters(texts: &[&BTreeSet<String>], rarity: &Rarity, similarity: f64) -> Vec<Vec<usize>> {
    let weighed = weigh(texts, rarity);
    let mut leaders: Vec<usize> = (0..texts.len()).collect();
    for (at, one) in weighed.iter().enumerate() {
        for (before, other) in weighed[..at].iter().enumerate() {
            let (mine, theirs) = (leader(&leaders, at), leader(&leaders, before));
            if mine != theirs && likeness(one, other) >= similarity {
                // The smaller leads: leaders only ever point down.
                leaders[mine.max(theirs)] = mine.min(theirs);
            }
        }
    }
    let mut by_leader: Vec<Vec<usize>> = vec![Vec::new(); texts.len()];
    for at in 0..texts.len() {
        by_leader[leader(&leaders, at)].push(at);
    }
    by_leader.retain(|cluster| !cluster.is_empty());
    by_leader.sort_by_key(|cluster| std::cmp::Reverse(cluster.len()));
    by_leader
}

fn leader(leaders: &[usize], mut at: usize) -> usize {
    while leaders[at] != at {
        at = leaders[at];
    }
    at
}

fn weigh(texts: &[&BTreeSet<String>], rarity: &Rarity) -> Vec<Weighed> {
    let mut ids: HashMap<&str, (u32, f64)> = HashMap::new();
    let mut next = 0;
    let weighed = texts.iter().map(|text| {
        let mut words: Vec<(u32, f64)> = text
            .iter()
            .map(|word| {
                *ids.entry(word).or_insert_with(|| {
                    next += 1;
                    (next, rarity.weight(word))
                })
            })
            .collect();
        words.sort_unstable_by_key(|(id, _)| *id);
        let weight = words.iter().map(|(_, weight)| weight).sum();
        Weighed { words, weight }
    });
    weighed.collect()
}

/// Weight of what two texts share, of all that they say (Jaccard, by weight); 0 where one says nothing.
fn likeness(one: &Weighed, other: &Weighed) -> f64 {
    let (mut left, mut right) = (one.words.iter().peekable(), other.words.iter().peekable());
    let mut shared = 0.0;
    while let (Some((mine, weight)), Some((theirs, _))) = (left.peek(), right.peek()) {
        match mine.cmp(theirs) {
            std::cmp::Ordering::Less => drop(left.next()),
            std::cmp::Ordering::Greater => drop(right.next()),
            std::cmp::Ordering::Equal => {
                shared += weight;
                left.next();
                right.next();
            }
        }
    }
    if shared > 0.0 {
        shared / (one.weight + other.weight - shared)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> BTreeSet<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn clustered(texts: &[&str], similarity: f64) -> Vec<Vec<usize>> {
        let texts: Vec<BTreeSet<String>> = texts.iter().map(|words| text(words)).collect();
        clusters(&texts.iter().collect::<Vec<_>>(), &Rarity::of(&texts), similarity)
    }

    #[test]
    fn texts_that_share_rare_words_stand_together() {
        let texts = [
            "手机 打开 相册 闪退",
            "手机 付款 页面 卡住",
            "手机 相册 闪退 三次",
            "手机 付款 卡住 重启",
            "手机 屏幕 发热",
            "",
        ];
        let found = clustered(&texts, 0.3);
        assert_eq!(found, [vec![0, 2], vec![1, 3], vec![4], vec![5]]);
    }

    proptest::proptest! {
        /// Whatever the texts, each stands in exactly one cluster, and the same texts always stand together.
        #[test]
        fn every_text_stands_in_one_cluster(texts in proptest::collection::vec("[a-d]( [a-d]){0,3}", 0..24), similarity in 0.05..1.0_f64) {
            let given: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = clustered(&given, similarity);
            let mut all: Vec<usize> = found.iter().flatten().copied().collect();
            all.sort_unstable();
            proptest::prop_assert_eq!(all, (0..texts.len()).collect::<Vec<_>>());
            for (one, other) in (0..texts.len()).flat_map(|one| (0..one).map(move |other| (one, other))) {
                let same = found.iter().any(|cluster| cluster.contains(&one) && cluster.contains(&other));
                proptest::prop_assert!(same || text(given[one]) != text(given[other]));
            }
        }
    }
}
