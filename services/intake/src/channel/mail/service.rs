//! Use cases of mail: what a mail becomes, which thread it goes on with, and where machines talk in a loop.

use huiyin_chassis::{
    Caller, Refusal, Tenant, Transaction, mask::mask, name, repeat::Repeatable, secret, server::Language,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    Mailbox, convert,
    domain::{self, Kind, Letter},
    store::{self, Record},
};
use crate::channel::{self, evidence, source::service};
use crate::{feedback, room::Room, screening};

/// Servers of mail read what is wrong; what they tell the sender is up to them.
const LANGUAGE: Language = Language::English;
/// What comes again within this time is counted.
const REPEATS_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Mails that differ in subject, numbers or files may be a person's: so many of them count as one that says the same.
const ALIKE: i64 = 4;
/// The kind of the timers that forget mails, how often they do, and which: those that became no feedback sooner.
pub(crate) const PRUNE: &str = "mail.prune";
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(24);
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
const KEPT_WITHOUT_FEEDBACK: SignedDuration = SignedDuration::from_hours(2 * 24);

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
    /// A mail of a machine is written down and becomes nothing: nobody is told of it, so nobody answers, and the loop ends. What only
    /// looks like a loop is taken in and set aside, which ends it too.
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
        let first = self.thread(&mut tx, tenant, letter).await?;
        // Whoever answers need not say a keyword again.
        let is_wanted = first.is_some() || source.wants([letter.title.as_str(), letter.full_words()]);
        if let Some(kind) = letter.machine.or((!is_wanted).then_some(Kind::NotWanted)) {
            record.kind = kind as i16;
            self.write_down(tx, tenant, &record).await?;
            tracing::info!(%tenant, source = source.id, kind = kind.name(), "a mail was written down and becomes nothing");
            return Ok(kind);
        }
        let since = record.time.saturating_sub(REPEATS_WITHIN).unwrap_or(record.time);
        let (same, alike) = store::repeats(&mut tx, tenant, &record, since).await?;
        let is_loop = same >= repeats || alike >= repeats.saturating_mul(ALIKE);
        tx.commit().await?;

        let mut asked = convert::asked(tenant, &source, letter, record.time).map_err(Refusal::invalid)?;
        let caller = Caller::recognised(source.subject(), tenant);
        convert::describe(&mut asked, letter.description_without(&[]));
        // Bound to nothing but the id: that is of all that the mail says.
        let id = secret::to_text(&record.delivery);
        let repeat = channel::convert::repeatable(tenant, &caller, &id, &[])?;
        let known = match self.foresee_mail(&caller, &asked, letter, &repeat).await {
            Err(refusal) if is_about_contact(&refusal) => {
                asked = convert::without_contact(asked);
                self.foresee_mail(&caller, &asked, letter, &repeat).await
            }
            known => known,
        }?;
        let taken = match known {
            Some(taken) => taken,
            None => {
                let mut lost = evidence::keep(self, tenant, &caller.subject, &letter.files, &mut asked).await?;
                if let Some(whole) = &letter.whole {
                    // Masked, for a file is handed out as it is.
                    let file = [domain::text_file(mask(whole))];
                    lost.extend(evidence::keep(self, tenant, &caller.subject, &file, &mut asked).await?);
                }
                convert::describe(&mut asked, letter.description_without(&lost));
                feedback::api::take(self, &caller, asked, Some(repeat), LANGUAGE, is_loop).await?
            }
        };

        let id = name::stored_uuid(&taken.name)?;
        let kind = match first {
            _ if is_loop => Kind::Loop,
            Some(_) => Kind::FollowUp,
            None => Kind::Feedback,
        };
        (record.kind, record.feedback, record.thread_of) = (kind as i16, Some(id), first);
        let tx = self.ledger.database.tenant(tenant).await?;
        self.write_down(tx, tenant, &record).await?;
        Ok(kind)
    }

    /// The answer that the mail's request got before, where it did, or what is wrong about it.
    async fn foresee_mail(
        &self,
        caller: &Caller,
        asked: &channel::convert::Asked,
        letter: &Letter,
        repeat: &Repeatable,
    ) -> Result<Option<channel::convert::Taken>, Refusal> {
        let violations = channel::convert::violations(asked);
        if !violations.is_empty() {
            return Err(Refusal::invalid(violations));
        }
        let files = letter.files.len() + usize::from(letter.whole.is_some());
        feedback::api::foresee(self, caller, asked.clone(), files, repeat, LANGUAGE).await
    }

    async fn write_down(&self, mut tx: Transaction, tenant: &Tenant, record: &Record<'_>) -> Result<(), Refusal> {
        store::put(&mut tx, tenant, record).await?;
        self.prune_mails_later(&mut tx, tenant).await?;
        tx.commit().await
    }

    async fn prune_mails_later(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
        let due = self.ledger.clock.now() + PRUNE_EVERY;
        screening::store::prune_later(tx, tenant, PRUNE, due).await
    }

    /// Forgets mails that came long ago.
    pub(crate) async fn prune_mails(&self, tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
        let before = |age| self.ledger.clock.now().saturating_sub(age).unwrap_or(Timestamp::MIN);
        if store::prune(tx, tenant, before(KEPT), before(KEPT_WITHOUT_FEEDBACK)).await? {
            self.prune_mails_later(tx, tenant).await?;
        }
        Ok(())
    }

    /// What is written down of a mail: hashes that only holders of the vault's key can make.
    fn record<'r>(&self, tenant: &Tenant, source: &'r str, letter: &Letter) -> Record<'r> {
        let hash = |of: &str, parts: &[&[u8]]| {
            self.vault
                .keyed_hash(&[&[of.as_bytes(), tenant.key().as_bytes()], parts].concat())
        };
        let (bare, content) = (letter.bare_words(), letter.content());
        let content: Vec<&[u8]> = content.iter().map(Vec::as_slice).collect();
        let date = letter.date.map(|date| date.to_string()).unwrap_or_default();
        let (message, sender) = (letter.message_id.as_bytes(), letter.sender.as_bytes());
        Record {
            source,
            // Without a Message-ID the date and what it says tell it from another mail.
            delivery: hash(
                "mail delivery",
                &[&[message, sender, date.as_bytes()], content.as_slice()].concat(),
            ),
            content: hash("mail content", &content),
            message: hash("mail message", &[message]),
            sender: hash("mail sender", &[sender]),
            words: hash("mail words", &[bare.as_bytes()]),
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
    [
        Kind::FollowUp,
        Kind::Automatic,
        Kind::Report,
        Kind::Loop,
        Kind::NotWanted,
    ]
    .into_iter()
    .find(|known| *known as i16 == kind)
    .unwrap_or(Kind::Feedback)
}

/// True where nothing but the address is wrong: mail comes from addresses that no form would take.
fn is_about_contact(refusal: &Refusal) -> bool {
    let mut fields = refusal.violations().iter().map(|(field, _)| field.as_str()).peekable();
    fields.peek().is_some() && fields.all(|field| field.starts_with("feedback.contact"))
}
