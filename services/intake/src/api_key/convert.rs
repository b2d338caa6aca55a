//! API keys on the wire.

use huiyin_chassis::{Refusal, Tenant, sql, update::Taken};
pub(crate) use huiyin_proto::intake::v1::ApiKey as Shown;
use huiyin_proto::intake::v1::{ApiKeyState, UpdateApiKeyRequest};
use jiff::{SignedDuration, Timestamp};

use super::{
    domain::ApiKey,
    service::{API_KEYS, Change},
};

/// The paths of an update.
const CHANGEABLE: [&str; 4] = ["display_name", "roles", "expire_time", "calls_per_second"];
/// A replaced key is good for this long where nobody says otherwise.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A key as callers see it; `key` is empty except in the two answers that show it.
pub(crate) fn shown(tenant: &Tenant, api_key: &ApiKey, key: String, now: Timestamp) -> Shown {
    let state = if api_key.revoked {
        ApiKeyState::Revoked
    } else {
        ApiKeyState::Active
    };
    Shown {
        name: tenant.child(API_KEYS, &api_key.id),
        display_name: api_key.display_name.clone(),
        roles: api_key.roles.clone(),
        expire_time: api_key.expire_time.map(sql::to_proto),
        calls_per_second: api_key.calls_per_second,
        key,
        previous_key_expire_time: api_key.previous_until(now).map(sql::to_proto),
        state: state.into(),
        revoke_reason: api_key.revoke_reason.clone(),
        creator: api_key.creator.clone(),
        last_use_time: api_key.last_use_time.map(sql::to_proto),
        etag: api_key.etag(),
        create_time: Some(sql::to_proto(api_key.create_time)),
        update_time: Some(sql::to_proto(api_key.update_time)),
    }
}

/// A key that is to be made, without its hash.
///
/// # Errors
/// INVALID_ARGUMENT where its end is no point in time.
pub(crate) fn new(id: String, given: Shown, creator: String, now: Timestamp) -> Result<ApiKey, Refusal> {
    Ok(ApiKey {
        id,
        expire_time: expire_time(&given)?,
        display_name: given.display_name,
        roles: given.roles,
        calls_per_second: given.calls_per_second,
        hash: Vec::new(),
        previous: None,
        revoked: false,
        revoke_reason: String::new(),
        creator,
        last_use_time: None,
        revision: 1,
        create_time: now,
        update_time: now,
    })
}

/// What an update asks for.
///
/// # Errors
/// INVALID_ARGUMENT where the mask names what cannot be changed, or the end is no point in time.
pub(crate) fn change(request: UpdateApiKeyRequest) -> Result<Change, Refusal> {
    let given = request.api_key.unwrap_or_default();
    let taken = Taken::new(request.update_mask.as_ref(), &CHANGEABLE)?;
    let end = expire_time(&given)?;
    Ok(Change {
        expire_time: taken.takes("expire_time", end.is_some()).then_some(end),
        display_name: taken
            .takes("display_name", !given.display_name.is_empty())
            .then_some(given.display_name),
        roles: taken.takes("roles", !given.roles.is_empty()).then_some(given.roles),
        calls_per_second: taken
            .takes("calls_per_second", given.calls_per_second != 0)
            .then_some(given.calls_per_second),
        etag: given.etag,
    })
}

/// Until when the key that is replaced now is good.
pub(crate) fn overlap_end(overlap: Option<prost_types::Duration>, now: Timestamp) -> Timestamp {
    let overlap = overlap.map_or(OVERLAP, |given| SignedDuration::new(given.seconds, given.nanos));
    now.saturating_add(overlap).unwrap_or(now)
}

fn expire_time(given: &Shown) -> Result<Option<Timestamp>, Refusal> {
    let end = sql::from_proto(given.expire_time.as_ref());
    if given.expire_time.is_some() && end.is_none() {
        return Err(Refusal::invalid_field("api_key.expire_time", "is no point in time"));
    }
    Ok(end)
}
