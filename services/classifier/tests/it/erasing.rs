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
    models::{example, two_topics},
    play::{LIMIT, PARENT, Play, TENANT, correction},
    reviewing::of_dimension,
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
             UNION ALL SELECT to_jsonb(t)::text FROM example AS t UNION ALL SELECT to_jsonb(t)::text FROM review_item AS t
             UNION ALL SELECT to_jsonb(t)::text FROM shadow_answer AS t",
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

/// 000-37: what a version said in the shadow is handed out with the rest; of an erased feedback it goes on counting, and leads to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_in_the_shadow_is_handed_out_and_leads_to_nobody_after_an_erasure() {
    let play = Play::begin().await;
    let task = v1::Task {
        review_share: 1.0,
        ..of_dimension("nature")
    };
    let task = play.task("nature", task).await;
    let natures = two_topics(200).into_iter().map(|example| v1::Example {
        label: if example.label == "app" {
            "function.crash"
        } else {
            "service.attitude"
        }
        .to_owned(),
        ..example
    });
    play.import(&task.name, natures.collect()).await;
    let model = play.trained(&task.name).await;
    let shadow = v1::SetShadowModelRequest {
        name: model.name.clone(),
        ..Default::default()
    };
    play.models().await.set_shadow_model(shadow).await.unwrap();
    let found = play.classified("软件又闪退了").await;
    let feedback = found.feedback.clone().unwrap();
    let report = async || {
        let request = v1::GetShadowReportRequest {
            name: model.name.clone(),
        };
        let report = play.models().await.get_shadow_report(request).await;
        report.unwrap().into_inner().compared
    };
    assert_eq!(report().await, 1);
    let request = ExportCustomerDataRequest {
        parent: PARENT.to_owned(),
        customers: vec![feedback.customer.clone()],
        feedbacks: vec![feedback.feedback.clone()],
    };
    let mut parts = play
        .customers()
        .await
        .export_customer_data(request)
        .await
        .unwrap()
        .into_inner();
    let lines = parts.message().await.unwrap().unwrap().lines.join("\n");
    assert!(
        lines.contains("\"shadow_answers\": [{") && lines.contains("\"version\": 1"),
        "{lines}"
    );

    let mut customers = play.customers().await;
    let erase = |tables_only: bool| EraseCustomerDataRequest {
        parent: PARENT.to_owned(),
        erasure: "0195a000-0000-4000-8000-00000000000a".to_owned(),
        part: 0,
        customers: vec![feedback.customer.clone()],
        feedbacks: vec![feedback.feedback.clone()],
        tables_only,
    };
    eventually("it is erased", LIMIT, async || {
        let done = customers
            .erase_customer_data(erase(false))
            .await
            .unwrap()
            .into_inner()
            .done;
        done.then_some(())
    })
    .await;
    let rows = play.rows().await;
    let of_shadow = format!("\"active_label\": \"{}\"", found.category);
    assert!(rows.contains(&of_shadow), "{rows}");
    assert!(!rows.contains(&feedback.customer) && !rows.contains("闪退了"), "{rows}");
    assert_eq!(report().await, 1);

    // Erased again it stays as it is.
    let item = play.queue("").await.remove(0);
    customers.erase_customer_data(erase(true)).await.unwrap();
    assert_eq!(play.queue("").await, [item]);
}
