//! Use cases of review items: list, read, take into work, give back, say the label.

use huiyin_chassis::{
    Refusal, Tenant, Transaction,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging, millionths},
    mask::mask,
    repeat::{self, Repeatable},
};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{
    convert::{self, ItemAnswer, NextAnswer, REVIEW_ITEMS},
    domain::{Item, Outcome},
    store,
};
use crate::{
    classification::settling::{self, Settled},
    error::Error,
    model::{self, examples::Labels},
    room::Room,
};

const CREATE_TIME: Field = Field::of("create_time", Kind::Time);
const CONFIDENCE: Field = Field::at("confidence", "(confidence * 1000000)::bigint", Kind::Integer);
const FIELDS: &[Field] = &[
    Field::at("task", "task_id", Kind::Text),
    Field::of("state", Kind::Enum("huiyin.classifier.v1.ReviewState")),
    Field::of("reason", Kind::Enum("huiyin.classifier.v1.ReviewReason")),
    Field::of("stage", Kind::Enum("huiyin.classifier.v1.ReviewStage")),
    Field::of("close_reason", Kind::Enum("huiyin.classifier.v1.ReviewCloseReason")),
    Field::of("assignee", Kind::Text),
    Field::of("confidence", Kind::Number),
    Field::of("double_coded", Kind::Bool),
    CREATE_TIME,
];

/// Which item, and who acts on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'n> {
    pub(super) tenant: &'n Tenant,
    pub(super) id: Uuid,
    pub(super) name: &'n str,
    pub(super) person: &'n str,
}

impl Named<'_> {
    fn missing(&self) -> Refusal {
        Refusal::not_found(self.name)
    }

    /// The item, held.
    async fn hold(&self, room: &Room, tx: &mut Transaction) -> Result<Item, Refusal> {
        let found = store::lock(tx, self.tenant, self.id, room.clock.now()).await?;
        found.ok_or_else(|| self.missing())
    }

    /// Writes the item, and answers with it as it is then.
    async fn keep(&self, room: &Room, tx: &mut Transaction, item: &Item) -> Result<ItemAnswer, Refusal> {
        store::update(tx, self.tenant, item).await?;
        self.read(room, tx).await
    }

    async fn read(&self, room: &Room, tx: &mut Transaction) -> Result<ItemAnswer, Refusal> {
        let found = store::find(tx, self.tenant, self.id, room.clock.now()).await?;
        let found = found.ok_or_else(|| self.missing())?;
        Ok(convert::item(self.tenant, &found, self.person))
    }
}

/// The items of a page, as a person may see them.
pub(super) async fn list(
    room: &Room,
    tenant: &Tenant,
    paging: Paging<'_>,
    person: &str,
) -> Result<Page<ItemAnswer>, Refusal> {
    let page = PageRequest::new(
        &room.page_tokens,
        tenant,
        REVIEW_ITEMS,
        paging,
        (FIELDS, &[CREATE_TIME, CONFIDENCE]),
    )?;
    let mut tx = room.database.tenant(tenant).await?;
    let found = store::list(&mut tx, tenant, &page, room.clock.now()).await?;
    tx.rollback().await;
    let page = page.page(&room.page_tokens, found, |item| PageKey {
        time: match paging.order_by.split_whitespace().next() {
            Some("confidence") => millionths(item.confidence),
            _ => item.create_time.as_microsecond(),
        },
        id: item.id.into(),
    });
    let entries = page.entries.iter();
    Ok(Page {
        entries: entries.map(|item| convert::item(tenant, item, person)).collect(),
        next_page_token: page.next_page_token,
    })
}

/// An item with its text.
pub(super) async fn get(room: &Room, named: Named<'_>) -> Result<ItemAnswer, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    let found = named.read(room, &mut tx).await;
    tx.rollback().await;
    found
}

/// Takes an item into work.
pub(super) async fn claim(
    room: &Room,
    named: Named<'_>,
    lease: SignedDuration,
    repeat: Option<Repeatable>,
) -> Result<ItemAnswer, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    store::one_by_one(&mut tx, named.tenant, named.person).await?;
    let answer = take(room, &mut tx, named, lease).await?;
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

async fn take(
    room: &Room,
    tx: &mut Transaction,
    named: Named<'_>,
    lease: SignedDuration,
) -> Result<ItemAnswer, Refusal> {
    let mut item = named.hold(room, tx).await?;
    let now = room.clock.now();
    let others = store::others(tx, named.tenant, &item, now).await?;
    item.claim(named.person, &others, lease, now)?;
    named.keep(room, tx, &item).await
}

