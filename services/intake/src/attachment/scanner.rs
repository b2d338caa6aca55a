//! Asks a scanner of malware what it thinks of some bytes, in the protocol of clamd: INSTREAM over TCP or a Unix socket.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use huiyin_chassis::Refusal;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

use crate::config::ScannerConfig;

/// No reply of a scanner is longer.
const LONGEST_REPLY: u64 = 4096;

/// A scanner.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    address: Address,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum Address {
    Tcp(String),
    Unix(std::path::PathBuf),
}

/// What a scanner said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was found.
    Clean,
    /// This was found.
    Infected(String),
}

impl Scanner {
    /// # Errors
    /// Where the address is not understood.
    pub(crate) fn new(config: &ScannerConfig) -> anyhow::Result<Self> {
        let address = match config.address.split_once(':') {
            Some(("tcp", rest)) => Address::Tcp(rest.trim_start_matches("//").to_owned()),
            Some(("unix", rest)) => Address::Unix(rest.trim_start_matches("//").into()),
            _ => anyhow::bail!("[attachments.scanner] address begins with tcp: or unix:"),
        };
        Ok(Self {
            address,
            timeout: Duration::from_millis(config.timeout_ms),
        })
    }

    /// What the scanner says of these bytes.
    ///
    /// # Errors
    /// UNAVAILABLE where it says nothing that is understood, or nothing in time.
    pub(crate) async fn scan(
        &self,
        bytes: impl Stream<Item = Result<Bytes, Refusal>> + Send + Unpin,
    ) -> Result<Verdict, Refusal> {
        let work = async {
            match &self.address {
                Address::Tcp(address) => converse(TcpStream::connect(address).await?, bytes).await,
                Address::Unix(path) => converse(UnixStream::connect(path).await?, bytes).await,
            }
        };
        match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(error)) => Err(Refusal::unavailable(format!("the scanner: {error:#}"))),
            Err(_) => Err(Refusal::unavailable("the scanner took too long")),
        }
    }
}

/// `zINSTREAM`, then each part behind its length, a length of 0 at the end, and the reply up to a zero byte.
async fn converse(
    mut socket: impl AsyncRead + AsyncWrite + Send + Unpin,
    mut bytes: impl Stream<Item = Result<Bytes, Refusal>> + Send + Unpin,
) -> anyhow::Result<Verdict> {
    socket.write_all(b"zINSTREAM\0").await?;
    while let Some(part) = bytes.next().await {
        let part = part?;
        if part.is_empty() {
            continue; // a length of 0 would be the end
        }
        let length = u32::try_from(part.len()).context("a part is too large")?;
        socket.write_all(&length.to_be_bytes()).await?;
        socket.write_all(&part).await?;
    }
    socket.write_all(&0u32.to_be_bytes()).await?;
    socket.flush().await?;
    let mut reply = Vec::new();
    socket.take(LONGEST_REPLY).read_to_end(&mut reply).await?;
    understood(&reply)
}

/// `stream: OK`, `stream: Eicar-Test-Signature FOUND`, or a sentence that ends with `ERROR`.
fn understood(reply: &[u8]) -> anyhow::Result<Verdict> {
    let reply = reply.split(|byte| *byte == 0).next().unwrap_or_default();
    let reply = String::from_utf8_lossy(reply);
    let said = reply.trim();
    let said = said.strip_prefix("stream:").unwrap_or(said).trim();
    if said == "OK" {
        return Ok(Verdict::Clean);
    }
    match said.strip_suffix(" FOUND") {
        Some(signature) => Ok(Verdict::Infected(signature.trim().to_owned())),
        None => anyhow::bail!("it said {said:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_ok_is_clean() {
        assert_eq!(understood(b"stream: OK\0").unwrap(), Verdict::Clean);
        assert_eq!(
            understood(b"stream: Win.Test.EICAR_HDB-1 FOUND\0").unwrap(),
            Verdict::Infected("Win.Test.EICAR_HDB-1".to_owned())
        );
        for reply in [
            b"".as_slice(),
            b"\0",
            b"INSTREAM size limit exceeded. ERROR\0",
            b"stream: NOT OK\0",
            b"\xff\xfe",
        ] {
            assert!(understood(reply).is_err(), "{reply:?}");
        }
    }

    #[test]
    fn an_address_says_how_it_is_reached() {
        let scanner = |address: &str| {
            Scanner::new(&ScannerConfig {
                address: address.to_owned(),
                timeout_ms: 1,
            })
        };
        assert!(
            matches!(scanner("tcp://clamd:3310").unwrap().address, Address::Tcp(address) if address == "clamd:3310")
        );
        assert!(
            matches!(scanner("unix:/run/clamd.ctl").unwrap().address, Address::Unix(path) if path.ends_with("clamd.ctl"))
        );
        assert!(scanner("clamd").is_err());
    }
}
