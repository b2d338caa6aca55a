//! Tokens: who may see them, what is stored of them, and what becomes of those that are none of ours.

use huiyin_chassis::secret;
use huiyin_proto::survey::v1::*;
use huiyin_testkit::{Connection, Stage, eventually};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::stand::{Client, KEY, LIMIT, Stand, content, refused, violated};

/// The token is made again, the same each time.
#[tokio::test]
async fn a_token_can_be_revealed_again_and_again_to_services_alone() {
    let stand = Stand::new().await;
    let (invitation, token) = stand.invited(1).await;
    assert!(token.starts_with("hys_"));
    assert_eq!(stand.token(&invitation).await, token);
    for role in ["admin", "supervisor", "agent", "engineer", "analyst", "integration"] {
        let request = RevealInvitationTokenRequest {
            name: invitation.name.clone(),
        };
        let (code, reason) = refused(stand.client("acme", role).await.reveal_invitation_token(request).await);
        assert_eq!(
            (code, reason.as_str()),
            (Code::PermissionDenied, "PERMISSION_MISSING"),
            "{role}"
        );
    }
}

/// At rest there is only a hash.
#[tokio::test]
async fn the_token_is_stored_nowhere() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let request = SubmitResponseRequest {
        request_id: "7b0d5f3e-8f0f-4a0e-9c8e-0c4f6a1f2a11".into(),
        ..content(&token)
    };
    stand.customer().await.submit_response(request).await.unwrap();
    eventually("what was told is in the log", LIMIT, async || {
        stand.look("SELECT count(*) FROM events.outbox").await == 0
    })
    .await;

    let bytes = secret::from_text(token.strip_prefix("hys_").unwrap()).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mac = &bytes[bytes.len() - 32..];
    let forbidden = [
        token.clone(),
        token[4..].to_owned(),
        hex(token.as_bytes()),
        hex(&bytes),
        hex(mac),
        secret::to_text(mac),
        hex(KEY.as_bytes()),
        KEY.to_owned(),
    ];

    let mut connection = PgConnection::connect(&stand.stage.database_url()).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut stored = String::new();
    for table in &tables {
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("SELECT t::text FROM {table} AS t")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        stored.extend(rows);
    }
    // The search finds what is there: the hash.
    assert!(stored.contains(&hex(&secret::hash(token.as_bytes()))), "{tables:?}");
    for text in forbidden {
        assert!(!stored.contains(&text), "{text} is stored");
    }
}

/// A token that is none of ours tells nobody what is wrong with it.
#[tokio::test]
async fn hostile_tokens_are_refused_alike() {
    let stand = Stand::new().await;
    let (invitation, token) = stand.invited(1).await;
    let bytes = secret::from_text(token.strip_prefix("hys_").unwrap()).unwrap();
    let id = uuid::Uuid::try_parse(invitation.name.rsplit('/').next().unwrap()).unwrap();
    let nonce = &bytes[21..37];
    let forged = |key: &[u8], tenant: &[u8], id: &[u8], nonce: &[u8]| {
        let mac = secret::keyed_hash(key, &[b"survey invitation", tenant, id, nonce]);
        let length = u8::try_from(tenant.len()).unwrap();
        format!(
            "hys_{}",
            secret::to_text(&[&[length], tenant, id, nonce, &mac].concat())
        )
    };
    // The forgery is right where all its parts are.
    assert_eq!(forged(KEY.as_bytes(), b"acme", id.as_bytes(), nonce), token);

    let elsewhere = forged(KEY.as_bytes(), b"globex", id.as_bytes(), nonce); // our key, but nobody is invited there
    let other_key = forged(b"some other key, long enough", b"acme", id.as_bytes(), nonce);
    let other_nonce = forged(KEY.as_bytes(), b"acme", id.as_bytes(), &[0; 16]); // our key, but not the token that was issued
    let other_invitation = forged(KEY.as_bytes(), b"acme", uuid::Uuid::nil().as_bytes(), nonce);
    let no_tenant = forged(KEY.as_bytes(), b"'; DROP", id.as_bytes(), nonce);
    let mut turned = bytes.clone();
    turned[2] ^= 1;
    let random = secret::to_text(&secret::random_bytes::<69>());
    let mut hostile = vec![elsewhere, other_key, other_nonce, other_invitation, no_tenant];
    hostile.extend([
        format!("hys_{}", secret::to_text(&turned)),
        format!("hys_{random}"),
        random,
        token.to_uppercase(),
        format!("{token}="),
    ]);
    hostile.extend([
        token[4..].to_owned(),
        "hys_".to_owned(),
        "hys_\u{0}".to_owned(),
        "调查".repeat(60),
        "/".repeat(512),
    ]);
    hostile.extend((1..token.len()).step_by(7).map(|length| token[..length].to_owned()));

    let mut customer = stand.customer().await;
    let mut answers = Vec::new();
    for token in &hostile {
        let form = customer
            .get_survey_form(GetSurveyFormRequest { token: token.clone() })
            .await
            .unwrap_err();
        let answer = customer.submit_response(content(token)).await.unwrap_err();
        for status in [form, answer] {
            let info = status.get_details_error_info().unwrap();
            answers.push((
                token,
                status.code(),
                info.reason,
                info.metadata,
                status.message().to_owned(),
            ));
        }
    }
    for (token, code, reason, metadata, message) in &answers {
        assert_eq!((*code, reason.as_str()), (Code::NotFound, "TOKEN_UNKNOWN"), "{token}");
        assert!(metadata.is_empty());
        assert_eq!(message, &answers[0].4, "{token}");
    }
    // None of it spent the true one.
    customer.submit_response(content(&token)).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_no_text_of_its_length_is_a_violation() {
    let stand = Stand::new().await;
    let mut customer = stand.customer().await;
    assert_eq!(
        violated(
            customer
                .get_survey_form(GetSurveyFormRequest { token: String::new() })
                .await
        ),
        ["token"]
    );
    assert_eq!(
        violated(
            customer
                .get_survey_form(GetSurveyFormRequest { token: "a".repeat(513) })
                .await
        ),
        ["token"]
    );
}

/// A key is changed while invitations are out: they stay good.
#[tokio::test]
async fn invitations_outlive_a_change_of_the_key() {
    let stand = Stand::new().await;
    let (invitation, token) = stand.invited(1).await;
    let rest = format!("[tokens]\nkey = \"the next key of the tests\"\nformer_keys = [\"{KEY}\"]\n");
    let config = stand.stage.config_with("survey", &stand.stage.database_url(), &rest);
    let second = survey::start(config, stand.stage.context()).await.unwrap();
    let connect = async |stage: &Stage, token: &str| -> Client {
        let connection: Connection = stage.connect(second.address, token).await;
        survey_service_client::SurveyServiceClient::new(connection)
    };
    let mut service = connect(&stand.stage, &stand.stage.service_token("notification")).await;
    let revealed = service
        .reveal_invitation_token(RevealInvitationTokenRequest { name: invitation.name })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(revealed.token, token);
    connect(&stand.stage, "")
        .await
        .submit_response(content(&token))
        .await
        .unwrap();
}
