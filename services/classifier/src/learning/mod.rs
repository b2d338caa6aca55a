//! A text classifier that learns from a tenant's own labels: pure, without a store, a clock or a network.
//!
//! Training: `features` (a text as hashed n-grams, `words` and `signs`) → `counting` (which of them count, and how much) → `linear`
//! (weights for each label) and `bayes` (where they lean) → `calibration` (margins as probabilities), all of it led by `training`.
//! Reading: `features` → `vocabulary` → `model`. `bytes` keeps a model, `evaluation` says how good it is.

mod bayes;
mod bytes;
mod calibration;
mod counting;
mod evaluation;
mod features;
mod linear;
mod model;
mod signs;
mod training;
mod vocabulary;
mod words;

#[cfg(test)]
mod learns;

pub(crate) use evaluation::evaluate;
pub(crate) use features::{Scratch, hint};
pub(crate) use model::{Evidence, Hints, Model};
pub(crate) use training::{Options, Untrainable};
