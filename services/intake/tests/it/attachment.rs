//! Uploaded files (000-24, 001-22, 003-10): stored once, told by their bytes, scanned, handed out in parts, and gone when
//! nobody needs them.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use huiyin_chassis::{Shutdown, Tasks};
use huiyin_proto::intake::v1::{
    Attachment, AttachmentReference, CreateFeedbackRequest, DeleteAttachmentRequest, DownloadAttachmentRequest,
    Feedback, GetAttachmentRequest, ListAttachmentsRequest, ScanState, UploadAttachmentRequest, UploadOpening,
    attachment_service_client::AttachmentServiceClient,
};
use huiyin_testkit::{Connection, eventually};
use jiff::SignedDuration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tonic::{Code, Status};

use crate::stand::{ACME, Stand, create, feedback, metadata, reason, request_id};

type Client = AttachmentServiceClient<Connection>;

const PATIENCE: Duration = Duration::from_secs(20);

async fn client_of(stand: &Stand, tenant: &str, role: &str) -> Client {
    let token = stand.stage.token("user:wang", tenant, &[role]);
    AttachmentServiceClient::new(stand.stage.connect(stand.address(), &token).await)
}

async fn client(stand: &Stand) -> Client {
    client_of(stand, "acme", "supervisor").await
}

/// A picture, as far as anybody looks: its signature, and `extra` bytes that differ by place.
fn png(extra: usize) -> Vec<u8> {
    let noise = (0..extra).map(|place| u8::try_from(place * 31 % 251).unwrap());
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".iter().copied().chain(noise).collect()
}

fn opening(file_name: &str) -> UploadOpening {
    UploadOpening {
        parent: ACME.to_owned(),
        file_name: file_name.to_owned(),
        ..UploadOpening::default()
    }
}

async fn send(client: &mut Client, messages: Vec<UploadAttachmentRequest>) -> Result<Attachment, Status> {
    let answer = client.upload_attachment(futures::stream::iter(messages)).await?;
    Ok(answer.into_inner())
}

