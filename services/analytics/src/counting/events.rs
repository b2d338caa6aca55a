//! Events of the other services, and what analytics keeps of them.

use std::sync::Arc;

use huiyin_chassis::{Refusal, Transaction, name, sql};
use huiyin_events::{Consume, Erased, Event, Payload, Whose};
use huiyin_proto::{
    event::v1::{self as proto, SlaMark, StateCategory},
    r#type::v1::{Channel, FeedbackDigest},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::store::{self, Taken};
use crate::{
    fact::change::{Change, Deadline, Happening, Mark, Order, Priority, Score, State, Submission},
    room::Room,
    store_erasure,
};

impl Consume for Room {
    /// Takes the event in; the counter does the rest. The same event again changes nothing.
    async fn consume(&self, tx: &mut Transaction, event: &Event) -> Result<(), Refusal> {
        let Some(happening) = happening(event)? else {
            return Ok(());
        };
        let taken = Taken {
            event: Uuid::try_parse(&event.id)
                .map_err(|_| Refusal::fault(anyhow::anyhow!("the event's id is no UUID")))?,
            source: event.source.clone(),
            time: moment(event.occur_time.as_ref(), "occur_time")?,
            happening,
        };
        store::take_in(tx, &event.tenant, &taken).await?;
        let wake = Arc::clone(&self.wake);
        tx.on_commit(move || wake.notify_one());
        Ok(())
    }

    async fn erase(&self, tx: &mut Transaction, whose: &Whose) -> Result<Erased, Refusal> {
        store_erasure::erase(tx, whose, self.clock.id()).await
    }

    async fn export(&self, tx: &mut Transaction, whose: &Whose) -> Result<Vec<String>, Refusal> {
        store_erasure::export(tx, whose).await
    }
}

/// What an event says, where analytics counts events of its kind.
fn happening(event: &Event) -> Result<Option<Happening>, Refusal> {
    let Some(payload) = &event.payload else { return Ok(None) }; // a newer kind than this version knows
    let (feedback, change) = match payload {
        Payload::FeedbackSubmitted(said) => submitted(said)?,
        // What is held is counted when its submission comes; what was submitted stays counted where it is.
        Payload::FeedbackQuarantined(_) | Payload::FeedbackReleased(_) => return Ok(None),
        Payload::FeedbackMerged(said) => (
            feedback(required(said.feedback.as_ref(), "feedback")?)?,
            Change::Merged { merged: true },
        ),
        Payload::FeedbackUnmerged(said) => (
            feedback(required(said.feedback.as_ref(), "feedback")?)?,
            Change::Merged { merged: false },
        ),
        Payload::FeedbackClassified(said) => classified(said)?,
        Payload::WorkOrderOpened(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            (
                feedback,
                Change::Opened {
                    order,
                    deadlines: deadlines(&said.deadlines),
                },
            )
        }
        Payload::WorkOrderAssigned(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            (
                feedback,
                Change::Assigned {
                    order,
                    assignment: said.assignment,
                },
            )
        }
        Payload::WorkOrderTransitioned(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            let working_us = said
                .working_duration
                .as_ref()
                .map(|duration| duration.seconds.saturating_mul(1_000_000) + i64::from(duration.nanos) / 1000);
            (
                feedback,
                Change::Transitioned {
                    order,
                    to: state(said.to())?,
                    working_us,
                },
            )
        }
        Payload::WorkOrderProgressed(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            (feedback, Change::Progressed { order, note: said.note })
        }
        Payload::WorkOrderRetargeted(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            let priority = said
                .work_order
                .as_ref()
                .map(|digest| priority(digest.priority.as_ref()))
                .unwrap_or_default();
            (
                feedback,
                Change::Retargeted {
                    order,
                    priority,
                    deadlines: deadlines(&said.deadlines),
                },
            )
        }
        Payload::SlaClockMarked(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            let due_time = sql::from_proto(said.due_time.as_ref());
            (
                feedback,
                Change::Marked {
                    order,
                    clock: said.clock.clone(),
                    mark: mark(said.mark())?,
                    due_time,
                },
            )
        }
        Payload::SurveyInvited(said) => {
            let (feedback, order) = order(said.work_order.as_ref())?;
            (
                feedback,
                Change::Invited {
                    episode: order.episode,
                    invitation: said.invitation.clone(),
                },
            )
        }
        Payload::SurveyAnswered(said) => answered(said)?,
        Payload::MessageSettled(said) => return settled(said).map(Some),
        // What was counted goes on counting; problems are counted by the classifier itself.
        Payload::CustomerErased(_) | Payload::ProblemChanged(_) => return Ok(None),
    };
    Ok(Some(Happening::Feedback { feedback, change }))
}

fn submitted(said: &proto::FeedbackSubmitted) -> Result<(Uuid, Change), Refusal> {
    let digest = required(said.feedback.as_ref(), "feedback")?;
    let submission = Submission {
        number: digest.number.clone(),
        // An unknown channel is treated as API: the list of channels may grow.
        channel: number(Channel::try_from(digest.channel).unwrap_or(Channel::Api) as i32),
        customer: digest.customer.clone(),
        tier: number(digest.tier() as i32),
        product_model: digest.product_model.clone(),
        batch: digest.batch.clone(),
        occur_time: sql::from_proto(digest.occur_time.as_ref()),
        receive_time: moment(digest.receive_time.as_ref(), "receive_time")?,
        language: digest.language.clone(),
        reachable: digest.reachable,
    };
    Ok((feedback(digest)?, Change::Submitted(submission)))
}

fn classified(said: &proto::FeedbackClassified) -> Result<(Uuid, Change), Refusal> {
    let digest = required(said.feedback.as_ref(), "feedback")?;
    let change = Change::Classified {
        revision: said.revision,
        category: said.category.clone(),
        priority: priority(said.priority.as_ref()),
        sentiment: said.sentiment,
        impact: said.impact,
    };
    Ok((feedback(digest)?, change))
}

fn answered(said: &proto::SurveyAnswered) -> Result<(Uuid, Change), Refusal> {
    let (feedback, order) = order(said.work_order.as_ref())?;
    if !(1.0..=5.0).contains(&said.satisfaction) {
        return Err(Refusal::fault(anyhow::anyhow!(
            "the satisfaction is not within 1 and 5"
        )));
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most five millions")]
    let satisfaction = (said.satisfaction * 1_000_000.0).round() as i64;
    let scores = said
        .scores
        .iter()
        .map(|score| Score {
            dimension: score.dimension.clone(),
            value: score.value,
        })
        .collect();
    let invitation = said.invitation.clone();
    Ok((
        feedback,
        Change::Answered {
            episode: order.episode,
            invitation,
            scores,
            satisfaction,
            solved: said.solved,
        },
    ))
}

fn settled(said: &proto::MessageSettled) -> Result<Happening, Refusal> {
    let work_order = if said.work_order.is_empty() {
        None
    } else {
        Some(name::stored_uuid(&said.work_order)?)
    };
    Ok(Happening::Message {
        message: name::stored_uuid(&said.message)?,
        work_order,
        delivered: said.delivered,
    })
}

fn order(digest: Option<&proto::WorkOrderDigest>) -> Result<(Uuid, Order), Refusal> {
    let digest = required(digest, "work_order")?;
    let order = Order {
        work_order: name::stored_uuid(&digest.work_order)?,
        team: digest.team.clone(),
        episode: digest.episode.max(1),
    };
    Ok((
        feedback(required(digest.feedback.as_ref(), "work_order.feedback")?)?,
        order,
    ))
}

fn feedback(digest: &FeedbackDigest) -> Result<Uuid, Refusal> {
    name::stored_uuid(&digest.feedback)
}

fn priority(said: Option<&huiyin_proto::r#type::v1::Priority>) -> Priority {
    said.map(|priority| Priority {
        key: priority.key.clone(),
        rank: priority.rank,
    })
    .unwrap_or_default()
}

fn deadlines(said: &[proto::Deadline]) -> Vec<Deadline> {
    let known = |deadline: &proto::Deadline| {
        Some(Deadline {
            clock: deadline.clock.clone(),
            due_time: sql::from_proto(deadline.due_time.as_ref())?,
        })
    };
    said.iter().filter_map(known).collect()
}

fn state(said: StateCategory) -> Result<State, Refusal> {
    Ok(match said {
        StateCategory::New => State::New,
        StateCategory::Active => State::Active,
        StateCategory::Waiting => State::Waiting,
        StateCategory::Verifying => State::Verifying,
        StateCategory::Resolved => State::Resolved,
        StateCategory::Closed => State::Closed,
        StateCategory::Rejected => State::Rejected,
        StateCategory::Unspecified => return Err(lacking("to")),
    })
}

fn mark(said: SlaMark) -> Result<Mark, Refusal> {
    Ok(match said {
        SlaMark::Warned => Mark::Warned,
        SlaMark::Breached => Mark::Breached,
        SlaMark::Met => Mark::Met,
        SlaMark::StoppedLate => Mark::StoppedLate,
        SlaMark::Unspecified => return Err(lacking("mark")),
    })
}

fn moment(time: Option<&prost_types::Timestamp>, field: &str) -> Result<Timestamp, Refusal> {
    sql::from_proto(time).ok_or_else(|| lacking(field))
}

fn required<'m, M>(message: Option<&'m M>, field: &str) -> Result<&'m M, Refusal> {
    message.ok_or_else(|| lacking(field))
}

/// An event of one of our own services that does not say what it must: it is set aside.
fn lacking(field: &str) -> Refusal {
    Refusal::fault(anyhow::anyhow!("the event does not say {field}"))
}

fn number(of_enum: i32) -> i16 {
    i16::try_from(of_enum).unwrap_or_default()
}
