//! The edge of `SourceService`: decode, call, encode.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable};
use huiyin_proto::intake::v1::{
    CreateSourceRequest, DisableSourceRequest, EnableSourceRequest, GetSourceRequest, ListSourcesRequest,
    ListSourcesResponse, RotateSourceSecretRequest, Source, UpdateSourceRequest, source_service_server::SourceService,
};
use tonic::{Request, Response, Status};

use super::{convert, service::SOURCES};
use crate::room::Room;

/// The server of `huiyin.intake.v1.SourceService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

type Answer<T> = Result<Response<T>, Status>;

fn opened<T>(request: Request<T>) -> Result<(Caller, T), Refusal> {
    let caller = Caller::of(&request)?;
    Ok((caller, request.into_inner()))
}

#[tonic::async_trait]
impl SourceService for Api {
    async fn create_source(&self, request: Request<CreateSourceRequest>) -> Answer<Source> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateSource", &request.request_id, &request)?;
        let given = request.source.unwrap_or_default();
        let source = convert::new_source(request.source_id, given, self.0.ledger.clock.now());
        Ok(Response::new(self.0.create_source(&tenant, repeat, source).await?))
    }

    async fn get_source(&self, request: Request<GetSourceRequest>) -> Answer<Source> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child(&caller, &request.name, SOURCES)?;
        Ok(Response::new(self.0.get_source(&tenant, id).await?))
    }

    async fn list_sources(&self, request: Request<ListSourcesRequest>) -> Answer<ListSourcesResponse> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.0.list_sources(&tenant, request.paging()).await?;
        Ok(Response::new(ListSourcesResponse {
            sources: page.entries,
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_source(&self, request: Request<UpdateSourceRequest>) -> Answer<Source> {
        let (caller, request) = opened(request)?;
        let name = request
            .source
            .as_ref()
            .map(|source| source.name.clone())
            .unwrap_or_default();
        let (tenant, id) = name::child(&caller, &name, SOURCES)?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateSource", &request.request_id, &request)?;
        let change = convert::change(request)?;
        Ok(Response::new(self.0.update_source(&tenant, repeat, id, change).await?))
    }

    async fn enable_source(&self, request: Request<EnableSourceRequest>) -> Answer<Source> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child(&caller, &request.name, SOURCES)?;
        let repeat = Repeatable::new(&tenant, &caller, "EnableSource", &request.request_id, &request)?;
        Ok(Response::new(
            self.0.enable_source(&tenant, repeat, id, &request.etag).await?,
        ))
    }

    async fn disable_source(&self, request: Request<DisableSourceRequest>) -> Answer<Source> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child(&caller, &request.name, SOURCES)?;
        let repeat = Repeatable::new(&tenant, &caller, "DisableSource", &request.request_id, &request)?;
        Ok(Response::new(
            self.0
                .disable_source(&tenant, repeat, id, &request.etag, &request.reason)
                .await?,
        ))
    }

    async fn rotate_source_secret(&self, request: Request<RotateSourceSecretRequest>) -> Answer<Source> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child(&caller, &request.name, SOURCES)?;
        let repeat = Repeatable::new(&tenant, &caller, "RotateSourceSecret", &request.request_id, &request)?;
        Ok(Response::new(
            self.0.rotate_source_secret(&tenant, repeat, id, &request.etag).await?,
        ))
    }
}
