//! The test kit on the servers that `make test` runs.

mod database;
mod redis;
