//! Files that came along with feedback: the bytes in an object store, once per tenant, and who may have them.

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod objects;
pub(crate) mod scanner;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod timers;
pub(crate) mod upload;
