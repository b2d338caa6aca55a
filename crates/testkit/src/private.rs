//! A Redis or Postgres that belongs to one test alone, to be wiped, stopped, restarted or killed.

use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
};

use huiyin_embedded::{Durability, Postgres, PostgresOptions, Redis};

use crate::name;

/// A server of one test; it ends with this value, and its folder goes with it.
#[derive(Debug)]
pub struct Private<T> {
    // Before the folder: the server is down before its files go.
    server: T,
    _folder: Folder,
}

/// A Redis of the test's own, ready to use (about 50 ms).
///
/// # Panics
/// No redis-server is installed, or it does not start.
pub async fn private_redis() -> Private<Redis> {
    let folder = Folder::new();
    let server = Redis::start(&folder.0)
        .await
        .unwrap_or_else(|error| panic!("could not start a redis for the test: {error:#}"))
        .unwrap_or_else(|| panic!("no redis-server is installed: `make tools` sees to it"));
    Private {
        server,
        _folder: folder,
    }
}

/// A Postgres of the test's own (about 2 s): only for tests that stop or crash it; others take [`database`](crate::database).
///
/// `durability` must be [`Durability::Full`] where the test is about what survives.
///
/// # Panics
/// Postgres is not installed, or it does not start.
pub async fn private_postgres(durability: Durability) -> Private<Postgres> {
    let folder = Folder::new();
    let server = Postgres::start(&folder.0, PostgresOptions::new(durability))
        .await
        .unwrap_or_else(|error| panic!("could not start a postgres for the test: {error:#}"));
    Private {
        server,
        _folder: folder,
    }
}

impl<T> Deref for Private<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.server
    }
}

impl<T> DerefMut for Private<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.server
    }
}

/// Removed when dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(name::unique("huiyin_test")))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = huiyin_embedded::remove(&self.0) {
            eprintln!("{error:#}");
        }
    }
}
