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

/// So many feedbacks are one part.
pub(crate) const PART: usize = 1000;
/// A service that cannot be reached is asked again after this,
const PAUSE: Duration = Duration::from_secs(1);
/// and so many times, before the attempt ends; the operation itself is tried again later.
const PATIENCE: u32 = 20;

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
            store::advance(&mut tx, &run.tenant, &erasure).await?;
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
        let customers: Vec<String> = erasure.customers.iter().map(|id| tenant.child(CUSTOMERS, id)).collect();
        let mut parts: Vec<Vec<String>> = erasure
            .feedbacks
            .chunks(PART)
            .map(|ids| ids.iter().map(|id| tenant.child(FEEDBACKS, id)).collect())
            .collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        for room in ROOMS {
            let mut done = erasure.rooms.get(room).cloned().unwrap_or_default();
            let Some(feedbacks) = parts.get(done.parts).filter(|_| done.complete_time.is_none()) else {
                continue;
            };
            let whose = Whose {
                tenant: tenant.clone(),
                customers: customers.clone(),
                feedbacks: feedbacks.clone(),
            };
            match self.ask(room, &whose, erasure.id, done.parts).await {
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
