//! Classifications: one for each feedback, and what people correct (001-37, 003-22).
//!
//! `api` → `convert` (proto) → `service` (classify, correct, read) → `domain` (what a correction means) → `store`.
//! `reclassification` is the operation that reads old feedback anew: `domain_anew` says what holds then, `store_anew` has its SQL.

pub(crate) mod api;
pub(crate) mod convert;
mod domain;
mod domain_anew;
mod events;
pub(crate) mod reclassification;
mod service;
mod store;
mod store_anew;

#[cfg(test)]
mod anew_rules;
#[cfg(test)]
mod correction_rules;

pub(crate) use events::submitted;
