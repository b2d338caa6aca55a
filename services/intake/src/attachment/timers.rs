//! What is done to files later: scanned, removed with their last entry, or because nobody wanted them. Each is a timer, set in
//! the transaction that makes it necessary; what no transaction knows of, because an upload broke, is swept.

use futures::StreamExt as _;
use huiyin_chassis::{MoreToDo, Refusal, Tenant, Transaction, secret, timer};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::attachment::{
    domain::{self, ScanState, Sha256},
    scanner::Verdict,
    store, upload,
};
use crate::room::Room;

/// The kinds of timers of this subject begin so.
pub(crate) const KINDS: &str = "attachment.";
const REMOVE: &str = "attachment.remove";
pub(crate) const SCAN: &str = "attachment.scan";
const UNLINKED: &str = "attachment.unlinked";
/// So many objects are held against the rows at once.
const LOT: usize = 500;
/// The counts of days before are of no use after so many days.
const DAYS: i64 = 7;

/// Removes an object that nothing names from this transaction on.
pub(crate) async fn remove_later(
    tx: &mut Transaction,
    tenant: &Tenant,
    object: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    timer::schedule(tx, tenant, REMOVE, object, now, &object).await
}

/// Has a file scanned. The timer is the entry's own, though its bytes may be others' too: who holds their row must not wait
/// for a timer that waits for it.
pub(crate) async fn scan_soon(
    tx: &mut Transaction,
    tenant: &Tenant,
    attachment: Uuid,
    sha256: &Sha256,
    now: Timestamp,
) -> Result<(), Refusal> {
    timer::schedule(tx, tenant, SCAN, &attachment.to_string(), now, &secret::to_text(sha256)).await
}

/// Removes a file at `due` that belongs to no feedback then.
pub(crate) async fn expire_unlinked(
    tx: &mut Transaction,
    tenant: &Tenant,
    attachment: Uuid,
    due: Timestamp,
) -> Result<(), Refusal> {
    timer::schedule(tx, tenant, UNLINKED, &attachment.to_string(), due, &attachment).await
}

impl Room {
    /// Does what a timer of this subject is for.
    pub(crate) async fn attachment_due(&self, tx: &mut Transaction, due: &timer::Timer) -> Result<(), Refusal> {
        match due.kind.as_str() {
            REMOVE => self.remove_unheld(tx, &due.tenant, &due.payload::<String>()?).await,
            SCAN => {
                let sha256 = secret::from_text(&due.payload::<String>()?).and_then(|bytes| bytes.try_into().ok());
                let sha256 = sha256.ok_or_else(|| Refusal::fault(anyhow::anyhow!("a scan is of no file")))?;
                self.scan(tx, &due.tenant, &sha256).await
            }
            UNLINKED => {
                let (_, objects) = store::remove(tx, &due.tenant, &[due.payload::<Uuid>()?], true).await?;
                self.remove_all_later(tx, &due.tenant, &objects).await
            }
            other => Err(Refusal::fault(anyhow::anyhow!("nobody knows what {other} is for"))),
        }
    }

    /// Removes objects after this transaction.
    pub(crate) async fn remove_all_later(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        objects: &[String],
    ) -> Result<(), Refusal> {
        for object in objects {
            remove_later(tx, tenant, object, self.ledger.clock.now()).await?;
        }
        Ok(())
    }

    /// Removes now what the tenant's timers would remove: for whoever must know that it is gone. The timers find nothing then.
    pub(crate) async fn remove_due(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let due = store::due_removals(&mut tx, tenant, REMOVE).await?;
        tx.commit().await?;
        for object in due {
            self.remove_object(tenant, &object).await?;
        }
        Ok(())
    }

    /// Removes an object now, where no row names it.
    pub(crate) async fn remove_object(&self, tenant: &Tenant, object: &str) -> Result<(), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        self.remove_unheld(&mut tx, tenant, object).await?;
        tx.commit().await
    }

    async fn remove_unheld(&self, tx: &mut Transaction, tenant: &Tenant, object: &str) -> Result<(), Refusal> {
        if store::held(tx, tenant, &[object.to_owned()]).await?.is_empty() {
            self.files.objects.remove(object).await?;
        }
        Ok(())
    }

    async fn scan(&self, tx: &mut Transaction, tenant: &Tenant, sha256: &Sha256) -> Result<(), Refusal> {
        let Some(held) = store::object(tx, tenant, sha256).await? else {
            return Ok(());
        };
        if held.scan_state != ScanState::Pending as i32 {
            return Ok(());
        }
        let Some(scanner) = &self.files.scanner else {
            // There was one when the file came.
            return store::scanned(tx, tenant, sha256, ScanState::Unscanned, "").await;
        };
        let bytes = self.files.objects.read(&held.object, None).await?;
        match scanner.scan(bytes).await? {
            Verdict::Clean => store::scanned(tx, tenant, sha256, ScanState::Clean, "").await,
            Verdict::Infected(signature) => {
                tracing::warn!(%tenant, object = held.object, signature, "an uploaded file is infected");
                store::scanned(tx, tenant, sha256, ScanState::Infected, &signature).await
            }
        }
    }

    /// Removes what broken uploads left in the store: objects, and parts of them, that no row names and whose upload is over.
    pub(crate) async fn sweep(&self) -> Result<MoreToDo, Refusal> {
        let now = self.ledger.clock.now();
        let longest = SignedDuration::from_secs(2 * upload::LONGEST.as_secs().cast_signed());
        let is_over =
            |object: &str| domain::of_object(object).is_some_and(|(_, upload)| domain::is_over(upload, now, longest));
        for part in self.files.objects.parts().await? {
            if is_over(&part) {
                tracing::info!(part, "a part of an upload that broke is removed");
                self.files.objects.remove_part(&part).await?;
            }
        }
        let mut lots = self.files.objects.all().chunks(LOT);
        while let Some(lot) = lots.next().await {
            let mut objects = lot.into_iter().collect::<Result<Vec<String>, Refusal>>()?;
            objects.retain(|object| is_over(object));
            objects.sort();
            let tenant_of = |object: &String| domain::of_object(object).map(|(tenant, _)| tenant.to_owned());
            for of_tenant in objects.chunk_by(|left, right| tenant_of(left) == tenant_of(right)) {
                if let Some(tenant) = of_tenant.first().and_then(tenant_of) {
                    // What lies in a folder that is no tenant's is not ours: leave it.
                    let Ok(tenant) = Tenant::stored(&tenant) else { continue };
                    self.sweep_tenant(&tenant, of_tenant, now).await?;
                }
            }
        }
        Ok(MoreToDo(false))
    }

    async fn sweep_tenant(&self, tenant: &Tenant, objects: &[String], now: Timestamp) -> Result<(), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let held = store::held(&mut tx, tenant, objects).await?;
        store::forget_days(
            &mut tx,
            tenant,
            domain::day(now - SignedDuration::from_hours(24 * DAYS)),
        )
        .await?;
        tx.commit().await?;
        for object in objects.iter().filter(|object| !held.contains(object)) {
            tracing::info!(object, "an object that no file needs is removed");
            self.files.objects.remove(object).await?;
        }
        Ok(())
    }
}
