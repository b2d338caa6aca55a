//! Numbers over time, in the wall clock of a zone.

use huiyin_proto::analytics::v1::{Bucket, Dimension, QueryTrendRequest, TrendPoint};

use crate::{
    case::Case,
    world::{Client, World, group, interval},
};

async fn trend(
    client: &Client,
    bucket: Bucket,
    zone: &str,
    (start, end): (&str, &str),
    group_by: &[Dimension],
) -> Vec<TrendPoint> {
    let request = QueryTrendRequest {
        parent: "tenants/acme".to_owned(),
        metric: "metrics/volume".to_owned(),
        interval: interval(start, end),
        bucket: bucket.into(),
        time_zone: zone.to_owned(),
        group_by: group_by.iter().map(|dimension| *dimension as i32).collect(),
        filter: String::new(),
    };
    client.clone().query_trend(request).await.unwrap().into_inner().points
}

async fn received(times: &[&str]) -> (World, Client) {
    let world = World::new().await;
    let client = world.client("acme").await;
    for time in times {
        world.say(time, Case::new(&world, time).submitted());
    }
    world.counted(&client, "acme", times.len()).await;
    (world, client)
}

fn shown(points: &[TrendPoint]) -> Vec<(String, f64)> {
    points
        .iter()
        .map(|point| {
            assert_eq!(point.rows.len(), 1, "without groups a bucket has exactly one row");
            let start = huiyin_chassis::sql::from_proto(point.start_time.as_ref()).unwrap();
            (start.to_string(), point.rows[0].value.unwrap())
        })
        .collect()
}

fn expected(points: &[(&str, f64)]) -> Vec<(String, f64)> {
    points
        .iter()
        .map(|(start, value)| ((*start).to_owned(), *value))
        .collect()
}

/// 003-60: a day in Shanghai begins at 16:00 UTC; the day on which nothing happened is there, and the ends are cut.
#[tokio::test]
async fn a_trend_by_day_follows_the_midnights_of_shanghai() {
    let times = [
        "2026-03-01T15:59:59Z",
        "2026-03-01T16:00:00Z",
        "2026-03-02T10:00:00Z",
        "2026-03-03T16:30:00Z",
    ];
    let (_world, client) = received(&times).await;
    let points = trend(
        &client,
        Bucket::Day,
        "Asia/Shanghai",
        ("2026-03-01T08:00:00Z", "2026-03-03T18:00:00Z"),
        &[],
    )
    .await;
    assert_eq!(
        shown(&points),
        expected(&[
            ("2026-03-01T08:00:00Z", 1.0),
            ("2026-03-01T16:00:00Z", 2.0),
            ("2026-03-02T16:00:00Z", 0.0),
            ("2026-03-03T16:00:00Z", 1.0),
        ])
    );
    let end = huiyin_chassis::sql::from_proto(points[3].end_time.as_ref()).unwrap();
    assert_eq!(end.to_string(), "2026-03-03T18:00:00Z");
}

/// The day on which Berlin's clocks go forward has 23 hours, and that on which they go back has 25.
#[tokio::test]
async fn a_trend_by_day_follows_the_change_of_clocks() {
    let times = [
        "2026-03-28T22:59:00Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:00Z",
        "2026-03-29T22:00:00Z",
        "2026-10-25T22:45:00Z",
    ];
    let (_world, client) = received(&times).await;
    let points = trend(
        &client,
        Bucket::Day,
        "Europe/Berlin",
        ("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z"),
        &[],
    )
    .await;
    assert_eq!(
        shown(&points),
        expected(&[
            ("2026-03-27T23:00:00Z", 1.0),
            ("2026-03-28T23:00:00Z", 2.0),
            ("2026-03-29T22:00:00Z", 1.0)
        ])
    );
    let points = trend(
        &client,
        Bucket::Day,
        "Europe/Berlin",
        ("2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z"),
        &[],
    )
    .await;
    assert_eq!(
        shown(&points),
        expected(&[("2026-10-24T22:00:00Z", 1.0), ("2026-10-25T23:00:00Z", 0.0)])
    );
}

/// C-15: weeks, months and quarters; whole days inside them come from the rollup by day.
#[tokio::test]
async fn longer_buckets_add_up_to_the_same() {
    let times = [
        "2026-01-31T17:00:00Z",
        "2026-02-28T15:00:00Z",
        "2026-02-28T16:15:00Z",
        "2026-03-31T15:59:00Z",
        "2026-04-01T00:00:00Z",
    ];
    let (_world, client) = received(&times).await;
    let year = ("2025-12-31T16:00:00Z", "2026-12-31T16:00:00Z");
    let months = trend(&client, Bucket::Month, "Asia/Shanghai", year, &[]).await;
    let values: Vec<f64> = shown(&months).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [0.0, 2.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let quarters = trend(&client, Bucket::Quarter, "Asia/Shanghai", year, &[]).await;
    assert_eq!(
        shown(&quarters).into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
        [4.0, 1.0, 0.0, 0.0]
    );
    let hours = trend(
        &client,
        Bucket::Hour,
        "",
        ("2026-03-31T15:00:00Z", "2026-04-01T01:00:00Z"),
        &[],
    )
    .await;
    assert_eq!(
        (hours.len(), hours[0].rows[0].value, hours[9].rows[0].value),
        (10, Some(1.0), Some(1.0))
    );
}

#[tokio::test]
async fn a_group_without_a_sample_has_no_row_in_its_bucket() {
    let (_world, client) = received(&["2026-03-02T01:00:00Z"]).await;
    let points = trend(
        &client,
        Bucket::Day,
        "",
        ("2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z"),
        &[Dimension::Channel],
    )
    .await;
    let groups: Vec<Vec<String>> = points
        .iter()
        .map(|point| point.rows.iter().map(group).collect())
        .collect();
    assert_eq!(groups, [vec![], vec!["EMAIL".to_owned()], vec![]]);
}
