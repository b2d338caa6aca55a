//! All SQL of examples.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    convert::{side, side_number, source, source_number},
    domain::{Example, Labelled, MOST_BYTES, MOST_EXAMPLES, Task, bucket},
};
use crate::reading::fold;

#[derive(sqlx::FromRow)]
struct Row {
    example_id: String,
    text: String,
    label: String,
    side: i32,
    source: i32,
    feedback: String,
    author: String,
    create_time: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Example {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let broken = || Refusal::fault(anyhow::anyhow!("example {} holds no value of an enum", row.example_id));
        Ok(Self {
            side: side(row.side).ok_or_else(broken)?,
            source: source(row.source).ok_or_else(broken)?,
            id: row.example_id,
            text: row.text,
            label: row.label,
            feedback: row.feedback,
            author: row.author,
            create_time: row.create_time.to_jiff(),
        })
    }
}

/// Keeps examples, each id once among them, in place of those of the same ids; how many are new or changed. What came from a
/// feedback stays tied to it whoever imports it again: erasure looks there.
pub(super) async fn put(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    examples: &[Example],
) -> Result<u64, Refusal> {
    let column = |of: fn(&Example) -> &str| examples.iter().map(of).collect::<Vec<&str>>();
    let buckets: Vec<i32> = examples
        .iter()
        .map(|example| bucket(task, &fold::fold_term(&example.text)))
        .collect();
    let sides: Vec<i32> = examples.iter().map(|example| side_number(example.side)).collect();
    let sources: Vec<i32> = examples.iter().map(|example| source_number(example.source)).collect();
    let times: Vec<jiff_sqlx::Timestamp> = examples.iter().map(|example| sql::time(example.create_time)).collect();
    let stored = sqlx::query(
        "INSERT INTO example (tenant_id, task_id, example_id, text, label, side, bucket, source, feedback, author, create_time)
         SELECT $1, $2, new.* FROM unnest($3::text[], $4::text[], $5::text[], $6::integer[], $7::integer[], $8::integer[], $9::text[],
             $10::text[], $11::timestamptz[]) AS new
         ON CONFLICT (tenant_id, task_id, example_id) DO UPDATE
         SET text = EXCLUDED.text, label = EXCLUDED.label, side = EXCLUDED.side,
             source = CASE WHEN EXCLUDED.feedback <> '' OR example.feedback = '' THEN EXCLUDED.source ELSE example.source END,
             feedback = CASE WHEN EXCLUDED.feedback <> '' THEN EXCLUDED.feedback ELSE example.feedback END, author = EXCLUDED.author, create_time = EXCLUDED.create_time
         WHERE (example.text, example.label, example.side) IS DISTINCT FROM (EXCLUDED.text, EXCLUDED.label, EXCLUDED.side)",
    )
    .bind(tenant.key())
    .bind(task)
    .bind(column(|example| &example.id))
    .bind(column(|example| &example.text))
    .bind(column(|example| &example.label))
    .bind(sides)
    .bind(buckets)
    .bind(sources)
    .bind(column(|example| &example.feedback))
    .bind(column(|example| &example.author))
    .bind(times)
    .execute(&mut **tx)
    .await?;
    Ok(stored.rows_affected())
}

/// The examples of a page and one more.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &str,
    page: &PageRequest,
) -> Result<Vec<Example>, Refusal> {
    let mut query = QueryBuilder::new(
        "SELECT example_id, text, label, side, source, feedback, author, create_time FROM example WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query.push(" AND task_id = ").push_bind(task.to_owned());
    page.push(&mut query, "example_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Example::try_from).collect()
}

/// Deletes examples; how many there were.
pub(super) async fn delete(tx: &mut Transaction, tenant: &Tenant, task: &str, ids: &[String]) -> Result<u64, Refusal> {
    let deleted = sqlx::query("DELETE FROM example WHERE tenant_id = $1 AND task_id = $2 AND example_id = ANY($3)")
        .bind(tenant.key())
        .bind(task)
        .bind(ids)
        .execute(&mut **tx)
        .await?;
    Ok(deleted.rows_affected())
}

/// What a task is trained on (or, where `held_out`, judged on), in the order of the ids: the same examples give the same model.
pub(super) async fn labelled(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &Task,
    held_out: bool,
) -> Result<Vec<Labelled>, Refusal> {
    of_side(tx, tenant, task, task.first_training_bucket(), held_out).await
}

/// What none has learnt whose training began at this bucket or behind it, in the order of the ids.
pub(super) async fn held_out_below(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &Task,
    first_training_bucket: i32,
) -> Result<Vec<Labelled>, Refusal> {
    of_side(tx, tenant, task, first_training_bucket, true).await
}

/// How many examples a task has, and how many bytes of text.
pub(super) async fn size(tx: &mut Transaction, tenant: &Tenant, task: &str) -> Result<(i64, i64), Refusal> {
    let size = sqlx::query_as(
        "SELECT count(*), coalesce(sum(octet_length(text)), 0)::bigint FROM example WHERE tenant_id = $1 AND task_id = $2",
    )
    .bind(tenant.key())
    .bind(task)
    .fetch_one(&mut **tx)
    .await?;
    Ok(size)
}

async fn of_side(
    tx: &mut Transaction,
    tenant: &Tenant,
    task: &Task,
    first_training_bucket: i32,
    held_out: bool,
) -> Result<Vec<Labelled>, Refusal> {
    // Imports end where a task is full, and what people correct goes on: then the newest count.
    let labelled = sqlx::query_as(
        "SELECT text, label
         FROM (
             SELECT *, row_number() OVER newest AS place, sum(octet_length(text)) OVER newest AS bytes
             FROM example
             WHERE tenant_id = $1 AND task_id = $2
             WINDOW newest AS (ORDER BY create_time DESC, example_id DESC ROWS UNBOUNDED PRECEDING)
         ) AS kept
         WHERE place <= $5 AND bytes <= $6 AND (side = 2 OR (side = 0 AND bucket < $3)) = $4
         ORDER BY example_id COLLATE \"C\"",
    )
    .bind(tenant.key())
    .bind(&task.id)
    .bind(first_training_bucket)
    .bind(held_out)
    .bind(MOST_EXAMPLES)
    .bind(MOST_BYTES)
    .fetch_all(&mut **tx)
    .await?;
    Ok(labelled)
}

/// The text that was read of a feedback; none where it is not kept.
pub(super) async fn statement(
    tx: &mut Transaction,
    tenant: &Tenant,
    classification: Uuid,
) -> Result<Option<String>, Refusal> {
    let text = sqlx::query_scalar("SELECT text FROM statement WHERE tenant_id = $1 AND classification_id = $2")
        .bind(tenant.key())
        .bind(classification)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(text)
}
