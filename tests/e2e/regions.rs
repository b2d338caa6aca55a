//! Two regions on one machine: personal data of the one is nowhere in the other, and neither believes what the other signed.

use huiyin::{
    demo::{self, DemoOptions},
    link::Link,
    suite::SERVICES,
    verify::{self, VerifyOptions},
};
use huiyin_chassis::{
    Clock,
    auth::{Audience, Claims, SigningKey},
};
use huiyin_e2e::Suite;
use huiyin_proto::{
    event::v1::{GetEventFlowRequest, PartitionCursor, ReadEventsRequest, Score},
    intake::v1::{
        AttachmentReference, Contact, ContactKind, CreateFeedbackRequest, Feedback, GetFeedbackStatusRequest,
        ListFeedbacksRequest, UploadAttachmentRequest, UploadOpening,
        attachment_service_client::AttachmentServiceClient, status_service_client::StatusServiceClient,
    },
    survey::v1::{
        GetSurveyFormRequest, ListInvitationsRequest, RevealInvitationTokenRequest, SubmitResponseRequest, SurveyForm,
    },
    r#type::v1::Channel,
};
use tonic::{Code, Status};

/// What is planted in region A: who, how to reach them, and words that nobody else says.
const NAME: &str = "欧阳紫嫣";
const MOBILE: &str = "13987654321";
const MAIL: &str = "ouyang.ziyan@example.com";
const CONTACT: &str = "ziyan.private@example.net";
const REFERENCE: &str = "crm-ouyang-7741";
const WORDS: &str = "更新以后闪退并且紫色雨伞图标消失";
const COMMENT: &str = "雨伞图标回来了";
const PLANTED: [&str; 7] = [NAME, MOBILE, MAIL, CONTACT, REFERENCE, WORDS, COMMENT];
/// Said in region B.
const OTHER_WORDS: &str = "物流太慢并且绿色水壶破损";

/// What was handed out in region A.
struct HandedOut {
    /// Number and token of the customer's own view.
    number: String,
    status_token: String,
    /// Of an invitation that can still be answered.
    survey_token: String,
    /// Of the second page of its feedbacks.
    page_token: String,
}

/// 000-13, 001-81: personal data never leaves its region; a region is a suite with servers and secrets of its own.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_planted_in_one_region_is_found_nowhere_in_the_other_and_no_token_crosses() {
    let a = Suite::start(&[]).await;
    let b = Suite::start(&[]).await;

    let handed_out = Box::pin(walk_the_loop_in_a(&a)).await;
    b.link()
        .intake()
        .create_feedback(submission(&b.link(), OTHER_WORDS))
        .await
        .unwrap();
    play(&b.link()).await;
    tokens_of_people_and_services_are_refused(&a, &b).await;
    tokens_of_customers_and_pages_are_refused(&a, &b, &handed_out).await;

    for planted in PLANTED {
        let (in_a, in_b) = (a.search(planted).await, b.search(planted).await);
        assert!(in_b.values().all(|found| *found == 0), "{planted}: {in_b:?}");
        assert_eq!(b.search_files(planted).await, 0, "{planted}");
        // The voucher names them all, so that the search is known to find each.
        assert!(in_a["attachments"] > 0, "{planted}: {in_a:?}");
        let logged = SERVICES
            .iter()
            .map(|service| in_a[&format!("{service}.log")])
            .sum::<i64>();
        assert_eq!(logged, 0, "{planted} is in a log of A");
    }
    let in_a = a.search(WORDS).await;
    for place in ["intake", "classifier", "scheduler", "notification", "redis"] {
        assert!(in_a[place] > 0, "{place}: {in_a:?}");
    }
    assert!(a.search(COMMENT).await["survey"] > 0);
    assert!(a.search_files(WORDS).await > 0);
    // And the other way round.
    assert!(b.search(OTHER_WORDS).await["intake"] > 0);
    assert!(a.search(OTHER_WORDS).await.values().all(|found| *found == 0));
}

fn submission(link: &Link, words: &str) -> CreateFeedbackRequest {
    CreateFeedbackRequest {
        parent: link.parent.clone(),
        feedback: Some(Feedback {
            channel: Channel::WebForm.into(),
            description: words.to_owned(),
            ..Feedback::default()
        }),
        request_id: Clock::system().id().to_string(),
    }
}

