//! The versions page by page.

use super::{Edition, Kept, Shelf, store};
use crate::{
    error::Refusal,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
    name::Tenant,
};

/// What a list of versions can be filtered by.
pub const FIELDS: &[Field] = &[
    VERSION,
    Field::of("active", Kind::Bool),
    Field::of("author", Kind::Text),
    Field::of("create_time", Kind::Time),
];
/// What it can be ordered by.
pub const ORDERS: &[Field] = &[VERSION];
const VERSION: Field = Field::of("version", Kind::Integer);

impl Shelf {
    /// A page of the versions, newest first unless ordered otherwise.
    ///
    /// # Errors
    /// FIELDS_INVALID for a filter or order that is not understood, PAGE_TOKEN_INVALID for the token of another query.
    pub async fn list<T: Kept>(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Edition<T>>, Refusal> {
        let page = PageRequest::new(&self.page_tokens, tenant, T::COLLECTION, paging, (FIELDS, ORDERS))?;
        let mut tx = self.database.tenant(tenant).await?;
        let editions = store::list(&mut tx, tenant, &page).await?;
        Ok(page.page(&self.page_tokens, editions, |edition| PageKey {
            time: edition.version.into(),
            id: edition.version.to_string().into(),
        }))
    }
}
