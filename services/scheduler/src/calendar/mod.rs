//! What counts as working time: the tenant's calendar in its versions.

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
