//! The one thing that routing asks of the teams.

use huiyin_chassis::{Refusal, Tenant, Transaction};

/// Which of these teams there are.
pub(super) async fn teams(tx: &mut Transaction, tenant: &Tenant, teams: &[String]) -> Result<Vec<String>, Refusal> {
    let found = sqlx::query_scalar("SELECT team_id FROM team WHERE tenant_id = $1 AND team_id = ANY($2)")
        .bind(tenant.key())
        .bind(teams)
        .fetch_all(&mut **tx)
        .await?;
    Ok(found)
}
