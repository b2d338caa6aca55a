//! Beginning an erasure: in one transaction the keys and the customer are gone, and nothing that arrives is theirs any more. The words
//! and what hangs on the feedbacks follow in parts, for everybody who hands in waits for the first; the rest is `operation`'s.

use huiyin_chassis::{
    Refusal, Tenant, Transaction, name,
    repeat::{self, Repeatable},
};
use huiyin_events::Erased;
use uuid::Uuid;

use super::{
    convert::{self, Answer, Certificate, Verdict},
    store::{self, Erasure},
    store_around,
};
use crate::{
    customer::{self, service::missing},
    room::Room,
    status,
};

/// The services that hold something on a customer, in the order in which it goes from one to the next.
pub(crate) const ROOMS: [&str; 6] = [
    "intake",
    "classifier",
    "scheduler",
    "survey",
    "notification",
    "analytics",
];
/// The kind of the operation.
pub(crate) const KIND: &str = "intake.EraseCustomer";

impl Room {
    /// Erases a customer here, and starts the operation that erases it everywhere else (000-21, 001-81).
    pub(crate) async fn begin_erasure(
        &self,
        tenant: &Tenant,
        id: Uuid,
        author: &str,
        reason: &str,
        repeat: Option<Repeatable>,
    ) -> Result<Answer, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
            return Ok(answer);
        }
        let now = self.ledger.clock.now();
        customer::store::lock_all(&mut tx, tenant).await?;
        let (erasure, operation) = match store::running(&mut tx, tenant, id).await? {
            Some((erasure, None)) => (erasure, None),
            Some((erasure, Some(operation))) => (erasure, self.operations.find(&mut tx, tenant, operation).await?),
            None => {
                if self.read_customer(&mut tx, tenant, id).await?.is_none() {
                    return Err(missing(tenant, id));
                }
                let tokens = store::tokens(&mut tx, tenant, id).await?;
                let feedbacks = store::feedbacks(&mut tx, tenant, id).await?;
                store::shred(&mut tx, tenant, id, &tokens, &feedbacks).await?;
                for token in &tokens {
                    // Whoever comes again is somebody new.
                    customer::store::lead(&mut tx, tenant, *token, self.ledger.clock.id()).await?;
                }
                let mut customers = tokens;
                if !customers.contains(&id) {
                    customers.push(id);
                }
                let erasure = Erasure {
                    id: self.ledger.clock.id(),
                    customer: id,
                    customers,
                    feedback_count: i64::try_from(feedbacks.len()).map_err(Refusal::fault)?,
                    feedbacks,
                    author: author.to_owned(),
                    reason: reason.to_owned(),
                    rooms: Default::default(),
                    problem: String::new(),
                    create_time: now,
                    certificate: None,
                };
                store::insert(&mut tx, tenant, &erasure).await?;
                (erasure.id, None)
            }
        };
        let request = convert::started(tenant, erasure);
        // One that was cancelled, or forgotten, sees nothing to its end any more.
        let operation = match operation.filter(|operation| !operation.done) {
            Some(operation) => operation,
            None => {
                let operation = self.operations.start(&mut tx, tenant, author, KIND, &request).await?;
                store::give(&mut tx, tenant, erasure, name::stored_uuid(&operation.name)?).await?;
                operation
            }
        };
        let operation = repeat::commit(tx, &self.ledger.clock, repeat.as_ref(), operation).await?;
        tracing::info!(author, erasure = request.name, "a customer is erased");
        Ok(operation)
    }

    /// Erases feedbacks and what hangs on them: words, files, what their customers see, mails and threads, and what texts were compared
    /// by. Nothing of it comes back, and it may happen again.
    pub(crate) async fn erase_around(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        feedbacks: &[Uuid],
    ) -> Result<Erased, Refusal> {
        let mut erased = Erased::default();
        store::blank(tx, tenant, feedbacks, self.ledger.clock.now()).await?;
        let files = self.drop_of_feedback(tx, tenant, feedbacks).await?;
        erased.count("attachment", files as u64);
        let words = store_around::forget_words(tx, tenant, feedbacks).await?;
        let ties = store_around::forget_ties(tx, tenant, feedbacks).await?;
        erased.count("trace", words + ties);
        status::store::forget(tx, tenant, feedbacks).await?;
        Ok(erased)
    }

    /// Reads an erasure.
    pub(crate) async fn erasure(&self, tenant: &Tenant, id: Uuid) -> Result<Erasure, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let erasure = store::find(&mut tx, tenant, id).await?;
        tx.commit().await?;
        erasure.ok_or_else(|| Refusal::not_found(&tenant.child(convert::ERASURES, id)))
    }

    /// Says whether a certificate is one of the tenant's.
    pub(crate) async fn verify_certificate(
        &self,
        tenant: &Tenant,
        certificate: &Certificate,
    ) -> Result<Verdict, Refusal> {
        let hash_holds = convert::hash(certificate) == certificate.hash;
        let signature_holds = self.vault.is_signed(
            tenant,
            &certificate.hash,
            &certificate.signature,
            &certificate.public_key,
        );
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let chain = store::chain(&mut tx, tenant, (certificate.sequence, &certificate.hash)).await?;
        tx.commit().await?;
        let chain_holds = self.is_unbroken(tenant, &chain, certificate)?;
        Ok(convert::verdict(hash_holds, signature_holds, chain_holds))
    }

    /// True where the chain begins with the first, each holds the hash of the one before, and it ends with this one.
    fn is_unbroken(&self, tenant: &Tenant, chain: &[Vec<u8>], last: &Certificate) -> Result<bool, Refusal> {
        let mut previous = Vec::new();
        let mut found = None;
        for (place, bytes) in (1..).zip(chain) {
            let stored = convert::decoded(bytes)?;
            let holds = stored.sequence == place
                && stored.previous_hash == previous
                && convert::hash(&stored) == stored.hash
                && self
                    .vault
                    .is_signed(tenant, &stored.hash, &stored.signature, &stored.public_key);
            if !holds {
                return Ok(false);
            }
            previous.clone_from(&stored.hash);
            found = Some(stored);
        }
        Ok(found.is_some_and(|stored| stored == *last))
    }
}
