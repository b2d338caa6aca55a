//! People who handle work orders: what they can do, how much they carry.

pub(crate) mod api;
mod convert;
pub(crate) mod domain;
pub(crate) mod service;
mod store;
