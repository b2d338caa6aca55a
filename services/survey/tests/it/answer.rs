//! Answers: taken once, judged, told.

use huiyin_proto::{
    event::v1::{Score, event::Payload},
    survey::v1::*,
};
use tonic::Code;

use crate::stand::{DIMENSIONS, Stand, content, digest, refused, scores, violated};

const REQUEST_ID: &str = "3f2b8c1e-52a7-4c6e-9d35-6f0a5c1b7e01";

/// 003-52, 001-76: the main path.
#[tokio::test]
async fn a_content_customer_answers_and_nothing_is_reopened() {
    let stand = Stand::new().await;
    let (invitation, token) = stand.invited(1).await;
    let request = SubmitResponseRequest {
        comment: "谢谢，很快！".into(),
        ..content(&token)
    };
    let response = stand
        .customer()
        .await
        .submit_response(request)
        .await
        .unwrap()
        .into_inner();
    assert!(response.name.starts_with("tenants/acme/surveys/resolution/responses/"));
    assert_eq!(
        (response.satisfaction, response.solved, response.reopen),
        (4.5, true, false)
    );
    assert_eq!(
        (response.comment.as_str(), response.reason.as_str()),
        ("谢谢，很快！", "")
    );
    assert_eq!(
        (&response.invitation, &response.work_order, &response.feedback),
        (&invitation.name, &invitation.work_order, &invitation.feedback)
    );

    let mut agent = stand.client("acme", "agent").await;
    let read = agent
        .get_response(GetResponseRequest {
            name: response.name.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read, response);
    let answered = stand.in_state(&invitation.name, InvitationState::Answered).await;
    assert_eq!(
        (answered.response, answered.answer_time),
        (response.name, response.create_time)
    );

    let told = stand.stage.written().await;
    let Some(Payload::SurveyAnswered(event)) = &told[1].payload else {
        panic!("{told:?}")
    };
    assert_eq!(told[1].subject, invitation.work_order);
    assert_eq!(event.work_order, Some(digest("acme", 1, 1)));
    assert_eq!(
        (&event.invitation, event.satisfaction, event.solved, event.reopen),
        (&invitation.name, 4.5, true, false)
    );
    assert_eq!((event.reason.as_str(), event.scores.len()), ("", 4));
}

/// 003-51: "not solved" is returned with the customer's reason, masked (001-81).
#[tokio::test]
async fn not_solved_reopens_with_the_customers_reason_masked() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let request = SubmitResponseRequest {
        scores: scores([5, 5, 5, 5]),
        solved: Some(false),
        reason: "还是闪退，请打13800138000".into(),
        comment: "邮箱li.wei@example.com".into(),
        ..content(&token)
    };
    let response = stand
        .customer()
        .await
        .submit_response(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((response.reopen, response.satisfaction), (true, 5.0));
    assert_eq!(
        (response.reason.as_str(), response.comment.as_str()),
        ("还是闪退，请打[手机号]", "邮箱[邮箱]")
    );
    let told = stand.stage.written().await;
    let Some(Payload::SurveyAnswered(event)) = &told[1].payload else {
        panic!("{told:?}")
    };
    assert_eq!(
        (event.reopen, event.solved, event.reason.as_str()),
        (true, false, "还是闪退，请打[手机号]")
    );
}

#[tokio::test]
async fn a_low_score_reopens_and_says_so() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let request = SubmitResponseRequest {
        scores: scores([1, 2, 1, 2]),
        ..content(&token)
    };
    let response = stand
        .customer()
        .await
        .submit_response(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (response.reopen, response.solved, response.reason.as_str()),
        (true, true, "satisfaction 1.5 below 2.5")
    );
}

/// AIP-155: the same request gets the same answer, although the token is spent.
#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_a_second_answer_is_refused() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let mut customer = stand.customer().await;
    let request = SubmitResponseRequest {
        request_id: REQUEST_ID.into(),
        ..content(&token)
    };
    let first = customer.submit_response(request.clone()).await.unwrap().into_inner();
    let again = customer.submit_response(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, first);
    let other_body = SubmitResponseRequest {
        comment: "more".into(),
        ..request.clone()
    };
    assert_eq!(
        refused(customer.submit_response(other_body).await),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".into())
    );
    let answered = (Code::FailedPrecondition, "INVITATION_ANSWERED".to_owned());
    assert_eq!(refused(customer.submit_response(content(&token)).await), answered);
    assert_eq!(
        refused(
            customer
                .get_survey_form(GetSurveyFormRequest { token: token.clone() })
                .await
        ),
        answered
    );
    // The same id in the hands of another customer is another request.
    let (_, other) = stand.invited(2).await;
    customer
        .submit_response(SubmitResponseRequest {
            token: other,
            ..request
        })
        .await
        .unwrap();
    assert_eq!(stand.stage.written().await.len(), 4);
}

