//! Old feedback read anew by the version of the taxonomy in effect: an operation that goes on where a crash cut it short.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    operations::{Ended, Operation, Run},
    repeat::{self, Repeatable},
    sql,
};
use uuid::Uuid;

use super::{
    convert::{self, Asked, Checkpoint, Confusion, Reclassified},
    domain::Classification,
    domain_anew::{Anew, Mappings},
    domain_priority::{Computed, Rules},
    reviewing::{customers, watch_review},
    service::tell,
    store_anew::{self, Kept},
};
use crate::{
    error::Error,
    model::asking,
    priority::{domain::UsedFor, models::Model},
    reading::{aside, excerpt, lexicon::Lexicon, verdict::Statement},
    review::queue::{self, Seen},
    room::Room,
    taxonomy::{mapping::store as mappings, store as taxonomies},
};

/// The kind of the operation.
pub(crate) const KIND: &str = "classifier.ReclassifyFeedbacks";

/// So many are looked at in one transaction.
const BATCH: i64 = 200;
/// A response names no more pairs of categories.
const PAIRS: usize = 500;

/// Starts the operation.
pub(super) async fn start(
    room: &Room,
    tenant: &Tenant,
    author: &str,
    asked: &Asked,
    repeat: Option<Repeatable>,
) -> Result<Operation, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    let operation = room.operations.start(&mut tx, tenant, author, KIND, asked).await?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), operation).await
}

/// Carries it out, batch by batch: each is one transaction with its events and the checkpoint.
pub(crate) async fn carry_out(room: &Room, run: &Run) -> Result<Ended, Refusal> {
    let asked: Asked = run.request()?;
    let mut which = convert::which(&asked)?;
    let mut checkpoint = match run.checkpoint::<Checkpoint>()? {
        Some(checkpoint) => checkpoint,
        None => {
            let mut tx = run.begin().await?;
            let now = room.clock.now();
            which.begun = Some(now);
            let begun = Checkpoint {
                start_time: Some(sql::to_proto(now)),
                after: Uuid::nil().to_string(),
                total: store_anew::count(&mut tx, &run.tenant, &which).await?,
                so_far: Some(Reclassified {
                    taxonomy_version: taxonomies::active_version(&mut tx, &run.tenant).await?,
                    dry_run: asked.dry_run,
                    ..Reclassified::default()
                }),
            };
            run.keep(&mut tx, &begun).await?;
            tx.commit().await?;
            begun
        }
    };
    which.begun = sql::from_proto(checkpoint.start_time.as_ref());
    let mut so_far = checkpoint.so_far.take().unwrap_or_default();
    let mut confusion: BTreeMap<(String, String), i64> = so_far
        .confusion
        .drain(..)
        .map(|pair| ((pair.from, pair.to), pair.count))
        .collect();
    let mut mappings_from = Mappings::new();
    loop {
        let done = usize::try_from(so_far.looked_at).unwrap_or_default();
        let total = usize::try_from(checkpoint.total).unwrap_or_default();
        if !run.report("reading", done, total) {
            return Err(Refusal::unavailable("the operation is to stop"));
        }
        let mut tx = run.begin().await?;
        let lexicon = room
            .lexicons
            .version(&mut tx, &run.tenant, so_far.taxonomy_version)
            .await?
            .ok_or_else(|| Refusal::fault(anyhow::anyhow!("version {} is gone", so_far.taxonomy_version)))?;
        let after = Uuid::parse_str(&checkpoint.after).map_err(Refusal::fault)?;
        let batch = store_anew::next(&mut tx, &run.tenant, &which, after, BATCH).await?;
        let Some((last, _)) = batch.last() else {
            so_far.confusion = pairs(&confusion, PAIRS);
            return run.finish(tx, &so_far).await;
        };
        // Asked behind the locks: a correction by a newer version has gone before, or waits.
        if taxonomies::active_version(&mut tx, &run.tenant).await? != so_far.taxonomy_version {
            return Err(Error::TaxonomyReplaced {
                version: so_far.taxonomy_version,
            }
            .into());
        }
        checkpoint.after = last.id.to_string();
        let model = room.priorities.active(&mut tx, &run.tenant, UsedFor::Case).await?;
        let mut same = Vec::new();
        for (found, kept) in &batch {
            for from in found.label_versions.values().chain([&found.taxonomy_version]) {
                if let Entry::Vacant(unknown) = mappings_from.entry(*from) {
                    let said = mappings::find(&mut tx, &run.tenant, so_far.taxonomy_version, *from).await?;
                    unknown.insert(said.map(|mapping| mapping.categories).unwrap_or_default());
                }
            }
            so_far.looked_at += 1;
            so_far.without_text += i64::from(kept.is_none());
            let by = By {
                lexicon: &lexicon,
                model: &model,
                mappings: &mappings_from,
            };
            let (anew, asked_of_it) = read_anew(room, &mut tx, &run.tenant, by, (found, kept.as_ref())).await?;
            let next = match anew {
                Anew::Changed(next) => next,
                unchanged @ (Anew::Same(_) | Anew::Unreadable) => {
                    if let Anew::Same(labels) = unchanged
                        && (found.taxonomy_version, &found.label_versions) != (so_far.taxonomy_version, &labels)
                    {
                        same.push((found.id, labels));
                    }
                    *confusion
                        .entry((found.category.clone(), found.category.clone()))
                        .or_default() += 1;
                    continue;
                }
            };
            so_far.changed += 1;
            *confusion
                .entry((found.category.clone(), next.category.clone()))
                .or_default() += 1;
            if !asked.dry_run {
                store_anew::replace(&mut tx, &run.tenant, &next).await?;
                let round = found.review.as_ref().map(|review| review.round);
                watch_review(&mut tx, &run.tenant, &next, round).await?;
                if let Some(kept) = kept {
                    let seen = Seen {
                        classification: next.id,
                        statement: &statement(&next, kept),
                        verdict: &next.computed.verdict,
                        asked: &asked_of_it,
                        by_people: &next.set_by_people(&lexicon),
                    };
                    queue::reclassified(room, &mut tx, &run.tenant, seen).await?;
                }
                tell(room, &mut tx, &run.tenant, &next, &run.author).await?;
            }
        }
        if !asked.dry_run {
            store_anew::confirm(&mut tx, &run.tenant, so_far.taxonomy_version, &same).await?;
        }
        let kept = Checkpoint {
            so_far: Some(Reclassified {
                confusion: pairs(&confusion, usize::MAX),
                ..so_far.clone()
            }),
            ..checkpoint.clone()
        };
        run.keep(&mut tx, &kept).await?;
        tx.commit().await?;
    }
}

