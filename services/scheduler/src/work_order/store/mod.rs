//! All SQL of work orders: the orders themselves, their clocks, their history.

mod clocks;
mod history;
mod orders;

pub(crate) use clocks::{clocks, clocks_of, save as save_clocks};
pub(crate) use history::{append, list as list_history};
pub(crate) use orders::{exists, find, list, lock, lock_by_feedback, many, open, save, save_timer, see_one_moment};

use huiyin_chassis::Refusal;

/// A row that holds what this version of the room cannot have written.
fn unknown(table: &str, column: &str, value: impl std::fmt::Display) -> Refusal {
    Refusal::fault(anyhow::anyhow!(
        "{table}.{column} holds {value}, which is none of its values"
    ))
}
