//! The survey room as others see it: real gRPC, a fresh database, a stand-in for the scheduler's log, a held clock.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod answer;
mod invitation;
mod list;
mod stand;
mod survey;
mod token;
mod update;
