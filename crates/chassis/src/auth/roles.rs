//! Which role grants which permission (003-03). To add a permission: name it in the method's
//! `(huiyin.type.v1.access)` option, and add it here to the roles that shall have it.

/// The role of our own services. It alone holds what crosses tenants or opens what is sealed.
pub(super) const SERVICE: &str = "service";

/// Never granted by a wildcard: only a role that names them in full has them.
const SEALED: &[&str] = &[
    "events.log.read",
    "intake.contacts.reveal",
    "survey.tokens.reveal",
    "notification.inboxes.impersonate",
    "events.customers.erase",
    "events.customers.export",
    "intake.customers.erase",
    "intake.customers.export",
    "intake.keys.rotate",
    "intake.apikeys.verify",
];

/// What everybody needs who works on a work order, and no more: who it is for, and whether it is closed, others decide.
const WORK: &[&str] = &[
    "intake.feedbacks.read",
    "intake.attachments.create",
    "intake.attachments.read",
    "classifier.*.read",
    "classifier.texts.classify",
    "classifier.classifications.correct",
    "classifier.articles.consult",
    "classifier.articles.use",
    "classifier.articles.create",
    "classifier.articles.update",
    "classifier.priorities.score",
    "classifier.reviewitems.resolve",
    "classifier.problems.assign",
    "scheduler.*.read",
    "scheduler.workorders.acknowledge",
    "scheduler.workorders.start",
    "scheduler.workorders.progress",
    "scheduler.workorders.hold",
    "scheduler.workorders.resume",
    "scheduler.workorders.submit",
    "scheduler.workorders.resolve",
    "scheduler.deadlines.*",
    "notification.inboxes.read",
    "notification.inboxes.update",
    "survey.*.read",
    "analytics.*.read",
    "analytics.metrics.query",
];

/// What who confirms a priority or decides on a problem needs: to see what it is about, and to say so.
const REVIEW: &[&str] = &[
    "intake.feedbacks.read",
    "classifier.*.read",
    "classifier.texts.classify",
    "classifier.articles.consult",
    "classifier.prioritymodels.simulate",
    "classifier.priorities.review",
    "classifier.problems.*",
    "scheduler.*.read",
    "survey.*.read",
    "analytics.*.read",
    "analytics.metrics.query",
    "notification.inboxes.read",
    "notification.inboxes.update",
];

/// Role → lists of permissions; `*` stands for one or more whole segments.
const GRANTS: &[(&str, &[&[&str]])] = &[
    // Our own services, among themselves.
    (
        SERVICE,
        &[&[
            "*",
            "events.log.read",
            "events.customers.erase",
            "events.customers.export",
            "intake.contacts.reveal",
            "survey.tokens.reveal",
            "intake.apikeys.verify",
        ]],
    ),
    // Sets up and operates a tenant.
    (
        "admin",
        &[&[
            "*",
            "notification.inboxes.impersonate",
            "intake.customers.erase",
            "intake.customers.export",
            "intake.keys.rotate",
        ]],
    ),
    // 客服专员: registers feedback, sees it through, talks to the customer.
    (
        "agent",
        &[
            WORK,
            &[
                "intake.feedbacks.create",
                "intake.feedbacks.check",
                "intake.validationprofiles.read",
                "intake.screening.*",
                "intake.customers.read",
                "intake.customers.resolve",
                "intake.customers.update",
                "intake.customers.link",
                "scheduler.workorders.reject",
                "scheduler.workorders.reopen",
                "notification.messages.read",
                "notification.templates.read",
            ],
        ],
    ),
    // 技术工程师: works on what is assigned.
    ("engineer", &[WORK]),
    // 部门主管/售后主管: audits, assigns by hand, keeps teams, policies and templates.
    (
        "supervisor",
        &[&[
            "intake.feedbacks.create",
            "intake.feedbacks.check",
            "intake.feedbacks.read",
            "intake.sources.*",
            "intake.attachments.*",
            "intake.validationprofiles.*",
            "intake.screening.*",
            "intake.customers.*",
            "intake.policies.read",
            "intake.erasures.read",
            "classifier.*",
            "scheduler.*",
            "notification.*",
            "survey.*",
            "analytics.*",
            "events.deadletters.*",
            "events.flow.read",
        ]],
    ),
    // 分析人: reads and measures.
    (
        "analyst",
        &[&[
            "intake.feedbacks.read",
            "intake.attachments.read",
            "intake.validationprofiles.read",
            "intake.screening.read",
            "intake.customers.read",
            "intake.policies.read",
            "classifier.*.read",
            "classifier.texts.classify",
            "classifier.articles.consult",
            "classifier.prioritymodels.simulate",
            "classifier.problems.*",
            "scheduler.*.read",
            "survey.*.read",
            "analytics.*",
        ]],
    ),
    // 运营负责人、产品负责人、技术负责人: confirm a top priority together (001-39).
    ("operations_lead", &[REVIEW]),
    ("product_lead", &[REVIEW]),
    ("technical_lead", &[REVIEW]),
    // An enterprise back end that hands feedback in, follows it, and shows its customers what they are told.
    (
        "integration",
        &[&[
            "intake.feedbacks.*",
            "intake.attachments.create",
            "intake.attachments.read",
            "intake.validationprofiles.read",
            "intake.customers.*",
            "classifier.articles.consult",
            "classifier.articles.use",
            "scheduler.workorders.read",
            "notification.inboxes.read",
            "notification.inboxes.update",
            "notification.inboxes.act",
            "notification.inboxes.impersonate",
            "notification.messages.read",
            "survey.responses.read",
            "analytics.*.read",
            "analytics.metrics.query",
        ]],
    ),
];

