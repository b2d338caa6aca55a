//! The TCP port of a server on 127.0.0.1: free when chosen, and the same after a restart.

use std::{fs, io::Read as _, net::TcpListener, path::Path};

use anyhow::Context as _;

/// Below the ports that systems give to outgoing connections (32768 on), so that none of those takes it while the server is down.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// The port of last time where it is still free, else a new one.
pub(crate) fn remembered_or_free(file: &Path) -> anyhow::Result<u16> {
    let remembered = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    match remembered {
        Some(port) if is_free(port) => Ok(port),
        _ => free(file),
    }
}

/// A new free port, remembered in `file`. Somebody else may take it before the server does: then ask again.
pub(crate) fn free(file: &Path) -> anyhow::Result<u16> {
    let mut random = [0; 2];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let start = u16::from_ne_bytes(random) % COUNT;
    let port = (0..COUNT)
        .map(|step| FIRST + (start + step) % COUNT)
        .find(|port| is_free(*port))
        .context("no free port on 127.0.0.1")?;
    fs::write(file, format!("{port}\n")).with_context(|| format!("could not write {}", file.display()))?;
    Ok(port)
}

/// Whether nobody listens on it.
fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
