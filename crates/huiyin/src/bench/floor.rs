//! The floor: the same rows, written to the same Postgres without any of our code in between.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use huiyin_proto::intake::v1::CreateFeedbackRequest;
use sqlx::{AssertSqlSafe, PgPool, Row as _, postgres::PgPoolOptions};
use uuid::Uuid;

use super::{Measured, intake};
use crate::link::Link;

/// The tables that one feedback is written to.
const TABLES: [(&str, &str); 3] = [
    ("public.feedback", "bench_feedback"),
    ("events.entry", "bench_entry"),
    ("chassis.answered_request", "bench_answered_request"),
];

/// Copies of the real tables, and one real row of each to write again and again.
pub(super) struct Floor {
    pool: PgPool,
    rows: Vec<Template>,
}

/// A row as text, column by column.
struct Template {
    table: &'static str,
    columns: Vec<(String, String)>,
    values: Vec<Option<String>>,
    /// Writes one.
    insert: Arc<str>,
}

impl Floor {
    /// Has intake write one feedback, and keeps its rows as templates.
    pub(super) async fn prepare(link: &Link, database_url: &str) -> anyhow::Result<Self> {
        let request = CreateFeedbackRequest {
            parent: link.parent.clone(),
            feedback: Some(intake::feedback(0)),
            request_id: huiyin_chassis::Clock::system().id().to_string(),
        };
        link.intake().create_feedback(request).await?;
        // More connections than callers gain nothing on two cores; fewer would make callers wait for each other.
        let pool = PgPoolOptions::new().max_connections(64).connect(database_url).await?;
        let mut rows = Vec::new();
        for (real, copy) in TABLES {
            sqlx::query(AssertSqlSafe(format!("DROP TABLE IF EXISTS {copy}")))
                .execute(&pool)
                .await?;
            // Keys and indexes as on the real one: they are part of the work. Nothing cleans it up beside the next measurement.
            sqlx::query(AssertSqlSafe(format!(
                "CREATE TABLE {copy} (LIKE {real} INCLUDING DEFAULTS INCLUDING INDEXES) WITH (autovacuum_enabled = off)"
            )))
            .execute(&pool)
            .await?;
            let (schema, name) = real.split_once('.').unwrap_or(("public", real));
            let columns: Vec<(String, String)> = sqlx::query_as(
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
                 WHERE attrelid = format('%I.%I', $1::text, $2::text)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            )
            .bind(schema)
            .bind(name)
            .fetch_all(&pool)
            .await?;
            let texts: Vec<String> = columns
                .iter()
                .map(|(column, _)| format!("\"{column}\"::text"))
                .collect();
            let statement = format!("SELECT {} FROM {real} LIMIT 1", texts.join(", "));
            // The event is in the log a moment after the answer.
            let row = loop {
                let row = sqlx::query(AssertSqlSafe(statement.clone()))
                    .fetch_optional(&pool)
                    .await?;
                match row {
                    Some(row) => break row,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            let values = (0..columns.len())
                .map(|place| row.try_get(place))
                .collect::<Result<_, _>>()?;
            rows.push(Template::new(copy, columns, values));
        }
        Ok(Self { pool, rows })
    }

    /// One feedback: BEGIN, an insert per table, COMMIT. Returns its id.
    pub(super) async fn write(&self) -> sqlx::Result<Uuid> {
        let id = huiyin_chassis::Clock::system().id();
        let mut tx = self.pool.begin().await?;
        for template in &self.rows {
            let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&template.insert)));
            for value in template.fresh(id) {
                query = query.bind(value);
            }
            query.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// That, from `concurrency` callers at once, without a service.
    pub(super) async fn one_by_one(&self, concurrency: usize, seconds: f64) -> anyhow::Result<Measured> {
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        let began = Instant::now();
        let callers = (0..concurrency).map(|_| async {
            let mut times = Histogram::<u64>::new(3)?;
            loop {
                let asked = Instant::now();
                if asked >= until {
                    return anyhow::Ok(times);
                }
                self.write().await?;
                times.record(u64::try_from(asked.elapsed().as_micros())?)?;
            }
        });
        let mut times = Histogram::<u64>::new(3)?;
        for caller in futures::future::try_join_all(callers).await? {
            times.add(caller)?;
        }
        Ok(intake::measured(
            format!("Postgres alone: a transaction each, {concurrency} callers"),
            &times,
            began.elapsed(),
        ))
    }

    /// Waits until intake has nothing left to do in the background, so that no floor is measured beside it; says how fast that went.
    pub(super) async fn rest(&self) -> anyhow::Result<Measured> {
        let uncompared = async || -> anyhow::Result<i64> {
            let statement =
                "SELECT (SELECT count(*) FROM feedback) - (SELECT count(*) FROM feedback_print WHERE compared)";
            Ok(sqlx::query_scalar(statement).fetch_one(&self.pool).await?)
        };
        let (count, began) = (uncompared().await?, Instant::now());
        while uncompared().await? > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Measured {
            what: format!("near-duplicates sought afterwards for {count} of them"),
            per_second: count as f64 / began.elapsed().as_secs_f64(),
            p50_ms: 0.0,
            p99_ms: 0.0,
            ratio: 0.0,
        })
    }