/// Takes the item that has waited longest; none where nothing waits for this person.
pub(super) async fn claim_next(
    room: &Room,
    tenant: &Tenant,
    (task, person): (Option<&str>, &str),
    lease: SignedDuration,
    repeat: Option<Repeatable>,
) -> Result<NextAnswer, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, repeat.as_ref()).await? {
        return Ok(answer);
    }
    if let Some(task) = task {
        model::existing_task(&mut tx, tenant, task).await?;
    }
    store::one_by_one(&mut tx, tenant, person).await?;
    let next = store::next(&mut tx, tenant, task, person, room.clock.now()).await?;
    let review_item = match next {
        Some(id) => {
            let name = tenant.child(REVIEW_ITEMS, id);
            let named = Named {
                tenant,
                id,
                name: &name,
                person,
            };
            Some(take(room, &mut tx, named, lease).await?)
        }
        None => None,
    };
    let answer = NextAnswer { review_item };
    repeat::commit(tx, &room.clock, repeat.as_ref(), answer).await
}

/// Gives an item back; `skip`: to others than this person.
pub(super) async fn release(room: &Room, named: Named<'_>, skip: bool) -> Result<ItemAnswer, Refusal> {
    let mut tx = room.database.tenant(named.tenant).await?;
    let mut item = named.hold(room, &mut tx).await?;
    item.release(named.person, skip, room.clock.now())?;
    let answer = named.keep(room, &mut tx, &item).await?;
    tx.commit().await?;
    Ok(answer)
}

/// A label that a person gives.
#[derive(Debug)]
pub(super) struct Given<'g> {
    /// Empty for the one that was found.
    pub(super) label: &'g str,
    pub(super) comment: &'g str,
    pub(super) etag: &'g str,
    pub(super) repeat: Option<Repeatable>,
}

/// Takes a label, and writes what it settles.
pub(super) async fn resolve(room: &Room, named: Named<'_>, given: Given<'_>) -> Result<ItemAnswer, Refusal> {
    let tenant = named.tenant;
    let mut tx = room.database.tenant(tenant).await?;
    if let Some(answer) = repeat::answered(&mut tx, given.repeat.as_ref()).await? {
        return Ok(answer);
    }
    store::one_by_one(&mut tx, tenant, named.person).await?;
    let seen = store::find(&mut tx, tenant, named.id, room.clock.now()).await?;
    let seen = seen.ok_or_else(|| named.missing())?;
    // The classification first and then the task, as whatever else changes them; with the classification the other items are held too.
    let mut classification = settling::hold(&mut tx, tenant, seen.classification).await?;
    let task = model::existing_task(&mut tx, tenant, &seen.task).await?;
    let mut item = named.hold(room, &mut tx).await?;
    if !given.etag.is_empty() && given.etag != item.revision.to_string() {
        return Err(Refusal::etag_mismatch(named.name));
    }
    let lexicon = room.lexicons.active(&mut tx, tenant).await?;
    let label = if given.label.is_empty() {
        &item.found
    } else {
        given.label
    };
    if !Labels::of(&task, &lexicon).settles(label) {
        return Err(Error::CategoryUnknown {
            version: lexicon.version,
            category: label.to_owned(),
            field: "label".to_owned(),
        }
        .into());
    }
    let now = room.clock.now();
    let others = store::others(&mut tx, tenant, &item, now).await?;
    let said = (label.to_owned(), mask(given.comment));
    let outcome = item.resolve(named.person, &others, said, now)?;
    store::update(&mut tx, tenant, &item).await?;
    match outcome {
        Outcome::Waits => {}
        Outcome::Differ(candidates) => {
            let adjudication = item.adjudication(room.clock.id(), candidates, now);
            store::insert(&mut tx, tenant, &adjudication).await?;
        }
        Outcome::Settled(label) => {
            store::settle(&mut tx, tenant, &item, &label, now).await?;
            let settled = Settled {
                task: &task,
                label: &label,
                author: named.person,
                comment: &item.comment,
            };
            settling::settle(room, &mut tx, tenant, &mut classification, settled).await?;
        }
    }
    let answer = named.read(room, &mut tx).await?;
    repeat::commit(tx, &room.clock, given.repeat.as_ref(), answer).await
}
