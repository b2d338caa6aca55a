//! Who of several people fits best.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::routing::domain::{Preference, SkillNeed};

/// Somebody who might get a work order: available, below their limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) team: String,
    /// Key and level.
    pub(crate) skills: Vec<(String, i16)>,
    pub(crate) open_count: i32,
    /// At least 1.
    pub(crate) capacity_weight: i32,
    /// When they last were assigned something.
    pub(crate) last_assign_time: Option<Timestamp>,
}

/// What a work order calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// What the person must have.
    pub(crate) required: Vec<SkillNeed>,
    /// What the category calls for.
    pub(crate) wanted: Vec<String>,
    /// True where nobody gets it who has none of what the category calls for.
    pub(crate) some_wanted: bool,
    /// Whom to prefer.
    pub(crate) preference: Preference,
}

impl Call {
    /// True where somebody may get it.
    fn fits(&self, candidate: &Candidate) -> bool {
        let must = self.required.iter().all(|need| {
            candidate
                .level(&need.key)
                .is_some_and(|level| i32::from(level) >= need.min_level)
        });
        must && (!self.some_wanted || self.wanted.is_empty() || self.matches(candidate) > 0)
    }

    /// How many of the skills that the category calls for somebody has.
    pub(crate) fn matches(&self, candidate: &Candidate) -> usize {
        self.wanted.iter().filter(|key| candidate.level(key).is_some()).count()
    }

    /// How skilled somebody is in what is called for: the levels together.
    fn skill(&self, candidate: &Candidate) -> i32 {
        let mut keys: Vec<&str> = self
            .wanted
            .iter()
            .map(String::as_str)
            .chain(self.required.iter().map(|need| need.key.as_str()))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .filter_map(|key| candidate.level(key))
            .map(i32::from)
            .sum()
    }

    /// Those who fit, the best first: more of the wanted skills; then the preference; then whoever was assigned something the longest
    /// ago, never being the longest.
    pub(crate) fn rank(&self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let mut fit: Vec<Candidate> = candidates
            .into_iter()
            .filter(|candidate| self.fits(candidate))
            .collect();
        fit.sort_by(|a, b| {
            let skilled = || self.skill(b).cmp(&self.skill(a));
            let loaded = || a.compare_load(b);
            let preferred = match self.preference {
                Preference::LeastLoaded => loaded().then_with(skilled),
                Preference::MostSkilled => skilled().then_with(loaded),
            };
            self.matches(b)
                .cmp(&self.matches(a))
                .then(preferred)
                .then_with(|| a.last_assign_time.cmp(&b.last_assign_time))
                .then_with(|| a.id.cmp(&b.id))
        });
        fit
    }
}

impl Candidate {
    fn level(&self, key: &str) -> Option<i16> {
        self.skills
            .iter()
            .find(|(found, _)| found == key)
            .map(|(_, level)| *level)
    }

    /// Load is open work orders divided by the capacity; compared without the division.
    fn compare_load(&self, other: &Self) -> Ordering {
        let product = |a: i32, b: i32| i64::from(a) * i64::from(b);
        product(self.open_count, other.capacity_weight).cmp(&product(other.open_count, self.capacity_weight))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(id: &str, skills: &[(&str, i16)], open_count: i32, capacity_weight: i32) -> Candidate {
        Candidate {
            id: id.to_owned(),
            subject: format!("user:{id}"),
            team: "t".to_owned(),
            skills: skills.iter().map(|(key, level)| ((*key).to_owned(), *level)).collect(),
            open_count,
            capacity_weight,
            last_assign_time: None,
        }
    }

    fn call(wanted: &[&str], preference: Preference) -> Call {
        Call {
            required: vec![],
            wanted: wanted.iter().map(|&key| key.to_owned()).collect(),
            some_wanted: true,
            preference,
        }
    }

    fn ids(call: &Call, candidates: Vec<Candidate>) -> Vec<String> {
        call.rank(candidates)
            .into_iter()
            .map(|candidate| candidate.id)
            .collect()
    }

    /// 003-30: skill tags.
    #[test]
    fn whoever_has_more_of_what_is_called_for_comes_first_and_who_has_none_gets_nothing() {
        let people = vec![
            candidate("idle", &[("logistics", 5)], 0, 1),
            candidate("one", &[("software", 2)], 0, 1),
            candidate("both", &[("software", 1), ("network", 1)], 9, 1),
        ];
        assert_eq!(
            ids(&call(&["software", "network"], Preference::LeastLoaded), people.clone()),
            ["both", "one"]
        );
        assert_eq!(
            ids(&call(&[], Preference::LeastLoaded), people).first().unwrap(),
            "idle"
        );
    }

    #[test]
    fn load_is_reckoned_by_capacity() {
        let people = vec![candidate("half", &[], 2, 1), candidate("full", &[], 3, 2)];
        assert_eq!(ids(&call(&[], Preference::LeastLoaded), people), ["full", "half"]);
    }

    /// 003-30: VIP first.
    #[test]
    fn the_most_skilled_come_first_where_they_are_preferred() {
        let people = || {
            vec![
                candidate("busy-expert", &[("software", 5)], 7, 1),
                candidate("idle-beginner", &[("software", 1)], 0, 1),
            ]
        };
        assert_eq!(
            ids(&call(&["software"], Preference::MostSkilled), people())[0],
            "busy-expert"
        );
        assert_eq!(
            ids(&call(&["software"], Preference::LeastLoaded), people())[0],
            "idle-beginner"
        );
    }

    #[test]
    fn a_required_level_is_a_least_level() {
        let need = SkillNeed {
            key: "software".to_owned(),
            min_level: 3,
        };
        let call = Call {
            required: vec![need],
            some_wanted: false,
            ..call(&["network"], Preference::LeastLoaded)
        };
        let people = vec![
            candidate("low", &[("software", 2)], 0, 1),
            candidate("fits", &[("software", 3)], 5, 1),
        ];
        assert_eq!(ids(&call, people), ["fits"]);
    }

    #[test]
    fn among_equals_it_goes_round() {
        let at = |text: &str| Some(text.parse().unwrap());
        let mut people = vec![
            candidate("a", &[], 1, 1),
            candidate("b", &[], 1, 1),
            candidate("c", &[], 1, 1),
        ];
        people[0].last_assign_time = at("2026-03-02T02:00:00Z");
        people[1].last_assign_time = at("2026-03-02T01:00:00Z");
        assert_eq!(ids(&call(&[], Preference::LeastLoaded), people), ["c", "b", "a"]);
    }

    proptest! {
        /// The order does not depend on the order in which people are found, and nobody who fits is lost.
        #[test]
        fn ranking_is_a_fixed_order(loads in prop::collection::vec((0..5_i32, 1..4_i32, 1..6_i16), 1..8), turn in 0..8_usize) {
            let people: Vec<Candidate> = loads.iter().enumerate().map(|(index, (open, weight, level))| candidate(&format!("p{index}"), &[("s", *level)], *open, *weight)).collect();
            let mut turned = people.clone();
            turned.rotate_left(turn % people.len());
            for preference in [Preference::LeastLoaded, Preference::MostSkilled] {
                let call = call(&["s"], preference);
                let ranked = ids(&call, people.clone());
                prop_assert_eq!(ranked.len(), people.len());
                prop_assert_eq!(ranked, ids(&call, turned.clone()));
            }
        }
    }
}
