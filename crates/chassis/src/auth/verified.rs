//! Bearer tokens that were verified a moment ago: a signature costs more than all the rest of a small call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::Caller;
use crate::secret;

/// A token is looked at again after so many seconds: its key may have been withdrawn.
const FRESH_SECONDS: i64 = 60;
/// So many are remembered; then all are forgotten, which costs each one verification.
const MOST: usize = 8192;

/// Who is behind which token, by its hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Verified(Arc<Mutex<HashMap<[u8; 32], Entry>>>);

#[derive(Debug, Clone)]
struct Entry {
    caller: Caller,
    from: i64,
    until: i64,
}

/// The hash of a token.
pub(super) fn key(token: &str) -> [u8; 32] {
    secret::hash(token.as_bytes())
}

impl Verified {
    /// The party behind a token, where it was verified a moment ago and is good now.
    pub(super) fn find(&self, key: &[u8; 32], now: Timestamp) -> Option<Caller> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key)?;
        (entry.from..=entry.until)
            .contains(&now.as_second())
            .then(|| entry.caller.clone())
    }

    /// Remembers a token that is good in these seconds.
    pub(super) fn remember(&self, key: [u8; 32], caller: &Caller, (nbf, exp): (i64, i64), now: Timestamp) {
        let now = now.as_second();
        let entry = Entry {
            caller: caller.clone(),
            // A clock that was set back since makes it a stranger again.
            from: nbf.max(now - FRESH_SECONDS),
            until: exp.min(now + FRESH_SECONDS),
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(key, entry);
    }
}
