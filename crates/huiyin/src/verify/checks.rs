//! What must be so: each line holds what one service has against what another says that it must have.

use std::collections::BTreeMap;

use huiyin_proto::intake::v1::FeedbackState;
use huiyin_proto::notification::v1::{Audience, Medium, Message, MessageState, Purpose};
use huiyin_proto::survey::v1::{Invitation, InvitationState};

use super::{Check, inventory::Inventory};

/// All lines of the audit.
pub(super) fn all(inventory: &Inventory, named: usize) -> Vec<Check> {
    let Inventory {
        feedbacks,
        classifications,
        work_orders,
        invitations,
        responses,
        messages,
        facts,
        totals,
        notes,
    } = inventory;
    let check = |name, expected, found| compare(name, expected, found, named);
    let digest = |feedback: &Option<huiyin_proto::r#type::v1::FeedbackDigest>| {
        feedback
            .as_ref()
            .map(|digest| digest.feedback.clone())
            .unwrap_or_default()
    };
    // What was set aside when it came in is known to intake alone, until somebody lets it go (001-12).
    let released = || feedbacks.iter().filter(|(_, feedback)| !feedback.held);
    let accepted = || released().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let knows_customer = |feedback: &str| {
        feedbacks
            .get(feedback)
            .is_some_and(|feedback| !feedback.customer.is_empty())
    };

    let resolutions = || {
        work_orders
            .iter()
            .flat_map(|order| counted(&order.name, order.resolution_count))
    };
    let with_customer = || {
        work_orders
            .iter()
            .filter(|order| knows_customer(&digest(&order.feedback)))
    };
    let invitations_of_customers = invitations
        .iter()
        .filter(|invitation| knows_customer(&invitation.feedback));
    let about = |purpose: Purpose, audience: Option<Audience>| told(messages, purpose, audience);

    let mut checks = vec![
        check(
            "each accepted feedback has one classification",
            accepted(),
            classifications
                .iter()
                .map(|classification| digest(&classification.feedback))
                .collect(),
        ),
        check(
            "each accepted feedback has one work order",
            accepted(),
            work_orders.iter().map(|order| digest(&order.feedback)).collect(),
        ),
        check(
            "each resolution has one survey invitation",
            resolutions().collect(),
            enumerated(invitations.iter().map(|invitation| invitation.work_order.clone())),
        ),
        check(
            "each assignment was told once",
            work_orders
                .iter()
                .flat_map(|order| counted(&order.name, order.assignment_count))
                .collect(),
            about(Purpose::Assignment, None),
        ),
        check(
            "each note for the customer was told once",
            with_customer()
                .flat_map(|order| counted(&order.name, notes.get(&order.name).copied().unwrap_or_default()))
                .collect(),
            about(Purpose::Progress, Some(Audience::Customer)),
        ),
        check(
            "each resolution was told to its customer once",
            with_customer()
                .flat_map(|order| counted(&order.name, order.resolution_count))
                .collect(),
            about(Purpose::Resolution, Some(Audience::Customer)),
        ),
        check(
            "each invitation was sent to its customer once",
            enumerated(invitations_of_customers.map(|invitation| invitation.work_order.clone())),
            about(Purpose::Survey, Some(Audience::Customer)),
        ),
        check(
            "each message reached its recipient",
            messages
                .iter()
                .filter(|message| message.state() != MessageState::Dead || !asks_for_nothing(message, invitations))
                .map(|message| message.name.clone())
                .collect(),
            messages
                .iter()
                .filter(|message| message.state() == MessageState::Delivered)
                .map(|message| message.name.clone())
                .collect(),
        ),
        check(
            "each answer belongs to one invitation",
            answered(inventory),
            responses.iter().map(|response| response.invitation.clone()).collect(),
        ),
        reopened(inventory, named),
        check(
            "each accepted feedback has one analytics fact",
            accepted(),
            facts
                .iter()
                .filter(|fact| fact.feedback.is_some())
                .map(|fact| digest(&fact.feedback))
                .collect(),
        ),
    ];
    let delivered = messages
        .iter()
        .filter(|message| message.state() == MessageState::Delivered)
        .count();
    let merged = released()
        .filter(|(_, feedback)| feedback.state() == FeedbackState::Duplicate)
        .count() as u64;
    let sum = |of: fn(&huiyin_proto::scheduler::v1::WorkOrder) -> i32| {
        work_orders
            .iter()
            .map(|order| u64::try_from(of(order)).unwrap_or(0))
            .sum::<u64>()
    };
    checks.extend([
        equal(
            "analytics counts every feedback",
            released().count() as u64,
            totals.feedbacks,
        ),
        equal("analytics counts every feedback that was merged", merged, totals.merged),
        equal(
            "analytics counts every classification",
            classifications.len() as u64,
            totals.classified,
        ),
        equal(
            "analytics counts every work order",
            work_orders.len() as u64,
            totals.work_orders,
        ),
        equal(
            "analytics counts every resolution",
            sum(|order| order.resolution_count),
            totals.resolved_episodes,
        ),
        equal(
            "analytics counts every reopening",
            sum(|order| order.reopen_count),
            totals.reopened,
        ),
        equal(
            "analytics counts every invitation",
            invitations.len() as u64,
            totals.invitations,
        ),
        equal("analytics counts every answer", responses.len() as u64, totals.answers),
        equal(
            "analytics counts every delivered message",
            delivered as u64,
            totals.messages_delivered,
        ),
    ]);
    checks
}

