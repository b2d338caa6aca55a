//! The use cases of validation: profiles made, put into effect and rolled back; a feedback admitted or refused, or only tried.

use huiyin_chassis::{
    Refusal, Tenant,
    listing::{Page, PageKey, PageRequest, Paging},
    repeat::Repeatable,
    server::Language,
};
use jiff::Timestamp;
use prost::Message;

use super::{
    domain::{
        ContactPolicy, Profile, VaguenessPolicy,
        problem::Problem,
        rulebook::{Judgement, Rulebook},
    },
    sentence, store,
};
use crate::{
    feedback::domain::{ContactHandling, Draft, Violation},
    room::Room,
    screening::domain::{Aspect, Finding, Policy, screen::screen},
};

/// The collection in the names of profiles.
pub(crate) const PROFILES: &str = "validationProfiles";

/// One version of the profile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edition {
    /// 0 is the built-in one.
    pub(crate) version: i32,
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) content: Profile,
    pub(crate) active: bool,
    pub(crate) author: String,
    /// One more with each activation and each time that another takes its place.
    pub(crate) revision: i64,
    pub(crate) create_time: Option<Timestamp>,
    pub(crate) activate_time: Option<Timestamp>,
}

impl Edition {
    fn built_in() -> Self {
        Self {
            version: 0,
            display_name: store::BUILT_IN.to_owned(),
            change_reason: store::BUILT_IN.to_owned(),
            content: Profile::default(),
            active: true,
            author: "system".to_owned(),
            revision: 0,
            create_time: None,
            activate_time: None,
        }
    }
}

/// What a caller names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one in effect.
    Active,
    /// A version.
    Version(i32),
}

impl Which {
    /// Reads the id in a resource name: a version or `active`.
    pub(crate) fn of(id: &str) -> Option<Self> {
        if id == "active" {
            return Some(Self::Active);
        }
        id.parse().ok().filter(|version| *version >= 0).map(Self::Version)
    }
}

/// A version to be made, checked.
pub(crate) struct NewEdition {
    pub(crate) display_name: String,
    pub(crate) change_reason: String,
    pub(crate) content: Profile,
    pub(crate) author: String,
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

impl Room {
    /// A version, or the one in effect.
    pub(crate) async fn profile(&self, tenant: &Tenant, name: &str, which: Which) -> Result<Edition, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let found = store::find(&mut tx, tenant, which).await?;
        tx.commit().await?;
        match found {
            Some(edition) => Ok(edition),
            None if matches!(which, Which::Active | Which::Version(0)) => Ok(Edition::built_in()),
            None => Err(Refusal::not_found(name)),
        }
    }

    /// A page of the versions.
    pub(crate) async fn profiles_page(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Edition>, Refusal> {
        let page = PageRequest::new(
            &self.page_tokens,
            tenant,
            PROFILES,
            paging,
            (store::FIELDS, store::ORDER),
        )?;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        let editions = store::list(&mut tx, tenant, &page).await?;
        tx.commit().await?;
        Ok(page.page(&self.page_tokens, editions, |edition| PageKey {
            time: edition.version.into(),
            id: edition.version.to_string().into(),
        }))
    }

    /// Makes a new version, not yet in effect; `only_look` says what would be made.
    pub(crate) async fn create_profile<A: Message + Default>(
        &self,
        tenant: &Tenant,
        new: NewEdition,
        only_look: bool,
        repeat: Option<Repeatable>,
        say: impl Fn(&Edition) -> A + Send,
    ) -> Result<A, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(repeat) = &repeat
            && let Some(answer) = repeat.answered(&mut tx).await?
        {
            return Ok(answer);
        }
        if !only_look {
            store::lock(&mut tx, tenant).await?;
        }
        let edition = Edition {
            version: store::last_version(&mut tx, tenant).await? + 1,
            display_name: new.display_name,
            change_reason: new.change_reason,
            content: new.content,
            active: false,
            author: new.author,
            revision: 0,
            create_time: Some(self.ledger.clock.now()),
            activate_time: None,
        };
        let answer = say(&edition);
        if only_look {
            tx.rollback().await;
            return Ok(answer);
        }
        store::insert(&mut tx, tenant, &edition).await?;
        if let Some(repeat) = &repeat {
            repeat.answer(&mut tx, &self.ledger.clock, &answer).await?;
        }
        tx.commit().await?;
        Ok(answer)
    }

    /// Puts a version into effect, in the place of the one before. The active one stays as it is.
    pub(crate) async fn activate_profile<A: Message + Default>(
        &self,
        tenant: &Tenant,
        (name, version): (&str, i32),
        etag: &str,
        repeat: Option<Repeatable>,
        say: impl Fn(&Edition) -> A + Send,
    ) -> Result<A, Refusal> {
        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(repeat) = &repeat
            && let Some(answer) = repeat.answered(&mut tx).await?
        {
            return Ok(answer);
        }
        store::lock(&mut tx, tenant).await?;
        let mut edition = store::find(&mut tx, tenant, Which::Version(version))
            .await?
            .ok_or_else(|| Refusal::not_found(name))?;
        if !etag.is_empty() && etag != edition.revision.to_string() {
            return Err(Refusal::etag_mismatch(name));
        }
        if !edition.active {
            edition.active = true;
            edition.revision += 1;
            edition.activate_time = Some(self.ledger.clock.now());
            store::activate(&mut tx, tenant, version, edition.revision, edition.activate_time).await?;
        }
        let answer = say(&edition);
        if let Some(repeat) = &repeat {
            repeat.answer(&mut tx, &self.ledger.clock, &answer).await?;
        }
        let (profiles, of) = (self.profiles.clone(), tenant.clone());
        tx.on_commit(move || profiles.activated(&of));
        tx.commit().await?;
        Ok(answer)
    }
}
