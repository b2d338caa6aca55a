//! The survey room as others see it: real gRPC, a fresh database, a stand-in for the scheduler's log, a held clock.

mod answer;
mod invitation;
mod list;
mod stand;
mod survey;
mod token;
