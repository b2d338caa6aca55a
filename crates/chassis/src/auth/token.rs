//! Bearer tokens: verifying those of others, and signing our own as a service.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Caller,
    keys::Issuer,
    roles,
    verified::{self, Verified},
};
use crate::{clock::Clock, error::Refusal};

/// How long a token of a service is good for; a new one is signed when half of it is over.
const SERVICE_TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How far clocks of two machines may lie apart.
const LEEWAY_SECONDS: i64 = 60;

/// What a token of ours says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Whom it speaks for, e.g. `user:li.wei`.
    pub sub: String,
    /// For which suite.
    pub aud: Audience,
    /// Until when, seconds since 1970.
    pub exp: i64,
    /// From when, seconds since 1970.
    #[serde(default)]
    pub nbf: i64,
    /// The tenant that it acts in; none for services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Names of roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// One audience or several, as JWT allows both.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    fn holds(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// Verifies a token against the issuers that are trusted.
pub(super) async fn verify(
    issuers: &[Issuer],
    verified: &Verified,
    token: &str,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let hash = verified::key(token);
    if let Some(caller) = verified.find(&hash, now) {
        return Ok(caller);
    }
    let refused = || Refusal::unauthenticated("the bearer token is not valid");
    let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
    // Which issuer it claims to be of decides which key it must be signed with; nothing else is read before that.
    let claimed: Claims = jsonwebtoken::dangerous::insecure_decode(token)
        .map_err(|_| refused())?
        .claims;
    let issuer = issuers
        .iter()
        .find(|issuer| issuer.config.issuer == claimed.iss)
        .ok_or_else(refused)?;
    let (algorithm, key) = issuer
        .key(header.kid.as_deref().unwrap_or_default())
        .await
        .ok_or_else(refused)?;

    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false; // against our own clock, below
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let claims: Claims = jsonwebtoken::decode(token, &key, &validation)
        .map_err(|_| refused())?
        .claims;

    // Any whole number may stand in a token that somebody signed.
    let (nbf, exp) = (
        claims.nbf.saturating_sub(LEEWAY_SECONDS),
        claims.exp.saturating_add(LEEWAY_SECONDS),
    );
    if !(nbf..=exp).contains(&now.as_second()) || !claims.aud.holds(&issuer.config.audience) {
        return Err(refused());
    }
    let is_service = claims.roles.iter().any(|role| role == roles::SERVICE);
    // A caller without a tenant acts in every tenant: only issuers of services may make one.
    if (is_service || claims.tenant.is_none()) && !(issuer.config.issues_services && is_service) {
        return Err(refused());
    }
    let caller = Caller {
        subject: claims.sub,
        tenant: claims.tenant,
        roles: claims.roles,
        rate: None,
    };
    verified.remember(hash, &caller, (nbf, exp), now);
    Ok(caller)
}

/// An Ed25519 key that signs tokens.
#[derive(Clone)]
pub struct SigningKey(EncodingKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Reads a private key, PKCS#8 PEM.
    ///
    /// # Errors
    /// Where the file cannot be read or is no such key.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let pem = std::fs::read(path).with_context(|| path.display().to_string())?;
        Ok(Self(
            EncodingKey::from_ed_pem(&pem).context("not an Ed25519 key in PEM")?,
        ))
    }

    /// Makes a new pair and writes it: the private half readable by its owner alone, the public half beside it.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn create(private: &Path, public: &Path) -> anyhow::Result<()> {
        let key = ed25519_dalek::SigningKey::from_bytes(&crate::secret::random_bytes());
        let pem = key.to_pkcs8_pem(LineEnding::LF)?;
        write_private(private, pem.as_bytes())?;
        std::fs::write(public, key.verifying_key().to_public_key_pem(LineEnding::LF)?)?;
        Ok(())
    }

    /// Signs a token.
    ///
    /// # Errors
    /// Where the key does not sign.
    pub fn sign(&self, claims: &Claims) -> anyhow::Result<String> {
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &self.0)?)
    }
}

#[cfg(unix)]
fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)?;
    Ok(())
}

#[cfg(not(unix))]
fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes)?;
    Ok(())
}

/// As whom a service calls others.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// The private key that signs the service's tokens.
    pub key_file: PathBuf,
    /// The `iss` of those tokens; the called service must trust it and let it issue services.
    pub issuer: String,
    /// Their `aud`.
    pub audience: String,
}

/// A service's own identity: hands out short-lived tokens, one at a time.
#[derive(Debug, Clone)]
pub struct Identity {
    subject: String,
    config: IdentityConfig,
    key: SigningKey,
    clock: Clock,
    current: Arc<Mutex<Option<(String, Timestamp)>>>,
}

impl Identity {
    /// The identity of the service of this name.
    ///
    /// # Errors
    /// Where the key cannot be read.
    pub fn new(service: &str, config: &IdentityConfig, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            subject: format!("service:{service}"),
            key: SigningKey::read(&config.key_file)?,
            config: config.clone(),
            clock,
            current: Arc::default(),
        })
    }

    /// A token that is good for some minutes yet.
    ///
    /// # Errors
    /// A fault where the key does not sign.
    pub fn token(&self) -> Result<String, Refusal> {
        let now = self.clock.now();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, signed)) = &*current
            // A clock that was set back makes a token of the future, which nobody would take.
            && now >= *signed
            && now.duration_since(*signed) < SERVICE_TOKEN_LIFE / 2
        {
            return Ok(token.clone());
        }
        let claims = Claims {
            iss: self.config.issuer.clone(),
            sub: self.subject.clone(),
            aud: Audience::One(self.config.audience.clone()),
            exp: (now + SERVICE_TOKEN_LIFE).as_second(),
            nbf: now.as_second(),
            tenant: None,
            roles: vec![roles::SERVICE.to_owned()],
        };
        let token = self.key.sign(&claims).map_err(Refusal::fault)?;
        *current = Some((token.clone(), now));
        Ok(token)
    }
}
