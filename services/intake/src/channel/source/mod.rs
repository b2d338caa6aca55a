//! Senders that are known: forms, connectors and mailboxes, each with its secret and its mapping.

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod signature;
pub(crate) mod store;
