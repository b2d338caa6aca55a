//! Tests of the analytics room: real gRPC in, stand-ins for the five logs beside it, a fresh database below.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod case;
mod catalogue;
mod crash;
mod lists;
mod messages;
mod numbers;
mod recomputed;
mod refusals;
mod schedules;
mod throughput;
mod trends;
mod world;
