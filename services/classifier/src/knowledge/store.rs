//! All SQL of articles, their versions and which are published.

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    convert::{audience_number, is_for_customers, state, state_number},
    domain::{Article, Content, Held, Publication, State, Uses, Version},
};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    article_id: Uuid,
    revision: i32,
    published: Json<BTreeMap<String, i32>>,
    used: i64,
    helped: i64,
    not_helped: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
    version: i32,
    kind: i32,
    locale: String,
    title: String,
    body: String,
    categories: Vec<String>,
    product_models: Vec<String>,
    keywords: Vec<String>,
    audience: i32,
    change_reason: String,
    state: i32,
    author: String,
    publisher: String,
    version_used: i64,
    version_helped: i64,
    version_not_helped: i64,
    version_create_time: jiff_sqlx::Timestamp,
    publish_time: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for Article {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let id = row.article_id;
        let state =
            state(row.state).ok_or_else(|| Refusal::fault(anyhow::anyhow!("article {id} has state {}", row.state)))?;
        let version = Version {
            version: row.version,
            content: Content {
                kind: row.kind,
                locale: row.locale,
                title: row.title,
                body: row.body,
                categories: row.categories,
                product_models: row.product_models,
                keywords: row.keywords,
                for_customers: is_for_customers(row.audience),
                change_reason: row.change_reason,
            },
            state,
            author: row.author,
            publisher: row.publisher,
            uses: Uses {
                used: row.version_used,
                helped: row.version_helped,
                not_helped: row.version_not_helped,
            },
            create_time: row.version_create_time.to_jiff(),
            publish_time: row.publish_time.map(jiff_sqlx::Timestamp::to_jiff),
        };
        Ok(Self {
            id,
            revision: row.revision,
            published: row.published.0,
            uses: Uses {
                used: row.used,
                helped: row.helped,
                not_helped: row.not_helped,
            },
            create_time: row.create_time.to_jiff(),
            update_time: row.update_time.to_jiff(),
            version,
        })
    }
}

/// Whether bodies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Whole,
    LeftOut,
}

/// The beginning of every question: a tenant's articles, each as each of its versions has it.
pub(super) fn select(tenant: &Tenant, body: Body) -> QueryBuilder<Postgres> {
    let body = match body {
        Body::Whole => "body",
        Body::LeftOut => "'' AS body",
    };
    let mut query = QueryBuilder::new(format!(
        "SELECT article_id, revision, used, helped, not_helped, create_time, update_time, version, kind, locale, title, {body},
                categories, product_models, keywords, audience, change_reason, state, author, publisher, version_used,
                version_helped, version_not_helped, version_create_time, publish_time,
                (SELECT COALESCE(jsonb_object_agg(p.locale, p.version), '{{}}')
                 FROM article_version AS p
                 WHERE p.tenant_id = listed.tenant_id AND p.article_id = listed.article_id AND p.state = 2) AS published
         FROM (
             SELECT a.tenant_id, a.article_id, a.shown_version, a.revision, a.used, a.helped, a.not_helped, a.create_time, a.update_time,
                    v.version, v.kind, v.locale, v.title, v.body, v.categories, v.product_models, v.keywords, v.audience,
                    v.change_reason, v.state, v.author, v.publisher, v.used AS version_used, v.helped AS version_helped,
                    v.not_helped AS version_not_helped, v.create_time AS version_create_time, v.publish_time
             FROM article AS a JOIN article_version AS v ON v.tenant_id = a.tenant_id AND v.article_id = a.article_id
         ) AS listed
         WHERE tenant_id = "
    ));
    query.push_bind(tenant.key().to_owned());
    query
}

/// What a question that begins with [`select`] finds.
pub(super) async fn fetch(tx: &mut Transaction, mut query: QueryBuilder<Postgres>) -> Result<Vec<Article>, Refusal> {
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(Article::try_from).collect()
}

/// An article, as a version has it.
pub(super) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    version: i32,
) -> Result<Option<Article>, Refusal> {
    let mut query = select(tenant, Body::Whole);
    query.push(" AND article_id = ").push_bind(id);
    query.push(" AND version = ").push_bind(version);
    Ok(fetch(tx, query).await?.pop())
}

