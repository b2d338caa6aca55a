//! Agents on the wire.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::scheduler::v1;
pub(crate) use huiyin_proto::scheduler::v1::Agent as Answer;

use super::domain::{Agent, Profile, Skill};

/// An agent for the wire.
pub(crate) fn agent(tenant: &Tenant, agent: &Agent) -> Answer {
    let profile = agent.profile.clone();
    v1::Agent {
        name: tenant.child("agents", &agent.id),
        subject: agent.subject.clone(),
        display_name: profile.display_name,
        team: profile.team,
        skills: profile
            .skills
            .into_iter()
            .map(|skill| v1::Skill {
                key: skill.key,
                level: skill.level.into(),
            })
            .collect(),
        capacity_weight: profile.capacity_weight,
        open_limit: profile.open_limit,
        available: profile.available,
        supervisor: profile.supervisor,
        email: profile.email,
        language: profile.language,
        open_work_orders: agent.open_count,
        etag: agent.revision.to_string(),
        create_time: Some(sql::to_proto(agent.create_time)),
        update_time: Some(sql::to_proto(agent.update_time)),
    }
}

/// What a caller says of an agent; the output-only fields are left.
pub(crate) fn profile(agent: v1::Agent) -> Profile {
    Profile {
        display_name: agent.display_name,
        team: agent.team,
        // The proto's rules keep the level between 1 and 5.
        skills: agent
            .skills
            .into_iter()
            .map(|skill| Skill {
                key: skill.key,
                level: i16::try_from(skill.level).unwrap_or(i16::MAX),
            })
            .collect(),
        capacity_weight: agent.capacity_weight,
        open_limit: agent.open_limit,
        available: agent.available,
        supervisor: agent.supervisor,
        email: agent.email,
        language: agent.language,
    }
}
