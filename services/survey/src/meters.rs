//! What the room measures of itself, beside what the chassis measures of every method.

use huiyin_chassis::Transaction;
use opentelemetry::{KeyValue, global, metrics::Counter};

use crate::invitation::domain::State;

/// Counters of the room; an effect is counted when it is committed.
pub(crate) struct Meters {
    invitations: Counter<u64>,
    answers: Counter<u64>,
    reopenings: Counter<u64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("huiyin");
        Self {
            invitations: meter
                .u64_counter("survey.invitations")
                .with_description("invitations by the state that they came to")
                .build(),
            answers: meter
                .u64_counter("survey.answers")
                .with_description("answers of customers")
                .build(),
            reopenings: meter
                .u64_counter("survey.reopenings")
                .with_description("answers that ask for the work order to be reopened")
                .build(),
        }
    }

    /// So many invitations come to a state with this transaction.
    pub(crate) fn invitations(&self, tx: &mut Transaction, state: State, count: u64) {
        let counter = self.invitations.clone();
        tx.on_commit(move || counter.add(count, &[KeyValue::new("state", state.name())]));
    }

    /// An answer is taken with this transaction.
    pub(crate) fn answer(&self, tx: &mut Transaction, reopen: bool) {
        let (answers, reopenings) = (self.answers.clone(), self.reopenings.clone());
        tx.on_commit(move || {
            answers.add(1, &[]);
            reopenings.add(u64::from(reopen), &[]);
        });
    }
}
