//! Erasing a customer: intake's own part, the services that are asked, and the certificate at the end.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use huiyin_chassis::sql;
use huiyin_proto::{
    event::v1::{
        EraseCustomerDataRequest, EraseCustomerDataResponse, ErasedCount, ExportCustomerDataRequest,
        ExportCustomerDataResponse,
        customer_data_service_server::{CustomerDataService, CustomerDataServiceServer},
        event::Payload,
    },
    google::longrunning::{
        GetOperationRequest, Operation, operation::Result as Outcome, operations_client::OperationsClient,
    },
    intake::v1::{
        Contact, ContactKind, CreateFeedbackRequest, EraseCustomerRequest, ErasureCertificate, ErasureState,
        ExportCustomerRequest, Feedback, GetCustomerRequest, GetErasureRequest, LinkIdentitiesRequest,
        VerifyErasureCertificateRequest,
    },
};
use huiyin_testkit::{Source, Stage, eventually, rows_with};
use prost::Message as _;
use tonic::{Code, Request, Response, Status, service::Routes};

use crate::{
    customers::reference,
    stand::{ACME, Stand, create, feedback, reason, request_id},
};

const ADDRESS: &str = "13912345678";
const WORDS: &str = "蓝色的雨伞在地铁里丢了";
const ROOMS: [&str; 5] = ["classifier", "scheduler", "survey", "notification", "analytics"];
const LIMIT: Duration = Duration::from_secs(30);

/// Stands for the five other services: each call needs two, as one that has much to do.
#[derive(Clone, Default)]
struct Others {
    asked: Arc<Mutex<Vec<EraseCustomerDataRequest>>>,
    calls: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl CustomerDataService for Others {
    async fn erase_customer_data(
        &self,
        request: Request<EraseCustomerDataRequest>,
    ) -> Result<Response<EraseCustomerDataResponse>, Status> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Status::unavailable("away"));
        }
        self.asked.lock().unwrap().push(request.into_inner());
        let done = self.calls.fetch_add(1, Ordering::Relaxed) >= ROOMS.len();
        Ok(Response::new(EraseCustomerDataResponse {
            done,
            counts: vec![ErasedCount {
                kind: "row".to_owned(),
                count: 7,
            }],
            complete_time: done.then(|| sql::to_proto("2026-03-02T01:00:00Z".parse().unwrap())),
        }))
    }

    type ExportCustomerDataStream =
        futures::stream::Iter<std::vec::IntoIter<Result<ExportCustomerDataResponse, Status>>>;

    async fn export_customer_data(
        &self,
        _: Request<ExportCustomerDataRequest>,
    ) -> Result<Response<Self::ExportCustomerDataStream>, Status> {
        let lines = vec![r#"{"kind":"row"}"#.to_owned()];
        Ok(Response::new(futures::stream::iter(vec![Ok(
            ExportCustomerDataResponse { lines },
        )])))
    }
}

pub(crate) struct World {
    pub(crate) stand: Stand,
    others: Others,
    /// They serve as long as they are held.
    _sources: Vec<Source>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more settings: see `Stand::with`.
    pub(crate) async fn with(settings: &str) -> Self {
        let stage = Stage::new().await;
        let others = Others::default();
        let routes = || {
            let mut routes = Routes::builder();
            routes.add_service(CustomerDataServiceServer::new(others.clone()));
            routes
        };
        let mut sources = Vec::new();
        let scheduler = stage.source_beside("scheduler", routes()).await;
        for room in ROOMS.into_iter().filter(|room| *room != "scheduler") {
            sources.push(stage.source_beside(room, routes()).await);
        }
        Self {
            stand: Stand::on(stage, scheduler, settings).await,
            others,
            _sources: sources,
        }
    }

