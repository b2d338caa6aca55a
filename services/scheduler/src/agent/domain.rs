//! What an agent is, and what may be said of one.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// A skill that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skill {
    pub(crate) key: String,
    /// 1 beginner … 5 expert.
    pub(crate) level: i16,
}

/// What people say of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) display_name: String,
    /// Key of the team.
    pub(crate) team: String,
    pub(crate) skills: Vec<Skill>,
    /// How much they carry compared with others; 0 is taken as 1.
    pub(crate) capacity_weight: i32,
    /// No rule gives them more than this; 0: no limit.
    pub(crate) open_limit: i32,
    pub(crate) available: bool,
    pub(crate) supervisor: bool,
    pub(crate) email: String,
    pub(crate) language: String,
}

/// Somebody who handles work orders (处理人).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) id: String,
    /// With which they call; fixed.
    pub(crate) subject: String,
    pub(crate) profile: Profile,
    /// Work orders that they have and that are not at an end.
    pub(crate) open_count: i32,
    pub(crate) revision: i64,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
}

/// The fields of an agent that can be edited.
pub(crate) const FIELDS: &[&str] = &[
    "display_name",
    "team",
    "skills",
    "capacity_weight",
    "open_limit",
    "available",
    "supervisor",
    "email",
    "language",
];

impl Profile {
    /// What is missing or comes twice: field and what is wrong about it.
    pub(crate) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        for (field, value) in [("display_name", &self.display_name), ("team", &self.team)] {
            if value.trim().is_empty() {
                problems.push((field, "must be given".to_owned()));
            }
        }
        let mut keys = BTreeSet::new();
        if let Some(twice) = self.skills.iter().find(|skill| !keys.insert(&skill.key)) {
            problems.push(("skills", format!("{} comes twice", twice.key)));
        }
        problems
    }

    /// Takes some fields from another profile.
    pub(crate) fn take(&mut self, fields: &[&str], from: Self) {
        let has = |field| fields.contains(&field);
        let Self {
            display_name,
            team,
            skills,
            capacity_weight,
            open_limit,
            available,
            supervisor,
            email,
            language,
        } = from;
        set(has("display_name"), &mut self.display_name, display_name);
        set(has("team"), &mut self.team, team);
        set(has("skills"), &mut self.skills, skills);
        set(has("capacity_weight"), &mut self.capacity_weight, capacity_weight);
        set(has("open_limit"), &mut self.open_limit, open_limit);
        set(has("available"), &mut self.available, available);
        set(has("supervisor"), &mut self.supervisor, supervisor);
        set(has("email"), &mut self.email, email);
        set(has("language"), &mut self.language, language);
    }

    /// The fields that say something: what an update without a mask sets.
    pub(crate) fn said(&self) -> Vec<&'static str> {
        let said = [
            !self.display_name.is_empty(),
            !self.team.is_empty(),
            !self.skills.is_empty(),
            self.capacity_weight != 0,
            self.open_limit != 0,
            self.available,
            self.supervisor,
            !self.email.is_empty(),
            !self.language.is_empty(),
        ];
        FIELDS
            .iter()
            .zip(said)
            .filter(|(_, said)| *said)
            .map(|(field, _)| *field)
            .collect()
    }
}

fn set<T>(wanted: bool, field: &mut T, value: T) {
    if wanted {
        *field = value;
    }
}

/// The fields that an update sets: those of its mask, all for `*`, those that say something without one.
///
/// # Errors
/// The first path that is none of the fields that can be edited.
pub(crate) fn masked(
    paths: Option<&[String]>,
    fields: &'static [&'static str],
    said: Vec<&'static str>,
) -> Result<Vec<&'static str>, String> {
    match paths {
        None | Some([]) => Ok(said),
        Some([all]) if all == "*" => Ok(fields.to_vec()),
        Some(paths) => paths
            .iter()
            .map(|path| {
                fields
                    .iter()
                    .find(|field| *field == path)
                    .copied()
                    .ok_or_else(|| path.clone())
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile {
            display_name: "李伟".to_owned(),
            team: "software".to_owned(),
            skills: vec![Skill {
                key: "software".to_owned(),
                level: 4,
            }],
            capacity_weight: 2,
            open_limit: 10,
            available: true,
            supervisor: false,
            email: String::new(),
            language: String::new(),
        }
    }

    #[test]
    fn a_mask_sets_its_fields_and_no_others() {
        let mut edited = profile();
        let nothing = Profile {
            display_name: String::new(),
            team: String::new(),
            skills: vec![],
            available: false,
            ..profile()
        };
        edited.take(
            &masked(Some(&["available".to_owned()]), FIELDS, vec![]).unwrap(),
            nothing.clone(),
        );
        assert_eq!(
            edited,
            Profile {
                available: false,
                ..profile()
            }
        );
        edited.take(
            &masked(Some(&["*".to_owned()]), FIELDS, vec![]).unwrap(),
            nothing.clone(),
        );
        assert_eq!(edited, nothing);
        assert_eq!(
            masked(Some(&["subject".to_owned()]), FIELDS, vec![]).unwrap_err(),
            "subject"
        );
        assert_eq!(
            masked(None, FIELDS, profile().said()).unwrap(),
            [
                "display_name",
                "team",
                "skills",
                "capacity_weight",
                "open_limit",
                "available"
            ]
        );
    }

    #[test]
    fn what_is_missing_or_comes_twice_is_named() {
        let mut wrong = profile();
        wrong.skills.push(wrong.skills[0].clone());
        wrong.team.clear();
        let fields: Vec<&str> = wrong.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["team", "skills"]);
    }
}
