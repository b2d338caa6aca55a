//! Surveys: the built-in one, versions of a tenant's own, and who is asked which.

use huiyin_proto::{event::v1::Score, survey::v1::*, r#type::v1::LocalText};
use prost_types::{Duration, FieldMask};
use tonic::Code;

use crate::stand::{Stand, content, refused, scores, violated};

const NAME: &str = "tenants/acme/surveys/resolution";

fn text(en: &str, zh_cn: &str, zh_tw: &str) -> Option<LocalText> {
    Some(LocalText {
        en: en.into(),
        zh_cn: zh_cn.into(),
        zh_tw: zh_tw.into(),
    })
}

fn get(version: Option<i32>) -> GetSurveyRequest {
    GetSurveyRequest {
        name: NAME.into(),
        version,
    }
}

fn update(paths: &[&str], survey: Survey) -> UpdateSurveyRequest {
    let update_mask = (!paths.is_empty()).then(|| FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    });
    UpdateSurveyRequest {
        survey: Some(Survey {
            name: NAME.into(),
            ..survey
        }),
        update_mask,
        ..Default::default()
    }
}

/// 003-52, C-14.
#[tokio::test]
async fn a_new_tenant_has_the_built_in_survey() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let survey = admin.get_survey(get(None)).await.unwrap().into_inner();
    assert_eq!(
        (survey.version, survey.dimensions.len(), survey.reopen_threshold),
        (0, 4, Some(2.5))
    );
    assert_eq!(
        (
            survey.window.unwrap().seconds,
            survey.update_time,
            survey.author.as_str()
        ),
        (7 * 24 * 3600, None, "")
    );
    assert_eq!(admin.get_survey(get(Some(0))).await.unwrap().into_inner(), survey);
    let list = admin
        .list_surveys(ListSurveysRequest {
            parent: "tenants/acme".into(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((list.surveys, list.next_page_token.as_str()), (vec![survey], ""));
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());
    assert_eq!(refused(admin.get_survey(get(Some(1))).await), not_found);
    assert_eq!(
        refused(
            admin
                .get_survey(GetSurveyRequest {
                    name: "tenants/acme/surveys/other".into(),
                    version: None
                })
                .await
        ),
        not_found
    );
}

#[tokio::test]
async fn an_update_makes_a_version_and_leaves_the_others_as_they_were() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let built_in = admin.get_survey(get(None)).await.unwrap().into_inner();
    // Without a mask: what is set.
    let first = update(
        &[],
        Survey {
            reopen_threshold: Some(3.0),
            window: Some(Duration {
                seconds: 7200,
                nanos: 0,
            }),
            ..Default::default()
        },
    );
    let first = admin.update_survey(first).await.unwrap().into_inner();
    assert_eq!(
        (first.version, first.reopen_threshold, first.window.unwrap().seconds),
        (1, Some(3.0), 7200)
    );
    assert_eq!(
        (&first.dimensions, &first.title, first.author.as_str()),
        (&built_in.dimensions, &built_in.title, "user:li.wei")
    );
    assert!(first.update_time.is_some() && first.etag != built_in.etag);
    // With a mask: what it names, defaults where that is not set; output-only fields are passed over.
    let second = update(
        &["title", "reopen_threshold", "version"],
        Survey {
            title: text("A", "甲", "甲"),
            version: 9,
            ..Default::default()
        },
    );
    let second = admin.update_survey(second).await.unwrap().into_inner();
    assert_eq!(
        (second.version, second.reopen_threshold, second.window.unwrap().seconds),
        (2, Some(2.5), 7200)
    );
    assert_eq!(second.title.as_ref().unwrap().zh_cn, "甲");
    for (version, survey) in [
        (Some(0), &built_in),
        (Some(1), &first),
        (Some(2), &second),
        (None, &second),
    ] {
        assert_eq!(&admin.get_survey(get(version)).await.unwrap().into_inner(), survey);
    }
    // Nothing new makes no version.
    let same = admin
        .update_survey(update(&["title"], second.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(same, second);
    let listed = admin
        .list_surveys(ListSurveysRequest {
            parent: "tenants/acme".into(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.surveys, [second]);
    let mut stranger = stand.client("globex", "admin").await;
    assert_eq!(refused(stranger.get_survey(get(None)).await).0, Code::NotFound);
    assert_eq!(
        refused(stranger.update_survey(update(&[], Survey::default())).await).0,
        Code::NotFound
    );
}

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

/// The dimensions and the threshold of the version that an invitation was issued with hold for its answer.
#[tokio::test]
async fn an_invitation_keeps_the_version_that_it_was_issued_with() {
    let stand = Stand::new().await;
    let mut admin = stand.admin().await;
    let (before, old_token) = stand.invited(1).await;
    let dimensions = vec![SurveyDimension {
        key: "overall".into(),
        label: text("Overall", "总体", "整體"),
    }];
    let change = Survey {
        dimensions,
        reopen_threshold: Some(5.0),
        window: Some(Duration {
            seconds: 3600,
            nanos: 0,
        }),
        ..Default::default()
    };
    admin.update_survey(update(&[], change)).await.unwrap();
    let (after, new_token) = stand.invited(2).await;
    assert_eq!((before.survey_version, after.survey_version), (0, 1));
    assert_eq!(
        after.expire_time.unwrap().seconds - after.create_time.unwrap().seconds,
        3600
    );

    let mut customer = stand.customer().await;
    let form = customer
        .get_survey_form(GetSurveyFormRequest {
            token: new_token.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(form.dimensions.len(), 1);
    let overall = |value| {
        vec![Score {
            dimension: "overall".into(),
            value,
        }]
    };
    let wrong = SubmitResponseRequest {
        scores: scores([4, 4, 4, 4]),
        ..content(&new_token)
    };
    assert_eq!(violated(customer.submit_response(wrong).await).len(), 5);
    let new = customer
        .submit_response(SubmitResponseRequest {
            scores: overall(4),
            ..content(&new_token)
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (new.survey_version, new.reopen, new.reason.as_str()),
        (1, true, "satisfaction 4 below 5")
    );
    let old = customer
        .submit_response(content(&old_token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((old.survey_version, old.reopen), (0, false));
}

/// Who may: 003-03.
#[tokio::test]
async fn only_those_who_keep_policies_update_surveys() {
    let stand = Stand::new().await;
    for (role, may) in [
        ("supervisor", true),
        ("agent", false),
        ("analyst", false),
        ("engineer", false),
        ("integration", false),
    ] {
        let outcome = stand
            .client("acme", role)
            .await
            .update_survey(update(
                &["title"],
                Survey {
                    title: text(role, role, role),
                    ..Default::default()
                },
            ))
            .await;
        assert_eq!(outcome.is_ok(), may, "{role}: {outcome:?}");
    }
    assert_eq!(
        refused(stand.customer().await.get_survey(get(None)).await).0,
        Code::Unauthenticated
    );
}
