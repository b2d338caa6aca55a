//! Who may send: kept by those who may, secrets shown once, foreign tenants not told from none.

use huiyin_proto::{
    intake::v1::{
        CreateSourceRequest, DisableSourceRequest, EnableSourceRequest, FieldMapping, FixedField, GetSourceRequest,
        ListSourcesRequest, RotateSourceSecretRequest, Source, SourceState, UpdateSourceRequest,
    },
    r#type::v1::Channel,
};
use tonic::Code;

use crate::stand::{ACME, Stand, fields, reason, request_id};

fn weibo() -> Source {
    Source {
        display_name: "微博".to_owned(),
        channel: Channel::Weibo.into(),
        mappings: vec![FieldMapping {
            pointer: "/post/text".to_owned(),
            field: "description".to_owned(),
        }],
        fixed_fields: vec![FixedField {
            field: "language".to_owned(),
            value: "zh-CN".to_owned(),
        }],
        keywords: vec!["回音".to_owned()],
        ..Source::default()
    }
}

fn create(id: &str, source: Source, request: u32) -> CreateSourceRequest {
    CreateSourceRequest {
        parent: ACME.to_owned(),
        source_id: id.to_owned(),
        source: Some(source),
        request_id: request_id(request),
    }
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_after() {
    let stand = Stand::new().await;
    let mut admin = stand.sources("user:admin", "acme", "admin").await;
    let made = admin
        .create_source(create("weibo", weibo(), 1))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (made.name.as_str(), made.state()),
        ("tenants/acme/sources/weibo", SourceState::Enabled)
    );
    assert!(
        made.secret.starts_with("whsec_") && made.secret.len() == 50,
        "{}",
        made.secret
    );
    let again = admin
        .create_source(create("weibo", weibo(), 1))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, made, "a repeat whose answer was lost");
    let taken = admin.create_source(create("weibo", weibo(), 2)).await.unwrap_err();
    assert_eq!(reason(&taken), "RESOURCE_EXISTS");

    let get = || GetSourceRequest {
        name: made.name.clone(),
    };
    let hidden = Source {
        secret: String::new(),
        ..made.clone()
    };
    assert_eq!(admin.get_source(get()).await.unwrap().into_inner(), hidden);
    let list = ListSourcesRequest {
        parent: ACME.to_owned(),
        filter: "channel = WEIBO AND state = ENABLED".to_owned(),
        ..ListSourcesRequest::default()
    };
    assert_eq!(admin.list_sources(list).await.unwrap().into_inner().sources, [hidden]);

    let rotate = RotateSourceSecretRequest {
        name: made.name.clone(),
        etag: made.etag.clone(),
        request_id: request_id(3),
    };
    let rotated = admin.rotate_source_secret(rotate.clone()).await.unwrap().into_inner();
    assert!(rotated.secret != made.secret && rotated.previous_secret_expire_time.is_some());
    assert_eq!(
        admin.rotate_source_secret(rotate.clone()).await.unwrap().into_inner(),
        rotated
    );
    let late = RotateSourceSecretRequest {
        request_id: request_id(4),
        ..rotate
    };
    let late = admin.rotate_source_secret(late).await.unwrap_err();
    assert_eq!((late.code(), reason(&late).as_str()), (Code::Aborted, "ETAG_MISMATCH"));

    // No table holds one in the clear.
    let dump: Vec<String> = sqlx::query_scalar(
        "SELECT s::text FROM source AS s UNION ALL SELECT encode(answer, 'escape') FROM chassis.answered_request",
    )
    .fetch_all(&mut stand.database().await)
    .await
    .unwrap();
    assert_eq!(dump.len(), 3);
    for secret in [&made.secret, &rotated.secret] {
        assert!(dump.iter().all(|row| !row.contains(secret.as_str())));
    }
}

