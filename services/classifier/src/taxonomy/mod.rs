//! Taxonomies: what a tenant's classifier goes by, as versioned data (C-10).
//!
//! `convert` (proto) → `check` (rules of a new version) → `service` (create, activate, read; the cache of lexicons) → `store`.
//! `builtin` reads version 0 of every tenant from the files in `builtin/`.

pub(crate) mod builtin;
pub(crate) mod check;

pub(crate) mod domain;


