//! The naive service: the same call over gRPC, the same rows, a transaction for each request, and nothing of ours in between.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use huiyin_proto::intake::v1::{CreateFeedbackRequest, Feedback};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Context, Poll, Service, http},
    server::{Grpc, NamedService, UnaryService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;

use super::floor::Floor;

/// A naive service that runs.
pub(super) struct Naive {
    /// Where it answers.
    pub(super) url: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Naive {
    /// Starts it on a free port, writing to the floor's tables.
    pub(super) async fn start(floor: Arc<Floor>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let server = Server::builder().add_service(Create(floor));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        #[expect(clippy::disallowed_methods, reason = "joined in `stop`")]
        let ended = tokio::task::spawn(server.serve_with_incoming_shutdown(incoming, async {
            // Whoever dropped the sender wants it to end, too.
            let _ = stopped.await;
        }));
        Ok(Self { url, stop, ended })
    }

    /// Ends it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        // It may have ended by itself: then its error is what counts.
        let _ = self.stop.send(());
        Ok(self.ended.await??)
    }
}

/// CreateFeedback, the one method it has.
#[derive(Clone)]
struct Create(Arc<Floor>);

impl NamedService for Create {
    const NAME: &'static str = "huiyin.intake.v1.IntakeService";
}

impl Service<http::Request<Body>> for Create {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(method, request).await) })
    }
}

impl UnaryService<CreateFeedbackRequest> for Create {
    type Response = Feedback;
    type Future = BoxFuture<Response<Feedback>, Status>;

    fn call(&mut self, request: Request<CreateFeedbackRequest>) -> Self::Future {
        let floor = Arc::clone(&self.0);
        Box::pin(async move {
            let id = floor
                .write()
                .await
                .map_err(|error| Status::internal(error.to_string()))?;
            let request = request.into_inner();
            Ok(Response::new(Feedback {
                name: format!("{}/feedbacks/{id}", request.parent),
                ..request.feedback.unwrap_or_default()
            }))
        })
    }
}
