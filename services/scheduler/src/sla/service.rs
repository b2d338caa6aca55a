//! The SLA policy of a tenant in its versions, from the [`shelf`], and deadlines worked out on request.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    shelf::{self, Kept, Shelf},
};

use super::domain::{Explanation, Policy, Run, Target, explain_runs};
use crate::calendar::{self, domain::Calendar};

impl Kept for Policy {
    const TABLE: &'static str = "policy_version";
    const KIND: Option<&'static str> = Some("sla_policy");
    const COLLECTION: &'static str = "slaPolicies";

    fn built_in() -> Self {
        Self::built_in()
    }
}

/// The version in effect, with its number.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn active(tx: &mut Transaction, tenant: &Tenant) -> Result<(Policy, i32), Refusal> {
    shelf::active(tx, tenant).await
}

/// A version by its number.
///
/// # Errors
/// NOT_FOUND where the tenant has no such version.
pub(crate) async fn version(tx: &mut Transaction, tenant: &Tenant, version: i32) -> Result<Policy, Refusal> {
    shelf::version(tx, tenant, version).await
}

/// A deadline to work out.
#[derive(Debug)]
pub(crate) struct Question {
    /// When the clock ran; the last run has no end.
    pub(crate) runs: Vec<Run>,
    /// How long it may run.
    pub(crate) target: Target,
    /// After which part of it, in percent, it would warn; 0: no warning.
    pub(crate) warn_percent: i32,
}

/// By which calendar.
#[derive(Debug)]
pub(crate) enum CalendarToUse {
    /// The one in effect.
    Active,
    /// A version of the tenant's.
    Version(i32),
    /// One that is tried out.
    Tried(Box<Calendar>),
}

/// A deadline that was worked out.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The deadline and the way to it.
    pub(crate) explanation: Explanation,
    /// The calendar that was applied.
    pub(crate) calendar: Calendar,
    /// Its version; `None` where it was tried out.
    pub(crate) calendar_version: Option<i32>,
}

/// Works out a deadline, and stores nothing.
///
/// # Errors
/// DEADLINE_OUT_OF_REACH; NOT_FOUND for the calendar's version.
pub(crate) async fn compute(
    shelf: &Shelf,
    tenant: &Tenant,
    question: &Question,
    calendar: CalendarToUse,
) -> Result<Answer, Refusal> {
    let mut tx = shelf.database.tenant(tenant).await?;
    let (calendar, calendar_version) = match calendar {
        CalendarToUse::Active => {
            let (calendar, version) = calendar::service::active(&mut tx, tenant).await?;
            (calendar, Some(version))
        }
        CalendarToUse::Version(version) => (
            calendar::service::version(&mut tx, tenant, version).await?,
            Some(version),
        ),
        CalendarToUse::Tried(calendar) => (*calendar, None),
    };
    tx.rollback().await;
    let explanation = explain_runs(&question.runs, question.target, question.warn_percent, &calendar)?;
    let explanation = explanation.ok_or_else(|| Refusal::fault(anyhow::anyhow!("a question without a run")))?;
    Ok(Answer {
        explanation,
        calendar,
        calendar_version,
    })
}
