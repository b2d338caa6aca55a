//! A stream of items, each answered for: one task understands the next message while another commits the one before.

use std::{collections::HashMap, sync::Arc};

use futures::{Stream, StreamExt as _};
use huiyin_chassis::{Refusal, Tenant, server::Language};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::feedback::{
    accept,
    domain::{Accepted, Draft, Violation},
    store::{self, imports::Advance},
};
use crate::{error::Error, events::FEEDBACKS, room::Room, validation::service::admit};

/// One message of a stream, understood.
pub(crate) enum Incoming {
    /// The first.
    Opening(Opening),
    /// Every other.
    Items(Vec<Item>),
}

/// Opens an import, or takes one up again.
pub(crate) struct Opening {
    pub(crate) tenant: Tenant,
    pub(crate) import_id: String,
    pub(crate) validate_only: bool,
    /// In which what is wrong is said.
    pub(crate) language: Language,
}

/// One item, parsed.
pub(crate) struct Item {
    /// Its place in the caller's file.
    pub(crate) sequence: i64,
    pub(crate) draft: Result<Draft, Vec<Violation>>,
}

/// What became of the items of one message.
pub(crate) struct Settled {
    /// Every item up to here is settled.
    pub(crate) through: i64,
    /// Sequence and outcome, in order.
    pub(crate) results: Vec<(i64, Outcome)>,
}

/// What became of one item.
pub(crate) enum Outcome {
    /// Stored; without an id where it was only to be checked.
    Accepted(Option<Uuid>),
    /// Not stored.
    Refused(Vec<Violation>),
    /// An earlier stream settled it.
    SettledBefore,
}

/// An item that is ready to be stored.
struct Prepared {
    sequence: i64,
    fate: Fate,
}

enum Fate {
    Good(Box<Accepted>),
    Bad(Vec<Violation>),
    SettledBefore,
}

/// Runs an import; the answers end when the messages do, or with the first error, which need not be an item's. Dropping
/// them ends it: what is committed stays, and the import can be taken up again.
pub(crate) fn run<E>(
    room: Arc<Room>,
    author: String,
    incoming: impl Stream<Item = Result<Incoming, E>> + Send + Unpin + 'static,
) -> impl Stream<Item = Result<(Tenant, Settled), E>> + Send
where
    E: From<Refusal> + Send + 'static,
{
    let (answers, answered) = mpsc::channel(4);
    let mut tasks = JoinSet::new();
    let work = async move {
        if let Err(error) = work(room, author, incoming, &answers).await {
            let _ = answers.send(Err(error)).await;
        }
    };
    tasks.spawn(work.instrument(tracing::Span::current()));
    futures::stream::unfold((answered, tasks), |(mut answered, mut tasks)| async move {
        if let Some(answer) = answered.recv().await {
            return Some((answer, (answered, tasks)));
        }
        // A task that panicked must not look like one that came to its end.
        let ended = tasks.join_next().await?;
        ended
            .err()
            .map(|panic| (Err(Refusal::fault(panic).into()), (answered, tasks)))
    })
}

