//! Between the wire and the words of the room that every subject uses: enums.

use huiyin_proto::notification::v1;

use crate::domain::{Audience, Medium, MessageState, Purpose};

pub(crate) fn purpose(purpose: Purpose) -> v1::Purpose {
    match purpose {
        Purpose::Assignment => v1::Purpose::Assignment,
        Purpose::Progress => v1::Purpose::Progress,
        Purpose::Resolution => v1::Purpose::Resolution,
        Purpose::Survey => v1::Purpose::Survey,
        Purpose::SlaWarning => v1::Purpose::SlaWarning,
        Purpose::SlaBreach => v1::Purpose::SlaBreach,
        Purpose::Reopened => v1::Purpose::Reopened,
    }
}

pub(crate) fn audience(audience: Audience) -> v1::Audience {
    match audience {
        Audience::Customer => v1::Audience::Customer,
        Audience::Assignee => v1::Audience::Assignee,
        Audience::Supervisor => v1::Audience::Supervisor,
    }
}

pub(crate) fn medium(medium: Option<Medium>) -> v1::Medium {
    match medium {
        None => v1::Medium::Unspecified,
        Some(Medium::Mail) => v1::Medium::Mail,
        Some(Medium::Webhook) => v1::Medium::Webhook,
        Some(Medium::Inbox) => v1::Medium::Inbox,
    }
}

pub(crate) fn state(state: MessageState) -> v1::MessageState {
    match state {
        MessageState::Queued => v1::MessageState::Queued,
        MessageState::Delivered => v1::MessageState::Delivered,
        MessageState::Dead => v1::MessageState::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enums_keep_their_numbers() {
        for value in Purpose::ALL {
            assert_eq!(purpose(*value) as i32, i32::from(value.number()));
        }
        for value in Audience::ALL {
            assert_eq!(audience(*value) as i32, i32::from(value.number()));
        }
        for value in Medium::ALL {
            assert_eq!(medium(Some(*value)) as i32, i32::from(value.number()));
        }
        for value in MessageState::ALL {
            assert_eq!(state(*value) as i32, i32::from(value.number()));
        }
    }
}
