//! API keys: shown once, hashed at rest, rotated with an overlap, revoked for good, and never worth more than whoever made them.

use huiyin_proto::intake::v1::{
    ApiKey, ApiKeyState, CreateApiKeyRequest, GetApiKeyRequest, ListApiKeysRequest, RevokeApiKeyRequest,
    RotateApiKeyRequest, UpdateApiKeyRequest, VerifyApiKeyRequest, api_key_service_client::ApiKeyServiceClient,
    intake_service_client::IntakeServiceClient,
};
use huiyin_testkit::Connection;
use jiff::SignedDuration;
use tonic::{Code, Request, Status, transport::Endpoint};

use crate::stand::{ACME, Stand, create, feedback, fields, metadata, reason, request_id};

type Keys = ApiKeyServiceClient<Connection>;

impl Stand {
    async fn api_keys(&self, subject: &str, tenant: &str, role: &str) -> Keys {
        let token = self.stage.token(subject, tenant, &[role]);
        ApiKeyServiceClient::new(self.stage.connect(self.address(), &token).await)
    }

    /// Hands feedback in with a key.
    async fn hand_in(&self, key: &str) -> Result<(), Status> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address())).unwrap();
        let mut request = Request::new(create(feedback("打印机一直卡纸，换了纸也一样")));
        request.metadata_mut().insert("x-api-key", key.parse().unwrap());
        let mut client = IntakeServiceClient::new(endpoint.connect().await.unwrap());
        client.create_feedback(request).await.map(|_| ())
    }
}

