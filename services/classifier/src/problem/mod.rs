//! Problems (问题): many feedbacks that say the same, proposed where a threshold is passed, decided on by people, followed to their fix.
//!
//! `api` → `convert` (proto) → `service` (make, read, change), `deciding` (from state to state), `merging` (merge, unmerge, split),
//! `members` (by hand), `policies` → `domain` (what a problem may become) → `store`, `store_members`, `store_texts`.
//!
//! By itself: `classification::service::classify` calls [`look_at`]; a little later [`fire`] looks at all that came, first whether it
//! fits a problem (`fitting`), then whether a group has passed the threshold (`proposing`: `domain_clusters`); and once an hour whether
//! words came up that were rare before (`topics`: `domain_topics`). `words` takes texts apart, `terms` says what is telling of a
//! problem, and what stays of that when a customer is erased.

pub(crate) mod api;
mod convert;
mod deciding;
mod domain;
mod domain_clusters;
mod domain_policy;
mod domain_topics;
mod events;
mod fitting;
mod members;
mod merging;
mod policies;
mod proposing;
mod service;
mod store;
mod store_members;
mod store_texts;
pub(crate) mod terms;
mod topics;
pub(crate) mod words;

#[cfg(test)]
mod domain_rules;

pub(crate) use proposing::{fire, is_timer, look_at};
