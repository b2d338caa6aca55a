//! Handing out everything that is held on a customer: intake's own, opened, and what each other service answers.

use std::{collections::VecDeque, sync::Arc};

use futures::{Stream, StreamExt as _};
use huiyin_chassis::{Refusal, Tenant};
use huiyin_events::{Whose, in_parts};
use serde_json::json;
use uuid::Uuid;

use super::{operation::parts, service::ROOMS, store, store_around};
use crate::{
    customer::{self, service::missing},
    events::CUSTOMERS,
    room::Room,
    vault::Sealed,
};

/// So many feedbacks of intake are opened at a time.
const OPENED: usize = 200;

/// Some lines, and the service that holds them.
pub(crate) type Lines = (&'static str, Vec<String>);

/// What is still to be asked.
enum Step {
    Own(Vec<Uuid>),
    Room(&'static str, Whose),
}

impl Room {
    /// Everything that is held on a customer. Who asked is logged.
    pub(crate) async fn export_customer(
        self: &Arc<Self>,
        tenant: &Tenant,
        id: Uuid,
        caller: &str,
    ) -> Result<impl Stream<Item = Result<Lines, Refusal>> + Send + 'static, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let customer = self
            .read_customer(&mut tx, tenant, id)
            .await?
            .ok_or_else(|| missing(tenant, id))?;
        let feedbacks = store::feedbacks(&mut tx, tenant, id).await?;
        let mut names = store::tokens(&mut tx, tenant, id).await?;
        tx.commit().await?;
        if !names.contains(&id) {
            names.push(id);
        }
        tracing::info!(
            caller,
            customer = tenant.child(CUSTOMERS, id),
            "what is held on a customer is handed out"
        );
        let mut steps: VecDeque<Step> = feedbacks.chunks(OPENED).map(|ids| Step::Own(ids.to_vec())).collect();
        for room in ROOMS.into_iter().skip(1) {
            let parts = parts(tenant, &names, &feedbacks);
            steps.extend(parts.into_iter().map(|whose| Step::Room(room, whose)));
        }
        let first = about(tenant, &customer);
        let rest = futures::stream::try_unfold(
            (Arc::clone(self), tenant.clone(), steps),
            |(room, tenant, mut steps)| async {
                let Some(step) = steps.pop_front() else { return Ok(None) };
                let (service, lines) = match step {
                    Step::Own(ids) => (ROOMS[0], room.own_lines(&tenant, &ids).await?),
                    Step::Room(service, whose) => (service, room.neighbors.export(service, &whose).await?),
                };
                let parts = in_parts(lines).into_iter().map(move |lines| Ok((service, lines)));
                Ok::<_, Refusal>(Some((futures::stream::iter(parts), (room, tenant, steps))))
            },
        );
        let rest = rest.flat_map(|parts| match parts {
            Ok(parts) => parts.left_stream(),
            Err(refusal) => futures::stream::iter([Err(refusal)]).right_stream(),
        });
        Ok(futures::stream::iter([Ok((ROOMS[0], vec![first]))]).chain(rest))
    }

    /// Feedbacks with what is sealed of them opened, then what hangs on them.
    async fn own_lines(&self, tenant: &Tenant, ids: &[Uuid]) -> Result<Vec<String>, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let held = store::held(&mut tx, tenant, ids).await?;
        let around = store_around::lines(&mut tx, tenant, ids).await?;
        tx.commit().await?;
        let mut lines = Vec::with_capacity(held.len() + around.len());
        for held in held {
            let key = held
                .key()
                .map(|wrapped| self.vault.unwrap(tenant, held.owner, &wrapped))
                .transpose()?;
            let mut line = held.line.clone();
            line["kind"] = json!("feedback");
            if let Some(sealed) = &held.contact_sealed {
                line["contact"] = json!(self.vault.contact(tenant, held.id, key.as_ref(), sealed)?);
            }
            if let (Some(sealed), Some(key)) = (&held.verbatim_sealed, &key) {
                let opened = key.open(tenant, held.id, Sealed::Verbatim, sealed).ok_or_else(|| {
                    Refusal::fault(anyhow::anyhow!("the words of feedback {} cannot be opened", held.id))
                })?;
                let words: serde_json::Value = serde_json::from_slice(&opened).map_err(Refusal::fault)?;
                line["verbatim"] = words;
            }
            lines.push(line.to_string());
        }
        lines.extend(around);
        Ok(lines)
    }
}

/// What is said of the customer itself.
fn about(tenant: &Tenant, customer: &customer::domain::Customer) -> String {
    let said = &customer.attributes;
    json!({
        "kind": "customer",
        "name": tenant.child(CUSTOMERS, customer.id),
        "tier": said.tier,
        "payment": said.payment,
        "since_time": said.since.map(|time| time.to_string()),
        "region": said.region,
        "age_band": said.age_band,
        "industry": said.industry,
        "custom": said.custom,
        "segments": customer.segments,
        "feedback_count": customer.history.count,
        "identity_count": customer.identities,
    })
    .to_string()
}