#[tokio::test]
async fn a_source_is_changed_disabled_and_enabled_but_for_its_channel() {
    let stand = Stand::new().await;
    let made = stand.source("weibo", weibo()).await;
    let mut admin = stand.sources("user:admin", "acme", "supervisor").await;
    let update = UpdateSourceRequest {
        source: Some(Source {
            name: made.name.clone(),
            display_name: "微博客服".to_owned(),
            origins: vec!["https://www.example.com".to_owned()],
            ..Source::default()
        }),
        update_mask: None,
        request_id: String::new(),
    };
    let changed = admin.update_source(update.clone()).await.unwrap().into_inner();
    assert_eq!(
        (
            changed.display_name.as_str(),
            changed.origins.len(),
            changed.keywords.len()
        ),
        ("微博客服", 1, 1)
    );
    assert_eq!(changed.channel(), Channel::Weibo);
    let mask = |path: &str| UpdateSourceRequest {
        update_mask: Some(prost_types::FieldMask {
            paths: vec![path.to_owned()],
        }),
        ..update.clone()
    };
    let emptied = admin.update_source(mask("keywords")).await.unwrap().into_inner();
    assert_eq!((emptied.keywords.len(), emptied.mappings.len()), (0, 1));
    assert_eq!(
        fields(&admin.update_source(mask("channel")).await.unwrap_err()),
        ["update_mask"]
    );

    let disable = DisableSourceRequest {
        name: made.name.clone(),
        reason: "换系统".to_owned(),
        ..DisableSourceRequest::default()
    };
    let disabled = admin.disable_source(disable.clone()).await.unwrap().into_inner();
    assert_eq!(
        (disabled.state(), disabled.disable_reason.as_str()),
        (SourceState::Disabled, "换系统")
    );
    assert_eq!(admin.disable_source(disable).await.unwrap().into_inner(), disabled);
    let enable = EnableSourceRequest {
        name: made.name.clone(),
        etag: disabled.etag,
        request_id: String::new(),
    };
    let enabled = admin.enable_source(enable).await.unwrap().into_inner();
    assert_eq!(
        (enabled.state(), enabled.disable_reason.as_str()),
        (SourceState::Enabled, "")
    );
}

#[tokio::test]
async fn who_may_not_keep_sources_is_refused_and_another_tenants_is_not_found() {
    let stand = Stand::new().await;
    let made = stand.source("weibo", weibo()).await;
    let mut agent = stand.sources("user:wang", "acme", "agent").await;
    let refused = agent.create_source(create("app", weibo(), 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_MISSING");
    let mut foreign = stand.sources("user:admin", "globex", "admin").await;
    for name in [
        made.name.as_str(),
        "tenants/globex/sources/weibo",
        "tenants/acme/sources/none",
    ] {
        let name = name.to_owned();
        let missing = foreign.get_source(GetSourceRequest { name }).await.unwrap_err();
        assert_eq!(
            (missing.code(), reason(&missing).as_str()),
            (Code::NotFound, "RESOURCE_NOT_FOUND")
        );
    }
}

/// 003-70: all violations at once.
#[tokio::test]
async fn every_field_of_a_source_that_cannot_be_is_named() {
    let stand = Stand::new().await;
    let mut admin = stand.sources("user:admin", "acme", "admin").await;
    let broken = Source {
        channel: 0,
        mappings: vec![FieldMapping {
            pointer: "/a".to_owned(),
            field: "descriptoin".to_owned(),
        }],
        keywords: vec![" ".to_owned()],
        ..weibo()
    };
    let refused = admin.create_source(create("weibo", broken, 1)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["source.channel", "source.keywords[0]", "source.mappings[0].field"]
    );
    let broken = Source {
        origins: vec!["example.com".to_owned()],
        mappings: vec![FieldMapping {
            pointer: "text".to_owned(),
            field: "description".to_owned(),
        }],
        ..weibo()
    };
    let refused = admin.create_source(create("Weibo!", broken, 2)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["source.mappings[0].pointer", "source.origins[0]", "source_id"]
    );
}
