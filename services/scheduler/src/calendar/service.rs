//! The calendar of a tenant in its versions, from the [`shelf`].

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    shelf::{self, Kept},
};

use super::domain::Calendar;

impl Kept for Calendar {
    const TABLE: &'static str = "policy_version";
    const KIND: Option<&'static str> = Some("calendar");
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
