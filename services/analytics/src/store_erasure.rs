//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};
use uuid::Uuid;

/// Puts a stand-in in the place of the pseudonym, which leads to nobody: facts hold nothing else of a customer, and the count of
/// different customers of last month stays what it was.
pub(crate) async fn erase(tx: &mut Transaction, whose: &Whose, stand_in: Uuid) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    let stand_in = whose.tenant.child("customers", stand_in);
    // The counter reads the inbox and writes facts under this row's lock.
    sqlx::query("SELECT FROM counting WHERE tenant_id = $1 FOR UPDATE")
        .bind(whose.tenant.key())
        .fetch_optional(&mut **tx)
        .await?;
    for customer in &whose.customers {
        let facts = sqlx::query(
            "UPDATE feedback_fact SET customer = $3, document = replace(document::text, $2, $3)::jsonb
             -- One select for each index: an OR leaves it to the planner whether it uses both or reads the whole table.
             WHERE tenant_id = $1 AND position($2 IN document::text) > 0 AND feedback IN (
                 SELECT feedback FROM feedback_fact WHERE tenant_id = $1 AND customer <> '' AND customer = $2
                 UNION
                 SELECT unnest($4::uuid[]))",
        )
        .bind(whose.tenant.key())
        .bind(customer)
        .bind(&stand_in)
        .bind(feedback_ids(whose))
        .execute(&mut **tx)
        .await?;
        let waiting = sqlx::query(
            "UPDATE inbox SET happening = replace(happening::text, $2, $3)::jsonb
             WHERE tenant_id = $1 AND NOT counted AND happening IS NOT NULL AND position($2 IN happening::text) > 0",
        )
        .bind(whose.tenant.key())
        .bind(customer)
        .bind(&stand_in)
        .execute(&mut **tx)
        .await?;
        erased.count("fact", facts.rows_affected());
        erased.count("event_to_count", waiting.rows_affected());
    }
    Ok(erased)
}

/// Every fact about the customer's feedback.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let lines = sqlx::query_scalar(
        "SELECT (document || jsonb_build_object('kind', 'fact', 'number', number))::text
         FROM feedback_fact
         WHERE tenant_id = $1 AND feedback IN (
             SELECT feedback FROM feedback_fact WHERE tenant_id = $1 AND customer <> '' AND customer = ANY ($3)
             UNION
             SELECT unnest($2::uuid[]))
         ORDER BY order_time, feedback",
    )
    .bind(whose.tenant.key())
    .bind(feedback_ids(whose))
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

fn feedback_ids(whose: &Whose) -> Vec<Uuid> {
    let ids = whose.feedbacks.iter().filter_map(|name| name.rsplit('/').next());
    ids.filter_map(|id| Uuid::try_parse(id).ok()).collect()
}
