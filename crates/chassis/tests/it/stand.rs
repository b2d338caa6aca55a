//! A server with keys of its own, and a service whose methods do what the test needs: answer, panic, hang.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, pin::Pin};

use huiyin_chassis::{
    Clock, ServiceConfig, Shutdown, Tasks,
    auth::{Audience, Authenticator, Claims, SigningKey},
    config, secret,
    server::Server,
    tls::Tls,
};
use huiyin_proto::event::v1::{
    EventFlow, GetEventFlowRequest, ListDeadLettersRequest, ListDeadLettersResponse, ReadEventsRequest,
    ReadEventsResponse, ReplayDeadLettersRequest, ReplayDeadLettersResponse,
    event_log_service_client::EventLogServiceClient,
    event_log_service_server::{EventLogService, EventLogServiceServer},
};
use tonic::{Request, Response, Status, transport::Channel};

pub(crate) struct Stand {
    pub(crate) address: SocketAddr,
    pub(crate) others: BTreeMap<&'static str, SocketAddr>,
    pub(crate) clock: Clock,
    pub(crate) key: SigningKey,
    pub(crate) shutdown: Shutdown,
    pub(crate) tasks: Tasks,
    folder: PathBuf,
}

impl Stand {
    /// `limits` is TOML for the section of that name; `auth` more of the section `auth`, and of others after it.
    pub(crate) async fn start(limits: &str, auth: &str) -> Self {
        Self::start_with("", limits, auth).await
    }

    /// With a port for probes.
    pub(crate) async fn start_probed(limits: &str, auth: &str) -> Self {
        Self::start_with("probe_listen = \"127.0.0.1:0\"", limits, auth).await
    }

    async fn start_with(more: &str, limits: &str, auth: &str) -> Self {
        let folder = std::env::temp_dir().join(format!(
            "huiyin-chassis-{}",
            secret::to_text(&secret::random_bytes::<9>())
        ));
        std::fs::create_dir_all(&folder).unwrap();
        SigningKey::create(&folder.join("signing.pem"), &folder.join("public.pem")).unwrap();
        let at = folder.display();
        let text = format!(
            r#"
listen = "127.0.0.1:0"
{more}
token_secret = "s"
database = {{ url = "postgres://nobody@127.0.0.1:1/none" }}
identity = {{ key_file = "{at}/signing.pem", issuer = "us", audience = "huiyin" }}
limits = {{ {limits} }}
[[auth.issuers]]
issuer = "us"
audience = "huiyin"
keys = {{ public_key_file = "{at}/public.pem" }}
issues_services = true
[[auth.issuers]]
issuer = "them"
audience = "huiyin"
keys = {{ public_key_file = "{at}/public.pem" }}
{auth}
"#
        );
        let config: ServiceConfig = config::parse("test", &text).unwrap();
        let clock = Clock::held("2026-03-02T01:00:00Z".parse().unwrap());
        let authenticator = Authenticator::new(&config.auth, clock.clone()).await.unwrap();
        let tls = config.tls.as_ref().map(|tls| Tls::open(tls).unwrap());
        let mut server = Server::bind("test", &config, authenticator, tls).await.unwrap();
        server.add(EventLogServiceServer::new(Moody)).unwrap();
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone(), std::time::Duration::from_secs(30));
        let (address, others) = server.serve(&mut tasks, shutdown.clone()).await.unwrap();
        let key = SigningKey::read(&folder.join("signing.pem")).unwrap();
        Self {
            address,
            others,
            clock,
            key,
            shutdown,
            tasks,
            folder,
        }
    }

    /// The key that its issuer signs with.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("signing.pem")
    }

    pub(crate) async fn client(&self) -> EventLogServiceClient<Channel> {
        EventLogServiceClient::connect(format!("http://{}", self.address))
            .await
            .unwrap()
    }

    /// The claims of an administrator; the test changes what it wants to be wrong.
    pub(crate) fn claims(&self) -> Claims {
        let now = self.clock.now().as_second();
        Claims {
            iss: "us".to_owned(),
            sub: "user:admin".to_owned(),
            aud: Audience::One("huiyin".to_owned()),
            exp: now + 600,
            nbf: now,
            tenant: Some("acme".to_owned()),
            roles: vec!["admin".to_owned()],
        }
    }

    /// The claims of another service.
    pub(crate) fn service_claims(&self) -> Claims {
        Claims {
            sub: "service:x".to_owned(),
            tenant: None,
            roles: vec!["service".to_owned()],
            ..self.claims()
        }
    }

    /// A request with a token of these claims.
    pub(crate) fn with<T>(&self, claims: &Claims, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let token = self.key.sign(claims).unwrap();
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    pub(crate) async fn flow(&self, claims: &Claims) -> Result<EventFlow, Status> {
        self.client()
            .await
            .get_event_flow(self.with(claims, GetEventFlowRequest {}))
            .await
            .map(Response::into_inner)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.shutdown.request();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Answers one method, panics in another, hangs in a third; its stream never says anything, or panics where an epoch is given.
struct Moody;

#[tonic::async_trait]
impl EventLogService for Moody {
    type ReadEventsStream = Pin<Box<dyn futures::Stream<Item = Result<ReadEventsResponse, Status>> + Send>>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let epoch = request.into_inner().epoch;
        Ok(Response::new(Box::pin(futures::stream::poll_fn(move |_| {
            assert!(epoch.is_empty(), "the password is {epoch}");
            std::task::Poll::Pending
        }))))
    }

    async fn get_event_flow(&self, request: Request<GetEventFlowRequest>) -> Result<Response<EventFlow>, Status> {
        let caller = huiyin_chassis::Caller::of(&request)?;
        Ok(Response::new(EventFlow {
            service: caller.subject,
            ..EventFlow::default()
        }))
    }

    async fn list_dead_letters(
        &self,
        _: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        panic!("the password is hunter2")
    }

    async fn replay_dead_letters(
        &self,
        _: Request<ReplayDeadLettersRequest>,
    ) -> Result<Response<ReplayDeadLettersResponse>, Status> {
        std::future::pending().await
    }
}
