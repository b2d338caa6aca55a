//! The room with all its neighbours, and what happens there.

use std::{net::SocketAddr, time::Duration};

use huiyin_chassis::{Running, Shutdown, Tasks};
use huiyin_proto::{
    event::v1::{
        StateCategory, SurveyInvited, WorkOrderAssigned, WorkOrderDigest, WorkOrderProgressed, WorkOrderTransitioned,
        event::Payload,
    },
    notification::v1::{
        GetMessageRequest, ListMessagesRequest, Message, MessageState,
        notification_service_client::NotificationServiceClient,
    },
    survey::v1::survey_service_server::SurveyServiceServer,
    r#type::v1::{FeedbackDigest, Priority},
};
use huiyin_testkit::{Connection, Source, Stage, eventually};
use tonic::service::Routes;

use crate::{
    mail_server::MailServer,
    neighbors::{Intake, Survey},
    receiver::Receiver,
};

pub(crate) type Client = NotificationServiceClient<Connection>;

/// How long a state may take to come, in real time.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// One room, its neighbours, and the world outside.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) scheduler: Source,
    pub(crate) surveys: Source,
    pub(crate) intake: Intake,
    pub(crate) survey: Survey,
    pub(crate) mail: MailServer,
    running: Option<Running>,
    pub(crate) tasks: Tasks,
    shutdown: Shutdown,
    settings: String,
}

impl Scene {
    /// With a mail server.
    pub(crate) async fn new() -> Self {
        Self::with("allow_private = true", true).await
    }

    /// Without one.
    pub(crate) async fn without_mail() -> Self {
        Self::with("allow_private = true", false).await
    }

