//! The server that an earlier run left behind in our folder, or its traces.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, kill_process, test_kill_process};

use crate::process::Signal;

const POLL: Duration = Duration::from_millis(10);

/// Ends a server that somebody's sudden death left behind in our folder (we hold the lock, so nobody wants it), and
/// removes a pid file whose number belongs to another program by now; Postgres sees to a number that is nobody's.
pub(crate) async fn end(data: &Path, steps: &[(Signal, Duration)]) -> anyhow::Result<()> {
    let file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else {
        return Ok(());
    };
    let Some(pid) = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .and_then(Pid::from_raw)
    else {
        return fs::remove_file(&file).context("could not remove an unreadable postmaster.pid");
    };
    if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return Ok(());
    }
    if !serves(pid, data) {
        tracing::info!(%pid, "removing the pid file of a server that is long gone");
        return fs::remove_file(&file).context("could not remove a stale postmaster.pid");
    }
    tracing::warn!(%pid, "stopping the postgres that an earlier run left behind in this folder");
    for (signal, limit) in steps {
        kill_process(pid, *signal).with_context(|| {
            format!(
                "postgres {pid} still serves {}, and is not ours to stop",
                data.display()
            )
        })?;
        let limit = Instant::now() + *limit;
        while Instant::now() < limit {
            if !serves(pid, data) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    bail!("postgres {pid} still serves {} and does not stop", data.display())
}

/// Whether the process `pid` is a server of `data`: its command line names the folder.
fn serves(pid: Pid, data: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).or_else(|_| {
        let ask = ["-o", "args=", "-p", &pid.to_string()];
        std::process::Command::new("ps")
            .args(ask)
            .output()
            .map(|answer| answer.stdout)
    });
    let wanted = data.as_os_str().as_encoded_bytes();
    line.is_ok_and(|line| line.windows(wanted.len()).any(|part| part == wanted))
}
