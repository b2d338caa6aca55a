//! The folder of a server: where it really is, who may read it, and that only one of us uses it at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};

use crate::account::Account;

/// A folder that is ours until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    /// Held open: the system gives the lock back when we end, however we end.
    _lock: File,
}

impl Place {
    /// Makes `folder` (mode 0700) where it is missing, and claims it for this process and `account`.
    ///
    /// Where the account cannot reach it (root's project under /root), a folder in the system's temporary one stands in.
    pub(crate) fn claim(folder: &Path, account: Account) -> anyhow::Result<Self> {
        let asked = make(folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
        account.own(&asked)?;
        let folder = if account.can_use(&asked) {
            asked
        } else {
            let other = stand_in(&asked);
            adopt(&other, account)?;
            ensure!(
                account.can_use(&other),
                "the account of postgres can use neither {} nor {}",
                asked.display(),
                other.display()
            );
            tracing::warn!(asked = %asked.display(), used = %other.display(), "postgres cannot reach this folder; its data is kept elsewhere");
            other
        };
        let lock = lock(&folder)?;
        Ok(Self { folder, _lock: lock })
    }

    /// The folder that is really used.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file or folder in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Removes a server's folder and all that is in it, wherever it really is; one that is not there is no error.
///
/// # Errors
/// Something in it cannot be removed.
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    let Ok(asked) = folder.canonicalize() else {
        return Ok(());
    };
    for folder in [stand_in(&asked), asked] {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("could not remove {}", folder.display()))?;
        }
    }
    Ok(())
}

/// Makes a folder that only its owner can read; its parents are made as usual.
fn make(folder: &Path) -> anyhow::Result<PathBuf> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    if !folder.is_dir() {
        DirBuilder::new().mode(0o700).create(folder)?;
    }
    Ok(folder.canonicalize()?)
}

/// The folder in the system's temporary one that stands in for `asked`: the same each time.
fn stand_in(asked: &Path) -> PathBuf {
    // FNV-1a: a name that stays the same from one compiler to the next.
    let hash = asked
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    std::env::temp_dir().join(format!("huiyin-{hash:016x}"))
}

/// Makes the stand-in, or takes the one of last time; the temporary folder is everybody's, so it must be truly ours.
fn adopt(folder: &Path, account: Account) -> anyhow::Result<()> {
    if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error).with_context(|| format!("could not make the folder {}", folder.display()));
    }
    let found = fs::symlink_metadata(folder)?;
    ensure!(
        found.is_dir() && account.is_or_us(found.uid()),
        "{} is there already and belongs to somebody else",
        folder.display()
    );
    account.own(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// Takes the lock that stands for "in use".
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another process is using {}: stop it first, or choose another folder",
                folder.display()
            )
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("could not lock {}", path.display())),
    }
}
