//! The room from outside: real gRPC, a fresh database, a stand-in for intake, a clock that the test holds.

#![expect(clippy::unwrap_used, reason = "what a test did not expect fails it")]

mod classifying;
mod correcting;
mod dictionary;
mod erasing;
mod gauges;
mod knowledge;
mod knowledge_search;
mod knowledge_use;
mod lists;
mod model_examples;
mod model_training;
mod model_versions;
mod models;
mod play;
mod priorities;
mod priority_models;
mod priority_reviews;
mod priority_tries;
mod problem_changes;
mod problem_sequences;
mod problem_words;
mod problems;
mod reclassifying;
mod reclassifying_labels;
mod reviewing;
mod reviewing_anew;
mod reviewing_ends;
mod reviewing_twice;
mod shadows;
mod taxonomies;
