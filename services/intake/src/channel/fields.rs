//! From what was sent to the fields of a feedback: where each stands, and what it says. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::channel::source::domain::Source;
use crate::feedback::domain::Violation;

/// The fields that can be sent; those of `huiyin import`, but for the channel and the source, which the sender is known by.
pub(crate) const NAMES: [&str; 24] = [
    "title",
    "description",
    "expectation",
    "product.model",
    "product.batch",
    "product.purchase_channel",
    "product.purchase_time",
    "product.order_number",
    "product.device",
    "product.software_version",
    "frequency",
    "impact",
    "demand",
    "urgency",
    "emotion_level",
    "tier",
    "customer_reference",
    "contact.email",
    "contact.phone",
    "contact.im",
    "contact.inbox",
    "external_id",
    "language",
    "occur_time",
];

/// What was sent for a field. Not `Debug`: it may name a person.
pub(crate) struct Given {
    pub(crate) value: String,
    /// Where it stood; empty for a field that is the same for all.
    pub(crate) pointer: String,
}

/// What was sent, by field.
pub(crate) type Fields = BTreeMap<&'static str, Given>;

/// Names of whoever says it.
const IDENTITY: [&str; 5] = [
    "customer_reference",
    "contact.email",
    "contact.phone",
    "contact.im",
    "contact.inbox",
];
/// What nobody says of themselves: it decides how soon they are heard, or whose record it is.
const NEVER_TYPED: [&str; 4] = ["tier", "external_id", "urgency", "emotion_level"];

/// Finds the fields in a body. Where somebody typed it, what the sender's server has `vouched` for, if anything, counts before, so that
/// nobody writes as another customer or about another's order (000-10): of an identity all of it, and some fields are never typed. A
/// body that nobody vouches for is the server's own. What is the same for all counts before both.
///
/// # Errors
/// Every place where something stands that is no text.
pub(crate) fn find(source: &Source, vouched: Option<&Value>, body: &Value) -> Result<Fields, Vec<Violation>> {
    let trusted = vouched.unwrap_or(&Value::Null);
    let is_named = names_somebody(trusted);
    let is_typed =
        |name: &str| vouched.is_none() || !(NEVER_TYPED.contains(&name) || is_named && IDENTITY.contains(&name));
    let mut fields = Fields::new();
    let mut violations = Vec::new();
    for name in NAMES {
        if let Some((_, value)) = source.fixed_fields.iter().find(|(field, _)| field == name) {
            let (value, pointer) = (value.clone(), String::new());
            fields.insert(name, Given { value, pointer });
            continue;
        }
        let own = own_places(name);
        let mapped: Vec<&str> = source
            .mappings
            .iter()
            .filter(|(_, field)| field == name)
            .map(|(pointer, _)| pointer.as_str())
            .collect();
        let own = || own.iter().map(String::as_str);
        let typed = mapped
            .iter()
            .copied()
            .chain(own().filter(|_| mapped.is_empty()))
            .filter(|_| is_typed(name));
        let places = own()
            .map(|pointer| (trusted, pointer))
            .chain(typed.map(|pointer| (body, pointer)));
        for (value, pointer) in places {
            match value.pointer(pointer).map(text).transpose() {
                Ok(value) => {
                    if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
                        let pointer = pointer.to_owned();
                        fields.insert(name, Given { value, pointer });
                        break;
                    }
                }
                Err(problem) => violations.push((name.to_owned(), format!("{problem} (at {pointer})"))),
            }
        }
    }
    if violations.is_empty() {
        Ok(fields)
    } else {
        Err(violations)
    }
}

/// True where one of the names of whoever says it is in there.
fn names_somebody(trusted: &Value) -> bool {
    let says = |pointer: String| {
        trusted
            .pointer(&pointer)
            .is_some_and(|value| text(value).is_ok_and(|text| !text.trim().is_empty()))
    };
    IDENTITY.into_iter().flat_map(own_places).any(says)
}

/// Where a field stands under its own name.
fn own_places(name: &str) -> Vec<String> {
    let mut own = vec![format!("/{name}")];
    if name.contains('.') {
        own.push(format!("/{}", name.replace('.', "/")));
    }
    own
}

