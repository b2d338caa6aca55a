//! All SQL of mappings.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use sqlx::types::Json;

use super::domain::{Mapped, Mapping};

#[derive(sqlx::FromRow)]
struct Row {
    categories: Json<Vec<Mapped>>,
    author: String,
    revision: i32,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

/// The mapping from one version to another.
pub(crate) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    version: i32,
    from_version: i32,
) -> Result<Option<Mapping>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT categories, author, revision, create_time, update_time
         FROM taxonomy_mapping WHERE tenant_id = $1 AND version = $2 AND from_version = $3",
    )
    .bind(tenant.key())
    .bind(version)
    .bind(from_version)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Mapping {
        version,
        from_version,
        categories: row.categories.0,
        author: row.author,
        revision: row.revision,
        create_time: row.create_time.to_jiff(),
        update_time: row.update_time.to_jiff(),
    }))
}

/// Keeps a mapping in the place of the one before.
pub(super) async fn put(tx: &mut Transaction, tenant: &Tenant, mapping: &Mapping) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO taxonomy_mapping (tenant_id, version, from_version, categories, author, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, version, from_version) DO UPDATE
         SET categories = excluded.categories, author = excluded.author, revision = excluded.revision,
             update_time = excluded.update_time",
    )
    .bind(tenant.key())
    .bind(mapping.version)
    .bind(mapping.from_version)
    .bind(Json(&mapping.categories))
    .bind(&mapping.author)
    .bind(mapping.revision)
    .bind(sql::time(mapping.create_time))
    .bind(sql::time(mapping.update_time))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
