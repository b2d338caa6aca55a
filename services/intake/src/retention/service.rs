//! Setting the policy, and blanking what is over its time.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    repeat::{self, Repeatable},
    timer::{self, Timer},
};
use huiyin_events::Whose;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    convert::{self, Answer},
    store::{self, Mark, Order, Policy},
};
use crate::{
    customer::{known::began, service::require_etag},
    erasure::{service::ROOMS, store_around},
    events::FEEDBACKS,
    room::Room,
};

/// The kind of its timers; each tenant with a policy has one.
pub(crate) const TIMER: &str = "retention";
/// The kind of the timers that have another service do the same.
pub(crate) const ELSEWHERE: &str = "retention.elsewhere";
/// How often is looked for what is over its time.
const PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// How far a policy has been carried out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sweep {
    revision: i64,
    #[serde(default)]
    texts: Marks,
    #[serde(default)]
    contacts: Marks,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Marks {
    arrival: Mark,
    closing: Mark,
}

impl Marks {
    fn of(&mut self, order: Order) -> &mut Mark {
        match order {
            Order::Arrival => &mut self.arrival,
            Order::Closing => &mut self.closing,
        }
    }
}

/// Feedbacks whose words another service is to blank.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    room: String,
    id: Uuid,
    feedbacks: Vec<Uuid>,
}

impl Room {
    /// The tenant's policy.
    pub(crate) async fn retention(&self, tenant: &Tenant) -> Result<Policy, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let policy = store::policy(&mut tx, tenant, false).await?;
        tx.commit().await?;
        Ok(policy)
    }

    /// Sets it; what is over its time is blanked from now on.
    pub(crate) async fn set_retention(
        &self,
        tenant: &Tenant,
        (text_days, contact_days): (i32, i32),
        etag: &str,
        name: &str,
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let before = store::policy(&mut tx, tenant, true).await?;
        require_etag(&[etag], before.revision, name)?;
        let now = self.ledger.clock.now();
        let policy = Policy {
            text_days,
            contact_days,
            revision: before.revision + 1,
            update_time: Some(now),
        };
        store::set(&mut tx, tenant, &policy).await?;
        // A key of its own: one that fires holds its row.
        let key = policy.revision.to_string();
        let sweep = Sweep {
            revision: policy.revision,
            ..Sweep::default()
        };
        timer::schedule(&mut tx, tenant, TIMER, &key, now, &sweep).await?;
        let answer = convert::answer(tenant, &policy);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }

    /// Blanks a part of what is over its time, and sets the timer for the next; a timer of an older policy ends here. It never looks
    /// back: what is over its time lies behind the marks.
    pub(crate) async fn retain(&self, tx: &mut Transaction, due: &Timer) -> Result<(), Refusal> {
        let tenant = &due.tenant;
        // Timers from before there were marks hold the revision alone.
        let mut sweep = due.payload::<Sweep>().or_else(|_| {
            let revision = due.payload()?;
            Ok::<_, Refusal>(Sweep {
                revision,
                ..Sweep::default()
            })
        })?;
        let policy = store::policy(tx, tenant, false).await?;
        if policy.revision != sweep.revision {
            return Ok(());
        }
        let now = self.ledger.clock.now();
        let mut more = false;
        for order in [Order::Arrival, Order::Closing] {
            if policy.text_days > 0 {
                let before = began(now, policy.text_days);
                let ids = over(tx, tenant, order, sweep.texts.of(order), before, &mut more).await?;
                let blanked = store::blank_texts(tx, tenant, &ids, now).await?;
                // Files quote people too, and so does what texts are compared by.
                self.drop_of_feedback(tx, tenant, &blanked).await?;
                store_around::forget_words(tx, tenant, &blanked).await?;
                self.tell_elsewhere(tx, tenant, &blanked).await?;
            }
            if policy.contact_days > 0 {
                let before = began(now, policy.contact_days);
                let ids = over(tx, tenant, order, sweep.contacts.of(order), before, &mut more).await?;
                store::blank_contacts(tx, tenant, &ids).await?;
            }
        }
        if policy.text_days > 0 || policy.contact_days > 0 {
            let next = if more { now } else { now + PAUSE };
            timer::schedule(tx, tenant, TIMER, &due.key, next, &sweep).await?;
        }
        Ok(())
    }

    /// Has every other service blank its words too, each by a timer of its own: one that is away holds up no other.
    async fn tell_elsewhere(&self, tx: &mut Transaction, tenant: &Tenant, feedbacks: &[Uuid]) -> Result<(), Refusal> {
        if feedbacks.is_empty() {
            return Ok(());
        }
        let (id, now) = (self.ledger.clock.id(), self.ledger.clock.now());
        for room in ROOMS.into_iter().skip(1) {
            let words = Elsewhere {
                room: room.to_owned(),
                id,
                feedbacks: feedbacks.to_vec(),
            };
            timer::schedule(tx, tenant, ELSEWHERE, &format!("{id}/{room}"), now, &words).await?;
        }
        Ok(())
    }

    /// Asks another service to blank the words of feedbacks. It may be asked again: the second time changes nothing.
    pub(crate) async fn retain_elsewhere(&self, tenant: &Tenant, words: Elsewhere) -> Result<(), Refusal> {
        let whose = Whose {
            tenant: tenant.clone(),
            customers: Vec::new(),
            feedbacks: words.feedbacks.iter().map(|id| tenant.child(FEEDBACKS, id)).collect(),
        };
        let done = self.neighbors.erase(&words.room, &whose, words.id, 0).await?;
        done.map(|_| ())
            .ok_or_else(|| Refusal::unavailable(format!("{} needs more time", words.room)))
    }
}

/// Those behind a mark that are over their time; the mark moves behind all that were looked at, and `more` says whether there are others.
async fn over(
    tx: &mut Transaction,
    tenant: &Tenant,
    order: Order,
    mark: &mut Mark,
    before: Timestamp,
    more: &mut bool,
) -> Result<Vec<Uuid>, Refusal> {
    let found = store::next(tx, tenant, order, *mark, before).await?;
    if let Some((id, time, _)) = found.last() {
        *mark = Mark {
            time: time.to_jiff(),
            id: *id,
        };
    }
    *more |= i64::try_from(found.len()).is_ok_and(|rows| rows >= store::CHUNK);
    Ok(found
        .into_iter()
        .filter(|(_, _, is_over)| *is_over)
        .map(|(id, _, _)| id)
        .collect())
}
