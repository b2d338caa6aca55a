//! The right to rate one resolution, once, and the token that carries it.

pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod token;
