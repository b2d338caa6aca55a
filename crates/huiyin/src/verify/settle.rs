//! Waits until every service has read what the others wrote, and every message has reached its end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use huiyin_proto::event::v1::{EventFlow, GetEventFlowRequest};
use huiyin_proto::notification::v1::ListMessagesRequest;

use crate::{link::Link, suite::SERVICES};

/// The state of the flow in every service.
///
/// # Errors
/// Where one cannot be asked.
pub async fn flows(link: &Link) -> anyhow::Result<Vec<EventFlow>> {
    let ask = SERVICES.map(|service| async move { link.events(service).get_event_flow(GetEventFlowRequest {}).await });
    let answers = futures::future::try_join_all(ask).await?;
    Ok(answers.into_iter().map(tonic::Response::into_inner).collect())
}

/// What has not been read yet: one line per reader that is behind.
#[must_use]
pub fn lags(flows: &[EventFlow]) -> Vec<String> {
    let mut lags = Vec::new();
    for flow in flows {
        if flow.unpositioned > 0 {
            lags.push(format!(
                "{}: {} events without a position",
                flow.service, flow.unpositioned
            ));
        }
        for source in flows.iter().filter(|source| flow.sources.contains(&source.service)) {
            let distances = source.heads.iter().map(|head| {
                // A position of another epoch says nothing about this log.
                let cursor = flow.cursors.iter().find(|cursor| {
                    cursor.source == source.service
                        && cursor.partition == head.partition
                        && cursor.epoch == source.epoch
                });
                head.position - cursor.map_or(0, |cursor| cursor.position)
            });
            let (behind, ahead) = distances.fold((0, 0), |(behind, ahead), distance: i64| {
                (behind + distance.max(0), ahead - distance.min(0))
            });
            if behind > 0 {
                lags.push(format!("{} is {behind} events behind {}", flow.service, source.service));
            }
            // For a moment, as one is asked before the other; or for ever, where the log was restored without a new epoch.
            if ahead > 0 {
                lags.push(format!(
                    "{} is {ahead} events ahead of {}",
                    flow.service, source.service
                ));
            }
        }
        if flow.dead_letters > 0 {
            lags.push(format!("{}: {} events set aside", flow.service, flow.dead_letters));
        }
    }
    lags
}

/// What a restore has left behind: one line for the events of each log that had their effects in a service before they were lost.
#[must_use]
pub fn lost(flows: &[EventFlow]) -> Vec<String> {
    let mut lines = Vec::new();
    for flow in flows {
        let mut of_source: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for lost in &flow.lost {
            let range = format!("{}:{}-{}", lost.partition, lost.after + 1, lost.until);
            of_source.entry(&lost.source).or_default().push(range);
        }
        lines.extend(of_source.into_iter().map(|(source, ranges)| {
            format!(
                "{} had effects of events that {source} has lost, by partition and position: {}",
                flow.service,
                ranges.join(" ")
            )
        }));
    }
    lines
}

/// Waits until nothing is behind and no message is under way; returns what still was when the wait was over.
///
/// # Errors
/// Where a service cannot be asked.
pub async fn settle(link: &Link, limit: Duration) -> anyhow::Result<Vec<String>> {
    let began = Instant::now();
    let mut calm = 0;
    loop {
        let mut lags = lags(&flows(link).await?);
        if lags.is_empty() && messages_under_way(link).await? {
            lags.push("notification: messages are still under way".to_owned());
        }
        // Twice in a row: between two questions an event may have been between two services.
        calm = if lags.is_empty() { calm + 1 } else { 0 };
        if calm >= 2 || began.elapsed() >= limit {
            return Ok(lags);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn messages_under_way(link: &Link) -> anyhow::Result<bool> {
    let request = ListMessagesRequest {
        parent: link.parent.clone(),
        page_size: 1,
        filter: "state = QUEUED".to_owned(),
        ..ListMessagesRequest::default()
    };
    Ok(!link
        .notification()
        .list_messages(request)
        .await?
        .into_inner()
        .messages
        .is_empty())
}

#[cfg(test)]
mod tests {
    use huiyin_proto::event::v1::{ConsumerCursor, LostEvents, PartitionCursor};

    use super::*;

    fn source(epoch: &str, position: i64) -> EventFlow {
        EventFlow {
            service: "survey".to_owned(),
            epoch: epoch.to_owned(),
            heads: vec![PartitionCursor { partition: 3, position }],
            ..EventFlow::default()
        }
    }

    fn reader(epoch: &str, position: i64) -> EventFlow {
        EventFlow {
            service: "scheduler".to_owned(),
            sources: vec!["survey".to_owned()],
            cursors: vec![ConsumerCursor {
                source: "survey".to_owned(),
                partition: 3,
                position,
                epoch: epoch.to_owned(),
            }],
            ..EventFlow::default()
        }
    }

    #[test]
    fn a_cursor_in_the_log_before_the_restore_says_nothing_about_the_present_one() {
        assert!(lags(&[source("new", 5), reader("new", 5)]).is_empty());
        assert_eq!(
            lags(&[source("new", 5), reader("old", 7)]),
            ["scheduler is 5 events behind survey"]
        );
        assert_eq!(
            lags(&[source("same", 5), reader("same", 7)]),
            ["scheduler is 2 events ahead of survey"]
        );
    }

    #[test]
    fn what_is_lost_is_told_in_one_line_for_each_reader_and_source() {
        let lost = |partition, after, until| LostEvents {
            source: "survey".to_owned(),
            partition,
            after,
            until,
            notice_time: None,
        };
        let mut reader = reader("new", 5);
        reader.lost = vec![lost(0, 3, 5), lost(7, 0, 1)];
        assert_eq!(
            super::lost(&[source("new", 5), reader]),
            ["scheduler had effects of events that survey has lost, by partition and position: 0:4-5 7:1-1"]
        );
    }
}
