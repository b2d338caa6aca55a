//! Which policies fit together.

use super::*;

fn fields(policy: &Policy) -> Vec<String> {
    policy.problems().into_iter().map(|(field, _)| field).collect()
}

#[test]
fn the_built_in_policy_fits_together() {
    assert_eq!(Policy::built_in().problems(), []);
}

#[test]
fn every_entry_that_does_not_fit_is_named_at_once() {
    let both = ClockDefinition {
        pause_in: vec![StateCategory::Waiting],
        stop_in: vec![StateCategory::Waiting],
        ..definition("both")
    };
    let ends = ClockDefinition {
        start_in: vec![StateCategory::Resolved],
        pause_in: vec![StateCategory::Closed],
        ..definition("ends")
    };
    let again = ClockDefinition {
        start_in: vec![StateCategory::Active],
        stop_in: vec![StateCategory::Active],
        ..definition("both")
    };
    let urgent = Condition {
        priority_ranks: vec![0],
        ..Condition::default()
    };
    let wrong = Policy {
        clocks: vec![both, ends, again],
        rules: vec![
            rule("a", "both", Condition::default(), days(1)),
            rule("a", "missing", Condition::default(), days(1)),
            rule("b", "both", urgent.clone(), days(2)),
            rule("c", "ends", urgent, days(2)),
        ],
    };
    assert_eq!(
        fields(&wrong),
        [
            "clocks[0].pause_in",
            "clocks[1].start_in",
            "clocks[1].pause_in",
            "clocks[2].key",
            "clocks[2].start_in",
            "rules[1].key",
            "rules[1].clock",
            "rules[2].condition",
        ]
    );
}

#[test]
fn a_rule_after_a_narrower_one_applies() {
    let urgent = Condition {
        priority_ranks: vec![0],
        ..Condition::default()
    };
    let rules = vec![
        rule("urgent", "resolve", urgent, days(1)),
        rule("all", "resolve", Condition::default(), days(2)),
    ];
    assert_eq!(
        fields(&Policy {
            rules,
            ..policy(days(1))
        }),
        [""; 0]
    );
}

#[test]
fn a_policy_is_stored_and_read_as_it_was() {
    let policy = Policy::built_in();
    let stored = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
}
