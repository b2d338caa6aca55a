//! An operation as the protos have it.

use huiyin_proto::{
    google::longrunning::{Operation, operation},
    r#type::v1::{OperationMetadata, operation_metadata::State},
};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::pb;

use super::record::{Outcome, Record};
use crate::{
    error::Refusal,
    name::Tenant,
    server::{Language, localized},
    sql,
};

/// The part of a name behind `tenants/{tenant}/`.
pub(super) const COLLECTION: &str = "operations";

/// An operation; its error, if it has one, said in this language too.
pub(super) fn operation(tenant: &Tenant, record: &Record, language: Language) -> Operation {
    let result = record.end.as_ref().map(|end| match &end.outcome {
        // What we wrote ourselves; nothing that a caller sent is decoded here.
        Outcome::Response(bytes) => {
            operation::Result::Response(prost_types::Any::decode(bytes.as_slice()).unwrap_or_default())
        }
        Outcome::Error(bytes) => operation::Result::Error(localized(error(bytes), language)),
    });
    let metadata = OperationMetadata {
        kind: record.kind.clone(),
        state: state(record).into(),
        stage: record.progress.stage.clone(),
        done: record.progress.done,
        total: record.progress.total,
        author: record.author.clone(),
        create_time: Some(sql::to_proto(record.create_time)),
        update_time: Some(sql::to_proto(record.update_time)),
        end_time: record.end.as_ref().map(|end| sql::to_proto(end.time)),
        attempts: record.attempts,
    };
    Operation {
        name: tenant.child(COLLECTION, record.id),
        metadata: Some(super::packed(&metadata)),
        done: result.is_some(),
        result,
    }
}

/// An error as it is kept: an encoded `google.rpc.Status` with the reason among its details.
pub(super) fn kept(refusal: Refusal) -> Vec<u8> {
    let status = Status::from(refusal);
    if status.details().is_empty() {
        let bare = pb::Status {
            code: status.code().into(),
            message: status.message().to_owned(),
            details: Vec::new(),
        };
        return bare.encode_to_vec();
    }
    status.details().to_vec()
}

fn error(bytes: &[u8]) -> pb::Status {
    pb::Status::decode(bytes).unwrap_or_default()
}

fn state(record: &Record) -> State {
    match &record.end {
        Some(end) => match &end.outcome {
            Outcome::Response(_) => State::Succeeded,
            Outcome::Error(bytes) if error(bytes).code == i32::from(Code::Cancelled) => State::Cancelled,
            Outcome::Error(_) => State::Failed,
        },
        None if record.cancel_time.is_some() => State::Cancelling,
        None if record.is_leased => State::Running,
        None if record.attempts > 0 => State::Retrying,
        None => State::Pending,
    }
}
