//! The catalogue: every metric says what it means, and can be asked for.

use huiyin_proto::analytics::v1::{Dimension, GetMetricRequest, ListMetricsRequest, Metric, QueryMetricRequest};

use crate::{
    case::Case,
    world::{Ask, Client, World, interval},
};

async fn listed(client: &Client, filter: &str, order_by: &str) -> Vec<Metric> {
    let mut request = ListMetricsRequest {
        page_size: 4,
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        ..ListMetricsRequest::default()
    };
    let mut metrics = Vec::new();
    loop {
        let page = client.clone().list_metrics(request.clone()).await.unwrap().into_inner();
        metrics.extend(page.metrics);
        if page.next_page_token.is_empty() {
            return metrics;
        }
        request.page_token = page.next_page_token;
    }
}

fn keys(metrics: &[Metric]) -> Vec<&str> {
    metrics.iter().map(|metric| metric.key.as_str()).collect()
}

/// Definition, version and cohort come with every answer.
#[tokio::test]
async fn every_metric_can_be_asked_for_by_every_dimension_it_has() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let metrics = listed(&client, "", "").await;
    assert!(!metrics.is_empty());
    assert!(metrics.windows(2).all(|pair| pair[0].key < pair[1].key));
    for metric in &metrics {
        assert!(
            metric.version >= 1 && !metric.definition.as_ref().unwrap().zh_cn.is_empty(),
            "{}",
            metric.key
        );
        for dimension in &metric.dimensions {
            let request = QueryMetricRequest {
                parent: "tenants/acme".to_owned(),
                metric: metric.name.clone(),
                interval: interval("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
                group_by: vec![*dimension],
                filter: String::new(),
            };
            let answer = client.clone().query_metric(request).await.unwrap().into_inner();
            let told = answer.metric.unwrap();
            assert_eq!((&told.key, &told.definition), (&metric.key, &metric.definition));
        }
        let request = GetMetricRequest {
            name: metric.name.clone(),
        };
        assert_eq!(client.clone().get_metric(request).await.unwrap().into_inner(), *metric);
    }
}

#[tokio::test]
async fn the_catalogue_is_filtered_ordered_and_paged() {
    let world = World::new().await;
    let client = world.client("acme").await;
    assert_eq!(
        keys(&listed(&client, "requirement = \"001-75\"", "").await),
        ["resolution_rate", "resolution_rate_cohort"]
    );
    assert_eq!(
        keys(&listed(&client, "unit = SCORE OR key = volume", "key desc").await),
        ["volume", "satisfaction_mean"]
    );
    assert_eq!(
        keys(&listed(&client, "cohort = COHORT", "").await),
        ["resolution_rate_cohort", "share", "volume"]
    );
    let mut reversed = listed(&client, "", "key desc").await;
    reversed.reverse();
    assert_eq!(keys(&reversed), keys(&listed(&client, "", "key").await));
}

/// Percentiles are exact up to a number of samples, within one per cent beyond, and the answer says which.
#[tokio::test]
async fn percentiles_of_many_samples_are_within_one_per_cent_and_say_so() {
    let mut answers = Vec::new();
    for (settings, said) in [("", "exact"), ("[query]\nexact_samples = 5\n", "within 1 %")] {
        let world = World::with(settings).await;
        let client = world.client("acme").await;
        for case in 1..=40i64 {
            let told = Case::new(&world, "2026-03-02T01:00:00Z");
            let told = Case {
                priority: i32::try_from(case % 2).unwrap(),
                ..told
            };
            world.say("2026-03-02T01:00:00Z", told.classified(1));
            world.say("2026-03-02T01:00:00Z", told.opened(&[]));
            world.say("2026-03-02T02:00:00Z", told.resolved(1, case * case * 60));
        }
        world.counted(&client, "acme", 120).await;
        let ask = Ask {
            client: &client,
            interval: interval("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        };
        let answer = ask.answer("acme", "resolution_time_p90", &[], "").await;
        assert!(answer.metric.unwrap().formula.contains(said));
        assert_eq!(answer.rows[0].sample_count, 40);
        let mut values = vec![answer.rows[0].value.unwrap()];
        let groups = ask
            .answer("acme", "resolution_time_p50", &[Dimension::Priority], "")
            .await;
        values.extend(groups.rows.iter().map(|row| row.value.unwrap()));
        answers.push(values);
    }
    // Rank 36 of 40; rank 10 of the 20 even and of the 20 odd ones.
    assert_eq!(answers[0], [36.0 * 36.0 * 60.0, 20.0 * 20.0 * 60.0, 19.0 * 19.0 * 60.0]);
    for (exact, estimate) in answers[0].iter().zip(&answers[1]) {
        assert!((exact - estimate).abs() <= exact * 0.0101, "{estimate} for {exact}");
    }
}
