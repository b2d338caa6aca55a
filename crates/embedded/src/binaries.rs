//! Where the programs of Postgres are on this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

/// What a person types where there is no Postgres.
const INSTALL: &str = "sudo apt-get install postgresql   (macOS: brew install postgresql)";

/// One installed Postgres: the folder with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    version: u32,
}

impl Binaries {
    /// The first usable one of: what `pg_config` names, the usual places (newest first), the PATH.
    ///
    /// # Errors
    /// None is installed; the error says the line that installs it.
    pub(crate) fn find() -> anyhow::Result<Self> {
        found()
            .into_iter()
            .next()
            .with_context(|| format!("no postgres server is installed here: {INSTALL}"))
    }

    /// The one that can open `data`: data belongs to the major version that made it.
    pub(crate) fn for_data(data: &Path) -> anyhow::Result<Self> {
        let Ok(text) = fs::read_to_string(data.join("PG_VERSION")) else {
            return Self::find();
        };
        let version: u32 = text
            .trim()
            .parse()
            .with_context(|| format!("{} has an unknown version", data.display()))?;
        let found = found();
        if let Some(binaries) = found.iter().find(|binaries| binaries.version == version) {
            return Ok(binaries.clone());
        }
        let here: Vec<_> = found.iter().map(|binaries| binaries.version.to_string()).collect();
        bail!(
            "{} was made by postgres {version}, and installed here is: {}; install that version, or move the folder away to start anew",
            data.display(),
            if here.is_empty() {
                "none".to_owned()
            } else {
                here.join(", ")
            }
        )
    }

    /// The folder that the programs are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version, such as 15.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Debian's `pg_config` may be there without a server, so both programs must exist and answer.
    fn at(folder: &Path) -> Option<Self> {
        // A link in the PATH leads to the folder where the others are as well.
        let folder = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
        folder.join("initdb").is_file().then_some(())?;
        let answer = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let version = major(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Self { folder, version })
    }
}

/// Every usable Postgres, in the order of preference.
fn found() -> Vec<Binaries> {
    let mut all = Vec::new();
    for folder in candidates() {
        if let Some(binaries) = Binaries::at(&folder)
            && !all.contains(&binaries)
        {
            all.push(binaries);
        }
    }
    all
}

/// Folders where the programs may be.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()));
    }
    folders.extend(
        versions("/usr/lib/postgresql", "")
            .into_iter()
            .map(|folder| folder.join("bin")),
    );
    folders.extend(versions("/usr", "pgsql-").into_iter().map(|folder| folder.join("bin")));
    folders.push("/usr/local/pgsql/bin".into());
    for brew in ["/opt/homebrew/opt", "/usr/local/opt"] {
        folders.extend(
            versions(brew, "postgresql")
                .into_iter()
                .map(|folder| folder.join("bin")),
        );
    }
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    folders
}

/// The folders in `parent` named `prefix`, then a version; newest first.
fn versions(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(prefix)?.trim_start_matches('@');
            let version = if rest.is_empty() { 0 } else { rest.parse().ok()? };
            Some((version, entry.path()))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

/// 15 from "postgres (PostgreSQL) 15.18 (Debian …)".
fn major(text: &str) -> Option<u32> {
    let number = text.split_whitespace().nth(2)?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_kind_of_answer() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn the_newest_version_comes_first_and_other_folders_are_passed_over() {
        let parent = std::env::temp_dir().join(format!("huiyin-versions-{}", std::process::id()));
        for name in ["9", "15", "16", "share"] {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        let found = versions(parent.to_str().unwrap(), "");
        fs::remove_dir_all(&parent).unwrap();
        assert_eq!(found, ["16", "15", "9"].map(|name| parent.join(name)));
    }

    #[test]
    fn a_folder_without_a_server_is_none() {
        assert_eq!(Binaries::at(&std::env::temp_dir()), None);
    }
}
