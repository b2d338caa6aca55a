//! Requests made from the rules in the protos: ones that keep them all, and ones that break as many as they can.

use huiyin_proto::POOL;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};

const TENANT_PATTERN: &str = "tenants/[a-z0-9][a-z0-9-]{0,62}";

/// A message that keeps every rule, with names in `tenant`.
pub(super) fn valid(descriptor: &MessageDescriptor, tenant: &str) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if let Some(value) = valid_value(&field, tenant) {
            message.set_field(&field, value);
        }
    }
    // `oneof` rules of a message name fields of which exactly one must be set.
    for group in alternatives(descriptor) {
        if let Some(field) = group.first().and_then(|name| descriptor.get_field_by_name(name)) {
            let value = anything(&field, tenant);
            message.set_field(&field, value);
        }
    }
    message
}

/// A message that breaks the rules of its plain fields, and the paths of those that it breaks.
pub(super) fn malformed(descriptor: &MessageDescriptor) -> (DynamicMessage, Vec<String>) {
    let mut message = DynamicMessage::new(descriptor.clone());
    let mut broken = Vec::new();
    for field in descriptor.fields() {
        let Some(rules) = rules(&field) else { continue };
        if field.is_list() || field.is_map() {
            continue;
        }
        let value = match field.kind() {
            Kind::String if inner(&rules, "string").is_some() => {
                Value::String(malformed_text(&inner(&rules, "string").unwrap()))
            }
            Kind::Int32 if inner(&rules, "int32").is_some_and(|rules| rules.has_field_by_name("gte")) => {
                Value::I32(i32::MIN)
            }
            Kind::Int64 if inner(&rules, "int64").is_some_and(|rules| rules.has_field_by_name("gte")) => {
                Value::I64(i64::MIN)
            }
            Kind::Enum(_) if inner(&rules, "enum").is_some() => Value::EnumNumber(-77),
            // Required and not there.
            Kind::Message(_) if flag(&rules, "required") => {
                broken.push(field.name().to_owned());
                continue;
            }
            _ => continue,
        };
        message.set_field(&field, value);
        broken.push(field.name().to_owned());
    }
    (message, broken)
}

/// A text that a rule refuses: of another pattern, too short, or too long.
fn malformed_text(rules: &DynamicMessage) -> String {
    if rules.has_field_by_name("pattern") || flag(rules, "uuid") {
        return "\u{7f} \n?".to_owned();
    }
    match number(rules, "min_len") {
        Some(minimum) if minimum > 0 => String::new(),
        _ => "x".repeat(usize::try_from(number(rules, "max_len").unwrap_or(0)).unwrap() + 1),
    }
}

/// True where the request itself says in which tenant it acts.
pub(super) fn names_a_tenant(descriptor: &MessageDescriptor) -> bool {
    let says = |field: &FieldDescriptor| {
        pattern(field).is_some_and(|pattern| {
            pattern.starts_with(&format!("^{TENANT_PATTERN}")) || pattern.starts_with(&format!("^({TENANT_PATTERN}"))
        })
    };
    descriptor.fields().any(|field| match field.kind() {
        _ if matches!(field.name(), "name" | "parent") => says(&field),
        // Updates carry the name in the resource.
        Kind::Message(resource) if flag_of(&field, "required") && !field.is_list() => {
            resource.get_field_by_name("name").is_some_and(|name| says(&name))
        }
        _ => false,
    })
}

fn valid_value(field: &FieldDescriptor, tenant: &str) -> Option<Value> {
    let rules = rules(field);
    let wanted = |name: &str| rules.as_ref().is_some_and(|rules| flag(rules, name));
    if field.is_list() {
        let minimum = rules
            .as_ref()
            .and_then(|rules| inner(rules, "repeated"))
            .and_then(|rules| number(&rules, "min_items"))
            .unwrap_or(0);
        return (minimum > 0).then(|| Value::List(vec![anything(field, tenant)]));
    }
    if field.is_map() {
        return None;
    }
    match field.kind() {
        Kind::Message(inner) if wanted("required") => Some(Value::Message(valid(&inner, tenant))),
        Kind::Message(_) => None,
        Kind::Enum(values) => {
            let refused_zero = rules
                .as_ref()
                .and_then(|rules| inner(rules, "enum"))
                .is_some_and(|rules| rules.has_field_by_name("not_in"));
            let value = values
                .values()
                .find(|value| value.number() != 0)
                .map_or(0, |value| value.number());
            refused_zero.then_some(Value::EnumNumber(value))
        }
        Kind::Bool if wanted("required") => Some(Value::Bool(true)),
        Kind::String => {
            if let Some(pattern) = pattern(field) {
                // What may be empty is left out, but for names: they say the tenant.
                if pattern.ends_with(")?$") && !pattern.contains("tenants/") {
                    return None;
                }
                return Some(Value::String(matching(&pattern, tenant)));
            }
            let rules = rules.as_ref().and_then(|rules| inner(rules, "string"))?;
            let minimum = usize::try_from(number(&rules, "min_len").unwrap_or(0)).unwrap_or(0);
            if flag(&rules, "uri") {
                return Some(Value::String("https://example.com/hook".to_owned()));
            }
            (minimum > 0).then(|| Value::String("x".repeat(minimum)))
        }
        Kind::Int32 => {
            let rules = rules.as_ref().and_then(|rules| inner(rules, "int32"))?;
            let minimum = number(&rules, "gte").filter(|minimum| *minimum > 0)?;
            Some(Value::I32(i32::try_from(minimum).ok()?))
        }
        _ => None,
    }
}

