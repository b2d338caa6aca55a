//! Inboxes: one's own, somebody else's, read marks, following.

use huiyin_proto::notification::v1::{
    InboxItem, ListInboxItemsRequest, ListInboxItemsResponse, MarkInboxItemReadRequest, Purpose, WatchInboxRequest,
    WatchInboxResponse,
};
use jiff::SignedDuration;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use crate::{
    access::reason,
    scene::{CUSTOMER, Client, LIMIT, Scene, assigned, digest, invited, resolved, subject, unreachable},
};

fn of(recipient: &str) -> ListInboxItemsRequest {
    ListInboxItemsRequest {
        parent: "tenants/acme".to_owned(),
        recipient: recipient.to_owned(),
        ..Default::default()
    }
}

async fn list(client: &mut Client, request: ListInboxItemsRequest) -> Result<ListInboxItemsResponse, Status> {
    client.list_inbox_items(request).await.map(tonic::Response::into_inner)
}

async fn watch(client: &mut Client, start_cursor: &str) -> Streaming<WatchInboxResponse> {
    let request = WatchInboxRequest {
        parent: "tenants/acme".to_owned(),
        start_cursor: start_cursor.to_owned(),
        ..Default::default()
    };
    client.watch_inbox(request).await.unwrap().into_inner()
}

/// The next answer that is no checkpoint.
async fn next(stream: &mut Streaming<WatchInboxResponse>) -> WatchInboxResponse {
    let answer = async {
        loop {
            let answer = stream.message().await.unwrap().unwrap();
            assert_eq!(answer.checkpoint, answer.inbox_items.is_empty());
            if !answer.checkpoint {
                return answer;
            }
        }
    };
    tokio::time::timeout(LIMIT, answer).await.unwrap()
}

#[tokio::test]
async fn an_engineer_sees_and_reads_the_own_inbox_and_no_other() {
    let scene = Scene::without_mail().await;
    let mut admin = scene.admin().await;
    let mut li = scene.client("user:li.wei", &["engineer"]).await;
    let mut zhang = scene.client("user:zhang", &["engineer"]).await;
    let event = scene.scheduler.publish("acme", &subject("w1"), assigned(digest("w1")));
    scene.settled(&mut admin, &event.id, 1).await;

    let inbox = list(&mut li, of("")).await.unwrap();
    assert_eq!((inbox.inbox_items.len(), inbox.unread_count), (1, 1));
    let item = &inbox.inbox_items[0];
    assert_eq!(
        (item.purpose(), item.recipient.as_str(), item.work_order.as_str()),
        (Purpose::Assignment, "user:li.wei", subject("w1").as_str())
    );
    assert_eq!(item.name.replace("inboxItems", "messages"), item.message);

    let refused = list(&mut zhang, of("user:li.wei")).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).0.as_str()),
        (Code::PermissionDenied, "PERMISSION_MISSING")
    );
    assert_eq!(list(&mut zhang, of("")).await.unwrap().inbox_items.len(), 0);
    let mark = MarkInboxItemReadRequest {
        name: item.name.clone(),
        request_id: Uuid::from_u128(1).to_string(),
    };
    assert_eq!(
        zhang.mark_inbox_item_read(mark.clone()).await.unwrap_err().code(),
        Code::NotFound,
        "as if it were not there"
    );

    let read = li.mark_inbox_item_read(mark.clone()).await.unwrap().into_inner();
    assert!(read.read_time.is_some());
    assert_eq!(li.mark_inbox_item_read(mark).await.unwrap().into_inner(), read);
    scene.stage.clock.advance(SignedDuration::from_secs(60));
    let again = MarkInboxItemReadRequest {
        name: item.name.clone(),
        ..Default::default()
    };
    assert_eq!(
        li.mark_inbox_item_read(again).await.unwrap().into_inner(),
        read,
        "it keeps its time"
    );
    assert_eq!(list(&mut li, of("")).await.unwrap().unread_count, 0);
    let unread = ListInboxItemsRequest {
        filter: "read = false".to_owned(),
        ..of("")
    };
    assert_eq!(list(&mut li, unread).await.unwrap().inbox_items.len(), 0);
}

