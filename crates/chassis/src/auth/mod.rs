//! Who calls, for which tenant, and what they may do: bearer tokens (JWT) and API keys in, a [`Caller`] out.

mod api_key;
mod keys;
mod register;
mod roles;
mod token;
mod verified;

use std::sync::Arc;

use http::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;

pub use api_key::{ApiKeyConfig, new_api_key, new_key_of};
pub use keys::{IssuerConfig, KeySource};
pub(crate) use register::Intake;
pub use register::{ApiKeys, KnownKey};
pub use roles::{grants, roles};
pub use token::{Audience, Claims, Identity, IdentityConfig, SigningKey};

use crate::{clock::Clock, error::Refusal, name::Tenant, rate::Rate};

/// Whom a service believes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Issuers of bearer tokens that are trusted, each with its keys.
    pub issuers: Vec<IssuerConfig>,
    /// API keys, hashed, beside those that `ApiKeyService` makes.
    pub api_keys: Vec<ApiKeyConfig>,
}

/// The authenticated party behind a call. Found in the extensions of every request that reaches a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who: `user:li.wei`, `key:erp`, `service:survey`; `anonymous` for a token-bound method.
    pub subject: String,
    /// The tenant whose data may be touched; `None` for services, which act in the tenant that a request names.
    tenant: Option<String>,
    /// Names of roles, see [`roles`].
    pub roles: Vec<String>,
    /// How often it may call, where that was set for it alone.
    pub(crate) rate: Option<Rate>,
}

impl Caller {
    /// The party behind a token-bound method: nobody, until the handler has looked at the token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            subject: "anonymous".to_owned(),
            tenant: None,
            roles: Vec::new(),
            rate: None,
        }
    }

    /// A sender that a room has recognised itself, by its signature say: it acts in its own tenant and has no role, for the
    /// room answers for what it may.
    #[must_use]
    pub fn recognised(subject: String, tenant: &Tenant) -> Self {
        Self {
            subject,
            tenant: Some(tenant.key().to_owned()),
            roles: Vec::new(),
            rate: None,
        }
    }

    /// The party behind a request.
    ///
    /// # Errors
    /// A fault where the server was built without authentication.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Refusal> {
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| {
            Refusal::fault(anyhow::anyhow!(
                "a request reached a handler without passing authentication"
            ))
        })
    }

    /// The key of the only tenant that it may act in; none for services, and for nobody.
    pub(crate) fn own_tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The tenant `key`, if this caller may act in it.
    #[must_use]
    pub fn tenant(&self, key: &str) -> Option<Tenant> {
        let own = match &self.tenant {
            Some(tenant) => tenant == key,
            None => self.is_service(),
        };
        own.then(|| Tenant::stored(key).ok()).flatten()
    }

    /// True for a service of ours, which may act in any tenant and speak for others.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.roles.iter().any(|role| role == roles::SERVICE)
    }

    /// A person, as far as can be told: what a key says, a program may have said.
    ///
    /// # Errors
    /// PERMISSION_DENIED / PERSON_REQUIRED for an API key.
    pub fn as_person(&self) -> Result<&Self, Refusal> {
        if self.subject.starts_with(api_key::SUBJECT) {
            return Err(Refusal::person_required());
        }
        Ok(self)
    }

    /// True where a role of the caller grants the permission.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.roles.iter().any(|role| grants(role, permission))
    }
}

/// Turns the credentials of a call into a [`Caller`].
#[derive(Debug, Clone)]
pub struct Authenticator {
    issuers: Arc<Vec<keys::Issuer>>,
    api_keys: Arc<Vec<ApiKeyConfig>>,
    register: Option<Arc<register::Register>>,
    verified: verified::Verified,
    clock: Clock,
}

impl Authenticator {
    /// Loads the keys of every trusted issuer.
    ///
    /// # Errors
    /// Where a key file cannot be read or holds no usable key.
    pub async fn new(config: &AuthConfig, clock: Clock) -> anyhow::Result<Self> {
        let mut issuers = Vec::new();
        for issuer in &config.issuers {
            issuers.push(keys::Issuer::load(issuer).await?);
        }
        Ok(Self {
            issuers: Arc::new(issuers),
            api_keys: Arc::new(config.api_keys.clone()),
            register: None,
            verified: verified::Verified::default(),
            clock,
        })
    }

    /// What the time of a token is held against.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where keys are looked up that are not configured.
    pub(crate) fn ask(&mut self, keeper: Arc<dyn ApiKeys>) {
        self.register = Some(Arc::new(register::Register::new(keeper)));
    }

    /// The party that the headers speak for: `authorization: Bearer <JWT>` or `x-api-key: <key>`.
    ///
    /// # Errors
    /// UNAUTHENTICATED where neither is there or valid; UNAVAILABLE where a key is new to us and intake, which keeps it, cannot be
    /// asked.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        if let Some(key) = headers.get("x-api-key") {
            let key = key
                .to_str()
                .map_err(|_| Refusal::unauthenticated("the api key is malformed"))?;
            let mut caller = api_key::find(&self.api_keys, key);
            if let (None, Some(register)) = (&caller, &self.register) {
                caller = register.find(key, self.clock.now()).await?;
            }
            return caller.ok_or_else(|| Refusal::unauthenticated("the api key is not known"));
        }
        let authorization = headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some(token) = authorization.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err(Refusal::unauthenticated("the call carries no credentials"));
        };
        token::verify(&self.issuers, &self.verified, token, self.clock.now()).await
    }
}
