//! Exactly once, in order per subject, whatever dies in between: two tiny rooms, real Postgres, real Redis, real gRPC.
#![cfg(test)]

mod crashes;
mod days;
mod delivery;
mod epoch;
mod erasing;
mod gauges;
mod outgrown;
mod poison;
mod random;
mod reading;
mod redis;
mod restore;
mod sink;
mod source;
mod throughput;
mod watching;
mod world;
