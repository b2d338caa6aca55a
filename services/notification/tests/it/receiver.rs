//! A receiver of webhooks: keeps what is posted to it, and answers with the status that the test says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use huiyin_chassis::{Shutdown, Tasks};
use sha2::Sha256;
use tokio::net::TcpListener;

/// The receiver.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    posts: Arc<Mutex<Vec<Post>>>,
    status: Arc<AtomicU16>,
}

/// What was posted.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, as it was signed.
    pub(crate) body: Bytes,
}

impl Receiver {
    /// One that answers with 204.
    pub(crate) fn new() -> Self {
        Self {
            posts: Arc::default(),
            status: Arc::new(AtomicU16::new(204)),
        }
    }

    /// Serves until the tasks end; the answer is the URL.
    pub(crate) async fn serve(&self, tasks: &mut Tasks, shutdown: Shutdown) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(self.clone());
        tasks.spawn("receiver", async move {
            Ok(axum::serve(listener, router)
                .with_graceful_shutdown(async move { shutdown.requested().await })
                .await?)
        });
        url
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What came so far.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.posts.lock().unwrap().push(Post { headers, body });
    StatusCode::from_u16(receiver.status.load(Ordering::SeqCst)).unwrap()
}

impl Post {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether one of the signatures is by this secret, checked as a receiver would.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature")
            .split(' ')
            .any(|signature| signature == expected)
    }
}
