//! The RPCs of `ValidationService`: decode, call, encode.

use std::sync::Arc;

use huiyin_chassis::{
    Caller, Refusal, name,
    repeat::Repeatable,
    server::Language,
    shelf::{Edition, Kept as _, Which, named},
};
use huiyin_proto::intake::v1::{self, validation_service_server::ValidationService};
use tonic::{Request, Response, Status};

use super::{convert, domain::Profile, service::assess};
use crate::{feedback, room::Room};

/// The server of `huiyin.intake.v1.ValidationService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

#[tonic::async_trait]
impl ValidationService for Api {
    async fn get_validation_profile(
        &self,
        request: Request<v1::GetValidationProfileRequest>,
    ) -> Result<Response<v1::ValidationProfile>, Status> {
        let caller = Caller::of(&request)?;
        let name = request.into_inner().name;
        let (tenant, which) = named(&caller, &name, Profile::COLLECTION)?;
        let edition = self.0.shelf.get(&tenant, &name, which).await?;
        Ok(Response::new(convert::edition(&tenant, &edition)))
    }

    async fn list_validation_profiles(
        &self,
        request: Request<v1::ListValidationProfilesRequest>,
    ) -> Result<Response<v1::ListValidationProfilesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.0.shelf.list(&tenant, request.paging()).await?;
        Ok(Response::new(v1::ListValidationProfilesResponse {
            validation_profiles: page
                .entries
                .iter()
                .map(|edition| convert::edition(&tenant, edition))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn create_validation_profile(
        &self,
        request: Request<v1::CreateValidationProfileRequest>,
    ) -> Result<Response<v1::ValidationProfile>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(
            &tenant,
            &caller,
            "CreateValidationProfile",
            &request.request_id,
            &request,
        )?;
        let profile = request.validation_profile.unwrap_or_default();
        let new = convert::new_edition(profile, caller.subject, "validation_profile")?;
        let say = |edition: &Edition<Profile>| convert::edition(&tenant, edition);
        Ok(Response::new(
            self.0
                .shelf
                .create(&tenant, new, request.validate_only, repeat, say)
                .await?,
        ))
    }

    async fn activate_validation_profile(
        &self,
        request: Request<v1::ActivateValidationProfileRequest>,
    ) -> Result<Response<v1::ValidationProfile>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, which) = named(&caller, &request.name, Profile::COLLECTION)?;
        let Which::Version(version) = which else {
            return Err(Refusal::not_found(&request.name).into());
        };
        let repeat = Repeatable::new(
            &tenant,
            &caller,
            "ActivateValidationProfile",
            &request.request_id,
            &request,
        )?;
        let say = |edition: &Edition<Profile>| convert::edition(&tenant, edition);
        let answer = self
            .0
            .shelf
            .activate(&tenant, &request.name, version, &request.etag, repeat, say)
            .await?;
        self.0.profiles.activated(&tenant);
        Ok(Response::new(answer))
    }

    async fn check_feedback(
        &self,
        request: Request<v1::CheckFeedbackRequest>,
    ) -> Result<Response<v1::CheckFeedbackResponse>, Status> {
        let caller = Caller::of(&request)?;
        let language = Language::of(&request);
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let draft = feedback::convert::draft(request.feedback.unwrap_or_default());
        let room = &self.0;
        let rulebook = room.profiles.active(&room.ledger.database, &tenant).await?;
        let mut assessment = assess(&rulebook, draft, room.ledger.clock.now(), language);
        let (state, similar) = room.try_out(&tenant, &mut assessment.admitted).await?;
        let version = rulebook.version;
        Ok(Response::new(convert::checked(
            &tenant, assessment, similar, state, version,
        )))
    }
}
