//! The handling of one feedback: opened, taken through its states, told of, and marked when it is late.

pub(crate) mod api;
mod change;
mod convert;
pub(crate) mod domain;
mod events;
mod gauge;
mod listing;
mod marks;
mod open;
mod read;
mod service;
mod store;
mod transitions;

pub(crate) use change::Assignment;
pub(crate) use events::classification;
pub(crate) use gauge::measure;
pub(crate) use marks::fire;
pub(crate) use open::classified;
pub(crate) use service::survey_answered;
