//! Whether a text stands anywhere in a database, e.g. after it was to be erased.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// In how many rows of all tables of a service's database a text stands: in clear, and in bytes.
///
/// # Panics
/// Where there are hardly any tables, for then this is no service's database, and when the server does not answer.
pub async fn rows_with(database: &mut PgConnection, text: &str) -> (i64, i64) {
    // All as of one moment: what is moved from one table to another meanwhile would be counted twice or, worse, not at all.
    let mut moment = database
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class
         WHERE relkind = 'r' AND relnamespace <> ALL (ARRAY['pg_catalog', 'information_schema']::regnamespace[])",
    )
    .fetch_all(&mut *moment)
    .await
    .unwrap();
    assert!(tables.len() > 8, "{tables:?}");
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = (0, 0);
    for table in tables {
        let (clear, bytes): (i64, i64) = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT count(*) FILTER (WHERE position($1 IN t::text) > 0), count(*) FILTER (WHERE position($2 IN t::text) > 0)
             FROM {table} AS t"
        )))
        .bind(text)
        .bind(&hex)
        .fetch_one(&mut *moment)
        .await
        .unwrap();
        found = (found.0 + clear, found.1 + bytes);
    }
    found
}
