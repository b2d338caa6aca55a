//! What a feedback breaks of a profile, and what a profile itself must keep.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::feedback::domain::{
    Attachment,
    tests::{contact, draft},
};

fn now() -> Timestamp {
    "2026-03-02T01:00:00Z".parse().unwrap()
}

fn of(rules: ChannelRules) -> Rulebook {
    Rulebook::new(
        1,
        &Profile {
            rules: vec![rules],
            ..Profile::default()
        },
    )
    .unwrap()
}

fn fields(judgement: &Judgement) -> Vec<&str> {
    let mut fields: Vec<&str> = judgement.problems.iter().map(|(field, _)| field.as_str()).collect();
    fields.sort_unstable();
    fields
}

fn built_in() -> Rulebook {
    Rulebook::new(0, &Profile::default()).unwrap()
}

/// 004-50: without a profile, channel and description are enough.
#[test]
fn a_plain_draft_is_accepted() {
    let judgement = built_in().judge(&draft("开机后屏幕闪烁"), now());
    assert_eq!(fields(&judgement), Vec::<&str>::new());
    assert_eq!(
        (judgement.contact, judgement.vagueness),
        (ContactPolicy::Encrypted, VaguenessPolicy::Flag)
    );
}

/// 001-11, 003-70.
#[test]
fn every_violation_is_named_at_once() {
    let mut draft = draft(" \n");
    draft.title = "a\0b".to_owned();
    draft.occur_time = Some(now() + jiff::SignedDuration::from_secs(61));
    draft.facts.product.purchase_time = Some("1899-12-31T23:59:59Z".parse().unwrap());
    draft.contact = Some(contact(ContactKind::Email, "li at example"));
    let file = |uri: &str, uploaded, media_type: &str, note: &str| Attachment {
        uri: uri.to_owned(),
        uploaded,
        media_type: media_type.to_owned(),
        note: note.to_owned(),
    };
    draft.facts.attachments = vec![
        file("https://a", None, "image/png", "\0"),
        file("https://b", None, "", ""),
        file("", Some(Uuid::nil()), "", ""),
        file("", Some(Uuid::nil()), "", ""),
    ];
    let expected = [
        "attachments[0].note",
        "attachments[1].media_type",
        "attachments[3].attachment",
        "contact.address",
        "description",
        "occur_time",
        "product.purchase_time",
        "title",
    ];
    assert_eq!(fields(&built_in().judge(&draft, now())), expected);
}

#[test]
fn what_happened_this_very_moment_is_accepted() {
    let mut draft = draft("开机后屏幕闪烁");
    draft.occur_time = Some(now() + jiff::SignedDuration::from_secs(60));
    assert_eq!(fields(&built_in().judge(&draft, now())), Vec::<&str>::new());
}

/// 003-70: the format of an address is checked by its kind.
#[test]
fn addresses_are_checked_by_their_kind() {
    use ContactKind::{Email, Im, Inbox, Phone, Webhook};
    for (kind, address, is_well_formed) in [
        (Phone, "+86 138 0013 8000", true),
        (Phone, "(010) 6552-9988", true),
        (Phone, "138 0013 800X", false),
        (Phone, "1234", false),
        (Email, "li.wei+fb@example.com", true),
        (Email, "li@example", false),
        (Email, "li wei@example.com", false),
        (Webhook, "https://erp.example.com/hook?x=1", true),
        (Webhook, "http://127.0.0.1:8080", true),
        (Webhook, "ftp://example.com", false),
        (Webhook, "https:///path", false),
        (Webhook, "https://user@example.com", false),
        (Inbox, "u-1", true),
        (Im, "   ", false),
    ] {
        let found = malformed(&contact(kind, address));
        assert_eq!(found.is_none(), is_well_formed, "{kind:?} {address}");
    }
}

/// 003-70: what a form requires, in characters as people count them.
#[test]
fn required_fields_and_lengths_are_those_of_the_channel() {
    let rulebook = of(ChannelRules {
        channels: vec![1],
        required: vec![RequiredField::CustomerReference, RequiredField::ProductModel],
        min_description_length: 50,
        contact: ContactPolicy::Required,
        ..ChannelRules::default()
    });
    let judgement = rulebook.judge(&draft(&"字".repeat(49)), now());
    assert_eq!(
        fields(&judgement),
        ["contact", "customer_reference", "description", "product.model"]
    );
    let short = Problem::TooShort { least: 50, has: 49 };
    assert!(judgement.problems.contains(&("description".to_owned(), short)));

    let mut whole = draft(&"👨‍👩‍👧".repeat(50));
    whole.customer_reference = "crm-7".to_owned();
    whole.facts.product.model = "X200".to_owned();
    whole.contact = Some(contact(ContactKind::Phone, "13800138000"));
    assert_eq!(fields(&rulebook.judge(&whole, now())), Vec::<&str>::new());
    // A family of three is one character, though five of them make 25 code points.
    whole.description = "👨‍👩‍👧".repeat(49);
    assert_eq!(fields(&rulebook.judge(&whole, now())), ["description"]);

    let mut elsewhere = draft("坏了");
    elsewhere.facts.channel = 2;
    assert_eq!(fields(&rulebook.judge(&elsewhere, now())), Vec::<&str>::new());
}

