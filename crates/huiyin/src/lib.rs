//! What the command `huiyin` does, one module per word that people type; `suite` and `link` are what they share.
//!
//! - [`suite`]: the folder, servers and configuration of a suite on one machine; `up` runs all six services in one process.
//! - [`link`]: the clients of all six, for the words that only call public RPCs.
//! - [`import`], [`demo`], [`verify`], [`top`], [`token`], [`tour`], [`train`], [`bench`].

#![expect(clippy::print_stdout, reason = "this is a command: people read what it prints")]

pub mod bench;
pub mod demo;
pub mod import;
pub mod link;
pub mod suite;
pub mod token;
pub mod top;
pub mod tour;
pub mod train;
pub mod verify;
