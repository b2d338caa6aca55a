//! What the protos say about every method: its permission, its shape, and whether it may be repeated.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use prost_reflect::{MethodDescriptor, Value};

/// The access rule and the shape of one method.
#[derive(Debug, Clone)]
pub struct Method {
    /// Its gRPC path, such as `/huiyin.intake.v1.IntakeService/CreateFeedback`.
    pub path: String,
    /// The permission that a caller needs, as the proto has it; empty where `token_bound`. See [`Method::permission_in`].
    pub permission: String,
    /// Permissions that the method looks at itself.
    pub further: Vec<String>,
    /// True where the request carries the right to make it.
    pub token_bound: bool,
    /// True where neither side streams.
    pub unary: bool,
    /// True where doing it twice is as good as once (NO_SIDE_EFFECTS or IDEMPOTENT): clients may retry it.
    pub repeatable: bool,
}

/// Stands in the permission of a method that several services serve.
const SERVICE: &str = "{service}";

impl Method {
    /// The permission that a caller needs in this service.
    #[must_use]
    pub fn permission_in(&self, service: &str) -> Cow<'_, str> {
        if self.permission.contains(SERVICE) {
            Cow::Owned(self.permission.replace(SERVICE, service))
        } else {
            Cow::Borrowed(&self.permission)
        }
    }
}

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let methods = huiyin_proto::POOL
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .map(|method| describe(&method))
        .map(|method| (method.path.clone(), method))
        .collect()
});

/// The method behind a gRPC path.
#[must_use]
pub fn method(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// Every permission that a method of ours names; of a method that several services serve, the permission in each.
pub fn permissions() -> impl Iterator<Item = String> {
    METHODS
        .values()
        .flat_map(|method| std::iter::once(&method.permission).chain(&method.further))
        .filter(|permission| !permission.is_empty())
        .flat_map(|permission| match permission.strip_prefix(SERVICE) {
            Some(rest) => services().map(|service| format!("{service}{rest}")).collect(),
            None => vec![permission.clone()],
        })
}

/// The names of our services, e.g. `intake`.
fn services() -> impl Iterator<Item = String> {
    huiyin_proto::POOL.services().filter_map(|service| {
        let package = service.full_name().strip_prefix("huiyin.")?;
        let room = package.split('.').next()?;
        (room != "event" && package == format!("{room}.v1.{}", service.name())).then(|| room.to_owned())
    })
}

/// Refuses a service one of whose methods has no access rule.
///
/// # Errors
/// Names the first method without one.
pub fn require_rules(service: &str) -> anyhow::Result<()> {
    let descriptor = huiyin_proto::POOL
        .get_service_by_name(service)
        .ok_or_else(|| anyhow::anyhow!("{service} is not in the descriptors"))?;
    for method in descriptor.methods() {
        let rule = describe(&method);
        anyhow::ensure!(
            rule.token_bound == rule.permission.is_empty(),
            "{} names neither a permission nor a token: add option (huiyin.type.v1.access)",
            method.full_name()
        );
    }
    Ok(())
}

fn describe(method: &MethodDescriptor) -> Method {
    let options = method.options();
    let access = huiyin_proto::POOL
        .get_extension_by_name("huiyin.type.v1.access")
        .filter(|access| options.has_extension(access))
        .map(|access| options.get_extension(&access).into_owned());
    let access = access.as_ref().and_then(Value::as_message);
    let field = |name| access.and_then(|access| access.get_field_by_name(name));
    Method {
        path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
        permission: field("permission")
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default(),
        further: field("further")
            .and_then(|value| {
                Some(
                    value
                        .as_list()?
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                )
            })
            .unwrap_or_default(),
        token_bound: field("token_bound")
            .and_then(|value| value.as_bool())
            .unwrap_or_default(),
        unary: !method.is_client_streaming() && !method.is_server_streaming(),
        // IdempotencyLevel: 0 unknown, 1 NO_SIDE_EFFECTS, 2 IDEMPOTENT.
        repeatable: options
            .get_field_by_name("idempotency_level")
            .is_some_and(|level| level.as_enum_number().is_some_and(|level| level > 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_says_its_permission_and_shape() {
        let create = method("/huiyin.intake.v1.IntakeService/CreateFeedback").unwrap();
        assert_eq!(create.permission, "intake.feedbacks.create");
        assert!(create.unary && create.repeatable && !create.token_bound);
        let import = method("/huiyin.intake.v1.IntakeService/ImportFeedbacks").unwrap();
        assert!(!import.unary && !import.repeatable);
    }

    #[test]
    fn every_service_of_ours_has_rules_for_all_methods() {
        for service in huiyin_proto::POOL
            .services()
            .filter(|service| service.full_name().starts_with("huiyin.") || service.name() == "Operations")
        {
            require_rules(service.full_name()).unwrap();
        }
    }

    #[test]
    fn what_several_services_serve_each_grants_for_itself() {
        let cancel = method("/google.longrunning.Operations/CancelOperation").unwrap();
        assert_eq!(cancel.permission_in("intake"), "intake.operations.cancel");
        let all: Vec<String> = permissions().collect();
        for room in ["intake", "analytics"] {
            assert!(all.contains(&format!("{room}.operations.cancel")), "{room}");
        }
        assert!(!all.iter().any(|permission| permission.contains('{')));
    }
}
