//! One feedback whose life a test tells event by event.

use huiyin_chassis::sql;
use huiyin_proto::{
    event::v1::{
        Deadline, FeedbackClassified, FeedbackSubmitted, MessageSettled, Score, SlaClockMarked, SlaMark, StateCategory,
        SurveyAnswered, SurveyInvited, WorkOrderAssigned, WorkOrderDigest, WorkOrderOpened, WorkOrderProgressed,
        WorkOrderRetargeted, WorkOrderTransitioned, event::Payload,
    },
    r#type::v1::{Channel, CustomerTier, FeedbackDigest, Impact, Priority, Sentiment},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::world::{World, at};

/// Who says what: source, subject, payload.
pub(crate) type Said = (&'static str, String, Payload);

/// One feedback, and everything that can happen to it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) tenant: String,
    pub(crate) feedback: Uuid,
    pub(crate) work_order: Uuid,
    pub(crate) channel: Channel,
    pub(crate) tier: CustomerTier,
    pub(crate) product_model: String,
    pub(crate) batch: String,
    pub(crate) customer: String,
    pub(crate) received: Timestamp,
    pub(crate) category: String,
    pub(crate) priority: i32,
    pub(crate) team: String,
}

impl Case {
    pub(crate) fn new(world: &World, received: &str) -> Self {
        Self::of(world, "acme", at(received))
    }

    pub(crate) fn of(world: &World, tenant: &str, received: Timestamp) -> Self {
        Self {
            tenant: tenant.to_owned(),
            feedback: world.stage.clock.id(),
            work_order: world.stage.clock.id(),
            channel: Channel::Email,
            tier: CustomerTier::Existing,
            product_model: String::new(),
            batch: String::new(),
            customer: String::new(),
            received,
            category: "function.crash".to_owned(),
            priority: 1,
            team: "support".to_owned(),
        }
    }

    fn name(&self, collection: &str, id: impl std::fmt::Display) -> String {
        format!("tenants/{}/{collection}/{id}", self.tenant)
    }

    pub(crate) fn digest(&self) -> FeedbackDigest {
        FeedbackDigest {
            feedback: self.name("feedbacks", self.feedback),
            number: format!("FB{}", &self.feedback.simple().to_string()[20..]),
            channel: self.channel.into(),
            customer: if self.customer.is_empty() {
                String::new()
            } else {
                self.name("customers", &self.customer)
            },
            tier: self.tier.into(),
            product_model: self.product_model.clone(),
            batch: self.batch.clone(),
            occur_time: Some(sql::to_proto(self.received)),
            receive_time: Some(sql::to_proto(self.received)),
            language: "zh-CN".to_owned(),
            reachable: true,
            traceparent: String::new(),
        }
    }

    fn priority(&self) -> Option<Priority> {
        Some(Priority {
            key: format!("P{}", self.priority),
            rank: self.priority,
        })
    }

    fn order(&self, episode: i32) -> Option<WorkOrderDigest> {
        Some(WorkOrderDigest {
            work_order: self.name("workOrders", self.work_order),
            number: "WO1".to_owned(),
            feedback: Some(self.digest()),
            category: self.category.clone(),
            priority: self.priority(),
            episode,
            assignee: "user:li.wei".to_owned(),
            team: self.team.clone(),
            excerpt: String::new(),
        })
    }

    fn by_intake(&self, payload: Payload) -> Said {
        ("intake", self.name("feedbacks", self.feedback), payload)
    }

    fn by_scheduler(&self, payload: Payload) -> Said {
        ("scheduler", self.name("workOrders", self.work_order), payload)
    }

    pub(crate) fn submitted(&self) -> Said {
        self.by_intake(Payload::FeedbackSubmitted(FeedbackSubmitted {
            feedback: Some(self.digest()),
            text: "屏幕闪退".to_owned(),
            ..FeedbackSubmitted::default()
        }))
    }

    pub(crate) fn classified(&self, revision: i32) -> Said {
        let payload = Payload::FeedbackClassified(FeedbackClassified {
            feedback: Some(self.digest()),
            revision,
            category: self.category.clone(),
            priority: self.priority(),
            sentiment: Sentiment::Negative.into(),
            impact: Impact::Serious.into(),
            ..FeedbackClassified::default()
        });
        ("classifier", self.name("feedbacks", self.feedback), payload)
    }

    pub(crate) fn opened(&self, deadlines: &[(&str, Timestamp)]) -> Said {
        let deadline = |(clock, due): &(&str, Timestamp)| Deadline {
            clock: (*clock).to_owned(),
            due_time: Some(sql::to_proto(*due)),
        };
        self.by_scheduler(Payload::WorkOrderOpened(WorkOrderOpened {
            work_order: self.order(1),
            deadlines: deadlines.iter().map(deadline).collect(),
        }))
    }

    pub(crate) fn assigned(&self, episode: i32, assignment: i32) -> Said {
        self.by_scheduler(Payload::WorkOrderAssigned(WorkOrderAssigned {
            work_order: self.order(episode),
            assignment,
            reason: "skill".to_owned(),
            due_time: None,
        }))
    }

    pub(crate) fn progressed(&self, episode: i32, note: i32) -> Said {
        self.by_scheduler(Payload::WorkOrderProgressed(WorkOrderProgressed {
            work_order: self.order(episode),
            note,
            ..WorkOrderProgressed::default()
        }))
    }

    pub(crate) fn retargeted(&self, episode: i32) -> Said {
        self.by_scheduler(Payload::WorkOrderRetargeted(WorkOrderRetargeted {
            work_order: self.order(episode),
            deadlines: Vec::new(),
        }))
    }

    pub(crate) fn moved(&self, episode: i32, to: StateCategory) -> Said {
        self.transitioned(episode, to, None)
    }

    pub(crate) fn resolved(&self, episode: i32, working_seconds: i64) -> Said {
        self.transitioned(
            episode,
            StateCategory::Resolved,
            Some(prost_types::Duration {
                seconds: working_seconds,
                nanos: 0,
            }),
        )
    }

    fn transitioned(&self, episode: i32, to: StateCategory, working_duration: Option<prost_types::Duration>) -> Said {
        self.by_scheduler(Payload::WorkOrderTransitioned(WorkOrderTransitioned {
            work_order: self.order(episode),
            from: StateCategory::Active.into(),
            to: to.into(),
            working_duration,
            ..WorkOrderTransitioned::default()
        }))
    }

    pub(crate) fn marked(&self, episode: i32, clock: &str, mark: SlaMark, due: Timestamp) -> Said {
        self.by_scheduler(Payload::SlaClockMarked(SlaClockMarked {
            work_order: self.order(episode),
            clock: clock.to_owned(),
            mark: mark.into(),
            due_time: Some(sql::to_proto(due)),
        }))
    }

    pub(crate) fn settled(&self, message: Uuid, delivered: bool) -> Said {
        let message = self.name("messages", message);
        let payload = Payload::MessageSettled(MessageSettled {
            message: message.clone(),
            work_order: self.name("workOrders", self.work_order),
            purpose: "PROGRESS".to_owned(),
            medium: "MAIL".to_owned(),
            delivered,
            attempts: 1,
        });
        ("notification", message, payload)
    }

    fn invitation(&self, episode: i32) -> String {
        self.name(
            "surveys/built-in/invitations",
            format!("{}-{episode}", self.work_order.simple()),
        )
    }

    fn by_survey(&self, payload: Payload) -> Said {
        (
            "survey",
            self.name("workOrders", format!("{}/survey", self.work_order)),
            payload,
        )
    }

    pub(crate) fn invited(&self, episode: i32) -> Said {
        self.by_survey(Payload::SurveyInvited(SurveyInvited {
            invitation: self.invitation(episode),
            work_order: self.order(episode),
            expire_time: None,
        }))
    }

    pub(crate) fn answered(&self, episode: i32, scores: &[i32]) -> Said {
        let mean = f64::from(scores.iter().sum::<i32>()) / scores.len() as f64;
        let dimensions = ["response_speed", "professionalism", "effect", "attitude"];
        self.by_survey(Payload::SurveyAnswered(SurveyAnswered {
            invitation: self.invitation(episode),
            work_order: self.order(episode),
            scores: dimensions
                .iter()
                .zip(scores)
                .map(|(key, value)| Score {
                    dimension: (*key).to_owned(),
                    value: *value,
                })
                .collect(),
            satisfaction: mean,
            solved: mean >= 3.0,
            reopen: mean < 3.0,
            reason: String::new(),
        }))
    }
}
