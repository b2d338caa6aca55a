//! The rules of uploaded files: what they are called, what they are, which of them are taken, and what is left of an upload
//! that broke.

use std::ops::Range;

use encoding_rs::GB18030;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use uuid::Uuid;

/// SHA-256 of some bytes.
pub(crate) type Sha256 = [u8; 32];

/// So many bytes at the beginning of a file tell what it is.
pub(crate) const HEAD_BYTES: usize = 8 << 10;
/// So many at its end tell it of an archive: as many as hold the directory of a document with some hundred parts.
pub(crate) const TAIL_BYTES: usize = 64 << 10;
/// A file name has at most so many characters.
const NAME_CHARACTERS: usize = 120;
/// What a file is called that has no name left.
const NAMELESS: &str = "attachment";
/// The type of a file of which nobody knows what it is.
const UNKNOWN: &str = "application/octet-stream";
/// Kinds of text that no first bytes tell apart: the caller's word is taken.
const KINDS_OF_TEXT: &[&str] = &[
    "text/plain",
    "text/csv",
    "text/markdown",
    "text/calendar",
    "application/json",
];

/// What the scanner says of a file; the number is that of the wire and of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanState {
    Pending = 1,
    Clean = 2,
    Infected = 3,
    Unscanned = 4,
}

impl ScanState {
    /// The state of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        [Self::Pending, Self::Clean, Self::Infected, Self::Unscanned]
            .into_iter()
            .find(|state| *state as i32 == number)
    }
}

/// A file on its way in, as its caller opened it.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    /// As the caller has it.
    pub(crate) file_name: String,
    /// What the caller says that it is; may be empty.
    pub(crate) media_type: String,
    pub(crate) note: String,
    /// A feedback that it belongs to from the beginning.
    pub(crate) feedback: Option<Uuid>,
    /// What must arrive.
    pub(crate) sha256: Option<Sha256>,
}

/// An uploaded file as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) id: Uuid,
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    pub(crate) file_name: String,
    pub(crate) media_type: String,
    pub(crate) note: String,
    pub(crate) feedback: Option<Uuid>,
    pub(crate) scan_state: ScanState,
    /// What the scanner found; empty where nothing.
    pub(crate) signature: String,
    pub(crate) author: String,
    pub(crate) create_time: Timestamp,
}

/// What a file is called: the last part of a path, without characters that a file system, a terminal or a reader could be
/// fooled with; its extension is kept where the name is cut.
pub(crate) fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|c| !c.is_control() && !turns_text(*c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    let plain = plain.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if plain.is_empty() {
        return NAMELESS.to_owned();
    }
    if plain.chars().count() <= NAME_CHARACTERS {
        return plain.to_owned();
    }
    let extension = plain
        .rsplit_once('.')
        .map(|(_, extension)| extension)
        .filter(|extension| {
            (1..=10).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    let kept = NAME_CHARACTERS - extension.map_or(0, |extension| extension.len() + 1);
    let mut cut: String = plain.chars().take(kept).collect();
    if let Some(extension) = extension {
        cut.push('.');
        cut.push_str(extension);
    }
    cut
}

/// Characters without a width that change how others read: `gpj.exe` can look like `exe.jpg` with them.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Documents of Office: the folder of their own in the archive that they are, and the MIME type.
const OFFICE: [(&[u8], &str); 3] = [
    (
        b"word/",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        b"xl/",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        b"ppt/",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
];
/// Documents of older Office: how their names end, and the MIME type. All begin as [`OLE`].
const OLD_OFFICE: [(&str, &str); 3] = [
    (".doc", "application/msword"),
    (".xls", "application/vnd.ms-excel"),
    (".ppt", "application/vnd.ms-powerpoint"),
];
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// How an entry of a ZIP archive begins, and one of its directory, which stands at its end; how far behind that the name stands.
const ENTRY: (&[u8], usize) = (b"PK\x03\x04", 30);
const IN_DIRECTORY: (&[u8], usize) = (b"PK\x01\x02", 46);

/// True where the last bytes of a file say more of what it is than the first.
pub(crate) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(ENTRY.0)
}

/// The MIME type of a file by its first bytes, and by its last ones ([`is_archive`]); what is said of it, its name among that, decides
/// between kinds of text and between documents of older Office alone.
pub(crate) fn media_type(head: &[u8], tail: &[u8], declared: &str, file_name: &str) -> String {
    if is_archive(head)
        && let Some(document) = office(head, ENTRY).or_else(|| office(tail, IN_DIRECTORY))
    {
        return document.to_owned();
    }
    if head.starts_with(OLE) {
        let name = file_name.to_ascii_lowercase();
        let said = |(end, kind): &&(&str, &str)| *kind == declared || name.ends_with(end);
        if let Some((_, kind)) = OLD_OFFICE.iter().find(said) {
            return (*kind).to_owned();
        }
    }
    if let Some(kind) = infer::get(head) {
        return kind.mime_type().to_owned();
    }
    if !is_text(head) {
        return UNKNOWN.to_owned();
    }
    KINDS_OF_TEXT
        .iter()
        .find(|kind| **kind == declared)
        .unwrap_or(&KINDS_OF_TEXT[0])
        .to_string()
}

/// The document whose folder one of the entries lies in.
fn office(bytes: &[u8], (mark, to_name): (&[u8], usize)) -> Option<&'static str> {
    let entries = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(mark));
    let names = entries.filter_map(|at| bytes.get(at + to_name..));
    let documents = names.filter_map(|name| OFFICE.iter().find(|(folder, _)| name.starts_with(folder)));
    documents.map(|(_, kind)| *kind).next()
}