    /// With these settings of webhooks.
    pub(crate) async fn with(webhooks: &str, mails: bool) -> Self {
        let stage = Stage::new().await;
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone(), std::time::Duration::from_secs(30));
        let (intake, survey, mail) = (Intake::default(), Survey::default(), MailServer::default());
        stage.neighbor("intake", intake.serve(&mut tasks, shutdown.clone()).await);
        let scheduler = stage.source("scheduler").await;
        let mut beside = Routes::builder();
        beside.add_service(SurveyServiceServer::new(survey.clone()));
        let surveys = stage.source_beside("survey", beside).await;
        let address = mail.serve(&mut tasks, shutdown.clone()).await;
        let mut settings = format!(
            "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"\n[wording]\nsurvey_link = \"https://example.com/s#{{token}}\"\n[webhooks]\n{webhooks}\n"
        );
        if mails {
            settings.push_str(&format!(
                "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"回音 <echo@example.com>\"\n",
                address.port()
            ));
        }
        let config = stage.config("notification", &settings).await;
        let running = notification::start(config, stage.context()).await.unwrap();
        Self {
            stage,
            scheduler,
            surveys,
            intake,
            survey,
            mail,
            running: Some(running),
            tasks,
            shutdown,
            settings,
        }
    }

    /// Kills the room as a crash would, and starts it again on its database.
    pub(crate) async fn restart(&mut self) {
        self.running.take().unwrap().kill();
        self.running = Some(self.replica().await);
    }

    /// A second replica of the room, on the same database.
    pub(crate) async fn replica(&self) -> Running {
        let config = self
            .stage
            .config_with("notification", &self.stage.database_url(), &self.settings);
        notification::start(config, self.stage.context()).await.unwrap()
    }

    /// Where the room serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    /// The room as somebody of the tenant `acme` sees it.
    pub(crate) async fn client(&self, subject: &str, roles: &[&str]) -> Client {
        self.client_of(subject, "acme", roles).await
    }

    /// The room as somebody of a tenant sees it.
    pub(crate) async fn client_of(&self, subject: &str, tenant: &str, roles: &[&str]) -> Client {
        let token = self.stage.token(subject, tenant, roles);
        NotificationServiceClient::new(self.stage.connect(self.address(), &token).await)
    }

    /// An administrator of `acme`.
    pub(crate) async fn admin(&self) -> Client {
        self.client("user:admin", &["admin"]).await
    }

    /// A receiver, and its URL.
    pub(crate) async fn receiver(&mut self) -> (Receiver, String) {
        let receiver = Receiver::new();
        let url = receiver.serve(&mut self.tasks, self.shutdown.clone()).await;
        (receiver, url)
    }

    /// Waits until as many messages of an event are there as said, all settled, and gives them by name of their audience.
    pub(crate) async fn settled(&self, client: &mut Client, event: &str, count: usize) -> Vec<Message> {
        eventually("the messages of the event are settled", LIMIT, async || {
            let messages = messages(client, &format!("event = \"{event}\"")).await;
            let queued = messages
                .iter()
                .filter(|message| message.state() == MessageState::Queued)
                .count();
            if messages.len() == count && queued == 0 {
                Ok(messages)
            } else {
                Err(format!("{messages:#?}"))
            }
        })
        .await
    }

    /// Waits until a message has been tried so many times since it was queued.
    pub(crate) async fn attempted(&self, client: &mut Client, name: &str, attempts: i32) -> Message {
        eventually("the message is tried", LIMIT, async || {
            let message = get(client, name).await;
            if message.attempts >= attempts {
                Ok(message)
            } else {
                Err(format!("{message:#?}"))
            }
        })
        .await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

/// All messages that pass a filter, the oldest first.
pub(crate) async fn messages(client: &mut Client, filter: &str) -> Vec<Message> {
    let request = ListMessagesRequest {
        parent: "tenants/acme".to_owned(),
        filter: filter.to_owned(),
        order_by: "create_time".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    client.list_messages(request).await.unwrap().into_inner().messages
}

/// One message with its attempts.
pub(crate) async fn get(client: &mut Client, name: &str) -> Message {
    client
        .get_message(GetMessageRequest { name: name.to_owned() })
        .await
        .unwrap()
        .into_inner()
}

pub(crate) const CUSTOMER: &str = "tenants/acme/customers/c1";
pub(crate) const FEEDBACK: &str = "tenants/acme/feedbacks/0195a000-0000-7000-8000-000000000001";

/// A work order of `acme`, handled by `user:li.wei` of the team `app`, of a customer who left an address.
pub(crate) fn digest(id: &str) -> WorkOrderDigest {
    WorkOrderDigest {
        work_order: format!("tenants/acme/workOrders/{id}"),
        number: "WO20260302001".to_owned(),
        feedback: Some(FeedbackDigest {
            feedback: FEEDBACK.to_owned(),
            number: "FB20260302001".to_owned(),
            customer: CUSTOMER.to_owned(),
            language: "zh-CN".to_owned(),
            reachable: true,
            ..Default::default()
        }),
        category: "function.crash".to_owned(),
        priority: Some(Priority {
            key: "P0".to_owned(),
            rank: 0,
        }),
        episode: 1,
        assignee: "user:li.wei".to_owned(),
        team: "app".to_owned(),
        excerpt: "打开订单页面时程序闪退。".to_owned(),
    }
}

/// The same with a customer who left no address.
pub(crate) fn unreachable(id: &str) -> WorkOrderDigest {
    let mut digest = digest(id);
    digest.feedback.as_mut().unwrap().reachable = false;
    digest
}

pub(crate) fn assigned(work_order: WorkOrderDigest) -> Payload {
    Payload::WorkOrderAssigned(WorkOrderAssigned {
        work_order: Some(work_order),
        assignment: 1,
        reason: "技能匹配".to_owned(),
        due_time: Some(prost_types::Timestamp {
            seconds: 1_772_424_000,
            nanos: 0,
        }),
    })
}

pub(crate) fn progressed(work_order: WorkOrderDigest, text: &str) -> Payload {
    Payload::WorkOrderProgressed(WorkOrderProgressed {
        work_order: Some(work_order),
        customer_text: text.to_owned(),
        ..Default::default()
    })
}

pub(crate) fn resolved(work_order: WorkOrderDigest) -> Payload {
    transitioned(work_order, StateCategory::Active, StateCategory::Resolved)
}

pub(crate) fn transitioned(work_order: WorkOrderDigest, from: StateCategory, to: StateCategory) -> Payload {
    Payload::WorkOrderTransitioned(WorkOrderTransitioned {
        work_order: Some(work_order),
        from: from.into(),
        to: to.into(),
        reason: "更新后仍然闪退".to_owned(),
        resolution: "已在 3.2.1 版本修复".to_owned(),
        ..Default::default()
    })
}

pub(crate) fn invited(work_order: WorkOrderDigest, invitation: &str) -> Payload {
    Payload::SurveyInvited(SurveyInvited {
        invitation: format!("tenants/acme/surveys/standard/invitations/{invitation}"),
        work_order: Some(work_order),
        expire_time: None,
    })
}

/// The subject of an event about a work order.
pub(crate) fn subject(id: &str) -> String {
    format!("tenants/acme/workOrders/{id}")
}
