//! A profile made ready: patterns compiled, and what a feedback breaks of it.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use regex::{Regex, RegexBuilder};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    ChannelRules, ContactPolicy, ProductType, Profile, RequiredField, VaguenessPolicy, formats,
    problem::{Found, Problem},
    vagueness::{self, Told},
};
use crate::{
    feedback::domain::{Contact, ContactKind, Draft},
    screening::domain::{Aspect, Policy, text::fold},
};

/// So far may the clocks of callers and of other replicas be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Nothing that anybody complains about happened before this.
const EARLIEST: Timestamp = Timestamp::constant(-2_208_988_800, 0); // 1900-01-01
/// A pattern of a tenant takes no more memory than this when it is compiled.
const PATTERN_BYTES: usize = 1 << 18;
/// What is asked for where a profile names no type of product.
const WANTED: &[Aspect] = &[Aspect::Step, Aspect::Symptom];

/// A profile, ready to be applied.
#[derive(Debug)]
pub(crate) struct Rulebook {
    /// Its version.
    pub(crate) version: i32,
    rules: Vec<Compiled>,
    built_in: Compiled,
    product_types: Vec<ProductType>,
    /// What is done with what screening finds.
    pub(crate) screening: Policy,
}

#[derive(Debug)]
struct Compiled {
    rules: ChannelRules,
    external_id: Option<Regex>,
    order_number: Option<Regex>,
}

/// What a rulebook says of a feedback.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// What is wrong about it, each field with its path within the feedback.
    pub(crate) problems: Vec<Found>,
    /// What a vague description lacks.
    pub(crate) missing: Vec<Aspect>,
    /// What is done with a vague description on this channel.
    pub(crate) vagueness: VaguenessPolicy,
    /// What is done with contacts on this channel.
    pub(crate) contact: ContactPolicy,
    /// The type of the product, where the profile has one.
    pub(crate) product_type: Option<usize>,
}

