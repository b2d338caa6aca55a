//! A private Postgres and Redis from the installed binaries, in a folder of the project's own: nothing to set up by hand.
//!
//! Neither outlives the process that started it, and neither touches a server that the system runs.
//!
//! - [`postgres`]: find, start, restart, stop; [`initdb`] makes the data folder, [`predecessor`] ends what a sudden
//!   death left there, [`binaries`] knows where the programs are.
//! - [`redis`]: the same for Redis, where it is installed.
//! - [`process`]: a child that ends with us, however we end.
//! - [`place`]: the folder, who owns it and who may use it now; [`account`]: as whom Postgres runs when we are root.
//! - [`port`], [`password`]: chosen once, remembered in the folder.

mod account;
mod binaries;
mod initdb;
mod password;
mod place;
mod port;
mod postgres;
mod predecessor;
mod process;
mod redis;

pub use binaries::Binaries;
pub use place::remove;
pub use postgres::{Durability, Postgres, PostgresOptions};
pub use process::{Process, Signal, is_alive};
pub use redis::Redis;