/// The names of all roles.
pub fn roles() -> impl Iterator<Item = &'static str> {
    GRANTS.iter().map(|(role, _)| *role)
}

/// True where the role grants the permission. An unknown role grants nothing.
#[must_use]
pub fn grants(role: &str, permission: &str) -> bool {
    let Some((_, patterns)) = GRANTS.iter().find(|(name, _)| *name == role) else {
        return false;
    };
    let sealed = SEALED.contains(&permission);
    patterns
        .iter()
        .copied()
        .flatten()
        .any(|pattern| *pattern == permission || (!sealed && matches(pattern, permission)))
}

fn matches(pattern: &str, permission: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            permission.len() > before.len() + after.len()
                && permission.starts_with(before)
                && permission.ends_with(after)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_for_those_who_are_named() {
        let named = |permission| roles().filter(move |role| grants(role, permission)).collect::<Vec<_>>();
        for permission in &SEALED[..3] {
            assert_eq!(named(permission), [SERVICE], "{permission}");
        }
        assert_eq!(named("notification.inboxes.impersonate"), ["admin", "integration"]);
    }

    /// 003-03: agents and engineers work, supervisors assign and audit the closure.
    #[test]
    fn who_works_on_a_work_order_neither_assigns_nor_closes_it() {
        for role in ["agent", "engineer"] {
            assert!(grants(role, "scheduler.workorders.resolve"));
            for permission in ["scheduler.workorders.assign", "scheduler.workorders.close"] {
                assert!(!grants(role, permission), "{role}: {permission}");
                assert!(grants("supervisor", permission));
            }
        }
        assert!(!grants("agent", "notification.inboxes.act"));
    }

    #[test]
    fn a_supervisor_assigns_and_an_analyst_does_not() {
        assert!(grants("supervisor", "scheduler.workorders.assign"));
        assert!(grants("analyst", "scheduler.workorders.read"));
        assert!(!grants("analyst", "scheduler.workorders.assign"));
        assert!(!grants("nobody", "scheduler.workorders.read"));
    }

    #[test]
    fn every_pattern_grants_a_permission_that_some_method_names() {
        for (role, patterns) in GRANTS {
            for pattern in patterns.iter().copied().flatten() {
                assert!(
                    crate::access::permissions()
                        .any(|permission| *pattern == "*" || *pattern == permission || matches(pattern, &permission)),
                    "{role}: {pattern} grants nothing"
                );
            }
        }
    }

    #[test]
    fn every_permission_is_granted_to_somebody() {
        for permission in crate::access::permissions() {
            assert!(roles().any(|role| grants(role, &permission)), "{permission}");
        }
    }
}
