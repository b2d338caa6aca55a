//! What shows that a request is from its source: the signature in its headers, or a ticket among the inputs of a form.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::channel::source::signature;
use crate::error::Error;

/// The three headers of Standard Webhooks. A ticket has inputs of the same names, and [`CONTENT`] beside them.
pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";
/// What the signature of a ticket is about: fields that the sender's server vouches for, as the text of a JSON object.
const CONTENT: &str = "webhook-content";
const MOST_ID_CHARACTERS: usize = 256;

/// A signature and what belongs to it.
pub(super) struct Proof {
    pub(super) id: String,
    timestamp: String,
    signature: String,
}

impl Proof {
    pub(super) fn new(id: &str, timestamp: &str, signature: &str) -> Self {
        Self {
            id: id.to_owned(),
            timestamp: timestamp.to_owned(),
            signature: signature.to_owned(),
        }
    }

    /// # Errors
    /// SIGNATURE_INVALID where the time is further from `now` than `past` or `future`, or the signature is not of one of the
    /// secrets.
    pub(super) fn check(
        &self,
        secrets: &[String],
        content: &[u8],
        now: Timestamp,
        past: SignedDuration,
        future: SignedDuration,
    ) -> Result<(), Error> {
        if self.id.is_empty() || self.id.chars().count() > MOST_ID_CHARACTERS {
            return Err(Error::SignatureInvalid("webhook-id has 1 to 256 characters"));
        }
        let sent = self.timestamp.parse::<i64>().ok();
        let sent = sent.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let age = sent
            .ok_or(Error::SignatureInvalid("webhook-timestamp is in seconds since 1970"))?
            .duration_until(now);
        if age > past || age < -future {
            return Err(Error::SignatureInvalid("webhook-timestamp is too far from our time"));
        }
        if signature::holds(secrets, &self.id, &self.timestamp, content, &self.signature) {
            Ok(())
        } else {
            Err(Error::SignatureInvalid("webhook-signature is not that of the source"))
        }
    }
}

/// Takes the ticket out of a body: its proof, and the text that it is about. A browser holds no secret, so the server that
/// renders the page signs, in advance, what it vouches for: who the user is, their device, their order (000-10). What they
/// type is added to it, once: the id of a ticket is that of one request.
///
/// # Errors
/// SIGNATURE_INVALID where there is none.
pub(super) fn ticket(body: &mut Value) -> Result<(Proof, String), Error> {
    let none = Error::SignatureInvalid("neither headers nor a ticket are there");
    let Value::Object(inputs) = body else { return Err(none) };
    let mut input = |name: &str| match inputs.remove(name) {
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let [id, timestamp, signature, content] = [ID, TIMESTAMP, SIGNATURE, CONTENT].map(&mut input);
    if signature.is_empty() {
        return Err(none);
    }
    Ok((Proof::new(&id, &timestamp, &signature), content))
}

/// The fields that a ticket is about.
///
/// # Errors
/// BODY_UNREADABLE where it is no JSON object.
pub(super) fn vouched_for(content: &str) -> Result<Value, Error> {
    if content.is_empty() {
        return Ok(Value::Null);
    }
    match serde_json::from_str(content) {
        Ok(Value::Object(fields)) => Ok(Value::Object(fields)),
        _ => Err(Error::BodyUnreadable(format!("{CONTENT} is not a JSON object"))),
    }
}
