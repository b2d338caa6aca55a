//! TLS of a service: one certificate for both of its roles, server and client, read again when its files change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use futures::{Stream, StreamExt as _};
use http::Uri;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tls_listener::{AsyncTls, TlsListener};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{Accept, TlsAcceptor, TlsConnector, client, server};

use crate::{
    secret,
    tasks::{MoreToDo, Tasks},
};

/// Who does not end a handshake in this time is cut off.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The certificate of a service. Whoever renews it replaces the files: they are read again, connections from then on use what they
/// hold, and nothing is restarted. Files that cannot be used change nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and what leads from it to the authority, PEM. It must hold for the name by which others call the service
    /// and, where they ask callers for a certificate, for use as a client.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
    /// The authorities that services and callers are believed by, PEM.
    pub ca_file: PathBuf,
    /// True where only a caller with a certificate of those authorities is listened to (mutual TLS). Its token is needed all the same.
    #[serde(default)]
    pub require_client_certificate: bool,
    /// How often the files are looked at. Milliseconds; at least 1.
    #[serde(default = "default_reread_ms")]
    pub reread_ms: u64,
}

fn default_reread_ms() -> u64 {
    10_000
}

/// The certificate in use. Clones share it.
#[derive(Debug, Clone)]
pub struct Tls {
    config: TlsConfig,
    newest: Arc<RwLock<Sides>>,
}

/// What a certificate is used for.
#[derive(Debug, Clone)]
struct Sides {
    /// The hash of its files: the key itself is kept nowhere but where it signs.
    made_of: [u8; 32],
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

/// The files as they are read.
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Vec<u8>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Where one cannot be read, or the key is not that of the certificate.
    pub fn open(config: &TlsConfig) -> anyhow::Result<Self> {
        anyhow::ensure!(config.reread_ms >= 1, "service.tls.reread_ms must be at least 1");
        crate::install_crypto();
        Ok(Self {
            config: config.clone(),
            newest: Arc::new(RwLock::new(config.sides(&config.read()?)?)),
        })
    }

    /// Looks at the files again and again.
    pub fn follow(&self, tasks: &mut Tasks) {
        let tls = self.clone();
        tasks.tick("tls", Duration::from_millis(self.config.reread_ms), move || {
            let read = tls.read_again().context("the old certificate stays in use");
            std::future::ready(read.map(|()| MoreToDo(false)))
        });
    }

    /// Looks at the files once.
    ///
    /// # Errors
    /// Where they cannot be used; the certificate from before stays in use.
    pub fn read_again(&self) -> anyhow::Result<()> {
        let files = self.config.read()?;
        if files.hash() == self.newest().made_of {
            return Ok(());
        }
        let sides = self.config.sides(&files)?;
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = sides;
        tracing::info!("the certificate was replaced");
        Ok(())
    }

    fn newest(&self) -> Sides {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connections of those who end their handshake.
    pub(crate) fn incoming(
        &self,
        listener: TcpListener,
    ) -> impl Stream<Item = io::Result<server::TlsStream<TcpStream>>> + use<> {
        let mut builder = tls_listener::builder(self.clone());
        let listener: TlsListener<TcpListener, Self> = builder.handshake_timeout(HANDSHAKE).listen(listener);
        listener.filter_map(async |accepted| match accepted {
            Ok((connection, _)) => Some(connection.get_ref().0.set_nodelay(true).map(|()| connection)),
            Err(tls_listener::Error::ListenerError(error)) => Some(Err(error)),
            Err(error) => {
                // Whoever speaks no TLS, or has no certificate, is told by the connection's end.
                tracing::debug!(%error, "a connection was not accepted");
                None
            }
        })
    }

    /// A connection to where `uri` says.
    pub(crate) async fn connect(&self, uri: Uri) -> io::Result<client::TlsStream<TcpStream>> {
        // An address of version 6 stands in brackets in a URI, and nowhere else.
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let connection = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await?;
        connection.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(self.newest().client).connect(name, connection).await
    }
}

impl AsyncTls<TcpStream> for Tls {
    type Stream = server::TlsStream<TcpStream>;
    type Error = io::Error;
    type AcceptFuture = Accept<TcpStream>;

    fn accept(&self, connection: TcpStream) -> Accept<TcpStream> {
        TlsAcceptor::from(self.newest().server).accept(connection)
    }
}

impl Files {
    fn hash(&self) -> [u8; 32] {
        secret::keyed_hash(b"certificate", &[&self.certificate, &self.key, &self.authorities])
    }
}

impl TlsConfig {
    fn read(&self) -> anyhow::Result<Files> {
        let read = |file: &Path| fs::read(file).with_context(|| file.display().to_string());
        Ok(Files {
            certificate: read(&self.certificate_file)?,
            key: read(&self.key_file)?,
            authorities: read(&self.ca_file)?,
        })
    }

    fn sides(&self, files: &Files) -> anyhow::Result<Sides> {
        let chain = CertificateDer::pem_slice_iter(&files.certificate)
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| self.certificate_file.display().to_string())?;
        let key = PrivateKeyDer::from_pem_slice(&files.key).with_context(|| self.key_file.display().to_string())?;
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(&files.authorities) {
            roots.add(authority.with_context(|| self.ca_file.display().to_string())?)?;
        }
        anyhow::ensure!(!roots.is_empty(), "{} holds no certificate", self.ca_file.display());
        let roots = Arc::new(roots);

        let server = ServerConfig::builder();
        let server = if self.require_client_certificate {
            server.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::clone(&roots)).build()?)
        } else {
            server.with_no_client_auth()
        };
        let mut server = server.with_single_cert(chain.clone(), key.clone_key())?;
        server.alpn_protocols = vec![b"h2".to_vec()];
        let mut client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        client.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Sides {
            made_of: files.hash(),
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }
}
