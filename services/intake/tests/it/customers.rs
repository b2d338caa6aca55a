//! Customers: identities joined and taken apart, what is said of them, and the segments that are frozen on feedback.

use std::collections::BTreeMap;

use huiyin_chassis::sql;
use huiyin_proto::{
    intake::v1::{
        Contact, ContactKind, Customer, Days, Feedback, Frequent, GetCustomerRequest, GetSegmentPolicyRequest,
        Identity, LinkIdentitiesRequest, ListFeedbacksRequest, Payment, ResolveCustomerRequest, Segment,
        SegmentCondition, SegmentPolicy, UnlinkIdentityRequest, UpdateCustomerRequest, UpdateSegmentPolicyRequest,
        customer_service_client::CustomerServiceClient,
    },
    r#type::v1::CustomerTier,
};
use huiyin_testkit::Connection;
use jiff::SignedDuration;
use tonic::Code;

use crate::stand::{ACME, Client, Stand, create, feedback, fields, reason, request_id};

pub(crate) type Customers = CustomerServiceClient<Connection>;

impl Stand {
    /// A caller of `CustomerService`.
    pub(crate) async fn customers(&self, role: &str) -> Customers {
        let token = self.stage.token("user:lin", "acme", &[role]);
        CustomerServiceClient::new(self.stage.connect(self.address(), &token).await)
    }
}

pub(crate) fn reference(reference: &str) -> Identity {
    Identity {
        reference: reference.to_owned(),
        contact: None,
    }
}

fn phone(address: &str) -> Identity {
    Identity {
        reference: String::new(),
        contact: Some(Contact {
            kind: ContactKind::Phone.into(),
            address: address.to_owned(),
        }),
    }
}

async fn submit(client: &mut Client, identity: &Identity, text: &str) -> Feedback {
    let new = Feedback {
        customer_reference: identity.reference.clone(),
        contact: identity.contact.clone(),
        ..feedback(text)
    };
    client.create_feedback(create(new)).await.unwrap().into_inner()
}

async fn link(customers: &mut Customers, identities: Vec<Identity>) -> Customer {
    let request = LinkIdentitiesRequest {
        parent: ACME.to_owned(),
        identities,
        request_id: String::new(),
    };
    customers.link_identities(request).await.unwrap().into_inner()
}

async fn read(customers: &mut Customers, name: &str) -> Customer {
    let request = GetCustomerRequest { name: name.to_owned() };
    customers.get_customer(request).await.unwrap().into_inner()
}

/// 002-10: 同一用户的历史反馈可追溯.
#[tokio::test]
async fn joined_identities_are_one_customer_before_and_after() {
    let stand = Stand::new().await;
    let (mut client, mut customers) = (stand.client().await, stand.customers("agent").await);
    let (crm, mobile) = (reference("crm-1"), phone("+86 138 0013 8000"));
    let first = submit(&mut client, &crm, "登录失败").await;
    let second = submit(&mut client, &mobile, "又失败了").await;
    assert_ne!(first.customer, second.customer);

    let joined = link(&mut customers, vec![crm.clone(), phone("13800138000")]).await;
    assert_eq!(joined.name, first.customer, "the first stays");
    assert_eq!((joined.feedback_count, joined.identity_count), (2, 2));
    let third = submit(&mut client, &mobile, "还是失败").await;
    assert_eq!(third.customer, first.customer);

    let list = ListFeedbacksRequest {
        parent: ACME.to_owned(),
        filter: format!("customer = \"{}\"", joined.name),
        ..ListFeedbacksRequest::default()
    };
    assert_eq!(
        client.list_feedbacks(list).await.unwrap().into_inner().feedbacks.len(),
        3
    );
    let gone = customers
        .get_customer(GetCustomerRequest { name: second.customer })
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);

    // Nothing of the number is kept: a keyed hash leads on.
    let tokens: Vec<String> = sqlx::query_scalar("SELECT i::text FROM customer_identity AS i")
        .fetch_all(&mut stand.database().await)
        .await
        .unwrap();
    assert!(
        tokens.len() == 2 && !tokens.concat().contains("13800138000"),
        "{tokens:?}"
    );

    // Joining again changes nothing.
    assert_eq!(link(&mut customers, vec![mobile, crm]).await.name, joined.name);
}

