//! End-to-end tests: real processes, real Postgres, real Redis, and what the real world does to them.

#![cfg(test)]

mod access;
mod crash;
mod erasure;
mod journey;
mod keys;
mod load;
mod process;
mod python;
mod readme;
mod regions;
mod restore;
mod shutdown;
mod telemetry;
mod tls;
mod upgrade;