async fn upload_as(client: &mut Client, opening: UploadOpening, bytes: &[u8]) -> Result<Attachment, Status> {
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

async fn upload(client: &mut Client, file_name: &str, bytes: &[u8]) -> Attachment {
    upload_as(client, opening(file_name), bytes).await.unwrap()
}

async fn download(client: &mut Client, name: &str, offset: i64, length: i64) -> Result<(Attachment, Vec<u8>), Status> {
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

async fn get(client: &mut Client, name: &str) -> Result<Attachment, Status> {
    let request = GetAttachmentRequest { name: name.to_owned() };
    Ok(client.get_attachment(request).await?.into_inner())
}

async fn delete(client: &mut Client, name: &str) -> Result<(), Status> {
    let request = DeleteAttachmentRequest { name: name.to_owned() };
    client.delete_attachment(request).await.map(|_| ())
}

fn with(attachments: &[&Attachment]) -> Feedback {
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
fn stored(stand: &Stand) -> Vec<String> {
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

async fn eventually_stored(stand: &Stand, count: usize) {
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

/// 000-24, 001-22: a screenshot comes before the feedback that it is evidence for, and both ways lead from one to the other.
#[tokio::test]
async fn an_uploaded_file_is_handed_out_as_it_came_and_belongs_to_its_feedback() {
    let stand = Stand::new().await;
    let mut files = client(&stand).await;
    let bytes = png((2 << 20) + 7);
    let opened = UploadOpening {
        note: "联系 13800138000".to_owned(),
        media_type: "application/pdf".to_owned(),
        ..opening("../截图 13800138000.png")
    };
    let uploaded = upload_as(&mut files, opened, &bytes).await.unwrap();
    assert_eq!(
        (
            uploaded.file_name.as_str(),
            uploaded.note.as_str(),
            uploaded.media_type.as_str()
        ),
        ("截图 [手机号].png", "联系 [手机号]", "image/png")
    );
    let sha256: String = huiyin_chassis::secret::hash(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        (&uploaded.sha256, uploaded.size_bytes),
        (&sha256, i64::try_from(bytes.len()).unwrap())
    );
    assert_eq!(
        (uploaded.scan_state(), uploaded.author.as_str()),
        (ScanState::Unscanned, "user:wang")
    );
    assert_eq!(uploaded.feedback, "");

    let (shown, whole) = download(&mut files, &uploaded.name, 0, 0).await.unwrap();
    assert!(whole == bytes && shown == uploaded);
    for (offset, length) in [(0, 1), (1_048_570, 20), (5, i64::MAX), (bytes.len() - 1, 0)]
        .map(|(offset, length)| (i64::try_from(offset).unwrap(), length))
    {
        let (_, part) = download(&mut files, &uploaded.name, offset, length).await.unwrap();
        let from = usize::try_from(offset).unwrap();
        let rest = &bytes[from..];
        let wanted = if length == 0 {
            rest
        } else {
            &rest[..rest.len().min(usize::try_from(length).unwrap())]
        };
        assert!(part == wanted, "{offset} {length}");
    }
    let beyond = download(&mut files, &uploaded.name, uploaded.size_bytes, 0)
        .await
        .unwrap_err();
    assert_eq!(beyond.code(), Code::InvalidArgument);

    let created = stand
        .client()
        .await
        .create_feedback(create(with(&[&uploaded])))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        created.attachments,
        [AttachmentReference {
            uri: String::new(),
            media_type: "image/png".to_owned(),
            note: "见图".to_owned(),
            attachment: uploaded.name.clone(),
        }]
    );
    let later = upload_as(
        &mut files,
        UploadOpening {
            feedback: created.name.clone(),
            ..opening("维修后.png")
        },
        &png(1),
    )
    .await
    .unwrap();
    let page = ListAttachmentsRequest {
        parent: created.name.clone(),
        page_size: 1,
        order_by: "create_time".to_owned(),
        ..ListAttachmentsRequest::default()
    };
    let first = files.list_attachments(page.clone()).await.unwrap().into_inner();
    let second = files
        .list_attachments(ListAttachmentsRequest {
            page_token: first.next_page_token.clone(),
            ..page
        })
        .await
        .unwrap()
        .into_inner();
    let mut listed: Vec<String> = [first.attachments, second.attachments]
        .concat()
        .into_iter()
        .map(|file| file.name)
        .collect();
    let mut wanted = vec![uploaded.name.clone(), later.name];
    listed.sort();
    wanted.sort();
    assert_eq!((listed, second.next_page_token.as_str()), (wanted, ""));
    assert_eq!(get(&mut files, &uploaded.name).await.unwrap().feedback, created.name);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let stand = Stand::with("file_bytes = 3000000\n").await;
    let mut files = client(&stand).await;
    let large = upload_as(&mut files, opening("a.png"), &png(3_000_000))
        .await
        .unwrap_err();
    assert_eq!(
        (large.code(), reason(&large)),
        (Code::InvalidArgument, "ATTACHMENT_TOO_LARGE".to_owned())
    );
    assert_eq!(metadata(&large, "limit_bytes"), "3000000");
    let program = [b"MZ\x90\0".as_slice(), &[0; 20_000]].concat();
    let refused = upload_as(&mut files, opening("photo.png"), &program).await.unwrap_err();
    assert_eq!(reason(&refused), "ATTACHMENT_TYPE_REFUSED");
    assert!(!metadata(&refused, "media_type").starts_with("image/"));
    let other = UploadOpening {
        sha256: "00".repeat(32),
        ..opening("a.png")
    };
    let changed = upload_as(&mut files, other, &png(10)).await.unwrap_err();
    assert_eq!(reason(&changed), "ATTACHMENT_HASH_MISMATCH");
    let empty = upload_as(&mut files, opening("a.png"), &[]).await.unwrap_err();
    assert_eq!(
        (empty.code(), reason(&empty)),
        (Code::InvalidArgument, "FIELDS_INVALID".to_owned())
    );

    let open = UploadAttachmentRequest {
        opening: Some(opening("a.png")),
        chunk: Vec::new(),
    };
    let part = UploadAttachmentRequest {
        opening: None,
        chunk: png(10),
    };
    for messages in [
        vec![],
        vec![part.clone()],
        vec![open.clone(), part.clone(), open.clone()],
    ] {
        assert_eq!(
            reason(&send(&mut files, messages).await.unwrap_err()),
            "UPLOAD_NOT_OPEN"
        );
    }
    let long = UploadAttachmentRequest {
        opening: None,
        chunk: vec![0; (1 << 20) + 1],
    };
    assert_eq!(
        send(&mut files, vec![open, long]).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let nowhere = UploadOpening {
        feedback: "tenants/acme/feedbacks/0195a000-0000-7000-8000-000000000000".to_owned(),
        ..opening("a.png")
    };
    assert_eq!(
        upload_as(&mut files, nowhere, &png(1)).await.unwrap_err().code(),
        Code::NotFound
    );
    let foreign = UploadOpening {
        parent: "tenants/globex".to_owned(),
        ..opening("a.png")
    };
    assert_eq!(
        upload_as(&mut files, foreign, &png(1)).await.unwrap_err().code(),
        Code::NotFound
    );

    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM attachment")
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(rows, 0);
    eventually_stored(&stand, 0).await;
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_until_nobody_has_them() {
    let stand = Stand::new().await;
    let (mut ours, mut theirs) = (client(&stand).await, client_of(&stand, "globex", "supervisor").await);
    let bytes = png(100);
    let first = upload(&mut ours, "一.png", &bytes).await;
    let second = upload(&mut ours, "二.png", &bytes).await;
    let foreign = UploadOpening {
        parent: "tenants/globex".to_owned(),
        ..opening("三.png")
    };
    let foreign = upload_as(&mut theirs, foreign, &bytes).await.unwrap();
    assert!(first.name != second.name && first.sha256 == second.sha256);
    // One of each tenant: nobody can find out what another has.
    eventually_stored(&stand, 2).await;
    for name in [&first.name, &second.name] {
        assert_eq!(get(&mut theirs, name).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(
            download(&mut theirs, name, 0, 0).await.unwrap_err().code(),
            Code::NotFound
        );
        assert_eq!(delete(&mut theirs, name).await.unwrap_err().code(), Code::NotFound);
    }

    delete(&mut ours, &first.name).await.unwrap();
    assert_eq!(delete(&mut ours, &first.name).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(get(&mut ours, &first.name).await.unwrap_err().code(), Code::NotFound);
    assert!(download(&mut ours, &second.name, 0, 0).await.unwrap().1 == bytes);
    delete(&mut ours, &second.name).await.unwrap();
    eventually_stored(&stand, 1).await;
    assert!(download(&mut theirs, &foreign.name, 0, 0).await.unwrap().1 == bytes);
    // They come again, as something new.
    let again = upload(&mut ours, "四.png", &bytes).await;
    assert!(download(&mut ours, &again.name, 0, 0).await.unwrap().1 == bytes);
}

#[tokio::test]
async fn the_same_upload_gets_the_same_answer() {
    let stand = Stand::new().await;
    let mut files = client(&stand).await;
    let opened = UploadOpening {
        request_id: request_id(1),
        ..opening("a.png")
    };
    let first = upload_as(&mut files, opened.clone(), &png(10)).await.unwrap();
    assert_eq!(upload_as(&mut files, opened.clone(), &png(10)).await.unwrap(), first);
    let other = upload_as(&mut files, opened, &png(11)).await.unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
    eventually_stored(&stand, 1).await;
}

#[tokio::test]
async fn a_tenant_uploads_no_more_than_its_day_has() {
    let stand = Stand::with("day_bytes = 1000\n").await;
    let (mut ours, mut theirs) = (client(&stand).await, client_of(&stand, "globex", "supervisor").await);
    upload(&mut ours, "a.png", &png(500)).await;
    let refused = upload_as(&mut ours, opening("b.png"), &png(900)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused), metadata(&refused, "limit_bytes")),
        (
            Code::ResourceExhausted,
            "ATTACHMENT_QUOTA_EXCEEDED".to_owned(),
            "1000".to_owned()
        )
    );
    let foreign = UploadOpening {
        parent: "tenants/globex".to_owned(),
        ..opening("b.png")
    };
    upload_as(&mut theirs, foreign, &png(900)).await.unwrap();
    stand.stage.clock.advance(SignedDuration::from_hours(24));
    upload(&mut ours, "b.png", &png(900)).await;
}

/// A crash between the object and its row, or within the object, leaves what nobody sees and the sweep removes; what began
/// a moment ago, and what a row names, stays.
#[tokio::test]
async fn what_a_crash_left_in_the_store_is_swept() {
    let stand = Stand::new().await;
    let mut files = client(&stand).await;
    let kept = stand.client().await;
    let uploaded = upload(&mut files, "a.png", &png(10)).await;
    { kept }.create_feedback(create(with(&[&uploaded]))).await.unwrap();
    let folder = stand.stage.folder().join("attachments/acme");
    let plant = |name: String| std::fs::write(folder.join(name), b"half").unwrap();
    plant(stand.stage.clock.id().to_string());
    plant(format!("{}#1", stand.stage.clock.id()));
    stand.stage.clock.advance(SignedDuration::from_hours(3));
    let young = stand.stage.clock.id().to_string();
    plant(young.clone());
    assert_eq!(stored(&stand).len(), 4);

    let _replica = stand.replica().await;
    eventually_stored(&stand, 2).await;
    assert!(stored(&stand).contains(&format!("acme/{young}")));
    assert!(download(&mut files, &uploaded.name, 0, 0).await.is_ok());
}

#[tokio::test]
async fn what_no_feedback_wants_is_removed_after_its_time() {
    let stand = Stand::with("unlinked_hours = 2\n").await;
    let mut files = client(&stand).await;
    let (wanted, unwanted) = (
        upload(&mut files, "a.png", &png(1)).await,
        upload(&mut files, "b.png", &png(2)).await,
    );
    stand
        .client()
        .await
        .create_feedback(create(with(&[&wanted])))
        .await
        .unwrap();
    stand.stage.clock.advance(SignedDuration::from_mins(119));
    assert!(get(&mut files, &unwanted.name).await.is_ok());
    stand.stage.clock.advance(SignedDuration::from_mins(2));
    eventually_stored(&stand, 1).await;
    assert_eq!(
        get(&mut files, &unwanted.name).await.unwrap_err().code(),
        Code::NotFound
    );
    assert!(get(&mut files, &wanted.name).await.is_ok());
}

/// A feedback gets all its files or is not stored, and nobody who shares its commit pays for that.
#[tokio::test]
async fn a_file_belongs_to_one_feedback_alone() {
    let stand = Stand::with("[writer]\nwriters = 1\n").await;
    let mut files = client(&stand).await;
    let (file, other) = (
        upload(&mut files, "a.png", &png(1)).await,
        upload(&mut files, "b.png", &png(2)).await,
    );
    let mut client = stand.client().await;
    let request = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(with(&[&file]))
    };
    let created = client.create_feedback(request.clone()).await.unwrap().into_inner();
    // The same request finds its answer, though its file is taken: by itself.
    assert_eq!(client.create_feedback(request).await.unwrap().into_inner(), created);

    let (taken, free) = (create(with(&[&other, &file])), create(feedback("同时提交")));
    let mut second = client.clone();
    let (refused, accepted) = tokio::join!(client.create_feedback(taken), second.create_feedback(free));
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused), metadata(&refused, "attachment")),
        (
            Code::FailedPrecondition,
            "ATTACHMENT_NOT_LINKABLE".to_owned(),
            file.name.clone()
        )
    );
    accepted.unwrap();
    // Nothing of it was stored: the other file is free still.
    assert_eq!(get(&mut files, &other.name).await.unwrap().feedback, "");
    let twice = client
        .create_feedback(create(with(&[&other, &other])))
        .await
        .unwrap_err();
    assert_eq!(twice.code(), Code::InvalidArgument);

    let foreign = CreateFeedbackRequest {
        parent: "tenants/globex".to_owned(),
        ..create(with(&[&other]))
    };
    let mut theirs = stand.client_of("key:erp", "globex", "integration").await;
    assert_eq!(
        reason(&theirs.create_feedback(foreign).await.unwrap_err()),
        "ATTACHMENT_NOT_LINKABLE"
    );
    let both = AttachmentReference {
        uri: "https://files.example.com/a.png".to_owned(),
        media_type: "image/png".to_owned(),
        attachment: other.name.clone(),
        ..AttachmentReference::default()
    };
    for reference in [both, AttachmentReference::default()] {
        let neither = Feedback {
            attachments: vec![reference],
            ..feedback("坏了")
        };
        let refused = client.create_feedback(create(neither)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    assert_eq!(stand.stored().await, 2);
}

#[tokio::test]
async fn only_who_may_uploads_reads_and_removes() {
    let stand = Stand::new().await;
    let mut supervisor = client(&stand).await;
    let file = upload(&mut supervisor, "a.png", &png(1)).await;
    for (role, creates, reads) in [
        ("agent", true, true),
        ("engineer", true, true),
        ("analyst", false, true),
        ("none", false, false),
    ] {
        let mut files = client_of(&stand, "acme", role).await;
        let denied = |outcome: Result<(), Status>| outcome.is_err_and(|status| status.code() == Code::PermissionDenied);
        assert_eq!(
            !denied(upload_as(&mut files, opening("b.png"), &png(2)).await.map(|_| ())),
            creates,
            "{role}"
        );
        assert_eq!(!denied(get(&mut files, &file.name).await.map(|_| ())), reads, "{role}");
        assert!(denied(delete(&mut files, &file.name).await), "{role}");
    }
}

/// A scanner as clamd is: finds EICAR; hangs up while it is ill.
struct Clamd {
    address: String,
    ill: Arc<AtomicBool>,
    shutdown: Shutdown,
    _tasks: Tasks,
}

impl Clamd {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let (ill, shutdown) = (Arc::new(AtomicBool::new(false)), Shutdown::new());
        let mut tasks = Tasks::new(shutdown.clone(), Duration::from_secs(30));
        let (sick, stop) = (Arc::clone(&ill), shutdown.clone());
        tasks.spawn("clamd", async move {
            loop {
                tokio::select! {
                    () = stop.requested() => return Ok(()),
                    socket = listener.accept() => {
                        if !sick.load(Ordering::SeqCst) {
                            // What comes is answered one after the other; a broken conversation is the scanner's matter.
                            let _ = converse(socket?.0).await;
                        }
                    }
                }
            }
        });
        Self {
            address,
            ill,
            shutdown,
            _tasks: tasks,
        }
    }

    fn settings(&self) -> String {
        format!("[attachments.scanner]\naddress = \"{}\"\n", self.address)
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

async fn converse(mut socket: TcpStream) -> std::io::Result<()> {
    let mut command = [0; 10];
    socket.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut bytes = Vec::new();
    loop {
        let length = socket.read_u32().await?;
        if length == 0 {
            break;
        }
        let mut part = vec![0; usize::try_from(length).unwrap()];
        socket.read_exact(&mut part).await?;
        bytes.extend(part);
    }
    let infected = bytes.windows(5).any(|window| window == b"EICAR");
    let reply: &[u8] = if infected {
        b"stream: Eicar-Signature FOUND\0"
    } else {
        b"stream: OK\0"
    };
    socket.write_all(reply).await
}

#[tokio::test]
async fn nobody_gets_a_file_before_the_scanner_has_passed_it() {
    let clamd = Clamd::start().await;
    clamd.ill.store(true, Ordering::SeqCst);
    let stand = Stand::with(&clamd.settings()).await;
    let mut files = client(&stand).await;
    let clean = upload(&mut files, "a.png", &png(3 << 20)).await;
    let infected = upload(&mut files, "b.txt", b"X5O!P%@AP EICAR").await;
    assert_eq!(clean.scan_state(), ScanState::Pending);
    let waits = download(&mut files, &clean.name, 0, 0).await.unwrap_err();
    assert_eq!(
        (waits.code(), reason(&waits)),
        (Code::FailedPrecondition, "ATTACHMENT_NOT_SCANNED".to_owned())
    );
    // The scanner is ill: it is asked again later, and until then nothing is handed out.
    eventually("both scans were tried", PATIENCE, async || {
        let tried: i64 =
            sqlx::query_scalar("SELECT count(*) FROM chassis.timer WHERE kind = 'attachment.scan' AND attempts > 0")
                .fetch_one(&mut stand.database().await)
                .await
                .unwrap();
        tried == 2
    })
    .await;
    assert_eq!(
        get(&mut files, &clean.name).await.unwrap().scan_state(),
        ScanState::Pending
    );

    clamd.ill.store(false, Ordering::SeqCst);
    eventually("both are scanned", PATIENCE, async || {
        stand.stage.clock.advance(SignedDuration::from_secs(60));
        let mut files = client(&stand).await;
        let (clean, infected) = (
            get(&mut files, &clean.name).await.unwrap(),
            get(&mut files, &infected.name).await.unwrap(),
        );
        let states = (clean.scan_state(), infected.scan_state());
        if states == (ScanState::Clean, ScanState::Infected) {
            Ok(())
        } else {
            Err(format!("{states:?}"))
        }
    })
    .await;
    assert!(download(&mut files, &clean.name, 0, 0).await.unwrap().1 == png(3 << 20));
    let refused = download(&mut files, &infected.name, 0, 0).await.unwrap_err();
    assert_eq!(
        (reason(&refused), metadata(&refused, "signature")),
        ("ATTACHMENT_INFECTED".to_owned(), "Eicar-Signature".to_owned())
    );
    // The same bytes under another name are as infected.
    let renamed = upload(&mut files, "c.txt", b"X5O!P%@AP EICAR").await;
    assert_eq!(renamed.scan_state(), ScanState::Infected);
}