/// A survey is answered by whoever holds its link: the customer, and the app that shows it to them, but nobody of the staff.
#[tokio::test]
async fn an_app_sees_its_customers_link_whole_and_staff_does_not() {
    let scene = Scene::without_mail().await;
    let mut admin = scene.admin().await;
    let mut agent = scene.client("user:wang", &["agent"]).await;
    let mut app = scene.client("key:app", &["integration"]).await;
    let event = scene.surveys.publish(
        "acme",
        "tenants/acme/surveys/standard",
        invited(unreachable("w1"), "i7"),
    );
    let told = scene.settled(&mut admin, &event.id, 1).await.remove(0);
    assert!(!told.body.contains("token-of-i7"));

    let seen = list(&mut agent, of(CUSTOMER)).await.unwrap().inbox_items.remove(0);
    assert!(!seen.body.contains("token-of-i7"), "{}", seen.body);
    let mark = MarkInboxItemReadRequest {
        name: seen.name.clone(),
        request_id: Uuid::from_u128(2).to_string(),
    };
    // What somebody else has read is not for an agent to say.
    assert_eq!(
        agent.mark_inbox_item_read(mark.clone()).await.unwrap_err().code(),
        Code::NotFound
    );

    let shown = list(&mut app, of(CUSTOMER)).await.unwrap().inbox_items.remove(0);
    assert!(
        shown.body.contains("https://example.com/s#token-of-i7"),
        "{}",
        shown.body
    );
    let read = app.mark_inbox_item_read(mark.clone()).await.unwrap().into_inner();
    assert!(read.body.contains("token-of-i7"));
    assert_eq!(app.mark_inbox_item_read(mark).await.unwrap().into_inner(), read);
}

#[tokio::test]
async fn pages_of_an_inbox_skip_and_repeat_nothing() {
    let scene = Scene::without_mail().await;
    let mut admin = scene.admin().await;
    for number in 0..7 {
        let event = scene
            .scheduler
            .publish("acme", &subject("w1"), resolved(unreachable("w1")));
        scene.settled(&mut admin, &event.id, 1).await;
        if number % 2 == 0 {
            scene.stage.clock.advance(SignedDuration::from_secs(1));
        }
    }
    let all: Vec<InboxItem> = list(&mut admin, of(CUSTOMER)).await.unwrap().inbox_items;
    assert_eq!(all.len(), 7);
    assert!(
        all.windows(2)
            .all(|pair| pair[0].create_time.unwrap().seconds >= pair[1].create_time.unwrap().seconds),
        "newest first"
    );
    let mut request = ListInboxItemsRequest {
        page_size: 2,
        ..of(CUSTOMER)
    };
    let mut paged = Vec::new();
    loop {
        let page = list(&mut admin, request.clone()).await.unwrap();
        paged.extend(page.inbox_items);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        let elsewhere = ListInboxItemsRequest {
            recipient: "user:li.wei".to_owned(),
            ..request.clone()
        };
        assert_eq!(
            list(&mut admin, elsewhere).await.unwrap_err().code(),
            Code::InvalidArgument,
            "a token leads nowhere in another inbox"
        );
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn a_watch_tells_what_comes_and_goes_on_after_a_break() {
    let scene = Scene::without_mail().await;
    let mut admin = scene.admin().await;
    let mut li = scene.client("user:li.wei", &["engineer"]).await;
    let before = scene.scheduler.publish("acme", &subject("w0"), assigned(digest("w0")));
    scene.settled(&mut admin, &before.id, 1).await;

    let mut stream = watch(&mut li, "").await;
    let first = scene.scheduler.publish("acme", &subject("w1"), assigned(digest("w1")));
    let came = next(&mut stream).await;
    assert_eq!(came.inbox_items.len(), 1, "from now on: what was there is not told");
    assert_eq!(came.inbox_items[0].work_order, subject("w1"));
    drop(stream);

    // While nobody watches, one more comes and the first is read.
    let second = scene.scheduler.publish("acme", &subject("w2"), assigned(digest("w2")));
    scene.settled(&mut admin, &second.id, 1).await;
    let mark = MarkInboxItemReadRequest {
        name: came.inbox_items[0].name.clone(),
        ..Default::default()
    };
    li.mark_inbox_item_read(mark).await.unwrap();
    let mut stream = watch(&mut li, &came.cursor).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        told.extend(next(&mut stream).await.inbox_items);
    }
    let told: Vec<(&str, bool)> = told
        .iter()
        .map(|item| (item.work_order.as_str(), item.read_time.is_some()))
        .collect();
    assert_eq!(told, [(subject("w2").as_str(), false), (subject("w1").as_str(), true)]);
    assert!(!first.id.is_empty());

    let request = WatchInboxRequest {
        parent: "tenants/acme".to_owned(),
        recipient: CUSTOMER.to_owned(),
        ..Default::default()
    };
    assert_eq!(
        li.watch_inbox(request.clone()).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    let foreign = WatchInboxRequest {
        start_cursor: came.cursor,
        ..request
    };
    assert_eq!(
        admin.watch_inbox(foreign).await.unwrap_err().code(),
        Code::InvalidArgument,
        "a cursor belongs to its inbox"
    );
}

#[tokio::test]
async fn a_watch_says_that_it_is_still_there() {
    let scene = Scene::without_mail().await;
    let mut li = scene.client("user:li.wei", &["engineer"]).await;
    let mut stream = watch(&mut li, "").await;
    let answer = tokio::time::timeout(LIMIT, stream.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(answer.checkpoint && answer.inbox_items.is_empty() && !answer.cursor.is_empty());
}
