//! Counting with the other replicas, in Redis and by its clock.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{Counted, Taken};

/// A call does not wait longer for Redis than this,
const PATIENCE: Duration = Duration::from_millis(100);
/// and after one that did, Redis is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Of each key: the moment at which it is as good as new. All are taken or none is; the answer is the place of the one that was not
/// there, from 1 on, and after how many microseconds it is.
const TAKE: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local place, longest, next = 0, 0, {}
for i, key in ipairs(KEYS) do
  local gap, ahead = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  next[i] = math.max(tonumber(redis.call('GET', key) or 0), now) + gap
  local wait = next[i] - now - ahead
  if wait > longest then place, longest = i, wait end
end
if place == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', next[i]), 'PX', math.ceil((next[i] - now) / 1000))
  end
end
return {place, longest}
";

/// See the file.
pub(super) struct Together {
    redis: ConnectionManager,
    silent_until: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Together {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Together")
    }
}

impl Together {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// Where the URL is malformed.
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        Ok(Self {
            redis: ConnectionManager::new_lazy_with_config(Client::open(url.expose_secret())?, config)?,
            silent_until: Mutex::new(None),
        })
    }

    /// None where Redis does not answer, or did not a moment ago.
    pub(super) async fn take(&self, counted: &[Counted]) -> Option<Taken> {
        if self.silent().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let mut take = redis::cmd("EVAL");
        take.arg(TAKE).arg(counted.len());
        for it in counted {
            take.arg(&it.key);
        }
        for it in counted {
            take.arg(it.pace.gap).arg(it.pace.ahead);
        }
        let mut redis = self.redis.clone();
        match tokio::time::timeout(PATIENCE, take.query_async::<(usize, u64)>(&mut redis)).await {
            Ok(Ok((0, _))) => Some(Ok(())),
            Ok(Ok((place, wait))) => Some(Err((place - 1, Duration::from_micros(wait)))),
            Ok(Err(error)) => self.leave_alone(&error.to_string()),
            Err(_) => self.leave_alone("it takes too long"),
        }
    }

    fn silent(&self) -> Option<Instant> {
        *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave_alone(&self, problem: &str) -> Option<Taken> {
        tracing::warn!(problem, "redis does not count calls; this replica counts its own");
        *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
        None
    }
}
