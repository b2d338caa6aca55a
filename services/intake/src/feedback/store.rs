//! All SQL of the room, by table. Functions take the caller's transaction: where it begins and ends is the use case's matter.

pub(crate) mod answers;
pub(crate) mod batch;
pub(crate) mod feedbacks;
pub(crate) mod imports;
pub(crate) mod numbers;
