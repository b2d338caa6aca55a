//! `CustomerDataService`: what intake asks of every other service about a customer.

use std::{collections::BTreeMap, pin::Pin, sync::Arc};

use futures::Stream;
use huiyin_chassis::{Caller, Refusal, Tenant, name, sql};
use huiyin_proto::event::v1::{
    EraseCustomerDataRequest, EraseCustomerDataResponse, ErasedCount, ExportCustomerDataRequest,
    ExportCustomerDataResponse, customer_data_service_server::CustomerDataService,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{Consume, Eraser, Whose};

/// An answer of an export is about so large: below the 4 MiB that a client takes.
const PART: usize = 1 << 20;

/// See the file.
#[derive(Debug)]
pub(crate) struct Api<C> {
    pub(crate) eraser: Eraser,
    pub(crate) room: Arc<C>,
}

#[tonic::async_trait]
impl<C: Consume> CustomerDataService for Api<C> {
    async fn erase_customer_data(
        &self,
        request: Request<EraseCustomerDataRequest>,
    ) -> Result<Response<EraseCustomerDataResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let erasure =
            Uuid::try_parse(&request.erasure).map_err(|_| Refusal::invalid_field("erasure", "must be a UUID"))?;
        let whose = whose(tenant, request.customers, request.feedbacks)?;
        if whose.customers.is_empty() && !request.tables_only {
            return Err(Refusal::invalid_field("customers", "must name somebody").into());
        }
        let standing = if request.tables_only {
            self.eraser.blank_tables(&whose, &*self.room).await?
        } else {
            self.eraser.erase(&whose, erasure, request.part, &*self.room).await?
        };
        Ok(Response::new(EraseCustomerDataResponse {
            done: standing.complete_time.is_some(),
            counts: counts(standing.counts),
            complete_time: standing.complete_time.map(sql::to_proto),
        }))
    }

    type ExportCustomerDataStream = Pin<Box<dyn Stream<Item = Result<ExportCustomerDataResponse, Status>> + Send>>;

    async fn export_customer_data(
        &self,
        request: Request<ExportCustomerDataRequest>,
    ) -> Result<Response<Self::ExportCustomerDataStream>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let whose = whose(tenant, request.customers, request.feedbacks)?;
        let mut tx = self.eraser.database.tenant(&whose.tenant).await?;
        let lines = self.room.export(&mut tx, &whose).await?;
        tx.commit().await?;
        let parts = in_parts(lines)
            .into_iter()
            .map(|lines| Ok(ExportCustomerDataResponse { lines }));
        Ok(Response::new(Box::pin(futures::stream::iter(parts))))
    }
}

/// Names of another tenant are nobody's business here.
fn whose(tenant: Tenant, customers: Vec<String>, feedbacks: Vec<String>) -> Result<Whose, Refusal> {
    let own = format!("{}/", tenant.name());
    for (field, names) in [("customers", &customers), ("feedbacks", &feedbacks)] {
        if let Some(other) = names.iter().find(|name| !name.starts_with(&own)) {
            return Err(Refusal::invalid_field(
                field,
                format!("{other} is not of {}", tenant.name()),
            ));
        }
    }
    Ok(Whose {
        tenant,
        customers,
        feedbacks,
    })
}

/// Counts for the wire.
pub fn counts(counts: BTreeMap<String, i64>) -> Vec<ErasedCount> {
    counts
        .into_iter()
        .map(|(kind, count)| ErasedCount { kind, count })
        .collect()
}

/// Lines in answers that any client takes.
pub fn in_parts(lines: Vec<String>) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut bytes = PART;
    for line in lines {
        if bytes + line.len() > PART {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += line.len();
        if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    parts
}
