//! Makes the data folder of a Postgres: UTF-8, sorted by code point, one superuser with a password.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::{account::Account, binaries::Binaries, postgres::Durability};

/// The superuser, and the name in every URL.
pub(crate) const SUPERUSER: &str = "huiyin";

/// Makes `data`, all or nothing: an interrupted attempt is thrown away by the next one.
pub(crate) async fn make(
    data: &Path,
    password_file: &Path,
    binaries: &Binaries,
    account: Account,
    durability: Durability,
) -> anyhow::Result<()> {
    let draft = data.with_extension("new");
    // C.UTF-8 knows letters beyond ASCII and still sorts by code point everywhere alike; not every system has it.
    let mut failure = None;
    for locale in ["C.UTF-8", "C"] {
        if draft.exists() {
            fs::remove_dir_all(&draft)?;
        }
        let mut command = Command::new(binaries.program("initdb"));
        command
            .args(["--encoding=UTF8", "--auth=scram-sha-256", "--no-instructions"])
            .arg(format!("--locale={locale}"))
            // C.UTF-8 sorts the same way, but asks the system for each comparison of a key.
            .arg("--lc-collate=C")
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pwfile")
            .arg(password_file)
            .arg("--pgdata")
            .arg(&draft)
            // initdb wants to be where it may stay, and that is not always where we are.
            .current_dir(draft.parent().unwrap_or(data));
        if durability == Durability::None {
            command.arg("--no-sync");
        }
        account.apply(&mut command);
        let ended = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .output()
            .await
            .context("could not run initdb")?;
        if ended.status.success() {
            return fs::rename(&draft, data).context("could not put the new data folder in its place");
        }
        failure.get_or_insert_with(|| String::from_utf8_lossy(&ended.stderr).trim().to_owned());
    }
    let failure = failure.unwrap_or_default();
    ensure!(failure.is_empty(), "initdb failed: {failure}");
    Ok(())
}
