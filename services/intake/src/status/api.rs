//! The edge of the customer's view: decode, call, encode. Nobody is authenticated here: the token is what counts.

use std::{pin::Pin, sync::Arc};

use futures::Stream;
use huiyin_chassis::Refusal;
use huiyin_proto::intake::v1::{
    FeedbackStatus, GetFeedbackStatusRequest, WatchFeedbackStatusRequest, status_service_server::StatusService,
};
use tonic::{Request, Response, Status};

use crate::status::{convert, service::Bearer};
use crate::{error::Error, room::Room};

/// The server of `huiyin.intake.v1.StatusService`.
pub(crate) struct Api(pub(crate) Arc<Room>);

impl Api {
    fn bearer(&self, parent: &str, number: &str, token: &str) -> Result<Bearer, Refusal> {
        let tenant = parent.strip_prefix("tenants/").ok_or(Error::StatusUnknown)?;
        self.0.status_bearer(tenant, number, token)
    }
}

#[tonic::async_trait]
impl StatusService for Api {
    async fn get_feedback_status(
        &self,
        request: Request<GetFeedbackStatusRequest>,
    ) -> Result<Response<FeedbackStatus>, Status> {
        let request = request.into_inner();
        let bearer = self.bearer(&request.parent, &request.number, &request.token)?;
        Ok(Response::new(convert::answer(self.0.status(&bearer).await?)))
    }

    type WatchFeedbackStatusStream = Pin<Box<dyn Stream<Item = Result<FeedbackStatus, Status>> + Send>>;

    async fn watch_feedback_status(
        &self,
        request: Request<WatchFeedbackStatusRequest>,
    ) -> Result<Response<Self::WatchFeedbackStatusStream>, Status> {
        let request = request.into_inner();
        let bearer = self.bearer(&request.parent, &request.number, &request.token)?;
        let mut follower = self.0.follow_status(bearer);
        // A number that is not the token's is refused at once, and not by the stream.
        let first = self.0.next_status(&mut follower).await?;
        let rest = futures::stream::try_unfold((Arc::clone(&self.0), follower), |(room, mut follower)| async move {
            let status = room.next_status(&mut follower).await?;
            Ok::<_, Status>(status.map(|status| (convert::answer(status), (room, follower))))
        });
        let first = futures::stream::iter(first.map(|status| Ok(convert::answer(status))));
        Ok(Response::new(Box::pin(futures::StreamExt::chain(first, rest))))
    }
}
