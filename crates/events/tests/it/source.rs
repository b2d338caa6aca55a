//! A room that counts: each change of a counter is an event that says the new value.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use huiyin_chassis::{
    Context, Database, Migrations, Refusal, Running, Service, ServiceConfig, Tenant, listing::PageTokenKey,
};
use huiyin_events::{Events, EventsConfig, Log, NewEvent, NoEvents, Outbox, Payload};
use huiyin_proto::{
    event::v1::{FeedbackSubmitted, WorkOrderProgressed},
    r#type::v1::FeedbackDigest,
};
use serde::Deserialize;

use crate::random::Random;

/// What both rooms need to know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) service: ServiceConfig,
    #[serde(default)]
    pub(crate) events: EventsConfig,
}

/// Tasks of the room that write at random while there is a budget. They die with the room.
#[derive(Debug, Clone)]
pub(crate) struct Writers {
    pub(crate) random: Random,
    pub(crate) tasks: usize,
    /// How many events are still to be written, of all runs of the room.
    pub(crate) budget: Arc<AtomicI64>,
}

impl Writers {
    pub(crate) fn new(random: &mut Random, tasks: usize, budget: i64) -> Self {
        Self {
            random: random.fork(),
            tasks,
            budget: Arc::new(AtomicI64::new(budget)),
        }
    }

    /// Has them write so many more.
    pub(crate) fn add(&self, events: i64) {
        self.budget.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn are_done(&self) -> bool {
        self.budget.load(Ordering::Relaxed) <= 0
    }
}

/// The running room, and what a test does with it from inside.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) running: Running,
    pub(crate) log: Log,
    pub(crate) page_tokens: PageTokenKey,
    counters: Counters,
}

pub(crate) async fn start(config: Config, context: Context, writers: Option<Writers>) -> anyhow::Result<Source> {
    let own = Migrations {
        schema: "public",
        migrator: sqlx::migrate!("tests/it/migrations_source"),
    };
    let mut service = Service::prepare(
        "source",
        &config.service,
        context,
        vec![huiyin_events::migrations(), own],
    )
    .await?;
    let events = Events::open(&mut service, &config.events).await?;
    let counters = Counters {
        database: service.database.clone(),
        outbox: events.outbox(),
    };
    let (log, page_tokens) = (events.log(), service.page_tokens.clone());
    if let Some(mut writers) = writers {
        for _ in 0..writers.tasks {
            let (counters, random, budget) = (counters.clone(), writers.random.fork(), Arc::clone(&writers.budget));
            let shutdown = service.shutdown.clone();
            service.tasks.spawn("writer", async move {
                let mut random = random;
                while !shutdown.is_requested() {
                    if budget.load(Ordering::Relaxed) <= 0 {
                        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                        continue;
                    }
                    match counters.write_at_random(&mut random).await {
                        Ok(written) => {
                            budget.fetch_sub(written, Ordering::Relaxed);
                        }
                        Err(refusal) => {
                            assert!(refusal.is_transient(), "{refusal}");
                            tokio::task::yield_now().await;
                        }
                    }
                }
                Ok(())
            });
        }
    }
    events.run(&mut service, &[], Arc::new(NoEvents))?;
    Ok(Source {
        running: service.run().await?,
        log,
        page_tokens,
        counters,
    })
}

impl Source {
    /// Counts a subject up `times` times in one transaction.
    pub(crate) async fn count(&self, tenant: &str, subject: &str, times: usize) {
        self.counters
            .count(tenant, &vec![subject.to_owned(); times])
            .await
            .unwrap();
    }

    /// Counts each of the subjects up once, in one transaction.
    pub(crate) async fn count_each(&self, tenant: &str, subjects: &[String]) {
        self.counters.count(tenant, subjects).await.unwrap();
    }

    /// One event with so much text.
    pub(crate) async fn say(&self, tenant: &str, subject: &str, text: String) {
        self.tell(tenant, event(subject, 0, text)).await;
    }

    /// One event with the words of a customer.
    pub(crate) async fn submit(&self, tenant: &str, customer: &str, feedback: &str, words: &str) {
        let digest = FeedbackDigest {
            feedback: feedback.to_owned(),
            customer: customer.to_owned(),
            ..FeedbackDigest::default()
        };
        let payload = Payload::FeedbackSubmitted(FeedbackSubmitted {
            feedback: Some(digest),
            text: words.to_owned(),
            ..FeedbackSubmitted::default()
        });
        let event = NewEvent {
            subject: feedback.to_owned(),
            actor: "system".to_owned(),
            payload,
        };
        self.tell(tenant, event).await;
    }

    async fn tell(&self, tenant: &str, event: NewEvent) {
        let tenant = Tenant::stored(tenant).unwrap();
        let mut tx = self.counters.database.tenant(&tenant).await.unwrap();
        self.counters.outbox.append(&mut tx, &tenant, event).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[derive(Debug, Clone)]
struct Counters {
    database: Database,
    outbox: Outbox,
}

impl Counters {
    async fn count(&self, tenant: &str, subjects: &[String]) -> Result<(), Refusal> {
        let tenant = Tenant::stored(tenant)?;
        let mut tx = self.database.tenant(&tenant).await?;
        let mut events = Vec::new();
        for subject in subjects {
            events.push(event(subject, bump(&mut tx, &tenant, subject).await?, String::new()));
        }
        self.outbox.append_all(&mut tx, &tenant, events).await?;
        tx.commit().await
    }

    /// A transaction of one to three events of one or two subjects, one in eight rolled back; returns what was committed.
    async fn write_at_random(&self, random: &mut Random) -> Result<i64, Refusal> {
        let tenant = Tenant::stored(["north", "south", "east"][usize::try_from(random.below(3)).unwrap()])?;
        let mut tx = self.database.tenant(&tenant).await?;
        let first = random.below(20);
        let mut written = 0;
        for _ in 0..=random.below(2) {
            // In ascending order: the room's rows are locked in one order, as any room's must be.
            let subject = tenant.child("counters", first + u64::from(written > 0 && random.once_in(2)));
            for _ in 0..=random.below(2) {
                let value = bump(&mut tx, &tenant, &subject).await?;
                self.outbox
                    .append(&mut tx, &tenant, event(&subject, value, String::new()))
                    .await?;
                written += 1;
            }
            if random.once_in(4) {
                tokio::task::yield_now().await;
            }
        }
        if random.once_in(8) {
            tx.rollback().await;
            return Ok(0);
        }
        tx.commit().await?;
        Ok(written)
    }
}

/// The lock on the row is held from here to the end of the transaction.
async fn bump(tx: &mut huiyin_chassis::Transaction, tenant: &Tenant, subject: &str) -> Result<i32, Refusal> {
    Ok(sqlx::query_scalar(
        "INSERT INTO counter (tenant_id, subject, value) VALUES ($1, $2, 1)
         ON CONFLICT (tenant_id, subject) DO UPDATE SET value = counter.value + 1
         RETURNING value",
    )
    .bind(tenant.key())
    .bind(subject)
    .fetch_one(&mut **tx)
    .await?)
}

fn event(subject: &str, value: i32, text: String) -> NewEvent {
    let payload = WorkOrderProgressed {
        note: value,
        customer_text: text,
        ..WorkOrderProgressed::default()
    };
    NewEvent {
        subject: subject.to_owned(),
        actor: "system".to_owned(),
        payload: Payload::WorkOrderProgressed(payload),
    }
}
