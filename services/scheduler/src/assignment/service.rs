//! Finding somebody for a work order, so that two that are opened at once do not both count on the same free hands.

use huiyin_chassis::{Refusal, Tenant, Transaction};

use super::{
    domain::{Call, Candidate},
    store,
};
use crate::{
    routing::{
        self,
        domain::{Decision, Facts, Pool, Preference},
    },
    work_order::{Assignment, domain::FALLBACK},
};

/// Number of the tier VIP.
const VIP: i32 = 3;

/// Who gets a work order, and why. Whoever it is stays held until the transaction ends; their load is counted when it is stored.
/// Where nobody fits, the fallback queue (003-31).
pub(crate) async fn find(
    tx: &mut Transaction,
    tenant: &Tenant,
    facts: &Facts,
    skills: &[String],
) -> Result<Assignment, Refusal> {
    let (policy, version) = routing::service::active(tx, tenant).await?;
    let decision = policy.decide(facts);
    let by = by(&decision, version);
    let to_fallback = |why: &str| Assignment {
        assignee: String::new(),
        team: FALLBACK.to_owned(),
        reason: format!("{by}: {why}"),
    };
    let team = match &decision.pool {
        Pool::Nobody => return Ok(to_fallback("no rule applies")),
        Pool::AllTeams => None,
        Pool::Team(team) => Some(team.as_str()),
    };
    let call = call(decision.clone(), facts, skills);
    let ranked = call.rank(store::candidates(tx, tenant, team).await?);
    match take(tx, tenant, &call, &ranked).await? {
        Some(chosen) => Ok(Assignment {
            assignee: chosen.subject.clone(),
            team: chosen.team.clone(),
            reason: format!("{by}: {}", why(&call, chosen)),
        }),
        None => Ok(to_fallback("nobody who fits takes work now")),
    }
}

fn by(decision: &Decision, version: i32) -> String {
    if decision.rule.is_empty() {
        format!("routing policy {version}")
    } else {
        format!("rule {} of routing policy {version}", decision.rule)
    }
}

/// The built-in policy asks everybody by skill, and gives a VIP the most skilled (003-30: VIP first); a rule says for itself whom it prefers.
fn call(decision: Decision, facts: &Facts, skills: &[String]) -> Call {
    let everybody = decision.pool == Pool::AllTeams;
    let preference = if everybody && facts.tier == VIP {
        Preference::MostSkilled
    } else {
        decision.preference
    };
    Call {
        required: decision.skills,
        wanted: skills.to_vec(),
        some_wanted: everybody,
        preference,
    }
}

fn why(call: &Call, chosen: &Candidate) -> String {
    let preferred = match call.preference {
        Preference::LeastLoaded => "least loaded",
        Preference::MostSkilled => "most skilled",
    };
    let called_for = if call.wanted.is_empty() {
        "no skill called for".to_owned()
    } else {
        format!("{} of the skills {}", call.matches(chosen), call.wanted.join(", "))
    };
    format!(
        "{preferred}, {called_for}, {} open of capacity {}",
        chosen.open_count, chosen.capacity_weight
    )
}

/// Takes hold of the best who can be held. Where load decides, somebody whom another transaction holds is about to carry more: the
/// next best of the same skills is better. Where skill decides, the best is waited for.
async fn take<'c>(
    tx: &mut Transaction,
    tenant: &Tenant,
    call: &Call,
    ranked: &'c [Candidate],
) -> Result<Option<&'c Candidate>, Refusal> {
    let Some(best) = ranked.first() else { return Ok(None) };
    let ids = |candidates: &[Candidate]| {
        candidates
            .iter()
            .map(|candidate| candidate.id.clone())
            .collect::<Vec<_>>()
    };
    let mut taken = None;
    if call.preference == Preference::LeastLoaded {
        let peers = ranked
            .iter()
            .take_while(|candidate| call.matches(candidate) == call.matches(best))
            .count();
        taken = store::take_free(tx, tenant, &ids(&ranked[..peers])).await?;
    }
    if taken.is_none() {
        taken = store::take(tx, tenant, &ids(ranked)).await?;
    }
    Ok(taken.and_then(|id| ranked.iter().find(|candidate| candidate.id == id)))
}
