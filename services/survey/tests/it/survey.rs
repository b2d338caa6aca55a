//! Surveys: the built-in one, versions of a tenant's own, and who is asked which.

use huiyin_proto::{event::v1::Score, survey::v1::*, r#type::v1::LocalText};
use prost_types::{Duration, FieldMask};
use tonic::Code;

use crate::stand::{Stand, content, refused, scores, violated};

const NAME: &str = "tenants/acme/surveys/resolution";

pub(crate) fn text(en: &str, zh_cn: &str, zh_tw: &str) -> Option<LocalText> {
    Some(LocalText {
        en: en.into(),
        zh_cn: zh_cn.into(),
        zh_tw: zh_tw.into(),
    })
}

pub(crate) fn get(version: Option<i32>) -> GetSurveyRequest {
    GetSurveyRequest {
        name: NAME.into(),
        version,
    }
}

pub(crate) fn update(paths: &[&str], survey: Survey) -> UpdateSurveyRequest {
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
