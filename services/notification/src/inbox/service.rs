//! Use cases of inboxes: list, mark as read, follow.

use std::{iter, sync::Arc, time::Duration};

use futures::stream::{self, Stream};
use huiyin_chassis::{
    Caller, Refusal, Tenant,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    repeat::Repeatable,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use super::{
    convert::{self, Shown, Watched},
    domain::Item,
    store,
};
use crate::room::Room;

/// What the vault binds the token of a survey's link to.
pub(crate) const TOKEN: &str = "survey token";
/// Who has this permission sees everybody's inbox,
const SEES_ALL: &str = "notification.messages.read";
/// who has this one marks what stands in it,
const ACTS: &str = "notification.inboxes.act";
/// and who has this one gets what only the recipient may use.
const IMPERSONATES: &str = "notification.inboxes.impersonate";
/// Items in one answer of a watch.
const WATCHED: i64 = 100;
/// A watch looks this often for what other replicas laid in.
const LOOK: Duration = Duration::from_secs(1);
/// A watch says this often that it is still there.
const CHECKPOINT: Duration = Duration::from_secs(5);

const FIELDS: &[Field] = &[
    Field::at("read", "(i.read_time IS NOT NULL)", Kind::Bool),
    Field::at("purpose", "m.purpose", Kind::Enum("huiyin.notification.v1.Purpose")),
    Field::at("work_order", "m.work_order", Kind::Text),
    Field::at("feedback", "m.feedback", Kind::Text),
    Field::at("create_time", "i.create_time", Kind::Time),
];
const ORDER: &[Field] = &[Field::at("create_time", "i.create_time", Kind::Time)];

/// Where a watch is, sealed in its cursor.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Place {
    change: i64,
}

/// A watch between two answers.
struct Watch {
    room: Arc<Room>,
    tenant: Tenant,
    recipient: String,
    opens: bool,
    place: Place,
    changed: watch::Receiver<u64>,
    said: Instant,
}

impl Room {
    /// A page of one inbox, and how many of its items are unread.
    pub(crate) async fn list_inbox(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        recipient: &str,
        paging: Paging<'_>,
    ) -> Result<(Page<Shown>, i32), Refusal> {
        let Reader { recipient, opens } = whose(caller, recipient)?;
        // The list is one recipient's, and its page tokens lead nowhere in another's.
        let list = format!("inboxItems of {recipient}");
        let request = PageRequest::new(&self.page_tokens, tenant, &list, paging, (FIELDS, ORDER))?;
        let mut tx = self.database.tenant(tenant).await?;
        let items = store::list(&mut tx, tenant, &recipient, &request).await?;
        let (_, unread) = store::counts(&mut tx, tenant, &recipient).await?;
        let place = |item: &Item| PageKey {
            time: item.create_time.as_microsecond(),
            id: item.id.into(),
        };
        let page = request.page(&self.page_tokens, items, place);
        let shown = page
            .entries
            .iter()
            .map(|item| self.show_item(tenant, item, opens))
            .collect::<Result<_, _>>()?;
        Ok((
            Page {
                entries: shown,
                next_page_token: page.next_page_token,
            },
            unread,
        ))
    }

