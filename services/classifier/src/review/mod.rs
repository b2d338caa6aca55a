//! The review queue (复核队列, 003-22): texts whose label a person should say, one person at a time or two independently, and how well
//! people agree (分类词典质量).
//!
//! `gauge` measures the queue; `queue` opens and closes items beside what `classification` does; `api` → `convert` (proto) → `service` (claim, resolve, read),
//! `agreement` → `domain`, `domain_agreement` → `store`, `store_agreement`.

mod agreement;
pub(crate) mod api;
pub(crate) mod convert;
mod domain;
mod domain_agreement;
mod gauge;
pub(crate) mod queue;
mod service;
mod store;
mod store_agreement;

pub(crate) use gauge::measure;

#[cfg(test)]
mod item_rules;
