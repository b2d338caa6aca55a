//! Use cases of articles: write, read, list.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
};
use uuid::Uuid;

use super::{
    convert::{self, ARTICLES, Answer},
    domain::{Article, Content, Held, Sees},
    store::{self, Body},
};
use crate::room::Room;

const LOCALE: Field = Field::of("locale", Kind::Text);
const STATE: Field = Field::of("state", Kind::Enum("huiyin.classifier.v1.ArticleState"));
const AUTHOR: Field = Field::of("author", Kind::Text);
const VERSION: Field = Field::of("version", Kind::Integer);
const CREATE_TIME: Field = Field::of("create_time", Kind::Time);
const UPDATE_TIME: Field = Field::of("update_time", Kind::Time);
const USED: Field = Field::at("uses.used", "used", Kind::Integer);

const FIELDS: &[Field] = &[
    Field::of("kind", Kind::Enum("huiyin.classifier.v1.ArticleKind")),
    LOCALE,
    STATE,
    Field::of("audience", Kind::Enum("huiyin.classifier.v1.ArticleAudience")),
    Field::of("categories", Kind::Set),
    Field::of("product_models", Kind::Set),
    AUTHOR,
    CREATE_TIME,
    UPDATE_TIME,
    USED,
];
const VERSION_FIELDS: &[Field] = &[
    VERSION,
    LOCALE,
    STATE,
    AUTHOR,
    Field::of("version_create_time", Kind::Time),
];

/// Name of an article.
pub(super) fn name(tenant: &Tenant, id: Uuid) -> String {
    tenant.child(ARTICLES, id)
}

/// An article held for a change, where it is the one that the caller has read.
pub(super) async fn held(tx: &mut Transaction, tenant: &Tenant, id: Uuid, etag: &str) -> Result<Held, Refusal> {
    let held = store::lock(tx, tenant, id).await?;
    let held = held.ok_or_else(|| Refusal::not_found(&name(tenant, id)))?;
    if !etag.is_empty() && etag != held.revision.to_string() {
        return Err(Refusal::etag_mismatch(&name(tenant, id)));
    }
    Ok(held)
}

/// A version, or that there is none.
pub(super) async fn existing(
    tx: &mut Transaction,
    tenant: &Tenant,
    id: Uuid,
    version: i32,
) -> Result<Article, Refusal> {
    let found = store::find(tx, tenant, id, version).await?;
    found.ok_or_else(|| Refusal::not_found(&name(tenant, id)))
}

/// Refuses categories that the taxonomy in effect does not have.
async fn check(room: &Room, tx: &mut Transaction, tenant: &Tenant, content: &Content) -> Result<(), Refusal> {
    let lexicon = room.lexicons.active(tx, tenant).await?;
    let known = |key: &String| lexicon.categories.iter().any(|category| category.key == *key);
    let unknown = content.categories.iter().enumerate().filter(|(_, key)| !known(key));
    let violations: Vec<(String, String)> = unknown
        .map(|(at, key)| {
            let problem = format!("version {} of the taxonomy has no category {key}", lexicon.version);
            (format!("article.categories[{at}]"), problem)
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Refusal::invalid(violations))
    }
}

/// Makes an article with its first version.
pub(super) async fn create(
    room: &Room,
    tenant: &Tenant,
    author: &str,
    content: Content,
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    check(room, &mut tx, tenant, &content).await?;
    let (id, now) = (room.clock.id(), room.clock.now());
    store::insert(&mut tx, tenant, id, &content.locale, now).await?;
    store::insert_version(&mut tx, tenant, (id, 1), &content, author, now).await?;
    let article = existing(&mut tx, tenant, id, 1).await?;
    let answer = convert::article(tenant, &article);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Writes the next version.
pub(super) async fn update(
    room: &Room,
    tenant: &Tenant,
    id: Uuid,
    author: &str,
    (content, etag): (Content, &str),
    repeat: Option<Repeatable>,
) -> Result<Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let mut held = held(&mut tx, tenant, id, etag).await?;
    check(room, &mut tx, tenant, &content).await?;
    held.last_version += 1;
    let now = room.clock.now();
    store::insert_version(&mut tx, tenant, (id, held.last_version), &content, author, now).await?;
    store::touch(&mut tx, tenant, &held, now).await?;
    let article = existing(&mut tx, tenant, id, held.last_version).await?;
    let answer = convert::article(tenant, &article);
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// A version, or where none is named (0) that of a language.
pub(super) async fn get(
    room: &Room,
    tenant: &Tenant,
    id: Uuid,
    (version, locale): (i32, &str),
    sees: Sees,
) -> Result<Article, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let version = match version {
        0 => store::version_of(&mut tx, tenant, id, locale).await?,
        version => Some(version),
    };
    let found = match version {
        Some(version) => store::find(&mut tx, tenant, id, version).await?,
        None => None,
    };
    tx.rollback().await;
    let found = found.filter(|article| sees.shows(article));
    found.ok_or_else(|| Refusal::not_found(&name(tenant, id)))
}

/// The articles of a page, without bodies.
pub(super) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Article>, Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        "articles",
        paging,
        (FIELDS, &[UPDATE_TIME, CREATE_TIME, USED]),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    let mut query = store::select(tenant, Body::LeftOut);
    query.push(" AND version = shown_version");
    page.push(&mut query, "article_id");
    let found = store::fetch(&mut tx, query).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, found, |article| PageKey {
        time: match paging.order_by.split_whitespace().next() {
            Some("create_time") => article.create_time.as_microsecond(),
            Some("uses.used") => article.uses.used,
            _ => article.update_time.as_microsecond(),
        },
        id: article.id.into(),
    }))
}

/// The versions of a page, without bodies.
pub(super) async fn list_versions(
    room: &Room,
    tenant: &Tenant,
    id: Uuid,
    paging: Paging<'_>,
) -> Result<Page<Article>, Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        &format!("articles/{id}/versions"),
        paging,
        (VERSION_FIELDS, &[VERSION]),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    // An article has a version 1.
    existing(&mut tx, tenant, id, 1).await?;
    let mut query = store::select(tenant, Body::LeftOut);
    query.push(" AND article_id = ").push_bind(id);
    page.push(&mut query, "version::text");
    let found = store::fetch(&mut tx, query).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, found, |article| PageKey {
        time: article.version.version.into(),
        id: article.version.version.to_string().into(),
    }))
}
