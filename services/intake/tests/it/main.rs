//! Intake over real gRPC, on a fresh database each.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod batch;
mod contact;
mod create;
mod customers;
mod erasure;
mod group;
mod import;
mod keys;
mod list;
mod refusals;
mod stand;
mod watch;
