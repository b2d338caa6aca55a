//! Tests of the analytics room: real gRPC in, stand-ins for the five logs beside it, a fresh database below.

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
