//! All SQL about templates.

use huiyin_chassis::{Refusal, Tenant, Transaction, error::violated_constraint, listing::PageRequest, sql};
use jiff_sqlx::Timestamp;
use sqlx::QueryBuilder;

use super::domain::{Template, Words, canonical, id};
use crate::domain::Purpose;

#[derive(sqlx::FromRow)]
struct Row {
    purpose: i16,
    locale: String,
    version: i32,
    subject: String,
    body: String,
    author: String,
    create_time: Option<Timestamp>,
}

impl TryFrom<Row> for Template {
    type Error = Refusal;

    fn try_from(row: Row) -> Result<Self, Refusal> {
        let purpose = Purpose::of(row.purpose)
            .ok_or_else(|| Refusal::fault(anyhow::anyhow!("template.purpose is {}", row.purpose)))?;
        Ok(Self {
            purpose,
            locale: row.locale,
            version: row.version,
            words: Words {
                subject: row.subject,
                body: row.body,
            },
            update_time: row.create_time.map(Timestamp::to_jiff),
            author: row.author,
        })
    }
}

/// One version of a tenant's own template, or the one in force.
pub(crate) async fn get(
    tx: &mut Transaction,
    tenant: &Tenant,
    purpose: Purpose,
    locale: &str,
    version: Option<i32>,
) -> Result<Option<Template>, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT purpose, locale, version, subject, body, author, create_time
         FROM template
         WHERE tenant_id = $1 AND purpose = $2 AND locale = $3 AND ($4::integer IS NULL OR version = $4)
         ORDER BY version DESC
         LIMIT 1",
    )
    .bind(tenant.key())
    .bind(purpose.number())
    .bind(locale)
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Adds a version. ABORTED where somebody else added the same one in the meantime.
pub(crate) async fn insert(tx: &mut Transaction, tenant: &Tenant, template: &Template) -> Result<(), Refusal> {
    let done = sqlx::query(
        "INSERT INTO template (tenant_id, purpose, locale, version, subject, body, author, create_time, tag)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.key())
    .bind(template.purpose.number())
    .bind(&template.locale)
    .bind(template.version)
    .bind(&template.words.subject)
    .bind(&template.words.body)
    .bind(&template.author)
    .bind(sql::time_opt(template.update_time))
    .bind(canonical(&template.locale))
    .execute(&mut **tx)
    .await;
    match done {
        Ok(_) => Ok(()),
        Err(error) if violated_constraint(&error) == Some("template_pkey") => Err(Refusal::etag_mismatch(
            &tenant.child("templates", id(template.purpose, &template.locale)),
        )),
        Err(error) => Err(error.into()),
    }
}

/// A page of the templates in force, by name: the tenant's newest, and of the built-in ones those that it does not replace.
pub(crate) async fn list<'t>(
    tx: &mut Transaction,
    tenant: &Tenant,
    built_in: impl Iterator<Item = &'t Template>,
    page: &PageRequest,
) -> Result<Vec<Template>, Refusal> {
    let (mut ids, mut purposes, mut keys, mut locales, mut subjects, mut bodies) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    for template in built_in {
        ids.push(id(template.purpose, &template.locale));
        purposes.push(template.purpose.number());
        keys.push(template.purpose.key());
        locales.push(template.locale.clone());
        subjects.push(template.words.subject.clone());
        bodies.push(template.words.body.clone());
    }
    let tags: Vec<String> = locales.iter().map(|locale| canonical(locale)).collect();
    let mut query = QueryBuilder::new(
        "WITH built_in AS (
             SELECT * FROM unnest(",
    );
    query
        .push_bind(ids)
        .push("::text[], ")
        .push_bind(purposes.clone())
        .push("::smallint[], ");
    query
        .push_bind(locales)
        .push("::text[], ")
        .push_bind(tags)
        .push("::text[], ");
    query.push_bind(subjects).push("::text[], ").push_bind(bodies);
    query.push(
        "::text[]) AS built_in (id, purpose, locale, tag, subject, body)
         ), own AS (
             SELECT DISTINCT ON (purpose, locale) purpose, locale, tag, version, subject, body, author, create_time
             FROM template
             WHERE tenant_id = ",
    );
    query.push_bind(tenant.key().to_owned());
    query.push(
        " ORDER BY purpose, locale, version DESC
         ), in_force AS (
             SELECT b.id, b.purpose, b.locale, b.tag, 0 AS version, b.subject, b.body, '' AS author, NULL::timestamptz AS create_time
             FROM built_in b
             WHERE NOT EXISTS (SELECT FROM own o WHERE o.purpose = b.purpose AND o.locale = b.locale)
             UNION ALL
             SELECT k.key || '-' || o.locale, o.purpose, o.locale, o.tag, o.version, o.subject, o.body, o.author, o.create_time
             FROM own o
             JOIN (SELECT DISTINCT * FROM unnest(",
    );
    query.push_bind(purposes).push("::smallint[], ").push_bind(keys);
    query.push(
        "::text[]) AS key (purpose, key)) k ON k.purpose = o.purpose
         )
         SELECT purpose, locale, version, subject, body, author, create_time FROM in_force WHERE true",
    );
    page.push(&mut query, "id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut **tx).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
