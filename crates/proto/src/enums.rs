//! The values of the protos' enums by the short names that filters, metrics and events use: `WEB_FORM` for
//! `CHANNEL_WEB_FORM`. They are read from the descriptors, so that a value is added in its proto and nowhere else.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::EnumDescriptor;

use crate::POOL;

type Values = Vec<(String, i32)>;

static ENUMS: LazyLock<HashMap<String, Values>> = LazyLock::new(|| {
    let enums = POOL.all_enums();
    enums
        .map(|found| (found.full_name().to_owned(), values_of(&found)))
        .collect()
});

/// The short names with their numbers, of the enum of this full name such as `huiyin.type.v1.Channel`, in the order of the
/// numbers. The value 0 keeps its whole name: that nothing was said is no name of its own. None for an enum that is not ours.
#[must_use]
pub fn values(enum_name: &str) -> &'static [(String, i32)] {
    ENUMS.get(enum_name).map_or(&[], Vec::as_slice)
}

/// The short name of a value.
#[must_use]
pub fn name(enum_name: &str, number: i32) -> Option<&'static str> {
    let mut values = values(enum_name).iter();
    values
        .find(|(_, known)| *known == number)
        .map(|(name, _)| name.as_str())
}

/// The number of a short name.
#[must_use]
pub fn number(enum_name: &str, name: &str) -> Option<i32> {
    let mut values = values(enum_name).iter();
    values.find(|(known, _)| known == name).map(|(_, number)| *number)
}

fn values_of(found: &EnumDescriptor) -> Values {
    // `CHANNEL_UNSPECIFIED` says what the names begin with.
    let zero = found.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let mut values: Values = found
        .values()
        .map(|value| match value.number() {
            0 => (value.name().to_owned(), 0),
            number => (value.name().trim_start_matches(prefix).to_owned(), number),
        })
        .collect();
    values.sort_by_key(|(_, number)| *number);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enum_is_known_by_short_names() {
        let channel = "huiyin.type.v1.Channel";
        assert_eq!(number(channel, "WEB_FORM"), Some(1));
        assert_eq!(name(channel, 5), Some("EMAIL"));
        assert_eq!(values(channel)[0], ("CHANNEL_UNSPECIFIED".to_owned(), 0));
        assert_eq!(number(channel, "CHANNEL_WEB_FORM"), None);
        assert!(values("huiyin.type.v1.Chanel").is_empty());
    }
}
