//! The edge: decodes, calls, encodes.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, name, sql};
use huiyin_proto::analytics::v1::{
    GetMetricRequest, GetTotalsRequest, Interval, ListFactsRequest, ListFactsResponse, ListMetricsRequest,
    ListMetricsResponse, Metric, QueryMetricRequest, QueryMetricResponse, QueryTrendRequest, QueryTrendResponse,
    TopProblemsRequest, TopProblemsResponse, Totals, TrendPoint, analytics_service_server::AnalyticsService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{fact, metric::convert, room::Room};

/// As many problems as C-16 asks for, where the caller does not say.
const TOP: i32 = 5;

/// The methods of the service.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) room: Arc<Room>,
}

#[async_trait]
impl AnalyticsService for Api {
    async fn list_metrics(
        &self,
        request: Request<ListMetricsRequest>,
    ) -> Result<Response<ListMetricsResponse>, Status> {
        let request = request.into_inner();
        let page = self.room.metrics(request.paging()).await?;
        let metrics = page
            .entries
            .into_iter()
            .map(|metric| convert::metric(metric, None))
            .collect();
        Ok(Response::new(ListMetricsResponse {
            metrics,
            next_page_token: page.next_page_token,
        }))
    }

    async fn get_metric(&self, request: Request<GetMetricRequest>) -> Result<Response<Metric>, Status> {
        Ok(Response::new(convert::metric(
            convert::find(&request.get_ref().name)?,
            None,
        )))
    }

    async fn query_metric(
        &self,
        request: Request<QueryMetricRequest>,
    ) -> Result<Response<QueryMetricResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let question = convert::question(&request)?;
        let answer = self.room.query(&tenant, &question).await?;
        let point = answer
            .points
            .into_iter()
            .next()
            .ok_or_else(|| Refusal::fault(anyhow::anyhow!("an answer has no bucket")))?;
        Ok(Response::new(QueryMetricResponse {
            metric: Some(convert::metric(question.metric, answer.is_estimate)),
            rows: convert::rows(point.rows, &question.dimensions),
            interval: Some(Interval {
                start_time: Some(sql::to_proto(point.start)),
                end_time: Some(sql::to_proto(point.end)),
            }),
            as_of: Some(convert::as_of(answer.as_of)),
        }))
    }

    async fn query_trend(&self, request: Request<QueryTrendRequest>) -> Result<Response<QueryTrendResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let question = convert::trend(&request)?;
        let answer = self.room.query(&tenant, &question).await?;
        let point = |point: crate::metric::service::Point| TrendPoint {
            start_time: Some(sql::to_proto(point.start)),
            end_time: Some(sql::to_proto(point.end)),
            rows: convert::rows(point.rows, &question.dimensions),
        };
        Ok(Response::new(QueryTrendResponse {
            metric: Some(convert::metric(question.metric, answer.is_estimate)),
            points: answer.points.into_iter().map(point).collect(),
            as_of: Some(convert::as_of(answer.as_of)),
        }))
    }

    async fn top_problems(
        &self,
        request: Request<TopProblemsRequest>,
    ) -> Result<Response<TopProblemsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let interval = convert::interval(request.interval.as_ref())?;
        let limit = if request.limit == 0 { TOP } else { request.limit };
        let (problems, as_of) = self
            .room
            .top_problems(&tenant, interval, limit, &request.filter)
            .await?;
        Ok(Response::new(convert::problems(problems, as_of)))
    }

    async fn get_totals(&self, request: Request<GetTotalsRequest>) -> Result<Response<Totals>, Status> {
        let caller = Caller::of(&request)?;
        let name = &request.get_ref().name;
        let parent = name.strip_suffix("/totals").ok_or_else(|| Refusal::not_found(name))?;
        // The name of what was asked for, not that of its tenant, is what was not found.
        let tenant = name::parent(&caller, parent).map_err(|_| Refusal::not_found(name))?;
        let (totals, as_of) = self.room.totals(&tenant).await?;
        Ok(Response::new(convert::totals(&tenant, &totals, as_of)))
    }

    async fn list_facts(&self, request: Request<ListFactsRequest>) -> Result<Response<ListFactsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let (page, as_of) = self.room.facts(&tenant, request.paging()).await?;
        Ok(Response::new(ListFactsResponse {
            facts: page
                .entries
                .iter()
                .map(|found| fact::convert::fact(&tenant, found))
                .collect(),
            next_page_token: page.next_page_token,
            as_of: Some(convert::as_of(as_of)),
        }))
    }
}
