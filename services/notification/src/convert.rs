//! Between the wire and the words of the room that every subject uses: enums and update masks.

use huiyin_chassis::Refusal;
use huiyin_proto::notification::v1;
use prost_types::FieldMask;

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

/// Which fields an update takes over: those of the mask, all with `*`, and without a mask those that are not empty.
pub(crate) struct Taken<'m>(Option<&'m [String]>);

impl<'m> Taken<'m> {
    /// # Errors
    /// INVALID_ARGUMENT on `update_mask` for a path that is not one of `known`.
    pub(crate) fn new(mask: Option<&'m FieldMask>, known: &[&str]) -> Result<Self, Refusal> {
        let paths = mask.map(|mask| mask.paths.as_slice()).filter(|paths| !paths.is_empty());
        if let Some(path) = paths
            .into_iter()
            .flatten()
            .find(|path| *path != "*" && !known.contains(&path.as_str()))
        {
            return Err(Refusal::invalid_field(
                "update_mask",
                format!("{path:?} cannot be changed; these can: {}", known.join(", ")),
            ));
        }
        Ok(Self(paths))
    }

    /// Whether the field is taken over.
    pub(crate) fn takes(&self, path: &str, is_set: bool) -> bool {
        self.0
            .map_or(is_set, |paths| paths.iter().any(|given| given == "*" || given == path))
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

    #[test]
    fn a_mask_says_what_is_taken_over() {
        let mask = |paths: &[&str]| FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        let (subject, all, unknown) = (mask(&["subject"]), mask(&["*"]), mask(&["version"]));
        let known = ["subject", "body"];
        let taken = Taken::new(Some(&subject), &known).unwrap();
        assert!(taken.takes("subject", false) && !taken.takes("body", true));
        assert!(Taken::new(Some(&all), &known).unwrap().takes("body", false));
        let unmasked = Taken::new(None, &known).unwrap();
        assert!(unmasked.takes("body", true) && !unmasked.takes("subject", false));
        assert!(Taken::new(Some(&unknown), &known).is_err());
    }
}