#[test]
fn references_from_outside_look_as_they_must() {
    let rulebook = of(ChannelRules {
        sources: vec!["tmall".to_owned(), "jd".to_owned()],
        external_id_pattern: "T[0-9]{4}|J.".to_owned(),
        order_number_pattern: "[0-9]+".to_owned(),
        ..ChannelRules::default()
    });
    let mut draft = draft("充电十分钟就发烫");
    draft.facts.source = "zendesk".to_owned();
    draft.facts.external_id = "T1234x".to_owned();
    draft.facts.product.order_number = "７".to_owned();
    assert_eq!(
        fields(&rulebook.judge(&draft, now())),
        ["external_id", "product.order_number", "source"]
    );
    draft.facts.source = "jd".to_owned();
    draft.facts.external_id = "J1".to_owned();
    draft.facts.product.order_number = String::new();
    assert_eq!(fields(&rulebook.judge(&draft, now())), Vec::<&str>::new());
}

/// 000-15: what a vague complaint lacks depends on the type of the product.
#[test]
fn each_type_of_product_asks_for_its_own() {
    let product = |key: &str, prefixes: &[&str], aspects: &[Aspect]| ProductType {
        key: key.to_owned(),
        model_prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        aspects: aspects.to_vec(),
        guidance: Vec::new(),
    };
    let profile = Profile {
        product_types: vec![
            product("app", &["App"], &[Aspect::Version, Aspect::Step]),
            product("other", &[], &[Aspect::Model]),
        ],
        ..Profile::default()
    };
    let rulebook = Rulebook::new(1, &profile).unwrap();
    let mut draft = draft("不好用");
    assert_eq!(rulebook.judge(&draft, now()).missing, [Aspect::Model]);
    draft.facts.product.model = "ＡＰＰ-Android".to_owned();
    assert_eq!(rulebook.judge(&draft, now()).missing, [Aspect::Version, Aspect::Step]);
    draft.description = "点保存就闪退".to_owned();
    assert_eq!(rulebook.judge(&draft, now()).missing, []);
}

#[test]
fn a_profile_that_cannot_be_is_refused_with_every_reason() {
    let rules = |key: &str, channels: &[i32], pattern: &str| ChannelRules {
        key: key.to_owned(),
        channels: channels.to_vec(),
        external_id_pattern: pattern.to_owned(),
        ..ChannelRules::default()
    };
    let any = |key: &str| ProductType {
        key: key.to_owned(),
        model_prefixes: Vec::new(),
        aspects: vec![Aspect::Symptom],
        guidance: Vec::new(),
    };
    let profile = Profile {
        rules: vec![
            rules("form", &[1, 2], ""),
            rules("form", &[2], "("),
            rules("rest", &[], "x{999999}"),
            rules("never", &[3], ""),
        ],
        product_types: vec![any("a"), any("a")],
        screening: Policy::default(),
    };
    let violations = Rulebook::new(1, &profile).unwrap_err();
    let fields: Vec<&str> = violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "rules[1].key",
            "rules[1].channels",
            "rules[1].external_id_pattern",
            "rules[2].external_id_pattern",
            "rules[3].channels",
            "product_types[1].key",
            "product_types[1].model_prefixes",
        ]
    );
}

proptest! {
    #[test]
    fn no_address_makes_the_check_panic(kind in 1..=5, address in "\\PC{0,40}", pattern in "\\PC{0,20}") {
        let mut draft = draft("x");
        draft.contact = ContactKind::of(kind).map(|kind| contact(kind, &address));
        draft.facts.external_id = address;
        let rules = ChannelRules { external_id_pattern: pattern, ..ChannelRules::default() };
        if let Ok(rulebook) = Rulebook::new(1, &Profile { rules: vec![rules], ..Profile::default() }) {
            rulebook.judge(&draft, now());
        }
    }
}
