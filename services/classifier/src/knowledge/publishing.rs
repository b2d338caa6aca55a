//! Use cases of publishing: publish, archive, go back.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    repeat::{self, Repeatable},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    articles::{self, existing, held},
    convert::{self, Answer},
    domain::{Article, Held, Publication, State},
    store, store_search, terms,
};
use crate::{error::Error, room::Room};

/// Who wants what to be done with a version.
pub(super) struct Wish<'r> {
    pub(super) tenant: &'r Tenant,
    pub(super) id: Uuid,
    pub(super) author: &'r str,
    pub(super) etag: &'r str,
    pub(super) repeat: Option<Repeatable>,
}

/// Publishes a version in the place of the one of its language.
pub(super) async fn publish(room: &Room, version: i32, wish: Wish<'_>) -> Result<Answer, Refusal> {
    let tenant = wish.tenant;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, wish.repeat.as_ref()).await? {
        return Ok(answer);
    }
    let held = held(&mut tx, tenant, wish.id, wish.etag).await?;
    let mut article = existing(&mut tx, tenant, wish.id, version).await?;
    if article.version.state != State::Published {
        let now = room.clock.now();
        let locale = article.version.content.locale.clone();
        let replaced_version = article.published.get(&locale).copied().unwrap_or(0);
        put_in_effect(
            &mut tx,
            tenant,
            (replaced_version, Some(&article)),
            wish.author,
            &held,
            now,
        )
        .await?;
        let publication = Publication {
            revision: held.revision + 1,
            version,
            replaced_version,
        };
        store::published(&mut tx, tenant, wish.id, &locale, publication, wish.author, now).await?;
        article = existing(&mut tx, tenant, wish.id, version).await?;
    }
    let answer = convert::article(tenant, &article);
    repeat::commit(tx, &room.clock, wish.repeat.as_ref(), answer).await
}

/// Gives a draft up, or withdraws what is published.
pub(super) async fn archive(room: &Room, version: i32, wish: Wish<'_>) -> Result<Answer, Refusal> {
    let tenant = wish.tenant;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, wish.repeat.as_ref()).await? {
        return Ok(answer);
    }
    let held = held(&mut tx, tenant, wish.id, wish.etag).await?;
    let mut article = existing(&mut tx, tenant, wish.id, version).await?;
    let before = article.version.state;
    if before != State::Archived {
        let now = room.clock.now();
        put_in_effect(&mut tx, tenant, (version, None), wish.author, &held, now).await?;
        if before == State::Published {
            let publication = Publication {
                revision: held.revision + 1,
                version: 0,
                replaced_version: version,
            };
            let locale = &article.version.content.locale;
            store::published(&mut tx, tenant, wish.id, locale, publication, wish.author, now).await?;
        }
        article = existing(&mut tx, tenant, wish.id, version).await?;
    }
    let answer = convert::article(tenant, &article);
    repeat::commit(tx, &room.clock, wish.repeat.as_ref(), answer).await
}

/// Takes back the last publication or withdrawal in a language; empty for that of the first version.
pub(super) async fn roll_back(room: &Room, locale: &str, wish: Wish<'_>) -> Result<Answer, Refusal> {
    let tenant = wish.tenant;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, wish.repeat.as_ref()).await? {
        return Ok(answer);
    }
    let held = held(&mut tx, tenant, wish.id, wish.etag).await?;
    let locale = if locale.is_empty() { &held.locale } else { locale };
    let last = store::last_publication(&mut tx, tenant, wish.id, locale).await?;
    let Some(last) = last.filter(|last| last.replaced_version != 0) else {
        return Err(Error::NoEarlierPublication {
            article: articles::name(tenant, wish.id),
            locale: locale.to_owned(),
        }
        .into());
    };
    store::take_back(&mut tx, tenant, wish.id, last.revision).await?;
    let earlier = existing(&mut tx, tenant, wish.id, last.replaced_version).await?;
    let now = room.clock.now();
    put_in_effect(&mut tx, tenant, (last.version, Some(&earlier)), wish.author, &held, now).await?;
    let article = existing(&mut tx, tenant, wish.id, last.replaced_version).await?;
    let answer = convert::article(tenant, &article);
    repeat::commit(tx, &room.clock, wish.repeat.as_ref(), answer).await
}

/// Archives a version (0: none) and publishes another, with what each is found by.
async fn put_in_effect(
    tx: &mut Transaction,
    tenant: &Tenant,
    (archived, published): (i32, Option<&Article>),
    author: &str,
    held: &Held,
    now: Timestamp,
) -> Result<(), Refusal> {
    if archived != 0 {
        store::archive(tx, tenant, held.id, archived).await?;
        store_search::forget(tx, tenant, held.id, archived).await?;
    }
    if let Some(article) = published {
        let version = &article.version;
        store::publish(tx, tenant, (held.id, version.version), author, now).await?;
        store_search::keep(tx, tenant, (held.id, version.version), terms::weighed(&version.content)).await?;
    }
    store::touch(tx, tenant, held, now).await
}
