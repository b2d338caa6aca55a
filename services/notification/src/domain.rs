//! The words that every subject of the room uses: what a message is for, who is told, how it travels, where it stands.

use serde::{Serialize, Serializer};

/// An enum that is stored and filtered as the number that it has in the proto.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal as $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl $name {
            /// All values, in the order of their numbers.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number, as it is stored.
            pub(crate) fn number(self) -> i16 {
                self as i16
            }

            /// The name that events and filters use.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value of a number.
            pub(crate) fn of(number: impl Into<i32>) -> Option<Self> {
                let number = number.into();
                Self::ALL.iter().copied().find(|value| i32::from(value.number()) == number)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

numbered! {
    /// What a message is for.
    Purpose {
        /// A work order is yours (派单通知).
        Assignment = 1 as "ASSIGNMENT",
        /// How far it is (进度告知).
        Progress = 2 as "PROGRESS",
        /// What was done, or why it was not taken on (结果告知).
        Resolution = 3 as "RESOLUTION",
        /// Please rate it (满意度调查邀请).
        Survey = 4 as "SURVEY",
        /// A deadline comes near (超时预警).
        SlaWarning = 5 as "SLA_WARNING",
        /// A deadline has passed (超时通知).
        SlaBreach = 6 as "SLA_BREACH",
        /// The customer says that it is not solved (退回重办).
        Reopened = 7 as "REOPENED",
    }
}

numbered! {
    /// In which role somebody is told.
    Audience {
        /// The customer (客户).
        Customer = 1 as "CUSTOMER",
        /// Whoever handles the work order (处理人).
        Assignee = 2 as "ASSIGNEE",
        /// Who answers for the team (主管).
        Supervisor = 3 as "SUPERVISOR",
    }
}

numbered! {
    /// How a message travels.
    Medium {
        /// Mail over SMTP.
        Mail = 1 as "MAIL",
        /// A signed POST to an endpoint of the tenant.
        Webhook = 2 as "WEBHOOK",
        /// The inbox that this service keeps.
        Inbox = 3 as "INBOX",
    }
}

numbered! {
    /// Where a message stands.
    MessageState {
        /// It waits for its first or next attempt.
        Queued = 1 as "QUEUED",
        /// The other side took it.
        Delivered = 2 as "DELIVERED",
        /// It was refused for good, or all attempts failed.
        Dead = 3 as "DEAD",
    }
}

impl Purpose {
    /// How it stands in the name of a template, e.g. `sla-warning`.
    pub(crate) fn key(self) -> String {
        self.name().to_ascii_lowercase().replace('_', "-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gives_its_value_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::of(purpose.number()), Some(*purpose));
        }
        assert_eq!(Purpose::of(0), None);
        assert_eq!(Purpose::SlaWarning.key(), "sla-warning");
        assert_eq!(MessageState::of(3), Some(MessageState::Dead));
    }
}
