//! Taxonomies: what a tenant's classifier goes by, as versioned data (C-10).
//!
//! `api` → `convert` (proto) → `check` (rules of a new version), `examples` (its examples as tests), `diff` (what differs between two) →
//! `service` (create, activate, read) → `store`. `mapping` says how the categories of one version become those of another.
//! `builtin` reads version 0 of every tenant from the files in `builtin/`; `lexicons` keeps versions ready to read with.

pub(crate) mod api;
pub(crate) mod builtin;
pub(crate) mod check;
mod check_rules;
pub(crate) mod convert;
mod diff;
pub(crate) mod domain;
pub(crate) mod examples;
pub(crate) mod lexicons;
pub(crate) mod mapping;
pub(crate) mod service;
pub(crate) mod store;
