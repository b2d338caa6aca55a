//! Erasing a customer from a service: the room's own tables, the answers that it keeps, its log, and what it has set aside. In steps
//! that can be repeated, each in a transaction of its own: whoever asks goes on asking until all is done.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use huiyin_chassis::{Clock, Database, Refusal, Tenant, Transaction, sql};
use huiyin_proto::event::v1::Event;
use jiff::Timestamp;
use prost::Message as _;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Consume, outbox, redis_fan_out::Eraser as RedisEraser, strip};

/// One call works about so long.
const BUDGET: Duration = Duration::from_secs(3);
/// So many events are looked at in one transaction.
pub(crate) const CHUNK: i64 = 2000;

/// Whose data is meant: one part of an erasure, or of an export.
#[derive(Debug, Clone)]
pub struct Whose {
    /// The tenant.
    pub tenant: Tenant,
    /// Every name that the customer has gone by.
    pub customers: Vec<String>,
    /// The names of the customer's feedbacks.
    pub feedbacks: Vec<String>,
}

/// What a room did to its own tables.
#[derive(Debug, Default)]
pub struct Erased {
    /// Rows that were changed, by kind.
    pub counts: BTreeMap<String, i64>,
    /// Names of what hangs on the feedbacks here, such as work orders: answers that name them are emptied too.
    pub names: Vec<String>,
}

impl Erased {
    /// Adds a number of rows of a kind.
    pub fn count(&mut self, kind: &str, rows: u64) {
        *self.counts.entry(kind.to_owned()).or_default() += i64::try_from(rows).unwrap_or(i64::MAX);
    }
}

/// How far a part has come.
#[derive(Debug, Clone)]
pub struct Standing {
    /// When it was done; none while something is left.
    pub complete_time: Option<Timestamp>,
    /// What was changed so far, by kind.
    pub counts: BTreeMap<String, i64>,
}

/// Erases from one service.
#[derive(Debug, Clone)]
pub struct Eraser {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) redis: Option<RedisEraser>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Progress {
    phase: i16,
    pub(crate) names: Vec<String>,
    pub(crate) answer: Vec<String>,
    changed_partitions: Vec<i16>,
    changed_positions: Vec<i64>,
    partition: i16,
    position: i64,
    counts: sqlx::types::Json<BTreeMap<String, i64>>,
    complete_time: Option<jiff_sqlx::Timestamp>,
}

/// A row of the outbox, by its id, or of the log, by its position.
#[derive(sqlx::FromRow)]
struct Logged {
    partition: i16,
    place: i64,
    /// None where it is another tenant's.
    event: Option<Vec<u8>>,
}

impl Eraser {
    /// Works on a part of an erasure for a few seconds and says how far it has come; `room` blanks its own tables, in one
    /// transaction. Calling it again after the end changes nothing.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone, and what `room` answers.
    pub async fn erase(
        &self,
        whose: &Whose,
        erasure: Uuid,
        part: i32,
        room: &impl Consume,
    ) -> Result<Standing, Refusal> {
        self.begin(whose, erasure, part).await?;
        let until = Instant::now() + BUDGET;
        loop {
            let mut tx = self.database.tenant(&whose.tenant).await?;
            let progress = lock(&mut tx, &whose.tenant, erasure, part).await?;
            match progress.phase {
                0 => self.blank_room(&mut tx, whose, erasure, part, room).await?,
                4 => self.blank_answers(&mut tx, whose, (erasure, part), &progress).await?,
                1 | 2 => self.blank_log(&mut tx, whose, (erasure, part), &progress).await?,
                _ => {
                    tx.commit().await?;
                    return Ok(Standing {
                        complete_time: progress.complete_time.map(jiff_sqlx::Timestamp::to_jiff),
                        counts: progress.counts.0,
                    });
                }
            }
            tx.commit().await?;
            if Instant::now() >= until {
                return Ok(Standing {
                    complete_time: None,
                    counts: BTreeMap::new(),
                });
            }
        }
    }

    /// Blanks the tables of a room alone, for words that are over their time. Again changes nothing.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone, and what `room` answers.
    pub(crate) async fn blank_tables(&self, whose: &Whose, room: &impl Consume) -> Result<Standing, Refusal> {
        let mut tx = self.database.tenant(&whose.tenant).await?;
        let erased = room.erase(&mut tx, whose).await?;
        tx.commit().await?;
        Ok(Standing {
            complete_time: Some(self.clock.now()),
            counts: erased.counts,
        })
    }