#[tokio::test]
async fn an_identity_taken_away_takes_along_what_came_by_it() {
    let stand = Stand::new().await;
    let (mut client, mut customers) = (stand.client().await, stand.customers("agent").await);
    let (crm, mobile) = (reference("crm-1"), phone("13800138000"));
    submit(&mut client, &crm, "一").await;
    submit(&mut client, &mobile, "二").await;
    let joined = link(&mut customers, vec![crm.clone(), mobile.clone()]).await;
    submit(&mut client, &mobile, "三").await;

    let unlink = |identity: Identity, customer: &str| UnlinkIdentityRequest {
        customer: customer.to_owned(),
        identity: Some(identity),
        request_id: String::new(),
    };
    let apart = customers
        .unlink_identity(unlink(mobile.clone(), &joined.name))
        .await
        .unwrap()
        .into_inner();
    assert_ne!(apart.name, joined.name);
    assert_eq!(apart.feedback_count, 2);
    assert_eq!(read(&mut customers, &joined.name).await.feedback_count, 1);
    assert_eq!(submit(&mut client, &mobile, "四").await.customer, apart.name);

    let refused = customers
        .unlink_identity(unlink(mobile, &joined.name))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "IDENTITY_NOT_LINKED")
    );
    // The founding identity can be taken away as well.
    let founder = customers
        .unlink_identity(unlink(crm, &joined.name))
        .await
        .unwrap()
        .into_inner();
    assert_ne!(founder.name, joined.name);
    assert_eq!(founder.feedback_count, 1);
}

/// 001-20, 000-32: what is said of a customer, by mask and etag.
#[tokio::test]
async fn what_is_said_of_a_customer_is_changed_by_mask_and_etag() {
    let stand = Stand::new().await;
    let mut customers = stand.customers("agent").await;
    let known = link(&mut customers, vec![reference("crm-1")]).await;
    let request = UpdateCustomerRequest {
        customer: Some(Customer {
            name: known.name.clone(),
            etag: known.etag.clone(),
            tier: CustomerTier::Vip.into(),
            payment: Payment::Paying.into(),
            industry: "retail".to_owned(),
            custom: [("note".to_owned(), "电话13800138000".to_owned())].into(),
            ..Customer::default()
        }),
        request_id: request_id(1),
        ..UpdateCustomerRequest::default()
    };
    let said = customers.update_customer(request.clone()).await.unwrap().into_inner();
    assert_eq!(said.tier(), CustomerTier::Vip);
    assert_eq!(said.custom["note"], "电话[手机号]", "no number is kept");
    assert_eq!(said.segments, ["vip", "paying"]);
    // The same request again is answered as before; another with the old etag is refused.
    assert_eq!(
        customers.update_customer(request.clone()).await.unwrap().into_inner(),
        said
    );
    let late = UpdateCustomerRequest {
        request_id: request_id(2),
        ..request
    };
    let refused = customers.update_customer(late).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Aborted, "ETAG_MISMATCH")
    );

    let cleared = UpdateCustomerRequest {
        customer: Some(Customer {
            name: known.name.clone(),
            ..Customer::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["industry".to_owned(), "custom".to_owned()],
        }),
        ..UpdateCustomerRequest::default()
    };
    let cleared = customers.update_customer(cleared).await.unwrap().into_inner();
    assert_eq!((cleared.industry.as_str(), &cleared.custom), ("", &BTreeMap::new()));
    assert_eq!(cleared.tier(), CustomerTier::Vip);

    let unknown = UpdateCustomerRequest {
        customer: Some(Customer {
            name: known.name,
            ..Customer::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["segments".to_owned()],
        }),
        ..UpdateCustomerRequest::default()
    };
    let refused = customers.update_customer(unknown).await.unwrap_err();
    assert_eq!(
        (refused.code(), fields(&refused)),
        (Code::InvalidArgument, vec!["update_mask".to_owned()])
    );
}

/// 004-53, 001-33: the segments of a feedback are those of its time, and stay.
#[tokio::test]
async fn segments_are_frozen_on_the_feedback_of_their_time() {
    let stand = Stand::new().await;
    let (mut client, mut customers) = (stand.client().await, stand.customers("agent").await);
    let crm = reference("crm-1");
    let known = link(&mut customers, vec![crm.clone()]).await;
    let month = SignedDuration::from_hours(24 * 31);
    let said = UpdateCustomerRequest {
        customer: Some(Customer {
            name: known.name.clone(),
            tier: CustomerTier::Vip.into(),
            since_time: Some(sql::to_proto(stand.stage.clock.now())),
            ..Customer::default()
        }),
        ..UpdateCustomerRequest::default()
    };
    customers.update_customer(said).await.unwrap();
    let young = submit(&mut client, &crm, "一").await;
    assert_eq!(young.segments, ["new", "vip"]);
    assert_eq!(
        young.tier(),
        CustomerTier::Vip,
        "the customer's, where the feedback says none"
    );
    stand.stage.clock.advance(month + SignedDuration::from_hours(24));
    let old = submit(&mut client, &crm, "二").await;
    assert_eq!(old.segments, ["existing", "vip"]);
    let get = |name: &str| huiyin_proto::intake::v1::GetFeedbackRequest { name: name.to_owned() };
    let young = client.get_feedback(get(&young.name)).await.unwrap().into_inner();
    assert_eq!(young.segments, ["new", "vip"]);
    let told: Vec<Vec<String>> = stand
        .events()
        .await
        .into_iter()
        .map(|(_, said)| said.segments)
        .collect();
    assert_eq!(told, [["new", "vip"], ["existing", "vip"]]);
}

