//! Where a feedback stands: every way there and back.

use proptest::prelude::*;

use super::*;

fn standing() -> impl Strategy<Value = Standing> {
    (any::<bool>(), any::<bool>(), "[a-z]{0,8}", any::<u128>()).prop_map(|(aside, held, reason, id)| Standing {
        state: if aside { State::Quarantined } else { State::Accepted },
        held: aside && held,
        findings: vec![Finding {
            kind: FindingKind::Duplicate,
            reasons: vec![Reason::SameFingerprint],
            feedback: Some(Uuid::from_u128(id)),
        }],
        missing: vec![Aspect::Symptom],
        reason,
        ..Standing::default()
    })
}

proptest! {
    /// 001-12: a merge that is taken back never happened.
    #[test]
    fn unmerging_restores_exactly_what_was_merged(before in standing(), canonical in any::<u128>()) {
        let mut after = before.clone();
        after.merge(Uuid::from_u128(canonical), "same".to_owned()).unwrap();
        prop_assert_eq!((after.state, after.canonical), (State::Duplicate, Some(Uuid::from_u128(canonical))));
        prop_assert_eq!(after.held, before.held);
        prop_assert!(after.clone().merge(Uuid::nil(), String::new()).is_err());
        prop_assert!(after.clone().quarantine(String::new()).is_err());
        prop_assert!(after.clone().release(String::new()).is_err());
        prop_assert_eq!(after.unmerge().unwrap(), Uuid::from_u128(canonical));
        prop_assert_eq!(&after, &before);
        prop_assert!(after.unmerge().is_err());
    }
}

/// 001-12: the other services hear of a feedback once, however often it is set aside and let go.
#[test]
fn what_was_held_is_told_with_its_first_release_alone() {
    let mut standing = Standing {
        state: State::Quarantined,
        held: true,
        ..Standing::default()
    };
    assert!(standing.release("real".to_owned()).unwrap());
    standing.quarantine("after all".to_owned()).unwrap();
    assert!(!standing.release("real".to_owned()).unwrap());
    assert!(standing.release(String::new()).is_err());
}
