//! Real data beside the checkout, which is not part of it: tests that need it do without where it is not.

use std::path::{Path, PathBuf};

/// The file or folder `path` in `../shared/data`; `None`, and a line that says so, where there is no such data.
///
/// # Panics
/// The data is there, but not this file: the test names it wrongly.
pub fn shared_data(path: &str) -> Option<PathBuf> {
    // crates/testkit → the checkout → what is beside it.
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    find(&beside.join("shared/data"), path)
}

fn find(data: &Path, path: &str) -> Option<PathBuf> {
    if !data.is_dir() {
        eprintln!("skipped: no ../shared/data");
        return None;
    }
    let file = data.join(path);
    assert!(file.exists(), "../shared/data has no {path}");
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_data_there_is_none() {
        assert_eq!(find(Path::new("/no/such/folder"), "dev/any.jsonl"), None);
    }

    #[test]
    fn a_file_that_is_there_is_found() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(find(here, "Cargo.toml"), Some(here.join("Cargo.toml")));
    }

    #[test]
    #[should_panic(expected = "has no dev/misspelt.jsonl")]
    fn a_misspelt_file_does_not_skip_the_test() {
        find(Path::new(env!("CARGO_MANIFEST_DIR")), "dev/misspelt.jsonl");
    }
}
