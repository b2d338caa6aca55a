//! An erasure is certified once, and leaves nothing in the fields of a product either.

use std::time::Duration;

use huiyin_proto::{
    google::longrunning::Operation,
    intake::v1::{ExportCustomerRequest, Feedback, ProductContext},
};
use huiyin_testkit::eventually;

use crate::{
    erasure::World,
    stand::{create, feedback},
};

const ADDRESS: &str = "13912345678";
const WORDS: &str = "蓝色的雨伞在地铁里丢了";
const LIMIT: Duration = Duration::from_secs(30);

/// 000-21: whoever asks again while it runs is told of the same operation; and two runs of it certify it once.
#[tokio::test]
async fn an_erasure_that_runs_twice_is_certified_once() {
    let world = World::new().await;
    world.send_away(true);
    let first = world.submit(ADDRESS, WORDS, 1).await;
    let operation = world.erase(&first.customer, 2).await.unwrap();
    assert_eq!(world.erase(&first.customer, 3).await.unwrap().name, operation.name);
    // A second run nevertheless, as those have that were started before operations were known by their erasure.
    let second: String = sqlx::query_scalar(
        "INSERT INTO chassis.operation (tenant_id, operation_id, kind, author, request, due_time, create_time, update_time)
         SELECT tenant_id, gen_random_uuid(), kind, author, request, create_time, create_time, create_time FROM chassis.operation
         RETURNING 'tenants/acme/operations/' || operation_id",
    )
    .fetch_one(&mut world.stand.database().await)
    .await
    .unwrap();
    let second = Operation {
        name: second,
        ..Operation::default()
    };
    eventually("both run", LIMIT, async || {
        let running: i64 = sqlx::query_scalar("SELECT count(*) FROM chassis.operation WHERE lease IS NOT NULL")
            .fetch_one(&mut world.stand.database().await)
            .await
            .unwrap();
        (running == 2).then_some(())
    })
    .await;
    world.send_away(false);
    let certificate = world.ended(&operation).await;
    assert_eq!(world.ended(&second).await, certificate);
    assert_eq!(certificate.sequence, 1);
    assert_eq!(world.verifies(&certificate).await, (true, true, true, true));
}

/// 001-81: what names a person is masked in the fields of the product too; who may, gets it as it came; an erasure leaves none of it.
#[tokio::test]
async fn what_names_a_person_in_the_fields_of_a_product_is_masked_and_erased() {
    let world = World::new().await;
    let said = Feedback {
        customer_reference: "crm-5".to_owned(),
        product: Some(ProductContext {
            model: "X1 机主13800138000".to_owned(),
            batch: "B7".to_owned(),
            purchase_channel: "微信 li_wei88 代购".to_owned(),
            device: "li@example.com 的手机".to_owned(),
            software_version: "2.1".to_owned(),
            ..ProductContext::default()
        }),
        ..feedback("开机就响")
    };
    let stored = world
        .stand
        .client()
        .await
        .create_feedback(create(said))
        .await
        .unwrap()
        .into_inner();
    let product = stored.product.clone().unwrap();
    assert_eq!(
        (
            product.model.as_str(),
            product.batch.as_str(),
            product.purchase_channel.as_str(),
            product.device.as_str()
        ),
        ("X1 机主[手机号]", "B7", "微信 [账号] 代购", "[邮箱] 的手机")
    );
    let (_, event) = world.stand.events().await.pop().unwrap();
    assert_eq!(event.feedback.unwrap().product_model, "X1 机主[手机号]");
    for secret in ["13800138000", "li_wei88", "li@example.com"] {
        assert_eq!(world.rows_with(secret).await, 0, "{secret}");
    }
    let request = ExportCustomerRequest {
        name: stored.customer.clone(),
    };
    let mut parts = world
        .stand
        .customers("admin")
        .await
        .export_customer(request)
        .await
        .unwrap()
        .into_inner();
    let mut lines = String::new();
    while let Some(part) = parts.message().await.unwrap() {
        lines.push_str(&part.lines.join("\n"));
    }
    assert!(
        lines.contains("X1 机主13800138000") && lines.contains("微信 li_wei88 代购"),
        "{lines}"
    );

    world.ended(&world.erase(&stored.customer, 2).await.unwrap()).await;
    let left: String = sqlx::query_scalar("SELECT purchase_channel || device || software_version FROM feedback")
        .fetch_one(&mut world.stand.database().await)
        .await
        .unwrap();
    assert_eq!(left, "");
}