/// What a feedback is read by.
#[derive(Clone, Copy)]
struct By<'b> {
    lexicon: &'b Arc<Lexicon>,
    model: &'b Model,
    mappings: &'b Mappings,
}

/// What was read of a feedback, with what was stated with it.
fn statement<'s>(found: &'s Classification, kept: &'s Kept) -> Statement<'s> {
    Statement {
        text: &kept.text,
        tier: found.feedback.tier,
        impact: kept.impact,
        urgency: found.stated_urgency,
        emotion_level: kept.emotion_level,
        product_model: &found.feedback.product_model,
        channel: found.feedback.channel,
    }
}

async fn read_anew(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    by: By<'_>,
    (found, kept): (&Classification, Option<&Kept>),
) -> Result<(Anew, asking::Asked), Refusal> {
    let mut asked = asking::Asked::default();
    let read = match kept {
        Some(kept) => {
            let statement = statement(found, kept);
            let scan = aside::scan(by.lexicon, statement).await?;
            asked = asking::ask(room, tx, tenant, &scan).await?;
            let verdict = scan.verdict(&asked.answers);
            let problem = (&found.feedback, verdict.category.as_str());
            let customers = customers(tx, tenant, by.model, problem, found.create_time).await?;
            let excerpt = excerpt::excerpt(&kept.text, &verdict.spans);
            Some((Computed::new(verdict, &statement, customers, by.model), excerpt))
        }
        None => None,
    };
    let Some(reread) = found.reread(by.lexicon, read, by.mappings) else {
        return Ok((Anew::Unreadable, asked));
    };
    let problem = (&found.feedback, reread.category.as_str());
    let customers = customers(tx, tenant, by.model, problem, found.create_time).await?;
    let rules = Rules {
        lexicon: by.lexicon,
        model: by.model,
        customers,
    };
    Ok((found.anew(reread, rules, room.clock.now()), asked))
}

/// Those with the most first.
fn pairs(confusion: &BTreeMap<(String, String), i64>, at_most: usize) -> Vec<Confusion> {
    let mut pairs: Vec<Confusion> = confusion
        .iter()
        .map(|((from, to), count)| Confusion {
            from: from.clone(),
            to: to.clone(),
            count: *count,
        })
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
    pairs.truncate(at_most);
    pairs
}
