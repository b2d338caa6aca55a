//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};
use uuid::Uuid;

use crate::{problem::terms, room::Room};

/// Blanks excerpts, the words that decided and those that a basis quotes, pseudonyms, and what people wrote beside them; the text
/// that was read and the examples made of it go. Problems keep their numbers, and lose the words that nobody but the customer said.
/// Categories, priorities, what versions in the shadow said and models that were trained before stay: they hold no text, and the
/// classification that they are of leads to nobody any more.
pub(crate) async fn erase(room: &Room, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    // Where only the words of feedbacks are over their time, their customers stay, and are counted as before.
    let of_customer = !whose.customers.is_empty();
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE classification
         SET excerpt = '', basis = '', customer = CASE WHEN $4 THEN '' ELSE customer END, reachable = reachable AND NOT $4,
             decision = decided_without_words(decision),
             computed = jsonb_set(computed, '{spoken_impact,1}', '\"…\"', false) || jsonb_build_object(
                 'basis', '', 'found_by', '', 'spans', '[]'::jsonb, 'decided', decided_without_words(computed -> 'decided'))
         WHERE tenant_id = $1 AND (classification_id = ANY ($2) OR (customer <> '' AND customer = ANY ($3)))
         RETURNING classification_id",
    )
    .bind(whose.tenant.key())
    .bind(ids_of_feedbacks(whose))
    .bind(&whose.customers)
    .bind(of_customer)
    .fetch_all(&mut **tx)
    .await?;
    // What hangs on a classification.
    let reasons = [
        (
            "correction",
            "UPDATE correction SET reason = ''
             WHERE tenant_id = $1 AND classification_id = ANY ($2)",
        ),
        (
            "priority_scoring",
            "UPDATE priority_scoring SET reason = ''
             WHERE tenant_id = $1 AND classification_id = ANY ($2)",
        ),
        (
            "priority_vote",
            "UPDATE priority_vote SET reason = ''
             WHERE tenant_id = $1 AND classification_id = ANY ($2)",
        ),
        (
            // There is no text to review any more.
            "review_item",
            "UPDATE review_item
             SET comment = '', close_reason = CASE WHEN state = 1 THEN 3 ELSE close_reason END, state = CASE WHEN state = 1 THEN 4 ELSE state END,
                 lease_expire_time = NULL, assignee = CASE WHEN state = 1 THEN '' ELSE assignee END, revision = revision + 1
             WHERE tenant_id = $1 AND classification_id = ANY ($2) AND (state = 1 OR comment <> '')",
        ),
        (
            "statement",
            "DELETE FROM statement
             WHERE tenant_id = $1 AND classification_id = ANY ($2)",
        ),
    ];
    erased.count("classification", ids.len() as u64);
    for (table, statement) in reasons {
        let done = sqlx::query(statement)
            .bind(whose.tenant.key())
            .bind(&ids)
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
    let names = ids.iter().map(|id| whose.tenant.child("classifications", id));
    erased.names = names.collect();
    let (members, problems) = leave_problems(tx, whose).await?;
    erased.count("problem_feedback", members);
    terms::narrow(room, tx, &whose.tenant, &problems).await?;
    // Their titles and terms may stand in answers that are kept.
    let problems = problems
        .into_iter()
        .map(|problem| whose.tenant.child("problems", problem));
    erased.names.extend(problems);
    Ok(erased)
}

