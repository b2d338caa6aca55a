//! The calendar of a tenant in its versions, from the [`shelf`](crate::shelf).

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::domain::Calendar;
use crate::shelf::{self, Kept};

impl Kept for Calendar {
    const KIND: &'static str = "calendar";
    const COLLECTION: &'static str = "calendars";

    fn built_in() -> Self {
        Self::built_in()
    }
}

/// The version in effect, with its number.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn active(tx: &mut Transaction, tenant: &Tenant) -> Result<(Calendar, i32), Refusal> {
    shelf::active(tx, tenant).await
}

/// A version by its number.
///
/// # Errors
/// NOT_FOUND where the tenant has no such version.
pub(crate) async fn version(tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<Calendar, Refusal> {
    shelf::version(tx, tenant, version).await
}
