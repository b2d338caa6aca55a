//! The password of a server: made once, at random, and kept in its folder, readable by its owner only.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;

/// The password in `file`; a missing file is made with 192 random bits in hexadecimal, so it needs no escaping in a URL.
pub(crate) fn kept(file: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => fs::remove_file(file)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("could not read {}", file.display()));
        }
    }
    let mut random = [0; 24];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let password = random.iter().try_fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").map(|()| text)
    })?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| writeln!(file, "{password}"))
        .with_context(|| format!("could not write {}", file.display()))?;
    Ok(password)
}
