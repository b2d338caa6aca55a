//! How many parts a message has, counted on the wire: two bytes there can become hundreds in memory, and more once they are
//! found wanting.

use prost::{
    bytes::Buf,
    encoding::{WireType, decode_key, decode_varint},
};
use prost_reflect::{Kind, MessageDescriptor};

/// No request that keeps the rules has more.
const MOST: usize = 50_000;
/// Deeper than any message of ours.
const DEEPEST: usize = 32;

/// True where a message of this type holds more parts than any that keeps its rules. What is malformed is left to the decoder.
pub(crate) fn too_many(message: &MessageDescriptor, bytes: &[u8]) -> bool {
    let mut left = MOST;
    count(message, bytes, &mut left, DEEPEST);
    left == 0
}

fn count(message: &MessageDescriptor, mut bytes: &[u8], left: &mut usize, depth: usize) {
    while *left > 0 && depth > 0 && bytes.has_remaining() {
        let Ok((tag, wire)) = decode_key(&mut bytes) else {
            return;
        };
        let length = match wire {
            WireType::Varint => {
                let Ok(_) = decode_varint(&mut bytes) else { return };
                continue;
            }
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => match decode_varint(&mut bytes).map(usize::try_from) {
                Ok(Ok(length)) => length,
                _ => return,
            },
            WireType::StartGroup | WireType::EndGroup => return,
        };
        let Some((part, rest)) = bytes.split_at_checked(length) else {
            return;
        };
        bytes = rest;
        if wire != WireType::LengthDelimited {
            continue;
        }
        *left -= 1;
        if let Some(Kind::Message(inner)) = message.get_field(tag).map(|field| field.kind()) {
            count(&inner, part, left, depth - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::intake::v1::{BatchCreateFeedbacksRequest, Feedback};

    #[test]
    fn a_message_of_many_empty_parts_is_known_before_it_is_decoded() {
        let message = crate::POOL
            .get_message_by_name(<BatchCreateFeedbacksRequest as crate::codec::Request>::NAME)
            .unwrap();
        let of = |count| BatchCreateFeedbacksRequest {
            feedbacks: vec![Feedback::default(); count],
            ..Default::default()
        };
        assert!(!too_many(&message, &of(500).encode_to_vec()));
        assert!(too_many(&message, &of(MOST).encode_to_vec()));
        assert!(!too_many(&message, b"\xff\xff\xff\xff"));
    }
}