    /// The same rows by UNNEST, 1,000 a transaction, on one connection.
    pub(super) async fn unnest(&self, rows: u32) -> anyhow::Result<Measured> {
        let mut connection = self.pool.acquire().await?;
        let (clock, mut spent) = (huiyin_chassis::Clock::system(), Duration::ZERO);
        for _ in 0..rows / 1000 {
            // Making the values is not part of the insert.
            let batches: Vec<Vec<Vec<Option<String>>>> = self
                .rows
                .iter()
                .map(|template| (0..1000).map(|_| template.fresh(clock.id())).collect())
                .collect();
            let began = Instant::now();
            let mut tx = sqlx::Connection::begin(&mut *connection).await?;
            for (template, batch) in self.rows.iter().zip(&batches) {
                let mut query = sqlx::query(AssertSqlSafe(template.unnest()));
                for place in 0..template.columns.len() {
                    let column: Vec<Option<String>> = batch.iter().map(|row| row[place].clone()).collect();
                    query = query.bind(column);
                }
                query.execute(&mut *tx).await?;
            }
            tx.commit().await?;
            spent += began.elapsed();
        }
        let per_second = f64::from(rows / 1000 * 1000) / spent.as_secs_f64();
        Ok(Measured {
            what: "floor: UNNEST of the same rows, 1,000 a transaction".to_owned(),
            per_second,
            p50_ms: 0.0,
            p99_ms: 0.0,
            ratio: 0.0,
        })
    }

    /// Takes the copies away.
    pub(super) async fn remove(&self) -> anyhow::Result<()> {
        for (_, copy) in TABLES {
            sqlx::query(AssertSqlSafe(format!("DROP TABLE {copy}")))
                .execute(&self.pool)
                .await?;
        }
        self.pool.close().await;
        Ok(())
    }
}

impl Template {
    fn new(table: &'static str, columns: Vec<(String, String)>, values: Vec<Option<String>>) -> Self {
        let places: Vec<String> = (1..)
            .zip(&columns)
            .map(|(place, (_, kind))| format!("${place}::text::{kind}"))
            .collect();
        let insert = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            names(&columns),
            places.join(", ")
        );
        Self {
            table,
            columns,
            values,
            insert: insert.into(),
        }
    }

    fn unnest(&self) -> String {
        let arrays: Vec<String> = (1..=self.columns.len())
            .map(|place| format!("${place}::text[]"))
            .collect();
        let aliases: Vec<String> = (1..=self.columns.len()).map(|place| format!("c{place}")).collect();
        let values: Vec<String> = aliases
            .iter()
            .zip(&self.columns)
            .map(|(alias, (_, kind))| format!("{alias}::{kind}"))
            .collect();
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS given ({})",
            self.table,
            names(&self.columns),
            values.join(", "),
            arrays.join(", "),
            aliases.join(", ")
        )
    }

    /// The row with another id.
    fn fresh(&self, id: Uuid) -> Vec<Option<String>> {
        let row = self.columns.iter().zip(&self.values);
        row.map(|((column, kind), value)| match (column.as_str(), kind.as_str()) {
            ("id", "uuid") => Some(id.to_string()),
            ("id", _) => Some((id.as_u128() & 0x7fff_ffff_ffff_ffff).to_string()),
            ("number" | "request_id", _) => Some(id.to_string()),
            _ => value.clone(),
        })
        .collect()
    }
}

fn names(columns: &[(String, String)]) -> String {
    let names: Vec<String> = columns.iter().map(|(column, _)| format!("\"{column}\"")).collect();
    names.join(", ")
}
