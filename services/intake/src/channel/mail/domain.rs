//! What a mail is, and what it says. Pure: bytes in, a letter out.

use std::{borrow::Cow, sync::LazyLock};

use bytes::Bytes;
use encoding_rs::GB18030;
use huiyin_chassis::secret;
use jiff::Timestamp;
use mail_parser::{
    Address, Encoding, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders as _, PartType,
    decoders::{
        base64::base64_decode, charsets::map::charset_decoder, html::html_to_text,
        quoted_printable::quoted_printable_decode,
    },
};
use regex::Regex;
use uuid::Uuid;

use super::domain_text::{Shape, Words, words};
use crate::channel::evidence::{File, Lost, MOST_FILES};

/// What our own mails and posts carry: how often something of ours sent them on; `0` or nothing is a person's.
pub(crate) const HOPS: &str = "X-Huiyin-Hops";
/// Ends the local part of the reference that our mails about a feedback carry: `<{id}.feedback@…>`.
const OURS: &str = ".feedback";
/// More servers than this lie between no two people (RFC 5321, 6.3).
const MOST_SERVERS: usize = 50;
/// Of a longer thread the last so many are looked up.
const MOST_REFERENCES: usize = 20;
/// Of a text more than this is not looked at; the description holds far less. Bytes.
const MOST_TEXT: usize = 1 << 20;
const MOST_TITLE: usize = 200;
const MOST_DESCRIPTION: usize = 20_000;
/// Stands where a description had to be cut.
const CUT: &str = "\n[…]";

/// Display numbers in subjects (001-13).
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bFB[0-9]{8}[0-9]{3,9}\b").ok());
/// What machines write before the subject.
static AUTOMATIC_SUBJECT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\s*(auto(matic)?[ -]?(reply|response|answer)|out of office( auto\S*)?|自动回复|自動回覆|自动答复|自動回應)\s*[:：]",
    )
    .ok()
});

/// What kind of mail it was; the number is that of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A case of its own.
    Feedback = 1,
    /// It goes on with an earlier one.
    FollowUp = 2,
    /// An answering machine wrote it (RFC 3834).
    Automatic = 3,
    /// It tells of the delivery of another mail (RFC 3464).
    Report = 4,
    /// Machines answer one another.
    Loop = 5,
    /// It says none of the source's keywords.
    NotWanted = 6,
}

impl Kind {
    /// As it is counted and logged.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Feedback => "FEEDBACK",
            Self::FollowUp => "FOLLOW_UP",
            Self::Automatic => "AUTOMATIC",
            Self::Report => "DELIVERY_REPORT",
            Self::Loop => "LOOP",
            Self::NotWanted => "NOT_WANTED",
        }
    }
}

/// A mail, understood. Not `Debug`: it holds what names a person.
pub(crate) struct Letter {
    /// Without its brackets; empty where it has none.
    pub(crate) message_id: String,
    /// The mails that it answers, the nearest last.
    pub(crate) references: Vec<String>,
    /// The address of its author in lower case; empty where it says none.
    pub(crate) sender: String,
    pub(crate) title: String,
    /// Its new words.
    pub(crate) words: String,
    /// When it was written, as it says.
    pub(crate) date: Option<Timestamp>,
    /// What a machine wrote, and which kind of machine.
    pub(crate) machine: Option<Kind>,
    /// Those beyond [`MOST_FILES`] by name alone.
    pub(crate) files: Vec<File>,
    /// The words in full, where some were cut, or they are more than a description holds.
    pub(crate) whole: Option<String>,
}

/// A mail whose parts are dropped one after the other: one in another in another, a million times, would be as many calls deep.
struct Whole<'m>(Message<'m>);

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        let mut parts = std::mem::take(&mut self.0.parts);
        while let Some(part) = parts.pop() {
            if let PartType::Message(mut inner) = part.body {
                parts.append(&mut inner.parts);
            }
        }
    }
}

/// Understands a mail; `None` where it is none.
pub(crate) fn letter(raw: &[u8], return_path: &str) -> Option<Letter> {
    let message = Whole(MessageParser::default().parse(raw)?);
    let message = &message.0;
    let title = cut(one_line(&subject(message)), MOST_TITLE, "…");
    let mut references = Vec::new();
    for header in [message.references(), message.in_reply_to()] {
        ids(header, &mut references);
    }
    let later = references.len().saturating_sub(MOST_REFERENCES);
    references.drain(..later);
    let Words { new, uncut } = words(&text(message), Shape::of(&title, !references.is_empty()));
    Some(Letter {
        message_id: message.message_id().unwrap_or_default().to_owned(),
        references,
        sender: author(message.from()),
        whole: uncut.or_else(|| (new.chars().count() > MOST_DESCRIPTION).then(|| new.clone())),
        words: cut(new, MOST_DESCRIPTION, CUT),
        date: message
            .date()
            .and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        machine: machine(message, return_path, &title),
        files: files(message),
        title,
    })
}

