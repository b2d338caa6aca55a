//! Validation profiles: versions of what a tenant takes in, and what a feedback breaks of them (C-07, C-09).

use huiyin_proto::{
    intake::v1::{
        ActivateValidationProfileRequest, Aspect, AspectGuidance, ChannelRules, CheckFeedbackRequest, Contact,
        ContactHandling, ContactKind, ContactPolicy, CreateValidationProfileRequest, Feedback, FeedbackState,
        GetValidationProfileRequest, ListValidationProfilesRequest, ProductType, RequiredField, RevealContactRequest,
        Sentence, VaguenessPolicy, ValidationProfile, validation_service_client::ValidationServiceClient,
    },
    r#type::v1::Channel,
};
use huiyin_testkit::Connection;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::stand::{ACME, Stand, create, feedback, fields, reason};

pub(crate) type Validation = ValidationServiceClient<Connection>;

pub(crate) async fn validation(stand: &Stand) -> Validation {
    let token = stand.stage.token("user:boss", "acme", &["supervisor"]);
    ValidationServiceClient::new(stand.stage.connect(stand.address(), &token).await)
}

pub(crate) fn rules() -> ChannelRules {
    ChannelRules {
        key: "form".to_owned(),
        contact_policy: ContactPolicy::Encrypted.into(),
        vagueness_policy: VaguenessPolicy::Flag.into(),
        ..ChannelRules::default()
    }
}

pub(crate) fn profile(rules: Vec<ChannelRules>) -> ValidationProfile {
    ValidationProfile {
        display_name: "网页表单".to_owned(),
        change_reason: "003-70".to_owned(),
        rules,
        ..ValidationProfile::default()
    }
}

/// Makes a version and puts it into effect.
pub(crate) async fn in_effect(stand: &Stand, profile: ValidationProfile) -> ValidationProfile {
    let mut client = validation(stand).await;
    let made = client
        .create_validation_profile(CreateValidationProfileRequest {
            parent: ACME.to_owned(),
            validation_profile: Some(profile),
            ..CreateValidationProfileRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    client
        .activate_validation_profile(ActivateValidationProfileRequest {
            name: made.name,
            ..ActivateValidationProfileRequest::default()
        })
        .await
        .unwrap()
        .into_inner()
}

fn phone() -> Option<Contact> {
    Some(Contact {
        kind: ContactKind::Phone.into(),
        address: "13800138000".to_owned(),
    })
}

fn in_language<T>(message: T, language: &'static str) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("accept-language", language.parse().unwrap());
    request
}

/// 003-70, C-09: required fields, fifty characters, formats; all violations at once, in the caller's language.
#[tokio::test]
async fn all_that_is_wrong_is_said_at_once_in_the_callers_language() {
    let stand = Stand::new().await;
    in_effect(
        &stand,
        profile(vec![ChannelRules {
            channels: vec![Channel::WebForm.into()],
            required: vec![
                RequiredField::ProductModel.into(),
                RequiredField::CustomerReference.into(),
            ],
            min_description_length: 50,
            contact_policy: ContactPolicy::Required.into(),
            ..rules()
        }]),
    )
    .await;
    let mut client = stand.client().await;
    let request = in_language(create(feedback("充电十分钟就发烫")), "zh-CN");
    let refused = client.create_feedback(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::InvalidArgument, "FIELDS_INVALID".to_owned())
    );
    assert_eq!(
        fields(&refused),
        [
            "feedback.contact",
            "feedback.customer_reference",
            "feedback.description",
            "feedback.product.model"
        ]
    );
    let said: Vec<String> = refused
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|violation| violation.description)
        .collect();
    assert!(said.contains(&"为必填项".to_owned()), "{said:?}");
    assert!(said.contains(&"至少需要 50 个字，目前 8 个字".to_owned()), "{said:?}");

    let request = in_language(create(feedback("充电十分钟就发烫")), "en");
    let refused = client.create_feedback(request).await.unwrap_err();
    let said = refused.get_details_bad_request().unwrap().field_violations;
    assert!(
        said.iter().any(|violation| violation.description == "is required"),
        "{said:?}"
    );

    // 004-50: another channel keeps its own rules.
    let in_app = Feedback {
        channel: Channel::InApp.into(),
        ..feedback("坏了")
    };
    client.create_feedback(create(in_app)).await.unwrap();
    assert_eq!(stand.stored().await, 1);
}