async fn work<E>(
    room: Arc<Room>,
    author: String,
    mut incoming: impl Stream<Item = Result<Incoming, E>> + Send + Unpin + 'static,
    answers: &mpsc::Sender<Result<(Tenant, Settled), E>>,
) -> Result<(), E>
where
    E: From<Refusal> + Send + 'static,
{
    let opening = match next(&room, &mut incoming).await? {
        Some(Incoming::Opening(opening)) => Arc::new(opening),
        Some(Incoming::Items(_)) => return Err(Refusal::from(Error::ImportNotOpen).into()),
        None => return Ok(()),
    };
    let through = room.open_import(&opening).await?;
    if answers
        .send(Ok((
            opening.tenant.clone(),
            Settled {
                through,
                results: Vec::new(),
            },
        )))
        .await
        .is_err()
    {
        return Ok(());
    }

    let (prepared, mut ready) = mpsc::channel::<Result<Vec<Prepared>, E>>(1);
    let mut tasks = JoinSet::new();
    let preparing = {
        let (room, opening) = (Arc::clone(&room), Arc::clone(&opening));
        async move {
            let mut last = 0;
            loop {
                let message = match next(&room, &mut incoming).await {
                    Ok(None) => return,
                    Ok(Some(Incoming::Opening(_))) => Err(Refusal::from(Error::ImportNotOpen).into()),
                    Ok(Some(Incoming::Items(items))) => room
                        .prepare(&opening, &author, through, &mut last, items)
                        .await
                        .map_err(E::from),
                    Err(error) => Err(error),
                };
                let is_last = message.is_err();
                if prepared.send(message).await.is_err() || is_last {
                    return;
                }
            }
        }
    };
    tasks.spawn(preparing.instrument(tracing::Span::current()));
    let mut through = through;
    while let Some(items) = ready.recv().await {
        let settled = room.settle(&opening, through, items?).await?;
        through = settled.through;
        if answers.send(Ok((opening.tenant.clone(), settled))).await.is_err() {
            return Ok(());
        }
    }
    match tasks.join_next().await {
        Some(Err(panic)) => Err(Refusal::fault(panic).into()),
        _ => Ok(()),
    }
}

/// The next message; an error when the service stops, so that the caller takes the import up again elsewhere.
async fn next<E: From<Refusal>>(
    room: &Room,
    incoming: &mut (impl Stream<Item = Result<Incoming, E>> + Unpin),
) -> Result<Option<Incoming>, E> {
    tokio::select! {
        biased;
        () = room.shutdown.requested() => Err(Refusal::unavailable("the service stops").into()),
        message = incoming.next() => message.transpose(),
    }
}

impl Room {
    /// The sequence through which the import is settled.
    async fn open_import(&self, opening: &Opening) -> Result<i64, Refusal> {
        if opening.validate_only {
            return Ok(0);
        }
        let mut tx = self.ledger.database.tenant(&opening.tenant).await?;
        let through =
            store::imports::open(&mut tx, &opening.tenant, &opening.import_id, self.ledger.clock.now()).await?;
        tx.commit().await?;
        Ok(through)
    }

    /// Makes the items of a message ready: accepted, numbered, or known to be refused. `through` was settled when the stream
    /// was opened; `last` is the sequence of the item before.
    async fn prepare(
        &self,
        opening: &Opening,
        author: &str,
        through: i64,
        last: &mut i64,
        items: Vec<Item>,
    ) -> Result<Vec<Prepared>, Refusal> {
        let mut prepared = Vec::with_capacity(items.len());
        let rulebook = self.profiles.active(&self.ledger.database, &opening.tenant).await?;
        let now = self.ledger.clock.now();
        for (index, Item { sequence, draft }) in items.into_iter().enumerate() {
            if sequence <= *last {
                return Err(Refusal::invalid_field(
                    &format!("items[{index}].sequence"),
                    format!("must be greater than {last}"),
                ));
            }
            *last = sequence;
            let admitted = draft.and_then(|draft| admit(&rulebook, draft, now, opening.language, "feedback"));
            let fate = match admitted {
                _ if sequence <= through => Fate::SettledBefore,
                Ok(admitted) => Fate::Good(Box::new(accept::accept(
                    &self.ledger.clock,
                    &self.vault,
                    &opening.tenant,
                    author,
                    admitted,
                ))),
                Err(violations) => Fate::Bad(violations),
            };
            prepared.push(Prepared { sequence, fate });
        }
        let mut good = Vec::with_capacity(prepared.len());
        for item in &mut prepared {
            if let Fate::Good(accepted) = &mut item.fate {
                good.push(&mut **accepted);
            }
        }
        if !good.is_empty() && !opening.validate_only {
            self.ledger.give_numbers(&opening.tenant, good).await?;
        }
        Ok(prepared)
    }

