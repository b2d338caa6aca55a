//! Which clocks a work order has, and when they are due.

pub(crate) mod api;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod sentence;
pub(crate) mod service;
