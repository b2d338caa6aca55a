//! A suite on one machine: six databases, six configurations, and all six services in one process.

mod files;
mod start;

pub use files::{Files, SERVICES, Servers};
pub use start::{Up, UpOptions, create_databases, up};
