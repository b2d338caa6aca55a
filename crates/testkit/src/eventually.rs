//! Waiting for a state, never for a time: a test polls until what it wants to see is so.

use std::{
    panic::Location,
    time::{Duration, Instant},
};

/// The first pause between two looks; they grow, so that many waiting tests do not eat the machine.
const FIRST_PAUSE: Duration = Duration::from_millis(3);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What a look at the state found: `Some(value)` or `true` ends the waiting, and so does `Ok(value)`; the last `Err` is told.
pub trait Look {
    /// What the waiting ends with.
    type Value;

    /// The value, or why there is none yet.
    ///
    /// # Errors
    /// The state is not there yet; the text is for the person who reads the failed test.
    fn seen(self) -> Result<Self::Value, String>;
}

impl Look for bool {
    type Value = ();

    fn seen(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it was false".into()) }
    }
}

impl<T> Look for Option<T> {
    type Value = T;

    fn seen(self) -> Result<T, String> {
        self.ok_or_else(|| "there was none".into())
    }
}

impl<T, E: std::fmt::Display> Look for Result<T, E> {
    type Value = T;

    fn seen(self) -> Result<T, String> {
        self.map_err(|error| error.to_string())
    }
}

/// Looks again and again, every few milliseconds, until the state is there, and returns what was found.
///
/// `limit` is real time, whatever the test's clock says.
///
/// # Panics
/// The state is not there within `limit`; the message is `what`, the caller's line and what the last look found.
#[track_caller]
pub fn eventually<L: Look>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> L,
) -> impl Future<Output = L::Value> {
    let caller = Location::caller();
    async move {
        let end = Instant::now() + limit;
        let mut pause = FIRST_PAUSE;
        let mut last = "it was still looking for the first time".to_owned();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, look()).await.map(Look::seen) {
                Ok(Ok(value)) => return value,
                Ok(Err(why)) => last = why,
                Err(_) => {}
            }
            if Instant::now() >= end {
                panic!("not within {limit:?}: {what} ({caller}; at last {last})");
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_value_is_returned() {
        let mut looks = 0;
        let found = eventually("five looks", Duration::from_secs(10), async || {
            looks += 1;
            (looks == 5).then_some(looks)
        })
        .await;
        assert_eq!(found, 5);
    }

    #[tokio::test]
    async fn true_and_ok_end_it_too() {
        eventually("true", Duration::from_secs(1), async || true).await;
        let found = eventually("ok", Duration::from_secs(1), async || "7".parse::<u8>()).await;
        assert_eq!(found, 7);
    }

    #[tokio::test]
    #[should_panic(expected = "the work order is closed")]
    async fn what_did_not_come_is_named() {
        eventually("the work order is closed", Duration::from_millis(20), async || false).await;
    }

    #[tokio::test]
    #[should_panic(expected = "at last no such order")]
    async fn the_last_error_is_told() {
        eventually("an order", Duration::from_millis(20), async || {
            Err::<(), _>("no such order")
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "a look that hangs")]
    async fn a_look_that_hangs_does_not_hang_the_test() {
        eventually("a look that hangs", Duration::from_millis(20), async || {
            std::future::pending::<()>().await;
            true
        })
        .await;
    }
}
