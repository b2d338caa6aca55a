//! Endpoints on the wire.

use huiyin_chassis::{Refusal, Tenant, sql, update::Taken};
pub(crate) use huiyin_proto::notification::v1::{DeleteWebhookEndpointResponse as Deleted, WebhookEndpoint as Shown};
use huiyin_proto::notification::v1::{UpdateWebhookEndpointRequest, WebhookEndpointState};
use jiff::Timestamp;

use super::{
    domain::Endpoint,
    service::{Change, NewEndpoint},
};
use crate::{convert, domain::Purpose};

/// An endpoint as callers see it; `secret` is empty except in the two answers that show it.
pub(crate) fn endpoint(tenant: &Tenant, endpoint: &Endpoint, secret: String, now: Timestamp) -> Shown {
    let state = if endpoint.enabled {
        WebhookEndpointState::Enabled
    } else {
        WebhookEndpointState::Disabled
    };
    Shown {
        name: tenant.child("webhookEndpoints", endpoint.id),
        display_name: endpoint.display_name.clone(),
        url: endpoint.url.clone(),
        purposes: endpoint
            .purposes
            .iter()
            .map(|purpose| convert::purpose(*purpose).into())
            .collect(),
        secret,
        previous_secret_expire_time: endpoint.previous_secret_at(now).map(|(_, until)| sql::to_proto(until)),
        state: state.into(),
        disable_reason: endpoint.disable_reason.clone(),
        etag: endpoint.etag(),
        create_time: Some(sql::to_proto(endpoint.create_time)),
        update_time: Some(sql::to_proto(endpoint.update_time)),
    }
}

/// An endpoint that is to be added.
pub(crate) fn new_endpoint(given: &Shown) -> Result<NewEndpoint, Refusal> {
    if given.url.is_empty() {
        return Err(Refusal::invalid_field("webhook_endpoint.url", "is required"));
    }
    Ok(NewEndpoint {
        display_name: given.display_name.clone(),
        url: given.url.clone(),
        purposes: purposes(&given.purposes),
    })
}

/// What an update asks for.
pub(crate) fn change(request: &UpdateWebhookEndpointRequest) -> Result<Change, Refusal> {
    let given = request.webhook_endpoint.clone().unwrap_or_default();
    let taken = Taken::new(request.update_mask.as_ref(), &["display_name", "url", "purposes"])?;
    let url = taken.takes("url", !given.url.is_empty());
    if url && given.url.is_empty() {
        return Err(Refusal::invalid_field("webhook_endpoint.url", "must not be empty"));
    }
    Ok(Change {
        display_name: taken
            .takes("display_name", !given.display_name.is_empty())
            .then_some(given.display_name),
        url: url.then_some(given.url),
        purposes: taken
            .takes("purposes", !given.purposes.is_empty())
            .then(|| purposes(&given.purposes)),
        etag: given.etag,
    })
}

/// The rules of the proto have let through only what there is.
fn purposes(given: &[i32]) -> Vec<Purpose> {
    let mut purposes: Vec<Purpose> = given.iter().filter_map(|number| Purpose::of(*number)).collect();
    purposes.sort_unstable();
    purposes.dedup();
    purposes
}
