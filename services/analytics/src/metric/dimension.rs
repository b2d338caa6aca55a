//! By what numbers can be divided and filtered.

use huiyin_chassis::listing::{Field, Kind};

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

/// The values of the channel as they are stored, by the proto's enum.
pub(crate) const CHANNELS: &[(&str, i32)] = &[
    ("WEB_FORM", 1),
    ("IN_APP", 2),
    ("PHONE", 3),
    ("ONLINE_SERVICE", 4),
    ("EMAIL", 5),
    ("SOCIAL_MEDIA", 6),
    ("ECOMMERCE_REVIEW", 7),
    ("STORE", 8),
    ("PAPER", 9),
    ("ACCOUNT_MANAGER", 10),
    ("COMMUNITY", 11),
    ("ENTERPRISE_IM", 12),
    ("API", 13),
];
/// The values of the tier likewise.
pub(crate) const TIERS: &[(&str, i32)] = &[("NEW", 1), ("EXISTING", 2), ("VIP", 3)];

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
            Self::Channel => ("channel", "s.channel", Kind::Enum(CHANNELS)),
            Self::Priority => ("priority", "s.priority", Kind::Text),
            Self::Tier => ("tier", "s.tier", Kind::Enum(TIERS)),
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
            Self::Channel => CHANNELS,
            Self::Tier => TIERS,
            _ => return stored,
        };
        let number = stored.parse::<i32>().unwrap_or_default();
        names
            .iter()
            .find(|(_, known)| *known == number)
            .map(|(name, _)| (*name).to_owned())
            .unwrap_or_default()
    }
}

/// Dimensions as the fields of a filter.
pub(crate) fn fields(dimensions: &[Dimension]) -> Vec<Field> {
    dimensions.iter().map(|dimension| dimension.field()).collect()
}