/// Takes the customer's name out of the problems: another one, that leads nowhere, goes on counting once. Answers with how many
/// feedbacks, and the problems that they are of.
async fn leave_problems(tx: &mut Transaction, whose: &Whose) -> Result<(u64, Vec<Uuid>), Refusal> {
    terms::hold(tx, &whose.tenant).await?;
    let places: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "WITH nobody AS MATERIALIZED (SELECT 'erased/' || gen_random_uuid() AS name)
         UPDATE problem_feedback AS f SET customer = CASE WHEN $4 AND f.customer <> '' THEN nobody.name ELSE f.customer END
         FROM nobody
         WHERE f.tenant_id = $1 AND f.customer NOT LIKE 'erased/%' AND (f.feedback_id = ANY ($2) OR f.customer = ANY ($3))
         RETURNING f.problem_id, f.holder_id",
    )
    .bind(whose.tenant.key())
    .bind(ids_of_feedbacks(whose))
    .bind(&whose.customers)
    .bind(!whose.customers.is_empty())
    .fetch_all(&mut **tx)
    .await?;
    let mut problems: Vec<Uuid> = places.iter().flat_map(|(own, holder)| [*own, *holder]).collect();
    problems.sort_unstable();
    problems.dedup();
    Ok((places.len() as u64, problems))
}

/// The ids of the customer's feedbacks, which are those of their classifications too; a name without one has none.
fn ids_of_feedbacks(whose: &Whose) -> Vec<Uuid> {
    let ids = whose.feedbacks.iter().filter_map(|name| name.rsplit('/').next());
    ids.filter_map(|id| Uuid::try_parse(id).ok()).collect()
}

/// Every classification of the customer's feedback, with its corrections, its reviews, what versions in the shadow said, the scores and votes of people, the text that was read,
/// the examples made of it, and the problem that it is of; and which articles were used for it.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let mut lines: Vec<String> = sqlx::query_scalar(
        "SELECT (to_jsonb(c) - 'tenant_id' || jsonb_build_object('kind', 'classification', 'corrections', COALESCE((
             SELECT jsonb_agg(to_jsonb(r) - 'tenant_id' ORDER BY r.revision) FROM correction AS r
             WHERE r.tenant_id = c.tenant_id AND r.classification_id = c.classification_id), '[]'), 'review_items', COALESCE((
             SELECT jsonb_agg(to_jsonb(i) - 'tenant_id' ORDER BY i.create_time, i.stage) FROM review_item AS i
             WHERE i.tenant_id = c.tenant_id AND i.classification_id = c.classification_id), '[]'), 'shadow_answers', COALESCE((
             SELECT jsonb_agg(to_jsonb(h) - 'tenant_id' ORDER BY h.task_id, h.version) FROM shadow_answer AS h
             WHERE h.tenant_id = c.tenant_id AND h.classification_id = c.classification_id), '[]'), 'text', (
             SELECT s.text FROM statement AS s
             WHERE s.tenant_id = c.tenant_id AND s.classification_id = c.classification_id), 'scorings', COALESCE((
             SELECT jsonb_agg(to_jsonb(p) - 'tenant_id' ORDER BY p.revision) FROM priority_scoring AS p
             WHERE p.tenant_id = c.tenant_id AND p.classification_id = c.classification_id), '[]'), 'votes', COALESCE((
             SELECT jsonb_agg(to_jsonb(v) - 'tenant_id' ORDER BY v.revision) FROM priority_vote AS v
             WHERE v.tenant_id = c.tenant_id AND v.classification_id = c.classification_id), '[]'), 'examples', COALESCE((
             SELECT jsonb_agg(to_jsonb(e) - 'tenant_id' ORDER BY e.task_id, e.example_id) FROM example AS e
             WHERE e.tenant_id = c.tenant_id AND e.feedback <> '' AND e.feedback = c.feedback_name), '[]'), 'problem', (
             SELECT jsonb_build_object('name', 'tenants/' || f.tenant_id || '/problems/' || f.problem_id, 'number', p.number,
                    'recurrence', f.recurrence, 'create_time', f.create_time)
             FROM problem_feedback AS f JOIN problem AS p ON p.tenant_id = f.tenant_id AND p.problem_id = f.problem_id
             WHERE f.tenant_id = c.tenant_id AND f.feedback_id = c.classification_id)))::text
         FROM classification AS c
         WHERE c.tenant_id = $1 AND (c.classification_id = ANY ($2) OR (c.customer <> '' AND c.customer = ANY ($3)))
         ORDER BY c.create_time, c.classification_id",
    )
    .bind(whose.tenant.key())
    .bind(ids_of_feedbacks(whose))
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
