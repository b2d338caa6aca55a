//! Placeholder.
mod domain;
mod reading;
mod taxonomy;
