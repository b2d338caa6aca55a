//! API keys of the whole suite: made, rotated and revoked here; the other rooms ask about those that they are shown.

pub(crate) mod api;
mod convert;
mod domain;
pub(crate) mod service;
mod store;
