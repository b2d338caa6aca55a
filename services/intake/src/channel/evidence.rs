//! Files that came along with a form or a mail.

use bytes::Bytes;
use huiyin_chassis::{Refusal, Tenant};
use tonic::Code;

use crate::channel::convert::{self, Asked};
use crate::events::ATTACHMENTS;
use crate::room::Room;

/// A feedback refers to at most so many; of a mail one place is that of the original.
pub(crate) const MOST_FILES: usize = 31;

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

/// Keeps files and has the request refer to them; says which are not taken. What is kept for a request that is refused nevertheless
/// (see `feedback::api::foresee`) belongs to nothing, and is cleared away as such.
///
/// # Errors
/// Where it may go well later.
pub(crate) async fn keep(
    room: &Room,
    tenant: &Tenant,
    author: &str,
    files: &[File],
    asked: &mut Asked,
) -> Result<Vec<Lost>, Refusal> {
    let mut lost = Vec::new();
    for (index, file) in files.iter().enumerate() {
        if index >= MOST_FILES {
            lost.push(Lost {
                name: file.name.clone(),
                problem: format!("is one of more than {MOST_FILES} files"),
            });
            continue;
        }
        let kept = room
            .store_bytes(tenant, author, &file.name, &file.media_type, file.bytes.clone())
            .await;
        match kept {
            Ok(id) => convert::refer(asked, tenant.child(ATTACHMENTS, id)),
            // A quota that is used up is another one tomorrow.
            Err(refusal) if refusal.is_transient() || refusal.code() == Code::Internal => return Err(refusal),
            Err(refusal) => lost.push(Lost {
                name: file.name.clone(),
                problem: refusal.to_string(),
            }),
        }
    }
    Ok(lost)
}
