//! Names that no other test has: not in this process, not beside it, not from an earlier run on the same servers.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// A name of letters, digits and underscores after `prefix`.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // The keys of a RandomState are random, and that is all that a name needs.
    let random = RandomState::new().build_hasher().finish();
    format!("{prefix}_{}_{count}_{random:016x}", process::id())
}
