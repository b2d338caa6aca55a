//! Between what stands on the wire and uploaded files as the room knows them.

use huiyin_chassis::{Caller, Refusal, Tenant, name, sql};
use huiyin_proto::intake::v1;
use uuid::Uuid;

use crate::attachment::domain::{Attachment, Opening, Sha256};
use crate::events::{ATTACHMENTS, FEEDBACKS};

/// What a caller is shown of a file; also what is kept as the answer to a request with an id.
pub(crate) use v1::Attachment as Answer;

/// An upload as its caller opened it, and whose it is. The rules of the proto have been kept already.
///
/// # Errors
/// NOT_FOUND where the tenant is not the caller's, or the feedback not the tenant's.
pub(crate) fn opening(opening: &v1::UploadOpening, caller: &Caller) -> Result<(Tenant, Opening), Refusal> {
    let tenant = name::parent(caller, &opening.parent)?;
    let feedback = match opening.feedback.as_str() {
        "" => None,
        feedback => {
            let (owner, id) = name::child_uuid(caller, feedback, FEEDBACKS)?;
            if owner != tenant {
                return Err(Refusal::not_found(feedback));
            }
            Some(id)
        }
    };
    let opening = Opening {
        file_name: opening.file_name.clone(),
        media_type: opening.media_type.clone(),
        note: opening.note.clone(),
        feedback,
        sha256: from_hexadecimal(&opening.sha256),
    };
    if opening.note.contains('\0') {
        return Err(Refusal::invalid_field(
            "opening.note",
            "must not contain the character U+0000",
        ));
    }
    Ok((tenant, opening))
}

/// A file as a caller is shown it.
pub(crate) fn answer(tenant: &Tenant, attachment: Attachment) -> Answer {
    Answer {
        name: tenant.child(ATTACHMENTS, attachment.id),
        file_name: attachment.file_name,
        media_type: attachment.media_type,
        // Holds because the limit of a file is far below.
        size_bytes: i64::try_from(attachment.size).unwrap_or(i64::MAX),
        sha256: hexadecimal(&attachment.sha256),
        note: attachment.note,
        feedback: attachment
            .feedback
            .map(|feedback| tenant.child(FEEDBACKS, feedback))
            .unwrap_or_default(),
        scan_state: attachment.scan_state as i32,
        create_time: Some(sql::to_proto(attachment.create_time)),
        author: attachment.author,
    }
}

/// The id in an answer of ours.
///
/// # Errors
/// A fault where there is none.
pub(crate) fn id(answer: &Answer) -> Result<Uuid, Refusal> {
    name::stored_uuid(&answer.name)
}

/// The bytes as text.
pub(crate) fn hexadecimal(sha256: &Sha256) -> String {
    sha256.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a text of 64 digits; `None` for any other.
fn from_hexadecimal(text: &str) -> Option<Sha256> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::domain::ScanState;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let sha256: Sha256 = std::array::from_fn(|place| u8::try_from(place * 8).unwrap());
        assert_eq!(from_hexadecimal(&hexadecimal(&sha256)), Some(sha256));
        assert_eq!(from_hexadecimal(&hexadecimal(&sha256).to_uppercase()), Some(sha256));
        assert_eq!(from_hexadecimal(""), None);
        assert_eq!(from_hexadecimal("00"), None);
    }

    /// The states of a scan are those of the proto, and none is missing.
    #[test]
    fn the_states_of_a_scan_are_those_of_the_proto() {
        for number in 0..100 {
            assert_eq!(
                ScanState::of(number).is_some(),
                number != 0 && v1::ScanState::try_from(number).is_ok()
            );
        }
    }
}
