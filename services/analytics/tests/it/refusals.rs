//! What the room refuses, and how it says so.

use huiyin_proto::analytics::v1::{
    Bucket, Dimension, GetMetricRequest, GetTotalsRequest, ListFactsRequest, ListMetricsRequest, QueryMetricRequest,
    QueryTrendRequest, TopProblemsRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    case::Case,
    world::{World, interval},
};

fn metric(key: &str) -> QueryMetricRequest {
    QueryMetricRequest {
        parent: "tenants/acme".to_owned(),
        metric: format!("metrics/{key}"),
        interval: interval("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        group_by: Vec::new(),
        filter: String::new(),
    }
}

fn trend(bucket: Bucket) -> QueryTrendRequest {
    QueryTrendRequest {
        parent: "tenants/acme".to_owned(),
        metric: "metrics/volume".to_owned(),
        interval: interval("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        bucket: bucket.into(),
        time_zone: String::new(),
        group_by: Vec::new(),
        filter: String::new(),
    }
}

fn assert_refused(status: &Status, code: Code, reason: &str) {
    let info = status.get_details_error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (code, reason), "{status:?}");
}

fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().unwrap().field_violations;
    violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn a_metric_that_is_not_in_the_catalogue_is_not_found() {
    let world = World::new().await;
    let mut client = world.client("acme").await;
    let refused = client.query_metric(metric("happiness")).await.unwrap_err();
    assert_refused(&refused, Code::NotFound, "RESOURCE_NOT_FOUND");
    let refused = client
        .get_metric(GetMetricRequest {
            name: "metrics/happiness".to_owned(),
        })
        .await
        .unwrap_err();
    assert_refused(&refused, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_dimension_that_the_metric_does_not_have_is_refused_with_those_that_it_has() {
    let world = World::new().await;
    let mut client = world.client("acme").await;
    let by_clock = QueryMetricRequest {
        group_by: vec![Dimension::Clock.into()],
        ..metric("volume")
    };
    let only_clock = QueryMetricRequest {
        filter: "channel = EMAIL AND NOT clock = resolve".to_owned(),
        ..metric("volume")
    };
    for request in [by_clock, only_clock] {
        let refused = client.query_metric(request).await.unwrap_err();
        assert_refused(&refused, Code::InvalidArgument, "DIMENSION_UNSUITABLE");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.domain, "huiyin.analytics");
        assert_eq!(
            (info.metadata["metric"].as_str(), info.metadata["dimension"].as_str()),
            ("volume", "clock")
        );
        assert_eq!(
            info.metadata["allowed"],
            "category, channel, priority, tier, product_model, batch, team"
        );
    }
    let problems = TopProblemsRequest {
        parent: "tenants/acme".to_owned(),
        interval: interval("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        limit: 5,
        filter: "clock = resolve".to_owned(),
    };
    assert_refused(
        &client.top_problems(problems).await.unwrap_err(),
        Code::InvalidArgument,
        "DIMENSION_UNSUITABLE",
    );
}

#[tokio::test]
async fn malformed_questions_name_their_fields() {
    let world = World::new().await;
    let mut client = world.client("acme").await;
    let reversed = QueryMetricRequest {
        interval: interval("2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ..metric("volume")
    };
    assert_eq!(
        fields(&client.query_metric(reversed).await.unwrap_err()),
        ["interval.end_time"]
    );
    let mut nowhen = metric("volume");
    nowhen.interval.as_mut().unwrap().start_time = Some(prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: 0,
    });
    nowhen.interval.as_mut().unwrap().end_time = Some(prost_types::Timestamp { seconds: 0, nanos: -7 });
    let refused = client.query_metric(nowhen).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        fields(&refused).contains(&"interval.start_time".to_owned()),
        "{refused:?}"
    );
    let strange = QueryMetricRequest {
        filter: "colour = red".to_owned(),
        ..metric("volume")
    };
    assert_eq!(fields(&client.query_metric(strange).await.unwrap_err()), ["filter"]);
    let channel = QueryMetricRequest {
        filter: "channel = PIGEON".to_owned(),
        ..metric("volume")
    };
    assert_eq!(fields(&client.query_metric(channel).await.unwrap_err()), ["filter"]);
    let zone = QueryTrendRequest {
        time_zone: "Mars/Olympus".to_owned(),
        ..trend(Bucket::Day)
    };
    assert_eq!(fields(&client.query_trend(zone).await.unwrap_err()), ["time_zone"]);
    let order = ListMetricsRequest {
        order_by: "version".to_owned(),
        ..ListMetricsRequest::default()
    };
    assert_eq!(fields(&client.list_metrics(order).await.unwrap_err()), ["order_by"]);
    let token = ListMetricsRequest {
        page_token: "none of ours".to_owned(),
        ..ListMetricsRequest::default()
    };
    assert_refused(
        &client.list_metrics(token).await.unwrap_err(),
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
}

#[tokio::test]
async fn an_answer_of_too_many_buckets_or_rows_is_refused_with_the_limit() {
    let world = World::new().await;
    let mut client = world.client("acme").await;
    let long = QueryTrendRequest {
        interval: interval("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ..trend(Bucket::Hour)
    };
    let refused = client.query_trend(long).await.unwrap_err();
    assert_refused(&refused, Code::InvalidArgument, "ANSWER_TOO_LARGE");
    assert_eq!(refused.get_details_error_info().unwrap().metadata["limit"], "1000");

    for batch in 0..10_001 {
        let case = Case {
            batch: format!("b{batch}"),
            ..Case::new(&world, "2026-03-02T01:00:00Z")
        };
        world.say("2026-03-02T01:00:00Z", case.submitted());
    }
    world
        .counted_within(&client, "acme", 10_001, std::time::Duration::from_secs(50))
        .await;
    for key in ["volume", "resolution_rate"] {
        let wide = QueryMetricRequest {
            group_by: vec![Dimension::Batch.into()],
            ..metric(key)
        };
        let refused = client.query_metric(wide).await.unwrap_err();
        assert_refused(&refused, Code::InvalidArgument, "ANSWER_TOO_LARGE");
        assert_eq!(refused.get_details_error_info().unwrap().metadata["limit"], "10000");
    }
    let narrower = QueryMetricRequest {
        group_by: vec![Dimension::Batch.into()],
        filter: "NOT batch = b7".to_owned(),
        ..metric("volume")
    };
    assert_eq!(
        client.query_metric(narrower).await.unwrap().into_inner().rows.len(),
        10_000
    );
}

#[tokio::test]
async fn another_tenant_is_not_to_be_told_from_one_that_is_missing() {
    let world = World::new().await;
    let mut client = world.client("bolt").await;
    assert_refused(
        &client.query_metric(metric("volume")).await.unwrap_err(),
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    assert_refused(
        &client.query_trend(trend(Bucket::Day)).await.unwrap_err(),
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let totals = GetTotalsRequest {
        name: "tenants/acme/totals".to_owned(),
    };
    assert_refused(
        &client.get_totals(totals).await.unwrap_err(),
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let facts = ListFactsRequest {
        parent: "tenants/acme".to_owned(),
        ..ListFactsRequest::default()
    };
    assert_refused(
        &client.list_facts(facts).await.unwrap_err(),
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let problems = TopProblemsRequest {
        parent: "tenants/acme".to_owned(),
        interval: interval("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ..TopProblemsRequest::default()
    };
    assert_refused(
        &client.top_problems(problems).await.unwrap_err(),
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}

#[tokio::test]
async fn nobody_without_the_permission_is_answered() {
    let world = World::new().await;
    let mut client = world.client_as("acme", &[]).await;
    assert_refused(
        &client.query_metric(metric("volume")).await.unwrap_err(),
        Code::PermissionDenied,
        "PERMISSION_MISSING",
    );
}