/// A customer with everything that names them, whose feedback is handled, rated and closed; and one whom nobody knows.
async fn walk_the_loop_in_a(a: &Suite) -> HandedOut {
    let link = a.link();
    let opening = UploadAttachmentRequest {
        opening: Some(UploadOpening {
            parent: link.parent.clone(),
            file_name: "voucher.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            ..UploadOpening::default()
        }),
        chunk: vec![],
    };
    let voucher = UploadAttachmentRequest {
        opening: None,
        chunk: PLANTED.join("\n").into_bytes(),
    };
    let attachment = AttachmentServiceClient::new(link.connection("intake"))
        .upload_attachment(tokio_stream::iter([opening, voucher]))
        .await
        .unwrap()
        .into_inner();
    let mut request = submission(&link, &format!("{WORDS}，我叫{NAME}，请打{MOBILE}或写信到{MAIL}"));
    if let Some(feedback) = &mut request.feedback {
        feedback.customer_reference = REFERENCE.to_owned();
        feedback.contact = Some(Contact {
            kind: ContactKind::Email.into(),
            address: CONTACT.to_owned(),
        });
        feedback.attachments = vec![AttachmentReference {
            attachment: attachment.name,
            ..AttachmentReference::default()
        }];
    }
    let created = link.intake().create_feedback(request).await.unwrap().into_inner();
    link.intake()
        .create_feedback(submission(&link, "希望增加深色模式"))
        .await
        .unwrap();
    play(&link).await;

    // Nobody was told of it, so nobody has answered.
    let open = ListInvitationsRequest {
        parent: format!("{}/surveys/-", link.parent),
        filter: "state = ISSUED".to_owned(),
        ..ListInvitationsRequest::default()
    };
    let invitation = link
        .survey()
        .list_invitations(open)
        .await
        .unwrap()
        .into_inner()
        .invitations
        .remove(0);
    let name = invitation.name;
    // As the service that sends it to the customer.
    let survey_token = a
        .link_as(&service_token(a, "notification"), "demo")
        .survey()
        .reveal_invitation_token(RevealInvitationTokenRequest { name })
        .await
        .unwrap()
        .into_inner()
        .token;
    let page_token = first_page(&link, "").await.unwrap();
    HandedOut {
        number: created.number,
        status_token: created.status_token,
        survey_token,
        page_token,
    }
}

async fn play(link: &Link) {
    let options = DemoOptions::to_the_end(4);
    demo::play(link, &options).await.unwrap();
    let audit = verify::run(link, &VerifyOptions { wait: 60, strays: 10 })
        .await
        .unwrap();
    assert!(audit.is_clean(), "{audit:?}");
}

/// The token of the page that follows.
async fn first_page(link: &Link, page_token: &str) -> Result<String, Status> {
    let request = ListFeedbacksRequest {
        parent: link.parent.clone(),
        page_size: 1,
        page_token: page_token.to_owned(),
        ..ListFeedbacksRequest::default()
    };
    let page = link.intake().list_feedbacks(request).await?.into_inner();
    Ok(page.next_page_token)
}

/// As a service signs it for itself; issuer and audience are the same in both regions.
fn service_token(suite: &Suite, service: &str) -> String {
    let now = Clock::system().now().as_second();
    let claims = Claims {
        iss: "https://huiyin.local".to_owned(),
        sub: format!("service:{service}"),
        aud: Audience::One("huiyin".to_owned()),
        exp: now + 600,
        nbf: now - 60,
        tenant: None,
        roles: vec!["service".to_owned()],
    };
    let key = SigningKey::read(&suite.files.folder().join("signing.pem")).unwrap();
    key.sign(&claims).unwrap()
}

async fn tokens_of_people_and_services_are_refused(a: &Suite, b: &Suite) {
    let token = a.files.admin_token().unwrap();
    let service_token = service_token(a, "classifier");
    let read = ReadEventsRequest {
        cursors: vec![PartitionCursor {
            partition: 0,
            position: 0,
        }],
        ..ReadEventsRequest::default()
    };
    for service in SERVICES {
        let flow = async |suite: &Suite| {
            let mut log = suite.link_as(&token, "demo").events(service);
            log.get_event_flow(GetEventFlowRequest {}).await.map(|_| ())
        };
        flow(a).await.unwrap();
        assert_eq!(flow(b).await.unwrap_err().code(), Code::Unauthenticated, "{service}");
        let events = async |suite: &Suite| {
            let mut log = suite.link_as(&service_token, "demo").events(service);
            log.read_events(read.clone()).await.map(|_| ())
        };
        events(a).await.unwrap();
        assert_eq!(events(b).await.unwrap_err().code(), Code::Unauthenticated, "{service}");
    }
}

async fn tokens_of_customers_and_pages_are_refused(a: &Suite, b: &Suite, handed_out: &HandedOut) {
    let status = async |suite: &Suite| {
        let link = suite.link();
        let request = GetFeedbackStatusRequest {
            parent: link.parent.clone(),
            number: handed_out.number.clone(),
            token: handed_out.status_token.clone(),
        };
        StatusServiceClient::new(link.connection("intake"))
            .get_feedback_status(request)
            .await
    };
    status(a).await.unwrap();
    assert_eq!(status(b).await.unwrap_err().code(), Code::NotFound);

    let form = async |suite: &Suite| -> Result<SurveyForm, Status> {
        let token = handed_out.survey_token.clone();
        Ok(suite
            .link()
            .survey()
            .get_survey_form(GetSurveyFormRequest { token })
            .await?
            .into_inner())
    };
    assert_eq!(form(b).await.unwrap_err().code(), Code::NotFound);
    let form = form(a).await.unwrap();
    let answer = SubmitResponseRequest {
        token: handed_out.survey_token.clone(),
        scores: form
            .dimensions
            .into_iter()
            .map(|dimension| Score {
                dimension: dimension.key,
                value: dimension.max_score,
            })
            .collect(),
        solved: Some(true),
        comment: COMMENT.to_owned(),
        ..SubmitResponseRequest::default()
    };
    let refused = b.link().survey().submit_response(answer.clone()).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    a.link().survey().submit_response(answer).await.unwrap();

    // The same query as the token is of, by somebody whom B believes.
    assert_eq!(
        first_page(&b.link(), &handed_out.page_token).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    first_page(&a.link(), &handed_out.page_token).await.unwrap();
}
