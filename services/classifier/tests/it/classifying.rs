//! From what intake tells to what this room tells; and texts that are only tried.

use huiyin_proto::{
    classifier::v1,
    event::v1::{FeedbackSubmitted, GetEventFlowRequest, ListDeadLettersRequest},
    r#type::v1::{CustomerTier, Impact, Sentiment},
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;

use crate::play::{LIMIT, PARENT, Play, TENANT, classification_of, refused, violated};

/// 001-21, 001-37, 003-22: category, tendency, impact, priority, basis, and the words that decided.
#[tokio::test]
async fn a_submitted_feedback_is_classified_once_and_told() {
    let play = Play::begin().await;
    let mut submitted = play.submitted("APP閃退！昨天更新後一打開就閃退，真的很糟糕。");
    submitted.feedback.as_mut().unwrap().tier = CustomerTier::Vip.into();
    let found = play.classified_as(&submitted).await;
    assert_eq!(found.name, classification_of(&submitted));
    assert_eq!(found.feedback, submitted.feedback);
    assert_eq!(
        (found.revision, found.taxonomy_version, found.category.as_str()),
        (1, 0, "function.crash")
    );
    assert_eq!(
        (found.sentiment(), found.impact()),
        (Sentiment::Negative, Impact::Serious)
    );
    assert!(found.sentiment_score < -0.5, "{}", found.sentiment_score);
    let priority = found.priority.clone().unwrap();
    assert_eq!((priority.key.as_str(), priority.rank), ("P1", 1));
    assert_eq!(
        found.basis,
        "function.crash by “闪退”; impact serious (“闪退”) × tier VIP gives P1"
    );
    assert_eq!(
        (found.skills.as_slice(), found.department.as_str()),
        (["software".to_owned()].as_slice(), "product")
    );
    assert_eq!(
        found.excerpt, "昨天更新後一打開就閃退，真的很糟糕。",
        "001-17: it says most"
    );
    assert_eq!(found.etag, "1");

    let computed = found.computed.clone().unwrap();
    assert_eq!(
        (computed.category, computed.labels),
        (found.category.clone(), found.labels.clone())
    );
    let span = computed
        .spans
        .iter()
        .find(|span| span.category == "function.crash")
        .unwrap();
    assert_eq!(
        (span.role(), span.term.as_str(), span.start, span.end, span.negated),
        (v1::SpanRole::Category, "闪退", 3, 5, false)
    );

    let told = play.told(&submitted.feedback.as_ref().unwrap().feedback, 1).await;
    let [(actor, classified)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (actor.as_str(), classified.revision, classified.category.as_str()),
        ("system", 1, "function.crash")
    );
    assert_eq!(
        (&classified.feedback, &classified.priority),
        (&found.feedback, &found.priority)
    );
    assert_eq!(
        (&classified.labels, &classified.basis, &classified.excerpt),
        (&found.labels, &found.basis, &found.excerpt)
    );
}

/// Told twice, classified once, published once.
#[tokio::test]
async fn the_same_event_again_changes_nothing() {
    let play = Play::begin().await;
    let submitted = play.submitted("退款超时");
    let event = play.submit(TENANT, &submitted);
    play.all_consumed().await;
    let mut boss = play.boss().await;
    let get = || v1::GetClassificationRequest {
        name: classification_of(&submitted),
    };
    let first = boss.get_classification(get()).await.unwrap().into_inner();
    play.stage.clock.advance(SignedDuration::from_mins(5));
    play.submit_again(&event);
    play.submit_again(&event);
    play.all_consumed().await;
    assert_eq!(boss.get_classification(get()).await.unwrap().into_inner(), first);
    assert_eq!(play.told(&event.subject, 1).await.len(), 1);
    let flow = play
        .log()
        .await
        .get_event_flow(GetEventFlowRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(flow.dead_letters, 0);
}

/// 000-11, 000-26, 003-21: what was stated counts beside the wording.
#[tokio::test]
async fn what_was_stated_with_it_counts() {
    let play = Play::begin().await;
    let quiet = play.classified("今天下雨").await;
    assert_eq!(
        (quiet.category.as_str(), quiet.impact(), quiet.sentiment()),
        ("unclassified", Impact::Minor, Sentiment::Neutral)
    );
    assert_eq!(quiet.priority.unwrap().key, "P3");
    assert!(quiet.labels.is_empty() && quiet.skills.is_empty() && quiet.department.is_empty());

    let stated = FeedbackSubmitted {
        stated_impact: Impact::Fatal.into(),
        emotion_level: 5,
        ..play.submitted("今天下雨")
    };
    let stated = play.classified_as(&stated).await;
    assert_eq!(
        (
            stated.impact(),
            stated.sentiment(),
            stated.priority.unwrap().key.as_str()
        ),
        (Impact::Fatal, Sentiment::Negative, "P1")
    );
    let urgent = FeedbackSubmitted {
        stated_urgency: 3,
        ..play.submitted("今天下雨")
    };
    assert_eq!(play.classified_as(&urgent).await.priority.unwrap().key, "P0");
}

/// 002-21: safety is P0 whatever the matrix says, and the rule is named.
#[tokio::test]
async fn safety_overrides_the_matrix() {
    let play = Play::begin().await;
    let found = play.classified("面包发霉了").await;
    let computed = found.computed.unwrap();
    assert_eq!(
        (found.category.as_str(), found.priority.unwrap().key.as_str()),
        ("safety.food", "P0")
    );
    assert_eq!(computed.override_rule, "safety-first");
    assert!(computed.basis.contains("安全/合规"), "{}", computed.basis);
}

/// An event that says nothing of which feedback it is about becomes a dead letter, and the others go on.
#[tokio::test]
async fn a_broken_event_is_set_aside() {
    let play = Play::begin().await;
    let mut broken = play.submitted("闪退");
    broken.feedback.as_mut().unwrap().feedback = format!("{PARENT}/feedbacks/nonsense");
    play.submit(TENANT, &broken);
    play.classified("闪退").await;
    let mut supervisor = huiyin_proto::event::v1::event_log_service_client::EventLogServiceClient::new(
        play.stage
            .connect(
                play.running.address,
                &play.stage.token("user:boss", TENANT, &["supervisor"]),
            )
            .await,
    );
    let letters = eventually("it is set aside", LIMIT, async || {
        let request = ListDeadLettersRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        };
        let letters = supervisor
            .list_dead_letters(request)
            .await
            .unwrap()
            .into_inner()
            .dead_letters;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!(letters.len(), 1);
}

#[tokio::test]
async fn a_tried_text_is_read_and_not_kept() {
    let play = Play::begin().await;
    let mut agent = play.client("user:agent", TENANT, &["agent"]).await;
    let request = v1::ClassifyTextRequest {
        parent: PARENT.to_owned(),
        text: "没有卡顿，但是充电的时候起火了".to_owned(),
        tier: CustomerTier::New.into(),
        ..Default::default()
    };
    let verdict = agent.classify_text(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (
            verdict.category.as_str(),
            verdict.impact(),
            verdict.priority.unwrap().key.as_str()
        ),
        ("safety.fire", Impact::Fatal, "P0")
    );
    let lag = verdict
        .spans
        .iter()
        .find(|span| span.category == "performance.lag")
        .unwrap();
    assert!(lag.negated && lag.weight == 0.0, "{lag:?}");
    for span in &verdict.spans {
        let piece: String = request
            .text
            .chars()
            .skip(span.start as usize)
            .take((span.end - span.start) as usize)
            .collect();
        assert_eq!(piece, span.term);
    }
    // The built-in version by its number needs no version of the tenant's.
    let by_number = v1::ClassifyTextRequest {
        taxonomy_version: Some(0),
        ..request.clone()
    };
    assert_eq!(
        agent.classify_text(by_number).await.unwrap().into_inner().category,
        "safety.fire"
    );
    let missing = v1::ClassifyTextRequest {
        taxonomy_version: Some(7),
        ..request
    };
    assert_eq!(
        refused(agent.classify_text(missing).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    let listed = agent
        .list_classifications(v1::ListClassificationsRequest {
            parent: PARENT.to_owned(),
            ..Default::default()
        })
        .await;
    assert!(listed.unwrap().into_inner().classifications.is_empty());
}

/// Another tenant's classification is not to be told from one that is missing, whatever is done to it.
#[tokio::test]
async fn another_tenant_finds_nothing() {
    let play = Play::begin().await;
    let found = play.classified("闪退").await;
    let mut stranger = play.client("user:x", "globex", &["admin"]).await;
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());
    assert_eq!(
        refused(
            stranger
                .get_classification(v1::GetClassificationRequest {
                    name: found.name.clone()
                })
                .await
        ),
        not_found
    );
    let moved = found.name.replace("acme", "globex");
    assert_eq!(
        refused(
            stranger
                .get_classification(v1::GetClassificationRequest { name: moved })
                .await
        ),
        not_found
    );
    let correct = v1::CorrectClassificationRequest {
        category: "function".to_owned(),
        ..crate::play::correction(&found.name)
    };
    assert_eq!(refused(stranger.correct_classification(correct).await), not_found);
    for name in ["tenants/acme/taxonomies/0", "tenants/acme/taxonomies/active"] {
        assert_eq!(
            refused(
                stranger
                    .get_taxonomy(v1::GetTaxonomyRequest { name: name.to_owned() })
                    .await
            ),
            not_found
        );
    }
    let list = v1::ListClassificationsRequest {
        parent: PARENT.to_owned(),
        ..Default::default()
    };
    assert_eq!(refused(stranger.list_classifications(list).await), not_found);
    let own = v1::ListClassificationsRequest {
        parent: "tenants/globex".to_owned(),
        ..Default::default()
    };
    assert!(
        stranger
            .list_classifications(own)
            .await
            .unwrap()
            .into_inner()
            .classifications
            .is_empty()
    );
}

#[tokio::test]
async fn a_malformed_request_names_every_field() {
    let play = Play::begin().await;
    let mut boss = play.boss().await;
    let request = v1::ClassifyTextRequest {
        parent: "acme".to_owned(),
        stated_urgency: 9,
        emotion_level: -1,
        ..Default::default()
    };
    let mut fields = violated(boss.classify_text(request).await);
    fields.sort();
    assert_eq!(fields, ["emotion_level", "parent", "stated_urgency", "text"]);
    let mut analyst = play.client("user:a", TENANT, &["analyst"]).await;
    let correct = v1::CorrectClassificationRequest {
        category: "function".to_owned(),
        ..crate::play::correction("tenants/acme/classifications/x")
    };
    assert_eq!(
        refused(analyst.correct_classification(correct).await).0,
        Code::PermissionDenied
    );
}
