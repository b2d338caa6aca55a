//! One address for the replicas of a service, as a Service of Kubernetes gives: whoever connects is led to the next of them.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::lock;

/// The address; it goes with this value, and every connection with it.
#[derive(Debug)]
pub(crate) struct Address {
    replicas: Arc<Mutex<VecDeque<SocketAddr>>>,
    _leading: JoinSet<()>,
}

impl Address {
    /// Listens there. Without replicas, whoever connects is sent away.
    pub(crate) async fn open(at: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let replicas: Arc<Mutex<VecDeque<SocketAddr>>> = Arc::default();
        let mut leading = JoinSet::new();
        leading.spawn(lead(listener, Arc::clone(&replicas)));
        Self {
            replicas,
            _leading: leading,
        }
    }

    /// A replica that is ready.
    pub(crate) fn add(&self, replica: SocketAddr) {
        lock(&self.replicas).push_back(replica);
    }

    /// A replica that leaves: it keeps the connections that it has, and gets no new ones.
    pub(crate) fn remove(&self, replica: SocketAddr) {
        lock(&self.replicas).retain(|other| *other != replica);
    }
}

async fn lead(listener: TcpListener, replicas: Arc<Mutex<VecDeque<SocketAddr>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (mut caller, _) = listener.accept().await.unwrap();
        let next = {
            let mut replicas = lock(&replicas);
            let next = replicas.pop_front();
            replicas.extend(next);
            next
        };
        let Some(replica) = next else { continue };
        connections.spawn(async move {
            let Ok(mut replica) = TcpStream::connect(replica).await else {
                return;
            };
            // Otherwise two buffers wait for each other, 40 ms a call.
            let _ = (caller.set_nodelay(true), replica.set_nodelay(true));
            // However it ends, both sides see it end.
            let _ = copy_bidirectional(&mut caller, &mut replica).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
