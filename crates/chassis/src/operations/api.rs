//! `google.longrunning.Operations`, as every service that has operations serves it.

use std::time::Duration;

use huiyin_proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest, ListOperationsResponse,
    Operation, WaitOperationRequest, operations_server,
};
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Operations,
    convert::{self, COLLECTION},
    record::Record,
    store,
};
use crate::{
    auth::Caller,
    call,
    db::Database,
    error::Refusal,
    listing::{Field, Kind, PageKey, PageRequest, PageTokenKey},
    name::{self, Tenant},
    server::Language,
};

/// Whoever waits looks by itself this often: the operation may run in another process.
const LOOK: Duration = Duration::from_millis(300);
/// And answers so long before the deadline of its call.
const MARGIN: Duration = Duration::from_millis(500);

const FIELDS: &[Field] = &[
    Field::at("done", "(end_time IS NOT NULL)", Kind::Bool),
    Field::of("kind", Kind::Text),
    Field::of("author", Kind::Text),
    CREATE_TIME,
    Field::of("end_time", Kind::Time),
];
const CREATE_TIME: Field = Field::of("create_time", Kind::Time);

/// The operations of one service behind their RPCs.
pub(super) struct Api {
    pub(super) database: Database,
    pub(super) operations: Operations,
    pub(super) page_tokens: PageTokenKey,
}

impl Api {
    async fn find(&self, tenant: &Tenant, id: Uuid, name: &str) -> Result<Record, Refusal> {
        let mut tx = self.database.tenant(tenant).await?;
        let found = store::find(&mut tx, tenant, id).await?;
        tx.rollback().await;
        found.ok_or_else(|| Refusal::not_found(name))
    }

    /// The operation when it has ended, or when `until` has come.
    async fn ended(&self, tenant: &Tenant, id: Uuid, name: &str, until: Instant) -> Result<Record, Refusal> {
        let mut ended = self.operations.ended.subscribe();
        loop {
            ended.mark_unchanged();
            let found = self.find(tenant, id, name).await?;
            let left = until.saturating_duration_since(Instant::now());
            if found.end.is_some() || left.is_zero() {
                return Ok(found);
            }
            tokio::select! {
                _ = ended.changed() => {}
                () = tokio::time::sleep(left.min(LOOK)) => {}
            }
        }
    }
}

#[tonic::async_trait]
impl operations_server::Operations for Api {
    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.name)?;
        let page = PageRequest::new(
            &self.page_tokens,
            &tenant,
            "operations",
            request.paging(),
            (FIELDS, &[CREATE_TIME]),
        )?;
        let mut tx = self.database.tenant(&tenant).await?;
        let found = store::list(&mut tx, &tenant, &page).await?;
        tx.rollback().await;
        let page = page.page(&self.page_tokens, found, |record| PageKey {
            time: record.create_time.as_microsecond(),
            id: record.id.into(),
        });
        let operations = page.entries.iter();
        Ok(Response::new(ListOperationsResponse {
            operations: operations
                .map(|record| convert::operation(&tenant, record, language))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn get_operation(&self, request: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let name = request.into_inner().name;
        let (tenant, id) = name::child_uuid(&caller, &name, COLLECTION)?;
        let found = self.find(&tenant, id, &name).await?;
        Ok(Response::new(convert::operation(&tenant, &found, language)))
    }

    async fn delete_operation(&self, request: Request<DeleteOperationRequest>) -> Result<Response<()>, Status> {
        let caller = Caller::of(&request)?;
        let name = request.into_inner().name;
        let (tenant, id) = name::child_uuid(&caller, &name, COLLECTION)?;
        let mut tx = self.database.tenant(&tenant).await?;
        match store::delete(&mut tx, &tenant, id).await? {
            None => return Err(Refusal::not_found(&name).into()),
            Some(false) => return Err(Refusal::state_forbids(&name, "under way", &["CancelOperation"]).into()),
            Some(true) => tx.commit().await?,
        }
        Ok(Response::new(()))
    }

    async fn cancel_operation(&self, request: Request<CancelOperationRequest>) -> Result<Response<()>, Status> {
        let caller = Caller::of(&request)?;
        let name = request.into_inner().name;
        let (tenant, id) = name::child_uuid(&caller, &name, COLLECTION)?;
        let error = convert::kept(Refusal::operation_cancelled());
        let mut tx = self.database.tenant(&tenant).await?;
        if !store::cancel(&mut tx, &tenant, id, &error, self.operations.clock.now()).await? {
            return Err(Refusal::not_found(&name).into());
        }
        tx.commit().await?;
        self.operations.ended.send_modify(|count| *count += 1);
        Ok(Response::new(()))
    }

    async fn wait_operation(&self, request: Request<WaitOperationRequest>) -> Result<Response<Operation>, Status> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let WaitOperationRequest { name, timeout } = request.into_inner();
        let (tenant, id) = name::child_uuid(&caller, &name, COLLECTION)?;
        let now = Instant::now();
        let deadline = call::current().map_or(now, |call| call.deadline);
        let longest = deadline.saturating_duration_since(now).saturating_sub(MARGIN);
        // A timeout below zero is over already.
        let timeout = timeout.map_or(longest, |timeout| Duration::try_from(timeout).unwrap_or_default());
        let found = self.ended(&tenant, id, &name, now + timeout.min(longest)).await?;
        Ok(Response::new(convert::operation(&tenant, &found, language)))
    }
}
