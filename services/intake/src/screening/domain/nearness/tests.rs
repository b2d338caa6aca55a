//! What near means, that the near ones are found, and what it costs.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::{collections::HashSet, time::Instant};

use proptest::prelude::*;

use super::*;

fn relation(left: &str, right: &str) -> Option<Relation> {
    Some(Profile::of(left).relation(&Profile::of(right))?.0)
}

#[test]
fn spelling_makes_no_difference_and_numbers_and_negations_do() {
    let text = "昨天下午升級到新版本以後，打開 App 首頁就閃退，重啟手機三次也一樣，請盡快處理";
    assert_eq!(
        relation(
            text,
            "昨天下午升级到新版本以后,打开app首页就闪退。重启手机三次也一样,请尽快处理!"
        ),
        Some(Relation::Linked)
    );
    let order = |number: &str| {
        format!(
            "我在你们商城买的电饭煲收到以后内胆上面有划痕而且包装盒也是破的，联系客服一直没有人回复，订单号是{number}，请尽快给我换一个新的"
        )
    };
    // 001-12: two orders are two matters, however alike the words.
    assert_eq!(relation(&order("10001"), &order("10007")), Some(Relation::Proposed));
    assert_eq!(relation("屏幕碎了", "充电器坏了"), None);
    assert_eq!(relation("", ""), None);
}

#[test]
fn a_fingerprint_is_of_text_customer_and_product() {
    let (li, wang) = (Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2)));
    let first = fingerprint("打不开！", li, "X200");
    assert_eq!(first, fingerprint("打不開", li, "x200"));
    assert_ne!(first, fingerprint("打不开", wang, "X200"));
    assert_ne!(first, fingerprint("打不开", li, "X100"));
    assert_ne!(first, fingerprint("打开", li, "X200"));
}

/// A text in which `of` characters in a thousand are others than in the one before.
fn changed(text: &[char], per_mille: usize, seed: u64) -> String {
    let mut bits = seed;
    text.iter()
        .map(|character| {
            bits = mix(bits.wrapping_add(0x9e37_79b9_7f4a_7c15));
            if usize::try_from(bits % 1000).unwrap() < per_mille {
                char::from_u32(0x4e00 + u32::try_from(bits >> 40).unwrap() % 5000).unwrap()
            } else {
                *character
            }
        })
        .collect()
}

/// 001-12: of what is to be linked, the bands miss nothing that matters.
#[test]
fn nearly_all_pairs_that_are_near_share_a_band() {
    let (mut linked, mut linked_found, mut proposed, mut proposed_found) = (0, 0, 0, 0);
    for seed in 0..4000u64 {
        let text: Vec<char> = changed(&['字'; 120], 1000, seed * 7 + 1).chars().collect();
        let original: String = text.iter().collect();
        let other = changed(&text, 5 + usize::try_from(seed % 50).unwrap(), seed * 13 + 5);
        let (left, right) = (Profile::of(&original), Profile::of(&other));
        let similarity = left.similarity(&right);
        let bands: HashSet<i64> = left.bands().into_iter().collect();
        let found = u32::from(right.bands().iter().any(|band| bands.contains(band)));
        if similarity >= LINKED {
            linked += 1;
            linked_found += found;
        } else if similarity >= PROPOSED {
            proposed += 1;
            proposed_found += found;
        }
    }
    println!("bands find {linked_found} of {linked} pairs from 0.9, {proposed_found} of {proposed} from 0.8 to 0.9");
    assert!(linked > 1000 && proposed > 500, "{linked} {proposed}");
    assert!(linked_found * 10_000 >= linked * 9_999, "{linked_found} of {linked}");
    assert!(
        proposed_found * 1000 >= proposed * 995,
        "{proposed_found} of {proposed}"
    );
}

/// A text of any length is compared by its beginning: what a sketch costs is bounded.
#[test]
fn a_sketch_costs_no_more_than_the_beginning_of_its_text() {
    let text = changed(&vec!['字'; 300_000], 1000, 3);
    let start = Instant::now();
    let whole = Profile::of(&text);
    assert_eq!(whole.bands().len(), BANDS);
    println!("a sketch of 300,000 characters: {:?}", start.elapsed());
    assert!(whole.grams.len() <= LONGEST, "{}", whole.grams.len());
    let beginning: String = text.chars().take(LONGEST).collect();
    assert_eq!(whole.bands(), Profile::of(&beginning).bands());
}

/// "Must be shown" 3: of pairs of real questions that are linked, nearly all mean the same.
#[test]
fn real_questions_that_are_linked_mean_the_same() {
    let Some(path) = huiyin_testkit::shared_data("pairs/lcqmc_dev.tsv") else {
        return;
    };
    let pairs = std::fs::read_to_string(path).unwrap();
    let (mut linked, mut right, mut proposed, mut proposed_right, mut alike, mut same) = (0, 0, 0, 0, 0, 0);
    for line in pairs.lines() {
        let mut parts = line.split('\t');
        let (Some(left), Some(second), Some(label)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let is_same = u32::from(label.trim() == "1");
        same += is_same;
        match relation(left, second) {
            Some(Relation::Linked | Relation::Exact) => {
                linked += 1;
                right += is_same;
            }
            Some(Relation::Proposed) => {
                proposed += 1;
                proposed_right += is_same;
            }
            Some(Relation::Similar) => alike += 1,
            None => {}
        }
    }
    println!(
        "lcqmc_dev: {right} of {linked} linked pairs mean the same ({:.1} %), {proposed_right} of {proposed} proposed, {alike} alike; {same} of {} do",
        100.0 * f64::from(right) / f64::from(linked.max(1)),
        pairs.lines().count()
    );
    assert!(linked > 0 && right * 100 >= linked * 95, "{right} of {linked}");
}

proptest! {
    #[test]
    fn nearness_goes_both_ways(left in "\\PC{0,80}", right in "\\PC{0,80}") {
        let (left, right) = (Profile::of(&left), Profile::of(&right));
        let similarity = left.similarity(&right);
        prop_assert!((0.0..=1.0).contains(&similarity));
        prop_assert_eq!(left.relation(&right), right.relation(&left));
        prop_assert_eq!(left.bands() == right.bands(), left.grams == right.grams);
    }
}
