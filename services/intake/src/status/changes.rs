//! Hears that a status has changed, in whichever replica it did, and wakes those who watch it.

use std::time::Duration;

use huiyin_chassis::{Database, Shutdown, Tasks};
use tokio::sync::broadcast;

use crate::status::store::CHANGED;

/// A watcher that is further behind looks again, whatever changed.
const KEPT: usize = 256;
const PAUSE: Duration = Duration::from_millis(200);

/// What changed: `<tenant>/<feedback>`, or `None` where it cannot be known for a moment.
type Change = Option<String>;

/// See the file.
#[derive(Clone)]
pub(crate) struct Changes(broadcast::Sender<Change>);

impl Changes {
    /// Begins to hear.
    pub(crate) fn start(tasks: &mut Tasks, database: &Database, shutdown: &Shutdown) -> Self {
        let changes = Self(broadcast::Sender::new(KEPT));
        let (listening, stop) = (listen(database.clone(), changes.0.clone()), shutdown.clone());
        tasks.spawn("status changes", async move {
            tokio::select! {
                () = listening => {}
                () = stop.requested() => {}
            }
            Ok(())
        });
        changes
    }

    /// Watches one status from now on.
    pub(crate) fn of(&self, tenant: &str, feedback: uuid::Uuid) -> Watched {
        Watched {
            key: format!("{tenant}/{feedback}"),
            changes: self.0.subscribe(),
        }
    }
}

/// One status that is watched.
pub(crate) struct Watched {
    key: String,
    changes: broadcast::Receiver<Change>,
}

impl Watched {
    /// Waits until it may have changed. Dropped while it waits, it has lost nothing.
    pub(crate) async fn changed(&mut self) {
        loop {
            match self.changes.recv().await {
                Ok(Some(key)) if key != self.key => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            }
        }
    }
}

async fn listen(database: Database, changes: broadcast::Sender<Change>) {
    loop {
        if let Ok(mut listener) = database.listen(CHANGED).await {
            let mut said = None; // at first: something may have been missed before
            loop {
                // Nobody may be watching.
                let _ = changes.send(said);
                // None: the connection was lost, and what was said since.
                match listener.try_recv().await {
                    Ok(Some(notification)) => said = Some(notification.payload().to_owned()),
                    _ => break,
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
