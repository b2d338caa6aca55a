//! Messages: one per event, audience, recipient and endpoint; queued in the transaction that reads the event, read and replayed by call.

pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
