//! A key that was made at intake opens every service, and none any more once it is revoked.

use std::time::Duration;

use huiyin::suite::SERVICES;
use huiyin_e2e::Suite;
use huiyin_proto::{
    event::v1::{GetEventFlowRequest, event_log_service_client::EventLogServiceClient},
    intake::v1::{ApiKey, CreateApiKeyRequest, RevokeApiKeyRequest, api_key_service_client::ApiKeyServiceClient},
};
use huiyin_testkit::eventually;
use tonic::{Code, Request, Status};

/// Asks a service for something that all of them answer.
async fn ask(suite: &Suite, service: &str, key: &str) -> Result<(), Status> {
    let url = format!("http://{}", suite.files.addresses().unwrap()[service]);
    let mut request = Request::new(GetEventFlowRequest {});
    request.metadata_mut().insert("x-api-key", key.parse().unwrap());
    let mut client = EventLogServiceClient::connect(url).await.unwrap();
    client.get_event_flow(request).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_all_six_services_until_it_is_revoked() {
    let suite = Suite::start(&[]).await;
    let link = suite.link();
    let mut keys = ApiKeyServiceClient::new(link.connection("intake"));
    let request = CreateApiKeyRequest {
        parent: link.parent.clone(),
        api_key_id: "erp".to_owned(),
        api_key: Some(ApiKey {
            roles: vec!["admin".to_owned()],
            ..ApiKey::default()
        }),
        request_id: String::new(),
    };
    let made = keys.create_api_key(request).await.unwrap().into_inner();
    for service in SERVICES {
        ask(&suite, service, &made.key)
            .await
            .unwrap_or_else(|status| panic!("{service}: {status}"));
        let guess = ask(&suite, service, "hyk_demo_erp_guess").await.unwrap_err();
        assert_eq!(guess.code(), Code::Unauthenticated, "{service}");
    }
    let revoke = RevokeApiKeyRequest {
        name: made.name,
        ..RevokeApiKeyRequest::default()
    };
    keys.revoke_api_key(revoke).await.unwrap();
    for service in SERVICES {
        eventually(
            &format!("{service} has heard of it"),
            Duration::from_secs(30),
            async || {
                let refused = ask(&suite, service, &made.key).await.err()?;
                (refused.code() == Code::Unauthenticated).then_some(())
            },
        )
        .await;
    }
}
