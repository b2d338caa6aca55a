//! Use cases of invitations: issued by a resolution, superseded by a reopening, ended by their timer, opened by their token.

use huiyin_chassis::{
    Caller, Refusal, Tenant, Transaction,
    listing::{Page, PageRequest},
    secret, timer,
};
use uuid::Uuid;

use super::{
    domain::{Invitation, Resolution, State},
    store,
    token::Bearer,
};
use crate::{
    error::Error,
    events, names,
    room::Room,
    survey::{
        self,
        domain::{RESOLUTION, Survey},
    },
};

/// The timer that ends an invitation; its key is the invitation.
///
/// It is never taken back: where the invitation has ended otherwise it does nothing. Taking it back with the answer would
/// have two transactions wait for each other where the answer comes in the last moment.
const TIMER: &str = "invitation";

impl Room {
    /// Invites the customer to rate a resolution: exactly once, however often it is told (000-55). `actor` is who resolved.
    pub(crate) async fn invite(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        about: Resolution,
        actor: &str,
    ) -> Result<(), Refusal> {
        store::lock_work_order(tx, tenant, &about.work_order).await?;
        let survey = survey::store::in_force(tx, tenant, RESOLUTION)
            .await?
            .ok_or_else(|| Refusal::fault(anyhow::anyhow!("the survey {RESOLUTION} is not there")))?;
        let (id, nonce) = (self.clock.id(), secret::random_bytes());
        let hash = secret::hash(self.tokens.mint(tenant, id, &nonce).as_bytes());
        let invitation = Invitation::issue(id, &survey, about, (nonce, hash), self.clock.now());
        if !store::insert(tx, tenant, &invitation).await? {
            return Ok(());
        }
        timer::schedule(tx, tenant, TIMER, &id.to_string(), invitation.end_time(), &()).await?;
        self.outbox
            .append(tx, tenant, events::invited(tenant, &invitation, actor)?)
            .await?;
        self.meters.invitations(tx, State::Issued, 1);
        Ok(())
    }

    /// The work order is being worked on again: what was asked about an earlier resolution is of no interest any more.
    pub(crate) async fn supersede(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        work_order: &str,
        episode: i32,
    ) -> Result<(), Refusal> {
        let superseded = store::supersede(tx, tenant, work_order, episode).await?;
        self.meters.invitations(tx, State::Superseded, superseded);
        Ok(())
    }

    /// One invitation of a survey.
    pub(crate) async fn invitation(&self, tenant: &Tenant, survey: &str, id: Uuid) -> Result<Invitation, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let invitation = store::get(&mut tx, tenant, id).await?;
        tx.commit().await?;
        invitation
            .filter(|invitation| invitation.survey == survey)
            .ok_or_else(|| Refusal::not_found(&names::invitation(tenant, survey, id)))
    }

    /// One page of the invitations of one survey, or of all.
    pub(crate) async fn invitations(
        &self,
        tenant: &Tenant,
        survey: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        self.require_survey(&mut tx, tenant, survey).await?;
        let invitations = store::list(&mut tx, tenant, survey, page).await?;
        tx.commit().await?;
        Ok(page.page(&self.page_tokens, invitations, store::place))
    }

    /// The token of an invitation that can still be answered, made again.
    pub(crate) async fn reveal_token(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        survey: &str,
        id: Uuid,
    ) -> Result<(String, Invitation), Refusal> {
        let invitation = self.invitation(tenant, survey, id).await?;
        invitation.require_open(self.clock.now())?;
        let token = self
            .tokens
            .remake(tenant, id, &invitation.token_nonce, &invitation.token_hash)
            .ok_or_else(|| {
                Refusal::fault(anyhow::anyhow!(
                    "the key that made the token of invitation {id} is configured no longer"
                ))
            })?;
        tracing::info!(%tenant, invitation = %id, caller = caller.subject, "a token was revealed");
        Ok((token, invitation))
    }

    /// Whom a token speaks for.
    ///
    /// # Errors
    /// NOT_FOUND / TOKEN_UNKNOWN, whatever is wrong with it.
    pub(crate) fn bearer(&self, token: &str) -> Result<Bearer, Refusal> {
        Ok(self.tokens.verify(token).ok_or(Error::TokenUnknown)?)
    }

    /// What the bearer of a token is asked.
    pub(crate) async fn form(&self, bearer: &Bearer) -> Result<(Invitation, Survey), Refusal> {
        let mut tx = self.database.tenant(&bearer.tenant).await?;
        let invitation = presented(bearer, store::get(&mut tx, &bearer.tenant, bearer.invitation).await?)?;
        invitation.require_open(self.clock.now())?;
        let survey = self.asked(&mut tx, &bearer.tenant, &invitation).await?;
        tx.commit().await?;
        Ok((invitation, survey))
    }

    /// The invitation that a token presents, with nobody else answering it before the end of the transaction.
    pub(crate) async fn presented_for_answer(
        &self,
        tx: &mut Transaction,
        bearer: &Bearer,
    ) -> Result<Invitation, Refusal> {
        presented(
            bearer,
            store::get_for_update(tx, &bearer.tenant, bearer.invitation).await?,
        )
    }

    /// The survey at the version that an invitation was issued with.
    pub(crate) async fn asked(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        invitation: &Invitation,
    ) -> Result<Survey, Refusal> {
        let survey = survey::store::at_version(tx, tenant, &invitation.survey, invitation.survey_version).await?;
        survey.ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "invitation {} asks a version that is not there",
                invitation.id
            ))
        })
    }
}

/// The invitation, where the token is the one whose hash is stored with it.
fn presented(bearer: &Bearer, found: Option<Invitation>) -> Result<Invitation, Refusal> {
    let invitation = found.filter(|invitation| secret::same(&invitation.token_hash, &bearer.token_hash));
    Ok(invitation.ok_or(Error::TokenUnknown)?)
}

impl timer::Fire for Room {
    async fn fire(&self, tx: &mut Transaction, timer: &timer::Timer) -> Result<(), Refusal> {
        let id = Uuid::try_parse(&timer.key).map_err(Refusal::fault)?;
        if timer.kind == TIMER && store::expire(tx, &timer.tenant, id).await? {
            self.meters.invitations(tx, State::Expired, 1);
        }
        Ok(())
    }
}