/// C-07, 001-15: what is done with a contact is the tenant's to say, and the answer says what was done.
#[tokio::test]
async fn a_contact_is_kept_as_the_policy_says() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let with_contact = Feedback {
        contact: phone(),
        ..feedback("充电十分钟就发烫")
    };
    for (policy, handling, kind, is_there) in [
        (
            ContactPolicy::None,
            ContactHandling::Discarded,
            ContactKind::Unspecified,
            false,
        ),
        (
            ContactPolicy::TypeOnly,
            ContactHandling::TypeOnly,
            ContactKind::Phone,
            false,
        ),
        (
            ContactPolicy::Encrypted,
            ContactHandling::Encrypted,
            ContactKind::Phone,
            true,
        ),
    ] {
        in_effect(
            &stand,
            profile(vec![ChannelRules {
                contact_policy: policy.into(),
                ..rules()
            }]),
        )
        .await;
        let answer = client
            .create_feedback(create(with_contact.clone()))
            .await
            .unwrap()
            .into_inner();
        assert_eq!((answer.contact_handling(), answer.contact_kind()), (handling, kind));
        assert_eq!(answer.customer.is_empty(), policy == ContactPolicy::None);
        let token = stand.stage.service_token("notification");
        let revealed = stand
            .client_at(stand.address(), &token)
            .await
            .reveal_contact(RevealContactRequest { name: answer.name })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(revealed.contact.is_some(), is_there, "{policy:?}");
    }
    let reachable: Vec<bool> = stand
        .events()
        .await
        .iter()
        .map(|(_, submitted)| submitted.feedback.as_ref().unwrap().reachable)
        .collect();
    assert_eq!(reachable, [false, false, true]);
    let sealed: i64 = sqlx::query_scalar("SELECT count(*) FROM feedback WHERE contact_sealed IS NOT NULL")
        .fetch_one(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(sealed, 1);
}

/// 000-15: a vague description is refused, met with guidance, or noted, as the policy says.
#[tokio::test]
async fn a_vague_description_is_met_as_the_policy_says() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let of = |policy: VaguenessPolicy| {
        let mut profile = profile(vec![ChannelRules {
            vagueness_policy: policy.into(),
            ..rules()
        }]);
        profile.product_types = vec![ProductType {
            key: "phone".to_owned(),
            aspects: vec![Aspect::Model.into(), Aspect::Symptom.into()],
            guidance: vec![AspectGuidance {
                aspect: Aspect::Model.into(),
                text: Some(Sentence {
                    en: "Which phone?".to_owned(),
                    zh_cn: "哪款手机？".to_owned(),
                    zh_tw: "哪款手機？".to_owned(),
                }),
            }],
            ..ProductType::default()
        }];
        profile
    };
    in_effect(&stand, of(VaguenessPolicy::Refuse)).await;
    let vague = || in_language(create(feedback("一點都不好用！")), "zh-TW");
    let refused = client.create_feedback(vague()).await.unwrap_err();
    assert_eq!(fields(&refused), ["feedback.description"]);
    let said = refused.get_details_bad_request().unwrap().field_violations[0]
        .description
        .clone();
    assert_eq!(said, "描述過於籠統。哪款手機？請說明具體的故障現象，例如螢幕上的提示。");
    assert_eq!(stand.stored().await, 0);

    in_effect(&stand, of(VaguenessPolicy::Guide)).await;
    let guided = client.create_feedback(vague()).await.unwrap().into_inner();
    let asked: Vec<(Aspect, bool)> = guided
        .missing
        .iter()
        .map(|missing| (missing.aspect(), missing.guidance.is_empty()))
        .collect();
    assert_eq!(asked, [(Aspect::Model, false), (Aspect::Symptom, false)]);

    in_effect(&stand, of(VaguenessPolicy::Flag)).await;
    let flagged = client.create_feedback(vague()).await.unwrap().into_inner();
    assert_eq!(flagged.missing.len(), 2);
    assert!(flagged.missing.iter().all(|missing| missing.guidance.is_empty()));
    let clear = client
        .create_feedback(create(feedback("点击保存后页面白屏")))
        .await
        .unwrap();
    assert_eq!(clear.into_inner().missing, []);
}

