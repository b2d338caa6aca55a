//! Tokens and keys: what is believed, and what is not.

use huiyin_chassis::auth::{Audience, Claims, SigningKey, new_api_key};
use huiyin_proto::event::v1::GetEventFlowRequest;
use jiff::SignedDuration;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::stand::Stand;

#[tokio::test]
async fn a_good_token_says_who_calls() {
    let stand = Stand::start("", "").await;
    assert_eq!(stand.flow(&stand.claims()).await.unwrap().service, "user:admin");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_it_is_refused_alike() {
    let stand = Stand::start("", "").await;
    let good = stand.claims();
    let wrong: Vec<(&str, Claims)> = vec![
        (
            "expired",
            Claims {
                exp: good.exp - 3600,
                ..good.clone()
            },
        ),
        (
            "not yet valid",
            Claims {
                nbf: good.nbf + 3600,
                ..good.clone()
            },
        ),
        (
            "for others",
            Claims {
                aud: Audience::Many(vec!["others".to_owned()]),
                ..good.clone()
            },
        ),
        (
            "of a stranger",
            Claims {
                iss: "nobody".to_owned(),
                ..good.clone()
            },
        ),
        (
            "without a tenant",
            Claims {
                tenant: None,
                ..good.clone()
            },
        ),
        (
            "a service of an issuer who issues none",
            Claims {
                iss: "them".to_owned(),
                tenant: None,
                roles: vec!["service".to_owned()],
                ..good.clone()
            },
        ),
        (
            "a service in a tenant of such an issuer",
            Claims {
                iss: "them".to_owned(),
                roles: vec!["service".to_owned()],
                ..good.clone()
            },
        ),
    ];
    for (what, claims) in wrong {
        let status = stand.flow(&claims).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unauthenticated, "the bearer token is not valid"),
            "{what}"
        );
        assert_eq!(
            status.get_error_details().error_info().unwrap().reason,
            "CREDENTIALS_INVALID",
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_token_signed_with_another_key_is_refused() {
    let (stand, other) = (Stand::start("", "").await, Stand::start("", "").await);
    let mut request = Request::new(GetEventFlowRequest {});
    let forged: &SigningKey = &other.key;
    let token = forged.sign(&stand.claims()).unwrap();
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(
        stand.client().await.get_event_flow(request).await.unwrap_err().code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn a_token_expires_by_the_services_clock() {
    let stand = Stand::start("", "").await;
    let claims = stand.claims();
    stand.flow(&claims).await.unwrap();
    stand.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(stand.flow(&claims).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_service_may_have_no_tenant() {
    let stand = Stand::start("", "").await;
    let claims = Claims {
        sub: "service:survey".to_owned(),
        tenant: None,
        roles: vec!["service".to_owned()],
        ..stand.claims()
    };
    assert_eq!(stand.flow(&claims).await.unwrap().service, "service:survey");
}

#[tokio::test]
async fn an_api_key_speaks_for_its_tenant_with_its_roles() {
    let (key, config) = new_api_key("erp", "acme", &["admin"]);
    let auth = format!(
        "[[auth.api_keys]]\nid = \"erp\"\nhash = \"{}\"\ntenant = \"acme\"\nroles = [\"admin\"]",
        config.hash
    );
    let stand = Stand::start("", &auth).await;
    let call = async |key: &str| {
        let mut request = Request::new(GetEventFlowRequest {});
        request.metadata_mut().insert("x-api-key", key.parse().unwrap());
        stand.client().await.get_event_flow(request).await
    };
    assert_eq!(call(&key).await.unwrap().into_inner().service, "key:erp");
    assert_eq!(call("hyk_erp_guess").await.unwrap_err().code(), Code::Unauthenticated);
}

/// Tokens are remembered when they were verified; that must not make one live longer.
#[tokio::test]
async fn a_token_that_was_taken_a_moment_ago_is_refused_once_it_is_over() {
    let stand = Stand::start("", "").await;
    let claims = Claims {
        exp: stand.clock.now().as_second() + 20,
        ..stand.claims()
    };
    stand.flow(&claims).await.unwrap();
    // Its end, and the leeway for clocks that differ.
    stand.clock.advance(SignedDuration::from_secs(19));
    stand.flow(&claims).await.unwrap();
    stand.clock.advance(SignedDuration::from_secs(62));
    assert_eq!(stand.flow(&claims).await.unwrap_err().code(), Code::Unauthenticated);
}