/// A token serves once, whoever is first.
#[tokio::test]
async fn of_two_answers_at_the_same_time_exactly_one_is_taken() {
    let stand = Stand::new().await;
    for number in 1..=8 {
        let (_, token) = stand.invited(number).await;
        let (mut left, mut right) = (stand.customer().await, stand.customer().await);
        let low = SubmitResponseRequest {
            scores: scores([1, 1, 1, 1]),
            ..content(&token)
        };
        let (left, right) = tokio::join!(left.submit_response(content(&token)), right.submit_response(low));
        let (taken, refusal) = match (left, right) {
            (Ok(taken), Err(refusal)) | (Err(refusal), Ok(taken)) => (taken.into_inner(), refusal),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            refused(Err::<(), _>(refusal)),
            (Code::FailedPrecondition, "INVITATION_ANSWERED".into())
        );
        let list = ListResponsesRequest {
            parent: "tenants/acme/surveys/resolution".into(),
            filter: format!("invitation = \"{}\"", taken.invitation),
            ..Default::default()
        };
        assert_eq!(
            stand
                .admin()
                .await
                .list_responses(list)
                .await
                .unwrap()
                .into_inner()
                .responses,
            [taken]
        );
    }
    assert_eq!(stand.stage.written().await.len(), 16);
}

#[tokio::test]
async fn the_same_request_at_the_same_time_gets_one_answer_twice() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let request = SubmitResponseRequest {
        request_id: REQUEST_ID.into(),
        ..content(&token)
    };
    let (mut left, mut right) = (stand.customer().await, stand.customer().await);
    let (left, right) = tokio::join!(left.submit_response(request.clone()), right.submit_response(request));
    assert_eq!(left.unwrap().into_inner(), right.unwrap().into_inner());
}

/// Every violated field is named, and the token is not spent by it.
#[tokio::test]
async fn an_answer_that_is_not_whole_is_refused_with_every_violated_field() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let mut customer = stand.customer().await;
    let score = |dimension: &str, value| Score {
        dimension: dimension.to_owned(),
        value,
    };
    let request = SubmitResponseRequest {
        scores: vec![
            score("response_speed", 0),
            score("response_speed", 3),
            score("taste", 3),
            score("effect", i32::MAX),
            score("attitude", 5),
        ],
        solved: Some(false),
        reason: " ".into(),
        comment: "\0".into(),
        ..content(&token)
    };
    let fields = violated(customer.submit_response(request).await);
    assert_eq!(
        fields,
        [
            "scores[0].value",
            "scores[1].dimension",
            "scores[2].dimension",
            "scores[3].value",
            "scores",
            "reason",
            "comment"
        ]
    );
    let empty = SubmitResponseRequest {
        scores: Vec::new(),
        solved: None,
        request_id: "seven".into(),
        ..content(&token)
    };
    assert_eq!(
        violated(customer.submit_response(empty).await),
        ["scores", "solved", "request_id"]
    );
    customer.submit_response(content(&token)).await.unwrap();
}

/// 003-52: the form asks the four dimensions, in the customer's language, and names nobody.
#[tokio::test]
async fn the_form_speaks_the_customers_language() {
    let stand = Stand::new().await;
    let (invitation, token) = stand.invited(1).await;
    let mut customer = stand.customer().await;
    let mut form = async |accept_language: Option<&str>| {
        let mut request = tonic::Request::new(GetSurveyFormRequest { token: token.clone() });
        if let Some(language) = accept_language {
            request
                .metadata_mut()
                .insert("accept-language", language.parse().unwrap());
        }
        customer.get_survey_form(request).await.unwrap().into_inner()
    };
    let simplified = form(None).await;
    assert_eq!(
        (simplified.language.as_str(), simplified.title.as_str()),
        ("zh-CN", "请评价本次服务")
    );
    assert_eq!(
        simplified
            .dimensions
            .iter()
            .map(|dimension| dimension.key.as_str())
            .collect::<Vec<_>>(),
        DIMENSIONS
    );
    assert_eq!(simplified.dimensions[0].label, "响应速度");
    assert!(
        simplified
            .dimensions
            .iter()
            .all(|dimension| (dimension.min_score, dimension.max_score) == (1, 5))
    );
    assert_eq!(
        (simplified.feedback_number.as_str(), simplified.excerpt.as_str()),
        ("FB20260302001", "应用一打开就闪退。")
    );
    assert_eq!(simplified.expire_time, invitation.expire_time);
    assert_eq!(form(Some("fr, zh-TW;q=0.8")).await.dimensions[0].label, "回應速度");
    assert_eq!(form(Some("en-GB")).await.language, "en");
    assert_eq!(form(Some("fr")).await.language, "zh-CN");
}

#[tokio::test]
async fn another_tenants_answer_is_not_found() {
    let stand = Stand::new().await;
    let (_, token) = stand.invited(1).await;
    let response = stand
        .customer()
        .await
        .submit_response(content(&token))
        .await
        .unwrap()
        .into_inner();
    let mut stranger = stand.client("globex", "admin").await;
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());
    for name in [response.name.clone(), response.name.replace("acme", "globex")] {
        assert_eq!(
            refused(stranger.get_response(GetResponseRequest { name }).await),
            not_found
        );
    }
    let list = ListResponsesRequest {
        parent: "tenants/acme/surveys/-".into(),
        ..Default::default()
    };
    assert_eq!(refused(stranger.list_responses(list).await), not_found);
}
