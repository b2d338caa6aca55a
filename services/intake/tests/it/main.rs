//! Intake over real gRPC, on a fresh database each.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod api_keys;
mod attachment;
mod batch;
mod contact;
mod create;
mod customers;
mod door;
mod eml;
mod erasure;
mod erasure_whole;
mod forms;
mod group;
mod import;
mod keys;
mod list;
mod mailbox;
mod mailbox_kept;
mod refusals;
mod retention;
mod screening;
mod sources;
mod stand;
mod status;
mod validation;
mod watch;
