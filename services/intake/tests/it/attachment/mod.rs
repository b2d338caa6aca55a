//! Uploaded files (000-24, 001-22, 003-10): stored once, told by their bytes, scanned, handed out in parts, and gone when
//! nobody needs them.

mod keep;
mod scan;
mod up;

use std::{path::PathBuf, time::Duration};

use huiyin_proto::intake::v1::{
    Attachment, AttachmentReference, DeleteAttachmentRequest, DownloadAttachmentRequest, Feedback,
    GetAttachmentRequest, UploadAttachmentRequest, UploadOpening, attachment_service_client::AttachmentServiceClient,
};
use huiyin_testkit::{Connection, eventually};
use tonic::Status;

use crate::stand::{ACME, Stand, feedback};

pub(crate) type Client = AttachmentServiceClient<Connection>;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn client_of(stand: &Stand, tenant: &str, role: &str) -> Client {
    let token = stand.stage.token("user:wang", tenant, &[role]);
    AttachmentServiceClient::new(stand.stage.connect(stand.address(), &token).await)
}

pub(crate) async fn client(stand: &Stand) -> Client {
    client_of(stand, "acme", "supervisor").await
}

/// A picture, as far as anybody looks: its signature, and `extra` bytes that differ by place.
pub(crate) fn png(extra: usize) -> Vec<u8> {
    let noise = (0..extra).map(|place| u8::try_from(place * 31 % 251).unwrap());
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".iter().copied().chain(noise).collect()
}

pub(crate) fn opening(file_name: &str) -> UploadOpening {
    UploadOpening {
        parent: ACME.to_owned(),
        file_name: file_name.to_owned(),
        ..UploadOpening::default()
    }
}

pub(crate) async fn send(client: &mut Client, messages: Vec<UploadAttachmentRequest>) -> Result<Attachment, Status> {
    let answer = client.upload_attachment(futures::stream::iter(messages)).await?;
    Ok(answer.into_inner())
}

pub(crate) async fn upload_as(client: &mut Client, opening: UploadOpening, bytes: &[u8]) -> Result<Attachment, Status> {
    let mut messages = vec![UploadAttachmentRequest {
        opening: Some(opening),
        chunk: Vec::new(),
    }];
    messages.extend(bytes.chunks(1 << 20).map(|chunk| UploadAttachmentRequest {
        opening: None,
        chunk: chunk.to_vec(),
    }));
    send(client, messages).await
}

pub(crate) async fn upload(client: &mut Client, file_name: &str, bytes: &[u8]) -> Attachment {
    upload_as(client, opening(file_name), bytes).await.unwrap()
}

pub(crate) async fn download(
    client: &mut Client,
    name: &str,
    offset: i64,
    length: i64,
) -> Result<(Attachment, Vec<u8>), Status> {
    let request = DownloadAttachmentRequest {
        name: name.to_owned(),
        offset,
        length,
    };
    let mut answers = client.download_attachment(request).await?.into_inner();
    let first = answers.message().await?.unwrap().attachment.unwrap();
    let mut bytes = Vec::new();
    while let Some(answer) = answers.message().await? {
        assert_eq!(answer.offset, offset + i64::try_from(bytes.len()).unwrap());
        assert!((1..=1 << 20).contains(&answer.chunk.len()) && answer.attachment.is_none());
        bytes.extend(answer.chunk);
    }
    Ok((first, bytes))
}

pub(crate) async fn get(client: &mut Client, name: &str) -> Result<Attachment, Status> {
    let request = GetAttachmentRequest { name: name.to_owned() };
    Ok(client.get_attachment(request).await?.into_inner())
}

pub(crate) async fn delete(client: &mut Client, name: &str) -> Result<(), Status> {
    let request = DeleteAttachmentRequest { name: name.to_owned() };
    client.delete_attachment(request).await.map(|_| ())
}

pub(crate) fn with(attachments: &[&Attachment]) -> Feedback {
    let reference = |attachment: &&Attachment| AttachmentReference {
        attachment: attachment.name.clone(),
        note: "见图".to_owned(),
        ..AttachmentReference::default()
    };
    Feedback {
        attachments: attachments.iter().map(reference).collect(),
        ..feedback("屏幕有亮线")
    }
}

/// Every file in the store, as `tenant/name`.
pub(crate) fn stored(stand: &Stand) -> Vec<String> {
    let store = stand.stage.folder().join("attachments");
    let entries = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let mut files: Vec<String> = entries(store)
        .flat_map(|tenant| {
            entries(tenant.path())
                .map(move |file| format!("{}/{}", tenant.file_name().display(), file.file_name().display()))
        })
        .collect();
    files.sort();
    files
}

pub(crate) async fn eventually_stored(stand: &Stand, count: usize) {
    eventually(&format!("{count} objects are left"), PATIENCE, async || {
        let stored = stored(stand);
        if stored.len() == count {
            Ok(())
        } else {
            Err(format!("{stored:?}"))
        }
    })
    .await;
}
