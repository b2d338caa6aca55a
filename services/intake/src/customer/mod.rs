//! Customers: which identities are one, what is said of them, and the segments that follow from it.

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod known;
pub(crate) mod service;
pub(crate) mod store;
