//! Lists as every service has them: keyset pages whose tokens are sealed and bound to the query, an AIP-160 filter and an
//! `order_by` over fields that the room allows.

mod filter;
mod page;

pub use filter::Filter;
pub use huiyin_proto::paging::Paging;
pub use page::{EntryId, Page, PageKey, PageRequest, PageTokenKey};

/// A field that a list may be filtered or ordered by.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in filters, e.g. `product.model`.
    pub name: &'static str,
    /// Its column, or an SQL expression over the listed table.
    pub column: &'static str,
    /// What its values are.
    pub kind: Kind,
}

impl Field {
    /// A field whose column is called as it is.
    #[must_use]
    pub const fn of(name: &'static str, kind: Kind) -> Self {
        Self::at(name, name, kind)
    }

    /// A field with a column, or an SQL expression, of another name.
    #[must_use]
    pub const fn at(name: &'static str, column: &'static str, kind: Kind) -> Self {
        Self { name, column, kind }
    }
}

/// The place in an order by `(column * 1000000)::bigint`, for a fraction between −1000 and 1000: an order needs values that are exactly
/// equal or not. Rounded as Postgres rounds a double.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "so small that it fits")]
pub fn millionths(fraction: f64) -> i64 {
    (fraction * 1_000_000.0).round_ties_even() as i64
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Number,
    /// A moment, RFC 3339 in the filter.
    Time,
    /// `true` or `false`.
    Bool,
    /// Dotted text such as a category: `:` finds the value and what lies below it.
    Path,
    /// The name of a resource, stored as the UUID at its end.
    Name,
    /// An array of texts: `=` and `:` find those that hold the value.
    Set,
    /// An enum stored as its number: its full name in the proto. Filters use the short names of its values
    /// ([`huiyin_proto::enums`]).
    Enum(&'static str),
}
