//! Rules of an invitation: from when to when its token is good.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::token::Nonce;
use crate::{error::Error, survey::domain::Survey};

/// Where an invitation stands; the numbers are those of the proto and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It waits for its answer.
    Issued,
    /// It was answered; its token is spent.
    Answered,
    /// Nobody answered in time.
    Expired,
    /// The work order was reopened before anybody answered.
    Superseded,
}

/// A resolution that the scheduler told of, to be asked about.
#[derive(Debug, Clone)]
pub(crate) struct Resolution {
    /// Resource name of the work order.
    pub(crate) work_order: String,
    /// Which of its resolutions, from 1.
    pub(crate) episode: i32,
    /// Resource name of the feedback.
    pub(crate) feedback: String,
    /// Resource name of the customer; empty where nobody is known.
    pub(crate) customer: String,
    /// All that was told of the work order, to be handed on with what we say of it.
    pub(crate) digest: Vec<u8>,
}

/// The right to rate one resolution, once.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) id: Uuid,
    pub(crate) survey: String,
    pub(crate) survey_version: i32,
    pub(crate) about: Resolution,
    pub(crate) token_nonce: Nonce,
    pub(crate) token_hash: [u8; 32],
    pub(crate) state: State,
    /// The answer, where it is answered.
    pub(crate) response: Option<Uuid>,
    pub(crate) create_time: Timestamp,
    pub(crate) expire_time: Timestamp,
    pub(crate) answer_time: Option<Timestamp>,
}

impl State {
    pub(crate) fn of(number: i16) -> Option<Self> {
        [Self::Issued, Self::Answered, Self::Expired, Self::Superseded]
            .into_iter()
            .find(|state| state.number() == number)
    }

    pub(crate) fn number(self) -> i16 {
        match self {
            Self::Issued => 1,
            Self::Answered => 2,
            Self::Expired => 3,
            Self::Superseded => 4,
        }
    }

    /// Its name in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Answered => "answered",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }
}

impl Invitation {
    /// A new one. The time to answer begins with it and not with the resolution, so that an outage of ours shortens nobody's.
    pub(crate) fn issue(
        id: Uuid,
        survey: &Survey,
        about: Resolution,
        (token_nonce, token_hash): (Nonce, [u8; 32]),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            survey: survey.id.clone(),
            survey_version: survey.version,
            about,
            token_nonce,
            token_hash,
            state: State::Issued,
            response: None,
            create_time: now,
            // Saturates in the year 9999 only.
            expire_time: now.saturating_add(survey.definition.window()).unwrap_or(Timestamp::MAX),
            answer_time: None,
        }
    }

    /// The first moment at which it can be answered no longer.
    pub(crate) fn end_time(&self) -> Timestamp {
        self.expire_time
            .saturating_add(SignedDuration::from_micros(1))
            .unwrap_or(Timestamp::MAX)
    }

    /// Whether it can be answered now, whatever its timer has done yet.
    ///
    /// # Errors
    /// Why it can not.
    pub(crate) fn require_open(&self, now: Timestamp) -> Result<(), Error> {
        match self.state {
            State::Answered => Err(Error::Answered),
            State::Superseded => Err(Error::Superseded),
            State::Expired => Err(Error::Expired(self.expire_time)),
            State::Issued if now >= self.end_time() => Err(Error::Expired(self.expire_time)),
            State::Issued => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::domain::{RESOLUTION, built_in};

    fn issued(now: Timestamp) -> Invitation {
        let about = Resolution {
            work_order: String::new(),
            episode: 1,
            feedback: String::new(),
            customer: String::new(),
            digest: Vec::new(),
        };
        Invitation::issue(
            Uuid::nil(),
            &built_in(RESOLUTION).unwrap(),
            about,
            ([0; 16], [0; 32]),
            now,
        )
    }

    #[test]
    fn it_can_be_answered_up_to_its_last_moment_and_not_after() {
        let now: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        let invitation = issued(now);
        assert_eq!(invitation.expire_time.to_string(), "2026-03-09T01:00:00Z");
        assert_eq!(invitation.require_open(invitation.expire_time), Ok(()));
        assert_eq!(
            invitation.require_open(invitation.end_time()),
            Err(Error::Expired(invitation.expire_time))
        );
    }

    #[test]
    fn every_state_but_issued_says_why_it_is_closed() {
        let now = Timestamp::UNIX_EPOCH;
        let in_state = |state| Invitation { state, ..issued(now) }.require_open(now);
        assert_eq!(in_state(State::Answered), Err(Error::Answered));
        assert_eq!(in_state(State::Superseded), Err(Error::Superseded));
        assert!(matches!(in_state(State::Expired), Err(Error::Expired(_))));
    }

    #[test]
    fn a_state_is_known_by_its_number() {
        for state in [State::Issued, State::Answered, State::Expired, State::Superseded] {
            assert_eq!(State::of(state.number()), Some(state));
        }
        assert_eq!(State::of(0), None);
    }
}
