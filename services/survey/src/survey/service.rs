//! Use cases of surveys: reading versions and saving new ones.

use huiyin_chassis::{
    Caller, Refusal, Tenant, Transaction,
    listing::{Page, PageRequest},
    repeat::Repeatable,
};

use super::{
    domain::{Changes, Survey},
    store,
};
use crate::{names, room::Room};

/// An update as it was asked for.
#[derive(Debug)]
pub(crate) struct Update {
    /// Which survey.
    pub(crate) survey: String,
    /// What is to become different.
    pub(crate) changes: Changes,
    /// The version that the caller saw; empty where they do not care.
    pub(crate) etag: String,
    /// True: check, answer, and save nothing.
    pub(crate) validate_only: bool,
}

impl Room {
    /// The survey at the version in force, or at the one asked for.
    pub(crate) async fn survey(&self, tenant: &Tenant, id: &str, version: Option<i32>) -> Result<Survey, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let survey = match version {
            Some(version) => store::at_version(&mut tx, tenant, id, version).await?,
            None => store::in_force(&mut tx, tenant, id).await?,
        };
        tx.commit().await?;
        survey.ok_or_else(|| Refusal::not_found(&names::survey(tenant, id)))
    }

    /// One page of the surveys at their versions in force.
    pub(crate) async fn surveys(&self, tenant: &Tenant, page: &PageRequest) -> Result<Page<Survey>, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let surveys = store::list(&mut tx, tenant, page).await?;
        tx.commit().await?;
        Ok(page.page(&self.page_tokens, surveys, store::place))
    }

    /// Saves a new version, unless nothing of it is new. Invitations that are out keep theirs.
    pub(crate) async fn update_survey(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        update: Update,
    ) -> Result<Survey, Refusal> {
        let missing = || Refusal::not_found(&names::survey(tenant, &update.survey));
        let mut tx = self.database.tenant(tenant).await?;
        // A version never changes: its number is answer enough to give the first answer again.
        if let Some(repeat) = repeat.as_ref().filter(|_| !update.validate_only)
            && let Some(version) = repeat.answered::<i32>(&mut tx).await?
        {
            return store::at_version(&mut tx, tenant, &update.survey, version)
                .await?
                .ok_or_else(missing);
        }
        store::lock(&mut tx, tenant, &update.survey).await?;
        let current = store::in_force(&mut tx, tenant, &update.survey)
            .await?
            .ok_or_else(missing)?;
        if !update.etag.is_empty() && update.etag != current.etag() {
            return Err(Refusal::etag_mismatch(&names::survey(tenant, &update.survey)));
        }
        let changed = current
            .changed(update.changes, self.clock.now(), &caller.subject)
            .map_err(Refusal::invalid)?;
        if update.validate_only {
            return Ok(changed.unwrap_or(current));
        }
        if let Some(next) = &changed {
            store::insert(&mut tx, tenant, next).await?;
        }
        let survey = changed.unwrap_or(current);
        if let Some(repeat) = repeat {
            repeat.answer(&mut tx, &self.clock, &survey.version).await?;
        }
        tx.commit().await?;
        Ok(survey)
    }

    /// Refuses a survey that is not there; `None` stands for all of them.
    pub(crate) async fn require_survey(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        id: Option<&str>,
    ) -> Result<(), Refusal> {
        match id {
            Some(id) if store::in_force(tx, tenant, id).await?.is_none() => {
                Err(Refusal::not_found(&names::survey(tenant, id)))
            }
            _ => Ok(()),
        }
    }
}
