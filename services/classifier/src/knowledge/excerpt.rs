//! What is shown of an article that was found: the piece of its body that holds most of what was looked for.

use std::ops::Range;

use super::terms::{Asked, places};

/// An excerpt has so many code points at most.
const LENGTH: u32 = 120;
/// So many of them stand before what was found.
const BEFORE: u32 = 20;

/// A piece of a text, with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// Where it begins in the whole, in code points.
    pub(super) start: u32,
    /// Within the piece, in code points.
    pub(super) highlights: Vec<Range<u32>>,
}

/// Where a text holds what is asked for; what touches is one.
pub(super) fn highlights(text: &str, asked: &[Asked]) -> Vec<Range<u32>> {
    joined(places(text, asked).into_iter().map(|(place, _)| place))
}

/// The first piece of a text in which most of what is asked for stands; its beginning where nothing does.
pub(super) fn excerpt(text: &str, asked: &[Asked]) -> Excerpt {
    let found = places(text, asked);
    let start = best(&found, asked.len()).map_or(0, |first| found[first].0.start.saturating_sub(BEFORE));
    let end = start.saturating_add(LENGTH);
    let piece = text.chars().skip(start as usize).take(LENGTH as usize).collect();
    let within = found
        .into_iter()
        .map(|(place, _)| place)
        .filter(|place| place.start >= start && place.start < end);
    let highlights = joined(within.map(|place| place.start - start..place.end.min(end) - start));
    Excerpt {
        text: piece,
        start,
        highlights,
    }
}

/// The first place of the window that holds most different ones.
fn best(found: &[(Range<u32>, usize)], kinds: usize) -> Option<usize> {
    let mut counts = vec![0_usize; kinds];
    let (mut different, mut most, mut best) = (0, 0, None);
    let mut end = 0;
    for (first, (place, kind)) in found.iter().enumerate() {
        while let Some((next, kind)) = found.get(end)
            && next.end <= place.start + LENGTH - BEFORE
        {
            different += usize::from(counts[*kind] == 0);
            counts[*kind] += 1;
            end += 1;
        }
        if different > most {
            (most, best) = (different, Some(first));
        }
        if end > first {
            counts[*kind] -= 1;
            different -= usize::from(counts[*kind] == 0);
        } else {
            end = first + 1;
        }
    }
    best
}

/// Ranges that overlap or touch as one; they come in the order in which they begin.
fn joined(ranges: impl Iterator<Item = Range<u32>>) -> Vec<Range<u32>> {
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::terms::asked;

    fn piece(text: &str, range: &Range<u32>) -> String {
        text.chars().skip(range.start as usize).take(range.len()).collect()
    }

    #[test]
    fn what_was_found_is_shown_as_it_is_written() {
        let asked = asked("闪退 crash");
        let text = "APP 閃退、Crashes";
        let found: Vec<String> = highlights(text, &asked)
            .iter()
            .map(|range| piece(text, range))
            .collect();
        assert_eq!(found, ["閃退", "Crash"]);
    }

    #[test]
    fn the_excerpt_is_where_most_of_it_stands() {
        let text = format!(
            "充电。{}\n# 充电器\n请更換充电器电池{}",
            "无关".repeat(100),
            "其他".repeat(100)
        );
        let found = excerpt(&text, &asked("更换充电器电池"));
        assert_eq!(found.text.chars().count(), LENGTH as usize);
        let shown: Vec<String> = found.highlights.iter().map(|range| piece(&found.text, range)).collect();
        assert_eq!(shown, ["充电器", "更換充电器电池"]);
        assert_eq!(piece(&text, &(found.start..found.start + LENGTH)), found.text);
    }

    #[test]
    fn where_nothing_was_found_it_is_the_beginning() {
        let found = excerpt("重启手机", &asked("相机"));
        assert_eq!(
            (found.text.as_str(), found.start, found.highlights.len()),
            ("重启手机", 0, 0)
        );
        assert_eq!(excerpt("", &[]).text, "");
    }
}