    /// Marks an item as read.
    pub(crate) async fn mark_read(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        repeat: Option<Repeatable>,
        id: Uuid,
    ) -> Result<Shown, Refusal> {
        let missing = || Refusal::not_found(&tenant.child("inboxItems", id));
        let opens = |item: &Item| item.recipient == caller.subject || caller.may(IMPERSONATES);
        let mut tx = self.database.tenant(tenant).await?;
        if let Some(repeat) = &repeat
            && let Some(answer) = repeat.answered::<Shown>(&mut tx).await?
        {
            // Kept without its token: no table holds one in the clear.
            let item = store::get(&mut tx, tenant, id).await?.ok_or_else(missing)?;
            return Ok(Shown {
                body: self.show_item(tenant, &item, opens(&item))?.body,
                ..answer
            });
        }
        let item = store::get(&mut tx, tenant, id).await?.ok_or_else(missing)?;
        if item.recipient != caller.subject && !caller.may(ACTS) {
            return Err(missing());
        }
        if store::mark_read(&mut tx, tenant, id, &item.recipient, self.clock.now()).await? {
            self.bells
                .ring_after(&mut tx, tenant, iter::once(item.recipient.as_str()));
        }
        let item = store::get(&mut tx, tenant, id).await?.ok_or_else(missing)?;
        if let Some(repeat) = &repeat {
            repeat
                .answer(&mut tx, &self.clock, &convert::item(tenant, &item, None))
                .await?;
        }
        let answer = self.show_item(tenant, &item, opens(&item))?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Follows one inbox from a cursor on, or from now on.
    pub(crate) async fn watch_inbox(
        self: Arc<Self>,
        tenant: Tenant,
        caller: &Caller,
        recipient: &str,
        start_cursor: &str,
    ) -> Result<impl Stream<Item = Result<Watched, Refusal>> + Send + use<>, Refusal> {
        let Reader { recipient, opens } = whose(caller, recipient)?;
        // Before the first look: what is laid in after it wakes the watch.
        let changed = self.bells.listen(&tenant, &recipient);
        let mut tx = self.database.tenant(&tenant).await?;
        let (newest, _) = store::counts(&mut tx, &tenant, &recipient).await?;
        tx.rollback().await;
        let place = if start_cursor.is_empty() {
            Place { change: newest }
        } else {
            self.page_tokens.open(start_cursor, &bound_to(&tenant, &recipient))?
        };
        if place.change > newest {
            // Of a database that was set back since: what this cursor has seen is not all that was.
            return Err(Refusal::cursor_expired());
        }
        let watch = Watch {
            room: self,
            tenant,
            recipient,
            opens,
            place,
            changed,
            said: Instant::now(),
        };
        // A watch ends with its first error, and with the service.
        Ok(stream::unfold(Some(watch), |watch| async {
            let mut watch = watch?;
            match watch.next().await {
                Ok(Some(answer)) => Some((Ok(answer), Some(watch))),
                Ok(None) => None,
                Err(refusal) => Some((Err(refusal), None)),
            }
        }))
    }

    /// An item; with its token only for those who may use it.
    fn show_item(&self, tenant: &Tenant, item: &Item, opens: bool) -> Result<Shown, Refusal> {
        let token = item
            .token
            .as_ref()
            .filter(|_| opens)
            .map(|sealed| self.vault.open(tenant, item.id, TOKEN, sealed))
            .transpose()?;
        Ok(convert::item(tenant, item, token.as_deref()))
    }
}

impl Watch {
    /// The next answer: what changed, or a checkpoint where nothing did for a while. `None` where the service ends.
    async fn next(&mut self) -> Result<Option<Watched>, Refusal> {
        loop {
            self.changed.mark_unchanged();
            let mut tx = self.room.database.tenant(&self.tenant).await?;
            let items = store::changes(&mut tx, &self.tenant, &self.recipient, self.place.change, WATCHED).await?;
            tx.rollback().await;
            let checkpoint = items.is_empty();
            if !checkpoint || self.said.elapsed() >= CHECKPOINT {
                self.said = Instant::now();
                self.place.change = items.last().map_or(self.place.change, |item| item.change);
                let inbox_items = items
                    .iter()
                    .map(|item| self.room.show_item(&self.tenant, item, self.opens))
                    .collect::<Result<_, _>>()?;
                let cursor = self
                    .room
                    .page_tokens
                    .seal(&self.place, &bound_to(&self.tenant, &self.recipient));
                return Ok(Some(Watched {
                    inbox_items,
                    cursor,
                    checkpoint,
                }));
            }
            tokio::select! {
                _ = self.changed.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = self.room.shutdown.requested() => return Ok(None),
            }
        }
    }
}

fn bound_to(tenant: &Tenant, recipient: &str) -> Vec<u8> {
    [tenant.key(), "inbox", recipient].join("\u{1f}").into_bytes()
}

/// Whose inbox is read, and whether what only the recipient may use is shown.
struct Reader {
    recipient: String,
    opens: bool,
}

/// The caller's own inbox where nobody is named; somebody else's only with the permission to read all messages.
fn whose(caller: &Caller, recipient: &str) -> Result<Reader, Refusal> {
    if recipient.is_empty() || recipient == caller.subject {
        return Ok(Reader {
            recipient: caller.subject.clone(),
            opens: true,
        });
    }
    if caller.may(SEES_ALL) {
        Ok(Reader {
            recipient: recipient.to_owned(),
            opens: caller.may(IMPERSONATES),
        })
    } else {
        Err(Refusal::permission_missing(SEES_ALL))
    }
}