/// C-12: what "high value" means, the tenant says; history counts too.
#[tokio::test]
async fn a_tenant_says_what_its_segments_are() {
    let stand = Stand::new().await;
    let (mut client, mut customers) = (stand.client().await, stand.customers("admin").await);
    let name = format!("{ACME}/segmentPolicy");
    let get = GetSegmentPolicyRequest { name: name.clone() };
    let built_in = customers.get_segment_policy(get.clone()).await.unwrap().into_inner();
    assert_eq!(built_in.segments.len(), 5);

    let segment = |key: &str, condition: SegmentCondition| Segment {
        key: key.to_owned(),
        display_name: key.to_owned(),
        conditions: vec![condition],
    };
    let frequent = SegmentCondition {
        frequent: Some(Frequent {
            at_least: 2,
            within_days: 7,
        }),
        ..SegmentCondition::default()
    };
    let policy = |segments: Vec<Segment>, etag: &str| UpdateSegmentPolicyRequest {
        segment_policy: Some(SegmentPolicy {
            name: name.clone(),
            segments,
            etag: etag.to_owned(),
            update_time: None,
        }),
        request_id: String::new(),
    };
    let set = customers
        .update_segment_policy(policy(vec![segment("frequent", frequent.clone())], &built_in.etag))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(customers.get_segment_policy(get).await.unwrap().into_inner(), set);
    let crm = reference("crm-1");
    assert_eq!(submit(&mut client, &crm, "一").await.segments, [""; 0]);
    assert_eq!(submit(&mut client, &crm, "二").await.segments, ["frequent"]);
    stand.stage.clock.advance(SignedDuration::from_hours(24 * 8));
    assert_eq!(submit(&mut client, &crm, "三").await.segments, [""; 0]);

    // What is no condition is named, all at once.
    let two = SegmentCondition {
        payment: Payment::Free.into(),
        tenure: Some(Days {
            at_least: 3,
            at_most: 2,
        }),
        ..frequent.clone()
    };
    let segments = vec![segment("a", SegmentCondition::default()), segment("a", two)];
    let refused = customers.update_segment_policy(policy(segments, "")).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "segment_policy.segments[0].conditions[0]",
            "segment_policy.segments[1].conditions[0]",
            "segment_policy.segments[1].key"
        ]
    );
    let late = customers
        .update_segment_policy(policy(vec![], &built_in.etag))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Code::Aborted);
}

#[tokio::test]
async fn resolving_an_identity_writes_nothing_and_needs_one() {
    let stand = Stand::new().await;
    let (mut client, mut customers) = (stand.client().await, stand.customers("agent").await);
    let resolve = |identity: Identity| ResolveCustomerRequest {
        parent: ACME.to_owned(),
        identity: Some(identity),
    };
    let found = customers
        .resolve_customer(resolve(reference("crm-9")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.feedback_count, 0);
    let unknown = GetCustomerRequest {
        name: found.name.clone(),
    };
    assert_eq!(
        customers.get_customer(unknown).await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(
        submit(&mut client, &reference("crm-9"), "一").await.customer,
        found.name
    );
    assert_eq!(read(&mut customers, &found.name).await.feedback_count, 1);
    for (identity, field) in [
        (Identity::default(), "identity"),
        (phone("no number"), "identity.contact.address"),
        (
            Identity {
                reference: "a".to_owned(),
                ..phone("13800138000")
            },
            "identity",
        ),
    ] {
        let refused = customers.resolve_customer(resolve(identity)).await.unwrap_err();
        assert_eq!(
            (refused.code(), fields(&refused)),
            (Code::InvalidArgument, vec![field.to_owned()])
        );
    }
}

/// Another tenant's customer is as one that is not there.
#[tokio::test]
async fn a_customer_is_seen_by_its_own_tenant_alone() {
    let stand = Stand::new().await;
    let known = link(&mut stand.customers("agent").await, vec![reference("crm-1")]).await;
    let token = stand.stage.token("user:lin", "globex", &["agent"]);
    let mut other = CustomerServiceClient::new(stand.stage.connect(stand.address(), &token).await);
    let refused = other
        .get_customer(GetCustomerRequest { name: known.name })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}
