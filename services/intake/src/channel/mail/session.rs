//! The talk with a mail server: LMTP (RFC 2033) or SMTP (RFC 5321), one mail after the other. 250 is said after the commit; what
//! may go well later is answered 4xx, what never will 5xx.

use std::{collections::HashMap, sync::Arc, time::Duration};

use huiyin_chassis::{Refusal, Shutdown};
use smtp_proto::{
    Request,
    request::receiver::{DataReceiver, DummyDataReceiver},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{Mailbox, service::Incoming};
use crate::{channel::meters::Meters, room::Room};

/// A command may be this long (RFC 5321 says 512, extensions add to it). Bytes.
const LONGEST_COMMAND: u64 = 4096;
const MOST_RECIPIENTS: usize = 100;
/// A peer that says so much that nobody understands is left.
const MOST_MISTAKES: u32 = 20;

/// What holds for every talk.
pub(crate) struct Rules {
    pub(crate) is_lmtp: bool,
    pub(crate) host: String,
    /// By address in lower case.
    pub(crate) mailboxes: HashMap<String, Mailbox>,
    pub(crate) message_bytes: usize,
    pub(crate) timeout: Duration,
    pub(crate) repeats: i64,
    pub(crate) meters: Meters,
}

/// One connection.
pub(crate) struct Session {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    room: Arc<Room>,
    rules: Arc<Rules>,
    shutdown: Shutdown,
    greeted: bool,
    /// The return path of the mail that is under way; empty for none to return to.
    from: Option<String>,
    to: Vec<Mailbox>,
    mistakes: u32,
}

/// Whether the talk goes on.
enum Next {
    GoOn,
    End,
}

impl Session {
    pub(crate) fn new(stream: TcpStream, room: Arc<Room>, rules: Arc<Rules>, shutdown: Shutdown) -> Self {
        let (read, write) = stream.into_split();
        Self {
            read: BufReader::new(read),
            write,
            room,
            rules,
            shutdown,
            greeted: false,
            from: None,
            to: Vec::new(),
            mistakes: 0,
        }
    }

    /// Talks until the peer ends, is silent for too long, or the service stops.
    pub(crate) async fn run(mut self) -> std::io::Result<()> {
        let greeting = format!(
            "220 {} {}",
            self.rules.host,
            if self.rules.is_lmtp { "LMTP" } else { "ESMTP" }
        );
        self.say(&greeting).await?;
        loop {
            let shutdown = self.shutdown.clone();
            let line = tokio::select! {
                biased;
                () = shutdown.requested() => return self.say("421 4.3.2 the service stops").await,
                line = tokio::time::timeout(self.rules.timeout, self.line()) => line,
            };
            let Ok(line) = line else {
                return self.say("421 4.4.2 nothing was said for too long").await;
            };
            let Some(line) = line? else { return Ok(()) };
            if let Next::End = self.obey(&line).await? {
                return Ok(());
            }
            if self.mistakes > MOST_MISTAKES {
                return self.say("421 4.7.0 too many mistakes").await;
            }
        }
    }

    /// The next command; `None` at the end of the connection.
    async fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.read)
            .take(LONGEST_COMMAND)
            .read_until(b'\n', &mut line)
            .await?;
        Ok((!line.is_empty()).then_some(line))
    }

    async fn say(&mut self, answer: &str) -> std::io::Result<()> {
        let said = async {
            self.write.write_all(answer.as_bytes()).await?;
            self.write.write_all(b"\r\n").await?;
            self.write.flush().await
        };
        match tokio::time::timeout(self.rules.timeout, said).await {
            Ok(said) => said,
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }

    async fn mistake(&mut self, answer: &str) -> std::io::Result<Next> {
        self.mistakes += 1;
        self.say(answer).await?;
        Ok(Next::GoOn)
    }

    async fn obey(&mut self, line: &[u8]) -> std::io::Result<Next> {
        if !line.ends_with(b"\n") {
            // The rest of it would be read as commands.
            self.say("500 5.5.2 the line is too long").await?;
            return Ok(Next::End);
        }
        let Ok(request) = Request::parse(&mut line.iter()) else {
            return self.mistake("500 5.5.2 not understood").await;
        };
        let lmtp = self.rules.is_lmtp;
        match request {
            Request::Lhlo { .. } if lmtp => self.greet().await?,
            Request::Ehlo { .. } if !lmtp => self.greet().await?,
            Request::Helo { .. } if !lmtp => {
                self.greeted = true;
                self.forget();
                let answer = format!("250 {}", self.rules.host);
                self.say(&answer).await?;
            }
            Request::Lhlo { .. } | Request::Ehlo { .. } | Request::Helo { .. } => {
                let answer = if lmtp {
                    "500 5.5.1 this is LMTP: say LHLO"
                } else {
                    "500 5.5.1 this is SMTP: say EHLO"
                };
                return self.mistake(answer).await;
            }
            Request::Mail { from } => {
                if !self.greeted {
                    return self.mistake("503 5.5.1 say who you are first").await;
                }
                if from.size > self.rules.message_bytes {
                    return self.mistake("552 5.3.4 the mail is too large").await;
                }
                self.forget();
                self.from = Some(from.address.into_owned());
                self.say("250 2.1.0 go on").await?;
            }
            Request::Rcpt { to } => return self.recipient(&to.address).await,
            Request::Data => return self.data().await,
            Request::Rset => {
                self.forget();
                self.say("250 2.0.0 forgotten").await?;
            }
            Request::Noop { .. } => self.say("250 2.0.0 still here").await?,
            Request::Vrfy { .. } => self.say("252 2.1.5 send it and see").await?,
            Request::Quit => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::End);
            }
            _ => return self.mistake("502 5.5.1 not done here").await,
        }
        Ok(Next::GoOn)
    }

    async fn greet(&mut self) -> std::io::Result<()> {
        self.greeted = true;
        self.forget();
        let (host, size) = (&self.rules.host, self.rules.message_bytes);
        let answer = format!(
            "250-{host}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {size}"
        );
        self.say(&answer).await
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn recipient(&mut self, address: &str) -> std::io::Result<Next> {
        if self.from.is_none() {
            return self.mistake("503 5.5.1 say from whom it is first").await;
        }
        if self.to.len() >= MOST_RECIPIENTS {
            return self.mistake("452 4.5.3 too many recipients").await;
        }
        match self.rules.mailboxes.get(&address.to_lowercase()) {
            Some(mailbox) => {
                self.to.push(mailbox.clone());
                self.say("250 2.1.5 go on").await?;
                Ok(Next::GoOn)
            }
            None => self.mistake("550 5.1.1 no such mailbox").await,
        }
    }

    async fn data(&mut self) -> std::io::Result<Next> {
        let to = std::mem::take(&mut self.to);
        let Some(from) = self.from.take().filter(|_| !to.is_empty()) else {
            return self.mistake("503 5.5.1 say to whom it is first").await;
        };
        self.say("354 go on, and end with a dot").await?;
        let Some(raw) = self.body().await? else {
            // Of LMTP one answer for each recipient.
            for _ in 0..if self.rules.is_lmtp { to.len() } else { 1 } {
                self.say("552 5.3.4 the mail is too large").await?;
            }
            return Ok(Next::GoOn);
        };
        let incoming = Incoming::read(raw, from).await;
        let mut worst: Option<String> = None;
        for mailbox in &to {
            let answer = match &incoming {
                Ok(incoming) => self.take(mailbox, incoming).await,
                Err(refusal) => answer_to(refusal),
            };
            if self.rules.is_lmtp {
                self.say(&answer).await?;
            } else if worst.as_ref().is_none_or(|worst| rank(&answer) > rank(worst)) {
                worst = Some(answer);
            }
        }
        if let Some(answer) = worst {
            self.say(&answer).await?;
        }
        Ok(Next::GoOn)
    }

    /// Takes the mail in for one of its recipients.
    async fn take(&self, mailbox: &Mailbox, incoming: &Incoming) -> String {
        match self.room.receive(mailbox, incoming, self.rules.repeats).await {
            Ok(kind) => {
                self.rules.meters.came("mail", kind.name().to_owned());
                "250 2.0.0 taken".to_owned()
            }
            Err(refusal) => {
                let answer = answer_to(&refusal);
                self.rules
                    .meters
                    .came("mail", format!("{:?}", refusal.code()).to_uppercase());
                tracing::info!(source = mailbox.source, tenant = %mailbox.tenant, error = %refusal, "a mail was refused");
                answer
            }
        }
    }

    /// The mail; `None` where it is too large: then it was read to its end and is not kept.
    async fn body(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        const LINE: &[u8] = b"\r\n";
        // The line that ends the command may be the one before the dot that ends the mail.
        let (mut receiver, mut bytes) = (DataReceiver::new(), Vec::new());
        receiver.ingest(&mut LINE.iter(), &mut bytes);
        let mut ignored: Option<DummyDataReceiver> = None;
        loop {
            let chunk = tokio::time::timeout(self.rules.timeout, self.read.fill_buf()).await;
            let chunk = chunk.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
            if chunk.is_empty() {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let mut rest = chunk.iter();
            let is_all = match &mut ignored {
                None => receiver.ingest(&mut rest, &mut bytes),
                Some(ignored) => ignored.ingest(&mut rest),
            };
            let used = chunk.len() - rest.as_slice().len();
            self.read.consume(used);
            if ignored.is_none() && bytes.len() > self.rules.message_bytes + LINE.len() {
                ignored = Some(DummyDataReceiver::new_data(&receiver));
                bytes = Vec::new();
            }
            if is_all {
                bytes.drain(..LINE.len().min(bytes.len()));
                return Ok(ignored.is_none().then_some(bytes));
            }
        }
    }
}

/// A refusal as the mail server understands it: whether to come back, and one line for whoever wrote.
fn answer_to(refusal: &Refusal) -> String {
    use tonic::Code;
    match refusal.code() {
        Code::InvalidArgument | Code::AlreadyExists => {
            let line: String = refusal
                .to_string()
                .chars()
                .filter(|c| c.is_ascii_graphic() || *c == ' ')
                .collect();
            format!("554 5.6.0 {}", &line[..line.len().min(400)])
        }
        Code::FailedPrecondition | Code::PermissionDenied => "550 5.7.1 this mailbox takes nothing".to_owned(),
        // Also where we are at fault, or the mailbox leads to a source that is not there yet: the mail stays with the server until
        // that is mended.
        _ => "451 4.3.0 try again later".to_owned(),
    }
}

/// Of several answers SMTP hears one: whether to come back counts most, since what is taken already is known again.
fn rank(answer: &str) -> u8 {
    match answer.as_bytes().first() {
        Some(b'4') => 2,
        Some(b'5') => 1,
        _ => 0,
    }
}
