//! What a number means, and its values.

pub(crate) mod bucket;
pub(crate) mod catalogue;
pub(crate) mod convert;
pub(crate) mod dimension;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
