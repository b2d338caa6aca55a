//! Models of a tenant's own (issue 3, "Model per task"): tasks, the examples they learn from, and versions of what was learnt.
//!
//! `api` → `convert` (proto) → `tasks`, `examples`, `versions`, `training`, `asking` (use cases) → `domain`, `judging` (how
//! good a version is) → `store`, `store_examples`, `store_models`. `loaded` keeps versions ready to read with, `reader` has what one needs
//! for it; `shadow` keeps what one would have said;
//! `training` is carried out as a long-running operation; `corrections` makes examples of what people correct.

pub(crate) mod api;
pub(crate) mod asking;
mod convert;
pub(crate) mod corrections;
pub(crate) mod domain;
pub(crate) mod examples;
pub(crate) mod judging;
pub(crate) mod loaded;
mod reader;
pub(crate) mod shadow;
mod store;
mod store_examples;
mod store_models;
mod store_shadow;
mod tasks;
pub(crate) mod training;
mod versions;

pub(crate) use tasks::existing_task;

#[cfg(test)]
mod rules_measured;
