//! The versions page by page.

use huiyin_chassis::{
    Refusal, Tenant,
    listing::{Field, Kind, Page, PageKey, PageRequest, Paging},
};

use super::{Edition, Kept, Shelf, store};

const FIELDS: &[Field] = &[
    VERSION,
    Field {
        name: "active",
        column: "active",
        kind: Kind::Bool,
    },
    Field {
        name: "author",
        column: "author",
        kind: Kind::Text,
    },
    Field {
        name: "create_time",
        column: "create_time",
        kind: Kind::Time,
    },
];
const VERSION: Field = Field {
    name: "version",
    column: "version",
    kind: Kind::Integer,
};

impl Shelf {
    /// A page of the versions, newest first unless ordered otherwise.
    ///
    /// # Errors
    /// FIELDS_INVALID for a filter or order that is not understood, PAGE_TOKEN_INVALID for the token of another query.
    pub(crate) async fn list<T: Kept>(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Edition<T>>, Refusal> {
        let page = PageRequest::new(&self.page_tokens, tenant, T::COLLECTION, paging, (FIELDS, &[VERSION]))?;
        let mut tx = self.database.tenant(tenant).await?;
        let editions = store::list(&mut tx, tenant, &page).await?;
        Ok(page.page(&self.page_tokens, editions, |edition| PageKey {
            time: edition.version.into(),
            id: edition.version.to_string().into(),
        }))
    }
}
