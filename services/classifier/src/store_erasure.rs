//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};

/// Blanks excerpts, the words that a basis quotes, pseudonyms, and what people wrote beside them. Categories and priorities stay.
pub(crate) async fn erase(tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    let names: Vec<String> = sqlx::query_scalar(
        "UPDATE classification SET excerpt = '', basis = '', customer = '', reachable = false
         WHERE tenant_id = $1 AND (feedback_name = ANY ($2) OR (customer <> '' AND customer = ANY ($3)))
         RETURNING 'tenants/' || tenant_id || '/classifications/' || classification_id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    let corrections = sqlx::query(
        "UPDATE correction SET reason = ''
         WHERE tenant_id = $1 AND 'tenants/' || tenant_id || '/classifications/' || classification_id = ANY ($2)",
    )
    .bind(whose.tenant.key())
    .bind(&names)
    .execute(&mut **tx)
    .await?;
    erased.count("classification", names.len() as u64);
    erased.count("correction", corrections.rows_affected());
    erased.names = names;
    Ok(erased)
}

/// Every classification of the customer's feedback, with its corrections.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let lines = sqlx::query_scalar(
        "SELECT (to_jsonb(c) - 'tenant_id' || jsonb_build_object('kind', 'classification', 'corrections', COALESCE((
             SELECT jsonb_agg(to_jsonb(r) - 'tenant_id' ORDER BY r.revision) FROM correction AS r
             WHERE r.tenant_id = c.tenant_id AND r.classification_id = c.classification_id), '[]')))::text
         FROM classification AS c
         WHERE c.tenant_id = $1 AND (c.feedback_name = ANY ($2) OR (c.customer <> '' AND c.customer = ANY ($3)))
         ORDER BY c.create_time, c.classification_id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}
