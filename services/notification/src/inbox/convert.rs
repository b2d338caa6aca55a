//! Inboxes on the wire.

use huiyin_chassis::{Tenant, sql};
pub(crate) use huiyin_proto::notification::v1::{InboxItem as Shown, WatchInboxResponse as Watched};

use super::domain::Item;
use crate::{convert, message::domain::TOKEN};

/// An item as its recipient sees it, with the token of a survey in its place.
pub(crate) fn item(tenant: &Tenant, item: &Item, token: Option<&str>) -> Shown {
    Shown {
        name: tenant.child("inboxItems", item.id),
        message: tenant.child("messages", item.id),
        recipient: item.recipient.clone(),
        purpose: convert::purpose(item.purpose).into(),
        work_order: item.work_order.clone(),
        feedback: item.feedback.clone(),
        subject: item.subject.clone(),
        body: item.body.replace(TOKEN, token.unwrap_or("…")),
        create_time: Some(sql::to_proto(item.create_time)),
        read_time: item.read_time.map(sql::to_proto),
    }
}
