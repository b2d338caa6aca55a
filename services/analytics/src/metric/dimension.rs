//! By what numbers can be divided and filtered.

use huiyin_chassis::{
    enums,
    listing::{Field, Kind},
};

/// Something by which numbers can be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    Category,
    Channel,
    Priority,
    Tier,
    ProductModel,
    Batch,
    Team,
    Clock,
}

const CHANNEL: &str = "huiyin.type.v1.Channel";
const TIER: &str = "huiyin.type.v1.CustomerTier";

impl Dimension {
    /// Those that every metric has; the clock is for metrics of clocks alone.
    pub(crate) const OF_FEEDBACK: [Self; 7] = [
        Self::Category,
        Self::Channel,
        Self::Priority,
        Self::Tier,
        Self::ProductModel,
        Self::Batch,
        Self::Team,
    ];
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Category,
        Self::Channel,
        Self::Priority,
        Self::Tier,
        Self::ProductModel,
        Self::Batch,
        Self::Team,
        Self::Clock,
    ];

    /// Its name in filters.
    pub(crate) const fn key(self) -> &'static str {
        self.field().name
    }

    /// As what it is filtered: `s` is the segment, or the fact, which has the same columns but for the clock.
    pub(crate) const fn field(self) -> Field {
        let (name, column, kind) = match self {
            Self::Category => ("category", "s.category", Kind::Path),
            Self::Channel => ("channel", "s.channel", Kind::Enum(CHANNEL)),
            Self::Priority => ("priority", "s.priority", Kind::Text),
            Self::Tier => ("tier", "s.tier", Kind::Enum(TIER)),
            Self::ProductModel => ("product_model", "s.product_model", Kind::Text),
            Self::Batch => ("batch", "s.batch", Kind::Text),
            Self::Team => ("team", "s.team", Kind::Text),
            Self::Clock => ("clock", "s.clock", Kind::Text),
        };
        Field { name, column, kind }
    }

    /// What callers are told of a value as it is stored.
    pub(crate) fn value(self, stored: String) -> String {
        let names = match self {
            Self::Channel => CHANNEL,
            Self::Tier => TIER,
            _ => return stored,
        };
        // 0 is what was not said: empty, as it is for texts.
        let number = stored.parse().ok().filter(|number| *number != 0);
        number
            .and_then(|number| enums::name(names, number))
            .unwrap_or_default()
            .to_owned()
    }
}

/// Dimensions as the fields of a filter.
pub(crate) fn fields(dimensions: &[Dimension]) -> Vec<Field> {
    dimensions.iter().map(|dimension| dimension.field()).collect()
}
