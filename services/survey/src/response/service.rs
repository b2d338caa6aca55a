//! Use cases of answers: taking one for a token, and reading them.

use huiyin_chassis::{
    Refusal, Tenant,
    listing::{Page, PageRequest},
    mask::mask,
    repeat::Repeatable,
};
use uuid::Uuid;

use super::{
    domain::{Answer, Response, judge},
    store,
};
use crate::{
    Room, events,
    invitation::{self, domain::State, token::Bearer},
    names,
};

impl Room {
    /// Takes the answer of the bearer of a token and spends the token. Of two at the same time one waits for the other and
    /// then finds it spent.
    pub(crate) async fn submit(
        &self,
        bearer: &Bearer,
        repeat: Option<Repeatable>,
        answer: Answer,
    ) -> Result<Response, Refusal> {
        let tenant = &bearer.tenant;
        let mut tx = self.database.tenant(tenant).await?;
        // An answer never changes: its id is answer enough to give the first answer again.
        if let Some(repeat) = &repeat
            && let Some(id) = repeat.answered::<String>(&mut tx).await?
        {
            let id = Uuid::try_parse(&id).map_err(Refusal::fault)?;
            return store::get(&mut tx, tenant, id)
                .await?
                .ok_or_else(|| Refusal::fault(anyhow::anyhow!("response {id} is gone")));
        }
        let invitation = self.presented_for_answer(&mut tx, bearer).await?;
        let now = self.clock.now();
        invitation.require_open(now)?;
        let survey = self.asked(&mut tx, tenant, &invitation).await?;
        let answer = Answer {
            comment: mask(&answer.comment),
            reason: mask(&answer.reason),
            ..answer
        };
        let verdict = judge(answer, &survey.definition).map_err(Refusal::invalid)?;

        let response = Response::new(
            self.clock.id(),
            (survey.id, survey.version),
            invitation.id,
            &invitation.about,
            verdict,
            now,
        );
        store::insert(&mut tx, tenant, &response).await?;
        invitation::store::answer(&mut tx, tenant, invitation.id, response.id, now).await?;
        self.outbox
            .append(&mut tx, tenant, events::answered(tenant, &invitation, &response)?)
            .await?;
        if let Some(repeat) = repeat {
            repeat.answer(&mut tx, &self.clock, &response.id.to_string()).await?;
        }
        self.meters.invitations(&mut tx, State::Answered, 1);
        self.meters.answer(&mut tx, response.verdict.reopen);
        tx.commit().await?;
        Ok(response)
    }

    /// One answer to a survey.
    pub(crate) async fn response(&self, tenant: &Tenant, survey: &str, id: Uuid) -> Result<Response, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let response = store::get(&mut tx, tenant, id).await?;
        tx.commit().await?;
        response
            .filter(|response| response.survey == survey)
            .ok_or_else(|| Refusal::not_found(&names::response(tenant, survey, id)))
    }

    /// One page of the answers to one survey, or to all.
    pub(crate) async fn responses(
        &self,
        tenant: &Tenant,
        survey: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Response>, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        self.require_survey(&mut tx, tenant, survey).await?;
        let responses = store::list(&mut tx, tenant, survey, page).await?;
        tx.commit().await?;
        Ok(page.page(&self.page_tokens, responses, store::place))
    }
}
