//! Tasks that somebody joins: one that fails takes its service down, and none outlives the drain.

use std::{future::Future, thread, time::Duration};

use anyhow::Context as _;
use tokio::{sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// Asks tasks to end: first softly, then at once.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    soft: CancellationToken,
}

impl Shutdown {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everybody who holds a clone to finish.
    pub fn request(&self) {
        self.soft.cancel();
    }

    /// Ends when it has been asked for.
    pub async fn requested(&self) {
        self.soft.cancelled().await;
    }

    /// True once it has been asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// One that ends with this one and can end alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            soft: self.soft.child_token(),
        }
    }

    /// Waits, or ends early with the shutdown; true where the wait was over.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => true,
            () = self.requested() => false,
        }
    }
}

/// The tasks of one service.
#[derive(Debug)]
pub struct Tasks {
    shutdown: Shutdown,
    patience: Duration,
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Tasks {
    /// None yet. What still runs so long after the shutdown was requested is cut: a database that does not answer must not
    /// keep a process for ever.
    #[must_use]
    pub fn new(shutdown: Shutdown, patience: Duration) -> Self {
        Self {
            shutdown,
            patience,
            set: JoinSet::new(),
        }
    }

    /// What asks these tasks to end.
    pub(crate) fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Starts a task. It ends when it is done or, soon after, when the shutdown is requested.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        use tracing::Instrument as _;
        let span = tracing::Span::current();
        self.set.spawn(async move { (name, task.await) }.instrument(span));
    }

    /// Starts a task on a thread of its own, for what everybody waits for: none of its steps waits for the turns of other tasks.
    /// `task` makes it there; what it opens, such as a connection, is served there, too.
    pub fn spawn_apart<Fut>(&mut self, name: &'static str, task: impl FnOnce() -> Fut + Send + 'static)
    where
        Fut: Future<Output = anyhow::Result<()>>,
    {
        use tracing::Instrument as _;
        let span = tracing::Span::current();
        let (mut done, ended) = oneshot::channel();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.context("a runtime").and_then(|runtime| {
                runtime.block_on(async {
                    tokio::select! {
                        outcome = async { task().await }.instrument(span) => outcome,
                        // It was cut.
                        () = done.closed() => Ok(()),
                    }
                })
            });
            // Whoever cut it does not listen.
            let _ = done.send(outcome);
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(work);
        self.spawn(name, async move {
            started.context("a thread")?;
            ended.await.context("it panicked")?
        });
    }

    /// Starts a tick: `work` runs again and again, `pause` apart, at once again where it says that there is more to do.
    /// An error is logged and does not end it: what it could not do now it does later.
    pub fn tick<F, Fut>(&mut self, name: &'static str, pause: Duration, mut work: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<MoreToDo>> + Send,
    {
        let shutdown = self.shutdown.clone();
        self.spawn(name, async move {
            while !shutdown.is_requested() {
                let more = work().await.unwrap_or_else(|error| {
                    tracing::warn!(task = name, error = format!("{error:#}"), "tick failed");
                    MoreToDo(false)
                });
                if !more.0 && !shutdown.sleep(pause).await {
                    break;
                }
            }
            Ok(())
        });
    }

    /// Waits until all have ended. The first that fails or panics asks the others to end.
    ///
    /// # Errors
    /// What the first failed with.
    pub async fn join(&mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        let (shutdown, patience) = (self.shutdown.clone(), self.patience);
        let too_long = async {
            shutdown.requested().await;
            tokio::time::sleep(patience).await;
        };
        tokio::pin!(too_long);
        let mut cut = false;
        loop {
            let ended = tokio::select! {
                ended = self.set.join_next() => ended,
                () = &mut too_long, if !cut => {
                    cut = true;
                    tracing::error!("tasks did not end in time; they are cut");
                    self.set.abort_all();
                    outcome = outcome.and_then(|()| Err(anyhow::anyhow!("tasks did not end in time and were cut")));
                    continue;
                }
            };
            let Some(ended) = ended else { break };
            let failure = match ended {
                Ok((_, Ok(()))) => continue,
                Ok((name, Err(error))) => error.context(format!("task {name}")),
                Err(error) if error.is_cancelled() => continue,
                Err(error) => anyhow::anyhow!("a task panicked: {error}"),
            };
            tracing::error!(error = format!("{failure:#}"), "a task failed; shutting down");
            self.shutdown.request();
            if outcome.is_ok() {
                outcome = Err(failure);
            }
        }
        outcome
    }

    /// Ends whatever still runs, now.
    pub fn abort(&mut self) {
        self.set.abort_all();
    }
}

/// What a tick says when it returns: true where it left something undone that can be done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoreToDo(pub bool);

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that does not answer must not keep a process for ever.
    #[tokio::test(start_paused = true)]
    async fn what_still_runs_long_after_the_shutdown_is_cut_and_said() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone(), Duration::from_secs(30));
        tasks.spawn("stuck", std::future::pending());
        tasks.spawn("done", async { Ok(()) });
        let began = tokio::time::Instant::now();
        shutdown.request();
        let failure = tasks.join().await.unwrap_err();
        assert!(failure.to_string().contains("were cut"), "{failure:#}");
        assert_eq!(began.elapsed().as_secs(), 30);
    }

    #[tokio::test]
    async fn what_runs_on_a_thread_of_its_own_is_joined_and_its_failure_or_panic_is_said() {
        let name = || thread::current().name().unwrap_or_default().to_owned();
        let mut tasks = Tasks::new(Shutdown::new(), Duration::from_secs(30));
        tasks.spawn_apart("apart", move || async move {
            tokio::task::yield_now().await;
            anyhow::bail!("in {}", name())
        });
        assert_eq!(format!("{:#}", tasks.join().await.unwrap_err()), "task apart: in apart");

        let mut tasks = Tasks::new(Shutdown::new(), Duration::from_secs(30));
        tasks.spawn_apart("apart", || async { panic!("now") });
        assert_eq!(
            format!("{:#}", tasks.join().await.unwrap_err()),
            "task apart: it panicked: channel closed"
        );
    }

    #[tokio::test]
    async fn what_is_cut_ends_on_its_own_thread_too() {
        let (ends, ended) = oneshot::channel::<()>();
        let mut tasks = Tasks::new(Shutdown::new(), Duration::ZERO);
        tasks.spawn_apart("stuck", move || async move {
            let _ends = ends;
            std::future::pending().await
        });
        tasks.shutdown.request();
        tasks.join().await.unwrap_err();
        ended.await.unwrap_err();
    }
}
