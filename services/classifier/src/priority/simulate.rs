//! What a model would have made of the past: a dry run that stores nothing (§G, FEATURES 35).

use std::collections::BTreeMap;

use huiyin_chassis::{Refusal, Tenant};
use jiff::Timestamp;

use super::{
    check,
    decide::decide,
    domain::Content,
    models::Model,
    service::{Candidate, candidate_model},
};
use crate::{
    classification::past::{self, Past, Window},
    domain::Priority,
    room::Room,
};

/// So many at most are looked at in one call.
const MOST: i32 = 50_000;
/// So many of them are shown.
const SAMPLES: usize = 50;

/// How many have a level, now and then.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LevelCount {
    pub(crate) priority: Priority,
    pub(crate) before: i64,
    pub(crate) after: i64,
}

/// One whose level would change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Changed {
    pub(crate) classification: String,
    pub(crate) number: String,
    pub(crate) before: Priority,
    pub(crate) after: Priority,
    pub(crate) steps: String,
}

/// What a model would have made of the past.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Simulation {
    pub(crate) considered: i64,
    pub(crate) truncated: bool,
    pub(crate) oldest_time: Option<Timestamp>,
    /// Most urgent first.
    pub(crate) levels: Vec<LevelCount>,
    pub(crate) raised: i64,
    pub(crate) lowered: i64,
    pub(crate) changes: Vec<Changed>,
    pub(crate) set_by_hand: i64,
    pub(crate) reviews: i64,
    pub(crate) unscored: i64,
}

/// Asks a model about the newest classifications of a time.
pub(super) async fn simulate(
    room: &Room,
    tenant: &Tenant,
    candidate: Candidate,
    (start, end): (Option<Timestamp>, Option<Timestamp>),
    limit: i32,
) -> Result<Simulation, Refusal> {
    let (_, model) = candidate_model(room, tenant, candidate).await?;
    let limit = if limit == 0 { MOST } else { limit.min(MOST) };
    let mut counting = Counting::new(&model);
    let mut window = Window {
        start,
        end,
        before: None,
    };
    let mut left = i64::from(limit);
    loop {
        // One more than may be looked at says whether there are more.
        let wanted = (left + 1).min(past::BATCH);
        let batch = past::read(room, tenant, &model, &window, wanted).await?;
        let is_last = i64::try_from(batch.len()).unwrap_or(i64::MAX) < wanted;
        for past in batch {
            if left == 0 {
                counting.simulation.truncated = true;
                break;
            }
            left -= 1;
            window.before = Some((past.create_time, past.id));
            counting.count(tenant, past);
        }
        if is_last || counting.simulation.truncated {
            return Ok(counting.ended());
        }
    }
}

struct Counting<'m> {
    model: &'m Model,
    /// By rank and key: models may have other levels.
    levels: BTreeMap<(i32, String), (i64, i64)>,
    simulation: Simulation,
}

impl<'m> Counting<'m> {
    fn new(model: &'m Model) -> Self {
        let levels = &model.content.levels;
        Self {
            model,
            levels: levels
                .iter()
                .map(|level| ((level.rank, level.key.clone()), (0, 0)))
                .collect(),
            simulation: Simulation::default(),
        }
    }

    fn count(&mut self, tenant: &Tenant, past: Past) {
        let content: &Content = &self.model.content;
        let said = &mut self.simulation;
        said.considered += 1;
        said.oldest_time = Some(past.create_time);
        let scores = check::counting(content, past.scores);
        let decision = decide(self.model.version, content, &past.facts, &scores);
        let after = if past.set_by_hand {
            said.set_by_hand += 1;
            past.priority.clone()
        } else {
            said.unscored += i64::from(decision.composite.is_none());
            decision.priority
        };
        said.reviews += i64::from(!past.set_by_hand && content.gate(&after.key).is_some());
        let key = |priority: &Priority| (priority.rank, priority.key.clone());
        self.levels.entry(key(&past.priority)).or_default().0 += 1;
        self.levels.entry(key(&after)).or_default().1 += 1;
        if after == past.priority {
            return;
        }
        said.raised += i64::from(after.rank < past.priority.rank);
        said.lowered += i64::from(after.rank > past.priority.rank);
        if said.changes.len() < SAMPLES {
            said.changes.push(Changed {
                classification: tenant.child("classifications", past.id),
                number: past.number,
                before: past.priority,
                after,
                steps: decision.steps,
            });
        }
    }

    fn ended(self) -> Simulation {
        let level = |((rank, key), (before, after))| LevelCount {
            priority: Priority { key, rank },
            before,
            after,
        };
        Simulation {
            levels: self.levels.into_iter().map(level).collect(),
            ..self.simulation
        }
    }
}
