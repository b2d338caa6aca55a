//! The rules of uploaded files: what they are called, what they are, which of them are taken, and what is left of an upload
//! that broke.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use uuid::Uuid;

/// SHA-256 of some bytes.
pub(crate) type Sha256 = [u8; 32];

/// So many bytes at the beginning of a file tell what it is.
pub(crate) const HEAD_BYTES: usize = 8 << 10;
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

/// The MIME type of a file by its first bytes; `declared` decides between kinds of text alone.
pub(crate) fn media_type(head: &[u8], declared: &str) -> String {
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

/// UTF-8 without control characters; the last character may be cut.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.contains(|c: char| c.is_control() && !"\t\n\r\u{c}".contains(c))
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn a_name_is_never_a_path_and_never_misleads() {
        for (given, kept) in [
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\li\截图.png", "截图.png"),
            ("..", "attachment"),
            ("", "attachment"),
            ("a\u{202e}gpj.exe", "agpj.exe"),
            ("a\0b\nc.txt", "abc.txt"),
            ("  .hidden ", "hidden"),
            ("was?<b>.pdf", "was__b_.pdf"),
        ] {
            assert_eq!(file_name(given), kept, "{given:?}");
        }
        let long = file_name(&format!("{}.jpeg", "长".repeat(300)));
        assert_eq!(long.chars().count(), NAME_CHARACTERS);
        assert!(long.ends_with("长.jpeg"));
    }

    #[test]
    fn the_bytes_say_what_a_file_is() {
        assert_eq!(media_type(PNG, "text/plain"), "image/png");
        assert_eq!(media_type(b"%PDF-1.7\n", "image/png"), "application/pdf");
        assert_eq!(media_type("型号,问题\n".as_bytes(), "text/csv"), "text/csv");
        // Cut within a character.
        assert_eq!(media_type(&"型号".as_bytes()[..4], ""), "text/plain");
        // A picture that can run scripts is a text to us, and is handed out as one.
        assert_eq!(media_type(b"<svg onload=alert(1)>", "image/svg+xml"), "text/plain");
        assert_eq!(media_type(b"\x01\x02\x03", "image/png"), UNKNOWN);
        assert_eq!(
            media_type(b"MZ\x90\0\x03\0\0\0\x04\0\0\0", "image/png")
                .split('/')
                .next(),
            Some("application")
        );
    }

    #[test]
    fn a_pattern_takes_every_type_of_its_kind() {
        let types = ["image/*".to_owned(), "application/pdf".to_owned()];
        assert!(is_taken(&types, "image/png") && is_taken(&types, "application/pdf"));
        assert!(!is_taken(&types, "imagex/png") && !is_taken(&types, "application/zip"));
    }

    #[test]
    fn an_upload_is_over_after_its_time_and_what_is_not_ours_never_is() {
        let began: Timestamp = "2026-03-02T01:00:00Z".parse().unwrap();
        let upload = huiyin_chassis::Clock::held(began).id();
        let hour = SignedDuration::from_hours(1);
        assert_eq!(of_object(&object("acme", upload)), Some(("acme", upload)));
        assert_eq!(
            of_object(&format!("{}#2", object("acme", upload))),
            Some(("acme", upload))
        );
        assert!(!is_over(upload, began + hour, hour));
        assert!(is_over(upload, began + hour + SignedDuration::from_millis(1), hour));
        assert!(!is_over(Uuid::from_u128(7), began, hour));
        assert_eq!(of_object("lost+found"), None);
    }

    proptest! {
        #[test]
        fn any_name_becomes_one_that_stays_as_it_is(given in any::<String>()) {
            let name = file_name(&given);
            prop_assert!(!name.is_empty() && name.chars().count() <= NAME_CHARACTERS);
            prop_assert!(!name.contains(['/', '\\', '\0']) && name != "." && name != "..");
            prop_assert!(!name.contains(|c: char| c.is_control() || turns_text(c)));
        }

        #[test]
        fn a_range_lies_within_the_file(size in 0u64..1000, offset in 0u64..2000, length in any::<u64>()) {
            match range(size, offset, length) {
                None => prop_assert!(offset >= size),
                Some(range) => {
                    prop_assert!(range.start == offset && range.end > range.start && range.end <= size);
                    prop_assert!(length == 0 || range.end - range.start <= length);
                }
            }
        }

        #[test]
        fn no_bytes_make_the_type_panic(head in prop::collection::vec(any::<u8>(), 0..600), declared in any::<String>()) {
            prop_assert!(media_type(&head, &declared).contains('/'));
        }
    }
}
