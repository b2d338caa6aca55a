//! Signed POSTs to the tenants' endpoints, and nowhere that an outsider must not make us call.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use huiyin_chassis::Refusal;
use jiff::Timestamp;
use reqwest::{
    Client, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use uuid::Uuid;

use super::domain::{Failure, Outcome};
use crate::{
    config::WebhooksConfig,
    error::Error,
    webhook::{domain_address::is_public, signature::sign},
};

/// When an endpoint is added its name need not resolve; where it does not within this, that is left to the first attempt.
const LOOKUP: Duration = Duration::from_secs(2);

/// Posts to endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Poster {
    client: Client,
    allow_private: bool,
}

/// What is posted.
#[derive(Debug)]
pub(crate) struct Parcel<'p> {
    /// That of the message: every attempt has the same, so that the receiver can drop repeats.
    pub(crate) id: Uuid,
    pub(crate) url: &'p str,
    /// Those in force.
    pub(crate) secrets: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) time: Timestamp,
}

impl Poster {
    /// # Errors
    /// Where there is no TLS to be had.
    pub(crate) fn new(config: &WebhooksConfig) -> anyhow::Result<Self> {
        let client = Client::builder()
            .user_agent("huiyin-webhooks")
            .timeout(config.timeout())
            // A redirect, or a proxy, would lead to where nobody has looked.
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Guard {
                allow_private: config.allow_private,
            }))
            .build()?;
        Ok(Self {
            client,
            allow_private: config.allow_private,
        })
    }

    /// Refuses a URL that nothing is posted to: not HTTPS, or an address inside the operator's own network.
    pub(crate) async fn check(&self, text: &str) -> Result<(), Refusal> {
        let url = self.parse(text)?;
        if self.allow_private {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        let lookup = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, 443)));
        if let Ok(Ok(mut addresses)) = lookup.await
            && addresses.any(|address| !is_public(address.ip()))
        {
            return Err(Error::UrlForbidden {
                url: text.to_owned(),
                why: "it leads into the operator's own network",
            }
            .into());
        }
        Ok(())
    }

    /// The URL, as far as it can be judged without asking where its name leads.
    fn parse(&self, text: &str) -> Result<Url, Error> {
        let forbidden = |why| Error::UrlForbidden {
            url: text.to_owned(),
            why,
        };
        let url = Url::parse(text).map_err(|_| forbidden("it is not a URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err(forbidden("it is not HTTPS")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(forbidden("it carries a password"));
        }
        let host = url.host_str().ok_or_else(|| forbidden("it names no host"))?;
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if !self.allow_private && address.is_some_and(|address| !is_public(address)) {
            return Err(forbidden("it leads into the operator's own network"));
        }
        Ok(url)
    }

    /// Posts; `Parked` where the endpoint is gone for good (410).
    pub(crate) async fn post(&self, parcel: Parcel<'_>) -> Outcome {
        let url = match self.parse(parcel.url) {
            Ok(url) => url,
            Err(error) => return Outcome::Failed(Failure::of(error.to_string())),
        };
        let timestamp = parcel.time.as_second();
        let id = parcel.id.to_string();
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-signature", sign(&parcel.secrets, &id, timestamp, &parcel.body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            // Should somebody's relay send it back into intake, it is known for one of ours.
            .header("x-huiyin-hops", "1")
            .body(parcel.body)
            .send()
            .await;
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Outcome::Delivered {
                status_code: status.as_u16().into(),
            },
            Ok(status) => {
                let failure = Failure {
                    status_code: status.as_u16().into(),
                    error: format!("the endpoint answered {status}"),
                };
                if status == StatusCode::GONE {
                    Outcome::Parked(Some(failure))
                } else {
                    Outcome::Failed(failure)
                }
            }
            Err(error) => Outcome::Failed(Failure::of(said(error))),
        }
    }
}

/// The error with its causes, without the URL.
fn said(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let mut parts: Vec<String> = causes.map(ToString::to_string).collect();
    parts.dedup();
    parts.join(": ")
}

/// Resolves names to public addresses only. What is connected to is what was looked at: a name that leads elsewhere the next
/// time it is asked gains nothing.
#[derive(Debug, Clone, Copy)]
struct Guard {
    allow_private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if public.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poster(allow_private: bool) -> Poster {
        huiyin_chassis::install_crypto();
        Poster::new(&WebhooksConfig {
            allow_private,
            timeout_ms: 1_000,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_url_into_the_operators_network_is_refused() {
        let strict = poster(false);
        for url in [
            "http://example.com/hook",
            "ftp://example.com/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/",
            "https://user:password@example.com/",
        ] {
            assert!(strict.check(url).await.is_err(), "{url}");
        }
        strict.check("https://1.1.1.1/hook").await.unwrap();
        poster(true).check("http://127.0.0.1:8080/hook").await.unwrap();
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_called_even_where_it_was_let_through_before() {
        let parcel = Parcel {
            id: Uuid::nil(),
            url: "https://localhost:1/",
            secrets: Vec::new(),
            body: Vec::new(),
            time: Timestamp::UNIX_EPOCH,
        };
        let Outcome::Failed(failure) = poster(false).post(parcel).await else {
            panic!()
        };
        assert!(failure.error.contains("no public address"), "{}", failure.error);
    }
}
