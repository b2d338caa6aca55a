//! What the chassis promises to every service: who is let in, what is answered when things go wrong, and configuration.

#![cfg(test)]

mod authentication;
mod configuration;
mod isolation;
mod operations;
mod pipeline;
mod stand;
mod tls;