/// What a mail says in full, as a file beside its description.
pub(crate) fn text_file(words: String) -> File {
    File {
        name: "mail.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: words.into(),
    }
}

impl Letter {
    /// What it says; the subject where it says nothing more, nothing where it says nothing at all.
    pub(crate) fn description(&self) -> &str {
        if self.words.is_empty() {
            &self.title
        } else {
            &self.words
        }
    }

    /// The same, and below it which files are not kept, for whoever reads it must know.
    pub(crate) fn description_without(&self, lost: &[Lost]) -> String {
        let mut note = String::new();
        for Lost { name, problem } in lost {
            note.push_str(&format!("\n[{name}: {problem}]"));
        }
        if self.description().is_empty() {
            // Nothing but files: what they are called is all that it says.
            let kept = self
                .files
                .iter()
                .filter(|file| lost.iter().all(|lost| lost.name != file.name));
            kept.for_each(|file| note.push_str(&format!("\n[{}]", file.name)));
        }
        let note = cut(note, MOST_DESCRIPTION / 4, "…");
        let rest = MOST_DESCRIPTION - note.chars().count();
        (cut(self.description().to_owned(), rest, CUT) + &note)
            .trim()
            .to_owned()
    }

    /// The words, with what of them stands in no description.
    pub(crate) fn full_words(&self) -> &str {
        self.whole.as_deref().unwrap_or(&self.words)
    }

    /// All that it says, subject and files too: where all of it is the same it is the same mail, or the same said again.
    pub(crate) fn content(&self) -> Vec<Vec<u8>> {
        let mut content = vec![self.title.as_bytes().to_vec(), self.full_words().as_bytes().to_vec()];
        for file in &self.files {
            content.push(file.name.as_bytes().to_vec());
            content.push(secret::hash(&file.bytes).to_vec());
        }
        content
    }

    /// The words without what a machine changes from one answer to the next: numbers, dates, spaces.
    pub(crate) fn bare_words(&self) -> String {
        let letters = self.description().chars().filter(|c| c.is_alphabetic());
        letters.flat_map(char::to_lowercase).collect()
    }

    /// The feedbacks that our own mails in the thread were about, the nearest last. Nobody guesses such an id.
    pub(crate) fn named_feedbacks(&self) -> Vec<Uuid> {
        self.references
            .iter()
            .filter_map(|reference| reference.split_once('@')?.0.strip_suffix(OURS)?.parse().ok())
            .collect()
    }

    /// The display number in the subject.
    pub(crate) fn number(&self) -> Option<&str> {
        NUMBER.as_ref()?.find(&self.title).map(|found| found.as_str())
    }
}

/// Which kind of machine wrote it, if one did.
fn machine(message: &Message<'_>, return_path: &str, title: &str) -> Option<Kind> {
    let header = |name: &'static str| message.header_raw(name).map(|value| value.trim().to_ascii_lowercase());
    let first = |value: &str| {
        let end = value.find(|c: char| c == ';' || c == '(' || c == ',' || c.is_whitespace());
        value[..end.unwrap_or(value.len())].to_owned()
    };
    let hops = header(HOPS).map(|hops| hops.parse::<u32>().unwrap_or(u32::MAX));
    let servers = message
        .headers()
        .iter()
        .filter(|header| header.name.as_str().eq_ignore_ascii_case("received"));
    if hops.is_some_and(|hops| hops > 0) || servers.count() > MOST_SERVERS {
        return Some(Kind::Loop);
    }
    let is_report = message.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|sub| sub.eq_ignore_ascii_case("report"))
    });
    let author = author(message.from());
    let from_server = ["mailer-daemon@", "postmaster@"]
        .iter()
        .any(|server| author.starts_with(server));
    if is_report || from_server {
        return Some(Kind::Report);
    }
    let submitted = header("Auto-Submitted").is_some_and(|value| first(&value) != "no");
    // Of other precedences (`list`, `bulk`) and of X-Auto-Response-Suppress RFC 3834 says no more than that no machine shall answer:
    // people write such mails too.
    let precedence = header("Precedence").is_some_and(|value| first(&value) == "auto_reply");
    let marked = ["X-Autoreply", "X-Autorespond", "X-Autoresponder"]
        .into_iter()
        .any(|name| header(name).is_some_and(|value| value != "no"));
    let said = AUTOMATIC_SUBJECT
        .as_ref()
        .is_some_and(|subject| subject.is_match(title));
    let is_automatic = return_path.is_empty() || submitted || precedence || marked || said;
    is_automatic.then_some(Kind::Automatic)
}

