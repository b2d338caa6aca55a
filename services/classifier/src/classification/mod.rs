//! Classifications: one for each feedback, and what people correct (001-37, 003-22).
//!
//! `api` → `convert` (proto) → `service` (classify, correct, read) → `domain` (what a correction means) → `store`.

pub(crate) mod api;
pub(crate) mod convert;
mod domain;
mod events;
mod service;
mod store;

#[cfg(test)]
mod correction_rules;

pub(crate) use events::submitted;
