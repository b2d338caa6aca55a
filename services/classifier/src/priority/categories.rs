//! The categories that models go by must be those of the taxonomy beside them.

use std::collections::HashSet;

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::{
    check,
    domain::{Content, UsedFor},
    models::Model,
};
use crate::{domain::UNCLASSIFIED, error::Error, reading::lexicon::Lexicon, room::Room};

/// Categories in a content that a taxonomy does not have.
pub(super) fn unknown(content: &Content, lexicon: &Lexicon) -> check::Violations {
    let categories = lexicon.categories.iter().map(|category| category.key.as_str());
    let known: HashSet<&str> = categories.chain([UNCLASSIFIED]).collect();
    check::unknown_categories(content, |key| known.contains(key))
}

/// Rules of a model for categories that a taxonomy does not have would never hold, and nobody would hear of it.
fn knows_categories(tenant: &Tenant, used_for: UsedFor, model: &Model, lexicon: &Lexicon) -> Result<(), Refusal> {
    let missing = unknown(&model.content, lexicon);
    if missing.is_empty() {
        return Ok(());
    }
    let id = format!("{}-{}", used_for.key(), model.version);
    Err(Error::CategoriesMissing {
        priority_model: tenant.child("priorityModels", id),
        version: lexicon.version,
        missing,
    }
    .into())
}

/// Refuses a taxonomy that does not have the categories that the models in effect go by.
///
/// # Errors
/// CATEGORIES_MISSING; UNAVAILABLE where the database is gone.
pub(crate) async fn allow_taxonomy(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    lexicon: &Lexicon,
) -> Result<(), Refusal> {
    for used_for in UsedFor::ALL {
        let model = room.priorities.active(tx, tenant, used_for).await?;
        knows_categories(tenant, used_for, &model, lexicon)?;
    }
    Ok(())
}

/// Refuses a version that goes by categories that the taxonomy in effect does not have.
///
/// # Errors
/// CATEGORIES_MISSING; UNAVAILABLE where the database is gone.
pub(super) async fn allow_version(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    (used_for, version): (UsedFor, i32),
    name: &str,
) -> Result<(), Refusal> {
    let model = room.priorities.version(tx, tenant, used_for, version).await?;
    let model = model.ok_or_else(|| Refusal::not_found(name))?;
    knows_categories(tenant, used_for, &model, &*room.lexicons.active(tx, tenant).await?)
}
