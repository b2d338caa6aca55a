//! One feedback: stored before the answer, masked, numbered, told once.

use huiyin_proto::{
    intake::v1::{
        AttachmentReference, Contact, ContactHandling, ContactKind, CreateFeedbackRequest, Demand, Feedback,
        FeedbackState, Frequency, GetFeedbackRequest, ProductContext, Urgency,
    },
    r#type::v1::{Channel, CustomerTier, Impact},
};
use tonic::Code;

use crate::stand::{ACME, Stand, create, external, feedback, metadata, reason, request_id, unheld};

/// Everything that a feedback can have (000-10…27, 001-10…22, 003-20, 003-70).
fn full() -> Feedback {
    Feedback {
        channel: Channel::Phone.into(),
        title: "空调异响".to_owned(),
        description: "开机十分钟后出现异响".to_owned(),
        expectation: "希望上门维修".to_owned(),
        product: Some(ProductContext {
            model: "KF-35".to_owned(),
            batch: "B2026-01".to_owned(),
            purchase_channel: "天猫".to_owned(),
            purchase_time: Some(prost_types::Timestamp {
                seconds: 1_767_225_600,
                nanos: 0,
            }),
            order_number: "2026112100012345".to_owned(),
            device: "Mate 60, HarmonyOS 4.2".to_owned(),
            software_version: "3.1".to_owned(),
        }),
        frequency: Frequency::Often.into(),
        impact: Impact::Serious.into(),
        demand: Demand::Repair.into(),
        urgency: Urgency::Urgent.into(),
        emotion_level: 4,
        tier: CustomerTier::Vip.into(),
        customer_reference: "crm-4711".to_owned(),
        contact: Some(Contact {
            kind: ContactKind::Phone.into(),
            address: "+86 138 0013 8000".to_owned(),
        }),
        external_id: "T-1".to_owned(),
        source: "zendesk".to_owned(),
        language: "zh-TW".to_owned(),
        attachments: vec![AttachmentReference {
            uri: "https://files.example.com/a.png".to_owned(),
            media_type: "image/png".to_owned(),
            note: "异响录音，联系 13800138000".to_owned(),
            attachment: String::new(),
        }],
        occur_time: Some(prost_types::Timestamp {
            seconds: 1_772_400_000,
            nanos: 123_456_000,
        }),
        ..Feedback::default()
    }
}