/// The version of a language (empty: of the first version's): the published one, else the newest.
pub(super) async fn version_of(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    locale: &str,
) -> Result<Option<i32>, Refusal> {
    let version = sqlx::query_scalar(
        "SELECT v.version
         FROM article AS a JOIN article_version AS v ON v.tenant_id = a.tenant_id AND v.article_id = a.article_id
         WHERE a.tenant_id = $1 AND a.article_id = $2 AND v.locale = CASE WHEN $3 = '' THEN a.locale ELSE $3 END
         ORDER BY v.state = 2 DESC, v.version DESC LIMIT 1",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(locale)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(version)
}

/// An article, held until the transaction ends.
pub(super) async fn lock(tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Held>, Refusal> {
    let row: Option<(String, i32, i32)> = sqlx::query_as(
        "SELECT locale, last_version, revision FROM article WHERE tenant_id = $1 AND article_id = $2 FOR NO KEY UPDATE",
    )
    .bind(tenant.key())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(locale, last_version, revision)| Held {
        id,
        locale,
        last_version,
        revision,
    }))
}

/// Keeps a new article, whose first version is to follow.
pub(super) async fn insert(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    locale: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO article (tenant_id, article_id, locale, last_version, shown_version, revision, create_time, update_time)
         VALUES ($1, $2, $3, 1, 1, 1, $4, $4)",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(locale)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a new version, a draft.
pub(super) async fn insert_version(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, version): (Uuid, i32),
    content: &Content,
    author: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO article_version (tenant_id, article_id, version, kind, locale, title, body, categories, product_models,
             product_keys, keywords, audience, change_reason, state, author, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(version)
    .bind(content.kind)
    .bind(&content.locale)
    .bind(&content.title)
    .bind(&content.body)
    .bind(&content.categories)
    .bind(&content.product_models)
    .bind(content.product_keys())
    .bind(&content.keywords)
    .bind(audience_number(content.for_customers))
    .bind(&content.change_reason)
    .bind(state_number(State::Draft))
    .bind(author)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The next revision of an article, after its versions have changed.
pub(super) async fn touch(tx: &mut Transaction, tenant: &Tenant, held: &Held, now: Timestamp) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE article SET last_version = $3, revision = $4, update_time = $5, shown_version = (
             SELECT v.version FROM article_version AS v
             WHERE v.tenant_id = $1 AND v.article_id = $2 AND v.locale = article.locale
             ORDER BY v.state = 2 DESC, v.version DESC LIMIT 1)
         WHERE tenant_id = $1 AND article_id = $2",
    )
    .bind(tenant.key())
    .bind(held.id)
    .bind(held.last_version)
    .bind(held.revision + 1)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Archives a version.
pub(super) async fn archive(tx: &mut Transaction, tenant: &Tenant, id: Uuid, version: i32) -> Result<(), Refusal> {
    sqlx::query("UPDATE article_version SET state = $4 WHERE tenant_id = $1 AND article_id = $2 AND version = $3")
        .bind(tenant.key())
        .bind(id)
        .bind(version)
        .bind(state_number(State::Archived))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Publishes a version; none of its language is published.
pub(super) async fn publish(
    tx: &mut Transaction,
    tenant: &Tenant,
    (id, version): (Uuid, i32),
    publisher: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE article_version SET state = $4, publisher = $5, publish_time = $6
         WHERE tenant_id = $1 AND article_id = $2 AND version = $3",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(version)
    .bind(state_number(State::Published))
    .bind(publisher)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes which version took the place of which.
pub(super) async fn published(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    locale: &str,
    publication: Publication,
    author: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO article_publication (tenant_id, article_id, revision, locale, version, replaced_version, author, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(publication.revision)
    .bind(locale)
    .bind(publication.version)
    .bind(publication.replaced_version)
    .bind(author)
    .bind(sql::time(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The last publication or withdrawal in a language that was not taken back.
pub(super) async fn last_publication(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    locale: &str,
) -> Result<Option<Publication>, Refusal> {
    let row: Option<(i32, i32, i32)> = sqlx::query_as(
        "SELECT revision, version, replaced_version FROM article_publication
         WHERE tenant_id = $1 AND article_id = $2 AND locale = $3 AND NOT taken_back
         ORDER BY revision DESC LIMIT 1",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(locale)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(revision, version, replaced_version)| Publication {
        revision,
        version,
        replaced_version,
    }))
}

/// Notes that a publication was taken back.
pub(super) async fn take_back(tx: &mut Transaction, tenant: &Tenant, id: Uuid, revision: i32) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE article_publication SET taken_back = true WHERE tenant_id = $1 AND article_id = $2 AND revision = $3",
    )
    .bind(tenant.key())
    .bind(id)
    .bind(revision)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
