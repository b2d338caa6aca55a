//! All SQL of priority models.

use huiyin_chassis::{Refusal, Tenant, Transaction, listing::PageRequest, sql};
use jiff::Timestamp;
use sqlx::{QueryBuilder, types::Json};

use super::{
    convert::{used_for, used_for_number},
    domain::{Content, Head, UsedFor},
    presets::Preset,
};
use crate::domain::SYSTEM;

#[derive(sqlx::FromRow)]
struct Row {
    used_for: i32,
    version: i32,
    preset: String,
    display_name: String,
    change_reason: String,
    author: String,
    active: bool,
    revision: i32,
    create_time: jiff_sqlx::Timestamp,
    activate_time: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for Head {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        Ok(Self {
            used_for: used_for(row.used_for)
                .ok_or_else(|| Refusal::fault(anyhow::anyhow!("a priority model is used for {}", row.used_for)))?,
            version: row.version,
            preset: row.preset,
            display_name: row.display_name,
            change_reason: row.change_reason,
            author: row.author,
            active: row.active,
            revision: row.revision,
            create_time: row.create_time.to_jiff(),
            activate_time: row.activate_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// The version in effect: the built-in one where none was ever activated.
pub(super) async fn active_version(tx: &mut Transaction, tenant: &Tenant, used: UsedFor) -> Result<i32, Refusal> {
    let version: Option<i32> =
        sqlx::query_scalar("SELECT version FROM priority_model WHERE tenant_id = $1 AND used_for = $2 AND active")
            .bind(tenant.key())
            .bind(used_for_number(used))
            .fetch_optional(&mut **tx)
            .await?;
    Ok(version.unwrap_or(0))
}

/// The content of a version that the tenant made.
pub(super) async fn content(
    tx: &mut Transaction,
    tenant: &Tenant,
    used: UsedFor,
    version: i32,
) -> Result<Option<Content>, Refusal> {
    let content: Option<Json<Content>> = sqlx::query_scalar(
        "SELECT content FROM priority_model
         WHERE tenant_id = $1 AND used_for = $2 AND version = $3 AND content IS NOT NULL",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(content.map(|Json(content)| content))
}

/// What is said of a version; also of the built-in one, once the tenant has a row for it.
pub(super) async fn head(
    tx: &mut Transaction,
    tenant: &Tenant,
    used: UsedFor,
    version: i32,
) -> Result<Option<Head>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT used_for, version, preset, display_name, change_reason, author, active, revision, create_time, activate_time
         FROM priority_model WHERE tenant_id = $1 AND used_for = $2 AND version = $3",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Head::try_from).transpose()
}

/// The versions of a page and one more. The built-in ones are among them, whether or not the tenant has a row for them.
pub(super) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    builtin: &[&Preset],
    page: &PageRequest,
) -> Result<Vec<Head>, Refusal> {
    let mut query = QueryBuilder::new(
        "WITH listed AS (
             SELECT used_for, version, preset, display_name, change_reason, author, active, revision, create_time, activate_time
             FROM priority_model WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    for preset in builtin {
        let number = used_for_number(preset.used_for);
        query
            .push(" UNION ALL SELECT ")
            .push_bind(number)
            .push("::integer, 0, ");
        query
            .push_bind(preset.key)
            .push(", ")
            .push_bind(preset.display_name.clone());
        query
            .push(", ")
            .push_bind(preset.change_reason.clone())
            .push(", ")
            .push_bind(SYSTEM);
        query.push(", true, 1, ").push_bind(sql::time(preset.made));
        query.push(", NULL WHERE NOT EXISTS (SELECT FROM priority_model WHERE tenant_id = ");
        query
            .push_bind(tenant.key().to_owned())
            .push(" AND used_for = ")
            .push_bind(number);
        query.push(" AND version = 0)");
    }
    query.push(
        ")
         SELECT used_for, version, preset, display_name, change_reason, author, active, revision, create_time, activate_time
         FROM listed WHERE true",
    );
    page.push(&mut query, "(used_for || '-' || version)");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Head::try_from).collect()
}

/// Makes the tenant's row of the built-in version where it is missing, and holds it: whoever makes or activates a version of this
/// use comes one after the other.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, builtin: &Preset) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO priority_model (tenant_id, used_for, version, preset, display_name, change_reason, author, content, active,
             revision, create_time)
         VALUES ($1, $2, 0, $3, $4, $5, $6, NULL, true, 1, $7)
         ON CONFLICT (tenant_id, used_for, version) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(used_for_number(builtin.used_for))
    .bind(builtin.key)
    .bind(&builtin.display_name)
    .bind(&builtin.change_reason)
    .bind(SYSTEM)
    .bind(sql::time(builtin.made))
    .execute(&mut **tx)
    .await?;
    sqlx::query("SELECT FROM priority_model WHERE tenant_id = $1 AND used_for = $2 AND version = 0 FOR UPDATE")
        .bind(tenant.key())
        .bind(used_for_number(builtin.used_for))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The number of the tenant's next version of this use.
pub(super) async fn next_version(tx: &mut Transaction, tenant: &Tenant, used: UsedFor) -> Result<i32, Refusal> {
    let next = sqlx::query_scalar(
        "SELECT coalesce(max(version), 0) + 1 FROM priority_model WHERE tenant_id = $1 AND used_for = $2",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .fetch_one(&mut **tx)
    .await?;
    Ok(next)
}

/// Keeps a new version.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    head: &Head,
    content: &Content,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO priority_model (tenant_id, used_for, version, preset, display_name, change_reason, author, content, active,
             revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false, $9, $10)",
    )
    .bind(tenant.key())
    .bind(used_for_number(head.used_for))
    .bind(head.version)
    .bind(&head.preset)
    .bind(&head.display_name)
    .bind(&head.change_reason)
    .bind(&head.author)
    .bind(Json(content))
    .bind(head.revision)
    .bind(sql::time(head.create_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts a version in the place of the one in effect.
pub(super) async fn put_into_effect(
    tx: &mut Transaction,
    tenant: &Tenant,
    used: UsedFor,
    version: i32,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE priority_model SET active = false, revision = revision + 1
         WHERE tenant_id = $1 AND used_for = $2 AND active",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE priority_model SET active = true, revision = revision + 1, activate_time = $4
         WHERE tenant_id = $1 AND used_for = $2 AND version = $3",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .bind(version)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes that a version took the place of another.
pub(super) async fn note_activation(
    tx: &mut Transaction,
    tenant: &Tenant,
    used: UsedFor,
    (version, before): (i32, i32),
    author: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO priority_model_activation (tenant_id, used_for, sequence, version, before, author, create_time)
         SELECT $1, $2, coalesce(max(sequence), 0) + 1, $3, $4, $5, $6
         FROM priority_model_activation WHERE tenant_id = $1 AND used_for = $2",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .bind(version)
    .bind(before)
    .bind(author)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes back the last activation, and says which version was in effect before it; none where none is left.
pub(super) async fn take_back_activation(
    tx: &mut Transaction,
    tenant: &Tenant,
    used: UsedFor,
    author: &str,
) -> Result<Option<i32>, Refusal> {
    let before = sqlx::query_scalar(
        "UPDATE priority_model_activation SET taken_back_by = $3
         WHERE tenant_id = $1 AND used_for = $2 AND sequence = (
             SELECT max(sequence) FROM priority_model_activation
             WHERE tenant_id = $1 AND used_for = $2 AND taken_back_by IS NULL)
         RETURNING before",
    )
    .bind(tenant.key())
    .bind(used_for_number(used))
    .bind(author)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(before)
}
