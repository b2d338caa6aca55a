//! Everything that the six services have of one tenant.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};
use huiyin_proto::{
    analytics::v1::{FeedbackFact, GetTotalsRequest, ListFactsRequest, Totals},
    classifier::v1::{Classification, ListClassificationsRequest},
    intake::v1::{Feedback, ListFeedbacksRequest},
    notification::v1::{ListMessagesRequest, Message},
    scheduler::v1::{ListWorkOrderHistoryRequest, ListWorkOrdersRequest, WorkOrder},
    survey::v1::{Invitation, ListInvitationsRequest, ListResponsesRequest, Response},
};

use crate::{
    link::{Link, paced},
    list,
};

/// What every service has.
#[derive(Debug)]
pub(super) struct Inventory {
    pub(super) feedbacks: BTreeMap<String, Feedback>,
    pub(super) classifications: Vec<Classification>,
    pub(super) work_orders: Vec<WorkOrder>,
    pub(super) invitations: Vec<Invitation>,
    pub(super) responses: Vec<Response>,
    pub(super) messages: Vec<Message>,
    pub(super) facts: Vec<FeedbackFact>,
    pub(super) totals: Totals,
    /// How many notes for the customer each work order has.
    pub(super) notes: BTreeMap<String, i32>,
}

/// Asks every service for everything, over its public lists.
pub(super) async fn take(link: &Link) -> anyhow::Result<Inventory> {
    let parent = || link.parent.clone();
    let surveys = || format!("{}/surveys/-", link.parent);
    let feedbacks = async {
        anyhow::Ok(list!(
            link.intake(),
            list_feedbacks,
            ListFeedbacksRequest {
                parent: parent(),
                ..Default::default()
            },
            feedbacks
        ))
    };
    let classifications = async {
        anyhow::Ok(list!(
            link.classifier(),
            list_classifications,
            ListClassificationsRequest {
                parent: parent(),
                ..Default::default()
            },
            classifications
        ))
    };
    let work_orders = async {
        anyhow::Ok(list!(
            link.scheduler(),
            list_work_orders,
            ListWorkOrdersRequest {
                parent: parent(),
                ..Default::default()
            },
            work_orders
        ))
    };
    let invitations = async {
        anyhow::Ok(list!(
            link.survey(),
            list_invitations,
            ListInvitationsRequest {
                parent: surveys(),
                ..Default::default()
            },
            invitations
        ))
    };
    let responses = async {
        anyhow::Ok(list!(
            link.survey(),
            list_responses,
            ListResponsesRequest {
                parent: surveys(),
                ..Default::default()
            },
            responses
        ))
    };
    let messages = async {
        anyhow::Ok(list!(
            link.notification(),
            list_messages,
            ListMessagesRequest {
                parent: parent(),
                ..Default::default()
            },
            messages
        ))
    };
    let facts = async {
        anyhow::Ok(list!(
            link.analytics(),
            list_facts,
            ListFactsRequest {
                parent: parent(),
                ..Default::default()
            },
            facts
        ))
    };
    let (feedbacks, classifications, work_orders, invitations, responses, messages, facts) = tokio::try_join!(
        feedbacks,
        classifications,
        work_orders,
        invitations,
        responses,
        messages,
        facts
    )?;
    let name = format!("{}/totals", link.parent);
    let totals = paced(|| {
        let (mut analytics, name) = (link.analytics(), name.clone());
        async move { analytics.get_totals(GetTotalsRequest { name }).await }
    })
    .await?;
    let notes = notes(link, &work_orders).await?;
    Ok(Inventory {
        feedbacks: feedbacks
            .into_iter()
            .map(|feedback| (feedback.name.clone(), feedback))
            .collect(),
        classifications,
        work_orders,
        invitations,
        responses,
        messages,
        facts,
        totals,
        notes,
    })
}

/// Counts the notes that were meant for the customer, in the history of each work order that has notes at all.
async fn notes(link: &Link, work_orders: &[WorkOrder]) -> anyhow::Result<BTreeMap<String, i32>> {
    let noted = work_orders.iter().filter(|order| order.progress_count > 0);
    let counting = futures::stream::iter(noted.map(|order| async move {
        let request = ListWorkOrderHistoryRequest {
            parent: order.name.clone(),
            filter: "kind = PROGRESSED".to_owned(),
            ..ListWorkOrderHistoryRequest::default()
        };
        let events = list!(link.scheduler(), list_work_order_history, request, events);
        let told = events.iter().filter(|event| !event.customer_text.is_empty()).count();
        anyhow::Ok((order.name.clone(), i32::try_from(told)?))
    }));
    counting.buffer_unordered(16).try_collect().await
}
