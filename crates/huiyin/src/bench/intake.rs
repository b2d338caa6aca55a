//! Feedback handed in: one by one from many callers, and as a stream.

#![expect(
    clippy::disallowed_methods,
    reason = "callers of a benchmark are joined where they are started"
)]

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback, ImportFeedbacksRequest, ImportItem, ImportOpening},
    r#type::v1::Channel,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Measured;
use crate::link::Link;

/// A feedback as customers write it, about 25 characters.
pub(super) fn feedback(n: u64) -> Feedback {
    Feedback {
        channel: Channel::InApp as i32,
        description: format!("新版本更新以后总是闪退，打开相册就卡住（{n}）"),
        customer_reference: format!("customer-{}", n % 1000),
        ..Feedback::default()
    }
}

/// CreateFeedback from `concurrency` callers at once, each waiting for its answer.
pub(super) async fn create(link: &Link, concurrency: usize, seconds: f64) -> anyhow::Result<Measured> {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let began = Instant::now();
    let callers = (0..concurrency).map(|caller| {
        let mut client = link.intake();
        let parent = link.parent.clone();
        tokio::task::spawn(async move {
            let mut times = Histogram::<u64>::new(3)?;
            for n in 0.. {
                let asked = Instant::now();
                if asked >= until {
                    break;
                }
                let request = CreateFeedbackRequest {
                    parent: parent.clone(),
                    feedback: Some(feedback(caller as u64 * 1_000_000 + n)),
                    request_id: huiyin_chassis::Clock::system().id().to_string(),
                };
                client.create_feedback(request).await?;
                times.record(u64::try_from(asked.elapsed().as_micros())?)?;
            }
            anyhow::Ok(times)
        })
    });
    let mut times = Histogram::<u64>::new(3)?;
    for caller in futures::future::join_all(callers).await {
        times.add(caller??)?;
    }
    Ok(measured(
        format!("CreateFeedback, {concurrency} callers"),
        &times,
        began.elapsed(),
    ))
}

pub(super) fn measured(what: String, times: &Histogram<u64>, elapsed: Duration) -> Measured {
    Measured {
        what,
        per_second: times.len() as f64 / elapsed.as_secs_f64(),
        p50_ms: times.value_at_quantile(0.5) as f64 / 1000.0,
        p99_ms: times.value_at_quantile(0.99) as f64 / 1000.0,
        ratio: 0.0,
    }
}

/// One import stream.
pub(super) async fn import(link: &Link, rows: u32) -> anyhow::Result<Measured> {
    import_as(link, rows, "bench").await
}

/// The same under a name of its own.
pub(super) async fn import_as(link: &Link, rows: u32, import_id: &str) -> anyhow::Result<Measured> {
    let (send, receive) = mpsc::channel(8);
    let opening = ImportOpening {
        parent: link.parent.clone(),
        import_id: import_id.to_owned(),
        validate_only: false,
    };
    send.send(ImportFeedbacksRequest {
        opening: Some(opening),
        items: Vec::new(),
    })
    .await?;
    let mut answers = link
        .intake()
        .import_feedbacks(ReceiverStream::new(receive))
        .await?
        .into_inner();
    answers.message().await?;
    let messages: Vec<ImportFeedbacksRequest> = (0..rows)
        .collect::<Vec<_>>()
        .chunks(1000)
        .map(|chunk| ImportFeedbacksRequest {
            opening: None,
            items: chunk
                .iter()
                .map(|n| ImportItem {
                    sequence: i64::from(*n) + 1,
                    feedback: Some(feedback(u64::from(*n))),
                })
                .collect(),
        })
        .collect();
    let began = Instant::now();
    let sending = tokio::task::spawn(async move {
        for message in messages {
            if send.send(message).await.is_err() {
                break;
            }
        }
    });
    let mut settled = 0;
    while let Some(answer) = answers.message().await? {
        settled = answer.settled_through;
    }
    sending.await?;
    anyhow::ensure!(settled == i64::from(rows), "only {settled} of {rows} rows were settled");
    Ok(Measured {
        what: "ImportFeedbacks, one stream, rows".to_owned(),
        per_second: f64::from(rows) / began.elapsed().as_secs_f64(),
        p50_ms: 0.0,
        p99_ms: 0.0,
        ratio: 0.0,
    })
}
