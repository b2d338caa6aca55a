//! How long text and addresses are kept: by the tenant's policy, blanked by a timer.

pub(crate) mod convert;
pub(crate) mod service;
pub(crate) mod store;
