//! The room with stand-ins for its five sources, and short ways to ask it.

use std::{collections::BTreeMap, time::Duration};

use analytics::Config;
use huiyin_chassis::{Running, sql};
use huiyin_proto::{
    analytics::v1::{
        AsOf, Dimension, FeedbackFact, GetTotalsRequest, Interval, ListFactsRequest, MetricRow, QueryMetricRequest,
        QueryMetricResponse, Totals, analytics_service_client::AnalyticsServiceClient,
    },
    event::v1::Event,
};
use huiyin_testkit::{Connection, Source, Stage, eventually};
use jiff::Timestamp;

use crate::case::Said;

pub(crate) type Client = AnalyticsServiceClient<Connection>;

const SOURCES: [&str; 5] = ["intake", "classifier", "scheduler", "notification", "survey"];

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