impl Rulebook {
    /// Of a version.
    ///
    /// # Errors
    /// Every entry that does not fit, by its path within the profile.
    pub(crate) fn new(version: i32, profile: &Profile) -> Result<Self, Vec<(String, String)>> {
        let mut violations = Vec::new();
        let mut keys = HashSet::new();
        let mut covered: BTreeMap<Option<i32>, &str> = BTreeMap::new();
        let mut rules = Vec::with_capacity(profile.rules.len());
        for (index, channel) in profile.rules.iter().enumerate() {
            let path = format!("rules[{index}]");
            if !keys.insert(&channel.key) {
                violations.push((format!("{path}.key"), format!("{} is there twice", channel.key)));
            }
            let of_nobody = |channel: &i32| covered.contains_key(&None) || covered.contains_key(&Some(*channel));
            let is_hidden = if channel.channels.is_empty() {
                covered.contains_key(&None)
            } else {
                channel.channels.iter().all(of_nobody)
            };
            if is_hidden {
                let problem = "are all taken by rules before: nothing can reach these";
                violations.push((format!("{path}.channels"), problem.to_owned()));
            }
            if channel.channels.is_empty() {
                covered.insert(None, &channel.key);
            }
            covered.extend(
                channel
                    .channels
                    .iter()
                    .map(|number| (Some(*number), channel.key.as_str())),
            );
            let mut compiled = |field: &str, pattern: &str| {
                compile(pattern).unwrap_or_else(|problem| {
                    violations.push((format!("{path}.{field}"), problem));
                    None
                })
            };
            rules.push(Compiled {
                external_id: compiled("external_id_pattern", &channel.external_id_pattern),
                order_number: compiled("order_number_pattern", &channel.order_number_pattern),
                rules: channel.clone(),
            });
        }
        let mut keys = HashSet::new();
        let mut takes_all = false;
        for (index, product) in profile.product_types.iter().enumerate() {
            let path = format!("product_types[{index}]");
            if !keys.insert(&product.key) {
                violations.push((format!("{path}.key"), format!("{} is there twice", product.key)));
            }
            if takes_all {
                let problem = "an earlier type has every model: nothing can reach this one";
                violations.push((format!("{path}.model_prefixes"), problem.to_owned()));
            }
            takes_all |= product.model_prefixes.is_empty();
            let mut spoken = HashSet::new();
            for (place, (aspect, _)) in product.guidance.iter().enumerate() {
                if !spoken.insert(*aspect) {
                    violations.push((format!("{path}.guidance[{place}].aspect"), "is there twice".to_owned()));
                }
            }
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let mut product_types = profile.product_types.clone();
        for prefix in product_types.iter_mut().flat_map(|product| &mut product.model_prefixes) {
            *prefix = fold(prefix);
        }
        Ok(Self {
            version,
            rules,
            built_in: Compiled {
                rules: ChannelRules::default(),
                external_id: None,
                order_number: None,
            },
            product_types,
            screening: profile.screening.clone(),
        })
    }

    /// The tenant's own words that ask for something, where it has any.
    pub(crate) fn words(&self, product_type: Option<usize>, aspect: Aspect) -> Option<&super::Sentence> {
        let product = self.product_types.get(product_type?)?;
        product
            .guidance
            .iter()
            .find(|(of, _)| *of == aspect)
            .map(|(_, words)| words)
    }

    /// What it says of a feedback: all that is wrong about it at once. Vagueness that is refused is for whoever has the words.
    pub(crate) fn judge(&self, draft: &Draft, now: Timestamp) -> Judgement {
        let compiled = self
            .rules
            .iter()
            .find(|of| of.rules.channels.is_empty() || of.rules.channels.contains(&draft.facts.channel))
            .unwrap_or(&self.built_in);
        let rules = &compiled.rules;
        let mut problems = always(draft, now);
        let mut found = |field: &str, problem: Problem| {
            // One sentence about a field is enough, and the first says most.
            if !problems.iter().any(|(known, _)| known == field) {
                problems.push((field.to_owned(), problem));
            }
        };
        for field in &rules.required {
            if !is_there(draft, *field) {
                found(field.path(), Problem::Missing);
            }
        }
        if rules.contact == ContactPolicy::Required && draft.contact.is_none() {
            found("contact", Problem::Missing);
        }
        if rules.min_description_length > 0 {
            let has = draft
                .description
                .trim()
                .graphemes(true)
                .take(rules.min_description_length)
                .count();
            if has < rules.min_description_length {
                let least = rules.min_description_length;
                found("description", Problem::TooShort { least, has });
            }
        }
        let source = &draft.facts.source;
        if !rules.sources.is_empty() && !rules.sources.contains(source) {
            let allowed = rules.sources.clone();
            found("source", Problem::NotAllowed { allowed });
        }
        let order_number = &draft.facts.product.order_number;
        for (field, text, compiled, pattern) in [
            (
                "external_id",
                &draft.facts.external_id,
                &compiled.external_id,
                &rules.external_id_pattern,
            ),
            (
                "product.order_number",
                order_number,
                &compiled.order_number,
                &rules.order_number_pattern,
            ),
        ] {
            if compiled
                .as_ref()
                .is_some_and(|compiled| !text.is_empty() && !compiled.is_match(text))
            {
                let pattern = pattern.clone();
                found(field, Problem::NoMatch { pattern });
            }
        }
        let product = &draft.facts.product;
        let read = vagueness::read(Told {
            title: &draft.title,
            description: &draft.description,
            has_model: !product.model.trim().is_empty() || !product.device.trim().is_empty(),
            has_version: !product.software_version.trim().is_empty(),
            has_expectation: !draft.expectation.trim().is_empty() || draft.facts.demand != 0,
        });
        let product_type = self.product_type(&product.model);
        let wanted = product_type
            .and_then(|index| self.product_types.get(index))
            .map_or(WANTED, |product| &product.aspects);
        Judgement {
            missing: read.missing(wanted),
            problems,
            vagueness: rules.vagueness,
            contact: rules.contact,
            product_type,
        }
    }

    fn product_type(&self, model: &str) -> Option<usize> {
        let model = fold(model);
        self.product_types.iter().position(|product| {
            product.model_prefixes.is_empty()
                || product
                    .model_prefixes
                    .iter()
                    .any(|prefix| model.starts_with(prefix.as_str()))
        })
    }
}

/// A pattern over the whole of a text; none where it is empty.
fn compile(pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.is_empty() {
        return Ok(None);
    }
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(PATTERN_BYTES)
        .build()
        .map(Some)
        .map_err(|_| "is not a regular expression, or is too large a one".to_owned())
}

fn is_there(draft: &Draft, field: RequiredField) -> bool {
    let product = &draft.facts.product;
    let says = |text: &str| !text.trim().is_empty();
    match field {
        RequiredField::Title => says(&draft.title),
        RequiredField::Expectation => says(&draft.expectation),
        RequiredField::Contact => draft.contact.is_some(),
        RequiredField::CustomerReference => says(&draft.customer_reference),
        RequiredField::ProductModel => says(&product.model),
        RequiredField::ProductBatch => says(&product.batch),
        RequiredField::PurchaseChannel => says(&product.purchase_channel),
        RequiredField::PurchaseTime => product.purchase_time.is_some(),
        RequiredField::OrderNumber => says(&product.order_number),
        RequiredField::Device => says(&product.device),
        RequiredField::SoftwareVersion => says(&product.software_version),
        RequiredField::ExternalId => says(&draft.facts.external_id),
        RequiredField::Source => says(&draft.facts.source),
        RequiredField::OccurTime => draft.occur_time.is_some(),
        RequiredField::Attachment => !draft.facts.attachments.is_empty(),
    }
}

/// What no profile allows, and the rules of the proto do not say.
fn always(draft: &Draft, now: Timestamp) -> Vec<Found> {
    let mut problems = Vec::new();
    let mut found = |field: &str, problem: Problem| problems.push((field.to_owned(), problem));
    let Draft { facts, .. } = draft;
    let product = &facts.product;
    for field in &draft.no_moments {
        found(field, Problem::NoMoment);
    }
    if draft.description.trim().is_empty() {
        found("description", Problem::Empty);
    }
    for (field, time) in [
        ("occur_time", draft.occur_time),
        ("product.purchase_time", product.purchase_time),
    ] {
        match time {
            Some(time) if time > now.saturating_add(SKEW).unwrap_or(now) => found(field, Problem::InFuture),
            Some(time) if time < EARLIEST => found(field, Problem::TooEarly),
            _ => {}
        }
    }
    if let Some(problem) = draft.contact.as_ref().and_then(malformed) {
        found("contact.address", problem);
    }
    for (field, text) in [
        ("title", &draft.title),
        ("description", &draft.description),
        ("expectation", &draft.expectation),
        ("product.model", &product.model),
        ("product.batch", &product.batch),
        ("product.purchase_channel", &product.purchase_channel),
        ("product.order_number", &product.order_number),
        ("product.device", &product.device),
        ("product.software_version", &product.software_version),
        ("external_id", &facts.external_id),
        ("source", &facts.source),
    ] {
        if text.contains('\0') {
            found(field, Problem::Null);
        }
    }
    for (index, attachment) in facts.attachments.iter().enumerate() {
        if attachment.note.contains('\0') {
            found(&format!("attachments[{index}].note"), Problem::Null);
        }
        if attachment.uploaded.is_none() && attachment.media_type.is_empty() {
            found(&format!("attachments[{index}].media_type"), Problem::NoMediaType);
        }
        let mut before = facts.attachments[..index].iter();
        if attachment.uploaded.is_some() && before.any(|other| other.uploaded == attachment.uploaded) {
            found(&format!("attachments[{index}].attachment"), Problem::Twice);
        }
    }
    problems
}

/// What is wrong with an address of its kind (003-70).
pub(crate) fn malformed(contact: &Contact) -> Option<Problem> {
    let address = contact.address.trim();
    match contact.kind {
        ContactKind::Phone => (!formats::is_phone(address)).then_some(Problem::NoPhone),
        ContactKind::Email => (!formats::is_mail(address)).then_some(Problem::NoMail),
        ContactKind::Webhook => (!formats::is_url(address)).then_some(Problem::NoUrl),
        ContactKind::Inbox | ContactKind::Im => {
            (address.is_empty() || address.contains(char::is_control)).then_some(Problem::NoAccount)
        }
    }
}

#[cfg(test)]
mod tests;
