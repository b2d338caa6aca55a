//! The routing policy of a tenant in its versions, from the [`shelf`].

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    shelf::{self, Kept},
};

use super::{domain::Policy, store};
use crate::{error::Error, work_order::domain::FALLBACK};

impl Kept for Policy {
    const TABLE: &'static str = "policy_version";
    const KIND: Option<&'static str> = Some("routing_policy");
    const COLLECTION: &'static str = "routingPolicies";

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

/// Sees to it that the team of every rule is there. Teams are never deleted, so it stays.
///
/// # Errors
/// TEAM_UNKNOWN with every rule whose team is not.
pub(crate) async fn require_teams(tx: &mut Transaction, tenant: &Tenant, policy: &Policy) -> Result<(), Refusal> {
    let wanted: Vec<String> = policy.rules.iter().map(|rule| rule.team.clone()).collect();
    let found = store::teams(tx, tenant, &wanted).await?;
    // The fallback queue is there from the beginning, whether or not anybody has looked at it.
    let unknown = wanted
        .iter()
        .enumerate()
        .filter(|(_, team)| *team != FALLBACK && !found.contains(team));
    let mut refusal = None;
    for (index, team) in unknown {
        let field = format!("routing_policy.rules[{index}].team");
        refusal = Some(match refusal {
            None => Refusal::from(Error::TeamUnknown {
                team: team.clone(),
                field,
            }),
            Some(refusal) => Refusal::at_field(refusal, &field, "is no team of the tenant"),
        });
    }
    refusal.map_or(Ok(()), Err)
}
