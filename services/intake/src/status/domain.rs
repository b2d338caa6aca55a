//! The rules of the customer's view: how what others tell of a work order becomes what its customer is told. What is internal
//! does not get this far: it has no place in [`Said`].

use jiff::Timestamp;

/// How far a feedback has come, in the customer's words; the number is that of the wire and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Received = 1,
    InProgress = 2,
    WaitingForYou = 3,
    Resolved = 4,
    Closed = 5,
}

impl State {
    /// The state of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [
            Self::Received,
            Self::InProgress,
            Self::WaitingForYou,
            Self::Resolved,
            Self::Closed,
        ]
        .into_iter()
        .find(|state| *state as i32 == number)
    }
}

/// The fixed categories of a work order's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    New,
    Active,
    Waiting,
    Verifying,
    Resolved,
    Closed,
    Rejected,
}

/// What others told of a work order that its customer may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It went into a state; with what was done, where that is the solution.
    Moved { to: Category, resolution: String },
    /// Progress was noted.
    Progressed {
        /// True where the next step is ours, false where it is not, `None` where nothing was said about it.
        waits_for_us: Option<bool>,
        /// Written for the customer; empty where the note is internal.
        customer_text: String,
        /// By when a result was promised.
        promise_time: Option<Timestamp>,
    },
}

/// How a feedback stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: State,
    pub(crate) state_time: Timestamp,
    pub(crate) promise_time: Option<Timestamp>,
    /// The last that was written for the customer; empty where nothing was.
    pub(crate) message: String,
    pub(crate) message_time: Option<Timestamp>,
    /// A work order that waits does so for us, e.g. for our own engineers.
    pub(crate) waits_for_us: bool,
}

impl Standing {
    /// A feedback that has arrived, and of which nobody has said anything.
    pub(crate) fn received(at: Timestamp) -> Self {
        Self {
            state: State::Received,
            state_time: at,
            promise_time: None,
            message: String::new(),
            message_time: None,
            waits_for_us: false,
        }
    }

    /// How it stands after something was said.
    #[must_use]
    pub(crate) fn after(mut self, said: Said, at: Timestamp) -> Self {
        match said {
            Said::Moved { to, resolution } => {
                let state = match to {
                    Category::New => State::Received,
                    Category::Waiting if !self.waits_for_us => State::WaitingForYou,
                    // Whether a solution holds is checked by us; the customer hears of it when it does.
                    Category::Active | Category::Waiting | Category::Verifying => State::InProgress,
                    Category::Resolved => State::Resolved,
                    Category::Closed | Category::Rejected => State::Closed,
                };
                if state != self.state {
                    if matches!(self.state, State::Resolved | State::Closed) {
                        // It was reopened: what was promised was for the attempt before.
                        self.promise_time = None;
                    }
                    self.state = state;
                    self.state_time = at;
                }
                self.write(resolution, at);
            }
            Said::Progressed {
                waits_for_us,
                customer_text,
                promise_time,
            } => {
                self.waits_for_us = waits_for_us.unwrap_or(self.waits_for_us);
                self.promise_time = promise_time.or(self.promise_time);
                self.write(customer_text, at);
            }
        }
        self
    }

    fn write(&mut self, text: String, at: Timestamp) {
        if !text.trim().is_empty() {
            self.message = text;
            self.message_time = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn moved(to: Category) -> Said {
        Said::Moved {
            to,
            resolution: String::new(),
        }
    }

    fn noted(waits_for_us: Option<bool>, text: &str, promise_time: Option<Timestamp>) -> Said {
        Said::Progressed {
            waits_for_us,
            customer_text: text.to_owned(),
            promise_time,
        }
    }

    /// 003-13, 000-53.
    #[test]
    fn a_customer_sees_each_step_and_what_was_promised() {
        let standing = Standing::received(at(0)).after(moved(Category::Active), at(1));
        assert_eq!((standing.state, standing.state_time), (State::InProgress, at(1)));
        let standing = standing.after(noted(None, "已安排工程师", Some(at(99))), at(2));
        assert_eq!(
            (standing.message.as_str(), standing.message_time),
            ("已安排工程师", Some(at(2)))
        );
        assert_eq!((standing.promise_time, standing.state_time), (Some(at(99)), at(1)));
        let standing = standing.after(noted(None, "", None), at(3));
        assert_eq!(
            (standing.message.as_str(), standing.promise_time),
            ("已安排工程师", Some(at(99)))
        );
        let solved = Said::Moved {
            to: Category::Resolved,
            resolution: "已更换主板".to_owned(),
        };
        let standing = standing.after(solved, at(4));
        assert_eq!(
            (standing.state, standing.message.as_str()),
            (State::Resolved, "已更换主板")
        );
        // Reopened: the old promise is none any more.
        let standing = standing.after(moved(Category::Active), at(5));
        assert_eq!((standing.state, standing.promise_time), (State::InProgress, None));
    }

    #[test]
    fn only_what_waits_for_the_customer_is_said_to() {
        let standing = Standing::received(at(0)).after(moved(Category::Active), at(1));
        assert_eq!(
            standing.clone().after(moved(Category::Waiting), at(2)).state,
            State::WaitingForYou
        );
        let ours = standing.after(noted(Some(true), "", None), at(2));
        assert_eq!(
            ours.clone().after(moved(Category::Waiting), at(3)).state,
            State::InProgress
        );
        let theirs = ours.after(noted(Some(false), "", None), at(4));
        assert_eq!(
            theirs.after(moved(Category::Waiting), at(5)).state,
            State::WaitingForYou
        );
    }

    fn any_said() -> impl Strategy<Value = Said> {
        let categories = [
            Category::New,
            Category::Active,
            Category::Waiting,
            Category::Verifying,
            Category::Resolved,
            Category::Closed,
            Category::Rejected,
        ];
        prop_oneof![
            (prop::sample::select(categories.to_vec()), ".{0,3}")
                .prop_map(|(to, resolution)| Said::Moved { to, resolution }),
            (any::<Option<bool>>(), ".{0,3}", any::<Option<u32>>()).prop_map(
                |(waits_for_us, customer_text, promise)| {
                    Said::Progressed {
                        waits_for_us,
                        customer_text,
                        promise_time: promise.map(|second| at(second.into())),
                    }
                }
            ),
        ]
    }

    proptest! {
        /// An event that comes twice, as after a restored backup, changes nothing.
        #[test]
        fn what_is_said_twice_at_a_time_is_said_once(all in prop::collection::vec(any_said(), 0..12), last in any_said()) {
            let standing = (1..).zip(all).fold(Standing::received(at(0)), |standing, (time, said)| standing.after(said, at(time)));
            let once = standing.after(last.clone(), at(100));
            let twice = once.clone().after(last, at(100));
            prop_assert_eq!(once, twice);
        }
    }
}
