//! What facts add up to: by measure, time and segment, so that it can be added and taken back.

pub(crate) mod domain;
pub(crate) mod level;
pub(crate) mod span;
pub(crate) mod store;
pub(crate) mod totals;
