//! What a profile, which stands on the [`shelf`](huiyin_chassis::shelf), does to a feedback: admitted, refused, or only tried.

use huiyin_chassis::{server::Language, shelf::Kept};
use jiff::Timestamp;

use super::{
    domain::{
        ContactPolicy, Profile, VaguenessPolicy,
        problem::Problem,
        rulebook::{Judgement, Rulebook},
    },
    sentence,
};
use crate::{
    feedback::domain::{ContactHandling, Draft, Violation},
    screening::domain::{Aspect, Finding, Policy, screen::screen},
};

impl Kept for Profile {
    const TABLE: &'static str = "validation_profile";
    const KIND: Option<&'static str> = None;
    const COLLECTION: &'static str = "validationProfiles";

    fn built_in() -> Self {
        Self::default()
    }
}

/// A draft that keeps the rules, with what is to be noted about it. Not `Debug`: it holds what names a person.
pub(crate) struct Admitted {
    pub(crate) draft: Draft,
    /// What became of the contact.
    pub(crate) handling: ContactHandling,
    /// What a vague description lacks.
    pub(crate) missing: Vec<Aspect>,
    /// The words that ask for each of them; empty where the policy is to note it only.
    pub(crate) guidance: Vec<String>,
    /// What screening finds.
    pub(crate) findings: Vec<Finding>,
    /// What is done with it.
    pub(crate) screening: Policy,
}

/// Everything there is to say of a draft.
pub(crate) struct Assessment {
    /// What is wrong about it, in the caller's language; paths begin within the feedback.
    pub(crate) violations: Vec<Violation>,
    pub(crate) admitted: Admitted,
    /// Words for what is missing, whatever the policy.
    pub(crate) words: Vec<String>,
}

/// Applies a rulebook to a draft. A pure function.
pub(crate) fn assess(rulebook: &Rulebook, mut draft: Draft, now: Timestamp, language: Language) -> Assessment {
    let Judgement {
        mut problems,
        missing,
        vagueness,
        contact,
        product_type,
    } = rulebook.judge(&draft, now);
    let words: Vec<String> = missing
        .iter()
        .map(|aspect| sentence::guidance(*aspect, rulebook.words(product_type, *aspect), language))
        .collect();
    if !missing.is_empty()
        && vagueness == VaguenessPolicy::Refuse
        && !problems.iter().any(|(field, _)| field == "description")
    {
        let missing = missing.iter().copied().zip(words.iter().cloned()).collect();
        problems.push(("description".to_owned(), Problem::Vague { missing }));
    }
    let violations = problems
        .into_iter()
        .map(|(field, problem)| (field, sentence::problem(&problem, language)))
        .collect();
    let handling = match (contact, &draft.contact) {
        (_, None) => ContactHandling::NoContact,
        (ContactPolicy::None, Some(_)) => ContactHandling::Discarded,
        (ContactPolicy::TypeOnly, Some(_)) => ContactHandling::TypeOnly,
        (ContactPolicy::Encrypted | ContactPolicy::Required, Some(_)) => ContactHandling::Encrypted,
    };
    if handling == ContactHandling::Discarded {
        draft.contact = None;
    }
    let findings = screen(&words_of(&draft));
    let guidance = if vagueness == VaguenessPolicy::Flag {
        Vec::new()
    } else {
        words.clone()
    };
    Assessment {
        violations,
        admitted: Admitted {
            draft,
            handling,
            missing,
            guidance,
            findings,
            screening: rulebook.screening.clone(),
        },
        words,
    }
}

/// The draft, admitted, or what is wrong about it, each field beginning with `path`.
pub(crate) fn admit(
    rulebook: &Rulebook,
    draft: Draft,
    now: Timestamp,
    language: Language,
    path: &str,
) -> Result<Admitted, Vec<Violation>> {
    let assessment = assess(rulebook, draft, now, language);
    if assessment.violations.is_empty() {
        return Ok(assessment.admitted);
    }
    Err(assessment
        .violations
        .into_iter()
        .map(|(field, problem)| (format!("{path}.{field}"), problem))
        .collect())
}

/// All words of a draft.
fn words_of(draft: &Draft) -> String {
    [&draft.title, &draft.description, &draft.expectation]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}
