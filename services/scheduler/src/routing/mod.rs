//! Which team and skills a work order calls for: the tenant's routing policy in its versions.

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
mod store;