    pub(crate) async fn submit(&self, contact: &str, words: &str, request: u32) -> Feedback {
        let new = Feedback {
            contact: Some(Contact {
                kind: ContactKind::Phone.into(),
                address: contact.to_owned(),
            }),
            ..feedback(&format!("{words}，电话{contact}"))
        };
        let request = CreateFeedbackRequest {
            request_id: request_id(request),
            ..create(new)
        };
        self.stand
            .client()
            .await
            .create_feedback(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Has the other services be away, or be back.
    pub(crate) fn send_away(&self, away: bool) {
        self.others.away.store(away, Ordering::Relaxed);
    }

    /// What the other services were asked to erase.
    pub(crate) fn asked(&self) -> Vec<EraseCustomerDataRequest> {
        self.others.asked.lock().unwrap().clone()
    }

    pub(crate) async fn erase(&self, customer: &str, request: u32) -> Result<Operation, Status> {
        let request = EraseCustomerRequest {
            name: customer.to_owned(),
            reason: "工单 88 号客户要求".to_owned(),
            request_id: request_id(request),
        };
        let mut customers = self.stand.customers("admin").await;
        customers.erase_customer(request).await.map(Response::into_inner)
    }

    pub(crate) async fn ended(&self, operation: &Operation) -> ErasureCertificate {
        let token = self.stand.stage.token("user:lin", "acme", &["admin"]);
        let connection = self.stand.stage.connect(self.stand.address(), &token).await;
        let mut operations = OperationsClient::new(connection);
        let ended = eventually("the erasure ends", LIMIT, async || {
            let request = GetOperationRequest {
                name: operation.name.clone(),
            };
            let operation = operations.get_operation(request).await.unwrap().into_inner();
            operation.done.then_some(operation)
        })
        .await;
        match ended.result {
            Some(Outcome::Response(response)) => ErasureCertificate::decode(response.value.as_slice()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn verifies(&self, certificate: &ErasureCertificate) -> (bool, bool, bool, bool) {
        let request = VerifyErasureCertificateRequest {
            parent: ACME.to_owned(),
            certificate: Some(certificate.clone()),
        };
        let mut customers = self.stand.customers("admin").await;
        let found = customers
            .verify_erasure_certificate(request)
            .await
            .unwrap()
            .into_inner();
        (found.valid, found.hash_holds, found.signature_holds, found.chain_holds)
    }

    /// In how many rows of all tables this stands, bytes included.
    pub(crate) async fn rows_with(&self, text: &str) -> i64 {
        let (clear, bytes) = rows_with(&mut self.stand.database().await, text).await;
        clear + bytes
    }
}

/// 000-21, 000-22, 001-81: after it nothing is found, and a certificate says so.
#[tokio::test]
async fn an_erased_customer_stands_nowhere_and_a_certificate_says_so() {
    let world = World::new().await;
    let first = world.submit(ADDRESS, WORDS, 1).await;
    let other = world.submit("13700000001", "别人的话", 2).await;
    assert!(world.rows_with(WORDS).await >= 3, "row, event, kept answer");
    let operation = world.erase(&first.customer, 3).await.unwrap();
    assert_eq!(
        world.erase(&first.customer, 3).await.unwrap().name,
        operation.name,
        "the same request"
    );
    let certificate = world.ended(&operation).await;

    for secret in [WORDS, ADDRESS] {
        assert_eq!(world.rows_with(secret).await, 0, "{secret}");
    }
    assert!(world.rows_with("别人的话").await >= 3, "others keep what is theirs");
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM data_key")
        .fetch_one(&mut world.stand.database().await)
        .await
        .unwrap();
    assert_eq!(keys, 1, "the key is shredded");

    assert_eq!(certificate.feedback_count, 1);
    assert_eq!(certificate.customers, std::slice::from_ref(&first.customer));
    assert_eq!(certificate.rooms.len(), 6);
    assert_eq!(world.verifies(&certificate).await, (true, true, true, true));
    let mut forged = certificate.clone();
    forged.feedback_count = 2;
    assert_eq!(world.verifies(&forged).await, (false, false, true, false));

    // Every other service was told who, and what.
    {
        let asked = world.others.asked.lock().unwrap();
        assert!(asked.len() >= 2 * ROOMS.len());
        assert!(asked.iter().all(|asked| asked.feedbacks == [first.name.clone()]));
        assert!(asked.iter().all(|asked| asked.customers == [first.customer.clone()]));
    }
    let told = world.stand.stage.written().await;
    assert!(matches!(told.last().unwrap().payload, Some(Payload::CustomerErased(_))));
    assert_eq!(told.len(), 3, "positions stay dense");

    // The chain goes on.
    let second = world.ended(&world.erase(&other.customer, 4).await.unwrap()).await;
    assert_eq!((second.sequence, &second.previous_hash), (2, &certificate.hash));
    assert!(world.verifies(&second).await.0 && world.verifies(&certificate).await.0);
}

/// What an erased customer sends afterwards belongs to somebody new.
#[tokio::test]
async fn whoever_comes_again_after_an_erasure_is_somebody_new() {
    let world = World::new().await;
    let first = world.submit(ADDRESS, WORDS, 1).await;
    world.ended(&world.erase(&first.customer, 2).await.unwrap()).await;
    let gone = world.erase(&first.customer, 3).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let again = world.submit(ADDRESS, "又来了", 4).await;
    assert_ne!(again.customer, first.customer);
    assert_eq!(world.submit(ADDRESS, "再来", 5).await.customer, again.customer);
    // A request that was answered before, and whose answer is erased, is refused: it stores nothing again.
    let new = Feedback {
        contact: Some(Contact {
            kind: ContactKind::Phone.into(),
            address: ADDRESS.to_owned(),
        }),
        ..feedback(&format!("{WORDS}，电话{ADDRESS}"))
    };
    let repeated = CreateFeedbackRequest {
        request_id: request_id(1),
        ..create(new)
    };
    let refused = world.stand.client().await.create_feedback(repeated).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::AlreadyExists, "REQUEST_ID_REUSED")
    );
}

/// A service that is away is waited for; meanwhile the erasure says so.
#[tokio::test]
async fn an_erasure_waits_for_a_service_that_is_away() {
    let world = World::new().await;
    world.others.away.store(true, Ordering::Relaxed);
    let first = world.submit(ADDRESS, WORDS, 1).await;
    let operation = world.erase(&first.customer, 2).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT 'tenants/acme/erasures/' || id FROM erasure")
        .fetch_one(&mut world.stand.database().await)
        .await
        .unwrap();
    let mut customers = world.stand.customers("admin").await;
    let request = GetErasureRequest { name };
    let waiting = eventually("the erasure waits", LIMIT, async || {
        let erasure = customers.get_erasure(request.clone()).await.unwrap().into_inner();
        (erasure.waiting == ROOMS && !erasure.problem.is_empty()).then_some(erasure)
    })
    .await;
    assert_eq!(waiting.state(), ErasureState::Running);
    world.others.away.store(false, Ordering::Relaxed);
    let certificate = world.ended(&operation).await;
    let done = customers.get_erasure(request).await.unwrap().into_inner();
    assert_eq!(
        (done.state(), done.certificate),
        (ErasureState::Done, Some(certificate))
    );
}

/// Joined identities are erased together, under all their names.
#[tokio::test]
async fn joined_identities_are_erased_together() {
    let world = World::new().await;
    let first = world.submit(ADDRESS, WORDS, 1).await;
    let mut customers = world.stand.customers("admin").await;
    let phone = huiyin_proto::intake::v1::Identity {
        reference: String::new(),
        contact: Some(Contact {
            kind: ContactKind::Phone.into(),
            address: ADDRESS.to_owned(),
        }),
    };
    let request = LinkIdentitiesRequest {
        parent: ACME.to_owned(),
        identities: vec![reference("crm-1"), phone],
        request_id: String::new(),
    };
    let joined = customers.link_identities(request).await.unwrap().into_inner();
    let certificate = world.ended(&world.erase(&joined.name, 2).await.unwrap()).await;
    let mut names = certificate.customers.clone();
    names.sort();
    let mut expected = [joined.name.clone(), first.customer];
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(world.rows_with(WORDS).await, 0);
    let gone = customers
        .get_customer(GetCustomerRequest { name: joined.name })
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

/// 001-15: whoever is asked what is held hands out all of it, opened.
#[tokio::test]
async fn everything_that_is_held_is_handed_out() {
    let world = World::new().await;
    let first = world.submit(ADDRESS, WORDS, 1).await;
    let request = ExportCustomerRequest {
        name: first.customer.clone(),
    };
    let refused = world
        .stand
        .customers("agent")
        .await
        .export_customer(request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut customers = world.stand.customers("admin").await;
    let mut parts = customers.export_customer(request).await.unwrap().into_inner();
    let mut services = Vec::new();
    let mut lines = String::new();
    while let Some(part) = parts.message().await.unwrap() {
        services.push(part.service);
        lines.push_str(&part.lines.join("\n"));
    }
    services.dedup();
    assert_eq!(
        services,
        [
            "intake",
            "classifier",
            "scheduler",
            "survey",
            "notification",
            "analytics"
        ]
    );
    assert!(lines.contains(&format!("\"contact\":\"{ADDRESS}\"")), "{lines}");
    assert!(lines.contains(&format!("{WORDS}，电话{ADDRESS}")), "{lines}");
}
