//! Inboxes (站内信): what was delivered into them, marked as read, followed as it comes.

pub(crate) mod bells;
pub(crate) mod convert;
pub(crate) mod domain;
pub(crate) mod service;
pub(crate) mod store;
