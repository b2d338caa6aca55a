//! Files on their way in, and out again.

use huiyin_proto::intake::v1::{
    AttachmentReference, CreateFeedbackRequest, Feedback, ListAttachmentsRequest, ScanState, UploadAttachmentRequest,
    UploadOpening,
};
use tonic::{Code, Status};

use super::{client, client_of, delete, download, eventually_stored, get, opening, png, send, upload, upload_as, with};
use crate::stand::{Stand, create, feedback, metadata, reason, request_id};

/// 000-24: a document as Office writes it, whose own folder lies behind more than the first bytes.
#[tokio::test]
async fn a_document_of_office_is_taken() {
    let stand = Stand::new().await;
    let entry = |mark: &[u8], header: usize, name: &str, size: usize| {
        [mark, &vec![0; header - mark.len()], name.as_bytes(), &vec![7; size]].concat()
    };
    let archive = |folder: &str| {
        [
            entry(b"PK\x03\x04", 30, "docProps/thumbnail.jpeg", 2 << 20),
            entry(b"PK\x03\x04", 30, &format!("{folder}/document.xml"), 70_000),
            entry(b"PK\x01\x02", 46, "docProps/thumbnail.jpeg", 0),
            entry(b"PK\x01\x02", 46, &format!("{folder}/document.xml"), 0),
        ]
        .concat()
    };
    let mut files = client(&stand).await;
    let taken = upload(&mut files, "投诉.docx", &archive("word")).await;
    assert_eq!(
        taken.media_type,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    );
    let refused = upload_as(&mut files, opening("投诉.docx"), &archive("other"))
        .await
        .unwrap_err();
    assert_eq!(
        (reason(&refused).as_str(), metadata(&refused, "media_type").as_str()),
        ("ATTACHMENT_TYPE_REFUSED", "application/zip")
    );
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
