//! Use cases of mail: what a mail becomes, which thread it goes on with, and where machines talk in a loop.

use huiyin_chassis::{Caller, Refusal, Tenant, Transaction, mask::mask, name, secret, server::Language};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{
    Mailbox, convert,
    domain::{self, Kind, Letter},
    store::{self, Record},
};
use crate::channel::{self, evidence, source::service};
use crate::{feedback, room::Room};

/// Servers of mail read what is wrong; what they tell the sender is up to them.
const LANGUAGE: Language = Language::English;
/// Words that come again within this time are counted.
const REPEATS_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// A mail that came, understood once for all its recipients.
pub(crate) struct Incoming {
    letter: Letter,
}

impl Incoming {
    /// Understands a mail, off the threads that serve others.
    ///
    /// # Errors
    /// INVALID_ARGUMENT where it is no mail, or says nothing.
    pub(crate) async fn read(raw: Vec<u8>, return_path: String) -> Result<Self, Refusal> {
        let read = tokio::task::spawn_blocking(move || domain::letter(&raw, &return_path));
        let letter = read
            .await
            .map_err(Refusal::fault)?
            .ok_or_else(|| Refusal::invalid_field("mail", "is no mail"))?;
        if letter.machine.is_none() && letter.description().is_empty() && letter.files.is_empty() {
            return Err(Refusal::invalid_field("mail", "says nothing"));
        }
        Ok(Self { letter })
    }
}

impl Room {
    /// Takes a mail in for one mailbox; where it ends well, all of it is committed. The same mail again, because the answer was
    /// lost on its way, is known again.
    ///
    /// A mail of a machine is written down and becomes nothing: nobody is told of it, so nobody answers, and the loop ends.
    pub(crate) async fn receive(&self, mailbox: &Mailbox, incoming: &Incoming, repeats: i64) -> Result<Kind, Refusal> {
        let (tenant, letter) = (&mailbox.tenant, &incoming.letter);
        let source = self.source(tenant, &mailbox.source).await?;
        service::enabled(tenant, &source)?;
        let mut record = self.record(tenant, &source.id, letter);

        let mut tx = self.ledger.database.tenant(tenant).await?;
        if let Some(kind) = store::find(&mut tx, tenant, &source.id, &record.delivery).await? {
            tx.commit().await?;
            return Ok(known(kind));
        }
        let since = record.time.saturating_sub(REPEATS_WITHIN).unwrap_or(record.time);
        let machine = match letter.machine {
            None if store::repeats(&mut tx, tenant, &record, since).await? >= repeats => Some(Kind::Loop),
            machine => machine,
        };
        if let Some(machine) = machine {
            record.kind = machine as i16;
            store::put(&mut tx, tenant, &record).await?;
            tx.commit().await?;
            tracing::info!(%tenant, source = source.id, kind = machine.name(), "a mail of a machine was written down");
            return Ok(machine);
        }
        let first = self.thread(&mut tx, tenant, letter).await?;
        tx.commit().await?;

        let mut asked = convert::asked(tenant, &source, letter, record.time).map_err(Refusal::invalid)?;
        let caller = Caller::recognised(source.subject(), tenant);
        let lost = evidence::keep(self, tenant, &caller.subject, &letter.files, &mut asked).await?;
        if let Some(whole) = &letter.whole {
            // Masked, for a file is handed out as it is. Where it is not taken, that is no reason to refuse the mail.
            let file = [domain::text_file(mask(whole))];
            evidence::keep(self, tenant, &caller.subject, &file, &mut asked).await?;
        }
        convert::describe(&mut asked, letter.description_without(&lost));
        let id = secret::to_text(&record.delivery);
        // Bound to nothing but the id: that is of all that the mail says.
        let repeat = channel::convert::repeatable(tenant, &caller, &id, &[])?;
        let violations = channel::convert::violations(&asked);
        let taken = if violations.is_empty() {
            feedback::api::take(self, &caller, asked.clone(), Some(repeat.clone()), LANGUAGE).await
        } else {
            Err(Refusal::invalid(violations))
        };
        let taken = match taken {
            Err(refusal) if is_about_contact(&refusal) => {
                feedback::api::take(self, &caller, convert::without_contact(asked), Some(repeat), LANGUAGE).await
            }
            taken => taken,
        }?;

        let id = name::stored_uuid(&taken.name)?;
        let kind = if first.is_some() {
            Kind::FollowUp
        } else {
            Kind::Feedback
        };
        (record.kind, record.feedback, record.thread_of) = (kind as i16, Some(id), first);
        let mut tx = self.ledger.database.tenant(tenant).await?;
        store::put(&mut tx, tenant, &record).await?;
        tx.commit().await?;
        Ok(kind)
    }

    /// What is written down of a mail: hashes that only holders of the vault's key can make.
    fn record<'r>(&self, tenant: &Tenant, source: &'r str, letter: &Letter) -> Record<'r> {
        let hash = |of: &str, parts: &[&str]| {
            let parts = [of, tenant.key()]
                .into_iter()
                .chain(parts.iter().copied())
                .map(str::as_bytes);
            self.vault.keyed_hash(&parts.collect::<Vec<_>>())
        };
        let bare = letter.bare_words();
        Record {
            source,
            delivery: hash(
                "mail delivery",
                &[&letter.message_id, &letter.sender, &letter.title, &letter.words],
            ),
            message: hash("mail message", &[&letter.message_id]),
            sender: hash("mail sender", &[&letter.sender]),
            words: hash("mail words", &[&bare]),
            kind: 0,
            feedback: None,
            thread_of: None,
            time: self.ledger.clock.now(),
        }
    }

    /// The first of the thread that a mail goes on with: by the mails that it answers, by our own mails among them, and by the
    /// display number in its subject. A number can be guessed: it counts for the customer of that feedback alone.
    async fn thread(&self, tx: &mut Transaction, tenant: &Tenant, letter: &Letter) -> Result<Option<Uuid>, Refusal> {
        let messages: Vec<Vec<u8>> = letter
            .references
            .iter()
            .map(|id| {
                self.vault
                    .keyed_hash(&[b"mail message", tenant.key().as_bytes(), id.as_bytes()])
                    .to_vec()
            })
            .collect();
        if !messages.is_empty()
            && let Some(first) = store::thread(tx, tenant, &messages).await?
        {
            return Ok(Some(first));
        }
        let named = letter.named_feedbacks();
        if !named.is_empty()
            && let Some(first) = store::thread_of_feedbacks(tx, tenant, &named).await?
        {
            return Ok(Some(first));
        }
        let Some(number) = letter.number().filter(|_| !letter.sender.is_empty()) else {
            return Ok(None);
        };
        let token = self.vault.customer(tenant, "email", &letter.sender);
        store::thread_of_number(tx, tenant, number, token).await
    }
}

/// The kind that was written down.
fn known(kind: i16) -> Kind {
    [Kind::FollowUp, Kind::Automatic, Kind::Report, Kind::Loop]
        .into_iter()
        .find(|known| *known as i16 == kind)
        .unwrap_or(Kind::Feedback)
}

/// True where nothing but the address is wrong: mail comes from addresses that no form would take.
fn is_about_contact(refusal: &Refusal) -> bool {
    let mut fields = refusal.violations().iter().map(|(field, _)| field.as_str()).peekable();
    fields.peek().is_some() && fields.all(|field| field.starts_with("feedback.contact"))
}
