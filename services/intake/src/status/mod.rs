//! How a feedback stands in its customer's words, for whoever holds its number and token.

pub(crate) mod api;
pub(crate) mod changes;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod domain_limit;
pub(crate) mod events;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod token;
