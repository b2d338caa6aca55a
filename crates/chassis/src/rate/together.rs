//! Counting with the other replicas, in Redis and by its clock.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, RedisResult, aio::MultiplexedConnection};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{Counted, Taken};

/// A call does not wait longer for Redis than this,
const PATIENCE: Duration = Duration::from_millis(100);
/// and after one that did, Redis is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Of each key: the moment at which it is as good as new. All are taken or none is; the answer is the place of the one that was not
/// there, from 1 on, and after how many microseconds it is. A moment farther ahead than the pace allows is of a clock that was set back,
/// or of a wider pace, and keeps nobody out.
const TAKE: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local place, longest, next = 0, 0, {}
for i, key in ipairs(KEYS) do
  local gap, ahead = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local new = tonumber(redis.call('GET', key) or 0)
  if new > now + ahead then new = now end
  next[i] = math.max(new, now) + gap
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
    client: Client,
    state: Mutex<State>,
}

/// How Redis is reached.
enum State {
    Connected(MultiplexedConnection),
    /// Not until then, when one call connects; whether anybody was told that it does not answer.
    Silent {
        until: Instant,
        told: bool,
    },
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
        Ok(Self {
            client: Client::open(url.expose_secret())?,
            state: Mutex::new(State::Silent {
                until: Instant::now(),
                told: false,
            }),
        })
    }

    /// None where Redis does not answer, or did not a moment ago.
    pub(super) async fn take(&self, counted: &[Counted]) -> Option<Taken> {
        let connection = self.way()?;
        let answer = tokio::time::timeout(PATIENCE, self.ask(connection, counted)).await;
        let (made, answer) = match answer {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) => return self.leave_alone(&error.to_string()),
            Err(_) => return self.leave_alone("it takes too long"),
        };
        if let Some(made) = made {
            let before = std::mem::replace(&mut *self.state(), State::Connected(made));
            if matches!(before, State::Silent { told: true, .. }) {
                tracing::info!("redis counts calls again");
            }
        }
        Some(match answer {
            (0, _) => Ok(()),
            (place, wait) => Err((place - 1, Duration::from_micros(wait))),
        })
    }

    /// The connection there is, or within that one is to be made; none where Redis is left alone.
    fn way(&self) -> Option<Option<MultiplexedConnection>> {
        match &mut *self.state() {
            State::Connected(connection) => Some(Some(connection.clone())),
            State::Silent { until, .. } if Instant::now() < *until => None,
            State::Silent { until, .. } => {
                // The others do not wait for what this one finds.
                *until = Instant::now() + PATIENCE + PAUSE;
                Some(None)
            }
        }
    }

    /// What Redis says, and the connection where it was made for this.
    async fn ask(
        &self,
        connection: Option<MultiplexedConnection>,
        counted: &[Counted],
    ) -> RedisResult<(Option<MultiplexedConnection>, (usize, u64))> {
        let mut take = redis::cmd("EVAL");
        take.arg(TAKE).arg(counted.len());
        for it in counted {
            take.arg(&it.key);
        }
        for it in counted {
            take.arg(it.pace.gap).arg(it.pace.ahead);
        }
        if let Some(mut connection) = connection {
            return Ok((None, take.query_async(&mut connection).await?));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let mut made = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let answer = take.query_async(&mut made).await?;
        Ok((Some(made), answer))
    }

    /// Drops the connection too: one whose other end has gone without a word would be silent for long.
    fn leave_alone(&self, problem: &str) -> Option<Taken> {
        let until = Instant::now() + PAUSE;
        let before = std::mem::replace(&mut *self.state(), State::Silent { until, told: true });
        if !matches!(before, State::Silent { told: true, .. }) {
            tracing::warn!(problem, "redis does not count calls; this replica counts its own");
        }
        None
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
