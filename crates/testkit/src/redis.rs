//! The Redis that `make test` runs, shared by all tests: each has its own prefix of keys.

use crate::name;

/// Names the server; `make test` sets it.
const SERVER: &str = "HUIYIN_TEST_REDIS_URL";

/// A test's part of the shared server. A test that wipes or stops Redis takes [`private_redis`](crate::private_redis).
#[derive(Debug, Clone)]
pub struct Redis {
    /// The server.
    pub url: String,
    /// What every key of this test begins with, the colon included.
    pub prefix: String,
}

/// The shared server, and a prefix that no other test has.
///
/// # Panics
/// Outside `make test` (the server is not known), or where no Redis is installed.
pub fn redis() -> Redis {
    let Ok(url) = std::env::var(SERVER) else {
        panic!("run through `make test`, with redis-server installed ({SERVER} is not set)");
    };
    Redis {
        url,
        prefix: format!("{}:", name::unique("t")),
    }
}
