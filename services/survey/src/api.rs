//! The edge: decode, call, encode.

use std::sync::Arc;

use huiyin_chassis::{
    Caller, Refusal, Tenant,
    listing::{Field, PageRequest, Paging},
    name,
    repeat::Repeatable,
    sql,
};
use huiyin_proto::survey::v1::{self, survey_service_server::SurveyService};
use tonic::{Request, Response, Status};

use crate::{events, invitation, names, response, room::Room, survey};

/// The survey service.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }

    /// The tenant and the survey of a list below surveys (`-`, and so `None`, for all of them), and the page that is wanted.
    fn list_below(
        &self,
        caller: &Caller,
        parent: &str,
        list: &str,
        paging: Paging<'_>,
        fields: (&[Field], &[Field]),
    ) -> Result<Below, Refusal> {
        let (tenant, survey) = name::child(caller, parent, "surveys")?;
        let page = self.page(&tenant, &format!("{list} of {survey}"), paging, fields)?;
        let survey = (survey != "-").then(|| survey.to_owned());
        Ok(Below { tenant, survey, page })
    }

    fn page(
        &self,
        tenant: &Tenant,
        list: &str,
        paging: Paging<'_>,
        fields: (&[Field], &[Field]),
    ) -> Result<PageRequest, Refusal> {
        PageRequest::new(&self.room.page_tokens, tenant, list, paging, fields)
    }
}

struct Below {
    tenant: Tenant,
    survey: Option<String>,
    page: PageRequest,
}

#[tonic::async_trait]
impl SurveyService for Api {
    async fn get_survey(&self, request: Request<v1::GetSurveyRequest>) -> Result<Response<v1::Survey>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, id) = name::child(&caller, &request.name, "surveys")?;
        let survey = self.room.survey(&tenant, id, request.version).await?;
        Ok(Response::new(survey::convert::survey(&tenant, survey)))
    }

    async fn list_surveys(
        &self,
        request: Request<v1::ListSurveysRequest>,
    ) -> Result<Response<v1::ListSurveysResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        // Where the chassis would list the newest first.
        let paging = request.paging().or_order_by("name");
        let page = self.page(
            &tenant,
            "surveys",
            paging,
            (survey::store::FIELDS, survey::store::ORDER),
        )?;
        let page = self.room.surveys(&tenant, &page).await?;
        Ok(Response::new(v1::ListSurveysResponse {
            surveys: page
                .entries
                .into_iter()
                .map(|survey| survey::convert::survey(&tenant, survey))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_survey(&self, request: Request<v1::UpdateSurveyRequest>) -> Result<Response<v1::Survey>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let named = request
            .survey
            .as_ref()
            .map(|survey| survey.name.clone())
            .unwrap_or_default();
        let (tenant, id) = name::child(&caller, &named, "surveys")?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateSurvey", &request.request_id, &request)?;
        let update = survey::convert::update(request, id)?;
        let survey = self.room.update_survey(&tenant, &caller, repeat, update).await?;
        Ok(Response::new(survey::convert::survey(&tenant, survey)))
    }

    async fn get_invitation(
        &self,
        request: Request<v1::GetInvitationRequest>,
    ) -> Result<Response<v1::Invitation>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, survey, id) = names::below_survey(&caller, &request.get_ref().name, "invitations")?;
        let invitation = self.room.invitation(&tenant, &survey, id).await?;
        Ok(Response::new(invitation::convert::invitation(&tenant, invitation)))
    }

    async fn list_invitations(
        &self,
        request: Request<v1::ListInvitationsRequest>,
    ) -> Result<Response<v1::ListInvitationsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let fields = (invitation::store::FIELDS, invitation::store::ORDER);
        let below = self.list_below(&caller, &request.parent, "invitations", request.paging(), fields)?;
        let page = self
            .room
            .invitations(&below.tenant, below.survey.as_deref(), &below.page)
            .await?;
        Ok(Response::new(v1::ListInvitationsResponse {
            invitations: page
                .entries
                .into_iter()
                .map(|invitation| invitation::convert::invitation(&below.tenant, invitation))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn reveal_invitation_token(
        &self,
        request: Request<v1::RevealInvitationTokenRequest>,
    ) -> Result<Response<v1::RevealInvitationTokenResponse>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, survey, id) = names::below_survey(&caller, &request.get_ref().name, "invitations")?;
        let (token, invitation) = self.room.reveal_token(&tenant, &caller, &survey, id).await?;
        Ok(Response::new(v1::RevealInvitationTokenResponse {
            token,
            expire_time: Some(sql::to_proto(invitation.expire_time)),
        }))
    }

    async fn get_survey_form(
        &self,
        request: Request<v1::GetSurveyFormRequest>,
    ) -> Result<Response<v1::SurveyForm>, Status> {
        let language = request
            .metadata()
            .get("accept-language")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let bearer = self.room.bearer(&request.get_ref().token)?;
        let (invitation, survey) = self.room.form(&bearer).await?;
        Ok(Response::new(invitation::convert::form(
            &invitation,
            &survey,
            language,
        )?))
    }

    async fn submit_response(
        &self,
        request: Request<v1::SubmitResponseRequest>,
    ) -> Result<Response<v1::Response>, Status> {
        let mut caller = Caller::of(&request)?;
        let request = request.into_inner();
        let bearer = self.room.bearer(&request.token)?;
        // Holders of different tokens are different callers: the request ids of one are nothing to another.
        caller.subject = events::bearer_subject(bearer.invitation);
        let repeat = Repeatable::new(&bearer.tenant, &caller, "SubmitResponse", &request.request_id, &request)?;
        let response = self
            .room
            .submit(&bearer, repeat, response::convert::answer(request))
            .await?;
        Ok(Response::new(response::convert::response(&bearer.tenant, response)))
    }

    async fn get_response(&self, request: Request<v1::GetResponseRequest>) -> Result<Response<v1::Response>, Status> {
        let caller = Caller::of(&request)?;
        let (tenant, survey, id) = names::below_survey(&caller, &request.get_ref().name, "responses")?;
        let response = self.room.response(&tenant, &survey, id).await?;
        Ok(Response::new(response::convert::response(&tenant, response)))
    }

    async fn list_responses(
        &self,
        request: Request<v1::ListResponsesRequest>,
    ) -> Result<Response<v1::ListResponsesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let fields = (response::store::FIELDS, response::store::ORDER);
        let below = self.list_below(&caller, &request.parent, "responses", request.paging(), fields)?;
        let page = self
            .room
            .responses(&below.tenant, below.survey.as_deref(), &below.page)
            .await?;
        Ok(Response::new(v1::ListResponsesResponse {
            responses: page
                .entries
                .into_iter()
                .map(|response| response::convert::response(&below.tenant, response))
                .collect(),
            next_page_token: page.next_page_token,
        }))
    }
}
