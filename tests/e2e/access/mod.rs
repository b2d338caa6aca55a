//! Who may call what: every method of every service, found by reflection, so that a new one cannot be forgotten.

#![expect(clippy::print_stdout, reason = "how many methods were walked is worth reading")]

mod call;
mod request;

use huiyin_e2e::Suite;
use huiyin_proto::POOL;
use prost_reflect::MethodDescriptor;
use tonic::Code;

use call::{Answer, Caller};

/// Every method of ours, with the service that serves it. The event log is served by all, operations by those that have some;
/// once is enough.
fn methods() -> Vec<(&'static str, MethodDescriptor)> {
    let mut methods = Vec::new();
    for service in POOL
        .services()
        .filter(|service| service.full_name().starts_with("huiyin.") || service.name() == "Operations")
    {
        let room = match service.full_name().split('.').nth(1).unwrap() {
            "event" => "intake",
            "longrunning" => "classifier",
            room => huiyin::suite::SERVICES.iter().find(|known| **known == room).unwrap(),
        };
        methods.extend(service.methods().map(|method| (room, method)));
    }
    methods
}

fn rule(method: &MethodDescriptor) -> &'static huiyin_chassis::access::Method {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    huiyin_chassis::access::method(&path).unwrap()
}

/// Issue 2, "every RPC".
#[tokio::test(flavor = "multi_thread")]
async fn every_method_knows_who_may_call_it_and_names_every_violated_field() {
    let suite = Suite::start(&[]).await;
    let nobody = Caller::new(&suite, "");
    let stranger = Caller::new(&suite, &suite.token("user:nobody", "demo", &["none"]));
    let admin = Caller::new(&suite, &suite.token("user:admin", "demo", &["admin"]));
    let forged = Caller::new(&suite, "eyJhbGciOiJub25lIn0.e30.");
    let mut problems = Vec::new();
    let mut walked = 0;
    let mut with_fields = 0;
    let mut with_tenants = 0;
    let mut not_found = 0;
    for (room, method) in methods() {
        walked += 1;
        let name = method.full_name().to_owned();
        let mut expect = |what: &str, wanted: Code, answer: &Answer| {
            if answer.code != wanted || answer.reason.is_empty() {
                problems.push(format!("{name}: {what}: wanted {wanted:?}, got {answer:?}"));
            }
        };
        let valid = request::valid(&method.input(), "demo");
        if !rule(&method).token_bound {
            expect(
                "no token",
                Code::Unauthenticated,
                &nobody.call(room, &method, &valid).await,
            );
            expect(
                "a forged token",
                Code::Unauthenticated,
                &forged.call(room, &method, &valid).await,
            );
            expect(
                "a role that grants nothing",
                Code::PermissionDenied,
                &stranger.call(room, &method, &valid).await,
            );
        }
        if !admin.may(&method) {
            expect(
                "a permission for services alone",
                Code::PermissionDenied,
                &admin.call(room, &method, &valid).await,
            );
            continue;
        }

        let (malformed, broken) = request::malformed(&method.input());
        if !broken.is_empty() {
            with_fields += 1;
            let answer = admin.call(room, &method, &malformed).await;
            expect("malformed fields", Code::InvalidArgument, &answer);
            let unnamed: Vec<&String> = broken
                .iter()
                .filter(|field| !answer.violations.contains(field))
                .collect();
            if !unnamed.is_empty() {
                problems.push(format!(
                    "{name}: these violated fields are not named: {unnamed:?} in {answer:?}"
                ));
            }
        }

        // Another tenant, whether it has data or does not exist at all, looks the same: like something that is missing.
        if request::names_a_tenant(&method.input()) {
            with_tenants += 1;
            let other = admin
                .call(room, &method, &request::valid(&method.input(), "other"))
                .await;
            let missing = admin
                .call(room, &method, &request::valid(&method.input(), "no-such-tenant"))
                .await;
            // Rules over several fields may come first; they do not look at the tenant.
            if !matches!(other.code, Code::NotFound | Code::InvalidArgument) {
                problems.push(format!("{name}: another tenant's resource: {other:?}"));
            }
            not_found += usize::from(other.code == Code::NotFound);
            if other.without("other") != missing.without("no-such-tenant") {
                problems.push(format!(
                    "{name}: another tenant can be told from a missing one: {other:?} / {missing:?}"
                ));
            }
        }
    }
    println!(
        "{walked} methods walked, {with_fields} with rules on fields, {with_tenants} with a tenant in the request"
    );
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(
        walked > 80 && with_fields > 70 && not_found > 70,
        "{walked} {with_fields} {not_found}"
    );
}

/// Reflection is served by every service, in both versions, to callers with an identity.
#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_does_not_exist_is_unimplemented_and_says_so_with_a_reason() {
    let suite = Suite::start(&[]).await;
    let admin = Caller::new(&suite, &suite.files.admin_token().unwrap());
    for room in huiyin::suite::SERVICES {
        let answer = admin
            .call_path(room, "/huiyin.nowhere.v1.NowhereService/Get", Vec::new())
            .await;
        assert_eq!(answer.code, Code::Unimplemented, "{room}: {answer:?}");
    }
}
