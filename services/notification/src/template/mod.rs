//! Templates: the words of one purpose in one language, built in or the tenant's own, checked when they are saved (000-53, 004-40).

pub(crate) mod builtin;
pub(crate) mod convert;
pub(crate) mod domain;
mod domain_locale;
pub(crate) mod engine;
mod grammar;
pub(crate) mod service;
pub(crate) mod store;
