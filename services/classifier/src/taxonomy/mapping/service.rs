//! Use cases of mappings: say one, read one.

use huiyin_chassis::{
    Refusal, Tenant,
    repeat::{self, Repeatable},
};

use super::{
    convert,
    domain::{self, Mapped, Mapping},
    store,
};
use crate::{
    room::Room,
    taxonomy::{service::whole, store as taxonomies},
};

/// What a caller says.
pub(super) struct Said<'r> {
    /// The later version.
    pub(super) version: i32,
    /// Its resource name.
    pub(super) name: &'r str,
    pub(super) from_version: i32,
    pub(super) categories: Vec<Mapped>,
    pub(super) author: &'r str,
    pub(super) etag: &'r str,
    pub(super) validate_only: bool,
}

/// Keeps a mapping in the place of the one before, or says what it would be.
pub(super) async fn say(
    room: &Room,
    tenant: &Tenant,
    said: Said<'_>,
    repeat: Option<Repeatable>,
) -> Result<convert::Answer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    if !said.validate_only {
        // Whoever says something of versions comes one after the other.
        taxonomies::lock(&mut tx, tenant, &room.lexicons.builtin).await?;
    }
    let (_, later) = whole(room, &mut tx, tenant, said.version)
        .await?
        .ok_or_else(|| Refusal::not_found(said.name))?;
    if said.from_version == said.version {
        return Err(Refusal::invalid_field(
            "mapping.from_version",
            "is the version itself: a version needs no mapping to itself",
        ));
    }
    let (_, earlier) = whole(room, &mut tx, tenant, said.from_version)
        .await?
        .ok_or_else(|| Refusal::not_found(&tenant.child("taxonomies", said.from_version)))?;
    let violations = domain::violations(&earlier, &later, &said.categories);
    if !violations.is_empty() {
        return Err(Refusal::invalid(
            violations
                .into_iter()
                .map(|(field, problem)| (format!("mapping.{field}"), problem))
                .collect(),
        ));
    }
    let known = store::find(&mut tx, tenant, said.version, said.from_version).await?;
    let etag = known
        .as_ref()
        .map_or_else(|| "0".to_owned(), |known| known.revision.to_string());
    if !said.etag.is_empty() && said.etag != etag {
        return Err(Refusal::etag_mismatch(said.name));
    }
    let now = room.clock.now();
    let mapping = Mapping {
        version: said.version,
        from_version: said.from_version,
        categories: said.categories,
        author: said.author.to_owned(),
        revision: known.as_ref().map_or(1, |known| known.revision + 1),
        create_time: known.map_or(now, |known| known.create_time),
        update_time: now,
    };
    let answer = convert::mapping(tenant, &mapping);
    if said.validate_only {
        tx.rollback().await;
        return Ok(answer);
    }
    store::put(&mut tx, tenant, &mapping).await?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// A mapping.
pub(super) async fn get(
    room: &Room,
    tenant: &Tenant,
    version: i32,
    from_version: i32,
) -> Result<Option<Mapping>, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = store::find(&mut tx, tenant, version, from_version).await?;
    tx.rollback().await;
    Ok(found)
}
