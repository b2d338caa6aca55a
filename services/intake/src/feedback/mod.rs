//! The feedback itself: taken in one by one, in batches or as a stream, stored once, shown and followed.

pub(crate) mod accept;
pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod import;
pub(crate) mod ledger;
pub(crate) mod numbers;
mod rush;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod writer;
