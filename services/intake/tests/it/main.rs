//! Intake over real gRPC, on a fresh database each.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod batch;
mod contact;
mod create;
mod group;
mod import;
mod list;
mod refusals;
mod screening;
mod stand;
mod validation;
mod watch;
