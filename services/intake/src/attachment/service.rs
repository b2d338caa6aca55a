//! The use cases of files that are there: read, listed, handed out, removed; and what feedback does with them.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::BoxStream;
use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Page, PageKey, PageRequest, Paging},
};
use uuid::Uuid;

use crate::attachment::{
    domain::{self, Attachment, ScanState},
    objects::Objects,
    scanner::Scanner,
    store,
};
use crate::{
    config::AttachmentsConfig,
    error::Error,
    events::{ATTACHMENTS, FEEDBACKS},
    feedback::domain::Facts,
    room::Room,
};

/// What the room needs for files.
pub(crate) struct Files {
    pub(crate) objects: Objects,
    /// `None` where nobody scans.
    pub(crate) scanner: Option<Scanner>,
    pub(crate) config: AttachmentsConfig,
}

impl Files {
    /// # Errors
    /// Where the address of the store or of the scanner is not understood.
    pub(crate) fn new(config: &AttachmentsConfig) -> anyhow::Result<Self> {
        Ok(Self {
            objects: Objects::open(config)?,
            scanner: config.scanner.as_ref().map(Scanner::new).transpose()?,
            config: config.clone(),
        })
    }
}

/// A file that may be handed out, and the bytes of it that are wanted.
pub(crate) struct Download {
    pub(crate) attachment: Attachment,
    pub(crate) range: Range<u64>,
    pub(crate) bytes: BoxStream<'static, Result<Bytes, Refusal>>,
}

impl Room {
    /// Reads what is known of a file.
    pub(crate) async fn attachment(&self, tenant: &Tenant, id: Uuid) -> Result<Attachment, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let found = store::by_ids(&mut tx, tenant, &[id]).await?.pop();
        tx.commit().await?;
        found.ok_or_else(|| missing(tenant, id))
    }

    /// Reads a page of the files of a feedback.
    pub(crate) async fn attachments(
        &self,
        tenant: &Tenant,
        feedback: Uuid,
        paging: Paging<'_>,
    ) -> Result<Page<Attachment>, Refusal> {
        let list = format!("attachments of {feedback}");
        let request = PageRequest::new(&self.page_tokens, tenant, &list, paging, (store::FIELDS, store::ORDER))?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if !store::has_feedback(&mut tx, tenant, feedback).await? {
            return Err(Refusal::not_found(&tenant.child(FEEDBACKS, feedback)));
        }
        let found = store::list(&mut tx, tenant, feedback, &request).await?;
        tx.commit().await?;
        Ok(request.page(&self.page_tokens, found, |attachment| PageKey {
            time: attachment.create_time.as_microsecond(),
            id: attachment.id.into(),
        }))
    }

    /// Begins to hand a file out.
    pub(crate) async fn download(
        &self,
        tenant: &Tenant,
        id: Uuid,
        (offset, length): (u64, u64),
    ) -> Result<Download, Refusal> {
        let attachment = self.attachment(tenant, id).await?;
        match attachment.scan_state {
            ScanState::Clean | ScanState::Unscanned => {}
            ScanState::Pending => return Err(Error::AttachmentNotScanned.into()),
            ScanState::Infected => {
                let signature = attachment.signature;
                return Err(Error::AttachmentInfected { signature }.into());
            }
        }
        let range = domain::range(attachment.size, offset, length).ok_or_else(|| {
            Refusal::invalid_field(
                "offset",
                format!("must be less than {}, the file's size", attachment.size),
            )
        })?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let held = store::object(&mut tx, tenant, &attachment.sha256).await?;
        tx.commit().await?;
        // It was there a moment ago.
        let held = held.ok_or_else(|| missing(tenant, id))?;
        let bytes = self.files.objects.read(&held.object, Some(range.clone())).await?;
        Ok(Download {
            attachment,
            range,
            bytes,
        })
    }

    /// Removes a file.
    pub(crate) async fn delete_attachment(&self, tenant: &Tenant, id: Uuid) -> Result<(), Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let (count, objects) = store::remove(&mut tx, tenant, &[id], false).await?;
        if count == 0 {
            return Err(missing(tenant, id));
        }
        self.remove_all_later(&mut tx, tenant, &objects).await?;
        tx.commit().await
    }

    /// Removes every file of these feedbacks, e.g. because their customer is to be forgotten; returns how many there were.
    /// Bytes that no other feedback needs are gone soon after the commit.
    pub(crate) async fn drop_of_feedback(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        feedbacks: &[Uuid],
    ) -> Result<usize, Refusal> {
        let ids = store::of_feedbacks(tx, tenant, feedbacks).await?;
        let (count, objects) = store::remove(tx, tenant, &ids, false).await?;
        self.remove_all_later(tx, tenant, &objects).await?;
        Ok(count)
    }

    /// Says of uploaded files that a feedback comes with what they are. Those that are not there say nothing: they are refused
    /// where the feedback is stored.
    pub(crate) async fn say_types(&self, tenant: &Tenant, facts: &mut Facts) -> Result<(), Refusal> {
        let ids: Vec<Uuid> = facts
            .attachments
            .iter()
            .filter_map(|reference| reference.uploaded)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let found = store::by_ids(&mut tx, tenant, &ids).await?;
        tx.commit().await?;
        for reference in &mut facts.attachments {
            if let Some(file) = found.iter().find(|file| Some(file.id) == reference.uploaded) {
                reference.media_type.clone_from(&file.media_type);
            }
        }
        Ok(())
    }
}

/// Gives uploaded files to the feedbacks that come with them, in the transaction that stores those.
///
/// # Errors
/// FAILED_PRECONDITION / ATTACHMENT_NOT_LINKABLE for one that is not there or belongs to another feedback.
pub(crate) async fn link(tx: &mut Transaction, tenant: &Tenant, pairs: &[(Uuid, Uuid)]) -> Result<(), Refusal> {
    if pairs.is_empty() {
        return Ok(());
    }
    match store::link(tx, tenant, pairs).await?.first() {
        None => Ok(()),
        Some(id) => Err(Error::AttachmentNotLinkable {
            attachment: tenant.child(ATTACHMENTS, id),
        }
        .into()),
    }
}

fn missing(tenant: &Tenant, id: Uuid) -> Refusal {
    Refusal::not_found(&tenant.child(ATTACHMENTS, id))
}
