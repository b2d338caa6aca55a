//! The room from outside: real gRPC, a fresh database, stand-ins for the classifier and the survey, a clock that the test holds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what a test did not expect fails it"
)]

mod agents;
mod assigning;
mod clocks;
mod gauges;
mod life;
mod lists;
mod play;
mod policies;
mod refusals;
mod reopening;
