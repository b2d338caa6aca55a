//! What comes in by events, and who has to be told because of it; and the one event that goes out.

use huiyin_chassis::{Refusal, Tenant, Transaction, mask::mask, sql};
use huiyin_events::{Consume, Erased, NewEvent, Whose};
use huiyin_proto::event::v1::{
    Event, MessageSettled, SlaMark, StateCategory, WorkOrderDigest, WorkOrderProgressed, WorkOrderTransitioned,
    event::Payload,
};
use uuid::Uuid;

use crate::{
    domain::{Audience, Medium, Purpose},
    message::domain::{TOKEN, Telling},
    room::{Room, Wording},
    store_erasure,
    template::domain::Values,
};

/// The supervisors' inbox of work orders that no team has.
const FALLBACK: &str = "fallback";

impl Consume for Room {
    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let tellings = tellings(event, &self.wording)?;
        if tellings.is_empty() {
            return Ok(());
        }
        let tenant = Tenant::stored(&event.tenant)?;
        self.tell(tx, &tenant, &event.id, tellings).await
    }

    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        store_erasure::erase(tx, whose).await
    }

    async fn export(&self, tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
        store_erasure::export(tx, whose).await
    }
}

/// A message that reached its end.
#[derive(Debug)]
pub(crate) struct Settled<'m> {
    pub(crate) id: Uuid,
    pub(crate) work_order: &'m str,
    pub(crate) purpose: Purpose,
    pub(crate) medium: Medium,
    pub(crate) delivered: bool,
    pub(crate) attempts: i32,
}

impl Settled<'_> {
    /// The event that says so.
    pub(crate) fn event(&self, tenant: &Tenant, actor: &str) -> NewEvent {
        let message = tenant.child("messages", self.id);
        NewEvent {
            subject: message.clone(),
            actor: actor.to_owned(),
            payload: Payload::MessageSettled(MessageSettled {
                message,
                work_order: self.work_order.to_owned(),
                purpose: self.purpose.name().to_owned(),
                medium: self.medium.name().to_owned(),
                delivered: self.delivered,
                attempts: self.attempts,
            }),
        }
    }
}

/// Who has to be told because of an event, and what; nobody for most.
fn tellings(event: &Event, wording: &Wording) -> Result<Vec<Telling>, Refusal> {
    let missing = || Refusal::fault(anyhow::anyhow!("event {} names no work order", event.id));
    let about = |digest: &Option<WorkOrderDigest>| {
        digest
            .clone()
            .ok_or_else(missing)
            .map(|digest| About { digest, wording })
    };
    Ok(match &event.payload {
        Some(Payload::WorkOrderAssigned(said)) => {
            let about = about(&said.work_order)?;
            let facts = [
                ("due_time", about.time(said.due_time.as_ref())),
                ("reason", free(&said.reason)),
            ];
            vec![about.handler(Purpose::Assignment, &facts)]
        }
        Some(Payload::WorkOrderProgressed(said)) if !said.customer_text.is_empty() => {
            progressed(&about(&said.work_order)?, said)
        }
        Some(Payload::WorkOrderTransitioned(said)) => transitioned(&about(&said.work_order)?, said),
        Some(Payload::SlaClockMarked(said)) => {
            let about = about(&said.work_order)?;
            let facts = [
                ("clock", said.clock.clone()),
                ("due_time", about.time(said.due_time.as_ref())),
            ];
            match said.mark() {
                SlaMark::Warned => vec![about.handler(Purpose::SlaWarning, &facts)],
                // To both (003-42); where nobody handles it, the supervisor is the only one.
                SlaMark::Breached if about.digest.assignee.is_empty() => {
                    vec![about.supervisor(Purpose::SlaBreach, &facts)]
                }
                SlaMark::Breached => vec![
                    about.handler(Purpose::SlaBreach, &facts),
                    about.supervisor(Purpose::SlaBreach, &facts),
                ],
                SlaMark::Unspecified | SlaMark::Met | SlaMark::StoppedLate => Vec::new(),
            }
        }
        Some(Payload::SurveyInvited(said)) => {
            let about = about(&said.work_order)?;
            let link = wording.survey_link.replace("{token}", &TOKEN.to_string());
            let facts = [("link", link), ("expire_time", about.time(said.expire_time.as_ref()))];
            let telling = about.customer(Purpose::Survey, &facts);
            telling
                .map(|telling| Telling {
                    invitation: said.invitation.clone(),
                    ..telling
                })
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    })
}

fn progressed(about: &About<'_>, said: &WorkOrderProgressed) -> Vec<Telling> {
    let facts = [
        ("text", free(&said.customer_text)),
        ("stage", said.stage.clone()),
        ("promise_time", about.time(said.promise_time.as_ref())),
    ];
    about.customer(Purpose::Progress, &facts).into_iter().collect()
}

fn transitioned(about: &About<'_>, said: &WorkOrderTransitioned) -> Vec<Telling> {
    use StateCategory::{Active, Closed, New, Rejected, Resolved, Verifying};
    let outcome = |outcome: &str| {
        [
            ("outcome", outcome.to_owned()),
            ("resolution", free(&said.resolution)),
            ("reason", free(&said.reason)),
        ]
    };
    match (said.from(), said.to()) {
        (from, Resolved) if from != Resolved => about
            .customer(Purpose::Resolution, &outcome("RESOLVED"))
            .into_iter()
            .collect(),
        // Not taken on: the customer is told why (004-41).
        (from, Rejected) if from != Rejected => about
            .customer(Purpose::Resolution, &outcome("REJECTED"))
            .into_iter()
            .collect(),
        // It came back: from the customer, or from whoever looked it through (003-51).
        (Resolved | Closed | Rejected | Verifying, Active | New) => {
            vec![about.handler(Purpose::Reopened, &[("reason", free(&said.reason))])]
        }
        _ => Vec::new(),
    }
}

/// A work order that somebody is told about.
struct About<'w> {
    digest: WorkOrderDigest,
    wording: &'w Wording,
}