    /// Stores the items of a message, all in one transaction. Where that fails because of one of them, one by one, so that
    /// only the culprit is refused.
    async fn settle(&self, opening: &Opening, through: i64, mut items: Vec<Prepared>) -> Result<Settled, Refusal> {
        if opening.validate_only || items.is_empty() {
            let through = items.last().map_or(through, |item| item.sequence);
            return Ok(Settled {
                through,
                results: items
                    .into_iter()
                    .map(|item| (item.sequence, item.fate.outcome()))
                    .collect(),
            });
        }
        let refusal = match self.settle_together(opening, &mut items).await {
            Err(refusal) if !refusal.is_transient() => refusal,
            outcome => return outcome,
        };
        if items.len() == 1 {
            // The refusal names the incident under which the reason was logged.
            items[0].fate = Fate::Bad(vec![("feedback".to_owned(), refusal.to_string())]);
            return self.settle_together(opening, &mut items).await;
        }
        let mut all = Settled {
            through,
            results: Vec::with_capacity(items.len()),
        };
        for item in items {
            let settled = Box::pin(self.settle(opening, through, vec![item])).await?;
            all.through = settled.through;
            all.results.extend(settled.results);
        }
        Ok(all)
    }

    async fn settle_together(&self, opening: &Opening, items: &mut [Prepared]) -> Result<Settled, Refusal> {
        let Opening { tenant, import_id, .. } = opening;
        let mut tx = self.ledger.database.tenant(tenant).await?;
        // Two streams of one import take turns here; what the other one settled since is not taken in twice.
        let through = store::imports::lock(&mut tx, tenant, import_id).await?;
        let mut fresh: Vec<&mut Accepted> = items
            .iter_mut()
            .filter(|item| item.sequence > through)
            .filter_map(|item| {
                if let Fate::Good(accepted) = &mut item.fate {
                    Some(&mut **accepted)
                } else {
                    None
                }
            })
            .collect();
        self.ledger.complete(&mut tx, tenant, &mut fresh).await?;
        let fresh: Vec<&Accepted> = fresh.into_iter().map(|accepted| &*accepted).collect();
        let taken = self.ledger.store(&mut tx, tenant, &fresh, &[]).await?.taken;
        let outcome = |item: &Prepared| {
            if item.sequence <= through {
                Outcome::SettledBefore
            } else {
                item.fate.stored(tenant, &taken)
            }
        };
        let results: Vec<(i64, Outcome)> = items.iter().map(|item| (item.sequence, outcome(item))).collect();

        let count = |of: fn(&Outcome) -> bool| {
            i64::try_from(results.iter().filter(|(_, outcome)| of(outcome)).count()).map_err(Refusal::fault)
        };
        let advance = Advance {
            settled_through: items.last().map_or(through, |item| item.sequence.max(through)),
            accepted: count(|outcome| matches!(outcome, Outcome::Accepted(_)))?,
            refused: count(|outcome| matches!(outcome, Outcome::Refused(_)))?,
        };
        if advance.settled_through > through {
            store::imports::advance(&mut tx, tenant, import_id, &advance, self.ledger.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(Settled {
            through: advance.settled_through,
            results,
        })
    }
}

impl Fate {
    /// The outcome where nothing is stored.
    fn outcome(self) -> Outcome {
        match self {
            Self::Good(_) => Outcome::Accepted(None),
            Self::Bad(violations) => Outcome::Refused(violations),
            Self::SettledBefore => Outcome::SettledBefore,
        }
    }

    /// The outcome where everything was stored but those whose external id is taken.
    fn stored(&self, tenant: &Tenant, taken: &HashMap<Uuid, Uuid>) -> Outcome {
        match self {
            Self::Good(accepted) => match taken.get(&accepted.feedback.id) {
                None => Outcome::Accepted(Some(accepted.feedback.id)),
                Some(holder) => {
                    let problem = format!("is the external id of {} already", tenant.child(FEEDBACKS, holder));
                    Outcome::Refused(vec![("feedback.external_id".to_owned(), problem)])
                }
            },
            Self::Bad(violations) => Outcome::Refused(violations.clone()),
            Self::SettledBefore => Outcome::SettledBefore,
        }
    }
}
