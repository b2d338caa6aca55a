//! The one layer that enforces the validation rules of the protos: a server's codec.
//!
//! It sits behind authentication and authorisation and before every handler, for unary calls and for each message of a stream.

use std::marker::PhantomData;

use prost::{Message, bytes::Buf as _};
use prost_protovalidate::Validate;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstCodec, ProstEncoder};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{POOL, parts, r#type::v1::ErrorReason};

/// A message of no more bytes cannot have too many parts.
const SMALL: usize = 64 << 10;

/// Encodes answers as they are, and decodes requests that keep the rules of their proto; any other becomes
/// INVALID_ARGUMENT with every violated field.
#[derive(Debug)]
pub struct ValidatingCodec<T, U>(PhantomData<fn() -> (T, U)>);

impl<T, U> Default for ValidatingCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ValidatingCodec<T, U>
where
    T: Message + Send + 'static,
    U: Request + Message + Default + Validate + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ValidatingDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        ValidatingDecoder(PhantomData)
    }
}

/// A message that a method takes.
pub trait Request {
    /// Its full name, e.g. `huiyin.intake.v1.CreateFeedbackRequest`.
    const NAME: &'static str;
}

/// See [`ValidatingCodec`].
#[derive(Debug)]
pub struct ValidatingDecoder<U>(PhantomData<fn() -> U>);

impl<U: Request + Message + Default + Validate> Decoder for ValidatingDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let descriptor = (bytes.len() > SMALL).then(|| POOL.get_message_by_name(U::NAME));
        if descriptor
            .flatten()
            .is_some_and(|message| parts::too_many(&message, &bytes))
        {
            return Err(fields_invalid(vec![(
                "request".to_owned(),
                "has too many parts".to_owned(),
            )]));
        }
        let message =
            U::decode(bytes).map_err(|_| Status::invalid_argument("the request is not a valid message of its type"))?;
        check(&message)?;
        Ok(Some(message))
    }
}

/// Checks a message against the rules of its proto.
///
/// # Errors
/// INVALID_ARGUMENT with a `BadRequest` that names every violated field.
pub fn check(message: &impl Validate) -> Result<(), Status> {
    let fields = violations(message);
    if fields.is_empty() {
        Ok(())
    } else {
        Err(fields_invalid(fields))
    }
}

/// The rules of its proto that a message breaks: each field with what is wrong about it. For items of a stream, which are
/// refused one by one.
#[must_use]
pub fn violations(message: &impl Validate) -> Vec<(String, String)> {
    let Err(error) = message.validate() else {
        return Vec::new();
    };
    error
        .violations()
        .iter()
        .map(|violation| (violation.field_path(), violation.message().to_owned()))
        .collect()
}

/// The refusal of a request because of its fields: INVALID_ARGUMENT, each field with what is wrong about it.
#[must_use]
pub fn fields_invalid(mut fields: Vec<(String, String)>) -> Status {
    // They travel in the trailers, more than once; a client that gets too much there loses the call, or the connection.
    const MOST_BYTES: usize = 2048;
    let mut bytes = 0;
    let fit = fields
        .iter()
        .take_while(|(field, description)| {
            bytes += field.len() + description.len();
            bytes <= MOST_BYTES
        })
        .count()
        .max(1);
    let more = fields.len().saturating_sub(fit);
    fields.truncate(fit);
    if more > 0 {
        fields.push(("…".to_owned(), format!("and {more} more")));
    }
    let names: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    let names = names.join(", ");
    let mut details = ErrorDetails::new();
    let reason = ErrorReason::FieldsInvalid
        .as_str_name()
        .trim_start_matches("ERROR_REASON_");
    details.set_error_info(reason, "huiyin", [("fields".to_owned(), names.clone())]);
    for (field, description) in fields {
        details.add_bad_request_violation(field, description);
    }
    Status::with_error_details(Code::InvalidArgument, format!("invalid fields: {names}"), details)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// hyper and tonic take 16 KiB of trailers, and each violation stands there more than once.
    #[test]
    fn however_many_fields_are_wrong_the_refusal_reaches_its_caller() {
        let field = |index| {
            (
                format!("feedbacks[{index}].description"),
                "must say something".to_owned(),
            )
        };
        let few = fields_invalid((0..3).map(field).collect());
        assert_eq!(few.get_error_details().bad_request().unwrap().field_violations.len(), 3);
        let many = fields_invalid((0..500).map(field).collect());
        assert!(many.details().len() + many.message().len() < 8 << 10);
        let details = many.get_error_details();
        let last = details.bad_request().unwrap().field_violations.last().unwrap();
        let named = details.bad_request().unwrap().field_violations.len() - 1;
        assert_eq!(last.description, format!("and {} more", 500 - named));
    }
}
