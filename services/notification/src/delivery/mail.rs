//! Mail: one message handed in over SMTP.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use huiyin_chassis::mask::mask;
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::{
        Mailbox, MessageBuilder,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::authentication::Credentials,
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::domain::{Failure, Outcome};
use crate::config::{MailConfig, MailTls};

/// Where mail is handed in.
#[derive(Clone)]
pub(crate) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// For the whole of an attempt.
    timeout: Duration,
}

/// What a mail says.
#[derive(Debug)]
pub(crate) struct Letter<'l> {
    /// That of the message: every attempt has the same, so that a server or reader can drop repeats.
    pub(crate) id: Uuid,
    pub(crate) to: &'l str,
    /// The name of the feedback that it is about.
    pub(crate) feedback: &'l str,
    pub(crate) subject: &'l str,
    pub(crate) body: String,
    pub(crate) time: Timestamp,
}

impl Mail {
    /// # Errors
    /// Where a setting does not hold.
    pub(crate) fn new(config: &MailConfig) -> anyhow::Result<Self> {
        let from: Mailbox = config.from.parse().context("mail.from")?;
        let builder = match config.tls {
            MailTls::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&config.host),
            MailTls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&config.host),
            MailTls::None => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)),
        };
        let timeout = Duration::from_millis(config.timeout_ms);
        let mut builder = builder.context("mail.host")?.timeout(Some(timeout));
        if let Some(port) = config.port {
            builder = builder.port(port);
        }
        if let Some(username) = &config.username {
            let password = config.password.as_ref().context("mail.password is missing")?;
            builder = builder.credentials(Credentials::new(username.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from,
            timeout,
        })
    }

    /// Hands in a mail.
    pub(crate) async fn send(&self, letter: Letter<'_>) -> Outcome {
        let Ok(to) = letter.to.parse::<Mailbox>() else {
            return Outcome::Refused(Failure::of("the customer's address is not one of mail"));
        };
        // Whoever answers sends it back, and intake knows which feedback they go on with. Nobody guesses the id.
        let about = letter
            .feedback
            .rsplit('/')
            .next()
            .filter(|id| Uuid::try_parse(id).is_ok());
        let builder = match about {
            Some(id) => MessageBuilder::new().references(format!("<{id}.feedback@{}>", self.from.email.domain())),
            None => MessageBuilder::new(),
        };
        let mail = builder
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .date(SystemTime::from(letter.time))
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            // Answering machines leave such a mail alone: no loop of automatic answers.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            // Should it come back all the same, intake knows it for one of ours.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("X-Huiyin-Hops"),
                "1".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body);
        let mail = match mail {
            Ok(mail) => mail,
            Err(error) => return Outcome::Refused(Failure::of(mask(&error.to_string()))),
        };
        let Ok(answer) = tokio::time::timeout(self.timeout, self.transport.send(mail)).await else {
            return Outcome::Failed(Failure::of("the mail server did not answer in time"));
        };
        match answer {
            Ok(response) => Outcome::Delivered {
                status_code: u16::from(response.code()).into(),
            },
            Err(error) => {
                let status_code = error.status().map_or(0, |code| u16::from(code).into());
                // Servers like to repeat the address that they refuse.
                let failure = Failure {
                    status_code,
                    error: mask(&whole(&error)),
                };
                if is_final(status_code) {
                    Outcome::Refused(failure)
                } else {
                    Outcome::Failed(failure)
                }
            }
        }
    }
}

/// True where the answer is about this recipient or this mail, so that it will be the same another time. Any other 5xx (530, 534,
/// 535, 538 of logging in; 554, with which servers greet whom they do not trust) may be about us: what an operator sets right must
/// not have killed everybody's mail until then.
fn is_final(status_code: i32) -> bool {
    matches!(status_code, 550..=553 | 555 | 556)
}

/// The error with its causes.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut parts: Vec<String> = causes.map(ToString::to_string).collect();
    parts.dedup();
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_the_recipient_or_the_mail_is_final() {
        for code in [550, 551, 552, 553, 555, 556] {
            assert!(is_final(code), "{code}");
        }
        for code in [
            0, 250, 421, 450, 451, 454, 500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 554,
        ] {
            assert!(!is_final(code), "{code}");
        }
    }
}
