//! Models of a tenant's own (issue 3, "Model per task"): tasks, the examples they learn from, and versions of what was learnt.
//!
//! `api` → `convert` (proto) → `tasks`, `examples`, `versions`, `training`, `asking` (use cases) → `domain`, `judging` (how
//! good a version is) → `store`, `store_examples`, `store_models`. `loaded` keeps versions ready to read with;
//! `training` is carried out as a long-running operation; `corrections` makes examples of what people correct.

pub(crate) mod api;
pub(crate) mod asking;
mod convert;
pub(crate) mod corrections;
pub(crate) mod domain;
mod examples;
pub(crate) mod judging;
pub(crate) mod loaded;
mod store;
mod store_examples;
mod store_models;
mod tasks;
pub(crate) mod training;
mod versions;
