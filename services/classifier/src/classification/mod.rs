//! Classifications: one for each feedback, and what people correct (001-37, 003-22).
//!
//! `api` → `convert` (proto) → `service` (classify, correct, read), `settling` (what people say takes effect) → `domain` (what a correction
//! means) → `store`.
//! `reviewing` takes scores (`domain_priority`) and the votes of a joint review (`domain_review`, 001-39); `past` is what a model is tried on.
//! `reclassification` is the operation that reads old feedback anew: `domain_anew` says what holds then, `store_anew` has its SQL.

pub(crate) mod api;
pub(crate) mod convert;
mod domain;
mod domain_anew;
mod domain_priority;
mod domain_review;
mod events;
pub(crate) mod past;
pub(crate) mod reclassification;
mod reviewing;
mod service;
pub(crate) mod settling;
mod store;
mod store_anew;
mod store_priority;

#[cfg(test)]
mod anew_rules;
#[cfg(test)]
mod correction_rules;
#[cfg(test)]
mod review_rules;

pub(crate) use events::submitted;
pub(crate) use reviewing::fire;
pub(crate) use service::get;
