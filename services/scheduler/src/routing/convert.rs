//! Routing policies on the wire.

use huiyin_chassis::{
    Refusal, Tenant,
    shelf::{Edition, Title},
    sql,
};
use huiyin_proto::scheduler::v1::{self, AgentPreference};

use super::domain::{Policy, Preference, Rule, SkillNeed};
use crate::condition::convert::{from_proto, to_proto};

/// A policy as a caller sends it; its output-only fields are ignored.
///
/// # Errors
/// FIELDS_INVALID with every entry that does not fit, below `field`.
pub(crate) fn new_edition(policy: v1::RoutingPolicy, field: &str) -> Result<(Title, Policy), Refusal> {
    let title = Title {
        display_name: policy.display_name,
        change_reason: policy.change_reason,
    };
    let policy = Policy {
        rules: policy.rules.into_iter().map(rule).collect(),
    };
    let problems = policy.problems();
    if problems.is_empty() {
        return Ok((title, policy));
    }
    Err(Refusal::invalid(
        problems
            .into_iter()
            .map(|(at, what)| (format!("{field}.{at}"), what))
            .collect(),
    ))
}

fn rule(rule: v1::RoutingRule) -> Rule {
    Rule {
        preference: match rule.preference() {
            AgentPreference::MostSkilled => Preference::MostSkilled,
            AgentPreference::Unspecified | AgentPreference::LeastLoaded => Preference::LeastLoaded,
        },
        key: rule.key,
        condition: from_proto(rule.condition),
        team: rule.team,
        required_skills: rule
            .required_skills
            .into_iter()
            .map(|skill| SkillNeed {
                key: skill.key,
                min_level: skill.level,
            })
            .collect(),
    }
}

fn rule_to_proto(rule: &Rule) -> v1::RoutingRule {
    let preference = match rule.preference {
        Preference::LeastLoaded => AgentPreference::LeastLoaded,
        Preference::MostSkilled => AgentPreference::MostSkilled,
    };
    v1::RoutingRule {
        key: rule.key.clone(),
        condition: to_proto(&rule.condition),
        team: rule.team.clone(),
        required_skills: rule
            .required_skills
            .iter()
            .map(|skill| v1::Skill {
                key: skill.key.clone(),
                level: skill.min_level,
            })
            .collect(),
        preference: preference.into(),
    }
}

/// A version for the wire.
pub(crate) fn edition(tenant: &Tenant, edition: &Edition<Policy>) -> v1::RoutingPolicy {
    v1::RoutingPolicy {
        name: edition.name(tenant),
        version: edition.version,
        display_name: edition.title.display_name.clone(),
        change_reason: edition.title.change_reason.clone(),
        rules: edition.content.rules.iter().map(rule_to_proto).collect(),
        active: edition.active,
        author: edition.author.clone(),
        etag: edition.revision.to_string(),
        create_time: edition.create_time.map(sql::to_proto),
        activate_time: edition.activate_time.map(sql::to_proto),
    }
}
