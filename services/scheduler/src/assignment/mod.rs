//! Who gets a work order (003-30, C-17): the routing policy says who is asked, this says who of them.

mod domain;
pub(crate) mod service;
mod store;
