//! What customers answer.

pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
