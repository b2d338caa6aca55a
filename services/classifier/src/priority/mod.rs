//! Priority: what a tenant's model makes of a case or an improvement, as versioned data (§G, C-01 … C-03).
//!
//! `api` → `convert` (proto) → `check` (rules of a new version) → `service` (create, activate, read, score) → `store`.
//! `decide` is the engine, pure; `condition` says when a rule is for a case; `presets` reads what ships from `builtin/priority/`;
//! `models` keeps versions ready to decide with; `categories` holds them against the taxonomy; `simulate` asks one about the past.

pub(crate) mod api;
pub(crate) mod categories;
pub(crate) mod check;
mod condition;
pub(crate) mod convert;
pub(crate) mod decide;
pub(crate) mod domain;
pub(crate) mod models;
pub(crate) mod presets;
pub(crate) mod service;
pub(crate) mod simulate;
pub(crate) mod store;

#[cfg(test)]
mod broken_rules;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
