//! The edge: decode, call, encode. Every handler reaches its tenant through `name`, so that another's looks like a missing one.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use huiyin_chassis::{Caller, Refusal, name, repeat::Repeatable};
use huiyin_proto::notification::v1::{
    CreateWebhookEndpointRequest, DeleteWebhookEndpointRequest, DeleteWebhookEndpointResponse,
    DisableWebhookEndpointRequest, EnableWebhookEndpointRequest, GetMessageRequest, GetTemplateRequest,
    GetWebhookEndpointRequest, InboxItem, ListInboxItemsRequest, ListInboxItemsResponse, ListMessagesRequest,
    ListMessagesResponse, ListTemplatesRequest, ListTemplatesResponse, ListWebhookEndpointsRequest,
    ListWebhookEndpointsResponse, MarkInboxItemReadRequest, Message, PreviewTemplateRequest, PreviewTemplateResponse,
    ReplayMessageRequest, RotateWebhookSecretRequest, Template, UpdateTemplateRequest, UpdateWebhookEndpointRequest,
    WatchInboxRequest, WatchInboxResponse, WebhookEndpoint, notification_service_server::NotificationService,
};
use tonic::{Request, Response, Status};

use crate::{message, room::Room, template, webhook};

type Answer<T> = Result<Response<T>, Status>;

/// The service as gRPC sees it.
pub(crate) struct Api {
    room: Arc<Room>,
}

impl Api {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { room }
    }
}

/// Who calls, and with what.
fn opened<T>(request: Request<T>) -> Result<(Caller, T), Refusal> {
    Ok((Caller::of(&request)?, request.into_inner()))
}

