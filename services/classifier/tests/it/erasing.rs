//! What is erased of a customer, and what is handed out before (000-37, 001-81).

use huiyin_proto::{
    classifier::v1,
    event::v1::{
        EraseCustomerDataRequest, ExportCustomerDataRequest, customer_data_service_client::CustomerDataServiceClient,
    },
    r#type::v1::Sentiment,
};
use huiyin_testkit::{Connection, eventually};
use sqlx::Connection as _;

use crate::{
    models::example,
    play::{LIMIT, PARENT, Play, TENANT, correction},
};

impl Play {
    async fn customers(&self) -> CustomerDataServiceClient<Connection> {
        let token = self.stage.service_token("intake");
        CustomerDataServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    async fn erased(&self, feedback: &str) {
        let mut customers = self.customers().await;
        eventually("it is erased", LIMIT, async || {
            let request = EraseCustomerDataRequest {
                parent: PARENT.to_owned(),
                erasure: "0195a000-0000-4000-8000-000000000009".to_owned(),
                part: 0,
                customers: vec![format!("{PARENT}/customers/00000000-0000-0000-0000-00000000000e")],
                feedbacks: vec![feedback.to_owned()],
                tables_only: false,
            };
            let done = customers.erase_customer_data(request).await.unwrap().into_inner().done;
            done.then_some(())
        })
        .await;
    }

    /// Everything that the tables hold.
    async fn rows(&self) -> String {
        let mut owner = sqlx::PgConnection::connect(&self.stage.database_url()).await.unwrap();
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT to_jsonb(t)::text FROM classification AS t UNION ALL SELECT to_jsonb(t)::text FROM correction AS t
             UNION ALL SELECT to_jsonb(t)::text FROM priority_scoring AS t UNION ALL SELECT to_jsonb(t)::text FROM statement AS t
             UNION ALL SELECT to_jsonb(t)::text FROM example AS t",
        )
        .fetch_all(&mut owner)
        .await
        .unwrap();
        rows.join("\n")
    }
}

/// 001-81: the words of an erased text stand nowhere beside it, and no correction brings them back; an example made of it goes too, also one
/// that somebody imported again.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_an_erased_text_are_gone_and_do_not_come_back() {
    let play = Play::begin().await;
    play.goes_by("strategy-text").await;
    let task = v1::Task {
        target: v1::TaskTarget::Dimension.into(),
        dimension: "nature".to_owned(),
        ..Default::default()
    };
    let task = play.task("nature", task).await;
    let found = play.classified("应用闪退，要起诉你们").await;
    let feedback = found.feedback.clone().unwrap().feedback;
    let mut boss = play.boss().await;
    let correct = v1::CorrectClassificationRequest {
        category: "service.attitude".to_owned(),
        sentiment: Sentiment::Positive.into(),
        ..correction(&found.name)
    };
    boss.correct_classification(correct).await.unwrap();
    let mut scores = play.priorities("user:li", TENANT, &["agent"]).await;
    let score = v1::ScoreClassificationRequest {
        name: found.name.clone(),
        scores: vec![v1::DimensionScore {
            dimension: "scope".to_owned(),
            score: 2,
        }],
        reason: "他说闪退".to_owned(),
        ..Default::default()
    };
    scores.score_classification(score).await.unwrap();
    // Listed, looked through and imported again, with another label.
    let id = format!("feedback-{}", feedback.rsplit('/').next().unwrap());
    let again = example(&id, "应用闪退，要起诉你们", "service");
    assert_eq!(play.import(&task.name, vec![again]).await.stored, 1);

    let request = ExportCustomerDataRequest {
        parent: PARENT.to_owned(),
        customers: vec![format!("{PARENT}/customers/00000000-0000-0000-0000-00000000000e")],
        feedbacks: vec![feedback.clone()],
    };
    let mut parts = play
        .customers()
        .await
        .export_customer_data(request)
        .await
        .unwrap()
        .into_inner();
    let lines = parts.message().await.unwrap().unwrap().lines;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    for held in [
        "他说闪退",
        "\"scorings\": [{",
        "\"votes\": []",
        "\"examples\": [{",
        "看过了",
    ] {
        assert!(line.contains(held), "{held}: {line}");
    }
    assert!(play.rows().await.contains("闪退"));

    play.erased(&feedback).await;
    let rows = play.rows().await;
    assert!(!rows.contains("闪退") && !rows.contains("看过了"), "{rows}");
    let correct = v1::CorrectClassificationRequest {
        sentiment: Sentiment::Negative.into(),
        ..correction(&found.name)
    };
    let corrected = boss.correct_classification(correct).await.unwrap().into_inner();
    assert_eq!((corrected.revision, corrected.basis.as_str()), (4, ""));
    assert!(corrected.decision.is_some() && corrected.category == "service.attitude");
    let rows = play.rows().await;
    assert!(!rows.contains("闪退"), "{rows}");
    let told = play.told(&feedback, 4).await;
    assert!(
        told.iter().all(|(_, told)| !format!("{told:?}").contains("闪退")),
        "{told:?}"
    );
}
