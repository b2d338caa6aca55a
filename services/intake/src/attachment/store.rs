//! The tables of uploaded files.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageRequest},
    sql,
};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::attachment::domain::{Attachment, ScanState, Sha256};

/// What a list can be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("media_type", Kind::Text),
    Field::of("author", Kind::Text),
    CREATE_TIME,
];
/// What a list can be ordered by.
pub(crate) const ORDER: &[Field] = &[CREATE_TIME];
const CREATE_TIME: Field = Field::of("create_time", Kind::Time);

/// Bytes that are held.
#[derive(sqlx::FromRow)]
pub(crate) struct Held {
    /// Where they lie.
    pub(crate) object: String,
    /// The number of what the scanner says.
    pub(crate) scan_state: i32,
    /// What it found.
    pub(crate) signature: String,
}

/// Holds bytes once more: those that are there already, or else the new object. What has never been scanned waits for the
/// scanner where there is one now.
pub(crate) async fn hold(
    tx: &mut Transaction,
    tenant: &Tenant,
    new: &Attachment,
    object: &str,
) -> Result<Held, Refusal> {
    let held = sqlx::query_as(
        "INSERT INTO attachment_content AS held
             (tenant_id, sha256, size_bytes, object, scan_state, signature, reference_count, hold_time)
         VALUES ($1, $2, $3, $4, $5, '', 1, $6)
         ON CONFLICT (tenant_id, sha256) DO UPDATE
         SET reference_count = held.reference_count + 1,
             scan_state = CASE WHEN held.scan_state = $7 THEN EXCLUDED.scan_state ELSE held.scan_state END
         RETURNING object, scan_state, signature",
    )
    .bind(tenant.key())
    .bind(new.sha256.as_slice())
    .bind(i64::try_from(new.size).map_err(Refusal::fault)?)
    .bind(object)
    .bind(new.scan_state as i32)
    .bind(sql::time(new.create_time))
    .bind(ScanState::Unscanned as i32)
    .fetch_one(&mut **tx)
    .await?;
    Ok(held)
}