/// UTF-8 or GB 18030 without control characters; the last character may be cut.
fn is_text(head: &[u8]) -> bool {
    let is_plain = |text: &str| {
        let is_odd = |c: char| c.is_control() && !"\t\n\r\u{c}".contains(c);
        !text.is_empty() && !text.contains(is_odd)
    };
    match std::str::from_utf8(head) {
        Ok(text) => is_plain(text),
        Err(error) if error.error_len().is_none() => {
            is_plain(std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default())
        }
        Err(_) => {
            // A character has at most four bytes. Those that are nobody's stand in no text.
            let mut cut = (0..4).filter_map(|cut| head.get(..head.len().checked_sub(cut)?));
            let text = cut.find_map(|head| GB18030.decode_without_bom_handling_and_without_replacement(head));
            text.is_some_and(|text| is_plain(&text) && !text.contains(|c| matches!(c, '\u{e000}'..='\u{f8ff}')))
        }
    }
}

/// True where files of this type are taken: `image/*` is every image.
pub(crate) fn is_taken(types: &[String], media_type: &str) -> bool {
    types.iter().any(|pattern| match pattern.strip_suffix("/*") {
        Some(kind) => media_type.split('/').next() == Some(kind),
        None => pattern == media_type,
    })
}

/// Which bytes of a file are wanted; `None` where they begin beyond its end. A `length` of 0 is the rest.
pub(crate) fn range(size: u64, offset: u64, length: u64) -> Option<Range<u64>> {
    if offset >= size {
        return None;
    }
    let end = if length == 0 {
        size
    } else {
        offset.saturating_add(length).min(size)
    };
    Some(offset..end)
}

/// The day of a moment in UTC, as YYYYMMDD.
pub(crate) fn day(at: Timestamp) -> i32 {
    crate::feedback::domain::day(at, &TimeZone::UTC)
}

/// Where the bytes of an upload lie in the object store. The id says when it began.
pub(crate) fn object(tenant: &str, upload: Uuid) -> String {
    format!("{tenant}/{upload}")
}

/// The tenant and the upload of an object, or of a part of one that is not whole yet (`…#1`); `None` where it is none of ours.
pub(crate) fn of_object(object: &str) -> Option<(&str, Uuid)> {
    let (tenant, upload) = object.split_once('/')?;
    let upload = upload.split('#').next()?;
    Some((tenant, Uuid::try_parse(upload).ok()?))
}

/// True where an upload began so long ago that it has ended one way or another.
pub(crate) fn is_over(upload: Uuid, now: Timestamp, longest: SignedDuration) -> bool {
    let began = upload.get_timestamp().and_then(|began| {
        let (seconds, nanoseconds) = began.to_unix();
        Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
    });
    // An id without a time is none of our making.
    began.is_some_and(|began| now.duration_since(began) > longest)
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
