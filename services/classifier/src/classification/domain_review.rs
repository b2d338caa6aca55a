//! The joint review of a priority (001-39): who is asked, who said what, and when it is done.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    domain::Priority,
    error::Error,
    priority::domain::{Gate, ReviewMode},
};

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReviewState {
    /// The level that was under review holds no longer.
    NotNeeded,
    Pending,
    Approved,
    Rejected,
}

impl ReviewState {
    /// The word for it in refusals.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NotNeeded => "not needed",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// What a reviewer said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vote {
    pub(crate) role: String,
    pub(crate) author: String,
    pub(crate) approved: bool,
    /// Masked; an approval may be without.
    pub(crate) reason: String,
    /// The revision that it made.
    pub(crate) revision: i32,
    pub(crate) create_time: Timestamp,
}

/// What a reviewer wants to say.
#[derive(Debug, Clone)]
pub(crate) struct Reviewer<'r> {
    pub(crate) author: &'r str,
    /// Those of the token.
    pub(crate) roles: &'r [String],
    /// The one that was named; empty takes the first that is waited for.
    pub(crate) role: &'r str,
    /// Masked.
    pub(crate) reason: String,
}

/// A review. The level under review counts meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) state: ReviewState,
    /// 1 for the first of a classification.
    pub(crate) round: i32,
    pub(crate) priority: Priority,
    /// As the gate had them when it began.
    pub(crate) roles: Vec<String>,
    pub(crate) mode: ReviewMode,
    pub(crate) start_time: Timestamp,
    /// When it is escalated; none: never.
    pub(crate) escalate_time: Option<Timestamp>,
    pub(crate) escalated: bool,
    /// Of this round, in the order in which they came.
    #[serde(skip)]
    pub(crate) votes: Vec<Vote>,
}

impl Review {
    /// A review begins.
    pub(crate) fn begin(gate: &Gate, priority: Priority, round: i32, now: Timestamp) -> Self {
        let timeout = gate.timeout_seconds.map(SignedDuration::from_secs);
        Self {
            state: ReviewState::Pending,
            round,
            priority,
            roles: gate.roles.clone(),
            mode: gate.mode,
            start_time: now,
            escalate_time: timeout.and_then(|timeout| now.checked_add(timeout).ok()),
            escalated: false,
            votes: Vec::new(),
        }
    }

    /// Takes what a reviewer says.
    ///
    /// # Errors
    /// Where it is not pending, the reviewer holds no role that it asks, or the role or the person has spoken already.
    pub(crate) fn vote(
        &mut self,
        reviewer: Reviewer<'_>,
        approved: bool,
        revision: i32,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.state != ReviewState::Pending {
            return Err(Error::ReviewNotPending {
                state: self.state.word(),
            });
        }
        let role = self.role_of(&reviewer)?;
        if let Some(known) = self.votes.iter().find(|vote| vote.author == reviewer.author) {
            return Err(Error::ReviewedAlready {
                role: known.role.clone(),
            });
        }
        self.votes.push(Vote {
            role,
            author: reviewer.author.to_owned(),
            approved,
            reason: reviewer.reason,
            revision,
            create_time: now,
        });
        let done = match self.mode {
            ReviewMode::Any => true,
            ReviewMode::All => self.waits_for().next().is_none(),
        };
        self.state = match (approved, done) {
            (false, _) => ReviewState::Rejected,
            (true, true) => ReviewState::Approved,
            (true, false) => ReviewState::Pending,
        };
        Ok(())
    }