/// Adds an entry for bytes that are held.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, new: &Attachment) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO attachment (tenant_id, id, sha256, file_name, media_type, note, feedback_id, author, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.key())
    .bind(new.id)
    .bind(new.sha256.as_slice())
    .bind(&new.file_name)
    .bind(&new.media_type)
    .bind(&new.note)
    .bind(new.feedback)
    .bind(&new.author)
    .bind(sql::time(new.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many bytes the tenant has uploaded on a day.
pub(crate) async fn uploaded(tx: &mut Transaction, tenant: &Tenant, day: i32) -> Result<u64, Refusal> {
    let bytes: Option<i64> =
        sqlx::query_scalar("SELECT size_bytes FROM attachment_day WHERE tenant_id = $1 AND day = $2")
            .bind(tenant.key())
            .bind(day)
            .fetch_optional(&mut **tx)
            .await?;
    u64::try_from(bytes.unwrap_or(0)).map_err(Refusal::fault)
}

/// Counts bytes to a day, and returns how many there are now.
pub(crate) async fn count(tx: &mut Transaction, tenant: &Tenant, day: i32, bytes: u64) -> Result<u64, Refusal> {
    let bytes: i64 = sqlx::query_scalar(
        "INSERT INTO attachment_day AS counted (tenant_id, day, size_bytes) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, day) DO UPDATE SET size_bytes = counted.size_bytes + EXCLUDED.size_bytes
         RETURNING size_bytes",
    )
    .bind(tenant.key())
    .bind(day)
    .bind(i64::try_from(bytes).map_err(Refusal::fault)?)
    .fetch_one(&mut **tx)
    .await?;
    u64::try_from(bytes).map_err(Refusal::fault)
}

/// Forgets the counts of days before this one.
pub(crate) async fn forget_days(tx: &mut Transaction, tenant: &Tenant, before: i32) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM attachment_day WHERE tenant_id = $1 AND day < $2")
        .bind(tenant.key())
        .bind(before)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The columns that make an attachment; no two of the tables' columns have the same name but for the key.
const SHOWN: &str = "SELECT id, sha256, size_bytes, file_name, media_type, note, feedback_id, scan_state, signature, author, create_time
     FROM attachment JOIN attachment_content USING (tenant_id, sha256)
     WHERE tenant_id = ";

/// The files with these ids that are there, in no order.
pub(crate) async fn by_ids(tx: &mut Transaction, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<Attachment>, Refusal> {
    let mut query = QueryBuilder::new(SHOWN);
    query.push_bind(tenant.key());
    query.push(" AND id = ANY(").push_bind(ids).push(")");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::attachment).collect()
}

/// The rows of one page of the files of a feedback, and one more where there is another page.
pub(crate) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedback: Uuid,
    page: &PageRequest,
) -> Result<Vec<Attachment>, Refusal> {
    let mut query = QueryBuilder::new(SHOWN);
    query.push_bind(tenant.key());
    query.push(" AND feedback_id = ").push_bind(feedback);
    page.push(&mut query, "id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::attachment).collect()
}

/// The object with the bytes of a file, where it is there.
pub(crate) async fn object(tx: &mut Transaction, tenant: &Tenant, sha256: &Sha256) -> Result<Option<Held>, Refusal> {
    let held = sqlx::query_as(
        "SELECT object, scan_state, signature FROM attachment_content WHERE tenant_id = $1 AND sha256 = $2",
    )
    .bind(tenant.key())
    .bind(sha256.as_slice())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(held)
}

/// Which of these objects are held, e.g. before those that are not are removed.
pub(crate) async fn held(tx: &mut Transaction, tenant: &Tenant, objects: &[String]) -> Result<Vec<String>, Refusal> {
    let held = sqlx::query_scalar("SELECT object FROM attachment_content WHERE tenant_id = $1 AND object = ANY($2)")
        .bind(tenant.key())
        .bind(objects)
        .fetch_all(&mut **tx)
        .await?;
    Ok(held)
}

/// The objects that timers of a kind are to remove.
pub(crate) async fn due_removals(tx: &mut Transaction, tenant: &Tenant, kind: &str) -> Result<Vec<String>, Refusal> {
    Ok(
        sqlx::query_scalar("SELECT key FROM chassis.timer WHERE tenant_id = $1 AND kind = $2 ORDER BY key")
            .bind(tenant.key())
            .bind(kind)
            .fetch_all(&mut **tx)
            .await?,
    )
}

/// Keeps what the scanner said of bytes that waited for it.
pub(crate) async fn scanned(
    tx: &mut Transaction,
    tenant: &Tenant,
    sha256: &Sha256,
    state: ScanState,
    signature: &str,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE attachment_content SET scan_state = $3, signature = $4
         WHERE tenant_id = $1 AND sha256 = $2 AND scan_state = $5",
    )
    .bind(tenant.key())
    .bind(sha256.as_slice())
    .bind(state as i32)
    .bind(signature)
    .bind(ScanState::Pending as i32)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives files to feedbacks, each file (on the left) to one; returns those that could not be given, because they are not there
/// or belong to another.
pub(crate) async fn link(tx: &mut Transaction, tenant: &Tenant, pairs: &[(Uuid, Uuid)]) -> Result<Vec<Uuid>, Refusal> {
    let (files, feedbacks): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().copied().unzip();
    let given: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "UPDATE attachment AS a SET feedback_id = new.feedback
         FROM unnest($2::uuid[], $3::uuid[]) AS new (id, feedback)
         WHERE a.tenant_id = $1 AND a.id = new.id AND a.feedback_id IS NULL
         RETURNING a.id, a.feedback_id",
    )
    .bind(tenant.key())
    .bind(files)
    .bind(feedbacks)
    .fetch_all(&mut **tx)
    .await?;
    Ok(pairs
        .iter()
        .filter(|pair| !given.contains(pair))
        .map(|(file, _)| *file)
        .collect())
}

/// The files of these feedbacks.
pub(crate) async fn of_feedbacks(
    tx: &mut Transaction,
    tenant: &Tenant,
    feedbacks: &[Uuid],
) -> Result<Vec<Uuid>, Refusal> {
    let ids = sqlx::query_scalar("SELECT id FROM attachment WHERE tenant_id = $1 AND feedback_id = ANY($2)")
        .bind(tenant.key())
        .bind(feedbacks)
        .fetch_all(&mut **tx)
        .await?;
    Ok(ids)
}

/// Removes files; returns how many there were, and the objects that nothing holds any more.
pub(crate) async fn remove(
    tx: &mut Transaction,
    tenant: &Tenant,
    ids: &[Uuid],
    unlinked_alone: bool,
) -> Result<(usize, Vec<String>), Refusal> {
    let mut removed: Vec<Vec<u8>> = sqlx::query_scalar(
        "DELETE FROM attachment WHERE tenant_id = $1 AND id = ANY($2) AND (feedback_id IS NULL OR NOT $3)
         RETURNING sha256",
    )
    .bind(tenant.key())
    .bind(ids)
    .bind(unlinked_alone)
    .fetch_all(&mut **tx)
    .await?;
    let count = removed.len();
    // Always in the same order, so that two removals wait for each other rather than lock each other out.
    removed.sort();
    let mut objects = Vec::new();
    for same in removed.chunk_by(|left, right| left == right) {
        let left: i64 = sqlx::query_scalar(
            "UPDATE attachment_content SET reference_count = reference_count - $3
             WHERE tenant_id = $1 AND sha256 = $2 RETURNING reference_count",
        )
        .bind(tenant.key())
        .bind(&same[0])
        .bind(i64::try_from(same.len()).map_err(Refusal::fault)?)
        .fetch_one(&mut **tx)
        .await?;
        if left == 0 {
            let object: Vec<String> = sqlx::query_scalar(
                "DELETE FROM attachment_content WHERE tenant_id = $1 AND sha256 = $2 RETURNING object",
            )
            .bind(tenant.key())
            .bind(&same[0])
            .fetch_all(&mut **tx)
            .await?;
            objects.extend(object);
        }
    }
    Ok((count, objects))
}

/// True where there is such a feedback.
pub(crate) async fn has_feedback(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<bool, Refusal> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT FROM feedback WHERE tenant_id = $1 AND id = $2)")
        .bind(tenant.key())
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    sha256: Vec<u8>,
    size_bytes: i64,
    file_name: String,
    media_type: String,
    note: String,
    feedback_id: Option<Uuid>,
    scan_state: i32,
    signature: String,
    author: String,
    create_time: SqlTimestamp,
}

impl Row {
    fn attachment(self) -> Result<Attachment, Refusal> {
        let broken = |column: &str| Refusal::fault(anyhow::anyhow!("attachment {}: {column} is broken", self.id));
        let create_time: Timestamp = self.create_time.to_jiff();
        Ok(Attachment {
            sha256: self.sha256.as_slice().try_into().map_err(|_| broken("sha256"))?,
            size: u64::try_from(self.size_bytes).map_err(|_| broken("size_bytes"))?,
            scan_state: ScanState::of(self.scan_state).ok_or_else(|| broken("scan_state"))?,
            id: self.id,
            file_name: self.file_name,
            media_type: self.media_type,
            note: self.note,
            feedback: self.feedback_id,
            signature: self.signature,
            author: self.author,
            create_time,
        })
    }
}
