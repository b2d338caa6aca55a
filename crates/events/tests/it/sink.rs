//! A room that writes down what arrives, and fails where the test says so.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use huiyin_chassis::{Context, Migrations, Refusal, Running, Service, Transaction};
use huiyin_events::{Consume, Erased, Event, Events, Payload, Whose};

use crate::source::Config;

/// What becomes of an effect, after it has written its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Refused,
    ConstraintViolated,
    Panicked,
    Unavailable,
}

/// Of which event, by its subject and value.
type Fates = dyn Fn(&str, i32) -> Fate + Send + Sync;

/// See the file. Clones share the count.
#[derive(Clone)]
pub(crate) struct Room {
    fate: Arc<Fates>,
    tried: Arc<AtomicUsize>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self::with_fate(|_, _| Fate::Done)
    }

    /// `fate` gets the subject and the value.
    pub(crate) fn with_fate(fate: impl Fn(&str, i32) -> Fate + Send + Sync + 'static) -> Self {
        Self {
            fate: Arc::new(fate),
            tried: Arc::default(),
        }
    }

    /// How many effects this replica has tried.
    pub(crate) fn tried(&self) -> usize {
        self.tried.load(Ordering::Relaxed)
    }
}

impl Consume for Room {
    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let Some(Payload::WorkOrderProgressed(progressed)) = &event.payload else {
            return Ok(());
        };
        self.tried.fetch_add(1, Ordering::Relaxed);
        sqlx::query("INSERT INTO arrived (tenant_id, subject, value) VALUES ($1, $2, $3)")
            .bind(&event.tenant)
            .bind(&event.subject)
            .bind(progressed.note)
            .execute(&mut **tx)
            .await?;
        match (self.fate)(&event.subject, progressed.note) {
            Fate::Done => Ok(()),
            Fate::Refused => Err(Refusal::invalid_field("note", "is not to the sink's taste\0")),
            Fate::ConstraintViolated => {
                sqlx::query("INSERT INTO arrived (tenant_id) VALUES ($1)")
                    .bind(&event.tenant)
                    .execute(&mut **tx)
                    .await?;
                Ok(())
            }
            Fate::Panicked => panic!("the sink cannot take {}", event.subject),
            Fate::Unavailable => Err(Refusal::unavailable("the test says so")),
        }
    }

    /// Counts the rows that hold the name of a feedback of the customer's.
    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        let mut erased = Erased::default();
        let arrived = sqlx::query("DELETE FROM arrived WHERE tenant_id = $1 AND subject = ANY ($2)")
            .bind(whose.tenant.key())
            .bind(&whose.feedbacks)
            .execute(&mut **tx)
            .await?;
        erased.count("arrived", arrived.rows_affected());
        Ok(erased)
    }

    async fn export(&self, tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
        let lines = sqlx::query_scalar("SELECT to_jsonb(a)::text FROM arrived AS a WHERE tenant_id = $1")
            .bind(whose.tenant.key())
            .fetch_all(&mut **tx)
            .await?;
        Ok(lines)
    }
}

pub(crate) async fn start(config: Config, context: Context, room: Room) -> anyhow::Result<Running> {
    let own = Migrations {
        schema: "public",
        migrator: sqlx::migrate!("tests/it/migrations_sink"),
    };
    let mut service =
        Service::prepare("sink", &config.service, context, vec![huiyin_events::migrations(), own]).await?;
    let events = Events::open(&mut service, &config.events).await?;
    events.run(&mut service, &["source"], Arc::new(room))?;
    service.run().await
}
