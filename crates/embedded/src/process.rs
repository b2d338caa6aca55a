//! A child process that ends with us, however we end.
//!
//! Dropping it stops it. Should we be killed outright, the kernel tells it (`setpriv --pdeathsig`, where util-linux has it).

use std::{
    ffi::OsStr,
    io,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, kill_process, test_kill_process};
use tokio::sync::watch;

pub use rustix::process::Signal;

/// How long a dropped child may take to end before it is killed.
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// A running child.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    status: watch::Receiver<Option<ExitStatus>>,
    farewell: Signal,
}

impl Process {
    /// A command whose process gets `farewell` (INT, TERM, QUIT or KILL) when we die, where the system can do that.
    pub fn command(program: impl AsRef<OsStr>, farewell: Signal) -> Command {
        match name(farewell) {
            Some(signal) if setpriv_knows(signal) => {
                // setpriv becomes the program (exec), so the pid that we know is the program's own.
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", signal, "--"]).arg(program);
                command
            }
            _ => Command::new(program),
        }
    }

    /// Starts `command`; `farewell` is the signal that dropping sends.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn(mut command: Command, farewell: Signal) -> io::Result<Self> {
        let (status_sender, status) = watch::channel(None);
        let (pid_sender, pid) = mpsc::sync_channel(1);
        // A parent-death signal is tied to the *thread* that forked, so the child gets a thread that lives as long as it does.
        thread::Builder::new().name("child".into()).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    // The receiver waits below; if it is gone nobody wants to know.
                    let _ = pid_sender.send(Err(error));
                    return;
                }
            };
            let _ = pid_sender.send(Ok(Pid::from_child(&child)));
            // wait() fails only for a child that is already reaped: it has ended all the same.
            let ended = child.wait().unwrap_or_default();
            status_sender.send_replace(Some(ended));
        })?;
        let pid = pid.recv().map_err(io::Error::other)??;
        Ok(Self { pid, status, farewell })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// How it ended, once it has.
    pub fn status(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }

    /// Sends a signal; a child that has ended is left alone.
    pub fn signal(&self, signal: Signal) {
        if self.status().is_none()
            && let Err(error) = kill_process(self.pid, signal)
        {
            tracing::debug!(pid = self.pid(), %error, "could not signal the child");
        }
    }

    /// Waits for the end.
    pub async fn ended(&self) -> ExitStatus {
        let mut status = self.status.clone();
        // The sender lives until it has sent the status, so an error cannot come before a value.
        let seen = status.wait_for(Option::is_some).await.map(|status| *status);
        seen.ok().flatten().unwrap_or_default()
    }

    /// Sends each signal in turn and waits its time for the end; SIGKILL comes last.
    pub async fn stop(&self, steps: &[(Signal, Duration)]) {
        for (signal, limit) in steps {
            self.signal(*signal);
            if tokio::time::timeout(*limit, self.ended()).await.is_ok() {
                return;
            }
            tracing::warn!(pid = self.pid(), ?signal, ?limit, "the child did not end in time");
        }
        self.signal(Signal::KILL);
        self.ended().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(self.farewell);
        let limit = Instant::now() + DROP_LIMIT;
        while self.status().is_none() {
            if Instant::now() > limit {
                self.signal(Signal::KILL);
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Whether there is a process `pid` now, anybody's.
pub fn is_alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// The signals that say farewell, as setpriv calls them.
fn name(signal: Signal) -> Option<&'static str> {
    match signal {
        Signal::INT => Some("INT"),
        Signal::TERM => Some("TERM"),
        Signal::QUIT => Some("QUIT"),
        Signal::KILL => Some("KILL"),
        _ => None,
    }
}

/// Whether setpriv is installed and knows parent-death signals (BusyBox's does not).
fn setpriv_knows(signal: &str) -> bool {
    Command::new("setpriv")
        .args(["--pdeathsig", signal, "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
