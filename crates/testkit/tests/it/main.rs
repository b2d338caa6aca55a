//! The test kit on the servers that `make test` runs.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod database;
mod redis;
