//! Between the types of the domain and those of Postgres and protobuf: points in time.

use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx as _};

/// A moment, as a parameter of a statement.
#[must_use]
pub fn time(time: Timestamp) -> SqlTimestamp {
    time.to_sqlx()
}

/// A moment that may be missing, as a parameter of a statement.
#[must_use]
pub fn time_opt(time: Option<Timestamp>) -> Option<SqlTimestamp> {
    time.map(|time| time.to_sqlx())
}

/// A moment for the wire.
#[must_use]
pub fn to_proto(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    }
}

/// A moment from the wire, to the microsecond; `None` where it is none or not one of this calendar.
#[must_use]
pub fn from_proto(time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let time = time?;
    let time = Timestamp::new(time.seconds, time.nanos).ok()?;
    Timestamp::from_microsecond(time.as_microsecond()).ok()
}
