//! The room over real gRPC, on a fresh database, with a mail server, webhook receivers and neighbours of the test's own.
#![cfg(test)]

mod access;
mod crowd;
mod delivery;
mod inbox;
mod mail_server;
mod neighbors;
mod receiver;
mod scene;
mod telling;
mod templates;
mod throughput;
mod webhooks;
