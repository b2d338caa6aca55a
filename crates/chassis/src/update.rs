//! Which fields an update takes over, by its `update_mask`.

use prost_types::FieldMask;

use crate::error::Refusal;

/// Those of the mask, all with `*`, and without a mask those that are not empty.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'m>(Option<&'m [String]>);

impl<'m> Taken<'m> {
    /// The fields of a mask; `known` are those that can be changed.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `update_mask` for a path that is not one of `known`.
    pub fn new(mask: Option<&'m FieldMask>, known: &[&str]) -> Result<Self, Refusal> {
        let paths = mask.map(|mask| mask.paths.as_slice()).filter(|paths| !paths.is_empty());
        let unknown = paths
            .into_iter()
            .flatten()
            .find(|path| *path != "*" && !known.contains(&path.as_str()));
        match unknown {
            None => Ok(Self(paths)),
            Some(path) => {
                let problem = format!("{path:?} cannot be changed; these can: {}", known.join(", "));
                Err(Refusal::invalid_field("update_mask", problem))
            }
        }
    }

    /// Whether the field is taken over.
    #[must_use]
    pub fn takes(&self, path: &str, is_set: bool) -> bool {
        self.0
            .map_or(is_set, |paths| paths.iter().any(|given| given == "*" || given == path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_says_what_is_taken_over() {
        let mask = |paths: &[&str]| FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        let (subject, all, unknown) = (mask(&["subject"]), mask(&["*"]), mask(&["version"]));
        let known = ["subject", "body"];
        let taken = Taken::new(Some(&subject), &known).unwrap();
        assert!(taken.takes("subject", false) && !taken.takes("body", true));
        assert!(Taken::new(Some(&all), &known).unwrap().takes("body", false));
        let unmasked = Taken::new(None, &known).unwrap();
        assert!(unmasked.takes("body", true) && !unmasked.takes("subject", false));
        assert!(Taken::new(Some(&unknown), &known).is_err());
    }
}
