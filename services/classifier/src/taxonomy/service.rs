//! Use cases of taxonomies: read, list, create, activate, check, compare.

use std::sync::Arc;

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Page, PageKey, PageRequest, Paging},
    repeat::{self, Repeatable},
    shelf::{self, Which},
};

use super::{
    check,
    convert::{self, WithBroken as _},
    diff::{self, Difference},
    domain::{Content, Head, NewTaxonomy},
    examples::{self, Broken},
    store,
};
use crate::{domain::SYSTEM, error::Error, priority, reading::lexicon::Lexicon, room::Room};

/// A version, whole.
pub(super) async fn get(room: &Room, tenant: &Tenant, which: Which, name: &str) -> Result<(Head, Content), Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let version = match which {
        Which::Active => store::active_version(&mut tx, tenant).await?,
        Which::Version(version) => version,
    };
    let found = whole(room, &mut tx, tenant, version).await?;
    tx.rollback().await;
    found.ok_or_else(|| Refusal::not_found(name))
}

/// The versions of a page, without their contents.
pub(super) async fn list(room: &Room, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Head>, Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        "taxonomies",
        paging,
        (shelf::FIELDS, shelf::ORDERS),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    let heads = store::list(&mut tx, tenant, &room.lexicons.builtin, &page).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, heads, |head| PageKey {
        time: head.version.into(),
        id: head.version.to_string().into(),
    }))
}

/// Makes a version, or says what it would be.
pub(super) async fn create(
    room: &Room,
    tenant: &Tenant,
    author: &str,
    new: NewTaxonomy,
    validate_only: bool,
    repeat: Option<Repeatable>,
) -> Result<convert::Taxonomy, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let content = new.content;
    let made_ready = tokio::task::spawn_blocking(move || made_ready(content));
    let (lexicon, content) = made_ready.await.map_err(Refusal::fault)??;
    let (content, broken) = broken(Arc::new(lexicon), content).await?;
    if !validate_only {
        store::lock(&mut tx, tenant, &room.lexicons.builtin).await?;
    }
    let version = store::next_version(&mut tx, tenant).await?;
    let head = Head {
        version,
        display_name: new.display_name,
        change_reason: new.change_reason,
        author: author.to_owned(),
        active: false,
        revision: 1,
        create_time: room.clock.now(),
        activate_time: None,
    };
    let answer = convert::taxonomy(tenant, &head, Some(&content)).with_broken(&broken)?;
    if validate_only {
        tx.rollback().await;
        return Ok(answer);
    }
    store::insert(&mut tx, tenant, &head, &content).await?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// A content with what it is read by: what cannot be made ready must not become a version that may be activated. Compiling what others wrote
/// is work for a thread of its own.
fn made_ready(content: Content) -> Result<(Lexicon, Content), Refusal> {
    let violations = check::violations(&content);
    if !violations.is_empty() {
        let below = |(field, problem)| (format!("taxonomy.{field}"), problem);
        return Err(Refusal::invalid(violations.into_iter().map(below).collect()));
    }
    let lexicon = Lexicon::new(0, &content);
    let lexicon = lexicon.map_err(|error| Refusal::invalid_field("taxonomy.categories", error.to_string()))?;
    Ok((lexicon, content))
}

/// Puts a version into effect.
pub(super) async fn activate(
    room: &Room,
    tenant: &Tenant,
    version: i32,
    name: &str,
    etag: &str,
    repeat: Option<Repeatable>,
) -> Result<convert::Taxonomy, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    store::lock(&mut tx, tenant, &room.lexicons.builtin).await?;
    let head = store::head(&mut tx, tenant, version)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    if !etag.is_empty() && etag != head.revision.to_string() {
        return Err(Refusal::etag_mismatch(name));
    }
    if !head.active {
        keeps_its_examples(room, &mut tx, tenant, version).await?;
        if let Some(lexicon) = room.lexicons.version(&mut tx, tenant, version).await? {
            priority::categories::allow_taxonomy(room, &mut tx, tenant, &lexicon).await?;
        }
        store::activate(&mut tx, tenant, version, room.clock.now()).await?;
    }
    let (head, content) = whole(room, &mut tx, tenant, version)
        .await?
        .ok_or_else(|| Refusal::not_found(name))?;
    let answer = convert::taxonomy(tenant, &head, Some(&content));
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// A version that does not keep its own examples does not come into effect (001-40).
async fn keeps_its_examples(room: &Room, tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<(), Refusal> {
    let Some(content) = store::content(tx, tenant, version).await? else {
        return Ok(()); // version 0: a test of ours reads its examples
    };
    let Some(lexicon) = room.lexicons.version(tx, tenant, version).await? else {
        return Ok(());
    };
    let (_, broken) = broken(lexicon, content).await?;
    if broken.is_empty() {
        return Ok(());
    }
    let problem = |broken: &Broken| (broken.field.clone(), broken.problem());
    Err(Error::ExamplesBroken {
        version,
        examples: broken.iter().map(problem).collect(),
    }
    .into())
}

/// A version's head with the examples that it does not keep.
pub(super) async fn check(
    room: &Room,
    tenant: &Tenant,
    which: Which,
    name: &str,
) -> Result<(Head, Vec<Broken>), Refusal> {
    let (head, content) = get(room, tenant, which, name).await?;
    let mut tx = room.database.tenant(tenant).await?;
    let lexicon = room.lexicons.version(&mut tx, tenant, head.version).await?;
    tx.rollback().await;
    let lexicon = lexicon.ok_or_else(|| Refusal::not_found(name))?;
    let (_, broken) = broken(lexicon, content).await?;
    Ok((head, broken))
}

/// The examples of a content that it does not keep; reading up to thousands of texts is work for a thread of its own, which ends where the
/// caller has given up.
async fn broken(lexicon: Arc<Lexicon>, content: Content) -> Result<(Content, Vec<Broken>), Refusal> {
    // Closed where this future is dropped, at the deadline of the call.
    let (asks, _waits) = tokio::sync::oneshot::channel::<()>();
    let read = move || {
        let broken = examples::broken(&lexicon, &content, &|| !asks.is_closed());
        broken.map(|broken| (content, broken))
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(Refusal::fault)?;
    read.ok_or_else(Refusal::deadline_passed)
}

/// What differs between a version and a base.
pub(super) async fn compare(
    room: &Room,
    tenant: &Tenant,
    which: Which,
    name: &str,
    base: i32,
) -> Result<Vec<Difference>, Refusal> {
    let (_, content) = get(room, tenant, which, name).await?;
    let base_name = tenant.child("taxonomies", base);
    let (_, base) = get(room, tenant, Which::Version(base), &base_name).await?;
    diff::differences(&base, &content).map_err(Refusal::fault)
}

/// A version with its content; none where the tenant has no such version.
pub(super) async fn whole(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    version: i32,
) -> Result<Option<(Head, Content)>, Refusal> {
    let head = store::head(tx, tenant, version).await?;
    if version != 0 {
        let content = store::content(tx, tenant, version).await?;
        return Ok(head.zip(content));
    }
    let builtin = &room.lexicons.builtin;
    let head = head.unwrap_or_else(|| Head {
        version: 0,
        display_name: builtin.display_name.clone(),
        change_reason: builtin.change_reason.clone(),
        author: SYSTEM.to_owned(),
        active: true, // nothing was ever activated in its place
        revision: 1,
        create_time: builtin.made,
        activate_time: None,
    });
    Ok(Some((head, builtin.content.clone())))
}
