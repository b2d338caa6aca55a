//! The retention policy for the wire.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::intake::v1;

use super::store::Policy;

pub(crate) use v1::RetentionPolicy as Answer;

/// The policy for the wire.
pub(crate) fn answer(tenant: &Tenant, policy: &Policy) -> Answer {
    Answer {
        name: format!("{}/retentionPolicy", tenant.name()),
        text_days: policy.text_days,
        contact_days: policy.contact_days,
        etag: policy.revision.to_string(),
        update_time: policy.update_time.map(sql::to_proto),
    }
}
