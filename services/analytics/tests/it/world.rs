//! The room with stand-ins for its five sources, and feedback whose life a test tells event by event.

use std::{collections::BTreeMap, time::Duration};

use analytics::Config;
use huiyin_chassis::{Running, sql};
use huiyin_proto::{
    analytics::v1::{
        AsOf, Dimension, FeedbackFact, GetTotalsRequest, Interval, ListFactsRequest, MetricRow, QueryMetricRequest,
        QueryMetricResponse, Totals, analytics_service_client::AnalyticsServiceClient,
    },
    event::v1::{
        Deadline, Event, FeedbackClassified, FeedbackSubmitted, MessageSettled, Score, SlaClockMarked, SlaMark,
        StateCategory, SurveyAnswered, SurveyInvited, WorkOrderAssigned, WorkOrderDigest, WorkOrderOpened,
        WorkOrderProgressed, WorkOrderRetargeted, WorkOrderTransitioned, event::Payload,
    },
    r#type::v1::{Channel, CustomerTier, FeedbackDigest, Impact, Priority, Sentiment},
};
use huiyin_testkit::{Connection, Source, Stage, eventually};
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) type Client = AnalyticsServiceClient<Connection>;

pub(crate) const SOURCES: [&str; 5] = ["intake", "classifier", "scheduler", "notification", "survey"];

/// The room and what stands around it.
pub(crate) struct World {
    pub(crate) stage: Stage,
    sources: BTreeMap<&'static str, Source>,
    pub(crate) running: Option<Running>,
    rest: &'static str,
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(crate) fn interval(start: &str, end: &str) -> Option<Interval> {
    Some(Interval {
        start_time: Some(sql::to_proto(at(start))),
        end_time: Some(sql::to_proto(at(end))),
    })
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    pub(crate) async fn with(rest: &'static str) -> Self {
        let stage = Stage::new().await;
        let mut sources = BTreeMap::new();
        for source in SOURCES {
            sources.insert(source, stage.source(source).await);
        }
        let config: Config = stage.config("analytics", rest).await;
        let running = analytics::start(config, stage.context()).await.unwrap();
        Self {
            stage,
            sources,
            running: Some(running),
            rest,
        }
    }

    /// Ends the room at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Starts it again on its database.
    pub(crate) async fn start_again(&mut self) {
        let config: Config = self
            .stage
            .config_with("analytics", &self.stage.database_url(), self.rest);
        self.running = Some(analytics::start(config, self.stage.context()).await.unwrap());
    }

    pub(crate) async fn client(&self, tenant: &str) -> Client {
        self.client_as(tenant, &["analyst"]).await
    }

    pub(crate) async fn client_as(&self, tenant: &str, roles: &[&str]) -> Client {
        let token = self.stage.token("user:li.wei", tenant, roles);
        AnalyticsServiceClient::new(self.stage.connect(self.running.as_ref().unwrap().address, &token).await)
    }

    /// An event as its source would make it; nobody knows of it yet.
    pub(crate) fn event(&self, tenant: &str, time: Timestamp, (source, subject, payload): Said) -> Event {
        Event {
            id: self.stage.clock.id().to_string(),
            source: source.to_owned(),
            tenant: tenant.to_owned(),
            subject,
            occur_time: Some(sql::to_proto(time)),
            traceparent: String::new(),
            actor: "system".to_owned(),
            schema_version: 1,
            payload: Some(payload),
        }
    }

    /// The source tells of an event, for the first time or again.
    pub(crate) fn tell(&self, event: &Event) {
        self.sources[event.source.as_str()].publish_again(event);
    }

    /// Something happened in the tenant `acme`.
    pub(crate) fn say(&self, time: &str, said: Said) -> Event {
        let event = self.event("acme", at(time), said);
        self.tell(&event);
        event
    }

    /// Waits until so many events of the tenant are counted.
    pub(crate) async fn counted(&self, client: &Client, tenant: &str, events: usize) {
        self.counted_within(client, tenant, events, Duration::from_secs(20))
            .await;
    }

    pub(crate) async fn counted_within(&self, client: &Client, tenant: &str, events: usize, limit: Duration) {
        let events = i64::try_from(events).unwrap();
        eventually("all events are counted", limit, async || {
            let totals = totals(client, tenant).await;
            let counted = counted(totals.as_of.as_ref().unwrap());
            if counted == events {
                Ok(())
            } else {
                Err(format!("{counted} of {events} events are counted"))
            }
        })
        .await;
    }
}

pub(crate) fn counted(as_of: &AsOf) -> i64 {
    as_of.sources.iter().map(|source| source.events).sum()
}

pub(crate) async fn totals(client: &Client, tenant: &str) -> Totals {
    let name = format!("tenants/{tenant}/totals");
    client
        .clone()
        .get_totals(GetTotalsRequest { name })
        .await
        .unwrap()
        .into_inner()
}

/// All facts of a tenant, page by page.
pub(crate) async fn facts(client: &Client, tenant: &str) -> Vec<FeedbackFact> {
    let mut request = ListFactsRequest {
        parent: format!("tenants/{tenant}"),
        page_size: 7,
        ..ListFactsRequest::default()
    };
    let mut facts = Vec::new();
    loop {
        let page = client.clone().list_facts(request.clone()).await.unwrap().into_inner();
        facts.extend(page.facts);
        if page.next_page_token.is_empty() {
            return facts;
        }
        request.page_token = page.next_page_token;
    }
}

/// A question about a metric in `acme`.
pub(crate) struct Ask<'c> {
    pub(crate) client: &'c Client,
    pub(crate) interval: Option<Interval>,
}

impl Ask<'_> {
    pub(crate) async fn answer(
        &self,
        tenant: &str,
        metric: &str,
        group_by: &[Dimension],
        filter: &str,
    ) -> QueryMetricResponse {
        let request = QueryMetricRequest {
            parent: format!("tenants/{tenant}"),
            metric: format!("metrics/{metric}"),
            interval: self.interval,
            group_by: group_by.iter().map(|dimension| *dimension as i32).collect(),
            filter: filter.to_owned(),
        };
        self.client.clone().query_metric(request).await.unwrap().into_inner()
    }

    /// The one value of a metric.
    pub(crate) async fn value(&self, metric: &str) -> Option<f64> {
        let answer = self.answer("acme", metric, &[], "").await;
        assert_eq!(answer.rows.len(), 1);
        answer.rows[0].value
    }

    /// Values by group, in the order of the answer.
    pub(crate) async fn groups(
        &self,
        metric: &str,
        group_by: &[Dimension],
        filter: &str,
    ) -> Vec<(String, Option<f64>)> {
        let answer = self.answer("acme", metric, group_by, filter).await;
        answer.rows.into_iter().map(|row| (group(&row), row.value)).collect()
    }
}

pub(crate) fn group(row: &MetricRow) -> String {
    row.dimensions
        .iter()
        .map(|dimension| dimension.value.as_str())
        .collect::<Vec<_>>()
        .join("/")
}

/// Groups as [`Ask::groups`] gives them.
pub(crate) fn values(expected: &[(&str, f64)]) -> Vec<(String, Option<f64>)> {
    expected
        .iter()
        .map(|(group, value)| ((*group).to_owned(), Some(*value)))
        .collect()
}

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