fn author(from: Option<&Address<'_>>) -> String {
    from.and_then(Address::first)
        .and_then(|author| author.address.as_deref())
        .map(|address| address.trim().to_lowercase())
        .unwrap_or_default()
}

/// The ids in a header; mail readers write all sorts of things there.
fn ids(header: &HeaderValue<'_>, into: &mut Vec<String>) {
    let mut add = |text: &str| {
        let parts = text.split(|c: char| c.is_whitespace() || c == '<' || c == '>' || c == ',');
        into.extend(parts.filter(|id| id.contains('@')).map(str::to_owned));
    };
    match header {
        HeaderValue::Text(text) => add(text),
        HeaderValue::TextList(texts) => texts.iter().for_each(|text| add(text)),
        _ => {}
    }
}

/// The text for people: that of the plain parts; of a part in HTML, without its marks.
fn text(message: &Message<'_>) -> String {
    let mut text = String::new();
    for index in 0..message.text_body_count() {
        if text.len() >= MOST_TEXT {
            break;
        }
        let guessed = u32::try_from(index)
            .ok()
            .and_then(|index| guessed(message, message.text_part(index)?));
        if let Some(part) = guessed.map(Cow::Owned).or_else(|| message.body_text(index)) {
            if !text.is_empty() {
                text.push('\n');
            }
            let end = part.floor_char_boundary(MOST_TEXT - text.len().min(MOST_TEXT));
            text.push_str(&part[..end]);
        }
    }
    text
}

/// The subject; where its bytes are no UTF-8, read as [`guessed`] reads a text.
fn subject<'m>(message: &'m Message<'_>) -> Cow<'m, str> {
    let subject = message
        .headers()
        .iter()
        .rfind(|header| header.name.as_str().eq_ignore_ascii_case("subject"));
    let raw = subject.and_then(|header| {
        message
            .raw_message
            .get(header.offset_start as usize..header.offset_end as usize)
    });
    match raw.filter(|raw| std::str::from_utf8(raw).is_err()).and_then(gb18030) {
        Some(subject) => Cow::Owned(subject),
        None => Cow::Borrowed(message.subject().unwrap_or_default()),
    }
}

/// The text of a part that names no character set that is known, and is no UTF-8: Chinese then, where its bytes say so.
fn guessed(message: &Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    let is_html = match &part.body {
        PartType::Text(text) if text.contains(char::REPLACEMENT_CHARACTER) => false,
        PartType::Html(html) if html.contains(char::REPLACEMENT_CHARACTER) => true,
        _ => return None,
    };
    let named = part.content_type().and_then(|kind| kind.attribute("charset"));
    if named.is_some_and(|named| {
        named.to_ascii_lowercase().starts_with("utf") || charset_decoder(named.as_bytes()).is_some()
    }) {
        return None;
    }
    let raw = message
        .raw_message
        .get(part.offset_body as usize..part.offset_end as usize)?;
    let text = match part.encoding {
        Encoding::None => gb18030(raw),
        Encoding::QuotedPrintable => gb18030(&quoted_printable_decode(raw)?),
        Encoding::Base64 => gb18030(&base64_decode(raw)?),
    }?;
    Some(if is_html { html_to_text(&text) } else { text })
}

/// Bytes of the Chinese character sets, each of which GB 18030 holds; `None` where one of them is none.
fn gb18030(bytes: &[u8]) -> Option<String> {
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.into_owned())
}

fn files(message: &Message<'_>) -> Vec<File> {
    let file = |(index, part): (usize, &MessagePart<'_>)| {
        let kind = part.content_type();
        let declared = kind.map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")));
        File {
            name: one_line(part.attachment_name().unwrap_or_default()),
            media_type: declared.unwrap_or_default().to_ascii_lowercase(),
            bytes: match &part.body {
                _ if index >= MOST_FILES => Bytes::new(),
                PartType::Message(inner) => Bytes::copy_from_slice(inner.raw_message()),
                _ => Bytes::copy_from_slice(part.contents()),
            },
        }
    };
    message.attachments().enumerate().map(file).collect()
}

fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// No more than `most` characters; what was cut is said.
fn cut(text: String, most: usize, mark: &str) -> String {
    match text.char_indices().nth(most) {
        None => text,
        Some(_) => {
            let kept: String = text.chars().take(most - mark.chars().count()).collect();
            kept + mark
        }
    }
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
