//! All that is known of each feedback: how an event changes it, how it is kept, how it is listed.

pub(crate) mod change;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
