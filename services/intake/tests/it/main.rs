//! Intake over real gRPC, on a fresh database each.

mod batch;
mod contact;
mod create;
mod group;
mod import;
mod list;
mod refusals;
mod stand;
mod watch;
