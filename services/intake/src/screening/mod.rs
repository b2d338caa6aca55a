//! What of the feedback counts (001-12): test data, spam and the like set aside, the same thing said again found, merged and taken
//! apart again. Nothing is ever dropped.

pub(crate) mod api;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod events;
pub(crate) mod service;
pub(crate) mod store;