/// 001-13, 003-70: what was answered for is stored, and told in the same transaction.
#[tokio::test]
async fn what_was_answered_for_is_stored_and_told() {
    let stand = Stand::new().await;
    let mut agent = stand.client_of("user:wang", "acme", "agent").await;
    let answer = agent.create_feedback(create(full())).await.unwrap().into_inner();

    let customer = answer.customer.clone();
    assert!(customer.starts_with("tenants/acme/customers/"), "{customer}");
    let mut expected = Feedback {
        name: answer.name.clone(),
        number: "FB20260302001".to_owned(),
        customer: customer.clone(),
        customer_reference: String::new(),
        contact: None,
        contact_kind: ContactKind::Phone.into(),
        segments: vec!["vip".to_owned()],
        create_time: Some(prost_types::Timestamp {
            seconds: 1_772_413_200,
            nanos: 0,
        }),
        author: "user:wang".to_owned(),
        status_token: answer.status_token.clone(),
        ..full()
    };
    expected.attachments[0].note = "异响录音，联系 [手机号]".to_owned();
    expected.state = FeedbackState::Accepted.into();
    expected.contact_handling = ContactHandling::Encrypted.into();
    assert_eq!(answer, expected);
    let read = agent
        .get_feedback(GetFeedbackRequest {
            name: answer.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, unheld(answer.clone()));

    let (event, submitted) = stand.events().await.pop().unwrap();
    assert_eq!(
        (
            event.source.as_str(),
            event.tenant.as_str(),
            &event.subject,
            event.actor.as_str()
        ),
        ("intake", "acme", &answer.name, "user:wang")
    );
    let digest = submitted.feedback.unwrap();
    assert_eq!(
        (&digest.feedback, &digest.number, &digest.customer),
        (&answer.name, &answer.number, &customer)
    );
    assert_eq!((digest.channel(), digest.tier()), (Channel::Phone, CustomerTier::Vip));
    assert_eq!(
        (
            digest.product_model.as_str(),
            digest.batch.as_str(),
            digest.language.as_str()
        ),
        ("KF-35", "B2026-01", "zh-TW")
    );
    assert_eq!(
        (digest.occur_time, digest.receive_time),
        (answer.occur_time, answer.create_time)
    );
    assert!(digest.reachable);
    assert_eq!(submitted.text, "空调异响\n开机十分钟后出现异响\n希望上门维修");
    assert_eq!(
        (
            submitted.stated_impact,
            submitted.stated_urgency,
            submitted.emotion_level
        ),
        (Impact::Serious.into(), 2, 4)
    );
    assert_eq!(submitted.demand, "REPAIR");
}

/// 003-20, 001-16: time, language and channel are there without being said.
#[tokio::test]
async fn what_is_not_said_is_filled_in() {
    let stand = Stand::new().await;
    let answer = stand
        .client()
        .await
        .create_feedback(create(feedback("待机时间短")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.language, "zh-CN");
    assert_eq!(answer.occur_time, answer.create_time);
    assert_eq!((answer.customer.as_str(), answer.contact_kind), ("", 0));
    assert_eq!(answer.product, None);
    let (_, submitted) = stand.events().await.pop().unwrap();
    assert_eq!((submitted.text.as_str(), submitted.demand.as_str()), ("待机时间短", ""));
    let digest = submitted.feedback.unwrap();
    assert_eq!((digest.customer.as_str(), digest.reachable), ("", false));
}

/// 001-11, 001-81: verbatim under seal, masked everywhere else.
#[tokio::test]
async fn a_number_in_the_words_is_stored_and_never_shown() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let said = Feedback {
        title: "请回电 13800138000".to_owned(),
        expectation: "写信到 li.wei@example.com".to_owned(),
        ..feedback("我的电话是 138-0013-8000，无法登录")
    };
    let answer = client.create_feedback(create(said)).await.unwrap().into_inner();
    assert_eq!(answer.description, "我的电话是 [手机号]，无法登录");
    assert_eq!(
        (answer.title.as_str(), answer.expectation.as_str()),
        ("请回电 [手机号]", "写信到 [邮箱]")
    );
    let read = client
        .get_feedback(GetFeedbackRequest {
            name: answer.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, unheld(answer.clone()));
    let (_, submitted) = stand.events().await.pop().unwrap();
    assert_eq!(
        submitted.text,
        "请回电 [手机号]\n我的电话是 [手机号]，无法登录\n写信到 [邮箱]"
    );

    // The words as they came are sealed; what stands beside them in clear is masked.
    let stored: (String, String, String, bool) =
        sqlx::query_as("SELECT title, description, expectation, verbatim_sealed IS NOT NULL FROM feedback")
            .fetch_one(&mut stand.database().await)
            .await
            .unwrap();
    assert_eq!(stored, (answer.title, answer.description, answer.expectation, true));
}

/// A replay gets the first answer and changes nothing; another body is refused; another caller has ids of its own.
#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let request = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(external("闪退", "E-1"))
    };
    let first = client.create_feedback(request.clone()).await.unwrap().into_inner();
    stand.stage.clock.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(
        client.create_feedback(request.clone()).await.unwrap().into_inner(),
        first
    );
    assert_eq!((stand.stored().await, stand.events().await.len()), (1, 1));

    let other_body = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(feedback("卡顿"))
    };
    let refused = client.create_feedback(other_body.clone()).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );

    let second = stand
        .client_of("key:crm", "acme", "integration")
        .await
        .create_feedback(other_body)
        .await
        .unwrap()
        .into_inner();
    // C-21: what came twice may leave a gap, and never a double.
    assert!(second.number > first.number, "{}", second.number);
    assert_eq!(stand.stored().await, 2);
}