    /// The role in which a reviewer speaks.
    fn role_of(&self, reviewer: &Reviewer<'_>) -> Result<String, Error> {
        let holds = |role: &&String| {
            reviewer.roles.contains(*role) && (reviewer.role.is_empty() || reviewer.role == role.as_str())
        };
        let held: Vec<&String> = self.roles.iter().filter(holds).collect();
        let waiting = held
            .iter()
            .find(|role| self.waits_for().any(|waiting| waiting == role.as_str()));
        match (waiting, held.first()) {
            (Some(role), _) => Ok((*role).clone()),
            (None, Some(role)) => Err(Error::ReviewedAlready { role: (*role).clone() }),
            (None, None) => Err(Error::ReviewerRoleMissing {
                roles: self.waits_for().collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// The roles that have not spoken.
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = &str> {
        let spoken = |role: &&str| self.votes.iter().any(|vote| vote.role == *role);
        self.roles.iter().map(String::as_str).filter(move |role| !spoken(role))
    }

    /// How a basis says it; empty where there is nothing to say.
    pub(crate) fn words(&self) -> String {
        match self.state {
            ReviewState::Pending => format!(
                "; {} counts while its joint review waits for {}",
                self.priority.key,
                self.waits_for().collect::<Vec<_>>().join(", ")
            ),
            ReviewState::Approved => {
                let by = |vote: &Vote| format!("{} ({})", vote.author, vote.role);
                format!(
                    "; confirmed by {}",
                    self.votes.iter().map(by).collect::<Vec<_>>().join(", ")
                )
            }
            // The level that the reviewer set says who set it.
            ReviewState::Rejected | ReviewState::NotNeeded => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(mode: ReviewMode) -> Gate {
        Gate {
            priority: "P0".to_owned(),
            roles: ["operations_lead", "product_lead", "technical_lead"]
                .map(str::to_owned)
                .to_vec(),
            mode,
            timeout_seconds: Some(3600),
        }
    }

    fn review(mode: ReviewMode) -> Review {
        let priority = Priority {
            key: "P0".to_owned(),
            rank: 0,
        };
        Review::begin(&gate(mode), priority, 1, Timestamp::UNIX_EPOCH)
    }

    fn votes(review: &mut Review, author: &str, roles: &[&str], role: &str) -> Result<(), Error> {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let reviewer = Reviewer {
            author,
            roles: &roles,
            role,
            reason: String::new(),
        };
        review.vote(reviewer, true, 2, Timestamp::UNIX_EPOCH)
    }

    /// 001-39: operations, product and technical lead, all three, in whatever order.
    #[test]
    fn all_of_three_roles_confirm_a_level() {
        let mut review = review(ReviewMode::All);
        votes(&mut review, "user:t", &["technical_lead"], "").unwrap();
        assert_eq!(review.state, ReviewState::Pending);
        assert!(
            review.words().ends_with("waits for operations_lead, product_lead"),
            "{}",
            review.words()
        );
        votes(&mut review, "user:o", &["operations_lead"], "").unwrap();
        assert_eq!(review.state, ReviewState::Pending);
        votes(&mut review, "user:p", &["agent", "product_lead"], "product_lead").unwrap();
        assert_eq!(review.state, ReviewState::Approved);
        let again = votes(&mut review, "user:x", &["product_lead"], "");
        assert_eq!(again, Err(Error::ReviewNotPending { state: "approved" }));
    }

    #[test]
    fn any_of_them_confirms_where_one_is_enough() {
        let mut review = review(ReviewMode::Any);
        votes(&mut review, "user:o", &["operations_lead"], "").unwrap();
        assert_eq!(review.state, ReviewState::Approved);
    }

    /// 001-39: jointly means three people, not one with three hats.
    #[test]
    fn a_role_speaks_once_and_a_person_too() {
        let mut review = review(ReviewMode::All);
        let hats = ["operations_lead", "product_lead"];
        votes(&mut review, "user:o", &hats, "").unwrap();
        assert_eq!(
            votes(&mut review, "user:o", &hats, "product_lead"),
            Err(Error::ReviewedAlready {
                role: "operations_lead".to_owned()
            })
        );
        assert_eq!(
            votes(&mut review, "user:second", &["operations_lead"], ""),
            Err(Error::ReviewedAlready {
                role: "operations_lead".to_owned()
            })
        );
        assert_eq!(
            votes(&mut review, "user:x", &["supervisor"], ""),
            Err(Error::ReviewerRoleMissing {
                roles: "product_lead, technical_lead".to_owned()
            })
        );
        assert_eq!(
            votes(&mut review, "user:x", &["supervisor"], "product_lead"),
            Err(Error::ReviewerRoleMissing {
                roles: "product_lead, technical_lead".to_owned()
            }),
            "a role is held, not claimed"
        );
        assert_eq!(review.votes.len(), 1);
    }
}
