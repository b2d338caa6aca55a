//! Erasing a customer in all six services, the certificate that says so, and handing out what is held before.

pub(crate) mod convert;
pub(crate) mod export;
pub(crate) mod operation;
pub(crate) mod rotation;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod store_around;
pub(crate) mod store_keys;
