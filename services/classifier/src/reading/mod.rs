//! What a taxonomy says of a text: pure, without a store, a clock or a network.
//!
//! `fold` (one spelling for all) → `lexicon` (the taxonomy as one automaton) → `scan` (which words are there, and which are
//! turned around) → `score` (categories, tendency, impact) → `verdict`. `excerpt` is for messages and lists.

pub(crate) mod excerpt;
pub(crate) mod fold;
pub(crate) mod lexicon;
mod scan;
mod score;
pub(crate) mod verdict;

#[cfg(test)]
mod sentences;
#[cfg(test)]
mod shared_data;
