//! Setting the policy, and blanking what is over its time.

use huiyin_chassis::{Refusal, Tenant, Transaction, repeat::Repeatable, timer};
use jiff::SignedDuration;

use super::{
    convert::{self, Answer},
    store::{self, Policy},
};
use crate::{
    customer::{
        known::began,
        service::{answered, keep, require_etag},
    },
    erasure::store_around,
    room::Room,
};

/// The kind of its timers; each tenant with a policy has one.
pub(crate) const TIMER: &str = "retention";
/// How often is looked for what is over its time.
const PAUSE: SignedDuration = SignedDuration::from_hours(6);

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
        if let Some(answer) = answered(&mut tx, repeat.as_ref()).await? {
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
        timer::schedule(&mut tx, tenant, TIMER, &key, now, &policy.revision).await?;
        let answer = convert::answer(tenant, &policy);
        keep(&mut tx, &self.ledger.clock, repeat.as_ref(), &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Blanks a part of what is over its time, and sets the timer for the next; a timer of an older policy ends here.
    pub(crate) async fn retain(&self, tx: &mut Transaction, tenant: &Tenant, revision: i64) -> Result<(), Refusal> {
        let policy = store::policy(tx, tenant, false).await?;
        if policy.revision != revision {
            return Ok(());
        }
        let now = self.ledger.clock.now();
        let mut more = false;
        if policy.text_days > 0 {
            let blanked = store::blank_texts(tx, tenant, began(now, policy.text_days), now).await?;
            // Files quote people too, and so does what texts are compared by.
            self.drop_of_feedback(tx, tenant, &blanked).await?;
            store_around::forget_words(tx, tenant, &blanked).await?;
            more |= i64::try_from(blanked.len()).is_ok_and(|rows| rows >= store::CHUNK);
        }
        if policy.contact_days > 0 {
            more |= store::blank_contacts(tx, tenant, began(now, policy.contact_days)).await?;
        }
        if policy.text_days > 0 || policy.contact_days > 0 {
            let next = if more { now } else { now + PAUSE };
            timer::schedule(tx, tenant, TIMER, &revision.to_string(), next, &revision).await?;
        }
        Ok(())
    }
}
