//! What is asked: the versions of a survey.

pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