    /// From here on nothing that arrives about the customer has an effect with any text in it.
    async fn begin(&self, whose: &Whose, erasure: Uuid, part: i32) -> Result<(), Refusal> {
        let mut tx = self.database.tenant(&whose.tenant).await?;
        let begun: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM events.erasure WHERE tenant_id = $1 AND erasure = $2 AND part = $3)",
        )
        .bind(whose.tenant.key())
        .bind(erasure)
        .bind(part)
        .fetch_one(&mut *tx)
        .await?;
        if begun {
            return tx.commit().await;
        }
        // See `events.erased_among`.
        tx.hold("events.erased").await?;
        sqlx::query(
            "INSERT INTO events.erased (tenant_id, name) SELECT $1, name FROM unnest($2::text[]) AS new (name) ON CONFLICT DO NOTHING",
        )
        .bind(whose.tenant.key())
        .bind(whose.names().collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO events.erasure (tenant_id, erasure, part, phase) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING")
            .bind(whose.tenant.key())
            .bind(erasure)
            .bind(part)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    async fn blank_room(
        &self,
        tx: &mut Transaction,
        whose: &Whose,
        erasure: Uuid,
        part: i32,
        room: &impl Consume,
    ) -> Result<(), Refusal> {
        let mut erased = room.erase(tx, whose).await?;
        self.blank_set_aside(tx, whose, &mut erased).await?;
        sqlx::query(
            "UPDATE events.erasure SET phase = 4, counts = $4, names = $5 WHERE tenant_id = $1 AND erasure = $2 AND part = $3",
        )
        .bind(whose.tenant.key())
        .bind(erasure)
        .bind(part)
        .bind(sqlx::types::Json(&erased.counts))
        .bind(&erased.names)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Events that wait for a person to look at them.
    async fn blank_set_aside(&self, tx: &mut Transaction, whose: &Whose, erased: &mut Erased) -> Result<(), Refusal> {
        tx.leave().await?;
        let letters: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT id, event FROM events.dead_letter WHERE tenant_id = $1 FOR UPDATE")
                .bind(whose.tenant.key())
                .fetch_all(&mut **tx)
                .await?;
        let names: HashSet<&str> = whose.names().collect();
        for (id, bytes) in letters {
            if let Some(stripped) = stripped(&bytes, &names)? {
                sqlx::query("UPDATE events.dead_letter SET event = $2, error = '' WHERE id = $1")
                    .bind(id)
                    .bind(stripped)
                    .execute(&mut **tx)
                    .await?;
                erased.count("set_aside_event", 1);
            }
        }
        tx.enter(&whose.tenant).await
    }

    /// One chunk: first of the outbox, since what waits there may move into the log meanwhile, then of each partition in order. Rows
    /// are changed where they stand: positions stay dense.
    async fn blank_log(
        &self,
        tx: &mut Transaction,
        whose: &Whose,
        (erasure, part): (Uuid, i32),
        progress: &Progress,
    ) -> Result<(), Refusal> {
        tx.leave().await?;
        let positioned = progress.phase == 2;
        // What moves into the log after it was read here is met again there.
        let (read, update) = if positioned {
            (
                "SELECT partition, position AS place, CASE WHEN tenant_id = $4 THEN event END AS event FROM events.entry
                 WHERE partition = $1 AND position > $2
                 ORDER BY position LIMIT $3",
                "UPDATE events.entry SET event = $3 WHERE partition = $1 AND position = $2",
            )
        } else {
            (
                "SELECT partition, id AS place, CASE WHEN tenant_id = $4 THEN event END AS event FROM events.outbox
                 WHERE $1 = 0::smallint AND id > $2
                 ORDER BY id LIMIT $3",
                "UPDATE events.outbox SET event = $3 WHERE partition = $1 AND id = $2",
            )
        };
        let rows: Vec<Logged> = sqlx::query_as(read)
            .bind(progress.partition)
            .bind(progress.position)
            .bind(CHUNK)
            .bind(whose.tenant.key())
            .fetch_all(&mut **tx)
            .await?;
        let names: HashSet<&str> = whose.names().collect();
        let (mut published, mut changed) = (Vec::new(), 0);
        for row in &rows {
            let Some(event) = &row.event else { continue };
            let Some(stripped) = stripped(event, &names)? else {
                continue;
            };
            sqlx::query(update)
                .bind(row.partition)
                .bind(row.place)
                .bind(stripped)
                .execute(&mut **tx)
                .await?;
            changed += 1;
            published.extend(positioned.then_some((row.partition, row.place)));
        }
        tx.enter(&whose.tenant).await?;
        let last = rows.last().map(|row| row.place);
        let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= CHUNK);
        let (phase, partition, position) = match last {
            Some(last) if full => (progress.phase, progress.partition, last),
            _ if !positioned => (2, 0, 0),
            _ if progress.partition + 1 < outbox::PARTITIONS => (2, progress.partition + 1, 0),
            _ => (3, 0, 0),
        };
        let complete = (phase == 3).then(|| self.clock.now());
        let (partitions, positions): (Vec<i16>, Vec<i64>) = published.iter().copied().unzip();
        // Before the commit: where Redis cannot be asked, this chunk is done again. Readers find a hole, and read the log.
        if let Some(redis) = &self.redis {
            if phase == 3 {
                // Once more, all of them: the relay may have added one as it had read it before.
                let before = progress.changed_partitions.iter().zip(&progress.changed_positions);
                published.extend(before.map(|(partition, position)| (*partition, *position)));
            }
            redis.remove(&published).await?;
        }
        sqlx::query(
            "UPDATE events.erasure
             SET phase = $4, partition = $5, position = $6, complete_time = $7,
                 changed_partitions = changed_partitions || $9::smallint[], changed_positions = changed_positions || $10::bigint[],
                 counts = counts || jsonb_build_object('event', COALESCE((counts ->> 'event')::bigint, 0) + $8)
             WHERE tenant_id = $1 AND erasure = $2 AND part = $3",
        )
        .bind(whose.tenant.key())
        .bind(erasure)
        .bind(part)
        .bind(phase)
        .bind(partition)
        .bind(position)
        .bind(sql::time_opt(complete))
        .bind(changed)
        .bind(&partitions)
        .bind(&positions)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

impl Whose {
    /// Every name: of the customer and of the feedbacks.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.customers.iter().chain(&self.feedbacks).map(String::as_str)
    }
}

async fn lock(tx: &mut Transaction, tenant: &Tenant, erasure: Uuid, part: i32) -> Result<Progress, Refusal> {
    Ok(sqlx::query_as(
        "SELECT phase, names, answer, changed_partitions, changed_positions, partition, position, counts, complete_time FROM events.erasure
         WHERE tenant_id = $1 AND erasure = $2 AND part = $3 FOR UPDATE",
    )
    .bind(tenant.key())
    .bind(erasure)
    .bind(part)
    .fetch_one(&mut **tx)
    .await?)
}

/// The event without what names or quotes the customer; none where it is not about this one.
fn stripped(bytes: &[u8], names: &HashSet<&str>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut event = outbox::decode(bytes)?;
    Ok(strip::event(&mut event, |name| names.contains(name)).then(|| event.encode_to_vec()))
}

/// Those of the events' customers and feedbacks that are erased, by tenant.
pub(crate) async fn erased_among(
    tx: &mut Transaction,
    events: &[&Event],
) -> Result<HashSet<(String, String)>, Refusal> {
    let (mut tenants, mut names) = (Vec::new(), Vec::new());
    for event in events {
        for name in strip::about(event) {
            // A name with this character is none, and the database would refuse the question.
            if !name.contains('\0') && !event.tenant.contains('\0') {
                tenants.push(event.tenant.as_str());
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<(String, String)> = sqlx::query_as("SELECT tenant_id, name FROM events.erased_among($1, $2)")
        .bind(&tenants)
        .bind(&names)
        .fetch_all(&mut **tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// The event as its effect may see it.
pub(crate) fn unless_erased<'e>(event: &'e Event, erased: &HashSet<(String, String)>) -> Cow<'e, Event> {
    if erased.is_empty() {
        return Cow::Borrowed(event);
    }
    let mut stripped = event.clone();
    let tenant = event.tenant.clone();
    strip::event(&mut stripped, |name| {
        erased.contains(&(tenant.clone(), name.to_owned()))
    });
    Cow::Owned(stripped)
}
