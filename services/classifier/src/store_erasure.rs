//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};

/// Blanks excerpts, the words that a basis quotes, pseudonyms, and what people wrote beside them; the text that was read and
/// the examples made of it go. Categories, priorities and models that were trained before stay: they hold no text.
pub(crate) async fn erase(tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    let names: Vec<String> = sqlx::query_scalar(
        "UPDATE classification
         SET excerpt = '', basis = '', computed = jsonb_set(computed, '{basis}', '\"\"', false), customer = '', reachable = false
         WHERE tenant_id = $1 AND (feedback_name = ANY ($2) OR (customer <> '' AND customer = ANY ($3)))
         RETURNING 'tenants/' || tenant_id || '/classifications/' || classification_id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    // What hangs on a classification, by its id at the end of the name.
    let reasons = [
        (
            "correction",
            "UPDATE correction SET reason = ''
             WHERE tenant_id = $1 AND 'tenants/' || tenant_id || '/classifications/' || classification_id = ANY ($2)",
        ),
        (
            "priority_scoring",
            "UPDATE priority_scoring SET reason = ''
             WHERE tenant_id = $1 AND 'tenants/' || tenant_id || '/classifications/' || classification_id = ANY ($2)",
        ),
        (
            "priority_vote",
            "UPDATE priority_vote SET reason = ''
             WHERE tenant_id = $1 AND 'tenants/' || tenant_id || '/classifications/' || classification_id = ANY ($2)",
        ),
        (
            "statement",
            "DELETE FROM statement
             WHERE tenant_id = $1 AND 'tenants/' || tenant_id || '/classifications/' || classification_id = ANY ($2)",
        ),
    ];
    erased.count("classification", names.len() as u64);
    for (table, statement) in reasons {
        let done = sqlx::query(statement)
            .bind(whose.tenant.key())
            .bind(&names)
            .execute(&mut **tx)
            .await?;
        erased.count(table, done.rows_affected());
    }
    let forgotten = sqlx::query("DELETE FROM example WHERE tenant_id = $1 AND feedback = ANY ($2) AND feedback <> ''")
        .bind(whose.tenant.key())
        .bind(&whose.feedbacks)
        .execute(&mut **tx)
        .await?;
    erased.count("example", forgotten.rows_affected());
    // What was used for a feedback stays counted, and nobody can say any more for which.
    let detached = sqlx::query(
        "UPDATE article_use SET feedback = '' WHERE tenant_id = $1 AND feedback = ANY ($2) AND feedback <> ''",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .execute(&mut **tx)
    .await?;
    erased.count("article_use", detached.rows_affected());
    erased.names = names;
    Ok(erased)
}

/// Every classification of the customer's feedback, with its corrections and the text that was read; and which articles were used for it.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let mut lines: Vec<String> = sqlx::query_scalar(
        "SELECT (to_jsonb(c) - 'tenant_id' || jsonb_build_object('kind', 'classification', 'corrections', COALESCE((
             SELECT jsonb_agg(to_jsonb(r) - 'tenant_id' ORDER BY r.revision) FROM correction AS r
             WHERE r.tenant_id = c.tenant_id AND r.classification_id = c.classification_id), '[]'), 'text', (
             SELECT s.text FROM statement AS s
             WHERE s.tenant_id = c.tenant_id AND s.classification_id = c.classification_id)))::text
         FROM classification AS c
         WHERE c.tenant_id = $1 AND (c.feedback_name = ANY ($2) OR (c.customer <> '' AND c.customer = ANY ($3)))
         ORDER BY c.create_time, c.classification_id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    let uses: Vec<String> = sqlx::query_scalar(
        "SELECT (to_jsonb(u) - 'tenant_id' || jsonb_build_object('kind', 'article_use'))::text
         FROM article_use AS u WHERE u.tenant_id = $1 AND u.feedback = ANY ($2) AND u.feedback <> ''
         ORDER BY u.create_time, u.use_id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .fetch_all(&mut **tx)
    .await?;
    lines.extend(uses);
    Ok(lines)
}
