//! The rules by themselves, without a store.

use proptest::prelude::*;

use super::*;

/// A draft that says this and no more.
pub(crate) fn draft(description: &str) -> Draft {
    Draft {
        facts: Facts {
            channel: 1,
            product: Product::default(),
            frequency: 0,
            impact: 0,
            demand: 0,
            urgency: 0,
            emotion_level: 0,
            tier: 0,
            external_id: String::new(),
            source: String::new(),
            language: "zh-CN".to_owned(),
            attachments: Vec::new(),
        },
        title: String::new(),
        description: description.to_owned(),
        expectation: String::new(),
        customer_reference: String::new(),
        contact: None,
        occur_time: None,
        no_moments: Vec::new(),
        is_loop: false,
    }
}

pub(crate) fn contact(kind: ContactKind, address: &str) -> Contact {
    Contact {
        kind,
        address: address.to_owned(),
    }
}

/// 001-14: one customer, however the number is written; the reference wins.
#[test]
fn a_customer_is_recognised_however_the_address_is_written() {
    let by = |reference: &str, contact: Option<Contact>| {
        let mut draft = draft("开机后屏幕闪烁");
        draft.customer_reference = reference.to_owned();
        draft.contact = contact;
        identity(&draft)
    };
    assert_eq!(by(" ", None), None);
    for written in [
        "13800138000",
        "+86 138-0013-8000",
        "0086 13800138000",
        "8613800138000",
        " 138 0013 8000 ",
    ] {
        assert_eq!(
            by("", Some(contact(ContactKind::Phone, written))),
            Some(("phone", "13800138000".to_owned())),
            "{written}"
        );
    }
    assert_eq!(
        by("", Some(contact(ContactKind::Phone, "+1 202 555 0123"))),
        Some(("phone", "+12025550123".to_owned()))
    );
    for written in ["+44 20 7031 3000", "0044 20 7031 3000", "+44 (0)20 7031 3000"] {
        let normal = Some(("phone", "+442070313000".to_owned()));
        assert_eq!(by("", Some(contact(ContactKind::Phone, written))), normal, "{written}");
    }
    // Written without a country code it is Chinese, and somebody else's.
    assert_ne!(
        by("", Some(contact(ContactKind::Phone, "+1 380 013 8000"))),
        by("", Some(contact(ContactKind::Phone, "13800138000")))
    );
    assert_eq!(
        by("", Some(contact(ContactKind::Email, " Li@Example.COM "))),
        Some(("email", "li@example.com".to_owned()))
    );
    assert_eq!(
        by(" crm-7 ", Some(contact(ContactKind::Email, "li@example.com"))),
        Some(("reference", "crm-7".to_owned()))
    );
}

/// 001-13: the date is that of the tenant's own zone.
#[test]
fn the_day_of_a_number_is_that_of_the_zone() {
    let zone = |name: &str| TimeZone::get(name).unwrap();
    let late: Timestamp = "2026-03-02T16:30:00Z".parse().unwrap();
    assert_eq!(day(late, &zone("Asia/Shanghai")), 20_260_303);
    assert_eq!(day(late, &zone("Europe/Berlin")), 20_260_302);
    assert_eq!(number(20_260_303, 1), "FB20260303001");
}

proptest! {
    /// C-21: the sequence widens; two places never share a number.
    #[test]
    fn numbers_differ_and_grow_longer(day in 20_000_101..20_991_231_i32, left in 1..2_000_000_i64, right in 1..2_000_000_i64) {
        prop_assert_eq!(number(day, left) == number(day, right), left == right);
        prop_assert!(number(day, left).len() >= "FB20260303001".len());
        prop_assert_eq!(number(day, left)[10..].parse::<i64>().unwrap(), left);
    }
}
