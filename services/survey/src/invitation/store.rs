//! All SQL about invitations.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, PageKey, PageRequest},
    sql,
};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder};
use uuid::Uuid;

use super::domain::{Invitation, Resolution, State};

/// What a list may be filtered by.
pub(crate) const FIELDS: &[Field] = &[
    Field::of("work_order", Kind::Text),
    Field::of("episode", Kind::Integer),
    Field::of("feedback", Kind::Text),
    Field::of("customer", Kind::Text),
    Field::of("state", Kind::Enum("huiyin.survey.v1.InvitationState")),
    Field::of("survey_version", Kind::Integer),
    Field::of("create_time", Kind::Time),
    Field::of("expire_time", Kind::Time),
    Field::of("answer_time", Kind::Time),
];

/// What a list may be ordered by.
pub(crate) const ORDER: &[Field] = &[Field::of("create_time", Kind::Time)];

const COLUMNS: &str =
    "invitation_id, survey_id, survey_version, work_order, episode, feedback, customer, work_order_digest,
    token_nonce, token_hash, state, response_id, create_time, expire_time, answer_time";

#[derive(sqlx::FromRow)]
struct Row {
    invitation_id: Uuid,
    survey_id: String,
    survey_version: i32,
    work_order: String,
    episode: i32,
    feedback: String,
    customer: String,
    work_order_digest: Vec<u8>,
    token_nonce: Vec<u8>,
    token_hash: Vec<u8>,
    state: i16,
    response_id: Option<Uuid>,
    create_time: jiff_sqlx::Timestamp,
    expire_time: jiff_sqlx::Timestamp,
    answer_time: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn invitation(self) -> Result<Invitation, Refusal> {
        let broken = |column: &str| {
            Refusal::fault(anyhow::anyhow!(
                "invitation {}: {column} is malformed",
                self.invitation_id
            ))
        };
        Ok(Invitation {
            id: self.invitation_id,
            token_nonce: self
                .token_nonce
                .as_slice()
                .try_into()
                .map_err(|_| broken("token_nonce"))?,
            token_hash: self
                .token_hash
                .as_slice()
                .try_into()
                .map_err(|_| broken("token_hash"))?,
            state: State::of(self.state).ok_or_else(|| broken("state"))?,
            survey: self.survey_id,
            survey_version: self.survey_version,
            about: Resolution {
                work_order: self.work_order,
                episode: self.episode,
                feedback: self.feedback,
                customer: self.customer,
                digest: self.work_order_digest,
            },
            response: self.response_id,
            create_time: self.create_time.to_jiff(),
            expire_time: self.expire_time.to_jiff(),
            answer_time: self.answer_time.map(|time| time.to_jiff()),
        })
    }
}

/// Holds every invitation of a work order until the end of the transaction: what is told of the work order from here on
/// comes after what an answer that is just being taken tells of it.
pub(crate) async fn lock_work_order(tx: &mut Transaction, tenant: &Tenant, work_order: &str) -> Result<(), Refusal> {
    sqlx::query("SELECT FROM invitation WHERE tenant_id = $1 AND work_order = $2 ORDER BY episode FOR UPDATE")
        .bind(tenant.key())
        .bind(work_order)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Keeps a new invitation; false where its resolution has one already.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, new: &Invitation) -> Result<bool, Refusal> {
    let done = sqlx::query(
        "INSERT INTO invitation
             (tenant_id, invitation_id, survey_id, survey_version, work_order, episode, feedback, customer, work_order_digest,
              token_nonce, token_hash, state, create_time, expire_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT ON CONSTRAINT invitation_once_per_episode DO NOTHING",
    )
    .bind(tenant.key())
    .bind(new.id)
    .bind(&new.survey)
    .bind(new.survey_version)
    .bind(&new.about.work_order)
    .bind(new.about.episode)
    .bind(&new.about.feedback)
    .bind(&new.about.customer)
    .bind(&new.about.digest)
    .bind(new.token_nonce.as_slice())
    .bind(new.token_hash.as_slice())
    .bind(new.state.number())
    .bind(sql::time(new.create_time))
    .bind(sql::time(new.expire_time))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One invitation.
pub(crate) async fn get(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Invitation>, Refusal> {
    one(tx, tenant, id, "").await
}

/// One invitation, which nobody else changes before the end of the transaction.
pub(crate) async fn get_for_update(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
) -> Result<Option<Invitation>, Refusal> {
    one(tx, tenant, id, "FOR UPDATE").await
}

async fn one(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    lock: &'static str,
) -> Result<Option<Invitation>, Refusal> {
    let statement = format!("SELECT {COLUMNS} FROM invitation WHERE tenant_id = $1 AND invitation_id = $2 {lock}");
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(tenant.key())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(Row::invitation).transpose()
}

/// Spends an invitation that [`get_for_update`] found issued.
pub(crate) async fn answer(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    response: Uuid,
    now: Timestamp,
) -> Result<(), Refusal> {
    let done = sqlx::query(
        "UPDATE invitation SET state = $5, response_id = $3, answer_time = $4
         WHERE tenant_id = $1 AND invitation_id = $2 AND state = $6",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(response)
    .bind(sql::time(now))
    .bind(State::Answered.number())
    .bind(State::Issued.number())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Refusal::fault(anyhow::anyhow!(
            "invitation {id} was not issued when it was answered"
        )))
    }
}

/// Ends an invitation that nobody answered; false where it had ended otherwise before.
pub(crate) async fn expire(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<bool, Refusal> {
    let done =
        sqlx::query("UPDATE invitation SET state = $3 WHERE tenant_id = $1 AND invitation_id = $2 AND state = $4")
            .bind(tenant.key())
            .bind(id)
            .bind(State::Expired.number())
            .bind(State::Issued.number())
            .execute(&mut **tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the unanswered invitations of a work order's earlier episodes; how many there were.
pub(crate) async fn supersede(
    tx: &mut Transaction,
    tenant: &Tenant,
    work_order: &str,
    before_episode: i32,
) -> Result<u64, Refusal> {
    let done = sqlx::query(
        "UPDATE invitation SET state = $4
         WHERE tenant_id = $1 AND work_order = $2 AND episode < $3 AND state = $5",
    )
    .bind(tenant.key())
    .bind(work_order)
    .bind(before_episode)
    .bind(State::Superseded.number())
    .bind(State::Issued.number())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// One page, of one survey or of all, and one invitation more to know of a next page.
pub(crate) async fn list(
    tx: &mut Transaction,
    tenant: &Tenant,
    survey: Option<&str>,
    page: &PageRequest,
) -> Result<Vec<Invitation>, Refusal> {
    let mut query: QueryBuilder<Postgres> =
        QueryBuilder::new(format!("SELECT {COLUMNS} FROM invitation WHERE tenant_id = "));
    query.push_bind(tenant.key());
    if let Some(survey) = survey {
        query.push(" AND survey_id = ").push_bind(survey);
    }
    page.push(&mut query, "invitation_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Row::invitation).collect()
}

/// The place of an invitation in a list.
pub(crate) fn place(invitation: &Invitation) -> PageKey {
    PageKey {
        time: invitation.create_time.as_microsecond(),
        id: invitation.id.into(),
    }
}
