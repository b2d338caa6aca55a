//! Teams on the wire.

use huiyin_chassis::{Tenant, sql};
pub(crate) use huiyin_proto::scheduler::v1::Team as Answer;

use super::domain::Team;

/// A team for the wire.
pub(crate) fn team(tenant: &Tenant, team: &Team) -> Answer {
    Answer {
        name: tenant.child("teams", &team.id),
        display_name: team.display_name.clone(),
        department: team.department.clone(),
        open_work_orders: i32::try_from(team.open_count).unwrap_or(i32::MAX),
        etag: team.revision.to_string(),
        create_time: Some(sql::to_proto(team.create_time)),
        update_time: Some(sql::to_proto(team.update_time)),
    }
}
