//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};

/// Blanks excerpts, pseudonyms, and everything that people wrote on the work orders. States, times and clocks stay.
pub(crate) async fn erase(tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    // In one order: use cases hold one work order at a time.
    let names: Vec<String> = sqlx::query_scalar(
        "WITH theirs AS MATERIALIZED (
             SELECT id FROM work_order
             -- One select for each index: an OR leaves it to the planner whether it uses both or reads the whole table.
             WHERE tenant_id = $1 AND id IN (
                 SELECT id FROM work_order WHERE tenant_id = $1 AND feedback = ANY ($2)
                 UNION
                 SELECT id FROM work_order WHERE tenant_id = $1 AND customer <> '' AND customer = ANY ($3))
             ORDER BY id FOR UPDATE
         )
         UPDATE work_order AS o
         SET excerpt = '', customer = '', reachable = false, state_reason = '', revision = revision + 1,
             resolution = CASE WHEN resolution IS NULL THEN NULL ELSE resolution || jsonb_build_object('text', '') END
         FROM theirs
         WHERE o.tenant_id = $1 AND o.id = theirs.id
         RETURNING 'tenants/' || o.tenant_id || '/workOrders/' || o.id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    let entries = sqlx::query(
        "UPDATE work_order_event
         SET reason = '', note = '', customer_text = '',
             resolution = CASE WHEN resolution IS NULL THEN NULL ELSE resolution || jsonb_build_object('text', '') END
         WHERE tenant_id = $1 AND work_order_id = ANY (
             SELECT substring(name FROM '[^/]*$')::uuid FROM unnest($2::text[]) AS n (name))",
    )
    .bind(whose.tenant.key())
    .bind(&names)
    .execute(&mut **tx)
    .await?;
    erased.count("work_order", names.len() as u64);
    erased.count("work_order_entry", entries.rows_affected());
    erased.names = names;
    Ok(erased)
}

/// Every work order of the customer's feedback, with its history.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let lines = sqlx::query_scalar(
        "SELECT (to_jsonb(o) - 'tenant_id' || jsonb_build_object('kind', 'work_order', 'history', COALESCE((
             SELECT jsonb_agg(to_jsonb(e) - 'tenant_id' - 'work_order_id' ORDER BY e.sequence) FROM work_order_event AS e
             WHERE e.tenant_id = o.tenant_id AND e.work_order_id = o.id), '[]')))::text
         FROM work_order AS o
         WHERE o.tenant_id = $1 AND o.id IN (
             SELECT id FROM work_order WHERE tenant_id = $1 AND feedback = ANY ($2)
             UNION
             SELECT id FROM work_order WHERE tenant_id = $1 AND customer <> '' AND customer = ANY ($3))
         ORDER BY o.create_time, o.id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}
