//! The versions page by page.

use huiyin_chassis::{
    Refusal, Tenant,
    listing::{Field, Kind, Page, PageKey, PageRequest},
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

/// The paging fields of a request.
#[derive(Debug)]
pub(crate) struct Paging<'r> {
    /// At most this many.
    pub(crate) page_size: i32,
    /// From the answer before.
    pub(crate) page_token: &'r str,
    /// Which ones.
    pub(crate) filter: &'r str,
    /// In which order.
    pub(crate) order_by: &'r str,
}

impl Shelf {
    /// A page of the versions, newest first unless ordered otherwise.
    ///
    /// # Errors
    /// FIELDS_INVALID for a filter or order that is not understood, PAGE_TOKEN_INVALID for the token of another query.
    pub(crate) async fn list<T: Kept>(&self, tenant: &Tenant, paging: Paging<'_>) -> Result<Page<Edition<T>>, Refusal> {
        let Paging {
            page_size,
            page_token,
            filter,
            order_by,
        } = paging;
        let order = &[VERSION];
        let page = PageRequest::new(
            &self.page_tokens,
            tenant,
            T::COLLECTION,
            (page_size, page_token),
            filter,
            order_by,
            FIELDS,
            order,
        )?;
        let mut tx = self.database.tenant(tenant).await?;
        let editions = store::list(&mut tx, tenant, &page).await?;
        Ok(page.page(&self.page_tokens, editions, |edition| PageKey {
            time: edition.version.into(),
            id: edition.version.to_string().into(),
        }))
    }
}