/// Versions are made whole, looked at, put into effect and rolled back.
#[tokio::test]
async fn a_version_is_put_into_effect_and_rolled_back() {
    let stand = Stand::new().await;
    let mut client = validation(&stand).await;
    let strict = profile(vec![ChannelRules {
        required: vec![RequiredField::Title.into()],
        ..rules()
    }]);
    let looked_at = client
        .create_validation_profile(CreateValidationProfileRequest {
            parent: ACME.to_owned(),
            validation_profile: Some(strict.clone()),
            validate_only: true,
            ..CreateValidationProfileRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(looked_at.version, 1);
    let get = |id: &str| GetValidationProfileRequest {
        name: format!("{ACME}/validationProfiles/{id}"),
    };
    assert_eq!(
        client.get_validation_profile(get("1")).await.unwrap_err().code(),
        Code::NotFound
    );
    let built_in = client.get_validation_profile(get("active")).await.unwrap().into_inner();
    assert_eq!((built_in.version, built_in.active), (0, true));

    let active = in_effect(&stand, strict).await;
    assert_eq!((active.version, active.active, active.etag.as_str()), (1, true, "1"));
    let mut intake = stand.client().await;
    let refused = intake.create_feedback(create(feedback("黑屏"))).await.unwrap_err();
    assert_eq!(fields(&refused), ["feedback.title"]);

    let roll_back = |etag: &str| ActivateValidationProfileRequest {
        name: format!("{ACME}/validationProfiles/0"),
        etag: etag.to_owned(),
        ..ActivateValidationProfileRequest::default()
    };
    let stale = client.activate_validation_profile(roll_back("7")).await.unwrap_err();
    assert_eq!(reason(&stale), "ETAG_MISMATCH");
    client.activate_validation_profile(roll_back("")).await.unwrap();
    intake.create_feedback(create(feedback("黑屏"))).await.unwrap();

    let listed = client
        .list_validation_profiles(ListValidationProfilesRequest {
            parent: ACME.to_owned(),
            ..ListValidationProfilesRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    let versions: Vec<(i32, bool)> = listed
        .validation_profiles
        .iter()
        .map(|profile| (profile.version, profile.active))
        .collect();
    assert_eq!(versions, [(1, false), (0, true)]);
}

#[tokio::test]
async fn a_profile_that_cannot_be_is_refused_with_every_field() {
    let stand = Stand::new().await;
    let refused = validation(&stand)
        .await
        .create_validation_profile(CreateValidationProfileRequest {
            parent: ACME.to_owned(),
            validation_profile: Some(profile(vec![
                ChannelRules {
                    external_id_pattern: "(".to_owned(),
                    ..rules()
                },
                rules(),
            ])),
            ..CreateValidationProfileRequest::default()
        })
        .await
        .unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "validation_profile.rules[0].external_id_pattern",
            "validation_profile.rules[1].channels",
            "validation_profile.rules[1].key"
        ]
    );
}

/// 000-15: trying a feedback says all that would be said, and leaves no trace.
#[tokio::test]
async fn a_feedback_is_tried_without_being_stored() {
    let stand = Stand::new().await;
    let mut client = validation(&stand).await;
    in_effect(
        &stand,
        profile(vec![ChannelRules {
            required: vec![RequiredField::Title.into()],
            contact_policy: ContactPolicy::None.into(),
            ..rules()
        }]),
    )
    .await;
    let mut check = async |feedback: Feedback| {
        client
            .check_feedback(CheckFeedbackRequest {
                parent: ACME.to_owned(),
                feedback: Some(feedback),
            })
            .await
            .unwrap()
            .into_inner()
    };
    let tried = check(Feedback {
        contact: phone(),
        ..feedback("不好用")
    })
    .await;
    assert!(!tried.valid);
    assert_eq!(tried.violations[0].field, "feedback.title");
    assert_eq!(tried.contact_handling(), ContactHandling::Discarded);
    assert!(tried.missing.iter().all(|missing| !missing.guidance.is_empty()));
    assert_eq!((tried.missing.len(), tried.profile_version), (2, 1));
    let tried = check(Feedback {
        title: "测试".to_owned(),
        ..feedback("test123")
    })
    .await;
    assert!(tried.valid);
    assert_eq!((tried.findings.len(), tried.state()), (1, FeedbackState::Accepted));
    assert_eq!((stand.stored().await, stand.events().await.len()), (0, 0));
}
