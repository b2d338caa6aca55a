//! The channels by which feedback comes in beside this API. Each adapter ends where `CreateFeedback` does, in
//! `feedback::api::Api::take`: what is refused, screened, numbered and told is the same for all.
//!
//! - [`source`]: who may send, with which secret, and where the fields stand in what they send;
//! - [`fields`]: from what was sent to the fields of a feedback;
//! - [`evidence`]: files that came along;
//! - [`http`]: forms and connectors, signed;
//! - [`mail`]: a mailbox, received over LMTP or SMTP;
//! - [`meters`]: how much came by each.

pub(crate) mod convert;
pub(crate) mod evidence;
pub(crate) mod fields;
pub(crate) mod http;
pub(crate) mod mail;
pub(crate) mod meters;
pub(crate) mod source;
