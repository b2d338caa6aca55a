//! Tests of what files are called and are.

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

/// As Office and its like write them: entries in an order of their own, the directory at the end.
fn archive(names: &[(&str, usize)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, size) in names {
        let header = |mark: &[u8], length: usize| [mark, &vec![0; length - mark.len()]].concat();
        file.extend([header(ENTRY.0, ENTRY.1).as_slice(), name.as_bytes(), &vec![7; *size]].concat());
        directory.extend([header(IN_DIRECTORY.0, IN_DIRECTORY.1).as_slice(), name.as_bytes()].concat());
    }
    [file.as_slice(), &directory, b"PK\x05\x06"].concat()
}

/// 000-24: what customers write with, as it is, and an archive that is none of it.
#[test]
fn documents_of_office_are_told_by_what_lies_in_them() {
    let kind = |file: &[u8], declared: &str, name: &str| {
        let (head, tail) = (
            &file[..file.len().min(HEAD_BYTES)],
            &file[file.len().saturating_sub(TAIL_BYTES)..],
        );
        media_type(head, tail, declared, name)
    };
    let [word, excel, slides] = OFFICE.map(|(_, kind)| kind);
    for (names, expected) in [
        (
            [
                ("[Content_Types].xml", 1500),
                ("_rels/.rels", 700),
                ("word/document.xml", 9000),
            ],
            word,
        ),
        // WPS; a thumbnail first; a long row of others first.
        (
            [
                ("docProps/app.xml", 400),
                ("docProps/core.xml", 400),
                ("xl/workbook.xml", 900),
            ],
            excel,
        ),
        (
            [
                ("docProps/thumbnail.jpeg", 90_000),
                ("[Content_Types].xml", 900),
                ("ppt/presentation.xml", 90_000),
            ],
            slides,
        ),
        ([("a.txt", 10), ("words/a", 10), ("b/word/a", 10)], "application/zip"),
    ] {
        assert_eq!(kind(&archive(&names), "", ""), expected, "{names:?}");
    }
    let old = [OLE, &[0; 9000]].concat();
    assert_eq!(kind(&old, "application/octet-stream", "投诉.DOC"), "application/msword");
    assert_eq!(kind(&old, "application/vnd.ms-excel", ""), "application/vnd.ms-excel");
    assert!(
        !OLD_OFFICE
            .iter()
            .any(|(_, office)| *office == kind(&old, "", "setup.msi"))
    );
    assert_eq!(kind(&[7; 9000], "application/msword", "a.doc"), UNKNOWN);
    let chinese = GB18030.encode("型号,问题\r\nX1,漏水\r\n").0.repeat(800);
    assert_eq!(kind(&chinese, "text/csv", "a.csv"), "text/csv");
    assert_eq!(kind(&chinese[..3], "", ""), "text/plain", "cut within a character");
}

#[test]
fn the_bytes_say_what_a_file_is() {
    let media_type = |head: &[u8], declared: &str| media_type(head, &[], declared, "");
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
        prop_assert!(media_type(&head, &head, &declared, &declared).contains('/'));
    }
}