#[tonic::async_trait]
impl NotificationService for Api {
    async fn get_template(&self, request: Request<GetTemplateRequest>) -> Answer<Template> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child(&caller, &request.name, "templates")?;
        let template = self.room.get_template(&tenant, id, request.version).await?;
        Ok(Response::new(template::convert::template(&tenant, &template)))
    }

    async fn list_templates(&self, request: Request<ListTemplatesRequest>) -> Answer<ListTemplatesResponse> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.room.list_templates(&tenant, request.paging()).await?;
        let templates = page
            .entries
            .iter()
            .map(|template| template::convert::template(&tenant, template))
            .collect();
        Ok(Response::new(ListTemplatesResponse {
            templates,
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_template(&self, request: Request<UpdateTemplateRequest>) -> Answer<Template> {
        let (caller, request) = opened(request)?;
        let name = request
            .template
            .as_ref()
            .map(|template| template.name.as_str())
            .unwrap_or_default();
        let (tenant, id) = name::child(&caller, name, "templates")?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateTemplate", &request.request_id, &request)?;
        let change = template::convert::change(&request)?;
        Ok(Response::new(
            self.room.update_template(&tenant, &caller, repeat, id, change).await?,
        ))
    }

    async fn preview_template(&self, request: Request<PreviewTemplateRequest>) -> Answer<PreviewTemplateResponse> {
        let (caller, request) = opened(request)?;
        let given = request.template.unwrap_or_default();
        let (tenant, id) = name::child(&caller, &given.name, "templates")?;
        let words = template::domain::Words {
            subject: given.subject,
            body: given.body,
        };
        let (words, variables) = self.room.preview_template(&tenant, id, words, request.values).await?;
        Ok(Response::new(PreviewTemplateResponse {
            subject: words.subject,
            body: words.body,
            variables,
        }))
    }

    async fn get_message(&self, request: Request<GetMessageRequest>) -> Answer<Message> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "messages")?;
        let (message, deliveries) = self.room.get_message(&tenant, id).await?;
        Ok(Response::new(message::convert::message(&tenant, &message, &deliveries)))
    }

    async fn list_messages(&self, request: Request<ListMessagesRequest>) -> Answer<ListMessagesResponse> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.room.list_messages(&tenant, request.paging()).await?;
        let messages = page
            .entries
            .iter()
            .map(|message| message::convert::message(&tenant, message, &[]))
            .collect();
        Ok(Response::new(ListMessagesResponse {
            messages,
            next_page_token: page.next_page_token,
        }))
    }

    async fn replay_message(&self, request: Request<ReplayMessageRequest>) -> Answer<Message> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "messages")?;
        let repeat = Repeatable::new(&tenant, &caller, "ReplayMessage", &request.request_id, &request)?;
        Ok(Response::new(self.room.replay_message(&tenant, repeat, id).await?))
    }

    async fn create_webhook_endpoint(&self, request: Request<CreateWebhookEndpointRequest>) -> Answer<WebhookEndpoint> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let repeat = Repeatable::new(&tenant, &caller, "CreateWebhookEndpoint", &request.request_id, &request)?;
        let new = webhook::convert::new_endpoint(&request.webhook_endpoint.unwrap_or_default())?;
        Ok(Response::new(self.room.create_endpoint(&tenant, repeat, new).await?))
    }

    async fn get_webhook_endpoint(&self, request: Request<GetWebhookEndpointRequest>) -> Answer<WebhookEndpoint> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "webhookEndpoints")?;
        Ok(Response::new(self.room.get_endpoint(&tenant, id).await?))
    }

    async fn list_webhook_endpoints(
        &self,
        request: Request<ListWebhookEndpointsRequest>,
    ) -> Answer<ListWebhookEndpointsResponse> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let page = self.room.list_endpoints(&tenant, request.paging()).await?;
        Ok(Response::new(ListWebhookEndpointsResponse {
            webhook_endpoints: page.entries,
            next_page_token: page.next_page_token,
        }))
    }

    async fn update_webhook_endpoint(&self, request: Request<UpdateWebhookEndpointRequest>) -> Answer<WebhookEndpoint> {
        let (caller, request) = opened(request)?;
        let name = request
            .webhook_endpoint
            .as_ref()
            .map(|endpoint| endpoint.name.as_str())
            .unwrap_or_default();
        let (tenant, id) = name::child_uuid(&caller, name, "webhookEndpoints")?;
        let repeat = Repeatable::new(&tenant, &caller, "UpdateWebhookEndpoint", &request.request_id, &request)?;
        let change = webhook::convert::change(&request)?;
        Ok(Response::new(
            self.room.update_endpoint(&tenant, repeat, id, change).await?,
        ))
    }

    async fn enable_webhook_endpoint(&self, request: Request<EnableWebhookEndpointRequest>) -> Answer<WebhookEndpoint> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "webhookEndpoints")?;
        let repeat = Repeatable::new(&tenant, &caller, "EnableWebhookEndpoint", &request.request_id, &request)?;
        Ok(Response::new(
            self.room.enable_endpoint(&tenant, repeat, id, &request.etag).await?,
        ))
    }

    async fn disable_webhook_endpoint(
        &self,
        request: Request<DisableWebhookEndpointRequest>,
    ) -> Answer<WebhookEndpoint> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "webhookEndpoints")?;
        let repeat = Repeatable::new(
            &tenant,
            &caller,
            "DisableWebhookEndpoint",
            &request.request_id,
            &request,
        )?;
        Ok(Response::new(
            self.room
                .disable_endpoint(&tenant, repeat, id, &request.etag, &request.reason)
                .await?,
        ))
    }

    async fn delete_webhook_endpoint(
        &self,
        request: Request<DeleteWebhookEndpointRequest>,
    ) -> Answer<DeleteWebhookEndpointResponse> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "webhookEndpoints")?;
        let repeat = Repeatable::new(&tenant, &caller, "DeleteWebhookEndpoint", &request.request_id, &request)?;
        Ok(Response::new(
            self.room
                .delete_endpoint(&tenant, &caller, repeat, id, &request.etag)
                .await?,
        ))
    }

    async fn rotate_webhook_secret(&self, request: Request<RotateWebhookSecretRequest>) -> Answer<WebhookEndpoint> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "webhookEndpoints")?;
        let repeat = Repeatable::new(&tenant, &caller, "RotateWebhookSecret", &request.request_id, &request)?;
        Ok(Response::new(
            self.room.rotate_secret(&tenant, repeat, id, &request.etag).await?,
        ))
    }

    async fn list_inbox_items(&self, request: Request<ListInboxItemsRequest>) -> Answer<ListInboxItemsResponse> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let (page, unread_count) = self
            .room
            .list_inbox(&tenant, &caller, &request.recipient, request.paging())
            .await?;
        Ok(Response::new(ListInboxItemsResponse {
            inbox_items: page.entries,
            next_page_token: page.next_page_token,
            unread_count,
        }))
    }

    async fn mark_inbox_item_read(&self, request: Request<MarkInboxItemReadRequest>) -> Answer<InboxItem> {
        let (caller, request) = opened(request)?;
        let (tenant, id) = name::child_uuid(&caller, &request.name, "inboxItems")?;
        let repeat = Repeatable::new(&tenant, &caller, "MarkInboxItemRead", &request.request_id, &request)?;
        Ok(Response::new(self.room.mark_read(&tenant, &caller, repeat, id).await?))
    }

    type WatchInboxStream = Pin<Box<dyn Stream<Item = Result<WatchInboxResponse, Status>> + Send>>;

    async fn watch_inbox(&self, request: Request<WatchInboxRequest>) -> Answer<Self::WatchInboxStream> {
        let (caller, request) = opened(request)?;
        let tenant = name::parent(&caller, &request.parent)?;
        let watch = self
            .room
            .clone()
            .watch_inbox(tenant, &caller, &request.recipient, &request.start_cursor)
            .await?;
        Ok(Response::new(Box::pin(
            watch.map(|answer| answer.map_err(Status::from)),
        )))
    }
}