/// The text of a value: of several, one after the other, as the boxes that were ticked.
fn text(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(is) => Ok(is.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(several) if several.iter().all(|one| !one.is_array() && !one.is_object()) => {
            Ok(several.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Value::Array(_) | Value::Object(_) => Err("must be a text or a number"),
    }
}

/// The inputs of a form as a body; of several with one name, all.
pub(crate) fn of_form(pairs: impl IntoIterator<Item = (String, String)>) -> Value {
    let mut body = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        match body.get_mut(&name) {
            None => {
                body.insert(name, value);
            }
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(body)
}

/// The texts in a body, for keywords: wherever they stand in it.
pub(crate) fn texts(body: &Value) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut rest = vec![body];
    while let Some(value) = rest.pop() {
        match value {
            Value::String(text) => texts.push(text.as_str()),
            Value::Array(several) => rest.extend(several),
            Value::Object(several) => rest.extend(several.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(mappings: &[(&str, &str)], fixed: &[(&str, &str)]) -> Source {
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Source {
            id: "website".to_owned(),
            display_name: String::new(),
            channel: 1,
            feedback_source: String::new(),
            mappings: pairs(mappings),
            fixed_fields: pairs(fixed),
            keywords: Vec::new(),
            origins: Vec::new(),
            enabled: true,
            disable_reason: String::new(),
            secret: Vec::new(),
            previous_secret: None,
            revision: 1,
            create_time: jiff::Timestamp::UNIX_EPOCH,
            update_time: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn found(source: &Source, trusted: &Value, body: &Value) -> Vec<(&'static str, String)> {
        let fields = find(source, Some(trusted).filter(|trusted| !trusted.is_null()), body)
            .ok()
            .unwrap();
        fields.into_iter().map(|(name, given)| (name, given.value)).collect()
    }

    fn of(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn fields_stand_under_their_own_names_or_where_the_source_says() {
        let body = json!({"description": "坏了", "product": {"model": "X1"}, "product.batch": 7, "title": null});
        let expected = [("description", "坏了"), ("product.batch", "7"), ("product.model", "X1")];
        assert_eq!(found(&source(&[], &[]), &Value::Null, &body), of(&expected));

        let post = json!({"post": {"text": "坏了", "tags": ["a", "b"]}, "description": "not this"});
        let mapped = source(
            &[("/post/text", "description"), ("/post/tags", "title")],
            &[("language", "zh-TW")],
        );
        let expected = [("description", "坏了"), ("language", "zh-TW"), ("title", "a, b")];
        assert_eq!(found(&mapped, &Value::Null, &post), of(&expected));
        // The first of several places that says something.
        let several = source(&[("/long", "description"), ("/short", "description")], &[]);
        assert_eq!(
            found(&several, &Value::Null, &json!({"long": " ", "short": "s"})),
            of(&[("description", "s")])
        );
    }

    /// 000-10: user id, device and order number as the page captured them, not as somebody typed them.
    #[test]
    fn what_the_server_vouched_for_counts_before_what_was_typed() {
        let trusted = json!({"customer_reference": "u-1", "product.order_number": "2026"});
        let typed = json!({"customer_reference": "u-2", "product": {"order_number": "9"}, "description": "d", "language": "de"});
        let expected = [
            ("customer_reference", "u-1"),
            ("description", "d"),
            ("language", "en"),
            ("product.order_number", "2026"),
        ];
        assert_eq!(
            found(&source(&[], &[("language", "en")]), &trusted, &typed),
            of(&expected)
        );
    }

    /// 000-10: whoever fills in a form neither writes as somebody else nor makes themselves important.
    #[test]
    fn what_is_typed_names_nobody_else_and_says_nothing_of_rank() {
        let typed = json!({
            "description": "d", "customer_reference": "u-2", "contact": {"phone": "13800138000"}, "contact.email": "a@b.cn",
            "tier": "VIP", "external_id": "e", "urgency": "URGENT", "emotion_level": 5, "vip": "VIP",
        });
        let find = |source: &Source, vouched: Option<Value>| -> Vec<&'static str> {
            find(source, vouched.as_ref(), &typed)
                .ok()
                .unwrap()
                .into_keys()
                .collect()
        };
        let plain = source(&[], &[]);
        assert_eq!(
            find(&plain, Some(json!({"contact": {"phone": "+8613900139000"}}))),
            ["contact.phone", "description"]
        );
        assert_eq!(
            find(&plain, Some(json!({"customer_reference": "u-1", "tier": "NEW"}))),
            ["customer_reference", "description", "tier"]
        );
        // Where nobody is named, whoever types says who they are.
        let open = ["contact.email", "contact.phone", "customer_reference", "description"];
        assert_eq!(find(&plain, Some(Value::Null)), open);
        assert_eq!(find(&source(&[("/vip", "tier")], &[]), Some(Value::Null)), open);
        // A server that signs the body says what it likes.
        assert_eq!(find(&plain, None).len(), 8);
    }

    #[test]
    fn every_place_without_a_text_is_named() {
        let body = json!({"description": {"a": 1}, "title": [[1]], "product": "X1"});
        let violations = find(&source(&[], &[]), None, &body).err().unwrap();
        let fields: Vec<&str> = violations.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["title", "description"]);
    }

    #[test]
    fn inputs_of_one_name_are_all_taken() {
        let pairs = [("a", "1"), ("b", "2"), ("a", "3"), ("a", "4")];
        let form = of_form(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(form, json!({"a": ["1", "3", "4"], "b": "2"}));
    }

    mod hostile {
        use proptest::prelude::*;

        use super::*;

        fn anything() -> impl Strategy<Value = Value> {
            let leaf = prop_oneof![
                Just(Value::Null),
                any::<bool>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from),
                any::<String>().prop_map(Value::from),
            ];
            leaf.prop_recursive(6, 64, 8, |inner| {
                let key = prop_oneof![
                    proptest::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
                    Just("product".to_owned()),
                    any::<String>(),
                ];
                prop_oneof![
                    proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                    proptest::collection::btree_map(key, inner, 0..8)
                        .prop_map(|map| Value::Object(map.into_iter().collect())),
                ]
            })
        }

        proptest! {
            /// Whatever is sent: every field that is found says something, and nothing panics.
            #[test]
            fn any_body_is_mapped_or_refused(trusted in anything(), body in anything(), pointer in "(/[^/]{0,8}){1,4}") {
                let source = source(&[(&pointer, "description")], &[]);
                match find(&source, Some(&trusted), &body) {
                    Ok(fields) => prop_assert!(fields.values().all(|given| !given.value.trim().is_empty())),
                    Err(violations) => prop_assert!(!violations.is_empty()),
                }
                prop_assert!(texts(&body).len() <= body.to_string().len());
            }
        }
    }
}