/// An external id is unique per tenant and source, and an empty one is none.
#[tokio::test]
async fn an_external_id_is_taken_once_per_source() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let first = client
        .create_feedback(create(external("闪退", "E-1")))
        .await
        .unwrap()
        .into_inner();
    let refused = client
        .create_feedback(create(external("又闪退", "E-1")))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::AlreadyExists, "EXTERNAL_ID_TAKEN".to_owned())
    );
    assert_eq!(
        (metadata(&refused, "feedback"), metadata(&refused, "external_id")),
        (first.name, "E-1".to_owned())
    );

    let other_source = Feedback {
        source: "crm".to_owned(),
        ..external("又闪退", "E-1")
    };
    client.create_feedback(create(other_source)).await.unwrap();
    for _ in 0..2 {
        client.create_feedback(create(external("没有编号", ""))).await.unwrap();
    }
    let other_tenant = CreateFeedbackRequest {
        parent: "tenants/globex".to_owned(),
        ..create(external("又闪退", "E-1"))
    };
    stand
        .client_of("key:erp", "globex", "integration")
        .await
        .create_feedback(other_tenant)
        .await
        .unwrap();
    assert_eq!(stand.events().await.len(), 5);
}

/// 001-14, 000-21: the same customer, however the address is written; the reference wins; never across tenants.
#[tokio::test]
async fn a_customer_has_one_pseudonym_per_tenant() {
    let stand = Stand::new().await;
    let mut client = stand.client().await;
    let mut customer = async |reference: &str, kind: ContactKind, address: &str| {
        let said = Feedback {
            customer_reference: reference.to_owned(),
            contact: Some(Contact {
                kind: kind.into(),
                address: address.to_owned(),
            }),
            ..feedback("掉线")
        };
        client
            .create_feedback(create(said))
            .await
            .unwrap()
            .into_inner()
            .customer
    };
    let by_phone = customer("", ContactKind::Phone, "13800138000").await;
    assert_eq!(customer("", ContactKind::Phone, "+86 138-0013-8000").await, by_phone);
    assert_ne!(customer("", ContactKind::Phone, "13800138001").await, by_phone);
    let by_mail = customer("", ContactKind::Email, "Li@Example.com").await;
    assert_eq!(customer("", ContactKind::Email, " li@example.com").await, by_mail);
    let by_reference = customer("crm-1", ContactKind::Phone, "13800138000").await;
    assert_ne!(by_reference, by_phone);
    assert_eq!(
        customer("crm-1 ", ContactKind::Email, "li@example.com").await,
        by_reference
    );

    let said = Feedback {
        customer_reference: "crm-1".to_owned(),
        ..feedback("掉线")
    };
    let request = CreateFeedbackRequest {
        parent: "tenants/globex".to_owned(),
        ..create(said)
    };
    let elsewhere = stand
        .client_of("key:erp", "globex", "integration")
        .await
        .create_feedback(request)
        .await
        .unwrap()
        .into_inner();
    assert_ne!(elsewhere.customer.rsplit('/').next(), by_reference.rsplit('/').next());
}

/// 001-13, C-21: the sequence begins anew with each day of the tenant's own zone and widens past 999.
#[tokio::test]
async fn numbers_begin_anew_each_day_and_widen() {
    let stand = Stand::with("[numbers]\ntime_zones = { globex = \"America/New_York\" }\n").await;
    let mut client = stand.client().await;
    let mut globex = stand.client_of("key:erp", "globex", "integration").await;
    let mut number = async || {
        client
            .create_feedback(create(feedback("缺件")))
            .await
            .unwrap()
            .into_inner()
            .number
    };
    assert_eq!(number().await, "FB20260302001");
    sqlx::query("UPDATE number_counter SET last = 998")
        .execute(&mut stand.database().await)
        .await
        .unwrap();
    assert_eq!(number().await, "FB20260302999");
    assert_eq!(number().await, "FB202603021000");
    assert_eq!(number().await, "FB202603021001");
    // 09:00 in Shanghai is 20:00 of the day before in New York.
    let request = CreateFeedbackRequest {
        parent: "tenants/globex".to_owned(),
        ..create(feedback("缺件"))
    };
    assert_eq!(
        globex
            .create_feedback(request.clone())
            .await
            .unwrap()
            .into_inner()
            .number,
        "FB20260301001"
    );
    stand.stage.clock.advance(jiff::SignedDuration::from_hours(15));
    assert_eq!(number().await, "FB20260303001");
    assert_eq!(
        globex.create_feedback(request).await.unwrap().into_inner().number,
        "FB20260302001"
    );
    assert_eq!(ACME, "tenants/acme");
}
