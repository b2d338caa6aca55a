//! What a message is, and how one is queued.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    domain::{Audience, Medium, MessageState, Purpose},
    template::domain::Values,
};

/// Stands in stored words where the token of a survey belongs. It is no character of any language, and is taken out of
/// everything that people write.
pub(crate) const TOKEN: char = '\u{fffc}';

/// What an event says has to be told, and to whom.
#[derive(Debug, Clone)]
pub(crate) struct Telling {
    pub(crate) purpose: Purpose,
    pub(crate) audience: Audience,
    /// A subject such as `user:li.wei` or `team:app`, or the resource name of a pseudonymous customer.
    pub(crate) recipient: String,
    /// BCP 47 tag of the recipient's language.
    pub(crate) language: String,
    /// True where the recipient may have left an address with intake.
    pub(crate) reachable: bool,
    /// The values of all variables of the purpose.
    pub(crate) values: Values,
    /// Of a survey: whose token belongs into the link; empty where none.
    pub(crate) invitation: String,
    pub(crate) work_order: String,
    pub(crate) feedback: String,
    pub(crate) episode: i32,
}

/// Who delivers a message. Each lane is worked on by itself: a slow endpoint holds up no inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lane {
    /// Into an inbox, and nothing has to be asked before.
    Inbox = 1,
    /// To be asked of a neighbour before: the customer's address, or the token of an invitation. Then by mail or into an inbox.
    Direct = 2,
    /// To an endpoint of the tenant.
    Webhook = 3,
}

impl Lane {
    pub(crate) const ALL: [Self; 3] = [Self::Inbox, Self::Direct, Self::Webhook];

    /// The number, as it is stored.
    pub(crate) fn number(self) -> i16 {
        self as i16
    }

    /// The lane of a message.
    pub(crate) fn of(medium: Option<Medium>, endpoint: Option<Uuid>, invitation: &str) -> Self {
        match (endpoint, medium) {
            (Some(_), _) => Self::Webhook,
            (None, Some(Medium::Inbox)) if invitation.is_empty() => Self::Inbox,
            (None, _) => Self::Direct,
        }
    }
}

/// A message that is about to be queued.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) id: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) audience: Audience,
    pub(crate) recipient: String,
    /// Not set until the kind of the customer's address is known.
    pub(crate) medium: Option<Medium>,
    pub(crate) endpoint: Option<Uuid>,
    pub(crate) work_order: String,
    pub(crate) feedback: String,
    pub(crate) episode: i32,
    pub(crate) invitation: String,
    pub(crate) locale: String,
    pub(crate) template_version: i32,
    pub(crate) subject: String,
    pub(crate) body: String,
}

impl NewMessage {
    pub(crate) fn lane(&self) -> Lane {
        Lane::of(self.medium, self.endpoint, &self.invitation)
    }
}

/// A message as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) event: String,
    pub(crate) purpose: Purpose,
    pub(crate) audience: Audience,
    pub(crate) recipient: String,
    pub(crate) medium: Option<Medium>,
    pub(crate) endpoint: Option<Uuid>,
    pub(crate) state: MessageState,
    /// Since it was last queued.
    pub(crate) attempts: i32,
    /// Over its whole life.
    pub(crate) total_attempts: i32,
    pub(crate) next_attempt_time: Option<Timestamp>,
    pub(crate) last_error: String,
    pub(crate) work_order: String,
    pub(crate) feedback: String,
    pub(crate) episode: i32,
    pub(crate) invitation: String,
    pub(crate) locale: String,
    pub(crate) template_version: i32,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) create_time: Timestamp,
    pub(crate) settle_time: Option<Timestamp>,
    /// The trace of the event that it tells of; empty where there was none.
    pub(crate) traceparent: String,
}

impl Message {
    /// The text as one may see it who is not its recipient: without the token.
    pub(crate) fn public_body(&self) -> String {
        self.body.replace(TOKEN, "…")
    }

    /// The text for its recipient.
    pub(crate) fn body_with(&self, token: Option<&str>) -> String {
        self.body.replace(TOKEN, token.unwrap_or("…"))
    }
}

/// One attempt to deliver a message.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// From 1, over the whole life of the message.
    pub(crate) ordinal: i32,
    pub(crate) start_time: Timestamp,
    pub(crate) duration_us: i64,
    pub(crate) delivered: bool,
    /// HTTP status or SMTP code; 0 where there is none.
    pub(crate) status_code: i32,
    pub(crate) error: String,
}

/// What is posted to an endpoint of the tenant: a Standard Webhooks payload.
#[derive(Debug, Serialize)]
pub(crate) struct Post<'m> {
    /// `message.resolution` and the like.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// When the message was queued, RFC 3339.
    pub(crate) timestamp: String,
    pub(crate) data: PostData<'m>,
}

/// The message in a [`Post`].
#[derive(Debug, Serialize)]
pub(crate) struct PostData<'m> {
    pub(crate) message: String,
    pub(crate) purpose: Purpose,
    pub(crate) audience: Audience,
    pub(crate) recipient: &'m str,
    pub(crate) work_order: &'m str,
    pub(crate) feedback: &'m str,
    pub(crate) episode: i32,
    pub(crate) locale: String,
    pub(crate) subject: &'m str,
    pub(crate) body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_the_lane_of_what_must_be_asked_for_it() {
        let inbox = Some(Medium::Inbox);
        assert_eq!(Lane::of(inbox, None, ""), Lane::Inbox);
        assert_eq!(
            Lane::of(inbox, None, "tenants/acme/surveys/s/invitations/i"),
            Lane::Direct
        );
        assert_eq!(Lane::of(None, None, ""), Lane::Direct);
        assert_eq!(Lane::of(Some(Medium::Webhook), Some(Uuid::nil()), ""), Lane::Webhook);
    }
}
