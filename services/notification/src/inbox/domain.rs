//! What lies in an inbox.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::Purpose;

/// A message in the inbox of one recipient.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// That of the message.
    pub(crate) id: Uuid,
    pub(crate) recipient: String,
    pub(crate) purpose: Purpose,
    pub(crate) work_order: String,
    pub(crate) feedback: String,
    pub(crate) subject: String,
    /// With the place of the token, where there is one.
    pub(crate) body: String,
    /// Sealed.
    pub(crate) token: Option<Vec<u8>>,
    /// Number of its last change within the inbox.
    pub(crate) change: i64,
    pub(crate) create_time: Timestamp,
    pub(crate) read_time: Option<Timestamp>,
}
