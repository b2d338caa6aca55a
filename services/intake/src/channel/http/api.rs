//! The edge of HTTP: read, prove, map, take in, answer. JSON out, problems as RFC 9457 describes them.

mod problem;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures::{FutureExt as _, StreamExt as _};
use huiyin_chassis::{
    Caller, Refusal, Tenant,
    rate::{Counts, Rate},
    repeat, secret,
    server::Language,
};
use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::{body, proof, proof::Proof};
use crate::channel::{
    convert, evidence, fields,
    fields::Fields,
    mail::domain::HOPS,
    meters::Meters,
    source::{
        domain::Source,
        service::{self, SOURCES},
    },
};
use crate::feedback;
use crate::{config::HttpConfig, error::Error, room::Room};
use problem::Failure;

/// Whoever is refused at the limit of the whole port is asked to come back after this.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Whoever is silent for longer within a body is left.
const SILENCE: Duration = Duration::from_secs(5);
/// For so long a browser need not ask again whether it may send. Seconds.
const PREFLIGHT_KEPT: &str = "600";

/// What every request needs.
struct Door {
    room: Arc<Room>,
    config: HttpConfig,
    /// What each source has sent: no more keys than there are sources, for only what one has signed is counted.
    sent: Counts<(Tenant, String)>,
    places: Semaphore,
    meters: Meters,
}

/// What became of a request.
enum Outcome {
    Taken(Box<convert::Taken>),
    /// It says none of the source's keywords.
    NotWanted,
    /// It is one of our own messages, sent on by a relay: taken in, it would be told of again (FEATURES 11).
    Loop,
}

/// # Errors
/// Where a limit does not hold.
pub(super) fn router(room: Arc<Room>, config: &HttpConfig) -> anyhow::Result<Router> {
    anyhow::ensure!(config.concurrency > 0, "[http] concurrency is at least 1");
    // A ticket that outlived the answer to it would be good for a second feedback. It may come from a clock that is ahead.
    let longest = SignedDuration::from_hours(config.ticket_hours) + SignedDuration::from_secs(config.tolerance_seconds);
    anyhow::ensure!(
        longest < repeat::KEPT,
        "[http] ticket_hours and tolerance_seconds together are less than {} hours",
        repeat::KEPT.as_hours()
    );
    let door = Arc::new(Door {
        sent: Counts::default(),
        places: Semaphore::new(config.concurrency),
        config: config.clone(),
        room,
        meters: Meters::new(),
    });
    Ok(Router::new()
        .route("/v1/tenants/{tenant}/forms/{source}", post(send).options(preflight))
        .route(
            "/v1/tenants/{tenant}/connectors/{source}",
            post(send).options(preflight),
        )
        .with_state(door))
}

/// Takes one feedback in.
async fn send(
    State(door): State<Arc<Door>>,
    Path((tenant, source)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let language = Language::accepted(text(&headers, header::ACCEPT_LANGUAGE));
    let span = tracing::info_span!("http", otel.kind = "server", tenant, source);
    let mut origins = Vec::new();
    let work = door
        .send(&tenant, &source, &headers, body, &mut origins)
        .instrument(span);
    let limit = Duration::from_millis(door.config.deadline_ms);
    let outcome = match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Refusal::panicked(&*panic).into()),
        Err(_) => Err(Refusal::deadline_passed().into()),
    };
    let mut response = match outcome {
        Ok(Outcome::Taken(feedback)) => {
            door.meters.came("http", "TAKEN".to_owned());
            let answer = json!({
                "name": feedback.name, "number": feedback.number, "status_token": feedback.status_token,
            });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Ok(outcome) => {
            let name = if matches!(outcome, Outcome::Loop) {
                "LOOP"
            } else {
                "NOT_WANTED"
            };
            door.meters.came("http", name.to_owned());
            Json(json!({"taken": false})).into_response()
        }
        Err(failure) => {
            let (reason, response) = problem::response(*failure, language);
            door.meters.came("http", reason);
            response
        }
    };
    allow(&mut response, &headers, &origins);
    response
}

