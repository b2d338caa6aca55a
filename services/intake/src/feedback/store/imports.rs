//! How far each import has come.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;

/// Opens an import, or takes it up again; returns the sequence through which it is settled.
pub(crate) async fn open(
    tx: &mut Transaction,
    tenant: &Tenant,
    import_id: &str,
    now: Timestamp,
) -> Result<i64, Refusal> {
    sqlx::query(
        "INSERT INTO feedback_import (tenant_id, import_id, settled_through, accepted, refused, create_time, update_time)
         VALUES ($1, $2, 0, 0, 0, $3, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.key())
    .bind(import_id)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    let settled =
        sqlx::query_scalar("SELECT settled_through FROM feedback_import WHERE tenant_id = $1 AND import_id = $2")
            .bind(tenant.key())
            .bind(import_id)
            .fetch_one(&mut **tx)
            .await?;
    Ok(settled)
}

/// The sequence through which the import is settled; nobody else moves it until the transaction ends.
pub(crate) async fn lock(tx: &mut Transaction, tenant: &Tenant, import_id: &str) -> Result<i64, Refusal> {
    let settled = sqlx::query_scalar(
        "SELECT settled_through FROM feedback_import WHERE tenant_id = $1 AND import_id = $2 FOR UPDATE",
    )
    .bind(tenant.key())
    .bind(import_id)
    .fetch_one(&mut **tx)
    .await?;
    Ok(settled)
}

/// What a message added to an import.
pub(crate) struct Advance {
    pub(crate) settled_through: i64,
    pub(crate) accepted: i64,
    pub(crate) refused: i64,
}

/// Moves the import on.
pub(crate) async fn advance(
    tx: &mut Transaction,
    tenant: &Tenant,
    import_id: &str,
    by: &Advance,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE feedback_import
         SET settled_through = $3, accepted = accepted + $4, refused = refused + $5, update_time = $6
         WHERE tenant_id = $1 AND import_id = $2",
    )
    .bind(tenant.key())
    .bind(import_id)
    .bind(by.settled_through)
    .bind(by.accepted)
    .bind(by.refused)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
