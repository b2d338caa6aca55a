//! What work costs the processor, whatever else runs on the machine.

use rustix::time::{ClockId, clock_gettime};

/// How much larger the larger of the two works is …
const TIMES: usize = 16;
/// … and so many times as long it may take: as far above what grows in proportion as below what grows with the square, because a clock
/// that is wrong by a half, as that of a machine that others share can be, must not decide.
const SLACK: f64 = 64.0;
/// Below this nothing is told apart from chance. Seconds.
const NOISE: f64 = 0.05;

/// Asserts that larger work takes the processor no more than in proportion: `work` makes something of the size that it is given, and
/// works on it; at most of size `most`.
///
/// # Panics
/// Where sixteen times as much takes more than 64 times as long.
pub fn grows_no_faster(what: &str, most: usize, work: impl Fn(usize)) {
    // The least of three: a cache that was cold, or a page that was fetched, says nothing of the work.
    let least = |size: usize| (0..3).map(|_| seconds(|| work(size))).fold(f64::INFINITY, f64::min);
    let (small, large) = (least(most / TIMES), least(most));
    assert!(
        large < small * SLACK + NOISE,
        "{what}: {small:.4} s for {}, then {large:.3} s for {most}",
        most / TIMES
    );
}

/// Seconds that this thread has of the processor while it does some work.
fn seconds(work: impl FnOnce()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a thread")]
        let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
        seconds
    };
    let began = now();
    work();
    now() - began
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::grows_no_faster;

    #[test]
    fn work_in_proportion_passes() {
        grows_no_faster("a sum", 2_000_000, |size| {
            black_box((0..size).fold(0_usize, |sum, next| black_box(sum ^ next)));
        });
    }

    #[test]
    #[should_panic(expected = "then")]
    fn work_that_grows_with_the_square_does_not() {
        grows_no_faster("all pairs", 8_000, |size| {
            black_box((0..size * size).fold(0_usize, |sum, next| black_box(sum ^ next)));
        });
    }
}
