//! `KnowledgeService`: the RPCs of articles.

use std::sync::Arc;

use huiyin_chassis::{Caller, Refusal, Tenant, name, repeat::Repeatable};
use huiyin_proto::classifier::v1::{self, knowledge_service_server::KnowledgeService};
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    articles,
    convert::{self, ARTICLES},
    finding::{self, Said},
    publishing::{self, Wish},
    uses,
};
use crate::room::Room;

/// The room behind `KnowledgeService`.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

type Answer = Result<Response<v1::Article>, Status>;

fn article_of(caller: &Caller, name: &str) -> Result<(Tenant, Uuid), Refusal> {
    name::child_uuid(caller, name, ARTICLES)
}

/// What is wished of a version.
fn wish<'w>(
    caller: &'w Caller,
    (tenant, id): &'w (Tenant, Uuid),
    (method, request): (&'static str, &impl Message),
    (etag, request_id): (&'w str, &str),
) -> Result<Wish<'w>, Refusal> {
    Ok(Wish {
        tenant,
        id: *id,
        author: &caller.subject,
        etag,
        repeat: Repeatable::new(tenant, caller, method, request_id, request)?,
    })
}

#[tonic::async_trait]
impl KnowledgeService for Api {
    async fn create_article(&self, request: Request<v1::CreateArticleRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateArticle", &request.request_id, &request)?;
        let content = convert::content(request.article.unwrap_or_default());
        let answer = articles::create(&self.room, &tenant, &caller.subject, content, repeat).await?;
        Ok(Response::new(answer))
    }

    async fn get_article(&self, request: Request<v1::GetArticleRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let v1::GetArticleRequest { name, version, locale } = request.get_ref();
        let (tenant, id) = article_of(&caller, name)?;
        let sees = convert::sees(&caller, 0);
        let article = articles::get(&self.room, &tenant, id, (*version, locale), sees).await?;
        Ok(Response::new(convert::article(&tenant, &article)))
    }

    async fn list_articles(
        &self,
        request: Request<v1::ListArticlesRequest>,
    ) -> Result<Response<v1::ListArticlesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let page = articles::list(&self.room, &tenant, request.paging()).await?;
        let articles = page.entries.iter();
        Ok(Response::new(v1::ListArticlesResponse {
            articles: articles.map(|article| convert::article(&tenant, article)).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_article(&self, request: Request<v1::UpdateArticleRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let mut request = request.into_inner();
        let (tenant, id) = article_of(&caller, &request.name)?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateArticle", &request.request_id, &request)?;
        let content = convert::content(request.article.take().unwrap_or_default());
        let change = (content, request.etag.as_str());
        let answer = articles::update(&self.room, &tenant, id, &caller.subject, change, repeat).await?;
        Ok(Response::new(answer))
    }

    async fn publish_article(&self, request: Request<v1::PublishArticleRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let article = article_of(&caller, &request.name)?;
        let said = (request.etag.as_str(), request.request_id.as_str());
        let wish = wish(&caller, &article, ("PublishArticle", &request), said)?;
        let answer = publishing::publish(&self.room, request.version, wish).await?;
        Ok(Response::new(answer))
    }

    async fn archive_article(&self, request: Request<v1::ArchiveArticleRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let article = article_of(&caller, &request.name)?;
        let said = (request.etag.as_str(), request.request_id.as_str());
        let wish = wish(&caller, &article, ("ArchiveArticle", &request), said)?;
        let answer = publishing::archive(&self.room, request.version, wish).await?;
        Ok(Response::new(answer))
    }

    async fn rollback_article(&self, request: Request<v1::RollbackArticleRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let article = article_of(&caller, &request.name)?;
        let said = (request.etag.as_str(), request.request_id.as_str());
        let wish = wish(&caller, &article, ("RollbackArticle", &request), said)?;
        let answer = publishing::roll_back(&self.room, &request.locale, wish).await?;
        Ok(Response::new(answer))
    }

    async fn list_article_versions(
        &self,
        request: Request<v1::ListArticleVersionsRequest>,
    ) -> Result<Response<v1::ListArticleVersionsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, id) = article_of(&caller, &request.parent)?;
        let page = articles::list_versions(&self.room, &tenant, id, request.paging()).await?;
        let versions = page.entries.iter();
        Ok(Response::new(v1::ListArticleVersionsResponse {
            versions: versions.map(|article| convert::article(&tenant, article)).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn search_articles(
        &self,
        request: Request<v1::SearchArticlesRequest>,
    ) -> Result<Response<v1::SearchArticlesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let said = Said {
            text: &request.query,
            category: &request.category,
            product_model: &request.product_model,
            locale: &request.locale,
            sees: convert::sees(&caller, request.audience),
            max_results: request.max_results,
        };
        let hits = finding::search(&self.room, &tenant, said).await?;
        Ok(Response::new(v1::SearchArticlesResponse {
            hits: hits.into_iter().map(|hit| convert::hit(&tenant, hit)).collect(),
        }))
    }

    async fn suggest_articles(
        &self,
        request: Request<v1::SuggestArticlesRequest>,
    ) -> Result<Response<v1::SuggestArticlesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let tenant = name::parent(&caller, &request.parent)?;
        let feedback = finding::feedback(&caller, &tenant, &request.feedback)?;
        let said = Said {
            text: &request.text,
            category: &request.category,
            product_model: &request.product_model,
            locale: &request.locale,
            sees: convert::sees(&caller, request.audience),
            max_results: request.max_results,
        };
        let hits = finding::suggest(&self.room, &tenant, feedback, said).await?;
        Ok(Response::new(v1::SuggestArticlesResponse {
            hits: hits.into_iter().map(|hit| convert::hit(&tenant, hit)).collect(),
        }))
    }

    async fn record_article_use(&self, request: Request<v1::RecordArticleUseRequest>) -> Answer {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (tenant, id) = article_of(&caller, &request.name)?;
        let feedback = finding::feedback(&caller, &tenant, &request.feedback)?;
        let outcome = convert::outcome(request.outcome);
        let said = uses::Said {
            id,
            version: request.version,
            outcome: outcome.ok_or_else(|| Refusal::invalid_field("outcome", "must be said"))?,
            feedback,
            author: &caller.subject,
            sees: convert::sees(&caller, 0),
        };
        let repeat = Repeatable::new(&tenant, &caller, "RecordArticleUse", &request.request_id, &request)?;
        let answer = uses::record(&self.room, &tenant, said, repeat).await?;
        Ok(Response::new(answer))
    }
}
