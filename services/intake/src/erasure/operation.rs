//! Seeing an erasure to its end: every service is asked until it has done its part; then the certificate is signed.

use std::{sync::Arc, time::Duration};

use huiyin_chassis::{
    Refusal, Tenant, name,
    operations::{CarryOut, Ended, Run},
};
use huiyin_events::Whose;
use uuid::Uuid;

use super::{
    convert::{self, Started},
    service::{KIND, ROOMS},
    store::{self, Erasure, RoomDone},
};
use crate::{
    events::{CUSTOMERS, FEEDBACKS, erased},
    room::Room,
};

/// So many feedbacks, and so many names of the customer, are one part.
const PART: usize = 1000;
const NAMES: usize = 200;
/// A service that cannot be reached is asked again after this,
const PAUSE: Duration = Duration::from_secs(1);
/// and so many times, before the attempt ends; the operation itself is tried again later.
const PATIENCE: u32 = 20;

/// Everything that is a customer's, in parts that a service takes: each name and each feedback is in one of them. A part with no more
/// names repeats the last ones, for none is without.
pub(crate) fn parts(tenant: &Tenant, customers: &[Uuid], feedbacks: &[Uuid]) -> Vec<Whose> {
    let names = |collection: &str, ids: &[Uuid]| ids.iter().map(|id| tenant.child(collection, id)).collect();
    let (of_names, of_feedbacks): (Vec<_>, Vec<_>) =
        (customers.chunks(NAMES).collect(), feedbacks.chunks(PART).collect());
    let last = of_names.last().copied().unwrap_or_default();
    (0..of_names.len().max(of_feedbacks.len()))
        .map(|part| Whose {
            tenant: tenant.clone(),
            customers: names(CUSTOMERS, of_names.get(part).copied().unwrap_or(last)),
            feedbacks: names(FEEDBACKS, of_feedbacks.get(part).copied().unwrap_or_default()),
        })
        .collect()
}

/// Carries out the operations of intake.
pub(crate) struct Operations(pub(crate) Arc<Room>);

impl CarryOut for Operations {
    const KINDS: &'static [&'static str] = &[KIND];

    async fn carry_out(&self, run: &Run) -> Result<Ended, Refusal> {
        let request: Started = run.request()?;
        self.0.erase_everywhere(run, name::stored_uuid(&request.name)?).await
    }
}

impl Room {
    async fn erase_everywhere(&self, run: &Run, id: Uuid) -> Result<Ended, Refusal> {
        let signal = run.signal();
        let mut in_vain = 0;
        loop {
            let mut erasure = self.erasure(&run.tenant, id).await?;
            if let Some(certificate) = &erasure.certificate {
                return run.finish(run.begin().await?, &convert::decoded(certificate)?).await;
            }
            let moved = self.ask_all(&run.tenant, &mut erasure).await;
            let done = erasure
                .rooms
                .values()
                .filter(|room| room.complete_time.is_some())
                .count();
            run.report("erasing", done, ROOMS.len());
            let mut tx = run.begin().await?;
            if !store::advance(&mut tx, &run.tenant, &erasure).await? {
                // Another run has certified it: this one ends with the same certificate.
                tx.rollback().await;
                continue;
            }
            if done == ROOMS.len() {
                return self.certify(run, tx, &erasure).await;
            }
            tx.commit().await?;
            if moved {
                in_vain = 0;
                continue;
            }
            in_vain += 1;
            if in_vain >= PATIENCE {
                return Err(Refusal::unavailable(&erasure.problem));
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = signal.stopped() => return Err(Refusal::operation_cancelled()),
            }
        }
    }

    /// Asks every service for its next part; true where one of them got on.
    async fn ask_all(&self, tenant: &Tenant, erasure: &mut Erasure) -> bool {
        let mut moved = false;
        erasure.problem.clear();
        let parts = parts(tenant, &erasure.customers, &erasure.feedbacks);
        for room in ROOMS {
            let mut done = erasure.rooms.get(room).cloned().unwrap_or_default();
            let Some(whose) = parts.get(done.parts).filter(|_| done.complete_time.is_none()) else {
                continue;
            };
            match self.ask(room, whose, erasure.id, done.parts).await {
                Ok(Some(part)) => {
                    moved = true;
                    done.parts += 1;
                    for (kind, count) in part.counts {
                        *done.counts.entry(kind).or_default() += count;
                    }
                    done.complete_time = part.complete_time.filter(|_| done.parts >= parts.len());
                }
                Ok(None) => moved = true,
                Err(refusal) => {
                    erasure.problem = format!("{room}: {refusal}");
                    tracing::warn!(room, error = %refusal, "a service has not done its part of an erasure yet");
                }
            }
            erasure.rooms.insert(room.to_owned(), done);
        }
        moved
    }

    /// Asks one service for one part; what it did, or none where it needs more time.
    async fn ask(&self, room: &str, whose: &Whose, erasure: Uuid, part: usize) -> Result<Option<RoomDone>, Refusal> {
        let part = i32::try_from(part).map_err(Refusal::fault)?;
        if room != ROOMS[0] {
            return self.neighbors.erase(room, whose, erasure, part).await;
        }
        let standing = self.eraser.erase(whose, erasure, part, self).await?;
        if standing.complete_time.is_some() {
            // What is certified is gone: it is not left to the timers.
            self.remove_due(&whose.tenant).await?;
        }
        Ok(standing.complete_time.map(|time| RoomDone {
            parts: 1,
            counts: standing.counts,
            complete_time: Some(time),
        }))
    }

    async fn certify(
        &self,
        run: &Run,
        mut tx: huiyin_chassis::Transaction,
        erasure: &Erasure,
    ) -> Result<Ended, Refusal> {
        let now = self.ledger.clock.now();
        let end = store::chain_end(&mut tx, &run.tenant).await?;
        let sequence = end.0;
        let mut certificate = convert::certificate(&run.tenant, erasure, now, end);
        (certificate.signature, certificate.public_key) = self.vault.sign(&run.tenant, &certificate.hash);
        let bytes = convert::encoded(&certificate);
        store::complete(
            &mut tx,
            &run.tenant,
            erasure.id,
            (sequence, &certificate.hash, &bytes),
            now,
        )
        .await?;
        self.outbox
            .append(&mut tx, &run.tenant, erased(&run.tenant, erasure))
            .await?;
        run.finish(tx, &certificate).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 000-21: however many names and feedbacks a customer has, each part is one that a service takes.
    #[test]
    fn each_name_and_each_feedback_is_in_one_part() {
        let tenant = Tenant::stored("acme").unwrap();
        let ids = |count: u128| -> Vec<Uuid> { (0..count).map(Uuid::from_u128).collect() };
        for (names, feedbacks, expected) in [(1, 0, 1), (200, 1000, 1), (201, 1, 2), (450, 2001, 3), (1, 3000, 3)] {
            let parts = parts(&tenant, &ids(names), &ids(feedbacks));
            assert_eq!(parts.len(), expected);
            assert!(
                parts
                    .iter()
                    .all(|part| (1..=NAMES).contains(&part.customers.len()) && part.feedbacks.len() <= PART)
            );
            let mut customers: Vec<&String> = parts.iter().flat_map(|part| &part.customers).collect();
            customers.sort();
            customers.dedup();
            assert_eq!(customers.len() as u128, names);
            assert_eq!(
                parts.iter().map(|part| part.feedbacks.len() as u128).sum::<u128>(),
                feedbacks
            );
        }
    }
}
