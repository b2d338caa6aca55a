//! The service as the proto has it: every method, delegated to its subject.

use std::sync::Arc;

use huiyin_chassis::operations::Operation;
use huiyin_proto::classifier::v1::{self, classifier_service_server::ClassifierService};
use tonic::{Request, Response, Status};

use crate::{classification, room::Room, taxonomy};

/// The room behind its RPCs.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

#[tonic::async_trait]
impl ClassifierService for Api {
    async fn classify_text(&self, request: Request<v1::ClassifyTextRequest>) -> Result<Response<v1::Verdict>, Status> {
        classification::api::classify_text(&self.room, request).await
    }

    async fn get_classification(
        &self,
        request: Request<v1::GetClassificationRequest>,
    ) -> Result<Response<v1::Classification>, Status> {
        classification::api::get_classification(&self.room, request).await
    }

    async fn list_classifications(
        &self,
        request: Request<v1::ListClassificationsRequest>,
    ) -> Result<Response<v1::ListClassificationsResponse>, Status> {
        classification::api::list_classifications(&self.room, request).await
    }

    async fn correct_classification(
        &self,
        request: Request<v1::CorrectClassificationRequest>,
    ) -> Result<Response<v1::Classification>, Status> {
        classification::api::correct_classification(&self.room, request).await
    }

    async fn reclassify_feedbacks(
        &self,
        request: Request<v1::ReclassifyFeedbacksRequest>,
    ) -> Result<Response<Operation>, Status> {
        classification::api::reclassify_feedbacks(&self.room, request).await
    }

    async fn get_taxonomy(&self, request: Request<v1::GetTaxonomyRequest>) -> Result<Response<v1::Taxonomy>, Status> {
        taxonomy::api::get_taxonomy(&self.room, request).await
    }

    async fn list_taxonomies(
        &self,
        request: Request<v1::ListTaxonomiesRequest>,
    ) -> Result<Response<v1::ListTaxonomiesResponse>, Status> {
        taxonomy::api::list_taxonomies(&self.room, request).await
    }

    async fn create_taxonomy(
        &self,
        request: Request<v1::CreateTaxonomyRequest>,
    ) -> Result<Response<v1::Taxonomy>, Status> {
        taxonomy::api::create_taxonomy(&self.room, request).await
    }

    async fn activate_taxonomy(
        &self,
        request: Request<v1::ActivateTaxonomyRequest>,
    ) -> Result<Response<v1::Taxonomy>, Status> {
        taxonomy::api::activate_taxonomy(&self.room, request).await
    }

    async fn check_taxonomy(
        &self,
        request: Request<v1::CheckTaxonomyRequest>,
    ) -> Result<Response<v1::Taxonomy>, Status> {
        taxonomy::api::check_taxonomy(&self.room, request).await
    }

    async fn diff_taxonomies(
        &self,
        request: Request<v1::DiffTaxonomiesRequest>,
    ) -> Result<Response<v1::DiffTaxonomiesResponse>, Status> {
        taxonomy::api::diff_taxonomies(&self.room, request).await
    }

    async fn map_taxonomy(
        &self,
        request: Request<v1::MapTaxonomyRequest>,
    ) -> Result<Response<v1::TaxonomyMapping>, Status> {
        taxonomy::mapping::api::map_taxonomy(&self.room, request).await
    }

    async fn get_taxonomy_mapping(
        &self,
        request: Request<v1::GetTaxonomyMappingRequest>,
    ) -> Result<Response<v1::TaxonomyMapping>, Status> {
        taxonomy::mapping::api::get_taxonomy_mapping(&self.room, request).await
    }
}
