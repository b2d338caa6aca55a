//! Display numbers: one counter per tenant and day.

use huiyin_chassis::{Refusal, Tenant, Transaction};

/// Takes the next `count` numbers of a day; returns the first of them.
///
/// Call it in a transaction of its own, committed before the one that uses the numbers: no batch then waits for another
/// one's counter, and what is taken is never given again, whether it was used or not (C-21). [`Numbers`] does.
///
/// [`Numbers`]: crate::feedback::numbers::Numbers
pub(crate) async fn take(tx: &mut Transaction, tenant: &Tenant, day: i32, count: i64) -> Result<i64, Refusal> {
    // This commit need not reach the disk by itself: the log is written in order, so the commit of the feedback that gets
    // the number takes it along, and a crash before that loses a number that nobody was told. Said in the same statement:
    // whoever waits for a batch waits for each round trip of it.
    let last: i64 = sqlx::query_scalar(
        "WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
         INSERT INTO number_counter (tenant_id, day, last) SELECT $1::text, $2::integer, $3::bigint FROM quick
         ON CONFLICT (tenant_id, day) DO UPDATE SET last = number_counter.last + EXCLUDED.last
         RETURNING last",
    )
    .bind(tenant.key())
    .bind(day)
    .bind(count)
    .fetch_one(&mut **tx)
    .await?;
    Ok(last - count + 1)
}
