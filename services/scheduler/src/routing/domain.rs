//! The rules of routing: which team, and there a person with which skills (C-17, 000-28, 002-41, 003-30).

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub(crate) use crate::condition::Facts;
use crate::condition::{Condition, shadowed};

/// A skill that a person must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkillNeed {
    /// Its key.
    pub(crate) key: String,
    /// 1 … 5: at least this.
    pub(crate) min_level: i32,
}

/// Whom to prefer among the agents that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Preference {
    /// The one with the least load; equal ones: the most skilled.
    #[default]
    LeastLoaded,
    /// The most skilled; equal ones: the one with the least load.
    MostSkilled,
}

/// These work orders go to this team, and there to a person with these skills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Key, unique within the policy.
    pub(crate) key: String,
    /// For which work orders.
    pub(crate) condition: Condition,
    /// Key of the team.
    pub(crate) team: String,
    /// What the person must have.
    pub(crate) required_skills: Vec<SkillNeed>,
    /// Whom to prefer.
    pub(crate) preference: Preference,
}

/// A tenant's routing. The first rule whose condition holds is applied, and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// The rules, in order; none in the built-in one alone.
    pub(crate) rules: Vec<Rule>,
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pool {
    /// The agents of a team.
    Team(String),
    /// The agents of all teams, by the skills that the category calls for (the built-in policy).
    AllTeams,
    /// Nobody: no rule holds, so it waits in the fallback queue (003-31).
    Nobody,
}

/// Where a work order goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Who is asked.
    pub(crate) pool: Pool,
    /// What the person must have.
    pub(crate) skills: Vec<SkillNeed>,
    /// Whom to prefer.
    pub(crate) preference: Preference,
    /// Key of the rule that decided; empty where none did.
    pub(crate) rule: String,
}

impl Policy {
    /// Version 0 of every tenant: all teams are asked.
    pub(crate) fn built_in() -> Self {
        Self { rules: Vec::new() }
    }

    /// Where a work order goes.
    pub(crate) fn decide(&self, facts: &Facts) -> Decision {
        if let Some(rule) = self.rules.iter().find(|rule| rule.condition.holds(facts)) {
            return Decision {
                pool: Pool::Team(rule.team.clone()),
                skills: rule.required_skills.clone(),
                preference: rule.preference,
                rule: rule.key.clone(),
            };
        }
        let pool = if self.rules.is_empty() {
            Pool::AllTeams
        } else {
            Pool::Nobody
        };
        Decision {
            pool,
            skills: Vec::new(),
            preference: Preference::LeastLoaded,
            rule: String::new(),
        }
    }

    /// Everything that does not fit together: the field, and what is wrong about it.
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut keys = HashSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if !keys.insert(&rule.key) {
                problems.push((
                    format!("rules[{index}].key"),
                    format!("{} is the key of a rule before", rule.key),
                ));
            }
            let mut skills = HashSet::new();
            for (place, skill) in rule.required_skills.iter().enumerate() {
                if !skills.insert(&skill.key) {
                    problems.push((
                        format!("rules[{index}].required_skills[{place}].key"),
                        format!("{} comes twice", skill.key),
                    ));
                }
            }
        }
        for (late, early) in shadowed(&self.rules, |rule| &rule.condition, |_, _| true) {
            let early = &self.rules[early].key;
            problems.push((
                format!("rules[{late}].condition"),
                format!("never applies: rule {early} holds for all of it and comes before"),
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(key: &str, team: &str, condition: Condition) -> Rule {
        Rule {
            key: key.to_owned(),
            condition,
            team: team.to_owned(),
            required_skills: vec![],
            preference: Preference::LeastLoaded,
        }
    }

    fn models(models: &[&str]) -> Condition {
        Condition {
            product_models: models.iter().map(|&model| model.to_owned()).collect(),
            ..Condition::default()
        }
    }

    /// 000-28 (department by product model), 002-41 (by category), 003-30 (an expert for VIPs) in one policy.
    fn policy() -> Policy {
        let logistics = Condition {
            categories: vec!["logistics".to_owned()],
            ..Condition::default()
        };
        let vip = Condition {
            tiers: vec![3],
            ..Condition::default()
        };
        let expert = SkillNeed {
            key: "software".to_owned(),
            min_level: 4,
        };
        let vip = Rule {
            required_skills: vec![expert],
            preference: Preference::MostSkilled,
            ..rule("vip", "experts", vip)
        };
        Policy {
            rules: vec![
                rule("model-x1", "hardware", models(&["X1", "X2"])),
                vip,
                rule("logistics", "warehouse", logistics),
            ],
        }
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let facts = Facts {
            category: "logistics.late".to_owned(),
            tier: 3,
            product_model: "X1".to_owned(),
            ..Facts::default()
        };
        assert_eq!(policy().decide(&facts).rule, "model-x1");
        let vip = policy().decide(&Facts {
            product_model: "Y".to_owned(),
            ..facts.clone()
        });
        assert_eq!(
            (vip.pool, vip.rule.as_str(), vip.preference),
            (Pool::Team("experts".to_owned()), "vip", Preference::MostSkilled)
        );
        assert_eq!(
            vip.skills,
            [SkillNeed {
                key: "software".to_owned(),
                min_level: 4
            }]
        );
        assert_eq!(
            policy()
                .decide(&Facts {
                    product_model: String::new(),
                    tier: 0,
                    ..facts
                })
                .pool,
            Pool::Team("warehouse".to_owned())
        );
    }

    #[test]
    fn without_a_rule_it_waits_in_the_fallback_queue_but_the_built_in_policy_asks_everybody() {
        assert_eq!(
            policy().decide(&Facts::default()),
            Decision {
                pool: Pool::Nobody,
                skills: vec![],
                preference: Preference::LeastLoaded,
                rule: String::new()
            }
        );
        assert_eq!(Policy::built_in().decide(&Facts::default()).pool, Pool::AllTeams);
    }

    #[test]
    fn every_entry_that_does_not_fit_is_named() {
        assert_eq!(policy().problems(), []);
        let mut wrong = policy();
        wrong.rules[1].required_skills.push(SkillNeed {
            key: "software".to_owned(),
            min_level: 1,
        });
        wrong.rules.push(rule("vip", "experts", models(&["X2"])));
        let fields: Vec<String> = wrong.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            ["rules[1].required_skills[1].key", "rules[3].key", "rules[3].condition"]
        );
    }
}
