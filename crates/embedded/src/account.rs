//! As whom Postgres runs: as ourselves, or, since it refuses root, as the system's `postgres` user.

use std::{
    io,
    os::unix::{fs::lchown, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

/// The account of a server process; the default is our own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Account(Option<Ids>);

#[derive(Debug, Clone, Copy)]
struct Ids {
    user: u32,
    group: u32,
}

impl Account {
    /// Our own, or the `postgres` user's when we are root.
    pub(crate) fn of_postgres() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let ids = ids_of("postgres").context(
            "postgres refuses to run as root, and this system has no `postgres` user to run it as: \
             `useradd --system postgres` makes one",
        )?;
        Ok(Self(Some(ids)))
    }

    /// Lets `command` run as this account.
    pub(crate) fn apply(self, command: &mut Command) {
        if let Some(ids) = self.0 {
            command.uid(ids.user).gid(ids.group);
        }
    }

    /// Gives a file or folder, not what is in it, to this account.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self.0 {
            Some(ids) => lchown(path, Some(ids.user), Some(ids.group)),
            None => Ok(()),
        }
    }

    /// Whether `user` is this account, or the one that we run as ourselves.
    pub(crate) fn is_or_us(self, user: u32) -> bool {
        self.0.is_some_and(|ids| ids.user == user) || rustix::process::geteuid().as_raw() == user
    }

    /// Whether this account can enter `folder` and write there: asked of the system itself, so that every parent counts.
    pub(crate) fn can_use(self, folder: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "cd \"$1\" && test -w .", "sh"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
}

/// The ids of a named user; `id` asks every source of names that the system has.
fn ids_of(name: &str) -> Option<Ids> {
    let ask = |what: &str| {
        let answer = Command::new("id").args([what, name]).output().ok()?;
        String::from_utf8_lossy(&answer.stdout).trim().parse().ok()
    };
    Some(Ids {
        user: ask("-u")?,
        group: ask("-g")?,
    })
}
