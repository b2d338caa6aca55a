//! What the tests of every room share; a dev-dependency only.
//!
//! - [`Stage`]: what a room stands on: a held clock, keys, a database, neighbours; [`Source`]: a stand-in for a neighbour's log.
//! - [`database()`]: a fresh database per test, in the Postgres that `make test` runs.
//! - [`redis()`]: the Redis that `make test` runs, with a prefix of the test's own.
//! - [`private_redis`], [`private_postgres`]: a server of one test's own, to be wiped, stopped or killed.
//! - [`grows_no_faster()`]: what work costs the processor grows with the text, and no faster.
//! - [`rows_with()`]: whether a text stands anywhere in a database.
//! - [`Metrics`]: what is measured, as Prometheus would fetch it.
//! - [`eventually()`]: wait for a state, never for a time.
//! - [`shared_data()`]: real data beside the checkout, where there is any.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod database;
mod effort;
mod eventually;
mod metrics;
mod name;
mod private;
mod redis;
mod rows;
mod shared_data;
mod source;
mod stage;

pub use database::{Database, copy_of, database};
pub use effort::grows_no_faster;
pub use eventually::{Look, eventually};
pub use huiyin_embedded::{Durability, Postgres, Process, Signal};
pub use metrics::Metrics;
pub use private::{Private, private_postgres, private_redis};
pub use redis::{Redis, redis};
pub use rows::rows_with;
pub use shared_data::shared_data;
pub use source::Source;
pub use stage::{Bearer, Connection, Stage};
