//! ListFacts: pages, filters and orders.

use huiyin_proto::{analytics::v1::ListFactsRequest, event::v1::StateCategory, r#type::v1::Channel};
use tonic::Code;

use crate::{
    case::Case,
    world::{Client, World, facts},
};

async fn listed(client: &Client, filter: &str) -> Vec<String> {
    let request = ListFactsRequest {
        parent: "tenants/acme".to_owned(),
        filter: filter.to_owned(),
        ..ListFactsRequest::default()
    };
    let facts = client.clone().list_facts(request).await.unwrap().into_inner().facts;
    facts.into_iter().map(|fact| fact.feedback.unwrap().feedback).collect()
}

/// Many were received at the same moment, and of some intake's own event is still missing.
#[tokio::test]
async fn pages_of_facts_never_skip_or_repeat() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let cases: Vec<Case> = (0..40)
        .map(|case| {
            Case::new(
                &world,
                if case % 2 == 0 {
                    "2026-03-02T01:00:00Z"
                } else {
                    "2026-03-02T02:00:00Z"
                },
            )
        })
        .collect();
    for (at, case) in cases.iter().enumerate() {
        world.say(
            "2026-03-02T02:00:00Z",
            if at < 5 { case.classified(1) } else { case.submitted() },
        );
    }
    world.counted(&client, "acme", cases.len()).await;
    let ascending: Vec<String> = facts(&client, "acme").await.into_iter().map(|fact| fact.name).collect();
    let mut sorted = ascending.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((ascending.len(), sorted.len()), (40, 40));

    let mut request = ListFactsRequest {
        parent: "tenants/acme".to_owned(),
        page_size: 9,
        order_by: "receive_time desc".to_owned(),
        ..Default::default()
    };
    let mut descending = Vec::new();
    loop {
        let page = client.clone().list_facts(request.clone()).await.unwrap().into_inner();
        assert!(page.as_of.is_some());
        descending.extend(page.facts.into_iter().map(|fact| fact.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    descending.reverse();
    assert_eq!(descending, ascending);

    // A token belongs to its query.
    request.filter = "channel = EMAIL".to_owned();
    let refused = client.clone().list_facts(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn facts_are_filtered_by_every_documented_field() {
    let world = World::new().await;
    let client = world.client("acme").await;
    let one = Case {
        product_model: "X1".to_owned(),
        batch: "b7".to_owned(),
        ..Case::new(&world, "2026-03-02T01:00:00Z")
    };
    let other = Case {
        channel: Channel::Phone,
        category: "functional".to_owned(),
        priority: 2,
        ..Case::new(&world, "2026-03-03T01:00:00Z")
    };
    for (case, time) in [(&one, "2026-03-02T01:00:00Z"), (&other, "2026-03-03T01:00:00Z")] {
        world.say(time, case.submitted());
        world.say(time, case.classified(1));
        world.say(time, case.opened(&[]));
    }
    world.say("2026-03-02T05:00:00Z", one.moved(1, StateCategory::Active));
    world.counted(&client, "acme", 7).await;
    let name = |case: &Case| case.digest().feedback;
    let number = one.digest().number;
    for filter in [
        format!("feedback = {:?}", name(&one)),
        format!("number = {number}"),
        format!("work_order = \"tenants/acme/workOrders/{}\"", one.work_order),
        "category : function".to_owned(),
        "channel = EMAIL".to_owned(),
        "priority = P1".to_owned(),
        "product_model = X1 AND batch = b7".to_owned(),
        "state = ACTIVE".to_owned(),
        "receive_time < 2026-03-03T00:00:00Z".to_owned(),
        "last_event_time <= 2026-03-02T05:00:00Z".to_owned(),
    ] {
        assert_eq!(listed(&client, &filter).await, [name(&one)], "{filter}");
    }
    assert_eq!(listed(&client, "tier = EXISTING AND team = support").await.len(), 2);
    assert!(listed(&client, "tier = VIP").await.is_empty());
}
