//! What the command does, against real services.

// Tells clippy that the functions beside the tests are tests too.
#![cfg(test)]

mod import;
