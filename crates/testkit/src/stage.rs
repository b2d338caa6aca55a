//! What a room stands on in a test: a clock that is held, keys, a database of its own, and its neighbours.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use huiyin_chassis::{
    Clock, Context, Shutdown,
    auth::{Audience, Claims, SigningKey},
    config,
};
use huiyin_proto::event::v1::Event;
use prost::Message as _;
use serde::de::DeserializeOwned;
use sqlx::{Connection as _, PgConnection};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, Routes, RoutesBuilder, interceptor::InterceptedService},
    transport::Endpoint,
};

use crate::{Database, database, name, source::Source};

const ISSUER: &str = "https://huiyin.test";
const AUDIENCE: &str = "huiyin";

/// The stage of one test.
#[derive(Debug)]
pub struct Stage {
    /// Held at Monday, 2 March 2026, 09:00 in Shanghai.
    pub clock: Clock,
    shutdown: Shutdown,
    folder: PathBuf,
    key: SigningKey,
    databases: Mutex<Vec<Database>>,
    neighbors: Mutex<BTreeMap<String, SocketAddr>>,
    redis_url: Mutex<Option<(String, String)>>,
}

/// A connection that carries a token; the generated clients take it.
pub type Connection = InterceptedService<tonic::transport::Channel, Bearer>;

impl Stage {
    /// A stage with keys of its own.
    ///
    /// # Panics
    /// Where the keys cannot be written.
    pub async fn new() -> Self {
        let folder = std::env::temp_dir().join(name::unique("huiyin_stage"));
        std::fs::create_dir_all(&folder).unwrap();
        SigningKey::create(&folder.join("signing.pem"), &folder.join("public.pem")).unwrap();
        Self {
            clock: Clock::held("2026-03-02T01:00:00Z".parse().unwrap()),
            shutdown: Shutdown::new(),
            key: SigningKey::read(&folder.join("signing.pem")).unwrap(),
            folder,
            databases: Mutex::default(),
            neighbors: Mutex::default(),
            redis_url: Mutex::default(),
        }
    }

    /// A folder of this stage's own; it goes with the stage.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Fans events out over this Redis from here on: URL and prefix.
    pub fn use_redis(&self, url: &str, prefix: &str) {
        *lock(&self.redis_url) = Some((url.to_owned(), prefix.to_owned()));
    }

    /// The configuration of a room with a fresh database; `rest` is TOML for its own sections.
    ///
    /// # Panics
    /// Where `rest` does not fit the configuration.
    pub async fn config<C: DeserializeOwned>(&self, service: &str, rest: &str) -> C {
        let database = database().await;
        let config = self.config_with(service, &database.url(), rest);
        lock(&self.databases).push(database);
        config
    }

    /// The configuration of a room on a database that is there already, as for a second replica.
    ///
    /// # Panics
    /// Where `rest` does not fit the configuration.
    pub fn config_with<C: DeserializeOwned>(&self, service: &str, database_url: &str, rest: &str) -> C {
        config::parse(service, &self.config_text(database_url, rest)).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The same as text.
    pub fn config_text(&self, database_url: &str, rest: &str) -> String {
        let folder = self.folder.display();
        let mut text = format!(
            r#"
[service]
listen = "127.0.0.1:0"
token_secret = "of the test"
database = {{ url = "{database_url}", max_connections = 12 }}
identity = {{ key_file = "{folder}/signing.pem", issuer = "{ISSUER}", audience = "{AUDIENCE}" }}
limits = {{ drain_ms = 2000 }}
[[service.auth.issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
keys = {{ public_key_file = "{folder}/public.pem" }}
issues_services = true
[service.neighbors]
"#
        );
        for (name, address) in lock(&self.neighbors).iter() {
            text.push_str(&format!("{name} = \"http://{address}\"\n"));
        }
        if let Some((url, prefix)) = &*lock(&self.redis_url) {
            text.push_str(&format!(
                "[events]\nredis_url = \"{url}\"\nredis_prefix = \"{prefix}\"\n"
            ));
        }
        text.push_str(rest);
        text
    }

    /// The context of a room on this stage.
    pub fn context(&self) -> Context {
        Context {
            clock: self.clock.clone(),
            shutdown: self.shutdown.clone(),
        }
    }

    /// A token of a person or system in a tenant.
    pub fn token(&self, subject: &str, tenant: &str, roles: &[&str]) -> String {
        self.sign(subject, Some(tenant), roles)
    }

    /// A token of one of our own services.
    pub fn service_token(&self, service: &str) -> String {
        self.sign(&format!("service:{service}"), None, &["service"])
    }

    fn sign(&self, subject: &str, tenant: Option<&str>, roles: &[&str]) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            aud: Audience::One(AUDIENCE.to_owned()),
            // Far off: tests move the clock by months.
            exp: self.clock.now().as_second() + 10 * 365 * 24 * 3600,
            nbf: 0,
            tenant: tenant.map(str::to_owned),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        self.key.sign(&claims).unwrap()
    }

    /// A connection to a room, with a token.
    ///
    /// # Panics
    /// Where nobody listens.
    pub async fn connect(&self, address: SocketAddr, token: &str) -> Connection {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        InterceptedService::new(endpoint.connect().await.unwrap(), Bearer::new(token))
    }

    /// Registers whoever listens at `address` as the neighbour `service`; before the room's configuration is made.
    pub fn neighbor(&self, service: &str, address: SocketAddr) {
        lock(&self.neighbors).insert(service.to_owned(), address);
    }

    /// A stand-in for the event log of a neighbour; before the room's configuration is made.
    pub async fn source(&self, service: &str) -> Source {
        self.source_beside(service, Routes::builder()).await
    }

    /// As [`Stage::source`], for a neighbour who is asked as well: its stand-ins are served at the same address.
    pub async fn source_beside(&self, service: &str, others: RoutesBuilder) -> Source {
        let source = Source::start(service, &self.clock, others).await;
        self.neighbor(service, source.address());
        source
    }

    /// The URL of the database that was made last, to look into it.
    ///
    /// # Panics
    /// Where none was made.
    pub fn database_url(&self) -> String {
        lock(&self.databases).last().unwrap().url()
    }

    /// The events that the room wrote, in their order: those of its log, and those that wait in the outbox.
    ///
    /// # Panics
    /// Where the database cannot be read.
    pub async fn written(&self) -> Vec<Event> {
        let mut database = PgConnection::connect(&self.database_url()).await.unwrap();
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT event FROM (SELECT id, event FROM events.entry UNION ALL SELECT id, event FROM events.outbox) AS written ORDER BY id",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        rows.iter().map(|row| Event::decode(row.as_slice()).unwrap()).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shutdown.request();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    /// An empty token is none.
    ///
    /// # Panics
    /// Where the token cannot stand in a header.
    pub fn new(token: &str) -> Self {
        Self((!token.is_empty()).then(|| format!("Bearer {token}").parse().unwrap()))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}
