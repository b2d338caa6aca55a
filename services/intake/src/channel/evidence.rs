//! Files that came along with a form or a mail.

use bytes::Bytes;
use huiyin_chassis::{Refusal, Tenant};

use crate::channel::convert::Asked;
use crate::room::Room;

/// A file that came along. Not `Debug`: it may show a person.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    /// As declared.
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// A file that is not kept, and why.
pub(crate) struct Lost {
    pub(crate) name: String,
    pub(crate) problem: String,
}

/// Keeps files and has the request refer to them; says which could not be kept.
///
/// # Errors
/// Where it may go well later.
pub(crate) async fn keep(
    _room: &Room,
    _tenant: &Tenant,
    _author: &str,
    files: &[File],
    _asked: &mut Asked,
) -> Result<Vec<Lost>, Refusal> {
    let lost = files.iter().map(|file| Lost {
        name: file.name.clone(),
        problem: format!("a file of type {} is not kept here", file.media_type),
    });
    Ok(lost.collect())
}
