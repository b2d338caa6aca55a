//! Endpoints of the tenants: which URLs messages are posted to, with which secrets, and which URLs are none of ours to call.

pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod domain_address;
pub(crate) mod service;
pub(crate) mod signature;
pub(crate) mod store;
