//! From events to facts, rollups and totals: [`events`] takes in, [`worker`] counts.

pub(crate) mod batch;
pub(crate) mod events;
pub(crate) mod store;
pub(crate) mod worker;
