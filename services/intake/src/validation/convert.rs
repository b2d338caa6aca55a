//! Between what stands on the wire and what a profile is.

use huiyin_chassis::{
    Refusal, Tenant,
    shelf::{Edition, NewEdition, Title},
    sql,
};
use huiyin_proto::intake::v1;
use jiff::SignedDuration;

use super::{
    domain::{
        ChannelRules, ContactPolicy, ProductType, Profile, RequiredField, Sentence, VaguenessPolicy, rulebook::Rulebook,
    },
    service::Assessment,
};
use crate::{
    feedback::domain::ContactHandling,
    screening::{
        self,
        domain::{Action, Aspect, Policy, State},
    },
};

/// A version to be made. The rules of the proto have been kept already.
///
/// # Errors
/// INVALID_ARGUMENT with every entry that does not fit.
pub(crate) fn new_edition(
    profile: v1::ValidationProfile,
    author: String,
    path: &str,
) -> Result<NewEdition<Profile>, Refusal> {
    let content = Profile {
        rules: profile.rules.into_iter().map(rules).collect(),
        product_types: profile.product_types.into_iter().map(product_type).collect(),
        screening: profile.screening.map(policy).unwrap_or_default(),
    };
    if let Err(violations) = Rulebook::new(0, &content) {
        let at_path = |(field, problem)| (format!("{path}.{field}"), problem);
        return Err(Refusal::invalid(violations.into_iter().map(at_path).collect()));
    }
    Ok(NewEdition {
        title: Title {
            display_name: profile.display_name,
            change_reason: profile.change_reason,
        },
        content,
        author,
    })
}

// Numbers of enums that are none were refused by the rules of the proto.
fn rules(rules: v1::ChannelRules) -> ChannelRules {
    ChannelRules {
        key: rules.key,
        channels: rules.channels,
        required: rules.required.into_iter().filter_map(RequiredField::of).collect(),
        min_description_length: usize::try_from(rules.min_description_length).unwrap_or(0),
        contact: ContactPolicy::of(rules.contact_policy).unwrap_or(ContactPolicy::Encrypted),
        vagueness: VaguenessPolicy::of(rules.vagueness_policy).unwrap_or(VaguenessPolicy::Flag),
        sources: rules.sources,
        external_id_pattern: rules.external_id_pattern,
        order_number_pattern: rules.order_number_pattern,
    }
}

fn product_type(product: v1::ProductType) -> ProductType {
    let guidance = product.guidance.into_iter().filter_map(|guidance| {
        let text = guidance.text?;
        let words = Sentence {
            en: text.en,
            zh_cn: text.zh_cn,
            zh_tw: text.zh_tw,
        };
        Some((Aspect::of(guidance.aspect)?, words))
    });
    ProductType {
        key: product.key,
        model_prefixes: product.model_prefixes,
        aspects: product.aspects.into_iter().filter_map(Aspect::of).collect(),
        guidance: guidance.collect(),
    }
}

fn policy(policy: v1::ScreeningPolicy) -> Policy {
    let action = |number: i32| {
        if number == v1::ScreeningAction::Quarantine as i32 {
            Action::Quarantine
        } else {
            Action::Flag
        }
    };
    Policy {
        test_data: action(policy.test_data),
        spam: action(policy.spam),
        irrelevant: action(policy.irrelevant),
        duplicate: action(policy.duplicate),
        window: policy.window.map_or(Policy::default().window, |window| {
            SignedDuration::new(window.seconds, window.nanos)
        }),
    }
}

/// A version as a caller is shown it.
pub(crate) fn edition(tenant: &Tenant, edition: &Edition<Profile>) -> v1::ValidationProfile {
    let content = &edition.content;
    v1::ValidationProfile {
        name: edition.name(tenant),
        version: edition.version,
        display_name: edition.title.display_name.clone(),
        change_reason: edition.title.change_reason.clone(),
        rules: content.rules.iter().map(said_rules).collect(),
        product_types: content.product_types.iter().map(said_product_type).collect(),
        screening: Some(said_policy(&content.screening)),
        active: edition.active,
        author: edition.author.clone(),
        etag: edition.revision.to_string(),
        create_time: edition.create_time.map(sql::to_proto),
        activate_time: edition.activate_time.map(sql::to_proto),
    }
}

fn said_rules(rules: &ChannelRules) -> v1::ChannelRules {
    v1::ChannelRules {
        key: rules.key.clone(),
        channels: rules.channels.clone(),
        required: rules.required.iter().map(|field| *field as i32).collect(),
        min_description_length: i32::try_from(rules.min_description_length).unwrap_or(i32::MAX),
        contact_policy: rules.contact as i32,
        vagueness_policy: rules.vagueness as i32,
        sources: rules.sources.clone(),
        external_id_pattern: rules.external_id_pattern.clone(),
        order_number_pattern: rules.order_number_pattern.clone(),
    }
}

fn said_product_type(product: &ProductType) -> v1::ProductType {
    let guidance = product.guidance.iter().map(|(aspect, words)| v1::AspectGuidance {
        aspect: *aspect as i32,
        text: Some(v1::Sentence {
            en: words.en.clone(),
            zh_cn: words.zh_cn.clone(),
            zh_tw: words.zh_tw.clone(),
        }),
    });
    v1::ProductType {
        key: product.key.clone(),
        model_prefixes: product.model_prefixes.clone(),
        aspects: product.aspects.iter().map(|aspect| *aspect as i32).collect(),
        guidance: guidance.collect(),
    }
}

fn said_policy(policy: &Policy) -> v1::ScreeningPolicy {
    let action = |action: Action| match action {
        Action::Flag => v1::ScreeningAction::Flag as i32,
        Action::Quarantine => v1::ScreeningAction::Quarantine as i32,
    };
    v1::ScreeningPolicy {
        test_data: action(policy.test_data),
        spam: action(policy.spam),
        irrelevant: action(policy.irrelevant),
        duplicate: action(policy.duplicate),
        window: Some(prost_types::Duration {
            seconds: policy.window.as_secs(),
            nanos: policy.window.subsec_nanos(),
        }),
    }
}

/// What is to be said of a feedback that was tried.
pub(crate) fn checked(
    tenant: &Tenant,
    assessment: Assessment,
    similar: Vec<screening::service::Similar>,
    state: State,
    version: i32,
) -> v1::CheckFeedbackResponse {
    let Assessment {
        violations,
        admitted,
        words,
    } = assessment;
    v1::CheckFeedbackResponse {
        valid: violations.is_empty(),
        violations: violations
            .into_iter()
            .map(|(field, description)| v1::FieldViolation {
                field: format!("feedback.{field}"),
                description,
            })
            .collect(),
        missing: screening::convert::missing(&admitted.missing, words),
        findings: screening::convert::findings(tenant, &admitted.findings),
        state: state as i32,
        contact_handling: handling(admitted.handling),
        similar: screening::convert::similar(tenant, similar),
        profile_version: version,
    }
}

/// What became of a contact.
pub(crate) fn handling(handling: ContactHandling) -> i32 {
    handling as i32
}
