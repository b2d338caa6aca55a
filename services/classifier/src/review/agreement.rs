//! The use case of agreement: how well people agree on the labels of a task.

use huiyin_chassis::{Refusal, Tenant};

use super::{
    convert::{self, AgreementAnswer},
    domain_agreement::Agreement,
    store_agreement::{self, Which},
};
use crate::{model, room::Room};

/// How well people agree on these labels.
pub(super) async fn get(room: &Room, tenant: &Tenant, which: Which<'_>) -> Result<AgreementAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    model::existing_task(&mut tx, tenant, which.task).await?;
    let coded = store_agreement::coded(&mut tx, tenant, which).await?;
    let settled = store_agreement::settled(&mut tx, tenant, which).await?;
    tx.rollback().await;
    Ok(convert::agreement(tenant, which.task, &Agreement::of(&coded, &settled)))
}
