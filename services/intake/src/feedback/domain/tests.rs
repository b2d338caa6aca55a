//! The rules by themselves, without a store.

use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-03-02T01:00:00Z";

fn draft() -> Draft {
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
        description: "开机后屏幕闪烁".to_owned(),
        expectation: String::new(),
        customer_reference: String::new(),
        contact: None,
        occur_time: None,
    }
}

fn contact(kind: ContactKind, address: &str) -> Contact {
    Contact {
        kind,
        address: address.to_owned(),
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

#[test]
fn a_plain_draft_is_accepted() {
    assert_eq!(check(&draft(), now(), "feedback"), Vec::new());
}

/// 001-11, 003-70.
#[test]
fn every_violation_is_named_at_once() {
    let mut draft = draft();
    draft.description = " \n".to_owned();
    draft.title = "a\0b".to_owned();
    draft.occur_time = Some(now() + jiff::SignedDuration::from_secs(61));
    draft.facts.product.purchase_time = Some("1899-12-31T23:59:59Z".parse().unwrap());
    draft.contact = Some(contact(ContactKind::Email, "li at example"));
    draft.facts.attachments = vec![Attachment {
        uploaded: None,
        uri: "https://a".to_owned(),
        media_type: "image/png".to_owned(),
        note: "\0".to_owned(),
    }];
    let mut fields: Vec<String> = check(&draft, now(), "feedbacks[3]")
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "feedbacks[3].attachments[0].note",
            "feedbacks[3].contact.address",
            "feedbacks[3].description",
            "feedbacks[3].occur_time",
            "feedbacks[3].product.purchase_time",
            "feedbacks[3].title",
        ]
    );
}

#[test]
fn what_happened_this_very_moment_is_accepted() {
    let mut draft = draft();
    draft.occur_time = Some(now() + jiff::SignedDuration::from_secs(60));
    assert_eq!(check(&draft, now(), "feedback"), Vec::new());
}

/// 003-70: the format of an address is checked by its kind.
#[test]
fn addresses_are_checked_by_their_kind() {
    use ContactKind::{Email, Im, Inbox, Phone, Webhook};
    for (kind, address, is_well_formed) in [
        (Phone, "+86 138 0013 8000", true),
        (Phone, "(010) 6552-9988", true),
        (Phone, "95588", true),
        (Phone, "138 0013 800X", false),
        (Phone, "1234", false),
        (Phone, "+1234567890123456", false),
        (Phone, "138+00138000", false),
        (Email, "li.wei+fb@example.com", true),
        (Email, "李@例子.中国", true),
        (Email, "li@example", false),
        (Email, "li@@example.com", false),
        (Email, "@example.com", false),
        (Email, "li wei@example.com", false),
        (Email, "li@example..com", false),
        (Webhook, "https://erp.example.com/hook?x=1", true),
        (Webhook, "http://127.0.0.1:8080", true),
        (Webhook, "ftp://example.com", false),
        (Webhook, "https:///path", false),
        (Webhook, "https://user@example.com", false),
        (Inbox, "u-1", true),
        (Im, "   ", false),
    ] {
        assert_eq!(
            malformed(&contact(kind, address)).is_none(),
            is_well_formed,
            "{kind:?} {address}"
        );
    }
}

/// 001-14: one customer, however the number is written; the reference wins.
#[test]
fn a_customer_is_recognised_however_the_address_is_written() {
    let by = |reference: &str, contact: Option<Contact>| {
        let mut draft = draft();
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
        Some(("phone", "12025550123".to_owned()))
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

    #[test]
    fn no_address_makes_the_check_panic(kind in 1..=5, address in "\\PC{0,40}") {
        let kind = ContactKind::of(kind).unwrap();
        let mut draft = draft();
        draft.contact = Some(contact(kind, &address));
        let _ = (check(&draft, now(), "feedback"), identity(&draft));
    }
}
