//! The keys of a trusted issuer: one public key, or a JWKS from a file or a URL that is read again when a key is new to us.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use anyhow::Context as _;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::JwkSet};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::{
    sync::{Mutex, RwLock},
    time::Instant,
};

/// A JWKS document is not fetched more often than this, whatever key ids callers make up.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);
/// A JWKS document older than this is read again although it holds the key: the issuer may have withdrawn it.
const FRESH: Duration = Duration::from_secs(300);

/// One trusted issuer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` that its tokens must carry.
    pub audience: String,
    /// Its keys.
    pub keys: KeySource,
    /// True where its tokens may carry the role `service` and act in any tenant.
    #[serde(default)]
    pub issues_services: bool,
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// An Ed25519 public key, PEM.
    PublicKeyFile(PathBuf),
    /// A JWKS document on disk.
    JwksFile(PathBuf),
    /// A JWKS document behind a URL.
    JwksUrl(String),
}

/// A trusted issuer with its keys loaded.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) config: IssuerConfig,
    keys: RwLock<Loaded>,
    /// Held by whoever reads the keys again, so that nobody who has a key waits for it.
    reading: Mutex<()>,
}

struct Loaded {
    by_id: HashMap<String, (Algorithm, DecodingKey)>,
    at: Instant,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.by_id.keys()).finish()
    }
}

impl Issuer {
    pub(super) async fn load(config: &IssuerConfig) -> anyhow::Result<Self> {
        let by_id = match read(&config.keys).await {
            Ok(keys) => keys,
            // An identity provider may come up after us: its keys are fetched with the first token.
            Err(error) if matches!(config.keys, KeySource::JwksUrl(_)) => {
                tracing::warn!(
                    issuer = config.issuer,
                    error = format!("{error:#}"),
                    "its keys cannot be fetched yet"
                );
                HashMap::new()
            }
            Err(error) => return Err(error.context(format!("the keys of issuer {}", config.issuer))),
        };
        Ok(Self {
            config: config.clone(),
            keys: RwLock::new(Loaded {
                by_id,
                at: Instant::now(),
            }),
            reading: Mutex::new(()),
        })
    }

    /// The key of this id; a JWKS is read again where the id is new or the document old. An issuer with a single key needs
    /// no id.
    pub(super) async fn key(&self, id: &str) -> Option<(Algorithm, DecodingKey)> {
        let (found, at) = self.held(id).await;
        let limit = if found.is_some() { FRESH } else { REFRESH_PAUSE };
        if matches!(self.config.keys, KeySource::PublicKeyFile(_)) || at.elapsed() < limit {
            return found;
        }
        let _reading = match self.reading.try_lock() {
            Ok(reading) => reading,
            Err(_) if found.is_some() => return found,
            Err(_) => self.reading.lock().await,
        };
        // Somebody else may have read it while we waited.
        if self.held(id).await.1 == at {
            self.read_again().await;
        }
        self.held(id).await.0
    }

    /// The key of this id as far as we know, and when we last asked.
    async fn held(&self, id: &str) -> (Option<(Algorithm, DecodingKey)>, Instant) {
        let loaded = self.keys.read().await;
        let key = loaded.by_id.get(id).or_else(|| loaded.by_id.get(""));
        (key.cloned(), loaded.at)
    }

    /// Keeps the keys that it has where there is nothing to read: an issuer that is down has withdrawn none.
    async fn read_again(&self) {
        let read = read(&self.config.keys).await;
        let mut loaded = self.keys.write().await;
        loaded.at = Instant::now();
        match read {
            Ok(by_id) => loaded.by_id = by_id,
            Err(error) => tracing::warn!(
                issuer = self.config.issuer,
                error = format!("{error:#}"),
                "its keys cannot be read again"
            ),
        }
    }
}

async fn read(source: &KeySource) -> anyhow::Result<HashMap<String, (Algorithm, DecodingKey)>> {
    let document = match source {
        KeySource::PublicKeyFile(path) => {
            let pem = tokio::fs::read(path)
                .await
                .with_context(|| path.display().to_string())?;
            return Ok(HashMap::from([(
                String::new(),
                (Algorithm::EdDSA, DecodingKey::from_ed_pem(&pem)?),
            )]));
        }
        KeySource::JwksFile(path) => tokio::fs::read(path)
            .await
            .with_context(|| path.display().to_string())?,
        KeySource::JwksUrl(url) => fetch(url).await.with_context(|| url.clone())?,
    };
    let set: JwkSet = serde_json::from_slice(&document).context("not a JWKS document")?;
    let mut keys = HashMap::new();
    for key in &set.keys {
        // Algorithms are pinned by the key, never taken from the token; symmetric ones are no public keys.
        let algorithm = key
            .common
            .key_algorithm
            .and_then(|algorithm| algorithm.to_string().parse::<Algorithm>().ok());
        let algorithm =
            algorithm.filter(|algorithm| !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512));
        if let (Some(id), Some(algorithm)) = (&key.common.key_id, algorithm) {
            keys.insert(id.clone(), (algorithm, DecodingKey::from_jwk(key)?));
        }
    }
    anyhow::ensure!(!keys.is_empty(), "no key with an id and an asymmetric algorithm");
    Ok(keys)
}

async fn fetch(url: &str) -> anyhow::Result<Vec<u8>> {
    crate::install_crypto();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    Ok(client
        .get(url)
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?
        .to_vec())
}
