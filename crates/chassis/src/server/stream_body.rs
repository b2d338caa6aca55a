//! The answer of a streaming call: it holds its place among the streams until it ends, and a panic in it ends it alone.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Status, body::Body};

use crate::error::Refusal;

/// See the file.
pub(super) struct StreamBody {
    /// `None` after a panic: what panicked is not asked again.
    inner: Option<Body>,
    _place: OwnedSemaphorePermit,
}

impl StreamBody {
    pub(super) fn new(inner: Body, place: OwnedSemaphorePermit) -> Self {
        Self {
            inner: Some(inner),
            _place: place,
        }
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        // Not caught here it would reach the task of the connection, and end every other call on it.
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(context)));
        match polled {
            Ok(frame) => Poll::Ready(ready!(frame)),
            Err(panic) => {
                self.inner = None;
                let mut trailers = http::HeaderMap::new();
                Status::from(Refusal::panicked(&*panic)).add_header(&mut trailers)?;
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
