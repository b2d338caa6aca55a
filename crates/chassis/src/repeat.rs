//! The same request twice gives the same answer: `request_id`, bound to the body, kept in the transaction of the effect.

use prost::Message;
use uuid::Uuid;

use crate::{
    auth::Caller,
    clock::Clock,
    db::{Database, Transaction},
    error::Refusal,
    name::Tenant,
    secret,
    tasks::{MoreToDo, Tasks},
};

/// Answers are kept at least this long.
pub const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(48);

/// A request that carries an id.
#[derive(Debug, Clone)]
pub struct Repeatable {
    tenant: Tenant,
    caller: String,
    method: &'static str,
    request_id: Uuid,
    body_hash: [u8; 32],
}

impl Repeatable {
    /// The request, where it carries an id; the body with its id is what the id is bound to.
    ///
    /// # Errors
    /// INVALID_ARGUMENT where the id is no UUID.
    pub fn new(
        tenant: &Tenant,
        caller: &Caller,
        method: &'static str,
        request_id: &str,
        body: &impl Message,
    ) -> Result<Option<Self>, Refusal> {
        if request_id.is_empty() {
            return Ok(None);
        }
        let request_id =
            Uuid::try_parse(request_id).map_err(|_| Refusal::invalid_field("request_id", "must be a UUID"))?;
        let body_hash = secret::hash(&body.encode_to_vec());
        Ok(Some(Self {
            tenant: tenant.clone(),
            caller: caller.subject.clone(),
            method,
            request_id,
            body_hash,
        }))
    }

    /// The answer that this request got before, if it did. A second one that runs at the same time waits here until the
    /// first has committed or given up.
    ///
    /// # Errors
    /// ALREADY_EXISTS / REQUEST_ID_REUSED where the id was used for another body.
    pub async fn answered<A: Message + Default>(&self, tx: &mut Transaction) -> Result<Option<A>, Refusal> {
        let lock = secret::keyed_hash(
            b"request",
            &[
                self.tenant.key().as_bytes(),
                self.caller.as_bytes(),
                self.method.as_bytes(),
                self.request_id.as_bytes(),
            ],
        );
        let lock = i64::from_be_bytes([lock[0], lock[1], lock[2], lock[3], lock[4], lock[5], lock[6], lock[7]]);
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(lock)
            .execute(&mut **tx)
            .await?;
        let row: Option<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT body_hash, answer FROM chassis.answered_request
             WHERE tenant_id = $1 AND caller = $2 AND method = $3 AND request_id = $4",
        )
        .bind(self.tenant.key())
        .bind(&self.caller)
        .bind(self.method)
        .bind(self.request_id)
        .fetch_optional(&mut **tx)
        .await?;
        match row {
            None => Ok(None),
            Some((hash, _)) if hash != self.body_hash => Err(Refusal::request_id_reused()),
            Some((_, answer)) => Ok(Some(A::decode(answer.as_slice()).map_err(Refusal::fault)?)),
        }
    }

    /// Keeps the answer, in the transaction of the effect.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn answer(&self, tx: &mut Transaction, clock: &Clock, answer: &impl Message) -> Result<(), Refusal> {
        sqlx::query(
            "INSERT INTO chassis.answered_request (tenant_id, caller, method, request_id, body_hash, answer, create_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.tenant.key())
        .bind(&self.caller)
        .bind(self.method)
        .bind(self.request_id)
        .bind(self.body_hash.as_slice())
        .bind(answer.encode_to_vec())
        .bind(crate::sql::time(clock.now()))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The parts of the key, for rooms that look up many at once: caller, method, id and hash of the body.
    #[must_use]
    pub fn parts(&self) -> (&str, &'static str, Uuid, &[u8; 32]) {
        (&self.caller, self.method, self.request_id, &self.body_hash)
    }
}

/// The answer that a request got before, where it carries an id and did: see [`Repeatable::answered`].
///
/// # Errors
/// ALREADY_EXISTS / REQUEST_ID_REUSED where the id was used for another body.
pub async fn answered<A: Message + Default>(
    tx: &mut Transaction,
    repeat: Option<&Repeatable>,
) -> Result<Option<A>, Refusal> {
    match repeat {
        Some(repeat) => repeat.answered(tx).await,
        None => Ok(None),
    }
}

/// Keeps the answer, where the request carries an id, and makes the effect durable.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub async fn commit<A: Message>(
    mut tx: Transaction,
    clock: &Clock,
    repeat: Option<&Repeatable>,
    answer: A,
) -> Result<A, Refusal> {
    if let Some(repeat) = repeat {
        repeat.answer(&mut tx, clock, &answer).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

/// Forgets answers that have been kept long enough.
pub(crate) fn forget_old_answers(tasks: &mut Tasks, database: Database, clock: Clock) {
    tasks.tick("old answers", std::time::Duration::from_secs(600), move || {
        let (database, clock) = (database.clone(), clock.clone());
        async move {
            let mut tx = database.worker().await?;
            sqlx::query("DELETE FROM chassis.answered_request WHERE create_time < $1")
                .bind(crate::sql::time(clock.now() - KEPT))
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(MoreToDo(false))
        }
    });
}
