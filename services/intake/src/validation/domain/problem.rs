//! What can be wrong about a field, to be said in the caller's language (003-70).

use crate::screening::domain::Aspect;

/// What is wrong about a field of a feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It says nothing.
    Empty,
    /// It is required and not there.
    Missing,
    /// It is no moment of this calendar.
    NoMoment,
    /// It lies in the future.
    InFuture,
    /// It lies before 1900.
    TooEarly,
    /// It holds the one character that cannot be stored.
    Null,
    /// It is no telephone number.
    NoPhone,
    /// It is no mail address.
    NoMail,
    /// It is no URL.
    NoUrl,
    /// It names no account.
    NoAccount,
    /// It does not say what lies at a URI.
    NoMediaType,
    /// It names what was named before it.
    Twice,
    /// It has fewer characters than it must.
    TooShort { least: usize, has: usize },
    /// It is none of the values that are allowed.
    NotAllowed { allowed: Vec<String> },
    /// It does not look as it must.
    NoMatch { pattern: String },
    /// It is vague: what it lacks, with the words that ask for it.
    Vague { missing: Vec<(Aspect, String)> },
}

/// A field, its path beginning within the feedback, and what is wrong about it.
pub(crate) type Found = (String, Problem);
