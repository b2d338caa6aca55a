//! How often somebody may call: the generic cell rate algorithm, counted by all replicas together in Redis or by each for itself.

mod alone;
mod together;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use opentelemetry::{KeyValue, global, metrics::Counter};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

pub use alone::Counts;

use crate::{auth::Caller, clock::Clock, error::Refusal, secret};
use together::Together;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// So often in a second, on and on; at least 1.
    pub per_second: NonZeroU32,
    /// And so often at once, after a pause; at least 1.
    pub burst: NonZeroU32,
}

impl Rate {
    /// One second's worth at once.
    #[must_use]
    pub fn steady(per_second: NonZeroU32) -> Self {
        Self {
            per_second,
            burst: per_second,
        }
    }
}

/// A rate as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// What one takes. Microseconds.
    gap: i64,
    /// How far ahead of the clock the next may lie. Microseconds.
    ahead: i64,
}

impl Pace {
    /// One in each `gap` on and on, and `burst` at once after a pause.
    #[must_use]
    pub fn one_in(gap: Duration, burst: u32) -> Self {
        let gap = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX).max(1);
        Self {
            gap,
            ahead: gap.saturating_mul(i64::from(burst)),
        }
    }
}

impl From<Rate> for Pace {
    fn from(rate: Rate) -> Self {
        Self::one_in(Duration::from_secs(1) / rate.per_second.get(), rate.burst.get())
    }
}

/// How often each tenant and each caller may call. Services of ours, and callers without an identity, are not counted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RatesConfig {
    /// `redis://host:port`, where the replicas count together. Not set, or while it does not answer: each counts for itself.
    #[schemars(with = "Option<String>")]
    pub redis_url: Option<SecretString>,
    /// What the names of its counters there begin with.
    pub redis_prefix: String,
    /// Of all callers of a tenant together; not set: as often as they like.
    pub tenant: Option<Rate>,
    /// The tenants that have another: key → rate.
    pub tenants: BTreeMap<String, Rate>,
    /// Of each caller, a key or a user; not set: as often as it likes. A key whose `calls_per_second` is set has that instead.
    pub caller: Option<Rate>,
}

impl Default for RatesConfig {
    fn default() -> Self {
        Self {
            redis_url: None,
            redis_prefix: "huiyin".to_owned(),
            tenant: None,
            tenants: BTreeMap::new(),
            caller: None,
        }
    }
}

/// What is counted, and by which rate.
#[derive(Debug, Clone)]
struct Counted {
    /// `tenant` or `caller`, as the refusal says it.
    what: &'static str,
    key: String,
    pace: Pace,
}

/// Counts the calls of a service.
#[derive(Debug)]
pub(crate) struct Limiter {
    service: &'static str,
    config: RatesConfig,
    clock: Clock,
    together: Option<Together>,
    alone: Counts<String>,
    refused: Counter<u64>,
}

impl Limiter {
    /// # Errors
    /// Where the URL of Redis is malformed.
    pub(crate) fn new(service: &'static str, config: &RatesConfig, clock: Clock) -> anyhow::Result<Self> {
        let meter = global::meter("huiyin");
        let refused = meter.u64_counter("rpc.server.rate_limited");
        Ok(Self {
            service,
            together: config.redis_url.as_ref().map(Together::new).transpose()?,
            config: config.clone(),
            clock,
            alone: Counts::default(),
            refused: refused
                .with_description("calls refused because there were too many")
                .build(),
        })
    }

    /// Takes one call from what the caller and its tenant may do; refused, it counts for neither.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED / RATE_LIMITED, with the time after which it may come back.
    pub(crate) async fn take(&self, caller: &Caller) -> Result<(), Refusal> {
        let counted = self.counted(caller);
        if counted.is_empty() {
            return Ok(());
        }
        let outcome = match &self.together {
            Some(together) => together.take(&counted).await,
            None => None,
        };
        let outcome = outcome.unwrap_or_else(|| {
            let wanted: Vec<_> = counted.iter().map(|it| (it.key.clone(), it.pace)).collect();
            self.alone.take_all(&wanted, self.clock.now())
        });
        outcome.map_err(|(place, wait)| {
            let what = counted.get(place).map_or("tenant", |it| it.what);
            // Several services may share a process, and with it a meter.
            let attributes = [KeyValue::new("service", self.service), KeyValue::new("limit", what)];
            self.refused.add(1, &attributes);
            Refusal::rate_limited(what, wait)
        })
    }

    fn counted(&self, caller: &Caller) -> Vec<Counted> {
        let Some(tenant) = caller.own_tenant() else {
            return Vec::new();
        };
        let (prefix, service) = (&self.config.redis_prefix, self.service);
        // The braces keep the two in one slot of a Redis cluster.
        let tenant_key = format!("{prefix}:rate:{{{tenant}}}:{service}");
        let of_tenant = self.config.tenants.get(tenant).copied().or(self.config.tenant);
        let of_caller = caller.rate.or(self.config.caller);
        let of_caller = of_caller.map(|rate| {
            // A caller's name says who somebody is: Redis has no business with it.
            let hash = secret::hash(caller.subject.as_bytes());
            Counted {
                what: "caller",
                key: format!("{tenant_key}:{}", secret::to_text(&hash[..16])),
                pace: rate.into(),
            }
        });
        let of_tenant = of_tenant.map(|rate| Counted {
            what: "tenant",
            key: tenant_key,
            pace: rate.into(),
        });
        of_tenant.into_iter().chain(of_caller).collect()
    }
}

/// What became of several that were to be taken at once: all were, or the place of the one that was not there, and after which time
/// it is.
type Taken = Result<(), (usize, Duration)>;
