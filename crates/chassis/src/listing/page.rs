//! One page of a list and the sealed token that leads to the next.

use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Field, Filter, Kind, Paging};
use crate::{error::Refusal, name::Tenant, secret, sql};

/// A page has this many entries where the caller does not say.
const DEFAULT_SIZE: i32 = 100;
/// And never more than this.
const MAX_SIZE: i32 = 1000;

/// The place of an entry in the order: the value that it is ordered by, and its id, which tells equal ones apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageKey {
    /// Microseconds since 1970 of the time that the list is ordered by, or the whole number that it is ordered by.
    pub time: i64,
    /// The entry's id.
    pub id: EntryId,
}

/// An entry's id, of the type of its column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryId {
    /// In a column of type `uuid`.
    Uuid(Uuid),
    /// In a column of type `text`, or an expression of that type.
    Text(String),
}

impl From<Uuid> for EntryId {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl From<String> for EntryId {
    fn from(id: String) -> Self {
        Self::Text(id)
    }
}

/// What a caller asked for, understood.
#[derive(Debug)]
pub struct PageRequest {
    size: usize,
    filter: Filter,
    column: &'static str,
    by_time: bool,
    descending: bool,
    after: Option<PageKey>,
    bound_to: Vec<u8>,
}

impl PageRequest {
    /// Understands the paging fields of a List request. `list` names it: its tokens lead nowhere in another. `fields` are what it may be
    /// filtered by, `order_fields` the times or whole numbers that it may be ordered by, the first being the default (newest or largest
    /// first).
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a filter or order that is not understood, or a token of another query.
    pub fn new(
        key: &PageTokenKey,
        tenant: &Tenant,
        list: &str,
        paging: Paging<'_>,
        (fields, order_fields): (&[Field], &[Field]),
    ) -> Result<Self, Refusal> {
        let Paging {
            page_size,
            page_token,
            filter,
            order_by,
        } = paging;
        let (field, descending) = order(order_by, order_fields)?;
        let bound_to = [tenant.key(), list, filter, order_by].join("\u{1f}").into_bytes();
        let after = if page_token.is_empty() {
            None
        } else {
            Some(key.open(page_token, &bound_to)?)
        };
        let size = match page_size {
            0 => DEFAULT_SIZE,
            size => size.clamp(1, MAX_SIZE),
        };
        Ok(Self {
            size: usize::try_from(size).unwrap_or(1),
            filter: Filter::parse(filter, fields)?,
            column: field.column,
            by_time: matches!(field.kind, Kind::Time),
            descending,
            after,
            bound_to,
        })
    }

    /// Appends the filter, the place where the page begins, the order and the limit to `SELECT … WHERE tenant_id = …`.
    /// The statement asks for one row more than the page has, to know whether there is another page. `id` is the column
    /// (or expression) of the entry's id.
    pub fn push(&self, query: &mut QueryBuilder<Postgres>, id: &'static str) {
        self.filter.push(query);
        let direction = if self.descending { " DESC" } else { "" };
        if let Some(PageKey { time, id: last }) = &self.after {
            query.push(format!(
                " AND ({}, {id}) {} (",
                self.column,
                if self.descending { "<" } else { ">" }
            ));
            if self.by_time {
                query.push_bind(sql::time(jiff::Timestamp::from_microsecond(*time).unwrap_or_default()));
            } else {
                query.push_bind(*time);
            }
            query.push(", ");
            match last {
                EntryId::Uuid(id) => query.push_bind(*id),
                EntryId::Text(id) => query.push_bind(id.clone()),
            };
            query.push(")");
        }
        query.push(format!(
            " ORDER BY {}{direction}, {id}{direction} LIMIT {}",
            self.column,
            self.size + 1
        ));
    }

    /// The page made of the rows that the statement found.
    #[must_use]
    pub fn page<T>(&self, key: &PageTokenKey, mut rows: Vec<T>, place: impl Fn(&T) -> PageKey) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let next_page_token = match rows.last() {
            Some(last) if more => key.seal(&place(last), &self.bound_to),
            _ => String::new(),
        };
        Page {
            entries: rows,
            next_page_token,
        }
    }
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Leads to the next page; empty at the end, and only there.
    pub next_page_token: String,
}

fn order<'f>(order_by: &str, fields: &'f [Field]) -> Result<(&'f Field, bool), Refusal> {
    let problem = || {
        let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
        Refusal::invalid_field(
            "order_by",
            format!("must be one of {}, with or without desc", known.join(", ")),
        )
    };
    let mut words = order_by.split_whitespace();
    let Some(name) = words.next() else {
        return Ok((fields.first().ok_or_else(problem)?, true));
    };
    let descending = match (words.next(), words.next()) {
        (None, _) | (Some("asc"), None) => false,
        (Some("desc"), None) => true,
        _ => return Err(problem()),
    };
    let field = fields.iter().find(|field| field.name == name).ok_or_else(problem)?;
    Ok((field, descending))
}

/// Seals page tokens and cursors: what a caller brings back is what it was given, for the query it was given for.
#[derive(Clone)]
pub struct PageTokenKey(Vec<u8>);

impl std::fmt::Debug for PageTokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokenKey")
    }
}

impl PageTokenKey {
    /// A key from the configured secret; replicas of a service share it.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret::keyed_hash(secret.as_bytes(), &[b"page tokens"]).to_vec())
    }

    /// A token for `content`, good only where `bound_to` is the same.
    #[must_use]
    pub fn seal(&self, content: &impl Serialize, bound_to: &[u8]) -> String {
        // Holds because the contents are plain structs of numbers and strings.
        let content = serde_json::to_vec(content).unwrap_or_default();
        let mac = secret::keyed_hash(&self.0, &[&content, bound_to]);
        secret::to_text(&[&mac[..16], &content].concat())
    }

    /// The content of a token.
    ///
    /// # Errors
    /// INVALID_ARGUMENT / PAGE_TOKEN_INVALID where it is not ours or bound to something else.
    pub fn open<T: for<'de> Deserialize<'de>>(&self, token: &str, bound_to: &[u8]) -> Result<T, Refusal> {
        let bytes = secret::from_text(token).ok_or_else(Refusal::page_token_invalid)?;
        let (mac, content) = bytes.split_at_checked(16).ok_or_else(Refusal::page_token_invalid)?;
        if !secret::same(mac, &secret::keyed_hash(&self.0, &[content, bound_to])[..16]) {
            return Err(Refusal::page_token_invalid());
        }
        serde_json::from_slice(content).map_err(|_| Refusal::page_token_invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_for_its_own_query_alone() {
        let key = PageTokenKey::new("s");
        let place = PageKey {
            time: 7,
            id: "x".to_owned().into(),
        };
        let token = key.seal(&place, b"query");
        assert_eq!(key.open::<PageKey>(&token, b"query").unwrap(), place);
        assert!(key.open::<PageKey>(&token, b"other").is_err());
        assert!(PageTokenKey::new("t").open::<PageKey>(&token, b"query").is_err());
        assert!(key.open::<PageKey>(&token[1..], b"query").is_err());
        assert!(key.open::<PageKey>("", b"query").is_err());
    }
}
