//! The use cases of the customer's view.

use std::time::Duration;

use huiyin_chassis::{Refusal, Tenant, Transaction, secret};
use huiyin_events::Event;
use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::status::{changes::Watched, domain::Standing, events, store, token};
use crate::{error::Error, room::Room};

/// A watch ends after this: whoever still wants to know asks again.
const LONGEST_WATCH: Duration = Duration::from_secs(600);

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) number: String,
    pub(crate) receive_time: Timestamp,
    pub(crate) standing: Standing,
}

/// Whoever has shown number and token of a feedback.
pub(crate) struct Bearer {
    tenant: Tenant,
    feedback: Uuid,
    number: String,
}

/// Somebody who follows a status.
pub(crate) struct Follower {
    bearer: Bearer,
    changes: Watched,
    last: Option<Status>,
    end: Instant,
}

impl Room {
    /// Who shows these. A wrong token costs the same time whatever the number, and whether the number is there is looked up
    /// only for a right one.
    ///
    /// # Errors
    /// NOT_FOUND / STATUS_UNKNOWN; RESOURCE_EXHAUSTED where the number is asked for too often.
    pub(crate) fn status_bearer(&self, tenant: &str, number: &str, token: &str) -> Result<Bearer, Refusal> {
        let feedback = token::verify(&self.vault, tenant, token);
        self.status_limit
            .ask(tenant, number, feedback.is_some(), self.ledger.clock.now())
            .map_err(Refusal::overloaded)?;
        let feedback = feedback.ok_or(Error::StatusUnknown)?;
        Ok(Bearer {
            // Holds because a token of ours names it.
            tenant: Tenant::stored(tenant)?,
            feedback,
            number: number.to_owned(),
        })
    }

    /// How the bearer's feedback stands.
    pub(crate) async fn status(&self, bearer: &Bearer) -> Result<Status, Refusal> {
        let mut tx = self.ledger.database.tenant(&bearer.tenant).await?;
        let arrival = store::arrival(&mut tx, &bearer.tenant, bearer.feedback).await?;
        let standing = store::get(&mut tx, &bearer.tenant, bearer.feedback).await?;
        tx.commit().await?;
        let (number, receive_time) = arrival
            .filter(|(number, _)| secret::same(number.as_bytes(), bearer.number.as_bytes()))
            .ok_or(Error::StatusUnknown)?;
        let standing = standing.unwrap_or_else(|| Standing::received(receive_time));
        Ok(Status {
            number,
            receive_time,
            standing: Standing {
                waits_for_us: false, // for the rules alone; to a customer its change is none
                ..standing
            },
        })
    }

    /// Begins to follow the bearer's feedback.
    pub(crate) fn follow_status(&self, bearer: Bearer) -> Follower {
        Follower {
            // Before the first look: what changes after it is heard.
            changes: self.status_changes.of(bearer.tenant.key(), bearer.feedback),
            bearer,
            last: None,
            end: Instant::now() + LONGEST_WATCH,
        }
    }

    /// How it stands, at first, and then each time that this changes; `None` at the end.
    pub(crate) async fn next_status(&self, follower: &mut Follower) -> Result<Option<Status>, Refusal> {
        loop {
            if follower.last.is_some() {
                tokio::select! {
                    () = follower.changes.changed() => {}
                    () = tokio::time::sleep_until(follower.end) => return Ok(None),
                    () = self.shutdown.requested() => return Err(Refusal::unavailable("the service stops")),
                }
            }
            let status = self.status(&follower.bearer).await?;
            if follower.last.as_ref() != Some(&status) {
                follower.last = Some(status.clone());
                return Ok(Some(status));
            }
        }
    }
}

/// Keeps what an event says to the customer of a feedback.
pub(crate) async fn told(tx: &mut Transaction, tenant: &Tenant, event: &Event, at: Timestamp) -> Result<(), Refusal> {
    let Some((feedback, said)) = events::said(tenant, event)? else {
        return Ok(());
    };
    let Some((_, receive_time)) = store::arrival(tx, tenant, feedback).await? else {
        // It was erased since: nobody is told anything of it any more.
        return Ok(());
    };
    let standing = store::get(tx, tenant, feedback).await?;
    let standing = standing
        .unwrap_or_else(|| Standing::received(receive_time))
        .after(said, at);
    store::put(tx, tenant, feedback, &standing).await
}
