//! One file on its way in: hashed, told by its bytes and counted while it goes to the store, and there for others with the
//! commit of its row. An upload that breaks before leaves an object that no row names; [`super::timers`] sweeps it.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    mask::mask,
    repeat::{self, Repeatable},
};
use sha2::{Digest as _, Sha256};
use tonic::Code;
use uuid::Uuid;

use crate::attachment::{
    convert::{self, Answer},
    domain::{self, Attachment, HEAD_BYTES, Opening, ScanState, TAIL_BYTES},
    objects::Writing,
    store, timers,
};
use crate::{error::Error, events::FEEDBACKS, room::Room};

/// An upload that takes longer is cut: what began before this, and an hour for clocks that differ, is no upload any more.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);

/// What is known of the bytes of an upload.
struct Arrived {
    hasher: Sha256,
    size: u64,
    head: Vec<u8>,
    /// Of an archive alone.
    tail: Vec<u8>,
}

impl Room {
    /// Takes a file in. `repeat` makes the request's id, bound to the bytes, once they are known. The bytes come from a
    /// stream; an error in it ends the upload, and nothing is left of it.
    pub(crate) async fn upload<E: From<Refusal>>(
        &self,
        tenant: &Tenant,
        author: &str,
        opening: Opening,
        repeat: impl FnOnce(&domain::Sha256) -> Result<Option<Repeatable>, Refusal>,
        bytes: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Answer, E> {
        self.require_room_for_upload(tenant, &opening).await?;
        let id = self.ledger.clock.id();
        let object = domain::object(tenant.key(), id);
        let mut writing = self.files.objects.write(&object);
        let arriving = tokio::time::timeout(LONGEST, self.arrive(&opening, &mut writing, bytes));
        let arrived = match arriving.await {
            Ok(Ok(arrived)) => arrived,
            Ok(Err(error)) => {
                writing.give_up().await;
                return Err(error);
            }
            Err(_) => {
                writing.give_up().await;
                return Err(Refusal::deadline_passed().into());
            }
        };
        writing.finish().await?;
        let outcome = self
            .enter_upload(tenant, author, opening, repeat, arrived, id, &object)
            .await;
        let is_certain = |refusal: &Refusal| !refusal.is_transient() || refusal.code() == Code::ResourceExhausted;
        if outcome.as_ref().is_err_and(is_certain) {
            // No row names it; where it cannot be removed now it is swept later. So it is where the commit may have happened:
            // that is no reason to take bytes away that a row may name.
            let _ = self.remove_object(tenant, &object).await;
        }
        Ok(outcome?)
    }

    /// Takes a file in whose bytes are all there, e.g. one of a mail; `hint` is the MIME type that whoever brings it says.
    ///
    /// # Errors
    /// As for an upload.
    pub(crate) async fn store_bytes(
        &self,
        tenant: &Tenant,
        author: &str,
        file_name: &str,
        hint: &str,
        bytes: Bytes,
    ) -> Result<Uuid, Refusal> {
        let opening = Opening {
            file_name: file_name.to_owned(),
            media_type: hint.to_owned(),
            note: String::new(),
            feedback: None,
            sha256: None,
        };
        let bytes = futures::stream::iter([Ok::<_, Refusal>(bytes)]);
        let answer = self.upload(tenant, author, opening, |_| Ok(None), bytes).await?;
        convert::id(&answer)
    }

    /// Refuses before the first byte what would be refused after the last.
    async fn require_room_for_upload(&self, tenant: &Tenant, opening: &Opening) -> Result<(), Refusal> {
        let limit = self.files.config.day_bytes;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(feedback) = opening.feedback {
            require_feedback(&mut tx, tenant, feedback).await?;
        }
        let uploaded = store::uploaded(&mut tx, tenant, domain::day(self.ledger.clock.now())).await?;
        tx.commit().await?;
        if uploaded >= limit {
            return Err(Error::AttachmentQuotaExceeded { limit }.into());
        }
        Ok(())
    }

    async fn arrive<E: From<Refusal>>(
        &self,
        opening: &Opening,
        writing: &mut Writing,
        mut bytes: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Arrived, E> {
        let limit = self.files.config.file_bytes;
        let mut arrived = Arrived {
            hasher: Sha256::new(),
            size: 0,
            head: Vec::new(),
            tail: Vec::new(),
        };
        while let Some(part) = bytes.next().await {
            let part = part?;
            arrived.size = arrived.size.saturating_add(part.len() as u64);
            if arrived.size > limit {
                return Err(Refusal::from(Error::AttachmentTooLarge { limit }).into());
            }
            let missing = HEAD_BYTES - arrived.head.len();
            if missing > 0 {
                arrived.head.extend_from_slice(&part[..part.len().min(missing)]);
                if arrived.head.len() == HEAD_BYTES && !domain::is_archive(&arrived.head) {
                    // No need to hear the rest of what is refused.
                    self.media_type(&arrived, opening)?;
                }
            }
            if domain::is_archive(&arrived.head) {
                arrived
                    .tail
                    .extend_from_slice(&part[part.len().saturating_sub(TAIL_BYTES)..]);
                let before = arrived.tail.len().saturating_sub(TAIL_BYTES);
                arrived.tail.drain(..before);
            }
            arrived.hasher.update(&part);
            writing.put(part).await?;
        }
        if arrived.size == 0 {
            return Err(Refusal::invalid_field("chunk", "must hold something").into());
        }
        self.media_type(&arrived, opening)?;
        Ok(arrived)
    }

    /// What a file is, where it is of a type that is taken.
    fn media_type(&self, arrived: &Arrived, opening: &Opening) -> Result<String, Refusal> {
        let Opening {
            media_type, file_name, ..
        } = opening;
        let media_type = domain::media_type(&arrived.head, &arrived.tail, media_type, file_name);
        if domain::is_taken(&self.files.config.types, &media_type) {
            Ok(media_type)
        } else {
            Err(Error::AttachmentTypeRefused { media_type }.into())
        }
    }

    /// Makes a file be there whose bytes are durable: with this commit, and not before, somebody can see it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the two halves of an upload, told apart for reading"
    )]
    async fn enter_upload(
        &self,
        tenant: &Tenant,
        author: &str,
        opening: Opening,
        repeat: impl FnOnce(&domain::Sha256) -> Result<Option<Repeatable>, Refusal>,
        arrived: Arrived,
        id: Uuid,
        object: &str,
    ) -> Result<Answer, Refusal> {
        let media_type = self.media_type(&arrived, &opening)?;
        let sha256: domain::Sha256 = arrived.hasher.finalize().into();
        if opening.sha256.is_some_and(|wanted| wanted != sha256) {
            return Err(Error::AttachmentHashMismatch.into());
        }
        let repeat = repeat(&sha256)?;
        let scan_state = match self.files.scanner {
            Some(_) => ScanState::Pending,
            None => ScanState::Unscanned,
        };
        let now = self.ledger.clock.now();
        let mut new = Attachment {
            id,
            sha256,
            size: arrived.size,
            file_name: mask(&domain::file_name(&opening.file_name)),
            media_type,
            note: mask(&opening.note),
            feedback: opening.feedback,
            scan_state,
            signature: String::new(),
            author: author.to_owned(),
            create_time: now,
        };

        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(repeat) = &repeat
            && let Some(answer) = repeat.answered::<Answer>(&mut tx).await?
        {
            timers::remove_later(&mut tx, tenant, object, now).await?;
            tx.commit().await?;
            return Ok(answer);
        }
        if let Some(feedback) = new.feedback {
            require_feedback(&mut tx, tenant, feedback).await?;
        }
        let held = store::hold(&mut tx, tenant, &new, object).await?;
        // Bytes that the tenant has already take no room.
        let limit = self.files.config.day_bytes;
        if held.object == object && store::count(&mut tx, tenant, domain::day(now), new.size).await? > limit {
            return Err(Error::AttachmentQuotaExceeded { limit }.into());
        }
        new.scan_state = ScanState::of(held.scan_state).unwrap_or(ScanState::Pending);
        new.signature = held.signature;
        store::insert(&mut tx, tenant, &new).await?;
        if held.object != object {
            // The tenant has these bytes already.
            timers::remove_later(&mut tx, tenant, object, now).await?;
        }
        if new.scan_state == ScanState::Pending {
            timers::scan_soon(&mut tx, tenant, id, &new.sha256, now).await?;
        }
        if new.feedback.is_none() {
            let hours = i64::from(self.files.config.unlinked_hours.max(1));
            timers::expire_unlinked(&mut tx, tenant, id, now + jiff::SignedDuration::from_hours(hours)).await?;
        }
        let answer = convert::answer(tenant, new);
        repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), answer).await
    }
}

async fn require_feedback(tx: &mut Transaction, tenant: &Tenant, feedback: Uuid) -> Result<(), Refusal> {
    if store::has_feedback(tx, tenant, feedback).await? {
        Ok(())
    } else {
        Err(Refusal::not_found(&tenant.child(FEEDBACKS, feedback)))
    }
}
