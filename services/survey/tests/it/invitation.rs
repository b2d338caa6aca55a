//! Invitations: one per resolution, superseded by a reopening, expired by time.

use huiyin_proto::{
    event::v1::{StateCategory, WorkOrderTransitioned, event::Payload},
    survey::v1::*,
};
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tonic::Code;

use crate::stand::{LIMIT, Stand, content, digest, refused, work_order};

/// 000-55: a resolution is asked about without anybody doing anything.
#[tokio::test]
async fn a_resolution_makes_one_invitation_and_tells_of_it() {
    let stand = Stand::new().await;
    stand.resolved("acme", 1, 1);
    let invitation = stand.invitation("acme", 1, 1).await;
    let known = digest("acme", 1, 1);
    let feedback = known.feedback.clone().unwrap();
    assert!(
        invitation
            .name
            .starts_with("tenants/acme/surveys/resolution/invitations/")
    );
    assert_eq!(invitation.state(), InvitationState::Issued);
    assert_eq!(
        (invitation.work_order, invitation.episode, invitation.survey_version),
        (known.work_order.clone(), 1, 0)
    );
    assert_eq!(
        (invitation.feedback, invitation.customer),
        (feedback.feedback, feedback.customer)
    );
    assert_eq!((invitation.response.as_str(), invitation.answer_time), ("", None));
    let (issued, expires) = (invitation.create_time.unwrap(), invitation.expire_time.unwrap());
    assert_eq!(expires.seconds - issued.seconds, 7 * 24 * 3600);

    let told = stand.stage.written().await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (
            told[0].subject.as_str(),
            told[0].tenant.as_str(),
            told[0].actor.as_str()
        ),
        (known.work_order.as_str(), "acme", "system")
    );
    let Some(Payload::SurveyInvited(invited)) = &told[0].payload else {
        panic!("{told:?}")
    };
    assert_eq!(
        (&invited.invitation, invited.work_order.as_ref(), invited.expire_time),
        (&invitation.name, Some(&known), Some(expires))
    );
}

