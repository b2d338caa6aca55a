//! What a taxonomy says of a text: pure, without a store, a clock or a network.
//!
//! `fold` (one spelling for all) → `lexicon` (the taxonomy as one automaton) and `rules` (phrases, regular expressions) → `scan` (what
//! is there, and what of it is turned around) → `score` (categories, tendency, impact) → `aspect` (clause by clause) → `verdict`, with its `span`s.
//! `hints` are what a trained model takes of it; `aside` looks without holding up others;
//! `sentence` knows where sentences and clauses end, `dictionary` the words of Chinese; `excerpt` is for messages and lists.

pub(crate) mod answers;
pub(crate) mod aside;
pub(crate) mod aspect;
pub(crate) mod dictionary;
pub(crate) mod excerpt;
pub(crate) mod fold;
mod hints;
pub(crate) mod lexicon;
pub(crate) mod rules;
mod scan;
mod score;
mod sentence;
pub(crate) mod span;
mod statement;
pub(crate) mod verdict;
mod work;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod sentences;
#[cfg(test)]
mod shared_data;
