//! The edge of `ApiKeyService`: decode, call, encode.

use std::sync::Arc;

use huiyin_chassis::{Caller, name, repeat::Repeatable, sql};
use huiyin_proto::intake::v1::{
    ApiKey, CreateApiKeyRequest, GetApiKeyRequest, ListApiKeysRequest, ListApiKeysResponse, RevokeApiKeyRequest,
    RotateApiKeyRequest, UpdateApiKeyRequest, VerifyApiKeyRequest, VerifyApiKeyResponse,
    api_key_service_server::ApiKeyService,
};
use tonic::{Request, Response, Status};

use super::{convert, service::API_KEYS};
use crate::room::Room;

/// The server of `huiyin.intake.v1.ApiKeyService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ApiKeyService for Api {
    async fn create_api_key(&self, request: Request<CreateApiKeyRequest>) -> Answer<ApiKey> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateApiKey", &request.request_id, &request)?;
        let (id, given) = (request.api_key_id, request.api_key.unwrap_or_default());
        let api_key = convert::new(id, given, caller.subject.clone(), self.0.ledger.clock.now())?;
        Ok(Response::new(
            self.0.create_api_key(&tenant, &caller, repeat, api_key).await?,
        ))
    }

    async fn get_api_key(&self, request: Request<GetApiKeyRequest>) -> Answer<ApiKey> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let (tenant, id) = name::child(&caller, &request.name, API_KEYS)?;
        Ok(Response::new(self.0.get_api_key(&tenant, id).await?))
    }

    async fn list_api_keys(&self, request: Request<ListApiKeysRequest>) -> Answer<ListApiKeysResponse> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.0.list_api_keys(&tenant, request.paging()).await?;
        Ok(Response::new(ListApiKeysResponse {
            api_keys: page.entries,
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_api_key(&self, request: Request<UpdateApiKeyRequest>) -> Answer<ApiKey> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let name = request.api_key.as_ref().map(|key| key.name.clone()).unwrap_or_default();
        let (tenant, id) = name::child(&caller, &name, API_KEYS)?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateApiKey", &request.request_id, &request)?;
        let change = convert::change(request)?;
        Ok(Response::new(
            self.0.update_api_key(&tenant, &caller, repeat, id, change).await?,
        ))
    }

    async fn rotate_api_key(&self, request: Request<RotateApiKeyRequest>) -> Answer<ApiKey> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let (tenant, id) = name::child(&caller, &request.name, API_KEYS)?;
        let repeat = Repeatable::new(&tenant, &caller, "RotateApiKey", &request.request_id, &request)?;
        let rotated = self
            .0
            .rotate_api_key(&tenant, &caller, repeat, id, &request.etag, request.overlap);
        Ok(Response::new(rotated.await?))
    }

    async fn revoke_api_key(&self, request: Request<RevokeApiKeyRequest>) -> Answer<ApiKey> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let (tenant, id) = name::child(&caller, &request.name, API_KEYS)?;
        let repeat = Repeatable::new(&tenant, &caller, "RevokeApiKey", &request.request_id, &request)?;
        let revoked = self
            .0
            .revoke_api_key(&tenant, repeat, id, &request.etag, request.reason.clone());
        Ok(Response::new(revoked.await?))
    }

    async fn verify_api_key(&self, request: Request<VerifyApiKeyRequest>) -> Answer<VerifyApiKeyResponse> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let (tenant, id) = name::child(&caller, &request.name, API_KEYS)?;
        let (api_key, until) = self.0.verify_api_key(&tenant, id, &request.hash).await?;
        Ok(Response::new(VerifyApiKeyResponse {
            roles: api_key.roles,
            expire_time: until.map(sql::to_proto),
            calls_per_second: api_key.calls_per_second,
        }))
    }
}
