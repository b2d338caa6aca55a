//! What may come in, per tenant and channel (C-07, C-09): profiles in versions, what a feedback breaks of them, and what a vague
//! one lacks (000-15).

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod profiles;
pub(crate) mod sentence;
pub(crate) mod service;
