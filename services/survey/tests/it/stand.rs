//! The room under test and what stands around it.

use std::time::Duration;

use huiyin_chassis::Running;
use huiyin_proto::{
    event::v1::{Event, Score, StateCategory, WorkOrderDigest, WorkOrderTransitioned, event::Payload},
    survey::v1::{survey_service_client::SurveyServiceClient, *},
    r#type::v1::FeedbackDigest,
};
use huiyin_testkit::{Connection, Source, Stage, eventually};
use sqlx::{Connection as _, PgConnection};
use survey::Config;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

pub(crate) const KEY: &str = "the key of the test's tokens";
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const DIMENSIONS: [&str; 4] = ["response_speed", "professionalism", "effect", "attitude"];

/// A survey room that runs.
pub(crate) struct Stand {
    pub(crate) stage: Stage,
    pub(crate) scheduler: Source,
    pub(crate) running: Running,
}

pub(crate) type Client = SurveyServiceClient<Connection>;

impl Stand {
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        let scheduler = stage.source("scheduler").await;
        let config: Config = stage.config("survey", &format!("[tokens]\nkey = \"{KEY}\"\n")).await;
        let running = survey::start(config, stage.context()).await.unwrap();
        Self {
            stage,
            scheduler,
            running,
        }
    }

    /// A client of somebody in tenant `tenant`.
    pub(crate) async fn client(&self, tenant: &str, role: &str) -> Client {
        self.with_token(&self.stage.token("user:li.wei", tenant, &[role])).await
    }

    pub(crate) async fn admin(&self) -> Client {
        self.client("acme", "admin").await
    }

    /// A client of one of our own services.
    pub(crate) async fn notification(&self) -> Client {
        self.with_token(&self.stage.service_token("notification")).await
    }

    /// A client of a customer: without an identity.
    pub(crate) async fn customer(&self) -> Client {
        self.with_token("").await
    }

    pub(crate) async fn with_token(&self, token: &str) -> Client {
        SurveyServiceClient::new(self.stage.connect(self.running.address, token).await)
    }

    /// The scheduler says that a work order was resolved.
    pub(crate) fn resolved(&self, tenant: &str, number: u32, episode: i32) -> Event {
        self.moved(tenant, number, episode, StateCategory::Active, StateCategory::Resolved)
    }

    /// The scheduler says that a work order was reopened; its episode is the new one.
    pub(crate) fn reopened(&self, tenant: &str, number: u32, episode: i32) -> Event {
        self.moved(tenant, number, episode, StateCategory::Resolved, StateCategory::Active)
    }

    pub(crate) fn moved(
        &self,
        tenant: &str,
        number: u32,
        episode: i32,
        from: StateCategory,
        to: StateCategory,
    ) -> Event {
        let digest = digest(tenant, number, episode);
        let subject = digest.work_order.clone();
        let moved = WorkOrderTransitioned {
            work_order: Some(digest),
            from: from.into(),
            to: to.into(),
            ..Default::default()
        };
        self.scheduler
            .publish(tenant, &subject, Payload::WorkOrderTransitioned(moved))
    }

    /// The invitations of a work order, by episode.
    pub(crate) async fn invitations(&self, tenant: &str, number: u32) -> Vec<Invitation> {
        let filter = format!("work_order = \"{}\"", work_order(tenant, number));
        let request = ListInvitationsRequest {
            parent: format!("tenants/{tenant}/surveys/-"),
            filter,
            ..Default::default()
        };
        let mut invitations = self
            .client(tenant, "admin")
            .await
            .list_invitations(request)
            .await
            .unwrap()
            .into_inner()
            .invitations;
        invitations.sort_by_key(|invitation| invitation.episode); // the clock stands still: all are issued at the same moment
        invitations
    }

    /// The invitation of an episode, when it is there.
    pub(crate) async fn invitation(&self, tenant: &str, number: u32, episode: i32) -> Invitation {
        eventually("the invitation is issued", LIMIT, async || {
            self.invitations(tenant, number)
                .await
                .into_iter()
                .find(|invitation| invitation.episode == episode)
        })
        .await
    }

    /// Waits until the invitation is in the state.
    pub(crate) async fn in_state(&self, name: &str, state: InvitationState) -> Invitation {
        let tenant = name.split('/').nth(1).unwrap();
        let mut client = self.client(tenant, "admin").await;
        eventually("the invitation comes to its state", LIMIT, async || {
            let invitation = client
                .get_invitation(GetInvitationRequest { name: name.to_owned() })
                .await
                .unwrap()
                .into_inner();
            if invitation.state() == state {
                Ok(invitation)
            } else {
                Err(format!("it is {:?}", invitation.state()))
            }
        })
        .await
    }

    /// A work order of tenant acme that was resolved, its invitation and its token.
    pub(crate) async fn invited(&self, number: u32) -> (Invitation, String) {
        self.resolved("acme", number, 1);
        let invitation = self.invitation("acme", number, 1).await;
        let token = self.token(&invitation).await;
        (invitation, token)
    }

    pub(crate) async fn token(&self, invitation: &Invitation) -> String {
        let request = RevealInvitationTokenRequest {
            name: invitation.name.clone(),
        };
        self.notification()
            .await
            .reveal_invitation_token(request)
            .await
            .unwrap()
            .into_inner()
            .token
    }

    /// A number in the room's database.
    pub(crate) async fn look(&self, statement: &'static str) -> i64 {
        let mut connection = PgConnection::connect(&self.stage.database_url()).await.unwrap();
        sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
    }
}

pub(crate) fn work_order(tenant: &str, number: u32) -> String {
    format!("tenants/{tenant}/workOrders/0199a000-0000-7000-8000-{number:012}")
}

pub(crate) fn digest(tenant: &str, number: u32, episode: i32) -> WorkOrderDigest {
    WorkOrderDigest {
        work_order: work_order(tenant, number),
        number: format!("WO20260302{number:03}"),
        feedback: Some(FeedbackDigest {
            feedback: format!("tenants/{tenant}/feedbacks/0199b000-0000-7000-8000-{number:012}"),
            number: format!("FB20260302{number:03}"),
            customer: format!("tenants/{tenant}/customers/0199c000-0000-7000-8000-{number:012}"),
            language: "zh-CN".to_owned(),
            ..Default::default()
        }),
        category: "function.crash".to_owned(),
        episode,
        excerpt: "应用一打开就闪退。".to_owned(),
        ..Default::default()
    }
}

/// One score per dimension of the built-in survey.
pub(crate) fn scores(values: [i32; 4]) -> Vec<Score> {
    DIMENSIONS
        .iter()
        .zip(values)
        .map(|(dimension, value)| Score {
            dimension: (*dimension).to_owned(),
            value,
        })
        .collect()
}

/// An answer that is content.
pub(crate) fn content(token: &str) -> SubmitResponseRequest {
    SubmitResponseRequest {
        token: token.to_owned(),
        scores: scores([5, 4, 5, 4]),
        solved: Some(true),
        ..Default::default()
    }
}

/// The code and reason of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String) {
    let status = outcome.unwrap_err();
    let reason = status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default();
    (status.code(), reason)
}

/// The violated fields of a refusal.
#[track_caller]
pub(crate) fn violated<T: std::fmt::Debug>(outcome: Result<T, Status>) -> Vec<String> {
    let status = outcome.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_details_bad_request().unwrap();
    details
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}
