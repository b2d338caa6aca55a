//! What the chassis promises to every service: who is let in, what is answered when things go wrong, and configuration.

#![cfg(test)]

mod authentication;
mod configuration;
mod isolation;
mod migrations;
mod operations;
mod pipeline;
mod rates;
mod rollback;
mod stand;
mod tls;
