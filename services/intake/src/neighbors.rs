//! Whom the room asks: every other service, for what it holds on a customer.

use huiyin_chassis::{
    Refusal,
    client::{self, Neighbor},
    sql,
};
use huiyin_events::Whose;
use huiyin_proto::event::v1::{
    EraseCustomerDataRequest, ExportCustomerDataRequest, customer_data_service_client::CustomerDataServiceClient,
};
use tonic::Status;
use uuid::Uuid;

use crate::erasure::store::RoomDone;

/// The neighbours. One whose URL is missing is found out when it is asked: whoever erases nobody needs none.
#[derive(Debug, Clone)]
pub(crate) struct Neighbors(client::Neighbors);

impl Neighbors {
    pub(crate) fn new(others: &client::Neighbors) -> Self {
        Self(others.clone())
    }

    /// Has a service do one part of an erasure; what it did, or none where it needs more time. Without a customer it blanks what its
    /// tables hold of the feedbacks.
    ///
    /// # Errors
    /// UNAVAILABLE where it is not configured, cannot be asked, or refuses.
    pub(crate) async fn erase(
        &self,
        service: &str,
        whose: &Whose,
        erasure: Uuid,
        part: i32,
    ) -> Result<Option<RoomDone>, Refusal> {
        let request = EraseCustomerDataRequest {
            parent: whose.tenant.name(),
            erasure: erasure.to_string(),
            part,
            customers: whose.customers.clone(),
            feedbacks: whose.feedbacks.clone(),
            // Nobody is erased where nobody is named.
            tables_only: whose.customers.is_empty(),
        };
        let answer = self.client(service)?.erase_customer_data(request).await;
        let answer = answer.map_err(|status| unavailable(service, &status))?.into_inner();
        Ok(answer.done.then(|| RoomDone {
            parts: 1,
            counts: answer
                .counts
                .into_iter()
                .map(|count| (count.kind, count.count))
                .collect(),
            complete_time: sql::from_proto(answer.complete_time.as_ref()),
        }))
    }

    /// Everything that a service holds on a customer.
    ///
    /// # Errors
    /// UNAVAILABLE where it is not configured, cannot be asked, or refuses.
    pub(crate) async fn export(&self, service: &str, whose: &Whose) -> Result<Vec<String>, Refusal> {
        let request = ExportCustomerDataRequest {
            parent: whose.tenant.name(),
            customers: whose.customers.clone(),
            feedbacks: whose.feedbacks.clone(),
        };
        let answer = self.client(service)?.export_customer_data(request).await;
        let mut parts = answer.map_err(|status| unavailable(service, &status))?.into_inner();
        let mut lines = Vec::new();
        while let Some(part) = parts.message().await.map_err(|status| unavailable(service, &status))? {
            lines.extend(part.lines);
        }
        Ok(lines)
    }

    fn client(&self, service: &str) -> Result<CustomerDataServiceClient<Neighbor>, Refusal> {
        let neighbor = self.0.connect(service);
        neighbor
            .map(CustomerDataServiceClient::new)
            .map_err(Refusal::unavailable)
    }
}

fn unavailable(service: &str, status: &Status) -> Refusal {
    Refusal::unavailable(format!("{service}: {:?}: {}", status.code(), status.message()))
}
