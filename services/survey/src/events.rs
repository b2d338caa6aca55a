//! What this room hears of others and tells them.

use huiyin_chassis::{Refusal, Tenant, Transaction, sql};
use huiyin_events::{Consume, Erased, Event, NewEvent, Payload, Whose};
use huiyin_proto::event::v1::{StateCategory, SurveyAnswered, SurveyInvited};

use crate::{
    invitation::{self, domain::Invitation},
    names,
    response::{self, domain::Response},
    room::Room,
    store_erasure,
};

impl Consume for Room {
    /// scheduler: a work order was resolved, or is being worked on again.
    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let Some(Payload::WorkOrderTransitioned(moved)) = &event.payload else {
            return Ok(());
        };
        let tenant = Tenant::stored(&event.tenant)?;
        let digest = moved.work_order.as_ref().ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "event {} does not say which work order moved",
                event.id
            ))
        })?;
        match moved.to() {
            StateCategory::Resolved => {
                self.invite(tx, &tenant, invitation::convert::resolution(digest)?, &event.actor)
                    .await
            }
            // A reopening begins an episode: what is superseded is of those before it. Other moves to these states find nothing.
            StateCategory::New | StateCategory::Active => {
                self.supersede(tx, &tenant, &digest.work_order, digest.episode).await
            }
            _ => Ok(()),
        }
    }

    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        store_erasure::erase(tx, whose).await
    }

    async fn export(&self, tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
        store_erasure::export(tx, whose).await
    }
}

/// An invitation was issued. Events about one work order's surveys share its name as their subject: they stay in order.
pub(crate) fn invited(tenant: &Tenant, invitation: &Invitation, actor: &str) -> Result<NewEvent, Refusal> {
    Ok(NewEvent {
        subject: invitation.about.work_order.clone(),
        actor: actor.to_owned(),
        payload: Payload::SurveyInvited(SurveyInvited {
            invitation: names::invitation(tenant, &invitation.survey, invitation.id),
            work_order: Some(invitation::convert::digest(&invitation.about)?),
            expire_time: Some(sql::to_proto(invitation.expire_time)),
        }),
    })
}

/// A customer answered. Nobody is named: who holds the token may answer.
pub(crate) fn answered(tenant: &Tenant, invitation: &Invitation, response: &Response) -> Result<NewEvent, Refusal> {
    let verdict = &response.verdict;
    Ok(NewEvent {
        subject: invitation.about.work_order.clone(),
        actor: bearer_subject(invitation.id),
        payload: Payload::SurveyAnswered(SurveyAnswered {
            invitation: names::invitation(tenant, &invitation.survey, invitation.id),
            work_order: Some(invitation::convert::digest(&invitation.about)?),
            scores: response::convert::scores(&verdict.scores),
            satisfaction: verdict.satisfaction,
            solved: verdict.solved,
            reopen: verdict.reopen,
            reason: verdict.reason.clone(),
        }),
    })
}

/// The subject under which whoever holds the token of an invitation acts.
pub(crate) fn bearer_subject(invitation: uuid::Uuid) -> String {
    format!("invitation:{invitation}")
}
