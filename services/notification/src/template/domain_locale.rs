//! Languages: how a tag is written, and which of those that there are is nearest to one that is wanted.

/// Written to where no language is near.
pub(crate) const LAST_RESORT: &str = "zh-cn";

/// The tag as BCP 47 writes it: `zh-cn` → `zh-CN`, `zh-hant-tw` → `zh-Hant-TW`.
pub(crate) fn canonical(tag: &str) -> String {
    let written = tag
        .split('-')
        .enumerate()
        .map(|(place, part)| match (place, part.len()) {
            (0, _) => part.to_ascii_lowercase(),
            (_, 2) => part.to_ascii_uppercase(),
            (_, 4) if part.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
                first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
            }
            _ => part.to_ascii_lowercase(),
        });
    written.collect::<Vec<_>>().join("-")
}

/// The one of `available` (lower case) that is nearest to `wanted`: the same, else a wider one, else the same language in the
/// same script, else the same language, else [`LAST_RESORT`].
pub(crate) fn nearest<'a>(wanted: &str, available: &[&'a str]) -> &'a str {
    let wanted = wanted.to_ascii_lowercase();
    let mut wider = wanted.as_str();
    loop {
        if let Some(found) = available.iter().find(|tag| **tag == wider) {
            return found;
        }
        match wider.rsplit_once('-') {
            Some((shorter, _)) => wider = shorter,
            None => break,
        }
    }
    let related = |tag: &&&str| language(tag) == language(&wanted);
    let mut related: Vec<&&str> = available.iter().filter(related).collect();
    related.sort_unstable();
    let same_script = related
        .iter()
        .find(|tag| is_traditional(tag) == is_traditional(&wanted));
    same_script.or(related.first()).map_or(LAST_RESORT, |found| **found)
}

fn language(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// Chinese in traditional characters, said by script or by region.
fn is_traditional(tag: &str) -> bool {
    language(tag) == "zh" && tag.split('-').any(|part| matches!(part, "hant" | "tw" | "hk" | "mo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_taken() {
        let built_in = ["en", "zh-cn", "zh-tw"];
        for (wanted, found) in [
            ("zh-CN", "zh-cn"),
            ("zh", "zh-cn"),
            ("zh-Hans-SG", "zh-cn"),
            ("zh-TW", "zh-tw"),
            ("zh-HK", "zh-tw"),
            ("zh-Hant", "zh-tw"),
            ("en-GB", "en"),
            ("fr", "zh-cn"),
            ("", "zh-cn"),
        ] {
            assert_eq!(nearest(wanted, &built_in), found, "{wanted}");
        }
        assert_eq!(nearest("fr-CA", &["en", "fr", "fr-fr"]), "fr");
        assert_eq!(nearest("fr-CA", &["en", "fr-fr"]), "fr-fr");
    }

    #[test]
    fn tags_are_written_as_bcp_47_does() {
        for (tag, written) in [
            ("zh-cn", "zh-CN"),
            ("ZH-hant-tw", "zh-Hant-TW"),
            ("en", "en"),
            ("de-1996", "de-1996"),
        ] {
            assert_eq!(canonical(tag), written);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_tag_finds_one_of_those_that_there_are(wanted in "[a-zA-Z0-9-]{0,35}") {
            let built_in = ["en", "zh-cn", "zh-tw"];
            proptest::prop_assert!(built_in.contains(&nearest(&wanted, &built_in)));
        }
    }
}
