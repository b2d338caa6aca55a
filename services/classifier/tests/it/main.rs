//! The room from outside: real gRPC, a fresh database, a stand-in for intake, a clock that the test holds.

mod classifying;
mod correcting;
mod lists;
mod play;
mod taxonomies;
