//! How the categories of one version of a taxonomy become those of another (C-10); stored beside the later version.
//!
//! `api` → `convert` (proto) → `service` (say, read) → `domain` (what a mapping may say, and what it makes of a category) → `store`.

pub(crate) mod api;
mod convert;
pub(crate) mod domain;
mod service;
pub(crate) mod store;
