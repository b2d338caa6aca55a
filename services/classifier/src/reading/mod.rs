//! What a taxonomy says of a text: pure, without a store, a clock or a network.
//!
//! `fold` (one spelling for all) → `lexicon` (the taxonomy as one automaton) → `scan` (which words are there, and which are
//! turned around) → `score` (categories, tendency, impact) → `priority` → `verdict`. `excerpt` is for messages and lists.

pub(crate) mod answers;
pub(crate) mod excerpt;
pub(crate) mod fold;
pub(crate) mod lexicon;
pub(crate) mod priority;
mod scan;
mod score;
pub(crate) mod verdict;

#[cfg(test)]
mod sentences;
#[cfg(test)]
mod shared_data;
