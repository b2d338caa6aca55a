//! Customers: read what they were sent, and say whether it helped.

use futures::{StreamExt as _, TryStreamExt as _};
use huiyin_proto::{
    event::v1::Score,
    notification::v1::ListInboxItemsRequest,
    scheduler::v1::WorkOrder,
    survey::v1::{Invitation, ListInvitationsRequest, SubmitResponseRequest},
};
use indicatif::ProgressBar;
use tonic::Code;

use super::{DemoOptions, pace};
use crate::{link::Link, list};

/// The four dimensions of 003-52.
const DIMENSIONS: [&str; 4] = ["response_speed", "professionalism", "effect", "attitude"];

/// What the customers said in one round.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) answers: u64,
    pub(super) reopened: u64,
}

/// One in so many is not content with the first resolution.
const DISCONTENT: u64 = 12;

/// Answers every invitation that has arrived; `before` were answered before.
pub(super) async fn answer(
    link: &Link,
    options: &DemoOptions,
    before: u64,
    bar: &ProgressBar,
) -> anyhow::Result<Answered> {
    let request = ListInvitationsRequest {
        parent: format!("{}/surveys/-", link.parent),
        filter: "state = ISSUED".to_owned(),
        ..ListInvitationsRequest::default()
    };
    let open = list!(link.survey(), list_invitations, request, invitations);
    bar.set_message(format!("customers: {} invitations", open.len()));
    let answering = futures::stream::iter((before..).zip(&open).map(|(turn, invitation)| {
        // The second time they are content: a demo must come to its end.
        let solved = invitation.episode > 1 || !turn.wrapping_add(options.seed).is_multiple_of(DISCONTENT);
        reply(link, options, invitation, solved)
    }));
    let add = |sum: Answered, answered: Answered| async move {
        Ok(Answered {
            answers: sum.answers + answered.answers,
            reopened: sum.reopened + answered.reopened,
        })
    };
    answering
        .buffer_unordered(options.people)
        .try_fold(Answered::default(), add)
        .await
}

async fn reply(link: &Link, options: &DemoOptions, invitation: &Invitation, solved: bool) -> anyhow::Result<Answered> {
    pace(options).await;
    let Some(token) = token(link, invitation).await? else {
        return Ok(Answered::default());
    };
    let score = if solved { 5 } else { 2 };
    let request = SubmitResponseRequest {
        token,
        scores: DIMENSIONS
            .iter()
            .map(|dimension| Score {
                dimension: (*dimension).to_owned(),
                value: score,
            })
            .collect(),
        solved: Some(solved),
        comment: if solved {
            "解决得很快，谢谢".to_owned()
        } else {
            String::new()
        },
        reason: if solved {
            String::new()
        } else {
            "问题依旧，没有解决".to_owned()
        },
        request_id: String::new(),
    };
    match link.survey().submit_response(request).await {
        Ok(_) => Ok(Answered {
            answers: 1,
            reopened: u64::from(!solved),
        }),
        // Superseded or answered in the meantime; or the service is coming back, and the next round asks again.
        Err(status)
            if matches!(
                status.code(),
                Code::FailedPrecondition | Code::NotFound | Code::Unavailable
            ) =>
        {
            Ok(Answered::default())
        }
        Err(status) => Err(anyhow::Error::from(status).context(invitation.name.clone())),
    }
}

/// The token in the message that the customer got; none where it has not arrived, or nobody knows the customer.
async fn token(link: &Link, invitation: &Invitation) -> anyhow::Result<Option<String>> {
    if invitation.customer.is_empty() {
        return Ok(None);
    }
    let request = ListInboxItemsRequest {
        parent: link.parent.clone(),
        recipient: invitation.customer.clone(),
        filter: format!("purpose = SURVEY AND work_order = \"{}\"", invitation.work_order),
        page_size: 1,
        ..ListInboxItemsRequest::default()
    };
    let items = link
        .notification()
        .list_inbox_items(request)
        .await?
        .into_inner()
        .inbox_items;
    let body = items.first().map(|item| item.body.as_str()).unwrap_or_default();
    let token = body.find("hys_").map(|start| {
        let rest = &body[start..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    Ok(token)
}

/// True where the customer of a resolved work order has answered, or nobody can ask them.
pub(super) async fn is_content(link: &Link, order: &WorkOrder) -> anyhow::Result<bool> {
    if order
        .feedback
        .as_ref()
        .is_none_or(|feedback| feedback.customer.is_empty())
    {
        return Ok(true);
    }
    let request = ListInvitationsRequest {
        parent: format!("{}/surveys/-", link.parent),
        filter: format!(
            "work_order = \"{}\" AND episode = {} AND state = ANSWERED",
            order.name, order.episode
        ),
        page_size: 1,
        ..ListInvitationsRequest::default()
    };
    Ok(!link
        .survey()
        .list_invitations(request)
        .await?
        .into_inner()
        .invitations
        .is_empty())
}
