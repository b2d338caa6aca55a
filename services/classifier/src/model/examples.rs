//! Use cases of examples: import, list, delete.

use std::collections::{BTreeSet, HashMap};

use huiyin_chassis::{
    Refusal, Tenant,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
};

use super::{
    convert::TASKS,
    domain::{Example, MOST_BYTES, MOST_EXAMPLES, SENTIMENTS, Target, Task},
    store::Hold,
    store_examples, tasks,
};
use crate::{
    domain::{Sentiment, UNCLASSIFIED},
    error::Error,
    reading::lexicon::Lexicon,
    room::Room,
};

/// An answer names so many refusals; the others are counted.
const MOST_REFUSALS: usize = 1000;

const CREATE_TIME: Field = Field::of("create_time", Kind::Time);
const FIELDS: &[Field] = &[
    Field::of("label", Kind::Path),
    Field::of("source", Kind::Enum("huiyin.classifier.v1.ExampleSource")),
    Field::of("side", Kind::Enum("huiyin.classifier.v1.ExampleSide")),
    Field::of("feedback", Kind::Text),
    Field::of("author", Kind::Text),
    CREATE_TIME,
];

/// What became of an import so far.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub(super) stored: i64,
    pub(super) unchanged: i64,
    pub(super) refused: i64,
    /// Place in the stream, id, and what is wrong.
    pub(super) refusals: Vec<(i64, String, Vec<String>)>,
    /// Of the next one.
    index: i64,
}

/// An import under way.
pub(super) struct Import {
    tenant: Tenant,
    task: String,
    labels: Labels,
    /// Examples and bytes that the task holds at most, as far as this import knows.
    holds: (i64, i64),
    pub(super) imported: Imported,
}

/// The labels that a task takes.
pub(crate) enum Labels {
    Any,
    These(BTreeSet<String>, &'static str),
}

impl Labels {
    /// Those of a task; categories are those of the taxonomy in effect.
    pub(crate) fn of(task: &Task, lexicon: &Lexicon) -> Self {
        match task.target {
            Target::Labels => Self::Any,
            Target::Sentiment => Self::These(
                SENTIMENTS.iter().map(|label| (*label).to_owned()).collect(),
                "label: must be NEGATIVE, NEUTRAL or POSITIVE",
            ),
            Target::Dimension => {
                let place = lexicon.dimensions.iter().position(|key| *key == task.dimension);
                let categories = lexicon.categories.iter();
                let keys = categories.filter(|category| Some(category.dimension) == place);
                Self::These(
                    keys.map(|category| category.key.clone()).collect(),
                    "label: must be a category of the task's dimension, in the taxonomy in effect",
                )
            }
        }
    }

    /// True where people may settle on this label: one of them, or none of the categories. A dimension that is gone has none either.
    pub(crate) fn settles(&self, label: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(labels, _) => {
                let has_categories = !labels.is_empty() && !labels.contains(Sentiment::Neutral.key());
                labels.contains(label) || (label == UNCLASSIFIED && has_categories)
            }
        }
    }

    fn violation(&self, label: &str) -> Option<&'static str> {
        match self {
            Self::These(labels, problem) if !labels.contains(label) => Some(problem),
            _ => None,
        }
    }
}

impl Import {
    /// Opens an import into a task.
    pub(super) async fn open(room: &Room, tenant: Tenant, task: &str) -> Result<Self, Refusal> {
        let mut tx = room.database.tenant(&tenant).await?;
        let task = tasks::existing(&mut tx, &tenant, task, Hold::Free).await?;
        let lexicon = room.lexicons.active(&mut tx, &tenant).await?;
        let holds = store_examples::size(&mut tx, &tenant, &task.id).await?;
        tx.rollback().await;
        Ok(Self {
            labels: Labels::of(&task, &lexicon),
            tenant,
            task: task.id,
            holds,
            imported: Imported::default(),
        })
    }

    /// Takes some examples in, in a transaction of their own.
    pub(super) async fn take(
        &mut self,
        room: &Room,
        examples: Vec<Result<Example, (String, Vec<String>)>>,
    ) -> Result<(), Refusal> {
        let mut good: HashMap<String, Example> = HashMap::new();
        let mut valid = 0;
        for example in examples {
            let example = example.and_then(|example| match self.labels.violation(&example.label) {
                Some(problem) => Err((example.id, vec![problem.to_owned()])),
                None => Ok(example),
            });
            match example {
                // Of the same id twice the later one counts, as it would in a message of its own.
                Ok(example) => {
                    valid += 1;
                    good.insert(example.id.clone(), example);
                }
                Err((id, violations)) => {
                    self.imported.refused += 1;
                    if self.imported.refusals.len() < MOST_REFUSALS {
                        self.imported.refusals.push((self.imported.index, id, violations));
                    }
                }
            }
            self.imported.index += 1;
        }
        if good.is_empty() {
            return Ok(());
        }
        let mut good: Vec<Example> = good.into_values().collect();
        // Two imports at once take their rows in the same order.
        good.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut tx = room.database.tenant(&self.tenant).await?;
        tasks::existing(&mut tx, &self.tenant, &self.task, Hold::There).await?;
        let stored = store_examples::put(&mut tx, &self.tenant, &self.task, &good).await?;
        let stored = i64::try_from(stored).unwrap_or(i64::MAX);
        let bytes: usize = good.iter().map(|example| example.text.len()).sum();
        self.holds.0 += stored;
        self.holds.1 += i64::try_from(bytes).unwrap_or(i64::MAX);
        if is_full(self.holds) {
            // Some took the place of others: counted, it may be less.
            self.holds = store_examples::size(&mut tx, &self.tenant, &self.task).await?;
            if is_full(self.holds) {
                let task = self.tenant.child(TASKS, &self.task);
                return Err(Error::TaskFull { task }.into());
            }
        }
        tx.commit().await?;
        self.imported.stored += stored;
        self.imported.unchanged += valid - stored;
        Ok(())
    }
}

fn is_full((examples, bytes): (i64, i64)) -> bool {
    examples > MOST_EXAMPLES || bytes > MOST_BYTES
}

/// The examples of a page.
pub(super) async fn list(
    room: &Room,
    tenant: &Tenant,
    task: &str,
    paging: Paging<'_>,
) -> Result<Page<Example>, Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        &format!("examples of {task}"),
        paging,
        (FIELDS, &[CREATE_TIME]),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    tasks::existing(&mut tx, tenant, task, Hold::Free).await?;
    let found = store_examples::list(&mut tx, tenant, task, &page).await?;
    tx.rollback().await;
    Ok(page.page(&room.page_tokens, found, |example| PageKey {
        time: example.create_time.as_microsecond(),
        id: example.id.clone().into(),
    }))
}

/// Deletes examples; how many there were.
pub(super) async fn delete(room: &Room, tenant: &Tenant, task: &str, ids: &[String]) -> Result<i64, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    tasks::existing(&mut tx, tenant, task, Hold::Free).await?;
    let deleted = store_examples::delete(&mut tx, tenant, task, ids).await?;
    tx.commit().await?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}
