//! What storing feedback means, whichever way it came: a number, a row, an event, and a count.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::Context as _;
use huiyin_chassis::{Clock, Database, Refusal, Tenant, Transaction};
use huiyin_events::{NewEvent, Outbox};
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::feedback::{
    domain::{self, Accepted},
    numbers::Numbers,
    rush::Rush,
    store::{
        self,
        batch::{Answered, Stored},
    },
};
use crate::{attachment, config::NumbersConfig, customer, meters::Meters, screening, vault::Vault};

/// Stores feedback.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    outbox: Outbox,
    vault: Arc<Vault>,
    numbers: Numbers,
    zones: Zones,
    /// Whether feedback pours in, as its writers say.
    pub(super) rush: Rush,
    pub(crate) meters: Meters,
}

impl Ledger {
    /// # Errors
    /// Where a time zone of the configuration is not known.
    pub(crate) fn new(
        database: Database,
        clock: Clock,
        outbox: Outbox,
        vault: Arc<Vault>,
        numbers: &NumbersConfig,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            database,
            clock,
            outbox,
            vault,
            numbers: Numbers::default(),
            zones: Zones::new(numbers)?,
            rush: Rush::none(),
            meters: Meters::new(),
        })
    }

    /// The same ledger by connections of its own: see [`Database::apart`].
    pub(crate) fn apart(&self, connections: u32) -> Self {
        Self {
            database: self.database.apart(connections),
            ..self.clone()
        }
    }

    /// Gives display numbers to those that have none, in their order; before the transaction that stores them. Finds what was
    /// said before, where the tenant sets that aside.
    pub(crate) async fn give_numbers(&self, tenant: &Tenant, mut feedbacks: Vec<&mut Accepted>) -> Result<(), Refusal> {
        screening::service::find_repeated(&self.database, tenant, &mut feedbacks).await?;
        // One day, but for a batch around midnight.
        let mut days: BTreeMap<i32, Vec<&mut Accepted>> = BTreeMap::new();
        for accepted in feedbacks {
            if accepted.feedback.number.is_empty() {
                days.entry(domain::day(accepted.feedback.create_time, self.zones.of(tenant)))
                    .or_default()
                    .push(accepted);
            }
        }
        for (day, waiting) in days {
            let count = i64::try_from(waiting.len()).map_err(Refusal::fault)?;
            let now = self.clock.now();
            let sequences = self.numbers.take(&self.database, tenant, day, count, now).await?;
            for (sequence, accepted) in sequences.zip(waiting) {
                accepted.feedback.number = domain::number(day, sequence);
            }
        }
        Ok(())
    }

    /// Gives numbered feedbacks of one tenant what they get on their way into the store: each its customer and its segments, and
    /// it is sealed.
    pub(crate) async fn complete(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        feedbacks: &mut [&mut Accepted],
    ) -> Result<(), Refusal> {
        customer::known::complete(tx, &self.vault, tenant, feedbacks).await
    }

    /// Stores completed feedbacks of one tenant with their events and answers; each owns its files from here on. Those whose
    /// external id is taken are left out.
    pub(crate) async fn store(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        feedbacks: &[&Accepted],
        answers: &[Answered<'_>],
    ) -> Result<Stored, Refusal> {
        let told = |accepted: &&Accepted| {
            let event = screening::service::told(tenant, &accepted.feedback);
            (accepted.feedback.id, event, accepted.feedback.traceparent.clone())
        };
        let events = feedbacks.iter().map(told).collect();
        let compare = screening::compare::due(self.clock.now(), self.rush.is_on());
        let outcome = store::batch::store(tx, tenant, feedbacks, answers, compare, |tx, statement| {
            self.outbox.push_each(tx, statement, tenant, events);
        })
        .await?;
        let stored: Vec<&Accepted> = feedbacks
            .iter()
            .copied()
            .filter(|accepted| !outcome.taken.contains_key(&accepted.feedback.id))
            .collect();
        let uploaded = |accepted: &&Accepted| {
            let feedback = accepted.feedback.id;
            let files = accepted
                .feedback
                .facts
                .attachments
                .iter()
                .filter_map(|file| file.uploaded);
            files.map(|file| (file, feedback)).collect::<Vec<_>>()
        };
        let files: Vec<(Uuid, Uuid)> = stored.iter().flat_map(uploaded).collect();
        attachment::service::link(tx, tenant, &files).await?;
        screening::service::keep(tx, tenant, &stored).await?;
        self.meters
            .accepted(tx, stored.iter().map(|accepted| accepted.feedback.facts.channel));
        let aside = stored.iter().map(|accepted| &accepted.feedback.standing);
        let aside = aside.filter(|standing| standing.held);
        self.meters.set_aside(
            tx,
            aside.flat_map(|standing| standing.findings.iter().map(|finding| finding.kind)),
        );
        Ok(outcome)
    }

    /// Tells the other services something about stored feedback.
    pub(crate) async fn tell(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        events: Vec<NewEvent>,
    ) -> Result<(), Refusal> {
        self.outbox.append_all(tx, tenant, events).await
    }
}

/// The time zones of the tenants.
#[derive(Clone)]
struct Zones {
    default: TimeZone,
    others: HashMap<String, TimeZone>,
}

impl Zones {
    fn new(config: &NumbersConfig) -> anyhow::Result<Self> {
        let zone = |name: &str| TimeZone::get(name).with_context(|| format!("the time zone {name:?} of [numbers]"));
        let others = config
            .time_zones
            .iter()
            .map(|(tenant, name)| Ok((tenant.clone(), zone(name)?)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            default: zone(&config.time_zone)?,
            others,
        })
    }

    fn of(&self, tenant: &Tenant) -> &TimeZone {
        self.others.get(tenant.key()).unwrap_or(&self.default)
    }
}
