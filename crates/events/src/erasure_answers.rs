//! The answers that a service keeps to requests with an id: those that name what is erased are emptied, a chunk at a time.

use huiyin_chassis::{Refusal, Transaction};
use uuid::Uuid;

use crate::{
    Eraser, Whose,
    erasure::{CHUNK, Progress},
};

impl Eraser {
    /// One chunk of the answers that are kept, in the order of their key. What is answered meanwhile holds nothing that is not blank.
    pub(crate) async fn blank_answers(
        &self,
        tx: &mut Transaction,
        whose: &Whose,
        (erasure, part): (Uuid, i32),
        progress: &Progress,
    ) -> Result<(), Refusal> {
        let names: Vec<&[u8]> = whose
            .names()
            .chain(progress.names.iter().map(String::as_str))
            .map(str::as_bytes)
            .collect();
        let (looked_at, blanked, last): (i64, i64, Option<Vec<String>>) = sqlx::query_as(
            "WITH chunk AS MATERIALIZED (
                 SELECT caller, method, request_id, answer FROM chassis.answered_request
                 WHERE tenant_id = $1 AND ($3 = '{}' OR (caller, method, request_id) > ($3[1], $3[2], $3[3]::uuid))
                 ORDER BY caller, method, request_id LIMIT $4
             ), blanked AS (
                 UPDATE chassis.answered_request AS a SET body_hash = '', answer = ''
                 FROM chunk AS c
                 WHERE a.tenant_id = $1 AND a.caller = c.caller AND a.method = c.method AND a.request_id = c.request_id
                   AND EXISTS (SELECT FROM unnest($2::bytea[]) AS n (name) WHERE position(n.name IN c.answer) > 0)
                 RETURNING 1
             )
             SELECT (SELECT count(*) FROM chunk), (SELECT count(*) FROM blanked),
                    (SELECT ARRAY[caller, method, request_id::text] FROM chunk ORDER BY caller DESC, method DESC, request_id DESC LIMIT 1)",
        )
        .bind(whose.tenant.key())
        .bind(&names)
        .bind(&progress.answer)
        .bind(CHUNK)
        .fetch_one(&mut **tx)
        .await?;
        let (phase, answer) = match last {
            Some(last) if looked_at >= CHUNK => (4_i16, last),
            _ => (1, Vec::new()),
        };
        sqlx::query(
            "UPDATE events.erasure
             SET phase = $4, answer = $5,
                 counts = counts || jsonb_build_object('kept_answer', COALESCE((counts ->> 'kept_answer')::bigint, 0) + $6)
             WHERE tenant_id = $1 AND erasure = $2 AND part = $3",
        )
        .bind(whose.tenant.key())
        .bind(erasure)
        .bind(part)
        .bind(phase)
        .bind(&answer)
        .bind(blanked)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