/// `name#1`, `name#2` … up to `count`.
fn counted(name: &str, count: i32) -> impl Iterator<Item = String> {
    let name = name.to_owned();
    (1..=count).map(move |ordinal| format!("{name} #{ordinal}"))
}

/// Each name with how many times it came up so far, so that several of one kind can be told apart.
fn enumerated(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: BTreeMap<String, i32> = BTreeMap::new();
    names
        .map(|name| {
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            format!("{name} #{count}")
        })
        .collect()
}

/// True where a message asks for an answer that nobody wants any more: its work order was reopened before the message went out.
fn asks_for_nothing(message: &Message, invitations: &[Invitation]) -> bool {
    let is_superseded = |invitation: &Invitation| {
        invitation.work_order == message.work_order
            && invitation.episode == message.episode
            && invitation.state() == InvitationState::Superseded
    };
    message.purpose() == Purpose::Survey && invitations.iter().any(is_superseded)
}

/// The work orders that messages of a purpose speak of; copies to a tenant's own systems do not count.
fn told(messages: &[Message], purpose: Purpose, audience: Option<Audience>) -> Vec<String> {
    let of_purpose = messages.iter().filter(|message| {
        message.purpose() == purpose
            && message.medium() != Medium::Webhook
            && audience.is_none_or(|audience| message.audience() == audience)
    });
    enumerated(of_purpose.map(|message| message.work_order.clone()))
}

fn answered(inventory: &Inventory) -> Vec<String> {
    let answered = inventory
        .invitations
        .iter()
        .filter(|invitation| invitation.state() == InvitationState::Answered);
    answered.map(|invitation| invitation.name.clone()).collect()
}

/// Every answer that asked for it reopened its work order; people may have reopened more.
fn reopened(inventory: &Inventory, named: usize) -> Check {
    let asked = enumerated(
        inventory
            .responses
            .iter()
            .filter(|response| response.reopen)
            .map(|response| response.work_order.clone()),
    );
    let done: Vec<String> = inventory
        .work_orders
        .iter()
        .flat_map(|order| counted(&order.name, order.reopen_count))
        .collect();
    let wanted: std::collections::BTreeSet<&String> = asked.iter().collect();
    let granted = done
        .into_iter()
        .filter(|reopening| wanted.contains(reopening))
        .collect();
    compare(
        "each answer that asked for it reopened its work order",
        asked,
        granted,
        named,
    )
}

fn equal(name: &'static str, expected: u64, found: i64) -> Check {
    let found = u64::try_from(found).unwrap_or(0);
    let strays = if expected == found {
        Vec::new()
    } else {
        vec![format!("{expected} expected, {found} counted")]
    };
    Check {
        name,
        expected,
        found,
        stray_count: expected.abs_diff(found),
        strays,
    }
}

/// Compares two lists whose entries must be the same, each exactly once.
fn compare(name: &'static str, expected: Vec<String>, found: Vec<String>, named: usize) -> Check {
    let mut balance: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for key in &expected {
        balance.entry(key).or_default().0 += 1;
    }
    for key in &found {
        balance.entry(key).or_default().1 += 1;
    }
    let strays = balance
        .iter()
        .filter(|(_, (wanted, there))| wanted != there)
        .map(|(key, (wanted, there))| match (wanted, there) {
            (_, 0) => format!("{key}: missing"),
            (0, _) => format!("{key}: belongs to nobody"),
            _ => format!("{key}: there {there} times"),
        });
    let strays: Vec<String> = strays.collect();
    Check {
        name,
        expected: expected.len() as u64,
        found: found.len() as u64,
        stray_count: strays.len() as u64,
        strays: strays.into_iter().take(named).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_twice_or_nobodys_is_named() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let check = compare("x", list(&["a", "b", "c"]), list(&["b", "c", "c", "d"]), 10);
        assert_eq!(check.strays, ["a: missing", "c: there 2 times", "d: belongs to nobody"]);
        assert_eq!(compare("x", list(&["a"]), list(&["a"]), 10).stray_count, 0);
    }

    #[test]
    fn only_a_survey_whose_invitation_is_superseded_asks_for_nothing() {
        let invitation = |episode, state: InvitationState| Invitation {
            work_order: "w".to_owned(),
            episode,
            state: state.into(),
            ..Invitation::default()
        };
        let invitations = [
            invitation(1, InvitationState::Superseded),
            invitation(2, InvitationState::Issued),
        ];
        let message = |purpose: Purpose, episode| Message {
            work_order: "w".to_owned(),
            episode,
            purpose: purpose.into(),
            ..Message::default()
        };
        assert!(asks_for_nothing(&message(Purpose::Survey, 1), &invitations));
        assert!(!asks_for_nothing(&message(Purpose::Survey, 2), &invitations));
        assert!(!asks_for_nothing(&message(Purpose::Resolution, 1), &invitations));
    }

    #[test]
    fn several_of_one_kind_are_told_apart() {
        assert_eq!(
            enumerated(["a", "b", "a"].into_iter().map(str::to_owned)),
            ["a #1", "b #1", "a #2"]
        );
        assert_eq!(counted("a", 2).collect::<Vec<_>>(), ["a #1", "a #2"]);
    }
}
