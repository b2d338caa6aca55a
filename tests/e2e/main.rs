//! End-to-end tests: real processes, real Postgres, real Redis, and what the real world does to them.

#![cfg(test)]

mod access;
mod crash;
mod erasure;
mod journey;
mod process;
mod python;
mod readme;
mod shutdown;
mod telemetry;
