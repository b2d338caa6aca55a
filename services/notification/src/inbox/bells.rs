//! What wakes the watches of an inbox: a few hundred bells, each for many inboxes, so that a change wakes few watches in vain.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher as _, RandomState},
};

use huiyin_chassis::{Tenant, Transaction};
use tokio::sync::watch;

/// The bells of this process.
#[derive(Debug)]
pub(crate) struct Bells {
    hasher: RandomState,
    /// As many as a byte has values; each counts how often it was rung.
    bells: [watch::Sender<u64>; 256],
}

impl Bells {
    /// Nobody listens yet.
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            bells: std::array::from_fn(|_| watch::Sender::new(0)),
        }
    }

    /// Hears what changes in an inbox from now on, and now and then what changes in another.
    pub(crate) fn listen(&self, tenant: &Tenant, recipient: &str) -> watch::Receiver<u64> {
        self.bells[self.bell_of(tenant, recipient)].subscribe()
    }

    /// Rings for these inboxes once the transaction is committed.
    pub(crate) fn ring_after<'r>(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        recipients: impl Iterator<Item = &'r str>,
    ) {
        // Each once: a batch may lay much into one inbox.
        let bells: BTreeSet<usize> = recipients.map(|recipient| self.bell_of(tenant, recipient)).collect();
        let bells: Vec<_> = bells.into_iter().map(|bell| self.bells[bell].clone()).collect();
        tx.on_commit(move || {
            for bell in bells {
                bell.send_modify(|count| *count = count.wrapping_add(1));
            }
        });
    }

    fn bell_of(&self, tenant: &Tenant, recipient: &str) -> usize {
        let [byte, ..] = self.hasher.hash_one((tenant.key(), recipient)).to_le_bytes();
        usize::from(byte)
    }
}