/// A browser asks whether a page may send.
async fn preflight(
    State(door): State<Arc<Door>>,
    Path((tenant, source)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let language = Language::accepted(text(&headers, header::ACCEPT_LANGUAGE));
    let origins = match door.source(&tenant, &source).await {
        Ok((_, source)) => source.origins,
        Err(refusal) => return problem::response(*Box::<Failure>::from(refusal), language).1,
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    allow(&mut response, &headers, &origins);
    if response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "accept-language, content-type, webhook-id, webhook-signature, webhook-timestamp",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_KEPT),
        ];
        for (name, value) in allowed {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// Lets the page read the answer, where the source names its origin.
fn allow(response: &mut Response, headers: &HeaderMap, origins: &[String]) {
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("origin"));
    let origin = headers.get(header::ORIGIN);
    if let Some(origin) = origin.filter(|origin| origins.iter().any(|known| known.as_bytes() == origin.as_bytes())) {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

impl Door {
    /// The tenant and the source of a path.
    async fn source(&self, tenant: &str, source: &str) -> Result<(Tenant, Source), Refusal> {
        let missing = || Refusal::not_found(&format!("tenants/{tenant}/{SOURCES}/{source}"));
        if !is_key(tenant) || !is_key(source) {
            return Err(missing());
        }
        // Nothing but the source is read of the tenant until its signature shows that it is who it says.
        let tenant = Tenant::stored(tenant)?;
        let source = self.room.source(&tenant, source).await?;
        Ok((tenant, source))
    }

    async fn send(
        &self,
        tenant: &str,
        source: &str,
        headers: &HeaderMap,
        body: Body,
        origins: &mut Vec<String>,
    ) -> Result<Outcome, Box<Failure>> {
        let (tenant, source) = self.source(tenant, source).await?;
        origins.clone_from(&source.origins);
        let origin = text(headers, header::ORIGIN);
        if !origin.is_empty() && !origins.iter().any(|known| known == origin) {
            return Err(refused(Error::OriginForbidden(origin.to_owned())));
        }
        let bytes = all(body, self.config.body_bytes).await?;
        // From here on there is work to do; whoever only holds a connection has no place.
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| Refusal::overloaded(RETRY_AFTER))?;

        let now = self.room.ledger.clock.now();
        let secrets = self.room.secrets_of(&tenant, &source, now)?;
        let tolerance = SignedDuration::from_secs(self.config.tolerance_seconds);
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let in_headers = Proof::new(header(proof::ID), header(proof::TIMESTAMP), header(proof::SIGNATURE));
        let is_signed = headers.contains_key(proof::SIGNATURE);
        if is_signed {
            in_headers
                .check(&secrets, &bytes, now, tolerance, tolerance)
                .map_err(refused)?;
        }
        let read = body::read(headers.get(header::CONTENT_TYPE), bytes)
            .await
            .map_err(refused)?;
        let body::Read { mut body, files } = read;
        let (id, vouched_for) = if is_signed {
            (in_headers.id, None)
        } else {
            let (ticket, content) = proof::ticket(&mut body).map_err(refused)?;
            let validity = SignedDuration::from_hours(self.config.ticket_hours);
            ticket
                .check(&secrets, content.as_bytes(), now, validity, tolerance)
                .map_err(refused)?;
            (ticket.id, Some(proof::vouched_for(&content).map_err(refused)?))
        };
        service::enabled(&tenant, &source)?;
        let rate = Rate {
            per_second: self.config.per_second,
            burst: self.config.burst,
        };
        let key = (tenant.clone(), source.id.clone());
        self.sent.take(key, rate.into(), now).map_err(|retry_after| {
            let source_name = tenant.child(SOURCES, &source.id);
            refused(Error::SourceTooFast {
                source_name,
                retry_after,
            })
        })?;
        if !["", "0"].contains(&header(HOPS).trim()) {
            return Ok(Outcome::Loop);
        }
        if !source.wants(fields::texts(&body)) {
            return Ok(Outcome::NotWanted);
        }

        // What the id is bound to: a browser that sends a form again writes the same inputs in other bytes.
        let mut content = json!([vouched_for, body]).to_string().into_bytes();
        for file in &files {
            content.extend(secret::hash(&file.bytes));
        }
        let caller = Caller::recognised(source.subject(), &tenant);
        let repeat = convert::repeatable(&tenant, &caller, &id, &content)?;
        let fields = fields::find(&source, vouched_for.as_ref(), &body)
            .map_err(|violations| invalid(violations, Fields::new()))?;
        let mut asked = match convert::asked(&tenant, &source, &fields) {
            Ok(asked) => asked,
            Err(violations) => return Err(invalid(violations, fields)),
        };
        let violations = convert::violations(&asked);
        if !violations.is_empty() {
            return Err(invalid(violations, fields));
        }
        let language = Language::accepted(text(headers, header::ACCEPT_LANGUAGE));
        if !files.is_empty() {
            let known =
                feedback::api::foresee(&self.room, &caller, asked.clone(), files.len(), &repeat, language).await;
            match known {
                Ok(None) => {}
                Ok(Some(feedback)) => return Ok(Outcome::Taken(Box::new(feedback))),
                Err(refusal) => return Err(Failure::new(refusal, fields)),
            }
        }
        let lost = evidence::keep(&self.room, &tenant, &caller.subject, &files, &mut asked).await?;
        if !lost.is_empty() {
            let lost = lost.into_iter().map(|lost| (lost.name, lost.problem));
            return Err(invalid(lost.collect(), fields));
        }
        match feedback::api::take(&self.room, &caller, asked, Some(repeat), language, false).await {
            Ok(feedback) => Ok(Outcome::Taken(Box::new(feedback))),
            Err(refusal) => Err(Failure::new(refusal, fields)),
        }
    }
}

/// A body that comes without a pause in it, and is no larger than `most`.
async fn all(body: Body, most: usize) -> Result<Bytes, Box<Failure>> {
    let (mut parts, mut bytes) = (body.into_data_stream(), Vec::new());
    loop {
        let part = tokio::time::timeout(SILENCE, parts.next()).await;
        let Some(part) = part.map_err(|_| Refusal::deadline_passed())? else {
            return Ok(bytes.into());
        };
        let part = part.map_err(|_| Failure::too_large(most))?;
        if bytes.len() + part.len() > most {
            return Err(Failure::too_large(most));
        }
        bytes.extend_from_slice(&part);
    }
}

fn refused(error: Error) -> Box<Failure> {
    Refusal::from(error).into()
}

fn invalid(violations: Vec<(String, String)>, fields: Fields) -> Box<Failure> {
    let violations = violations
        .into_iter()
        .map(|(field, problem)| (convert::place(&fields, &field).0, problem))
        .collect();
    Failure::new(Refusal::invalid(violations), fields)
}

/// As tenants and sources are named.
fn is_key(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