impl About<'_> {
    /// To the assignee; where there is none, to the supervisors of the team (003-31).
    fn handler(&self, purpose: Purpose, facts: &[(&'static str, String)]) -> Telling {
        if self.digest.assignee.is_empty() {
            return self.supervisor(purpose, facts);
        }
        self.telling(purpose, Audience::Assignee, self.digest.assignee.clone(), facts)
    }

    /// To the supervisors of the team.
    fn supervisor(&self, purpose: Purpose, facts: &[(&'static str, String)]) -> Telling {
        let team = if self.digest.team.is_empty() {
            FALLBACK
        } else {
            &self.digest.team
        };
        self.telling(purpose, Audience::Supervisor, format!("team:{team}"), facts)
    }

    /// To the customer. Nobody is told where nobody is known: intake knows everybody who left an address or a reference.
    fn customer(&self, purpose: Purpose, facts: &[(&'static str, String)]) -> Option<Telling> {
        let feedback = self
            .digest
            .feedback
            .as_ref()
            .filter(|feedback| !feedback.customer.is_empty())?;
        let telling = self.telling(purpose, Audience::Customer, feedback.customer.clone(), facts);
        Some(Telling {
            language: feedback.language.clone(),
            reachable: feedback.reachable,
            ..telling
        })
    }

    fn telling(
        &self,
        purpose: Purpose,
        audience: Audience,
        recipient: String,
        facts: &[(&'static str, String)],
    ) -> Telling {
        let feedback = self.digest.feedback.clone().unwrap_or_default();
        let known = |name: &str| match name {
            "assignee" => self.digest.assignee.clone(),
            "category" => self.digest.category.clone(),
            "episode" => self.digest.episode.to_string(),
            "excerpt" => free(&self.digest.excerpt),
            "feedback_number" => feedback.number.clone(),
            "number" => self.digest.number.clone(),
            "priority" => self
                .digest
                .priority
                .as_ref()
                .map(|priority| priority.key.clone())
                .unwrap_or_default(),
            "product_model" => free(&feedback.product_model),
            "team" => self.digest.team.clone(),
            _ => facts
                .iter()
                .find(|(fact, _)| *fact == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
        };
        let values: Values = purpose
            .variables()
            .iter()
            .map(|variable| (variable.name, known(variable.name)))
            .collect();
        Telling {
            purpose,
            audience,
            recipient,
            language: self.wording.staff_locale.clone(),
            reachable: false,
            values,
            invitation: String::new(),
            work_order: self.digest.work_order.clone(),
            feedback: feedback.feedback,
            episode: self.digest.episode,
        }
    }

    /// A time as people say it; empty where there is none.
    fn time(&self, time: Option<&prost_types::Timestamp>) -> String {
        let zoned = sql::from_proto(time).map(|time| time.to_zoned(self.wording.time_zone.clone()));
        zoned
            .map(|zoned| zoned.strftime("%Y-%m-%d %H:%M").to_string())
            .unwrap_or_default()
    }
}

/// What a person wrote: without what names somebody (001-81), and without the place of a token.
fn free(text: &str) -> String {
    mask(&text.replace(TOKEN, ""))
}

#[cfg(test)]
mod tests;
