//! Delivery: workers take what is due, try it outside any transaction, and record how it went.
//!
//! Inside exactly once: a message settles in one transaction with its inbox item and its event. To the outside at least once:
//! a crash between the other side's answer and its record sends again, under the same id.

pub(crate) mod domain;
pub(crate) mod mail;
pub(crate) mod post;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod worker;
