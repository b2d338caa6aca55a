//! Work that takes longer than a call (AIP-151): started in the transaction of whoever asks, done once, however often a process
//! dies on the way.
//!
//! - [`Operations::start`] writes the row; its answer is the `google.longrunning.Operation` that the caller gets.
//! - [`run`] takes what is due under a lease, hands it to the room ([`CarryOut`]) with a [`Run`], and writes how it ended.
//!   Whoever loses the lease can write nothing any more: [`Run::begin`] and [`Run::finish`] are fenced by it.
//! - What fails because something cannot be reached is tried again; what is refused, or panics, ends with the error.
//! - `google.longrunning.Operations` is served by [`run`] too: Get, List, Wait, Cancel, Delete.

mod api;
mod convert;
mod record;
mod run;
mod runner;
mod store;

use std::sync::Arc;

use prost::{Message, Name};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

pub use huiyin_proto::google::longrunning::Operation;
pub use run::{Ended, Run, Signal};
pub use runner::{CarryOut, run};

use crate::{clock::Clock, db::Transaction, error::Refusal, name::Tenant};
use record::Record;

/// Where a service's operations are started. Clones share their wakes.
#[derive(Debug, Clone)]
pub struct Operations {
    clock: Clock,
    /// There is something to take.
    started: Arc<Notify>,
    /// Something has ended in this process.
    ended: watch::Sender<u64>,
}

impl Operations {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            started: Arc::default(),
            ended: watch::channel(0).0,
        }
    }

    /// Starts an operation of a kind such as `classifier.TrainModel`, in the caller's transaction: without its commit it never
    /// was. The request is kept as it is, so it names people by ids alone. Its answer can be kept with
    /// [`crate::repeat::Repeatable::answer`].
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn start(
        &self,
        tx: &mut Transaction,
        tenant: &Tenant,
        author: &str,
        kind: &str,
        request: &impl Message,
    ) -> Result<Operation, Refusal> {
        let now = self.clock.now();
        let record = Record::new(self.clock.id(), kind, author, now);
        store::insert(tx, tenant, &record, &request.encode_to_vec()).await?;
        let started = Arc::clone(&self.started);
        tx.on_commit(move || started.notify_one());
        Ok(convert::operation(tenant, &record, crate::server::Language::English))
    }

    /// The operation of this id, for a room whose own resources name one.
    ///
    /// # Errors
    /// UNAVAILABLE where the database is gone.
    pub async fn find(&self, tx: &mut Transaction, tenant: &Tenant, id: Uuid) -> Result<Option<Operation>, Refusal> {
        let found = store::find(tx, tenant, id).await?;
        Ok(found.map(|record| convert::operation(tenant, &record, crate::server::Language::English)))
    }
}

/// A response as an operation carries it.
fn packed<M: Message + Name>(response: &M) -> prost_types::Any {
    prost_types::Any {
        type_url: M::type_url(),
        value: response.encode_to_vec(),
    }
}