fn anything(field: &FieldDescriptor, tenant: &str) -> Value {
    match field.kind() {
        Kind::Message(inner) => Value::Message(valid(&inner, tenant)),
        Kind::Enum(values) => Value::EnumNumber(
            values
                .values()
                .find(|value| value.number() != 0)
                .map_or(0, |value| value.number()),
        ),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Bool => Value::Bool(true),
        _ => Value::String("x".to_owned()),
    }
}

/// A text that matches a pattern; where it names a tenant, this one.
fn matching(pattern: &str, tenant: &str) -> String {
    let pattern = pattern
        .trim_start_matches('^')
        .trim_end_matches('$')
        .replace(TENANT_PATTERN, &format!("tenants/{tenant}"));
    // `(…)?` around a whole name: give the name.
    let pattern = pattern
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(")?"))
        .map_or(pattern.clone(), str::to_owned);
    // Ids that are UUIDs are missing, and not malformed.
    let pattern = pattern.replace("[a-z0-9-]{1,63}", "0195a000-0000-7000-8000-000000000000");
    let strategy = proptest::string::string_regex(&pattern).unwrap();
    strategy.new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

fn rules(field: &FieldDescriptor) -> Option<DynamicMessage> {
    let extension = POOL.get_extension_by_name("buf.validate.field").unwrap();
    let options = field.options();
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).as_message().unwrap().clone())
}

fn alternatives(descriptor: &MessageDescriptor) -> Vec<Vec<String>> {
    let extension = POOL.get_extension_by_name("buf.validate.message").unwrap();
    let options = descriptor.options();
    if !options.has_extension(&extension) {
        return Vec::new();
    }
    let rules = options.get_extension(&extension).as_message().unwrap().clone();
    let groups = rules
        .get_field_by_name("oneof")
        .map(|groups| groups.as_list().unwrap_or_default().to_vec())
        .unwrap_or_default();
    groups
        .iter()
        .filter_map(Value::as_message)
        .map(|group| {
            let fields = group
                .get_field_by_name("fields")
                .map(|fields| fields.as_list().unwrap_or_default().to_vec())
                .unwrap_or_default();
            fields
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect()
        })
        .collect()
}

fn inner(rules: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    rules
        .has_field_by_name(name)
        .then(|| rules.get_field_by_name(name)?.as_message().cloned())
        .flatten()
}

fn flag(rules: &DynamicMessage, name: &str) -> bool {
    rules.descriptor().get_field_by_name(name).is_some()
        && rules.has_field_by_name(name)
        && rules
            .get_field_by_name(name)
            .is_some_and(|value| value.as_bool() == Some(true))
}

fn flag_of(field: &FieldDescriptor, name: &str) -> bool {
    rules(field).is_some_and(|rules| flag(&rules, name))
}

fn number(rules: &DynamicMessage, name: &str) -> Option<i64> {
    let value = rules
        .has_field_by_name(name)
        .then(|| rules.get_field_by_name(name))
        .flatten()?;
    value
        .as_i32()
        .map(i64::from)
        .or_else(|| value.as_i64())
        .or_else(|| value.as_u64().and_then(|value| i64::try_from(value).ok()))
}

fn pattern(field: &FieldDescriptor) -> Option<String> {
    let rules = rules(field)?;
    let rules = inner(&rules, "string")?;
    rules
        .has_field_by_name("pattern")
        .then(|| rules.get_field_by_name("pattern")?.as_str().map(str::to_owned))
        .flatten()
}
