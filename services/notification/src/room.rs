//! What every subject of the room works with.

use std::sync::Arc;

use huiyin_chassis::{Clock, Database, Service, Shutdown, Transaction, listing::PageTokenKey};
use huiyin_events::{Events, Outbox};
use jiff::{SignedDuration, tz::TimeZone};
use minijinja::Environment;
use tokio::sync::Notify;

use crate::{
    Config,
    config::DeliveryConfig,
    delivery::{mail::Mail, post::Poster},
    inbox::bells::Bells,
    message::domain::Lane,
    meters::Meters,
    neighbors::Neighbors,
    template::{builtin::BuiltIn, engine},
    vault::Vault,
};

/// The room. Subjects take from it what they need; it does nothing itself.
pub(crate) struct Room {
    /// Its database.
    pub(crate) database: Database,
    /// Where it takes the time from.
    pub(crate) clock: Clock,
    /// Seals page tokens and cursors.
    pub(crate) page_tokens: PageTokenKey,
    /// Ends its streams.
    pub(crate) shutdown: Shutdown,
    /// Where its events go.
    pub(crate) outbox: Outbox,
    /// Seals secrets.
    pub(crate) vault: Vault,
    /// The templates that come with the service.
    pub(crate) built_in: BuiltIn,
    /// What renders templates.
    pub(crate) environment: Environment<'static>,
    /// How what events say is worded.
    pub(crate) wording: Wording,
    /// How often and how long delivery is tried.
    pub(crate) delivery: DeliveryConfig,
    /// How long an attempt at mail or a post may take before another worker takes it for lost.
    pub(crate) attempt_lease: SignedDuration,
    /// Where mail is handed in, if anywhere.
    pub(crate) mail: Option<Mail>,
    /// Posts to endpoints.
    pub(crate) poster: Poster,
    /// Whom it asks.
    pub(crate) neighbors: Neighbors,
    /// What it counts.
    pub(crate) meters: Meters,
    /// Rung whenever an inbox changed here.
    pub(crate) bells: Bells,
    wakes: [Arc<Notify>; Lane::ALL.len()],
}

/// How what events say is worded.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    /// The language of assignees and supervisors.
    pub(crate) staff_locale: String,
    /// In which times are said.
    pub(crate) time_zone: TimeZone,
    /// With `{token}` where the token belongs.
    pub(crate) survey_link: String,
}

impl Room {
    /// # Errors
    /// Where a setting does not hold.
    pub(crate) fn new(service: &Service, events: &Events, config: &Config) -> anyhow::Result<Self> {
        let wording = &config.wording;
        anyhow::ensure!(
            wording.survey_link.contains("{token}"),
            "wording.survey_link must contain {{token}}"
        );
        anyhow::ensure!(
            config.delivery.attempts >= 1 && config.delivery.concurrency >= 1,
            "delivery.attempts and delivery.concurrency must be at least 1"
        );
        Ok(Self {
            database: service.database.clone(),
            clock: service.clock.clone(),
            page_tokens: service.page_tokens.clone(),
            shutdown: service.shutdown.clone(),
            outbox: events.outbox(),
            vault: Vault::new(&config.vault)?,
            built_in: BuiltIn::load()?,
            environment: engine::environment(),
            wording: Wording {
                staff_locale: wording.staff_locale.clone(),
                time_zone: TimeZone::get(&wording.time_zone)?,
                survey_link: wording.survey_link.clone(),
            },
            delivery: config.delivery.clone(),
            attempt_lease: attempt_lease(config),
            mail: config.mail.as_ref().map(Mail::new).transpose()?,
            poster: Poster::new(&config.webhooks)?,
            neighbors: Neighbors::connect(&service.neighbors)?,
            meters: Meters::new(),
            bells: Bells::new(),
            wakes: Default::default(),
        })
    }

    /// What wakes the worker of a lane.
    pub(crate) fn wake(&self, lane: Lane) -> &Arc<Notify> {
        match lane {
            Lane::Inbox => &self.wakes[0],
            Lane::Direct => &self.wakes[1],
            Lane::Webhook => &self.wakes[2],
        }
    }

    /// Wakes the workers of these lanes once the transaction is committed.
    pub(crate) fn wake_after(&self, tx: &mut Transaction, lanes: Vec<Lane>) {
        let wakes: Vec<Arc<Notify>> = lanes.into_iter().map(|lane| Arc::clone(self.wake(lane))).collect();
        tx.on_commit(move || wakes.iter().for_each(|wake| wake.notify_one()));
    }
}

/// Twice asking a neighbour (10 s each), the longest answer that is waited for, and time to record it.
fn attempt_lease(config: &Config) -> SignedDuration {
    let answer = config
        .webhooks
        .timeout_ms
        .max(config.mail.as_ref().map_or(0, |mail| mail.timeout_ms));
    SignedDuration::from_secs(40) + SignedDuration::from_millis(i64::try_from(answer.min(600_000)).unwrap_or(600_000))
}