fn new(id: &str, roles: &[&str], request: u32) -> CreateApiKeyRequest {
    CreateApiKeyRequest {
        parent: ACME.to_owned(),
        api_key_id: id.to_owned(),
        api_key: Some(ApiKey {
            display_name: "ERP".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..ApiKey::default()
        }),
        request_id: request_id(request),
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let stand = Stand::new().await;
    let mut admin = stand.api_keys("user:admin", "acme", "admin").await;
    let made = admin
        .create_api_key(new("erp", &["integration"], 1))
        .await
        .unwrap()
        .into_inner();
    assert!(made.key.starts_with("hyk_acme_erp_"), "{}", made.key);
    assert_eq!(
        (made.state(), made.creator.as_str()),
        (ApiKeyState::Active, "user:admin")
    );
    let hidden = ApiKey {
        key: String::new(),
        ..made.clone()
    };
    let again = admin
        .create_api_key(new("erp", &["integration"], 1))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, hidden, "a repeat tells what there is, and not the key");
    let taken = admin.create_api_key(new("erp", &["integration"], 2)).await.unwrap_err();
    assert_eq!(reason(&taken), "RESOURCE_EXISTS");
    let get = || GetApiKeyRequest {
        name: made.name.clone(),
    };
    assert_eq!(admin.get_api_key(get()).await.unwrap().into_inner(), hidden);

    stand.hand_in(&made.key).await.unwrap();
    let author: String = sqlx::query_scalar("SELECT author FROM feedback")
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(author, "key:erp");
    let used = admin.get_api_key(get()).await.unwrap().into_inner();
    assert!(used.last_use_time.is_some() && used.etag == made.etag);
    let list = ListApiKeysRequest {
        parent: ACME.to_owned(),
        filter: "state = ACTIVE AND creator = \"user:admin\"".to_owned(),
        ..ListApiKeysRequest::default()
    };
    assert_eq!(admin.list_api_keys(list).await.unwrap().into_inner().api_keys, [used]);
    let (clear, bytes) = huiyin_testkit::rows_with(&mut stand.database().await, &made.key).await;
    assert_eq!((clear, bytes), (0, 0), "the key stands nowhere");
    for wrong in [
        format!("{}x", made.key),
        made.key.replace("_acme_", "_globex_"),
        "hyk_acme_erp_guess".to_owned(),
    ] {
        assert_eq!(stand.hand_in(&wrong).await.unwrap_err().code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_rotated_key_is_good_for_the_overlap_and_a_revoked_one_for_ten_seconds_at_most() {
    let stand = Stand::new().await;
    let mut admin = stand.api_keys("user:admin", "acme", "admin").await;
    let first = admin
        .create_api_key(new("erp", &["integration"], 1))
        .await
        .unwrap()
        .into_inner();
    let rotate = |etag: &str, overlap| RotateApiKeyRequest {
        name: first.name.clone(),
        etag: etag.to_owned(),
        overlap,
        request_id: String::new(),
    };
    let hour = prost_types::Duration {
        seconds: 3600,
        nanos: 0,
    };
    let second = admin
        .rotate_api_key(rotate(&first.etag, Some(hour)))
        .await
        .unwrap()
        .into_inner();
    assert!(second.key != first.key && second.previous_key_expire_time.is_some());
    let late = admin.rotate_api_key(rotate(&first.etag, None)).await.unwrap_err();
    assert_eq!(reason(&late), "ETAG_MISMATCH");
    for key in [&first.key, &second.key] {
        stand.hand_in(key).await.unwrap();
    }
    stand.stage.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(
        stand.hand_in(&first.key).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    stand.hand_in(&second.key).await.unwrap();

    let revoke = RevokeApiKeyRequest {
        name: first.name.clone(),
        reason: "写进了公开仓库".to_owned(),
        ..RevokeApiKeyRequest::default()
    };
    let revoked = admin.revoke_api_key(revoke.clone()).await.unwrap().into_inner();
    assert_eq!(
        (revoked.state(), revoked.revoke_reason.as_str()),
        (ApiKeyState::Revoked, "写进了公开仓库")
    );
    assert_eq!(admin.revoke_api_key(revoke).await.unwrap().into_inner(), revoked);
    stand.stage.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(
        stand.hand_in(&second.key).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let back = admin.rotate_api_key(rotate("", None)).await.unwrap_err();
    assert_eq!(reason(&back), "STATE_FORBIDS");
}

#[tokio::test]
async fn a_key_is_changed_and_ends_when_it_was_to() {
    let stand = Stand::new().await;
    let mut admin = stand.api_keys("user:admin", "acme", "admin").await;
    let made = admin
        .create_api_key(new("erp", &["integration"], 1))
        .await
        .unwrap()
        .into_inner();
    let end = stand.stage.clock.now() + SignedDuration::from_hours(1);
    let update = |roles: &[&str], paths: &[&str]| UpdateApiKeyRequest {
        api_key: Some(ApiKey {
            name: made.name.clone(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            expire_time: Some(huiyin_chassis::sql::to_proto(end)),
            calls_per_second: 2,
            ..ApiKey::default()
        }),
        update_mask: (!paths.is_empty()).then(|| prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        request_id: String::new(),
    };
    let changed = admin.update_api_key(update(&[], &[])).await.unwrap().into_inner();
    assert_eq!((changed.roles.len(), changed.calls_per_second), (1, 2));
    assert_eq!(changed.expire_time, Some(huiyin_chassis::sql::to_proto(end)));
    // Its own rate holds: two at once, and no third.
    for _ in 0..2 {
        stand.hand_in(&made.key).await.unwrap();
    }
    let limited = stand.hand_in(&made.key).await.unwrap_err();
    assert_eq!(
        (reason(&limited).as_str(), metadata(&limited, "limit").as_str()),
        ("RATE_LIMITED", "caller")
    );

    let none = admin.update_api_key(update(&[], &["roles"])).await.unwrap_err();
    assert_eq!(fields(&none), ["api_key.roles"]);
    let fixed = admin.update_api_key(update(&[], &["key"])).await.unwrap_err();
    assert_eq!(fields(&fixed), ["update_mask"]);
    admin.update_api_key(update(&["analyst"], &["roles"])).await.unwrap();
    stand.stage.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(
        reason(&stand.hand_in(&made.key).await.unwrap_err()),
        "PERMISSION_MISSING"
    );
    stand.stage.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(
        stand.hand_in(&made.key).await.unwrap_err().code(),
        Code::Unauthenticated
    );
}

/// Whoever may make keys must not become more than he is by one.
#[tokio::test]
async fn nobody_makes_a_key_that_may_do_more_than_he() {
    let stand = Stand::new().await;
    let mut admin = stand.api_keys("user:admin", "acme", "admin").await;
    let service = admin.create_api_key(new("evil", &["service"], 1)).await.unwrap_err();
    assert_eq!(reason(&service), "PERMISSION_MISSING");
    let unknown = admin.create_api_key(new("king", &["king"], 2)).await.unwrap_err();
    assert_eq!(fields(&unknown), ["api_key.roles[0]"]);
    for role in ["agent", "supervisor", "analyst", "integration"] {
        let mut caller = stand.api_keys("user:wang", "acme", role).await;
        let refused = caller.create_api_key(new("mine", &[role], 3)).await.unwrap_err();
        assert_eq!(metadata(&refused, "permission"), "intake.apikeys.create", "{role}");
    }
    let made = admin
        .create_api_key(new("erp", &["admin"], 4))
        .await
        .unwrap()
        .into_inner();
    let mut foreign = stand.api_keys("user:admin", "globex", "admin").await;
    for name in [made.name.as_str(), "tenants/globex/apiKeys/erp"] {
        let name = name.to_owned();
        let missing = foreign.get_api_key(GetApiKeyRequest { name }).await.unwrap_err();
        assert_eq!(
            (missing.code(), reason(&missing).as_str()),
            (Code::NotFound, "RESOURCE_NOT_FOUND")
        );
    }
    // What a key may do is told to the services alone.
    let verify = VerifyApiKeyRequest {
        name: made.name.clone(),
        hash: huiyin_chassis::secret::hash(made.key.as_bytes()).to_vec(),
    };
    let refused = admin.verify_api_key(verify.clone()).await.unwrap_err();
    assert_eq!(metadata(&refused, "permission"), "intake.apikeys.verify");
    let token = stand.stage.service_token("survey");
    let mut survey = ApiKeyServiceClient::new(stand.stage.connect(stand.address(), &token).await);
    assert_eq!(
        survey.verify_api_key(verify.clone()).await.unwrap().into_inner().roles,
        ["admin"]
    );
    let wrong = VerifyApiKeyRequest {
        hash: vec![0; 32],
        ..verify
    };
    assert_eq!(survey.verify_api_key(wrong).await.unwrap_err().code(), Code::NotFound);
}

/// Whoever got hold of a key has nothing beyond its end, and does not take it from its owner.
#[tokio::test]
async fn a_key_makes_and_changes_no_keys_and_may_be_taken_back_by_itself() {
    let stand = Stand::new().await;
    let mut admin = stand.api_keys("user:admin", "acme", "admin").await;
    let made = admin
        .create_api_key(new("ops", &["admin"], 1))
        .await
        .unwrap()
        .into_inner();
    let endpoint = Endpoint::from_shared(format!("http://{}", stand.address())).unwrap();
    let mut keys = ApiKeyServiceClient::new(endpoint.connect().await.unwrap());
    let with_key = |made: &ApiKey| {
        let mut request = Request::new(());
        request.metadata_mut().insert("x-api-key", made.key.parse().unwrap());
        request
    };
    let create = with_key(&made).map(|()| new("more", &["integration"], 2));
    let update = with_key(&made).map(|()| UpdateApiKeyRequest {
        api_key: Some(ApiKey {
            name: made.name.clone(),
            ..ApiKey::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["expire_time".to_owned()],
        }),
        request_id: String::new(),
    });
    let rotate = with_key(&made).map(|()| RotateApiKeyRequest {
        name: made.name.clone(),
        ..RotateApiKeyRequest::default()
    });
    for refused in [
        keys.create_api_key(create).await.unwrap_err(),
        keys.update_api_key(update).await.unwrap_err(),
        keys.rotate_api_key(rotate).await.unwrap_err(),
    ] {
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "PERSON_REQUIRED")
        );
    }
    let revoke = with_key(&made).map(|()| RevokeApiKeyRequest {
        name: made.name.clone(),
        reason: "泄露".to_owned(),
        ..RevokeApiKeyRequest::default()
    });
    let revoked = keys.revoke_api_key(revoke).await.unwrap().into_inner();
    assert_eq!(revoked.state(), ApiKeyState::Revoked);
}
