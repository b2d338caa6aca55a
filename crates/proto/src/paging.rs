//! What a caller asks of a list: the paging fields of AIP-132, which every List request gives by `paging()`.

/// The paging fields of a List request.
#[derive(Debug, Clone, Copy)]
pub struct Paging<'r> {
    /// At most so many entries; 0 for as many as the service gives.
    pub page_size: i32,
    /// From the answer before; empty at the beginning.
    pub page_token: &'r str,
    /// Which ones; empty for all.
    pub filter: &'r str,
    /// In which order; empty for the list's own.
    pub order_by: &'r str,
}

impl Paging<'_> {
    /// The same, in this order where the caller says nothing of it.
    #[must_use]
    pub fn or_order_by(self, order_by: &'static str) -> Self {
        if self.order_by.trim().is_empty() {
            Self { order_by, ..self }
        } else {
            self
        }
    }
}
