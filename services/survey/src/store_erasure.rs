//! All SQL of erasing and handing out what the room holds on a customer.

use huiyin_chassis::{Refusal, Transaction};
use huiyin_events::{Erased, Whose};
use uuid::Uuid;

use crate::invitation::convert::without_customer;

/// Blanks comments and reasons, and pseudonyms in invitations. Scores stay.
pub(crate) async fn erase(tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
    let mut erased = Erased::default();
    let invitations: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "SELECT invitation_id, work_order_digest FROM invitation
         -- One select for each index: an OR leaves it to the planner whether it uses both or reads the whole table.
         WHERE tenant_id = $1 AND invitation_id IN (
             SELECT invitation_id FROM invitation WHERE tenant_id = $1 AND feedback = ANY ($2)
             UNION
             SELECT invitation_id FROM invitation WHERE tenant_id = $1 AND customer <> '' AND customer = ANY ($3))
         ORDER BY invitation_id FOR UPDATE",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    let (mut ids, mut digests) = (Vec::new(), Vec::new());
    for (id, digest) in &invitations {
        ids.push(*id);
        digests.push(without_customer(digest)?);
    }
    sqlx::query(
        "UPDATE invitation AS i SET customer = '', work_order_digest = new.digest
         FROM unnest($2::uuid[], $3::bytea[]) AS new (id, digest)
         WHERE i.tenant_id = $1 AND i.invitation_id = new.id",
    )
    .bind(whose.tenant.key())
    .bind(&ids)
    .bind(&digests)
    .execute(&mut **tx)
    .await?;
    let responses: Vec<String> = sqlx::query_scalar(
        "UPDATE response SET comment = '', reason = ''
         WHERE tenant_id = $1 AND (feedback = ANY ($2) OR invitation_id = ANY ($3))
         RETURNING work_order",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&ids)
    .fetch_all(&mut **tx)
    .await?;
    erased.count("invitation", ids.len() as u64);
    erased.count("response", responses.len() as u64);
    erased.names = responses;
    erased.names.extend(ids.iter().map(|id| format!("/invitations/{id}")));
    Ok(erased)
}

/// Every invitation to the customer, and what was answered. Neither a token nor what could make one.
pub(crate) async fn export(tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
    let lines = sqlx::query_scalar(
        "SELECT (to_jsonb(i) - 'tenant_id' - 'work_order_digest' - 'token_nonce' - 'token_hash'
             || jsonb_build_object('kind', 'invitation', 'response', (
                 SELECT to_jsonb(r) - 'tenant_id' - 'invitation_id' FROM response AS r
                 WHERE r.tenant_id = i.tenant_id AND r.invitation_id = i.invitation_id)))::text
         FROM invitation AS i
         WHERE i.tenant_id = $1 AND i.invitation_id IN (
             SELECT invitation_id FROM invitation WHERE tenant_id = $1 AND feedback = ANY ($2)
             UNION
             SELECT invitation_id FROM invitation WHERE tenant_id = $1 AND customer <> '' AND customer = ANY ($3))
         ORDER BY i.create_time, i.invitation_id",
    )
    .bind(whose.tenant.key())
    .bind(&whose.feedbacks)
    .bind(&whose.customers)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}
