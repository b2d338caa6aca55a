//! Groups of agents (班组, 责任部门); `fallback` is there from the beginning.

pub(crate) mod api;
mod convert;
pub(crate) mod domain;
pub(crate) mod order;
pub(crate) mod service;
mod store;