/// What was restored from a backup comes again: nothing changes.
#[tokio::test]
async fn a_redelivered_resolution_changes_nothing() {
    let stand = Stand::new().await;
    let event = stand.resolved("acme", 1, 1);
    let first = stand.invitation("acme", 1, 1).await;
    stand.scheduler.publish_again(&event);
    // Events of one subject come in order: when the second resolution has its invitation, the repeated one was seen.
    stand.reopened("acme", 1, 2);
    stand.resolved("acme", 1, 2);
    stand.invitation("acme", 1, 2).await;
    stand.scheduler.publish_again(&event);
    stand.reopened("acme", 1, 3);
    stand.resolved("acme", 1, 3);
    stand.invitation("acme", 1, 3).await;
    let all = stand.invitations("acme", 1).await;
    assert_eq!(
        all.iter().map(|invitation| invitation.episode).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(all[0].name, first.name);
    assert_eq!(stand.stage.written().await.len(), 3);
}

/// A reopened matter is asked about again, and only its new result.
#[tokio::test]
async fn a_reopened_work_order_is_asked_about_again() {
    let stand = Stand::new().await;
    let (first, token) = stand.invited(1).await;
    stand.reopened("acme", 1, 2);
    stand.in_state(&first.name, InvitationState::Superseded).await;
    let superseded = (Code::FailedPrecondition, "INVITATION_SUPERSEDED".to_owned());
    assert_eq!(
        refused(stand.customer().await.submit_response(content(&token)).await),
        superseded
    );
    let form = GetSurveyFormRequest { token: token.clone() };
    assert_eq!(refused(stand.customer().await.get_survey_form(form).await), superseded);
    let reveal = RevealInvitationTokenRequest {
        name: first.name.clone(),
    };
    assert_eq!(
        refused(stand.notification().await.reveal_invitation_token(reveal).await),
        superseded
    );

    stand.resolved("acme", 1, 2);
    let second = stand.invitation("acme", 1, 2).await;
    assert_ne!(second.name, first.name);
    let token = stand.token(&second).await;
    let response = stand
        .customer()
        .await
        .submit_response(content(&token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((response.episode, response.invitation), (2, second.name));
}

#[tokio::test]
async fn an_answered_invitation_stays_answered_when_its_work_order_is_reopened() {
    let stand = Stand::new().await;
    let (first, token) = stand.invited(1).await;
    stand.customer().await.submit_response(content(&token)).await.unwrap();
    stand.reopened("acme", 1, 2);
    stand.resolved("acme", 1, 2);
    stand.invitation("acme", 1, 2).await;
    assert_eq!(stand.in_state(&first.name, InvitationState::Answered).await.episode, 1);
}

/// A reopening that comes again after the next resolution must not take that one's invitation away.
#[tokio::test]
async fn a_redelivered_reopening_leaves_the_next_episode_alone() {
    let stand = Stand::new().await;
    stand.invited(1).await;
    let reopening = stand.reopened("acme", 1, 2);
    stand.resolved("acme", 1, 2);
    let second = stand.invitation("acme", 1, 2).await;
    stand.scheduler.publish_again(&reopening);
    // Comes after it, and is seen to have come.
    stand.resolved("acme", 1, 3);
    stand.invitation("acme", 1, 3).await;
    stand.in_state(&second.name, InvitationState::Issued).await;
    stand.moved("acme", 1, 3, StateCategory::Closed, StateCategory::New);
    stand.in_state(&second.name, InvitationState::Superseded).await;
}

#[tokio::test]
async fn moves_that_are_no_resolution_invite_nobody() {
    let stand = Stand::new().await;
    for (from, to) in [
        (StateCategory::New, StateCategory::Active),
        (StateCategory::Active, StateCategory::Waiting),
        (StateCategory::Waiting, StateCategory::Active),
        (StateCategory::Active, StateCategory::Verifying),
        (StateCategory::Active, StateCategory::Rejected),
        (StateCategory::Resolved, StateCategory::Closed),
    ] {
        stand.moved("acme", 1, 1, from, to);
    }
    stand.resolved("acme", 1, 2);
    stand.invitation("acme", 1, 2).await;
    assert_eq!(stand.invitations("acme", 1).await.len(), 1);
}

/// An event without its work order never will have an effect: it is set aside, and other subjects go on.
#[tokio::test]
async fn a_malformed_event_is_set_aside_and_holds_up_no_other() {
    let stand = Stand::new().await;
    let broken = WorkOrderTransitioned {
        to: StateCategory::Resolved.into(),
        ..Default::default()
    };
    stand
        .scheduler
        .publish("acme", &work_order("acme", 99), Payload::WorkOrderTransitioned(broken));
    for number in 1..=20 {
        stand.resolved("acme", number, 1);
    }
    for number in 1..=20 {
        stand.invitation("acme", number, 1).await;
    }
    eventually("it is set aside", LIMIT, async || {
        stand.look("SELECT count(*) FROM events.dead_letter").await == 1
    })
    .await;
}

/// The time to answer ends.
#[tokio::test]
async fn an_invitation_that_nobody_answers_expires() {
    let stand = Stand::new().await;
    let (invitation, token) = stand.invited(1).await;
    stand.stage.clock.advance(SignedDuration::from_hours(7 * 24));
    // The last moment is within the time.
    stand
        .customer()
        .await
        .get_survey_form(GetSurveyFormRequest { token: token.clone() })
        .await
        .unwrap();
    assert_eq!(
        stand.in_state(&invitation.name, InvitationState::Issued).await.state(),
        InvitationState::Issued
    );

    stand.stage.clock.advance(SignedDuration::from_secs(1));
    let expired = (Code::FailedPrecondition, "INVITATION_EXPIRED".to_owned());
    assert_eq!(
        refused(stand.customer().await.submit_response(content(&token)).await),
        expired,
        "whatever the timer has done yet"
    );
    stand.in_state(&invitation.name, InvitationState::Expired).await;
    assert_eq!(
        refused(stand.customer().await.submit_response(content(&token)).await),
        expired
    );
    assert_eq!(
        refused(
            stand
                .customer()
                .await
                .get_survey_form(GetSurveyFormRequest { token })
                .await
        ),
        expired
    );
    let reveal = RevealInvitationTokenRequest { name: invitation.name };
    assert_eq!(
        refused(stand.notification().await.reveal_invitation_token(reveal).await),
        expired
    );
}

#[tokio::test]
async fn an_answered_invitation_does_not_expire() {
    let stand = Stand::new().await;
    let (answered, token) = stand.invited(1).await;
    stand.customer().await.submit_response(content(&token)).await.unwrap();
    let (open, _) = stand.invited(2).await;
    stand.stage.clock.advance(SignedDuration::from_hours(30 * 24));
    stand.in_state(&open.name, InvitationState::Expired).await;
    stand.in_state(&answered.name, InvitationState::Answered).await;
    // Its timer has fired as well by now, or will: it finds nothing to do.
    eventually("no timer is left", LIMIT, async || {
        stand.look("SELECT count(*) FROM chassis.timer").await == 0
    })
    .await;
    stand.in_state(&answered.name, InvitationState::Answered).await;
}

/// What another tenant has is not to be told from what is not there.
#[tokio::test]
async fn another_tenants_invitation_is_not_found() {
    let stand = Stand::new().await;
    let (invitation, _) = stand.invited(1).await;
    let mut stranger = stand.client("globex", "admin").await;
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());
    let get = |name: &str| GetInvitationRequest { name: name.to_owned() };
    assert_eq!(refused(stranger.get_invitation(get(&invitation.name)).await), not_found);
    assert_eq!(
        refused(
            stranger
                .get_invitation(get(&invitation.name.replace("acme", "globex")))
                .await
        ),
        not_found
    );
    let list = ListInvitationsRequest {
        parent: "tenants/acme/surveys/-".into(),
        ..Default::default()
    };
    assert_eq!(refused(stranger.list_invitations(list).await), not_found);
    // In the right tenant, but below another survey, or no id at all.
    let mut admin = stand.admin().await;
    assert_eq!(
        refused(
            admin
                .get_invitation(get(&invitation.name.replace("resolution", "other")))
                .await
        ),
        not_found
    );
    assert_eq!(
        refused(
            admin
                .get_invitation(get("tenants/acme/surveys/resolution/invitations/no-uuid"))
                .await
        ),
        not_found
    );
}
