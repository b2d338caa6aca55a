//! Updates of a survey: at most once, one after the other, over nobody's head, and whole.

use huiyin_proto::survey::v1::*;
use prost_types::Duration;
use tonic::Code;

use crate::{
    stand::{Stand, refused, violated},
    survey::{get, text, update},
};

#[tokio::test]
async fn an_update_of_something_that_was_changed_is_aborted() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let seen = admin.get_survey(get(None)).await.unwrap().into_inner();
    let threshold = |etag: &str, threshold| {
        update(
            &["reopen_threshold"],
            Survey {
                etag: etag.into(),
                reopen_threshold: Some(threshold),
                ..Default::default()
            },
        )
    };
    admin.update_survey(threshold(&seen.etag, 3.0)).await.unwrap();
    assert_eq!(
        refused(admin.update_survey(threshold(&seen.etag, 4.0)).await),
        (Code::Aborted, "ETAG_MISMATCH".into())
    );
    assert_eq!(
        admin.get_survey(get(None)).await.unwrap().into_inner().reopen_threshold,
        Some(3.0)
    );
}

#[tokio::test]
async fn updates_at_the_same_time_make_versions_one_after_the_other() {
    let stand = Stand::new().await;
    let (mut left, mut right) = (stand.admin().await, stand.admin().await);
    let low = update(
        &["reopen_threshold"],
        Survey {
            reopen_threshold: Some(2.0),
            ..Default::default()
        },
    );
    let window = update(
        &["window"],
        Survey {
            window: Some(Duration {
                seconds: 3600,
                nanos: 0,
            }),
            ..Default::default()
        },
    );
    let (low, window) = tokio::join!(left.update_survey(low), right.update_survey(window));
    let mut versions = [low.unwrap().into_inner().version, window.unwrap().into_inner().version];
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
    let in_force = left.get_survey(get(None)).await.unwrap().into_inner();
    assert_eq!(
        (
            in_force.version,
            in_force.reopen_threshold,
            in_force.window.unwrap().seconds
        ),
        (2, Some(2.0), 3600),
        "neither is lost"
    );
}

#[tokio::test]
async fn a_repeated_update_is_done_once() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let id = "3f2b8c1e-52a7-4c6e-9d35-6f0a5c1b7e02";
    let request = UpdateSurveyRequest {
        request_id: id.into(),
        ..update(
            &[],
            Survey {
                reopen_threshold: Some(3.0),
                ..Default::default()
            },
        )
    };
    let first = admin.update_survey(request.clone()).await.unwrap().into_inner();
    admin
        .update_survey(update(
            &[],
            Survey {
                reopen_threshold: Some(4.0),
                ..Default::default()
            },
        ))
        .await
        .unwrap();
    assert_eq!(
        admin.update_survey(request.clone()).await.unwrap().into_inner(),
        first,
        "the first answer, not the present state"
    );
    let other = UpdateSurveyRequest {
        request_id: id.into(),
        ..update(
            &[],
            Survey {
                reopen_threshold: Some(3.5),
                ..Default::default()
            },
        )
    };
    assert_eq!(
        refused(admin.update_survey(other).await),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".into())
    );
    assert_eq!(admin.get_survey(get(None)).await.unwrap().into_inner().version, 2);
}

#[tokio::test]
async fn validate_only_checks_everything_and_saves_nothing() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let dry = |survey| UpdateSurveyRequest {
        validate_only: true,
        ..update(&[], survey)
    };
    let would = admin
        .update_survey(dry(Survey {
            reopen_threshold: Some(3.0),
            ..Default::default()
        }))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((would.version, would.reopen_threshold), (1, Some(3.0)));
    let broken = dry(Survey {
        title: text("A", "", "B"),
        ..Default::default()
    });
    assert_eq!(violated(admin.update_survey(broken).await), ["survey.title.zh_cn"]);
    assert_eq!(admin.get_survey(get(None)).await.unwrap().into_inner().version, 0);
}

#[tokio::test]
async fn every_violated_field_of_an_update_is_named() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let twice = SurveyDimension {
        key: "a".into(),
        label: text("A", "甲", ""),
    };
    let survey = Survey {
        title: text("", "", ""),
        introduction: text("x", "", "x"),
        dimensions: vec![twice.clone(), twice],
        ..Default::default()
    };
    let fields = violated(admin.update_survey(update(&["*"], survey)).await);
    assert_eq!(
        fields,
        [
            "survey.title.en",
            "survey.title.zh_cn",
            "survey.title.zh_tw",
            "survey.introduction.zh_cn",
            "survey.dimensions[0].label.zh_tw",
            "survey.dimensions[1].key",
            "survey.dimensions[1].label.zh_tw",
        ]
    );
    assert_eq!(
        violated(admin.update_survey(update(&["dimensions"], Survey::default())).await),
        ["survey.dimensions"]
    );
    assert_eq!(
        violated(
            admin
                .update_survey(update(&["colour", "title.en"], Survey::default()))
                .await
        ),
        ["update_mask", "update_mask"]
    );
    let ranges = Survey {
        window: Some(Duration {
            seconds: 3599,
            nanos: 0,
        }),
        reopen_threshold: Some(5.5),
        ..Default::default()
    };
    assert_eq!(
        violated(admin.update_survey(update(&[], ranges)).await),
        ["survey.window", "survey.reopen_threshold"]
    );
    let label = Survey {
        dimensions: vec![SurveyDimension {
            key: "A".into(),
            label: None,
        }],
        ..Default::default()
    };
    assert_eq!(
        violated(admin.update_survey(update(&[], label)).await),
        ["survey.dimensions[0].key", "survey.dimensions[0].label"]
    );
    assert_eq!(
        violated(admin.update_survey(UpdateSurveyRequest::default()).await),
        ["survey"]
    );
}
