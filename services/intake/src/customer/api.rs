//! The edge of `CustomerService`: decode, call, encode.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use huiyin_chassis::{Caller, Refusal, Tenant, mask::mask, name, repeat::Repeatable, server::Language};
use huiyin_proto::intake::v1::{self, customer_service_server::CustomerService};
use tonic::{Request, Response, Status};

use super::{convert, service::Edit};
use crate::{erasure, events::CUSTOMERS, retention, room::Room};

/// The server of `huiyin.intake.v1.CustomerService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CustomerService for Api {
    async fn get_customer(&self, request: Request<v1::GetCustomerRequest>) -> Answer<v1::Customer> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, CUSTOMERS)?;
        Ok(Response::new(convert::customer(
            &tenant,
            self.0.customer(&tenant, id).await?,
        )))
    }

    async fn resolve_customer(&self, request: Request<v1::ResolveCustomerRequest>) -> Answer<v1::Customer> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let identity = request.identity.unwrap_or_default();
        let token = convert::token(&self.0.vault, &tenant, identity, "identity", language)?;
        let customer = self.0.resolve_customer(&tenant, token).await?;
        Ok(Response::new(convert::customer(&tenant, customer)))
    }

    async fn update_customer(&self, request: Request<v1::UpdateCustomerRequest>) -> Answer<v1::Customer> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let customer = request.customer.clone().unwrap_or_default();
        let (tenant, id) = name::child_uuid(&caller, &customer.name, CUSTOMERS)?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateCustomer", &request.request_id, &request)?;
        let (name, etag) = (customer.name.clone(), customer.etag.clone());
        let edit = Edit {
            id,
            name: &name,
            etags: [&request.etag, &etag],
            paths: request.update_mask.as_ref().map(|mask| mask.paths.as_slice()),
            said: convert::attributes(customer)?,
        };
        Ok(Response::new(self.0.update_customer(&tenant, edit, repeat).await?))
    }

    async fn link_identities(&self, request: Request<v1::LinkIdentitiesRequest>) -> Answer<v1::Customer> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "LinkIdentities", &request.request_id, &request)?;
        let mut tokens = Vec::with_capacity(request.identities.len());
        for (place, identity) in request.identities.into_iter().enumerate() {
            tokens.push(convert::token(
                &self.0.vault,
                &tenant,
                identity,
                &format!("identities[{place}]"),
                language,
            )?);
        }
        Ok(Response::new(self.0.link_identities(&tenant, &tokens, repeat).await?))
    }

    async fn unlink_identity(&self, request: Request<v1::UnlinkIdentityRequest>) -> Answer<v1::Customer> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let (tenant, id) = name::child_uuid(&caller, &request.customer, CUSTOMERS)?;
        let repeat = Repeatable::new(&tenant, &caller, "UnlinkIdentity", &request.request_id, &request)?;
        let identity = request.identity.unwrap_or_default();
        let token = convert::token(&self.0.vault, &tenant, identity, "identity", language)?;
        Ok(Response::new(self.0.unlink_identity(&tenant, id, token, repeat).await?))
    }

    async fn get_segment_policy(&self, request: Request<v1::GetSegmentPolicyRequest>) -> Answer<v1::SegmentPolicy> {
        let caller = Caller::of(&request)?;
        let tenant = only(&caller, &request.get_ref().name, "segmentPolicy")?;
        let (segments, revision, time) = self.0.segments(&tenant).await?;
        Ok(Response::new(convert::segment_policy(
            &tenant, segments, revision, time,
        )))
    }

    async fn update_segment_policy(
        &self,
        request: Request<v1::UpdateSegmentPolicyRequest>,
    ) -> Answer<v1::SegmentPolicy> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let policy = request.segment_policy.clone().unwrap_or_default();
        let tenant = only(&caller, &policy.name, "segmentPolicy")?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateSegmentPolicy", &request.request_id, &request)?;
        let (etag, name) = (policy.etag.clone(), policy.name.clone());
        let segments = convert::segments(policy)?;
        Ok(Response::new(
            self.0.set_segments(&tenant, segments, &etag, &name, repeat).await?,
        ))
    }

    async fn get_retention_policy(
        &self,
        request: Request<v1::GetRetentionPolicyRequest>,
    ) -> Answer<v1::RetentionPolicy> {
        let caller = Caller::of(&request)?;
        let tenant = only(&caller, &request.get_ref().name, "retentionPolicy")?;
        Ok(Response::new(retention::convert::answer(
            &tenant,
            &self.0.retention(&tenant).await?,
        )))
    }

    async fn update_retention_policy(
        &self,
        request: Request<v1::UpdateRetentionPolicyRequest>,
    ) -> Answer<v1::RetentionPolicy> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let policy = request.retention_policy.clone().unwrap_or_default();
        let tenant = only(&caller, &policy.name, "retentionPolicy")?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateRetentionPolicy", &request.request_id, &request)?;
        Ok(Response::new(
            self.0
                .set_retention(
                    &tenant,
                    (policy.text_days, policy.contact_days),
                    &policy.etag,
                    &policy.name,
                    repeat,
                )
                .await?,
        ))
    }

    async fn erase_customer(&self, request: Request<v1::EraseCustomerRequest>) -> Answer<erasure::convert::Answer> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, id) = name::child_uuid(&caller, &request.name, CUSTOMERS)?;
        let repeat = Repeatable::new(&tenant, &caller, "EraseCustomer", &request.request_id, &request)?;
        if request.reason.contains('\0') {
            return Err(Refusal::invalid_field("reason", "must not contain the character U+0000").into());
        }
        let reason = mask(&request.reason);
        Ok(Response::new(
            self.0
                .begin_erasure(&tenant, id, &caller.subject, &reason, repeat)
                .await?,
        ))
    }

    async fn get_erasure(&self, request: Request<v1::GetErasureRequest>) -> Answer<v1::Erasure> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, erasure::convert::ERASURES)?;
        Ok(Response::new(erasure::convert::erasure(
            &tenant,
            self.0.erasure(&tenant, id).await?,
        )?))
    }

    async fn verify_erasure_certificate(
        &self,
        request: Request<v1::VerifyErasureCertificateRequest>,
    ) -> Answer<v1::VerifyErasureCertificateResponse> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let certificate = request.certificate.unwrap_or_default();
        Ok(Response::new(self.0.verify_certificate(&tenant, &certificate).await?))
    }

    type ExportCustomerStream = Pin<Box<dyn Stream<Item = Result<v1::ExportCustomerResponse, Status>> + Send>>;

    async fn export_customer(&self, request: Request<v1::ExportCustomerRequest>) -> Answer<Self::ExportCustomerStream> {
        let caller = Caller::of(&request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.get_ref().name, CUSTOMERS)?;
        let parts = self.0.export_customer(&tenant, id, &caller.subject).await?;
        let answers = parts.map(|part| {
            let (service, lines) = part?;
            Ok(v1::ExportCustomerResponse {
                service: service.to_owned(),
                lines,
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn rotate_keys(&self, request: Request<v1::RotateKeysRequest>) -> Answer<v1::RotateKeysResponse> {
        let caller = Caller::of(&request)?;
        let tenant = name::parent(&caller, &request.get_ref().parent)?;
        let turn = self.0.rotate_keys(&tenant).await?;
        Ok(Response::new(v1::RotateKeysResponse {
            rotated: turn.rotated,
            resealed: turn.resealed,
            left: turn.left,
        }))
    }
}

/// The tenant of a resource of which each tenant has one.
fn only(caller: &Caller, name: &str, collection: &str) -> Result<Tenant, Refusal> {
    let parent = name
        .strip_suffix(collection)
        .and_then(|parent| parent.strip_suffix('/'))
        .ok_or_else(|| Refusal::not_found(name))?;
    name::parent(caller, parent).map_err(|_| Refusal::not_found(name))
}
