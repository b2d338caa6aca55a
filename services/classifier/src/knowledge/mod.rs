//! The knowledge base (知识库, 003-06): articles in versions, what they are found by, and what came of using them.
//!
//! `api` → `convert` (proto) → `articles` (write, read), `publishing` (publish, archive, go back), `finding` (search, suggest), `uses`
//! (count) → `domain`, `terms` (what a text is found by), `excerpt` (what is shown of it) → `store`, `store_search`, `store_uses`.

pub(crate) mod api;
mod articles;
mod convert;
mod domain;
mod excerpt;
mod finding;
mod publishing;
mod store;
mod store_search;
mod store_uses;
mod terms;
mod uses;
