//! Erasures and certificates for the wire, and what of a certificate is hashed.

use huiyin_chassis::{Refusal, Tenant, secret, sql};
use huiyin_events::counts;
use huiyin_proto::intake::v1;
use jiff::Timestamp;
use prost::Message as _;

use super::{service::ROOMS, store::Erasure};
use crate::events::CUSTOMERS;

pub(crate) use huiyin_proto::google::longrunning::Operation as Answer;
pub(crate) use v1::{
    ErasureCertificate as Certificate, GetErasureRequest as Started, VerifyErasureCertificateResponse as Verdict,
};

/// The collection in the names of erasures.
pub(crate) const ERASURES: &str = "erasures";

/// An erasure for the wire.
///
/// # Errors
/// A fault where its certificate is none.
pub(crate) fn erasure(tenant: &Tenant, erasure: Erasure) -> Result<v1::Erasure, Refusal> {
    let certificate = erasure.certificate.as_deref().map(decoded).transpose()?;
    let state = match certificate {
        Some(_) => v1::ErasureState::Done,
        None => v1::ErasureState::Running,
    };
    let waits = |room: &&&str| {
        certificate.is_none()
            && erasure
                .rooms
                .get(**room)
                .is_none_or(|done| done.complete_time.is_none())
    };
    Ok(v1::Erasure {
        name: tenant.child(ERASURES, erasure.id),
        customer: tenant.child(CUSTOMERS, erasure.customer),
        state: state.into(),
        waiting: ROOMS.iter().filter(waits).map(|room| (*room).to_owned()).collect(),
        author: erasure.author,
        reason: erasure.reason,
        create_time: Some(sql::to_proto(erasure.create_time)),
        problem: erasure.problem,
        certificate,
    })
}

/// The certificate of an erasure that is done, hashed but not signed.
pub(crate) fn certificate(
    tenant: &Tenant,
    erasure: &Erasure,
    now: Timestamp,
    (sequence, previous_hash): (i64, Vec<u8>),
) -> Certificate {
    let mut certificate = Certificate {
        erasure: tenant.child(ERASURES, erasure.id),
        customers: erasure.customers.iter().map(|id| tenant.child(CUSTOMERS, id)).collect(),
        feedback_count: erasure.feedback_count,
        request_time: Some(sql::to_proto(erasure.create_time)),
        complete_time: Some(sql::to_proto(now)),
        rooms: erasure
            .rooms
            .iter()
            .map(|(service, done)| v1::ErasedRoom {
                service: service.clone(),
                complete_time: done.complete_time.map(sql::to_proto),
                counts: counts(done.counts.clone()),
            })
            .collect(),
        sequence,
        previous_hash,
        ..Certificate::default()
    };
    certificate.hash = hash(&certificate);
    certificate
}

/// The hash of what a certificate says: everything but hash, signature and key.
pub(crate) fn hash(certificate: &Certificate) -> Vec<u8> {
    let said = Certificate {
        hash: Vec::new(),
        signature: Vec::new(),
        public_key: Vec::new(),
        ..certificate.clone()
    };
    secret::hash(&said.encode_to_vec()).to_vec()
}

/// A certificate as it is stored.
pub(crate) fn encoded(certificate: &Certificate) -> Vec<u8> {
    certificate.encode_to_vec()
}

/// A certificate as it was stored.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Certificate, Refusal> {
    Certificate::decode(bytes).map_err(Refusal::fault)
}

/// What an operation is started with: the erasure's name alone.
pub(crate) fn started(tenant: &Tenant, id: uuid::Uuid) -> Started {
    Started {
        name: tenant.child(ERASURES, id),
    }
}

/// What was found of a certificate.
pub(crate) fn verdict(hash_holds: bool, signature_holds: bool, chain_holds: bool) -> Verdict {
    Verdict {
        valid: hash_holds && signature_holds && chain_holds,
        hash_holds,
        signature_holds,
        chain_holds,
    }
}
