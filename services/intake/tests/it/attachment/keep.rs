//! How long files are kept, how often, and what a crash leaves.

use huiyin_proto::intake::v1::UploadOpening;
use jiff::SignedDuration;
use tonic::Code;

use super::{
    client, client_of, delete, download, eventually_stored, get, opening, png, stored, upload, upload_as, with,
};
use crate::stand::{Stand, create, metadata, reason, request_id};

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
    let uploaded = upload(&mut files, "a.png", &png(10)).await;
    let mut client = stand.client().await;
    client.create_feedback(create(with(&[&uploaded]))).await.unwrap();
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
